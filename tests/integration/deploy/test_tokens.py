"""Tokens for programs, on the command line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy import admin, street
from tests.integration.deploy.test_admin import asked, environment
from tests.world.database import Database

__all__ = ["environment"]

NINE = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)


@pytest.fixture
def at_the_server(database: Database, environment: dict[str, str]) -> dict[str, str]:
    """Give the environment of somebody at a server that has the demo's street."""
    admin.apply_street(street.read(Path(street.__file__).with_name("demo_street.toml")), database.dsn, now=NINE)
    return environment


def test_a_token_is_made_listed_and_revoked(at_the_server: dict[str, str]) -> None:
    """It is shown once; a list must not give it away, and a revoked one must not look alive."""
    code, made = asked(at_the_server, "token", "add", "anne", "--name", "wall", "--scope", "homes:read")
    token = made.split()[0]
    _, listed = asked(at_the_server, "token", "list")
    revoked, _ = asked(at_the_server, "token", "revoke", "wall")
    _, after = asked(at_the_server, "token", "list")

    assert (code, revoked) == (0, 0)
    assert token.startswith("telecare_")
    assert token not in listed
    assert ("wall" in listed, "revoked" in listed, "revoked" in after) == (True, False, True)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (["nobody", "--name", "a", "--scope", "homes:read"], "no person 'nobody'"),
        (["anne", "--name", "a", "--scope", "homes:burn"], "no scope 'homes:burn'"),
        (["anne", "--name", "A b", "--scope", "homes:read"], "no name for a token"),
        (["anne", "--name", "a", "--scope", "homes:read", "--home", "nowhere"], "no home 'nowhere'"),
    ],
)
def test_what_is_wrong_with_a_token_is_one_sentence(at_the_server: dict[str, str], said: list[str], why: str) -> None:
    """An operator at three in the morning gets the reason, not a traceback."""
    code, answer = asked(at_the_server, "token", "add", *said)

    assert code == 1
    assert why in answer
    assert "Traceback" not in answer


def test_a_name_is_used_once(at_the_server: dict[str, str]) -> None:
    """The name stands in records of looks; two programs of one name could not be told apart there."""
    said = ("token", "add", "anne", "--name", "wall", "--scope", "homes:read")
    asked(at_the_server, *said)

    code, answer = asked(at_the_server, *said)

    assert (code, "a name is used once" in answer) == (1, True)


def test_a_token_that_is_not_there_cannot_be_revoked(at_the_server: dict[str, str]) -> None:
    """Somebody who mistypes a name must not believe that a lost key is dead."""
    code, answer = asked(at_the_server, "token", "revoke", "wal")

    assert (code, "no token 'wal'" in answer) == (1, True)
