"""What was taken away after a backup stays away after its restore."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alerts import store as alerts_store
from api import consents
from api import store as api_store
from api.office import erasing, hubs, people
from api.v1 import tokens
from deploy.backup import afterwards, command, gone, sealed
from deploy.backup.config import Config
from deploy.backup.keeper import Keeper
from deploy.backup.problems import Damaged
from gateway.clock import Clock
from ingest import devices, erasures
from tests.world.database import Database, drop_database
from tests.world.leftovers import leftovers

HOME = "rose-cottage"

Conn = psycopg.AsyncConnection[Any]


async def furnish(conn: Conn, *, now: datetime) -> None:
    await alerts_store.set_person(
        conn, "control", "Alarm centre", what=None, phone="+447700900199", kinds=("operator",)
    )
    await alerts_store.set_person(conn, "anne", "Anne Reid", what="daughter", phone="+447700900101")
    await alerts_store.set_person(conn, "jim", "Jim Docherty", what="neighbour", phone="+447700900102")
    await alerts_store.set_service(conn, "Kilbrae telecare", "control")
    for person in ("anne", "jim"):
        await api_store.set_access(conn, person, HOME, ["family"], given_by="control", now=now)
        await consents.write(
            *(conn, HOME, "data"),
            person=person,
            view="family",
            basis="resident",
            said_by="Margaret",
            why="as agreed",
            until=now + timedelta(days=99),
            by="control",
            now=now,
        )
    await tokens.make(
        conn, "wall", "anne", [tokens.Scope("homes:read")], None, made_by="x", valid_for=timedelta(9), real_now=now
    )


@pytest.fixture
def platform(database: Database, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give the environment of a platform with backups, and clear away what restores put aside."""
    secret = tmp_path / "backup.key"
    yield {
        "PATH": os.environ["PATH"],
        "TELECARE_DATABASE_URL": database.dsn,
        "TELECARE_BACKUP_FOLDER": str(tmp_path / "backups"),
        "TELECARE_BACKUP_RECIPIENT": sealed.write_key(secret),
    }
    with database.server_connection() as conn:
        aside = conn.execute("SELECT datname FROM pg_database WHERE datname ^@ %s", (f"{database.name}_before_",))
        names = [str(name) for (name,) in aside.fetchall()]
    for name in names:
        drop_database(database.server, name)


async def take_away(conn: Conn, *, now: datetime) -> None:
    await people.leave(conn, "jim", by="control", now=now, real_now=now)
    await hubs.revoke(conn, "hub-1", by="control", now=now)
    rows = await conn.execute("SELECT consent FROM consent WHERE person = 'anne'")
    for (consent,) in await rows.fetchall():
        await consents.withdraw(conn, consent, by="control", now=now)
    await tokens.revoke(conn, "wall", real_now=now)


def do(database: Database, act: Callable[..., Awaitable[None]], *, now: datetime) -> None:
    """Do something with a connection of one's own."""

    async def connected() -> None:
        async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as conn:
            await act(conn, now=now)

    asyncio.run(connected())


def test_what_was_taken_away_after_the_backup_is_not_given_back(
    database: Database, platform: dict[str, str], tmp_path: Path
) -> None:
    """A daughter whose sight was withdrawn, a stolen hub, a lost tablet: an old backup knows all of them as welcome."""
    now = datetime.now(UTC)  # noqa: TID251 - backups are on real time
    with database.connect() as blocking:
        devices.add_home(blocking, HOME, now=now)
        devices.add_hub(blocking, "hub-1", HOME, ("x", "y"), now=now)
    keeper = Keeper(Config.from_env(platform, tmp_path), tmp_path, platform, Clock())
    do(database, furnish, now=now)
    keeper.turn(now=now)
    do(database, take_away, now=now)
    keeper.look()

    command.restore(
        command.Asked("newest", tmp_path / "backup.key", may_replace=True), tmp_path, platform, is_sure=lambda _: True
    )

    with database.connect() as blocking:
        left = "SELECT (SELECT left_at IS NOT NULL FROM person WHERE person = 'jim'), bool_and(revoked_at IS NOT NULL)"
        assert blocking.execute(f"{left} FROM hub".encode()).fetchone() == (True, True)
        assert blocking.execute("SELECT count(*) FROM consent WHERE withdrawn_at IS NULL").fetchone() == (0,)
        assert blocking.execute("SELECT count(*) FROM api_token WHERE revoked_at IS NULL").fetchone() == (0,)
        # The restore itself is written down, with its moment.
        assert blocking.execute("SELECT count(*) FROM restored WHERE shows <= restored_at").fetchone() == (1,)


async def erase(conn: Conn, *, now: datetime) -> None:
    await erasing.ask_home(conn, HOME, by="control", now=now, real_now=now)
    await erasing.ask_person(conn, "jim", by="control", now=now, real_now=now)
    await conn.execute("UPDATE judging_lane SET input = (SELECT max(input) FROM judging_input)")
    assert await erasures.finish_due(conn, now=now) == (2, 0)


async def finish(conn: Conn, *, now: datetime) -> None:
    await conn.execute("UPDATE judging_lane SET input = (SELECT max(input) FROM judging_input)")
    assert await erasures.finish_due(conn, now=now) == (2, 0)


def test_who_was_erased_after_the_backup_is_erased_again(
    database: Database, platform: dict[str, str], tmp_path: Path
) -> None:
    """An old backup knows them by name; who asked to be forgotten must not come back with a broken disk."""
    now = datetime.now(UTC)  # noqa: TID251 - backups are on real time
    words = (HOME, "jim docherty", "+447700900102", "hub-1")
    with database.connect() as blocking:
        devices.add_home(blocking, HOME, now=now)
        devices.add_hub(blocking, "hub-1", HOME, ("x", "y"), now=now)
    keeper = Keeper(Config.from_env(platform, tmp_path), tmp_path, platform, Clock())
    do(database, furnish, now=now)
    keeper.turn(now=now)
    do(database, erase, now=now)
    with database.connect() as blocking:
        stood_in = blocking.execute("SELECT instead FROM erasure ORDER BY what").fetchall()
        assert leftovers(blocking, words) == set()
    keeper.look()

    command.restore(
        command.Asked("newest", tmp_path / "backup.key", may_replace=True), tmp_path, platform, is_sure=lambda _: True
    )
    with database.connect() as blocking:
        # At once: nobody sees it, and its hub may not speak.
        assert blocking.execute("SELECT FROM home WHERE erased_at IS NULL").fetchall() == []
        assert blocking.execute("SELECT FROM hub WHERE revoked_at IS NULL").fetchall() == []
    do(database, finish, now=now)

    with database.connect() as blocking:
        assert leftovers(blocking, words) == set()
        assert blocking.execute("SELECT instead FROM erasure ORDER BY what").fetchall() == stood_in


def test_a_note_that_rotted_stops_the_restore(tmp_path: Path) -> None:
    """Passed over in silence, it would give somebody back what was taken from them."""
    public = sealed.write_key(tmp_path / "key")
    book = gone.Book(tmp_path, sealed.recipients(public), since=datetime(2026, 1, 1, tzinfo=UTC))
    book._write([gone.Fact("hub revoked", datetime(2026, 1, 2, tzinfo=UTC), ("hub-1",))])
    (note,) = (tmp_path / gone.FOLDER).iterdir()
    key = sealed.secret_key(tmp_path / "key")
    assert [fact.which for fact in gone.noted(tmp_path, key, since=datetime(2026, 1, 1, tzinfo=UTC))] == [("hub-1",)]

    said = bytearray(note.read_bytes())
    said[-1] ^= 1
    note.write_bytes(said)

    with pytest.raises(Damaged, match="take away by hand"):
        gone.noted(tmp_path, key, since=datetime(2026, 1, 1, tzinfo=UTC))


def test_how_long_people_were_told_is_known_without_the_database(tmp_path: Path) -> None:
    """A press in the minutes when nobody was told anything must not be taken for one that was."""
    shows, now = datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC)

    assert afterwards.told_until(tmp_path, None, shows=shows, now=now) == now
    afterwards.note_alive(tmp_path, shows + timedelta(hours=1))
    assert afterwards.told_until(tmp_path, None, shows=shows, now=now) == shows + timedelta(hours=1)
    assert afterwards.told_until(tmp_path, "host=127.0.0.1 port=1", shows=shows, now=now) == shows + timedelta(hours=1)
