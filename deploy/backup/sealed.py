"""How is a backup encrypted so that the server that makes it cannot read it again?

With the public half of a key, in the age format (age-encryption.org/v1; X25519, ChaCha20-Poly1305 in pieces of 64 KiB):
the stock `age` tool opens it as well.  Each piece is authenticated, and so is the last one's being the last: damage
and a lost end are both noticed.  The one door to pyrage.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import pyrage
from pyrage.x25519 import Identity, Recipient

from deploy.backup.problems import Damaged
from deploy.embedded.machine import Missing

_SECRET: Final = "AGE-SECRET-KEY-"  # noqa: S105 - how such keys begin, not one of them


class Readable(Protocol):
    """What bytes come from."""

    def read(self, size: int = -1, /) -> bytes: ...


class Writable(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object: ...


class Summed:
    """Hands bytes on to a file, and knows how many there were and their SHA-256."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._sum = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def write(self, data: bytes, /) -> int:
        self._out.write(data)
        self._sum.update(data)
        self.size_bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: the file is flushed by who opened it."""


def new_key() -> tuple[str, str]:
    """Return a new key: the secret half, which opens backups, and the public half, which makes them."""
    identity = Identity.generate()
    return str(identity), str(identity.to_public())


def recipients(said: str) -> list[Recipient]:
    """Return the public keys in a text, separated by spaces or commas.

    Raises:
        Missing: one of them is none.
    """
    words = said.replace(",", " ").split()
    if any(word.upper().startswith(_SECRET) for word in words):
        raise Missing("TELECARE_BACKUP_RECIPIENT holds a secret key; it takes the public one, age1..., and no other.")
    try:
        return [Recipient.from_str(word) for word in words]
    except pyrage.RecipientError as why:
        raise Missing(
            "TELECARE_BACKUP_RECIPIENT is not a public key such as age1...; `telecare backup key` makes one."
        ) from why


def secret_key(path: Path) -> Identity:
    """Return the secret key in a file; lines that begin with # are notes.

    Raises:
        Missing: there is none.
    """
    lines = [line.strip() for line in path.read_text().splitlines()]
    for line in lines:
        if line.startswith(_SECRET):
            try:
                return Identity.from_str(line)
            except pyrage.IdentityError:
                break
    raise Missing(f"{path} holds no secret key; it is the file that `telecare backup key` wrote.")


def write_key(path: Path) -> str:
    """Make a key, write its secret half to a new file that only its owner reads, and return the public half.

    Raises:
        FileExistsError: the file is there already; a key is never written over.
    """
    secret, public = new_key()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"# opens the backups of telecare that were made for {public}\n{secret}\n")
        out.flush()
        os.fsync(out.fileno())
    return public


def seal(source: Readable, out: Writable, to: Sequence[Recipient]) -> None:
    """Encrypt all that a file holds; a few pieces are in memory at a time.

    Raises:
        OSError: reading or writing failed.
    """
    try:
        pyrage.encrypt_io(source, out, to)  # type: ignore[arg-type]  # it needs no more of a file than we say
    except pyrage.EncryptError as why:
        raise OSError(f"the backup could not be encrypted: {why}") from why


def unseal(source: Readable, out: Writable, key: Identity) -> None:
    """Decrypt all that a file holds; what was written before damage was noticed must not be used.

    Raises:
        Damaged: it is not what was encrypted, or ends too soon.
        Missing: the key is another one's.
        BrokenPipeError: who reads `out` has ended.
    """
    told = _Told(out)
    try:
        pyrage.decrypt_io(source, told, [key])  # type: ignore[arg-type]  # as above
    except pyrage.DecryptError as why:
        if told.failed is not None:
            raise told.failed from why
        if "No matching keys" in str(why):
            raise Missing("This key opens other backups, not this one.") from why
        raise Damaged(f"it cannot be decrypted: {why}") from why
    except OSError as why:
        if told.failed is not None:
            raise told.failed from why
        raise Damaged(f"it cannot be decrypted: {why}") from why


class _Told:
    """Remembers with what writing failed, which pyrage tells as its own failure."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self.failed: OSError | None = None

    def write(self, data: bytes, /) -> int:
        try:
            self._out.write(data)
        except OSError as why:
            self.failed = why
            raise
        return len(data)

    def flush(self) -> None:
        """Do nothing: the file is flushed by who opened it."""
