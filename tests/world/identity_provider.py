"""A real identity provider, small and honest: discovery, PKCE, codes that work once, RS256; or told to lie."""

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Annotated, Any, Self
from urllib.parse import urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.responses import RedirectResponse
from jwt.algorithms import RSAAlgorithm

from api.signing_in.provider import Config
from deploy.embedded import machine

_CLIENT, _SECRET = "telecare", "between us: 100%"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser brought when it was signed in, kept until its code is redeemed."""

    nonce: str
    challenge: str
    back: str


@dataclass
class Truth:
    """What the provider says of whoever signs in there, and how it may lie.

    Attributes:
        claims: over those that are right; a claim of None is left out.
        signed: makes a token of claims in another way than the right one.
    """

    subject: str = "5f1c"
    email: str | None = None
    is_verified: object = True
    claims: dict[str, Any] = field(default_factory=dict)
    signed: Callable[[dict[str, Any]], str] | None = None
    now: datetime | None = None


class IdentityProvider:
    """The server, on a port of its own."""

    def __init__(self) -> None:
        self.port = machine.free_port()
        self.issuer = f"http://127.0.0.1:{self.port}/council"
        self.calls_itself = self.issuer
        self.truth = Truth()
        self.keys_asked = 0
        self._codes: dict[str, Asked] = {}
        self._keys: list[tuple[str, rsa.RSAPrivateKey]] = []
        self.change_key()
        self._app = FastAPI()
        self._app.get("/council/.well-known/openid-configuration")(self._discovery)
        self._app.get("/council/keys")(self._jwks)
        self._app.get("/council/authorize")(self._authorize)
        self._app.post("/council/token")(self._token)

    async def __aenter__(self) -> Self:
        """Listen."""
        config = uvicorn.Config(self._app, port=self.port, lifespan="off", log_level="error")
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            assert not self._serving.done(), "the provider did not start"
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None
    ) -> None:
        """Listen no more."""
        self._server.should_exit = True
        await self._serving

    def config(self) -> Config:
        """Return how it is reached, and what it calls us."""
        return Config(self.issuer, _CLIENT, _SECRET, "Kilbrae council")

    def change_key(self) -> None:
        """Sign with another key from now on; the one of before is gone."""
        self._keys = [(secrets.token_hex(4), rsa.generate_private_key(public_exponent=65537, key_size=2048))]

    def key(self) -> tuple[str, rsa.RSAPrivateKey]:
        """Return the name of the key that it signs with, and the key."""
        return self._keys[0]

    def public_key(self) -> bytes:
        """Return what it publishes of its key, as text."""
        return json.dumps(RSAAlgorithm.to_jwk(self.key()[1].public_key(), as_dict=True)).encode()

    async def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.calls_itself,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    async def _jwks(self) -> dict[str, Any]:
        self.keys_asked += 1
        published = [
            {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig", "alg": "RS256"}
            for name, key in self._keys
        ]
        return {"keys": [{"kty": "martian", "kid": "x"}, *published]}

    async def _authorize(self, request: Request) -> RedirectResponse:
        """Sign somebody in, who has typed the right password, and send them back."""
        asked = dict(request.query_params)
        is_right = (
            asked.get("response_type") == "code"
            and asked.get("client_id") == _CLIENT
            and "openid" in asked.get("scope", "").split()
            and asked.get("code_challenge_method") == "S256"
        )
        if not is_right:
            raise HTTPException(400)
        code = secrets.token_urlsafe(16)
        self._codes[code] = Asked(asked["nonce"], asked["code_challenge"], asked["redirect_uri"])
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def _token(
        self,
        request: Request,
        code: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
        grant_type: Annotated[str, Form()],
    ) -> dict[str, Any]:
        """Redeem a code once, for whom it was given to, who can show what its challenge was made of."""
        user = urlencode({"": _CLIENT})[1:]
        wanted = base64.b64encode(f"{user}:{urlencode({'': _SECRET})[1:]}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {wanted}":
            raise HTTPException(401)
        asked = self._codes.pop(code, None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
        if (
            asked is None
            or grant_type != "authorization_code"
            or redirect_uri != asked.back
            or challenge != asked.challenge
        ):
            raise HTTPException(400)
        return {"token_type": "Bearer", "access_token": "unused", "id_token": self._signed(asked)}

    def _signed(self, asked: Asked) -> str:
        truth = self.truth
        now = (truth.now or datetime.now(UTC)).timestamp()  # noqa: TID251 - a provider has a clock of its own
        claims = {
            "iss": self.issuer,
            "aud": _CLIENT,
            "sub": truth.subject,
            "iat": int(now),
            "exp": int(now) + 300,
            "nonce": asked.nonce,
            "email": truth.email,
            "email_verified": truth.is_verified,
            **truth.claims,
        }
        said = {name: value for name, value in claims.items() if value is not None}
        if truth.signed is not None:
            return truth.signed(said)
        name, key = self.key()
        return jwt.encode(said, key, "RS256", headers={"kid": name})
