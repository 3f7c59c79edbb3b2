"""The migration files themselves."""

import re
from pathlib import Path

import pytest

from ingest.db import migrate
from ingest.db.migrate import CannotMigrate

FROZEN = migrate.FOLDER / "frozen.txt"


def _write(folder: Path, name: str, header: str = "-- owner: ingest\n-- why:   a test\n") -> None:
    (folder / name).write_text(header + "\nSELECT 1;\n")


def test_every_file_is_named_and_says_whose_it_is_and_why() -> None:
    """Whoever reads a table at three in the morning must find out why it is there, and whom to ask."""
    found = migrate.read_all()

    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert all("lock_timeout" in one.sql for one in found)


def test_a_released_migration_is_never_changed() -> None:
    """A database that ran it has the old meaning, and nobody would know."""
    lines = [line.split() for line in FROZEN.read_text().splitlines() if not line.startswith("#")]
    frozen = {name: sha256 for sha256, name in lines}
    now = {one.name: one.sha256 for one in migrate.read_all()}

    assert all(re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in frozen.values())
    assert {name: now.get(name) for name in frozen} == frozen


@pytest.mark.parametrize("name", ["1_ingest_home.sql", "0001_home.sql", "0001_ingest_Home.sql", "0001_nobody_x.sql"])
def test_a_name_that_does_not_parse_is_refused(tmp_path: Path, name: str) -> None:
    """The name is the order and the owner."""
    _write(tmp_path, name)

    with pytest.raises(CannotMigrate, match="NNNN_owner_what"):
        migrate.read_all(tmp_path)


def test_two_files_of_one_number_are_refused(tmp_path: Path) -> None:
    """Two people who add one on the same day find out before a database does."""
    _write(tmp_path, "0001_ingest_a.sql")
    _write(tmp_path, "0001_ingest_b.sql")

    with pytest.raises(CannotMigrate, match="one after the other"):
        migrate.read_all(tmp_path)


@pytest.mark.parametrize(
    "header", ["", "-- owner: alerts\n-- why: x\n", "-- owner: ingest\n", "-- owner: ingest\n-- why:\n"]
)
def test_a_file_without_owner_and_reason_is_refused(tmp_path: Path, header: str) -> None:
    """So is one whose header and name disagree."""
    _write(tmp_path, "0001_ingest_a.sql", header)

    with pytest.raises(CannotMigrate, match="owner"):
        migrate.read_all(tmp_path)
