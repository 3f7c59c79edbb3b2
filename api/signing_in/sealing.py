"""How is a secret kept that must be read again: what an authenticator shares with us?

AES-256-GCM under a key that the database never sees, bound to its person: a row that is copied to somebody else opens
nothing.  The first key seals; all of them open, so that a key can be changed.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES: Final = 32
_NAME_BYTES: Final = 4
# As NIST SP 800-38D, 8.2, wants it for random ones; far fewer than 2^32 secrets are ever sealed by one key.
_NONCE_BYTES: Final = 12


class NotOpened(Exception):
    """No key that we were given opens this; the operator must configure the key that sealed it, or reset the factor."""


class Seals:
    """The keys; see the module."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {_name(key): AESGCM(key) for key in reversed(keys)}
        self._first = _name(keys[0])

    def seal(self, plain: bytes, *, person: str) -> bytes:
        """Return a secret as it is kept: the key's name, a nonce, and what nobody reads without the key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return self._first + nonce + self._keys[self._first].encrypt(nonce, plain, person.encode())

    def open(self, sealed: bytes, *, person: str) -> bytes:
        """Return the secret.

        Raises:
            NotOpened: sealed by a key that is not here, for somebody else, or changed since.
        """
        name, rest = sealed[:_NAME_BYTES], sealed[_NAME_BYTES:]
        if (key := self._keys.get(name)) is None:
            raise NotOpened("sealed by another key")
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], person.encode())
        except (InvalidTag, ValueError) as why:
            raise NotOpened("not what was sealed for this person") from why


def _name(key: bytes) -> bytes:
    return hashlib.sha256(b"telecare factor key" + key).digest()[:_NAME_BYTES]


def keys_of(said: str) -> tuple[bytes, ...]:
    """Return the keys that a variable holds, with commas between them; empty: none.

    Raises:
        ValueError: one is not 32 bytes in base64.
    """
    return tuple(_key(one.strip()) for one in said.split(",") if one.strip())


def _key(said: str) -> bytes:
    wrong = "TELECARE_FACTOR_KEY must be 32 random bytes in base64, as `openssl rand -base64 32` gives them."
    plain = said.rstrip("=").translate(str.maketrans("+/", "-_"))
    try:
        key = base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError) as why:
        raise ValueError(wrong) from why
    if len(key) != _KEY_BYTES:
        raise ValueError(wrong)
    return key
