"""What do the brokers keep of a hub's secret?

Only a hash, in the words of each broker: who reads the database or a broker's file cannot speak for a hub.
"""

import base64
import hashlib
import secrets
from typing import Final

import bcrypt

# A secret is 256 random bits, so it cannot be guessed however cheap one guess is.  The hash only keeps the
# secret out of a file that leaks, and ten thousand hubs that come back at once must not cost the broker
# minutes of hashing: the lowest cost that bcrypt knows, and mosquitto_passwd's own default.
_BCRYPT_ROUNDS: Final = 4
_PBKDF2_ITERATIONS: Final = 101
_PBKDF2_SALT_BYTES: Final = 12


def hash_nats(secret: str) -> str:
    """Return what NATS keeps of a secret of 256 random bits (bcrypt).

    Raises:
        ValueError: the secret is longer than the 72 bytes that bcrypt looks at.
    """
    if len(secret.encode()) > 72:
        raise ValueError("a broker's secret has at most 72 bytes")
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS, prefix=b"2a")).decode()


def hash_mosquitto(secret: str) -> str:
    """Return what Mosquitto keeps of a secret of 256 random bits: `$7$iterations$salt$hash`, PBKDF2-SHA512."""
    salt = secrets.token_bytes(_PBKDF2_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _PBKDF2_ITERATIONS)
    return f"$7${_PBKDF2_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
