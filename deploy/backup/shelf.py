"""Which backups are there, are they whole, and which may go?

A backup is a folder named by its moment, written beside its place and renamed: what has its name is complete.  Its
`manifest.json` can be read without a key and names no person: sizes, sums, and how many rows each table had.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from deploy.backup.problems import Damaged
from deploy.embedded.machine import Missing

MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.age"
"""What pg_dump says of the database (custom format)."""
CLUSTER: Final = "cluster.age"
"""The files of an embedded server (tar, gzip), from which the write-ahead log leads on to any later moment."""
FILES: Final = "files.age"
"""What else cannot be had again (tar, gzip)."""

_FORM: Final = 1
_NAME: Final = "%Y-%m-%dT%H%M%SZ"
_PIECE_BYTES: Final = 1 << 20


class Part(msgspec.Struct, frozen=True):
    """One encrypted file of a backup."""

    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds.

    Attributes:
        made_at: the moment that it shows, by the system's clock.
        judged_through: the same by the platform's clock: up to when homes were judged and people told in it.
        release: of telecare, which made it.
        migration: the number of the last migration in it.
        postgres: the major version of the server.
        timescaledb: the version of the extension, which a restore needs exactly.
        database: what the database was called.
        roles: those that were granted something in it.
        rows: how many each table had, by its name.
        parts: its encrypted files, by name.
        public_keys: for whom it was encrypted.
        server: the number of the server whose write-ahead log leads on from it; empty where none does.
        log_from: the first piece of that log that is needed.
        form: of this description.
    """

    made_at: datetime
    judged_through: datetime | None
    release: str
    migration: int
    postgres: int
    timescaledb: str
    database: str
    roles: list[str]
    rows: dict[str, int]
    parts: dict[str, Part]
    public_keys: list[str]
    server: str = ""
    log_from: str = ""
    form: int = _FORM


@dataclass(frozen=True, slots=True)
class Backup:
    """A complete backup."""

    folder: Path
    manifest: Manifest


def read(folder: Path) -> Backup:
    """Return the backup in a folder.

    Raises:
        Damaged: its description cannot be read.
        Missing: there is none.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError as why:
        raise Missing(f"There is no backup in {folder}.") from why
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Damaged(f"{folder / MANIFEST} cannot be read: {why}") from why
    if manifest.form != _FORM:
        raise Missing(f"{folder} was made by a later release ({manifest.release}); restore it with that one.")
    return Backup(folder, manifest)


def listed(shelf: Path) -> list[Backup]:
    """Return every backup that can be told apart from rubbish, the newest last."""
    found = []
    for folder in sorted(shelf.iterdir() if shelf.is_dir() else ()):
        if moment_of(folder.name) is not None:
            with contextlib.suppress(Damaged, Missing):
                found.append(read(folder))
    return found


def newest_at(shelf: Path) -> datetime | None:
    """Return the moment of the newest backup, or None where there is none."""
    found = listed(shelf)
    return found[-1].manifest.made_at if found else None


def name_of(moment: datetime) -> str:
    """Return what a backup of this moment is called."""
    return moment.astimezone(UTC).strftime(_NAME)


def moment_of(name: str) -> datetime | None:
    """Return the moment that a backup's name says, or None where it is no backup's."""
    try:
        return datetime.strptime(name, _NAME).replace(tzinfo=UTC)
    except ValueError:
        return None


def require_whole(backup: Backup) -> None:
    """See that every part has the size and the sum that were written down.

    Raises:
        Damaged: one has not; the sentence names it.
    """
    for name, part in backup.manifest.parts.items():
        path = backup.folder / name
        try:
            size_bytes, sha256 = _size_and_sum(path)
        except OSError as why:
            raise Damaged(f"{path} cannot be read ({why.strerror}).") from why
        if (size_bytes, sha256) != (part.size_bytes, part.sha256):
            raise Damaged(f"{path} is not what was written: {size_bytes} bytes, where {part.size_bytes} were.")


def _size_and_sum(path: Path) -> tuple[int, str]:
    total, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as source:
        while piece := source.read(_PIECE_BYTES):
            total.update(piece)
            size_bytes += len(piece)
    return size_bytes, total.hexdigest()


@contextlib.contextmanager
def in_the_making(shelf: Path, moment: datetime) -> Iterator[Path]:
    """Give a folder to write a backup into; it gets its name when the block has ended well, and is gone otherwise.

    Raises:
        Missing: there is a backup of this very moment, or another one is being made.
    """
    shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = shelf / name_of(moment)
    with (shelf / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as why:
            raise Missing(f"Another backup is being made into {shelf}; wait until it is done.") from why
        # Nobody else is at work: what is half made here was given up.
        for given_up in shelf.glob(".making-*"):
            shutil.rmtree(given_up, ignore_errors=True)
        if place.exists():
            raise Missing(f"{place} is there already; nothing is ever written over it.")
        scratch = Path(tempfile.mkdtemp(dir=shelf, prefix=".making-"))
        try:
            yield scratch
            onto_the_disk(scratch)
            scratch.rename(place)
            onto_the_disk(shelf)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the description of a backup whose parts are all there."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    with (folder / MANIFEST).open("xb") as out:
        out.write(text + b"\n")
        out.flush()
        os.fsync(out.fileno())


def onto_the_disk(folder: Path) -> None:
    """See the names in a folder onto the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def may_go(moments: Collection[datetime], *, days: int, weeks: int) -> set[datetime]:
    """Return which backups need not be kept any more.

    Kept are the newest, the newest of each of the last `days` days that have one, and the newest of each of the last
    `weeks` weeks that have one: days and weeks without a backup do not count, so that a server that stood still for a
    month has not let go of everything when it starts again.  Days are UTC's, weeks begin on Mondays.

    Args:
        moments: of the backups; aware.
        days: at least 1.
        weeks: 0 keeps none by the week.
    """
    newest_first = sorted(moments, reverse=True)
    by_day: dict[object, datetime] = {}
    by_week: dict[object, datetime] = {}
    for moment in newest_first:
        at = moment.astimezone(UTC)
        by_day.setdefault(at.date(), moment)
        by_week.setdefault(at.isocalendar()[:2], moment)
    kept = {*list(by_day.values())[:days], *list(by_week.values())[:weeks], *newest_first[:1]}
    return set(moments) - kept


def let_go(shelf: Path, *, days: int, weeks: int) -> list[str]:
    """Remove the backups that need not be kept, and return their names.  Rubbish is left for a person to look at."""
    found = {backup.manifest.made_at: backup.folder for backup in listed(shelf)}
    gone = sorted(may_go(found, days=days, weeks=weeks))
    for moment in gone:
        # Its name goes first: a backup half removed must not be taken for one.
        half = found[moment].with_name(f".making-{found[moment].name}")
        found[moment].rename(half)
        shutil.rmtree(half)
    return [found[moment].name for moment in gone]
