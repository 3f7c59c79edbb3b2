"""What whoever runs the platform does by hand, in a real database."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy import admin, cli, street
from tests.world.database import Database

NINE = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)
DEMO = Path(street.__file__).with_name("demo_street.toml")


@pytest.fixture
def environment(database: Database, tmp_path: Path) -> dict[str, str]:
    """Give the environment of somebody at the server."""
    return {"TELECARE_DATABASE_URL": database.dsn, "TELECARE_DATA": str(tmp_path)}


def asked(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Ask for something on the command line; return the exit code and all that it said."""
    ran = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], env=environment)
    return ran.exit_code, ran.output


def test_the_operator_may_answer_for_every_home(database: Database) -> None:
    """Whose phone gets what nobody else took must be able to see it, take it and close it."""
    admin.apply_street(street.read(DEMO), database.dsn, now=NINE)

    with database.connect() as conn:
        given = conn.execute(
            "SELECT home FROM access_grant WHERE person = 'control' AND view = 'carer' AND withdrawn_at IS NULL "
            "ORDER BY home"
        ).fetchall()

    assert given == [("church-wynd-8",), ("mill-lane-3",), ("shore-road-14",)]


def test_a_revoked_hub_is_watched_no_longer(database: Database, environment: dict[str, str], tmp_path: Path) -> None:
    """A box that was taken out is silent for good, and nobody may be sent to mend it."""
    admin.apply_street(street.read(DEMO), database.dsn, now=NINE)
    assert asked(environment, "hub", "add", "mill-lane-3", "--out", str(tmp_path / "hub.toml"))[0] == 0

    assert asked(environment, "hub", "revoke", "hub-mill-lane-3")[0] == 0

    with database.connect() as conn:
        told = conn.execute(
            "SELECT content FROM judging_input WHERE home = 'mill-lane-3' AND kind = 'watched' ORDER BY input"
        ).fetchall()
    (added,), (revoked,) = told
    assert isinstance(added, dict)
    assert isinstance(revoked, dict)
    assert (added["hub"], "since" in added) == ("hub-mill-lane-3", True)
    assert (revoked["hub"], "until" in revoked) == ("hub-mill-lane-3", True)
