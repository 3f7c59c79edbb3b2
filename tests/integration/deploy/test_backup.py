"""A backup is only what was restored from it: real dumps, real encryption, real restores."""

import os
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest

from deploy.backup import command, making, restoring, sealed, shelf
from deploy.backup.config import Config
from deploy.backup.keeper import Keeper
from deploy.backup.problems import Different, Refused
from deploy.embedded.machine import Missing
from gateway.clock import Clock
from ingest import devices
from tests.world.database import Database, drop_database
from tests.world.processes import wait_until

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROWS = 3_000


def live_in(database: Database) -> None:
    """Give a database something of everything that is hard to restore: hypertables over months, bytes, odd words."""
    with database.connect() as conn:
        devices.add_home(conn, "rose-cottage", now=NOON)
        devices.add_hub(conn, "hub-1", "rose-cottage", ("x", "y"), now=NOON)
        conn.execute(
            "INSERT INTO reading (home, hub, sensor, quantity, value, observed_at, received_at, may_repeat) "
            "SELECT 'rose-cottage', 'hub-1', 's', 'motion', 1, at, at, false "
            "FROM generate_series(%s::timestamptz - interval '60 days', %s, interval '60 days' / %s) at",
            (NOON, NOON, ROWS),
        )
        conn.execute(
            "INSERT INTO person (person, full_name) VALUES ('zoe-macrae', E'Zo\\u00eb \\\\N \\t \"quoted\" \\u2603')"
        )


def odd_name(dsn: str) -> object:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("SELECT full_name FROM person").fetchone()
    assert row is not None
    return row[0]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "backup.key"
    sealed.write_key(path)
    return path


@pytest.fixture
def asked(database: Database, tmp_path: Path, key: Path) -> making.Asked:
    public = sealed.secret_key(key).to_public()
    kept = tmp_path / "kept.json"
    kept.write_text('{"ingest": "a secret"}')
    return making.Asked(database.dsn, tmp_path / "backups", [public], [kept], os.environ)


@pytest.fixture
def elsewhere(database: Database) -> Iterator[str]:
    """Give an address of a database that is not there, on the same server."""
    name = f"{database.name}_restored"
    yield database.server.dsn(name)
    drop_database(database.server, name)
    with psycopg.connect(database.server.dsn("postgres"), autocommit=True) as conn:
        aside = conn.execute("SELECT datname FROM pg_database WHERE datname ^@ %s", (f"{name}_before_",)).fetchall()
    for (one,) in aside:
        drop_database(database.server, one)


def test_what_was_backed_up_comes_back_row_for_row(
    database: Database, asked: making.Asked, key: Path, elsewhere: str
) -> None:
    """All that a hub has let go is in here and nowhere else."""
    live_in(database)
    backup = making.make(asked, now=NOON)
    with database.connect() as conn:
        conn.execute("DELETE FROM reading WHERE observed_at > %s", (NOON - timedelta(days=30),))

    with restoring.beside(elsewhere) as filled:
        restoring.fill(backup, filled, sealed.secret_key(key), os.environ)
        restoring.take_the_place(filled, elsewhere, now=NOON)

    with psycopg.connect(elsewhere) as conn:
        found = conn.execute("SELECT count(*), min(observed_at), max(observed_at) FROM reading").fetchone()
        chunks = conn.execute("SELECT count(*) FROM timescaledb_information.chunks").fetchone()
    assert found == (ROWS + 1, NOON - timedelta(days=60), NOON)
    assert chunks is not None
    assert chunks[0] in range(9, 12)
    assert odd_name(elsewhere) == 'Zo\u00eb \\N \t "quoted" \u2603'


def test_no_byte_of_a_home_can_be_read_in_a_backup(database: Database, asked: making.Asked) -> None:
    """Backups travel: to other disks, other rooms, other firms."""
    live_in(database)

    backup = making.make(asked, now=NOON)

    for path in backup.folder.iterdir():
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        said = path.read_bytes()
        for word in (b"rose-cottage", b"zoe-macrae", b"a secret", b"CREATE TABLE", b"ustar"):
            assert word not in said, path.name


def test_a_backup_shows_one_moment_while_others_write(
    database: Database, asked: making.Asked, key: Path, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers that were answered and readings that were not copied yet would be lost for good after a restore."""
    live_in(database)
    dump = making._dump

    def write_then_dump(*arguments: object) -> shelf.Part:
        with database.connect() as conn:
            conn.execute("DELETE FROM person")
        return dump(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "_dump", write_then_dump)
    backup = making.make(asked, now=NOON)

    assert backup.manifest.rows["person"] == 1
    assert restoring.check(backup, elsewhere, sealed.secret_key(key), os.environ)["person"] == 1


def test_a_backup_that_does_not_hold_what_it_says_is_found_out(
    database: Database, asked: making.Asked, key: Path
) -> None:
    """The check is worth nothing if it cannot fail."""
    live_in(database)
    backup = making.make(asked, now=NOON)
    claimed = {**backup.manifest.rows, "reading": ROWS + 2}
    (backup.folder / shelf.MANIFEST).unlink()
    shelf.write_manifest(backup.folder, msgspec.structs.replace(backup.manifest, rows=claimed))

    with pytest.raises(Different, match=rf"reading has {ROWS + 1} rows instead of {ROWS + 2}"):
        restoring.check(shelf.read(backup.folder), database.dsn, sealed.secret_key(key), os.environ)

    with psycopg.connect(database.server.dsn("postgres")) as conn:
        assert conn.execute("SELECT FROM pg_database WHERE datname ^@ 'telecare_new_'").fetchall() == []


def test_a_database_that_goes_away_in_the_middle_leaves_no_backup(database: Database, asked: making.Asked) -> None:
    """Half a dump under a backup's name would be the one that is restored."""
    live_in(database)

    def end_the_dump() -> None:
        with psycopg.connect(database.server.dsn("postgres"), autocommit=True) as conn:
            kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pg_dump'"
            assert wait_until(lambda: conn.execute(kill).fetchone() is not None)

    ending = threading.Thread(target=end_the_dump)
    ending.start()
    with pytest.raises(Missing, match="pg_dump failed"):
        making.make(asked, now=NOON)
    ending.join()

    assert shelf.listed(asked.shelf) == []
    assert [path.name for path in asked.shelf.iterdir()] == [".lock"]


# The commands, as whoever runs the platform gives them.


def environment(database: Database, asked: making.Asked, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "TELECARE_DATABASE_URL": database.dsn,
        "TELECARE_BACKUP_FOLDER": str(asked.shelf),
        "TELECARE_BACKUP_RECIPIENT": " ".join(map(str, asked.to)),
        **more,
    }


def test_nothing_is_made_that_nobody_could_open(database: Database, asked: making.Asked, tmp_path: Path) -> None:
    """A backup without a key is found out on the worst day."""
    with pytest.raises(Missing, match="telecare backup key --out FILE"):
        command.make(tmp_path, environment(database, asked, TELECARE_BACKUP_RECIPIENT=""))


def test_a_database_with_homes_in_it_is_not_replaced_unless_that_is_said(
    database: Database, asked: making.Asked, key: Path, tmp_path: Path
) -> None:
    """The wrong line typed at night must not cost a street its readings."""
    live_in(database)
    command.make(tmp_path, environment(database, asked))
    wanted = command.Asked("newest", key, may_replace=False)

    with pytest.raises(Refused, match=r"is not empty.*--replace"):
        command.restore(wanted, tmp_path, environment(database, asked), is_sure=lambda _: True)


def test_a_restore_that_is_not_confirmed_changes_nothing(
    database: Database, asked: making.Asked, key: Path, tmp_path: Path
) -> None:
    """It says what it is about to do, and takes no for an answer."""
    live_in(database)
    command.make(tmp_path, environment(database, asked))
    questions: list[str] = []

    def say_no(question: str) -> bool:
        questions.append(question)
        return False

    with pytest.raises(Refused, match="Nothing was changed"):
        command.restore(
            command.Asked("newest", key, may_replace=True),
            tmp_path,
            environment(database, asked),
            is_sure=say_no,
        )

    assert "put aside what is there" in questions[0]
    assert odd_name(database.dsn)


def test_who_is_just_hanging_up_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server still names a connection for moments after its end; nobody is refused a restore for that."""
    monkeypatch.setattr(restoring, "_GONE_WITHIN_S", 60.0)  # This machine may be busy.
    refused: list[Missing] = []

    def look() -> None:
        try:
            restoring.require_nobody_in(database.dsn)
        except Missing as why:
            refused.append(why)

    with database.connect() as somewhere, restoring.at_the_door(database.dsn) as door:
        looking = threading.Thread(target=look)
        looking.start()
        # The other connection at the door has found somebody in, and looks again.
        assert wait_until(
            lambda: (
                door.execute(
                    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                    "AND query LIKE '%SELECT DISTINCT coalesce%' AND state <> 'active')"
                ).fetchone()
                == (True,)
            )
        )
        somewhere.close()
        looking.join(timeout=60)

    assert not looking.is_alive()
    assert not refused


def test_a_database_that_is_in_use_is_not_taken_away(
    database: Database, asked: making.Asked, key: Path, tmp_path: Path
) -> None:
    """A process that goes on writing into what was put aside would tell hubs to let go of what nobody has."""
    live_in(database)
    command.make(tmp_path, environment(database, asked))

    with (
        psycopg.connect(database.dsn, application_name="telecare ingest"),
        pytest.raises(Missing, match="in use by telecare ingest; stop every process"),
    ):
        command.restore(
            command.Asked("newest", key, may_replace=True),
            tmp_path,
            environment(database, asked),
            is_sure=lambda _: True,
        )

    assert odd_name(database.dsn)


def test_the_old_one_is_kept_aside_and_the_files_are_laid_out(
    database: Database, asked: making.Asked, key: Path, elsewhere: str, tmp_path: Path
) -> None:
    """What was put aside may hold the last hour; what was in the files cannot be made again."""
    live_in(database)
    also = tmp_path / "notes.txt"
    also.write_text("where the spare hubs are")
    said = environment(database, asked, TELECARE_BACKUP_ALSO=str(also))
    command.make(tmp_path, said)
    database.server.create_database(restoring.name_in(elsewhere), template=database.name)
    with psycopg.connect(elsewhere) as conn:
        conn.execute("UPDATE person SET full_name = 'changed since'")

    command.restore(
        command.Asked("newest", key, may_replace=True),
        tmp_path / "data",
        {**said, "TELECARE_DATABASE_URL": elsewhere},
        is_sure=lambda _: True,
    )

    assert odd_name(elsewhere) != "changed since"
    with psycopg.connect(database.server.dsn("postgres")) as conn:
        name = f"{restoring.name_in(elsewhere)}_before_"
        ((aside,),) = conn.execute("SELECT datname FROM pg_database WHERE datname ^@ %s", (name,)).fetchall()
    assert odd_name(database.server.dsn(aside)) == "changed since"
    (laid,) = (tmp_path / "data").glob("from-backup-*/**/notes.txt")
    assert laid.read_text() == "where the spare hubs are"


def test_a_keeper_makes_a_backup_when_one_is_due_and_says_when_it_cannot(
    database: Database, asked: making.Asked, tmp_path: Path
) -> None:
    """Nobody looks at backups until they are needed; so it must ask to be looked at."""
    said = environment(database, asked, TELECARE_BACKUP_EVERY_H="6")
    keeper = Keeper(Config.from_env(said, tmp_path), tmp_path, said, Clock())
    assert keeper.age_s() == float("inf")

    keeper.turn(now=NOON)
    keeper.turn(now=NOON + timedelta(hours=5))
    keeper.turn(now=NOON + timedelta(hours=6))
    said["TELECARE_DATABASE_URL"] = said["TELECARE_DATABASE_URL"].replace(database.name, "nowhere")
    keeper.turn(now=NOON + timedelta(hours=12))

    made = [backup.manifest.made_at for backup in shelf.listed(asked.shelf)]
    assert made == [NOON + timedelta(hours=6)]
    assert keeper.trouble is not None
    assert keeper.checks()["backup"]() == keeper.trouble
