"""Whom does the employer's identity provider vouch for?  The one door to it (OpenID Connect Core 1.0).

Authorization code with PKCE (RFC 7636), state and nonce, all made of one secret that only the browser keeps.  What
comes back is believed only signed by a key of the provider's, by an algorithm that we know, for us, now, and for this
log-in.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit

import jwt
import requests

T = TypeVar("T")

# Signatures with the provider's own key only: none, and what is signed with a secret that both know, are not.
_ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"})
# Two machines' clocks.  Ours.
_LEEWAY: Final = timedelta(seconds=60)
# A token is made for this log-in; one of yesterday's is somebody's find.  Ours.
_OLDEST: Final = timedelta(minutes=15)
# What it says of itself and its keys is asked again after this; an unknown key sooner, but not at every request.  Ours.
_KNOWN_FOR: Final = timedelta(hours=1)
_KEYS_AGAIN: Final = timedelta(minutes=1)
# To connect and between two bytes; bytes of an answer; calls at once.  Ours.
_TIMEOUT_S: Final = (5.0, 10.0)
_ANSWER_BYTES_MAX: Final = 1_000_000
_AT_ONCE: Final = 4
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_SUBJECT_MAX: Final = 255
_NAMED: Final = "your employer's account"


class NotVouched(Exception):
    """What came back proves nothing; the sentence is for the log.  Whoever signs in must begin again."""


class ProviderAway(Exception):
    """The provider cannot be asked, or answers what it should not; the operator must look, and links still let in."""


@dataclass(frozen=True, slots=True)
class Config:
    """The employer's identity provider.

    Attributes:
        issuer: as it calls itself.
        client_id: what it calls us.
        named: what people call it, on the log-in page.
        authorities: a file of those who may have signed its certificate; None: the system's.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    named: str = _NAMED
    authorities: Path | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config | None":
        """Return what the environment says, or None where nothing is said of an identity provider.

        Raises:
            ValueError: half of it is missing, or it would be asked in the clear.
        """
        issuer, client_id = env.get("TELECARE_OIDC_ISSUER", ""), env.get("TELECARE_OIDC_CLIENT_ID", "")
        secret = env.get("TELECARE_OIDC_CLIENT_SECRET", "")
        if not (issuer or client_id or secret):
            return None
        if not (issuer and client_id and secret):
            raise ValueError(
                "TELECARE_OIDC_ISSUER, TELECARE_OIDC_CLIENT_ID and TELECARE_OIDC_CLIENT_SECRET must be set, or none."
            )
        if not _is_safe(issuer):
            raise ValueError("TELECARE_OIDC_ISSUER must begin with https://.")
        authorities = env.get("TELECARE_OIDC_CA", "")
        return cls(
            issuer,
            client_id,
            secret,
            env.get("TELECARE_OIDC_NAME", "") or _NAMED,
            Path(authorities) if authorities else None,
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider means.

    Attributes:
        subject: what it calls this person for good.
        email: in small letters, only where the provider says that it is theirs; None otherwise.
    """

    issuer: str
    subject: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Trip:
    """One log-in that is sent on to the provider; all of it follows from the secret that the browser keeps."""

    secret: str = field(repr=False)

    @classmethod
    def new(cls) -> "Trip":
        return cls(secrets.token_urlsafe(32))

    def _made(self, what: bytes) -> str:
        return _base64(hmac.digest(self.secret.encode(), what, "sha256"))

    @property
    def state(self) -> str:
        return self._made(b"state")

    @property
    def nonce(self) -> str:
        return self._made(b"nonce")

    @property
    def verifier(self) -> str:
        return self._made(b"verifier")

    @property
    def challenge(self) -> str:
        return _base64(hashlib.sha256(self.verifier.encode()).digest())


@dataclass(frozen=True, slots=True)
class _Known:
    """What the provider said of itself, and when."""

    at: datetime
    endpoints: Mapping[str, str]
    keys: Mapping[str, jwt.PyJWK]
    keys_at: datetime


class Provider:
    """The door; see the module."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="provider")
        self._known: _Known | None = None

    @property
    def issuer(self) -> str:
        """What it calls itself."""
        return self._config.issuer

    @property
    def named(self) -> str:
        return self._config.named

    async def address(self, trip: Trip, back: str, *, real_now: datetime) -> str:
        """Return where a browser is sent to sign in.

        Raises:
            ProviderAway: it cannot be asked.
        """
        known = await self._do(lambda: self._know(real_now=real_now))
        asked = {
            "response_type": "code",
            "client_id": self._config.client_id,
            "redirect_uri": back,
            "scope": "openid email",
            "state": trip.state,
            "nonce": trip.nonce,
            "code_challenge": trip.challenge,
            "code_challenge_method": "S256",
        }
        to = known.endpoints["authorization_endpoint"]
        return f"{to}{'&' if urlsplit(to).query else '?'}{urlencode(asked)}"

    async def identity(self, trip: Trip, code: str, back: str, *, real_now: datetime) -> Identity:
        """Return whom the provider vouches for with a code.

        Raises:
            NotVouched: for nobody.
            ProviderAway: it cannot be asked.
        """
        return await self._do(lambda: self._identity(trip, code, back, real_now=real_now))

    async def _do(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act)

    # -- in a thread

    def _identity(self, trip: Trip, code: str, back: str, *, real_now: datetime) -> Identity:
        known = self._know(real_now=real_now)
        said = self._ask(
            "POST",
            known.endpoints["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": back,
                "code_verifier": trip.verifier,
            },
        )
        token = said.get("id_token")
        if not isinstance(token, str):
            raise NotVouched("no token came back")
        return self._read(token, trip, real_now=real_now)

    def _read(self, token: str, trip: Trip, *, real_now: datetime) -> Identity:
        """Return whom a token names (OpenID Connect Core 1.0, 3.1.3.7)."""
        config = self._config
        try:
            key = self._key_of(token, real_now=real_now)
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=config.client_id,
                issuer=config.issuer,
                # Its times are held against our own clock, below.
                options={
                    "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError as why:
            raise NotVouched(type(why).__name__) from why
        _require_now(claims, real_now=real_now)
        if not hmac.compare_digest(str(claims["nonce"]).encode(), trip.nonce.encode()):
            raise NotVouched("made for another log-in")
        if claims.get("azp", config.client_id) != config.client_id:
            raise NotVouched("made for somebody else")
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_MAX or "\0" in subject:
            raise NotVouched("names nobody")
        email = claims.get("email")
        is_theirs = claims.get("email_verified") is True and isinstance(email, str) and "\0" not in email
        return Identity(config.issuer, subject, str(email).strip().lower() if is_theirs else None)

    def _key_of(self, token: str, *, real_now: datetime) -> jwt.PyJWK:
        """Return the key that a token names, asked for again where it is new: providers change theirs.

        Raises:
            NotVouched: there is none of that name, or it is not for this.
        """
        header = jwt.get_unverified_header(token)
        name = str(header.get("kid", ""))
        known = self._know(real_now=real_now)
        if name not in known.keys and real_now - known.keys_at >= _KEYS_AGAIN:
            known = self._know(real_now=real_now, again=True)
        key = known.keys.get(name) if name else next(iter(known.keys.values()), None)
        if key is None:
            raise NotVouched("signed by an unknown key")
        # The key says by which algorithm it signs, never the token.
        if key.algorithm_name not in _ALGORITHMS or header.get("alg") != key.algorithm_name:
            raise NotVouched("signed by an algorithm that is not the key's")
        return key

    def _know(self, *, real_now: datetime, again: bool = False) -> _Known:
        known = self._known
        if known is not None and not again and real_now - known.at < _KNOWN_FOR:
            return known
        said = self._ask("GET", f"{self._config.issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != self._config.issuer:
            raise ProviderAway("it calls itself otherwise")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        endpoints = {name: str(said.get(name, "")) for name in names}
        if not all(_is_safe(one) for one in endpoints.values()):
            raise ProviderAway("it would be asked in the clear")
        keys = self._ask("GET", endpoints["jwks_uri"])
        self._known = _Known(real_now, endpoints, _keys_in(keys), real_now)
        return self._known

    def _ask(self, method: str, url: str, *, data: Mapping[str, str] | None = None) -> dict[str, Any]:
        config = self._config
        try:
            with requests.request(
                method,
                url,
                data=data,
                # RFC 6749, 2.3.1: each part is encoded as in a form.
                auth=_basic(config) if data is not None else None,
                headers={"Accept": "application/json"},
                timeout=_TIMEOUT_S,
                allow_redirects=False,
                verify=str(config.authorities) if config.authorities else True,
                stream=True,
            ) as answer:
                body = answer.raw.read(_ANSWER_BYTES_MAX + 1, decode_content=True)
                status = answer.status_code
        except (requests.RequestException, OSError) as why:
            raise ProviderAway(type(why).__name__) from why
        if method == "POST" and 400 <= status < 500:
            raise NotVouched("the code was refused")
        if status != 200 or len(body) > _ANSWER_BYTES_MAX:
            raise ProviderAway(f"it answered {status}")
        try:
            said = json.loads(body)
        except ValueError as why:
            raise ProviderAway("it answered no JSON") from why
        if not isinstance(said, dict):
            raise ProviderAway("it answered no object")
        return said


def _require_now(claims: Mapping[str, Any], *, real_now: datetime) -> None:
    """See that a token is neither over, nor of the future, nor old.

    Raises:
        NotVouched: it is.
    """
    try:
        ends, made = (datetime.fromtimestamp(float(claims[name]), UTC) for name in ("exp", "iat"))
        begins = datetime.fromtimestamp(float(claims.get("nbf", 0)), UTC)
    except (TypeError, ValueError, OverflowError, OSError) as why:
        raise NotVouched("its times are none") from why
    if real_now >= ends + _LEEWAY:
        raise NotVouched("over")
    if max(made, begins) > real_now + _LEEWAY:
        raise NotVouched("not begun yet")
    if made < real_now - _OLDEST:
        raise NotVouched("made long ago")


def _keys_in(said: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """Return the keys for signatures that we can use, by name; others are left out, as RFC 7517, section 5, asks."""
    found: dict[str, jwt.PyJWK] = {}
    listed = said.get("keys")
    for one in listed[:50] if isinstance(listed, list) else []:
        try:
            key = jwt.PyJWK.from_dict(one)
        except (jwt.PyJWTError, AttributeError, TypeError, ValueError):
            continue
        if key.public_key_use in (None, "sig") and key.algorithm_name in _ALGORITHMS:
            found[str(key.key_id or "")] = key
    return found


def _basic(config: Config) -> tuple[str, str]:
    client_id, secret = (urlencode({"": part})[1:] for part in (config.client_id, config.client_secret))
    return client_id, secret


def _base64(said: bytes) -> str:
    return base64.urlsafe_b64encode(said).decode().rstrip("=")


def _is_safe(url: str) -> bool:
    """Return whether nobody on the way can read or change what is asked there."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))
