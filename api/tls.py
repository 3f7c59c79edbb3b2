"""How do the pages show a certificate that is renewed while they are served?

The server's context is given the new certificate as soon as the files change: a connection that is open goes on, and
the next one sees it.  Whatever cannot be used (half a file, a key of another certificate) is left aside.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0
"""Real seconds between two looks at the files; they change once in some weeks."""

_Stamp = tuple[tuple[int, int, int], ...] | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where a certificate and its key are.

    Attributes:
        certificate: PEM, our own first, then those between it and the authority.
        key: PEM, without a passphrase.
    """

    certificate: Path
    key: Path

    def load_into(self, context: ssl.SSLContext) -> None:
        """Have a context show this certificate from its next connection on.

        Raises:
            OSError: a file is not there or may not be read, or the two do not fit; as ssl.SSLError.
        """
        context.load_cert_chain(self.certificate, self.key)

    def stamp(self) -> _Stamp:
        """Return what changes when one of the files is replaced; None while one is not there."""
        try:
            return tuple((at.st_mtime_ns, at.st_ino, at.st_size) for at in (self.certificate.stat(), self.key.stat()))
        except OSError:
            return None


async def follow(named: Certificate, context: ssl.SSLContext, *, look_s: float = LOOK_S) -> None:
    """Show each new certificate as soon as it is there, until cancelled."""
    shown = named.stamp()
    while True:
        await asyncio.sleep(look_s)
        stamp = named.stamp()
        if stamp is None or stamp == shown:
            continue
        shown = stamp
        try:
            # Tried elsewhere first: a context that took half of it would turn everybody away.
            named.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            named.load_into(context)
        except OSError as why:
            log.error("the new certificate cannot be used", extra={"why": type(why).__name__})  # noqa: TRY400 - the files' words are of no use
        else:
            log.info("a new certificate is shown")
