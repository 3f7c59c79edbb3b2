"""The embedded database goes back to a moment between two readings."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from deploy.backup import command, moment, sealed
from deploy.backup.config import Config
from deploy.backup.keeper import Keeper
from deploy.embedded import postgres
from deploy.embedded.machine import Missing
from deploy.platform import DATABASE, Kept, Platform
from deploy.supervise import Supervisor
from gateway.clock import Clock
from ingest import devices
from tests.world.processes import wait_until

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """A data folder with an embedded database that keeps its log, and the process that takes it away.

    Attributes:
        keeper: with the account that it has where `up` starts it, and no other.
    """

    data: Path
    key: Path
    environment: dict[str, str]
    server: postgres.Server
    keeper: Keeper

    def reads(self, minute: int) -> datetime:
        """Store a reading, and return a moment after its commit and before anything else."""
        with psycopg.connect(self.server.dsn(DATABASE), autocommit=True) as conn:
            conn.execute(
                "INSERT INTO reading (home, hub, sensor, quantity, value, observed_at, received_at, may_repeat) "
                "VALUES ('rose-cottage', 'hub-1', 's', 'motion', 1, %s, %s, false)",
                (AT + timedelta(minutes=minute), AT),
            )
            row = conn.execute("SELECT clock_timestamp(), pg_sleep(0.02)").fetchone()
        assert row is not None
        return row[0]  # type: ignore[no-any-return]  # a moment

    def minutes(self) -> list[int]:
        with psycopg.connect(self.server.dsn(DATABASE)) as conn:
            rows = conn.execute("SELECT observed_at FROM reading ORDER BY observed_at").fetchall()
        return [int((at - AT).total_seconds()) // 60 for (at,) in rows]

    def lays_out_its_log(self) -> None:
        """Finish the piece of the log that is being written, and wait until it is beside the backups."""
        with psycopg.connect(self.server.dsn("postgres"), autocommit=True) as conn:
            row = conn.execute("SELECT pg_walfile_name(pg_current_wal_lsn()), pg_switch_wal()").fetchone()
        assert row is not None
        place = self.data / "backups" / moment.FOLDER

        def has_come() -> bool:
            self.keeper.look()
            return any(place.glob(f"*/{row[0]}.age"))

        assert wait_until(has_come)


@pytest.fixture(scope="module")
def site(open_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run one for all tests here."""
    data, key = open_folder / "moment", tmp_path_factory.mktemp("key") / "key"
    data.mkdir(mode=0o755)
    environment = {
        "PATH": os.environ["PATH"],
        "TELECARE_BACKUP_WAL": "on",
        "TELECARE_BACKUP_RECIPIENT": sealed.write_key(key),
    }
    with Supervisor(data / "logs") as supervisor:
        platform = Platform(supervisor, data, environment={**os.environ, **environment}, say=lambda _: None)
        platform.start_database(has_log=True)
        platform.process("backup", "deploy.backup")
        as_backup = {**environment, "TELECARE_DATABASE_URL": platform.variables("backup")["TELECARE_DATABASE_URL"]}
    port = Kept(data).port("database")
    server = postgres.server(data, port=port, environment=os.environ, say=lambda _: None, has_log=True)
    server.start()
    with psycopg.connect(server.dsn(DATABASE), autocommit=True) as conn:
        devices.add_home(conn, "rose-cottage", now=AT)
        devices.add_hub(conn, "hub-1", "rose-cottage", ("x", "y"), now=AT)
    keeper = Keeper(Config.from_env(as_backup, data), data, as_backup, Clock())
    yield Site(data, key, environment, server, keeper)
    server.stop()


def test_the_moment_between_two_readings_is_found_again(site: Site) -> None:
    """Somebody who deleted the wrong home at ten wants one minute to ten, not last night."""
    site.reads(1)
    site.keeper.turn(now=Clock().now())
    between = site.reads(2)
    site.reads(3)
    site.lays_out_its_log()
    site.server.stop()
    wanted = command.Asked("newest", site.key, may_replace=True)

    command.restore_moment(between, wanted, site.data, site.environment, is_sure=lambda _: True)

    site.server.start()
    assert site.minutes() == [1, 2]
    (aside,) = (site.data / "postgres").glob("cluster-before-*")
    assert (aside / "PG_VERSION").exists()
    # And it goes on from there: what is stored now can be restored again.
    site.keeper.turn(now=Clock().now() + timedelta(hours=7))
    site.reads(4)
    site.lays_out_its_log()
    site.server.stop()
    command.restore_moment(None, wanted, site.data, site.environment, is_sure=lambda _: True)
    site.server.start()
    assert site.minutes() == [1, 2, 4]


def test_a_moment_that_the_log_does_not_reach_changes_nothing(site: Site) -> None:
    """A database that quietly stopped short of it would be taken for the whole."""
    before = site.minutes()
    site.server.stop()

    with pytest.raises(Missing, match="does not lead to that moment"):
        command.restore_moment(
            Clock().now() + timedelta(days=1),
            command.Asked("newest", site.key, may_replace=True),
            site.data,
            site.environment,
            is_sure=lambda _: True,
        )

    site.server.start()
    assert site.minutes() == before


def test_a_moment_before_every_backup_is_one_sentence(site: Site) -> None:
    """Nobody must wait for an hour to hear that it cannot be."""
    with pytest.raises(Missing, match="leads to that moment"):
        moment.chosen(site.data / "backups", AT - timedelta(days=999))


def test_no_byte_of_the_log_can_be_read_beside_the_backups(site: Site) -> None:
    """The log holds every row that was ever written."""
    for path in (site.data / "backups" / moment.FOLDER).glob("*/*.age"):
        assert b"rose-cottage" not in path.read_bytes()
    assert not list((site.data / "postgres" / "wal").glob("*.age"))
