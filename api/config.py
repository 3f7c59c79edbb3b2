"""What does this process need to know before it starts?"""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from alerts.telling import sms
from api.signing_in import mail, provider
from api.signing_in.sealing import keys_of
from api.tls import Certificate
from gateway import secret
from gateway.health import Address, hosts_and_port

_LISTEN = "127.0.0.1:8420"
_HEALTH = "127.0.0.1:9404"
_HUBS_BROKER = "127.0.0.1:1883"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotConfigured(ValueError):
    """The configuration is wrong or incomplete; the operator must do what the one sentence says."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the environment said.

    Attributes:
        database_url: as libpq reads it.
        listen: where pages are served.
        health: where health, readiness and metrics are.
        public_url: how people and Twilio reach us, without a slash at its end.
        hubs_broker: `host:port` of the platform's broker as hubs reach it, or of each of its nodes with commas
            between them, for their configuration files.
        texts: Twilio, to check its signatures; None: nobody can be texted, and every carer's page says so.
        mails: the mail server that log-in links leave by; None: nobody is mailed one.
        factor_keys: what the secrets of second factors are sealed with, the newest first; none: nobody has a password.
        identities: the employer's identity provider; None: there is none.
        certificate: shown to whoever opens the pages; None speaks plainly, behind a proxy that speaks TLS.
        trusted_proxies: addresses and networks whose word about who asks is taken; nobody else's is.
    """

    database_url: str = field(repr=False)
    listen: Address
    health: Address
    public_url: str
    texts: sms.Config | None
    hubs_broker: str = _HUBS_BROKER
    mails: mail.Config | None = None
    trusted_proxies: tuple[str, ...] = ()
    factor_keys: tuple[bytes, ...] = field(default=(), repr=False)
    identities: provider.Config | None = None
    certificate: Certificate | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config":
        """Return what the environment says.

        Raises:
            NotConfigured: something is missing, or not of its form.
        """
        try:
            env = secret.opened(env)
            listen = Address.parse(env.get("TELECARE_API_LISTEN", "") or _LISTEN)
            health = Address.parse(env.get("TELECARE_API_HEALTH", "") or _HEALTH)
            texts = sms.Config.from_env(env)
            mails = mail.Config.from_env(env)
            proxies = _networks(env.get("TELECARE_API_TRUSTED_PROXIES", ""))
            factor_keys = keys_of(env.get("TELECARE_FACTOR_KEY", ""))
            identities = provider.Config.from_env(env)
            broker = env.get("TELECARE_HUBS_BROKER", "") or env.get("TELECARE_BROKER", "") or _HUBS_BROKER
            hosts_and_port(broker)
        except ValueError as why:
            raise NotConfigured(str(why)) from why
        database_url = env.get("TELECARE_DATABASE_URL", "")
        if not database_url:
            raise NotConfigured("TELECARE_DATABASE_URL must say where the database is.")
        public_url = env.get("TELECARE_PUBLIC_URL", "").rstrip("/") or f"http://{listen.host}:{listen.port}"
        require_safe(public_url)
        return cls(
            database_url,
            listen,
            health,
            public_url,
            texts,
            broker,
            mails,
            proxies,
            factor_keys,
            identities,
            _certificate(env),
        )

    @property
    def is_secure(self) -> bool:
        """Whether people reach us by https; if not, it is the machine's own loopback."""
        return self.public_url.startswith("https://")


def _certificate(env: Mapping[str, str]) -> Certificate | None:
    names = ("TELECARE_API_CERTIFICATE", "TELECARE_API_KEY")
    said = [env.get(name, "") for name in names]
    if not any(said):
        return None
    if not all(said):
        raise NotConfigured(f"{' and '.join(names)} go together: the pages show a certificate, or a proxy does.")
    named = Certificate(*map(Path, said))
    try:
        named.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    except OSError as why:
        raise NotConfigured(f"{' and '.join(names)} cannot be used: {why.strerror or type(why).__name__}.") from None
    return named


def _networks(said: str) -> tuple[str, ...]:
    """Return addresses and networks with commas between them.

    Raises:
        ValueError: one is neither.
    """
    try:
        return tuple(str(ipaddress.ip_network(one.strip())) for one in said.split(",") if one.strip())
    except ValueError as why:
        raise ValueError(f"TELECARE_API_TRUSTED_PROXIES must be addresses or networks: {why}.") from why


def require_safe(public_url: str) -> None:
    """See that a public address does not send people's sessions in the clear.

    Raises:
        NotConfigured: it is neither https nor this machine's own loopback.
    """
    try:
        parts = urlsplit(public_url)
        host = parts.hostname
    except ValueError as why:
        raise NotConfigured(f"TELECARE_PUBLIC_URL is not an address: {why}.") from why
    if parts.path or parts.query or parts.fragment or not host:
        raise NotConfigured("TELECARE_PUBLIC_URL must be a scheme and a host, as in https://care.example.")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise NotConfigured("TELECARE_PUBLIC_URL must begin with https://, or be http on this machine's own loopback.")
