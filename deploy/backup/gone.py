"""What was taken away since a backup, so that a restore does not give it back?

A consent that was withdrawn, a person who left, a hub or a program that was turned away, a home that was erased:
restored from an older moment, each would be in force, or there, again.  So they are noted outside the database within
seconds, beside the backups and encrypted as these are; a batch of them is a file that is never written over.  `redo`
does each again, and may be repeated.
"""

import io
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow
from pyrage.x25519 import Identity, Recipient

from api import consents
from api.office import erasing, hubs, people
from api.office.said import Mistakes
from api.v1 import tokens
from deploy.backup import sealed, shelf
from deploy.backup.problems import Damaged

FOLDER: Final = "taken-away"
"""In the folder of all backups."""

OVERLAP: Final = timedelta(hours=1)
"""What was committed later than it says, or by a clock that was a little off, is noted and done all the same."""

_BY: Final = "a restore"
_MOST: Final = 10_000

_TAKEN_AWAY: Final = """
    SELECT 'person left' AS what, left_at AS at, ARRAY[person] AS which FROM person WHERE left_at > %(since)s
    UNION ALL SELECT 'hub revoked', revoked_at, ARRAY[hub] FROM hub WHERE revoked_at > %(since)s
    UNION ALL SELECT 'consent withdrawn', withdrawn_at, ARRAY[consent::text] FROM consent WHERE withdrawn_at > %(since)s
    UNION ALL SELECT 'sight withdrawn', withdrawn_at, ARRAY[person, home, view] FROM access_grant
        WHERE withdrawn_at > %(since)s
    UNION ALL SELECT what || ' erased', asked_at, ARRAY[encode(subject_sha256, 'hex'), instead] FROM erasure
        WHERE asked_at > %(since)s
    UNION ALL SELECT 'token revoked', revoked_at, ARRAY[name] FROM api_token WHERE revoked_at > %(since)s
    ORDER BY at LIMIT %(most)s
"""


class Fact(msgspec.Struct, frozen=True):
    """One thing that was taken away.

    Attributes:
        what: as the query above calls it.
        at: by the clock that it was written by.
        which: its key.
    """

    what: str
    at: datetime
    which: tuple[str, ...]


class Book:
    """Notes what is taken away, each fact once a start."""

    def __init__(self, place: Path, to: Sequence[Recipient], *, since: datetime) -> None:
        """Note nothing yet.

        Args:
            place: the folder of all backups.
            to: whose keys open it.
            since: the moment of the newest backup; what was taken away before is in it.
        """
        self._folder = place / FOLDER
        self._to = to
        self._since = since - OVERLAP
        self._noted: set[Fact] = set()

    def note(self, conn: Connection[TupleRow]) -> int:
        """Note what was taken away since; return how many facts were new.

        Raises:
            OSError: they could not be written; they are tried again.
        """
        rows = conn.execute(_TAKEN_AWAY, {"since": self._since, "most": _MOST}).fetchall()
        new = [fact for row in rows if (fact := Fact(row[0], row[1], tuple(row[2]))) not in self._noted]
        if new:
            self._write(new)
            self._noted.update(new)
        return len(new)

    def begin_again(self, *, since: datetime) -> None:
        """Go on after a newer backup, which holds what was noted before it."""
        self._since = since - OVERLAP
        self._noted = {fact for fact in self._noted if fact.at > self._since}

    def _write(self, facts: Sequence[Fact]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        clear = io.BytesIO(b"\n".join(msgspec.json.encode(fact) for fact in facts))
        place = self._folder / f"{max(fact.at for fact in facts):%Y%m%dT%H%M%S%f}-{os.urandom(4).hex()}.age"
        new = place.with_suffix(".new")
        with new.open("xb") as out:
            sealed.seal(clear, out, self._to)
            out.flush()
            os.fsync(out.fileno())
        new.rename(place)
        shelf.onto_the_disk(self._folder)


def noted(place: Path, key: Identity, *, since: datetime) -> list[Fact]:
    """Return what was taken away since a moment, in its order.

    Raises:
        Damaged: a file is not what was written: what it held would come back without a word.
        Missing: the key is another one's.
    """
    found: set[Fact] = set()
    for path in sorted((place / FOLDER).glob("*.age")):
        clear = io.BytesIO()
        with path.open("rb") as source:
            try:
                sealed.unseal(source, clear, key)
                found.update(msgspec.json.decode(line, type=Fact) for line in clear.getvalue().splitlines())
            except (Damaged, msgspec.DecodeError) as why:
                raise Damaged(f"{path} is not what was written; take away by hand what it held: {why}") from why
    return sorted((fact for fact in found if fact.at > since - OVERLAP), key=lambda fact: fact.at)


def forget_before(place: Path, moment: datetime) -> None:
    """Remove what only backups needed that are not kept any more."""
    for path in (place / FOLDER).glob("*.age"):
        with suppress(ValueError):
            at = datetime.strptime(path.name.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
            if at < moment - 2 * OVERLAP:
                path.unlink()


async def redo(conn: AsyncConnection[Any], facts: Sequence[Fact], *, now: datetime, real_now: datetime) -> list[str]:
    """Take away again what was; return in a sentence each what could not be, for a person to look at."""
    doing: Mapping[str, Callable[[Fact], Awaitable[object]]] = {
        "person left": lambda fact: people.leave(conn, fact.which[0], by=_BY, now=now, real_now=real_now),
        "hub revoked": lambda fact: hubs.revoke(conn, fact.which[0], by=_BY, now=now),
        "consent withdrawn": lambda fact: consents.withdraw(conn, int(fact.which[0]), by=_BY, now=now),
        "sight withdrawn": lambda fact: _withdraw_sight(conn, fact),
        "home erased": lambda fact: _erase(conn, "home", fact, now=now, real_now=real_now),
        "person erased": lambda fact: _erase(conn, "person", fact, now=now, real_now=real_now),
        "token revoked": lambda fact: tokens.revoke(conn, fact.which[0], real_now=real_now),
    }
    not_done = []
    for fact in facts:
        try:
            await doing[fact.what](fact)
        except (KeyError, Mistakes):
            if await _is_there(conn, fact):
                not_done.append(f"{fact.what}, {' '.join(fact.which)}: do it by hand")
    return not_done


async def _erase(conn: AsyncConnection[Any], what: str, fact: Fact, *, now: datetime, real_now: datetime) -> None:
    """Ask for it again; ingest finishes it as soon as it runs on what was restored."""
    sha256, instead = fact.which
    await erasing.again(conn, what, sha256, instead, by=_BY, now=now, real_now=real_now)


async def _withdraw_sight(conn: AsyncConnection[Any], fact: Fact) -> None:
    await conn.execute(
        "UPDATE access_grant SET withdrawn_at = %s WHERE person = %s AND home = %s AND view = %s "
        "AND withdrawn_at IS NULL AND given_at <= %s",
        (fact.at, *fact.which, fact.at),
    )


async def _is_there(conn: AsyncConnection[Any], fact: Fact) -> bool:
    """Return whether what could not be taken away is in force; one that came after the backup is not there at all."""
    query = {
        "person left": "SELECT FROM person WHERE person = %s AND left_at IS NULL",
        "hub revoked": "SELECT FROM hub WHERE hub = %s AND revoked_at IS NULL",
    }.get(fact.what)
    if query is None:
        return True
    return await (await conn.execute(query.encode(), (fact.which[0],))).fetchone() is not None
