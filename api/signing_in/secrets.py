"""How is a secret made that nobody can guess, and what is kept of it?"""

import hashlib
import secrets


def new_token() -> str:
    """Return 128 bits that cannot be guessed, as 22 letters, digits, - and _: short enough for a text."""
    return secrets.token_urlsafe(16)


def hashed(secret: str) -> bytes:
    """Return what is kept of a token: who reads the database cannot sign in with it."""
    return hashlib.sha256(secret.encode()).digest()
