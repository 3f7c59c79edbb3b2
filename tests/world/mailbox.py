"""A real mail server that keeps what it is sent, and can refuse as one does."""

import ssl
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.signing_in.mail import Config, Tls
from deploy.embedded import machine

SENDER = "no-reply@care.example"


class Mailbox:
    """The server, on a port of its own; what it says to the next mails may be set.

    Attributes:
        refusals: replies to the next mails, one each; then it takes them.
        mails: what it took.
        recipients: for whom, as the envelope said.
    """

    def __init__(self, folder: Path | None = None, *, password: str | None = None) -> None:
        """Describe a server.

        Args:
            folder: where its certificate lies; None: it speaks plainly.
            password: that it wants from the user `telecare`; None: it wants none.
        """
        self.refusals: list[str] = []
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self._password = password
        self.port = machine.free_port()
        self._certificate = None if folder is None else certified(folder)
        more: dict[str, Any] = {}
        if self._certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self._certificate)
            more |= {"tls_context": context, "require_starttls": True}
        if password is not None:
            more |= {"authenticator": self._let_in, "auth_required": True}
        self._server = Controller(self, hostname="127.0.0.1", port=self.port, **more)

    def __enter__(self) -> Self:
        """Listen."""
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        """Listen no more."""
        self._server.stop()

    def config(self, *, password: str = "") -> Config:
        """Return how it is reached."""
        user = "telecare" if password else None
        if self._certificate is None:
            return Config("127.0.0.1", self.port, Tls.NONE, SENDER, user, password)
        return Config("localhost", self.port, Tls.STARTTLS, SENDER, user, password, self._certificate)

    async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002 - as aiosmtpd calls it
        """Take a mail, or refuse it."""
        if self.refusals:
            return self.refusals.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients += envelope.rcpt_tos
        return "250 OK"

    def _let_in(self, *said: object) -> AuthResult:
        is_right = (
            isinstance(said[-1], LoginPassword)
            and said[-1].login == b"telecare"
            and said[-1].password == (self._password or "").encode()
        )
        return AuthResult(success=is_right)


def certified(folder: Path) -> Path:
    """Write a key and a certificate for localhost, signed by itself, into one file, and return that."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begun = datetime.now(UTC) - timedelta(days=1)  # noqa: TID251 - a certificate is held against the system's clock
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=10))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
