"""From where does somebody ask, as far as it bounds how often they may?"""

import ipaddress
from typing import Annotated, Final

from fastapi import Depends, Request

# What a household or an office is given of IPv6 (RFC 6177): whoever has one address has all of these.
_IPV6_PREFIX: Final = 64


def network_of(host: str) -> str:
    """Return what is counted as one place: an IPv4 address, an IPv6 network of 64 bits, or what else was said."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))


def asked_from(request: Request) -> str:
    """Return from where a request came: the network's word, or a trusted proxy's; never a header of anybody else."""
    return network_of(request.client.host) if request.client else ""


AskedFrom = Annotated[str, Depends(asked_from)]
