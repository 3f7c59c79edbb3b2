"""How do hubs in homes reach the embedded broker: with which certificate, and what when that is renewed?

Hubs send their secret, so nothing is heard from outside without TLS.  The broker is given a new certificate as soon as
the files change; connections that are open go on, so no alarm is dropped.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from api.tls import Certificate
from deploy.embedded.broker import Broker, Outside
from deploy.embedded.machine import Missing
from deploy.embedded.runtime import Say
from gateway.health import hosts_and_port

PORT: Final = 8883
"""Where MQTT with TLS is expected (IANA, secure-mqtt)."""

_NAMES: Final = ("TELECARE_BROKER_CERTIFICATE", "TELECARE_BROKER_KEY")


def asked_for(environment: Mapping[str, str]) -> Outside | None:
    """Return how hubs outside reach the broker, or None where they do not.

    Raises:
        Missing: half of it is said, or what is said cannot be used.
    """
    said = [environment.get(name, "") for name in _NAMES]
    if not any(said):
        return None
    if not all(said) or not environment.get("TELECARE_HUBS_BROKER"):
        raise Missing(
            f"Hubs outside need {', '.join(_NAMES)} and TELECARE_HUBS_BROKER, the name:port that they connect to."
        )
    named = Certificate(*map(Path, said))
    try:
        named.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    except OSError as why:
        raise Missing(f"{' and '.join(_NAMES)} cannot be used: {why.strerror or type(why).__name__}.") from None
    address = environment.get("TELECARE_BROKER_ADDRESS") or "0.0.0.0"  # noqa: S104 - all of them, with TLS, is the purpose
    return Outside(address, named.certificate, named.key)


def of_ingest(outside: Outside, port: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return how ingest reaches such a broker from the same machine: by its address, under the certificate's name."""
    address = "127.0.0.1" if outside.address == "0.0.0.0" else outside.address  # noqa: S104 - compared, not listened on
    hosts, _ = hosts_and_port(environment["TELECARE_HUBS_BROKER"])
    return {
        "TELECARE_BROKER": f"{address}:{port}",
        "TELECARE_BROKER_TLS": environment.get("TELECARE_BROKER_TLS") or "system",
        "TELECARE_BROKER_NAME": hosts.partition(",")[0],
    }


class Renewal:
    """Gives a broker each new certificate."""

    def __init__(self, broker: Broker, *, say: Say) -> None:
        """Take the one that is there for shown."""
        self._broker, self._say = broker, say
        self._named = Certificate(broker.outside.certificate, broker.outside.key) if broker.outside else None
        self._shown = self._named.stamp() if self._named else None

    def look(self) -> bool:
        """Look whether the files were replaced; return whether the broker was given a new certificate."""
        stamp = self._named.stamp() if self._named else None
        if self._named is None or stamp is None or stamp == self._shown:
            return False
        self._shown = stamp
        try:
            # Half a file, or a key of another certificate: the broker goes on with the one that it has.
            self._named.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._broker.renew()
        except (OSError, Missing) as why:
            self._say(f"the broker's new certificate cannot be used: {type(why).__name__}")
            return False
        self._say("the broker shows a new certificate")
        return True
