"""Does the walk hold: from an empty database to a watched home, with the commands that stand in it?"""

import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy import cli
from tests.world.database import Database

WALK = Path(cli.__file__).with_name("walk.md")

Asked = Callable[..., tuple[int, str]]


@pytest.fixture
def asked(database: Database, tmp_path: Path) -> Asked:
    """Give the command line of somebody at the server."""
    environment = {"TELECARE_DATABASE_URL": database.dsn, "TELECARE_DATA": str(tmp_path)}

    def ask(*arguments: str) -> tuple[int, str]:
        ran = CliRunner().invoke(cli.app, list(arguments), env=environment)
        return ran.exit_code, ran.output

    return ask


def commands() -> list[list[str]]:
    """Return the commands that stand in the walk, in order."""
    lines = re.findall(r"^    telecare (.*)$", WALK.read_text(), flags=re.MULTILINE)
    return [shlex.split(line) for line in lines]


def walk(asked: Asked) -> str:
    """Do all of it, and return what the last command said."""
    said = ""
    for command in commands():
        code, said = asked(*command)
        assert code == 0, (command, said)
    return said


def test_the_walk_ends_at_a_home_with_nothing_left_to_do(asked: Asked, tmp_path: Path) -> None:
    """A newcomer has this page and nothing else."""
    said = walk(asked)

    assert "TO DO" not in said
    assert "told now: " in said
    assert "Anne Reid" in said
    assert "then Kilbrae alarm centre" in said
    assert "consent 1 to being watched over; resident, Margaret Reid; until the end of Sunday 30 June 2030" in said
    assert "seen now: blind: no hub of it reports" in said
    hub = tomllib.loads((tmp_path / "hubs" / "hub-shore-road-14.toml").read_text())
    assert hub["hub"]["id"] == "hub-shore-road-14"
    assert hub["radio"]["pendants"] == ["pendant"]


def test_each_act_of_the_walk_is_on_record(asked: Asked, database: Database) -> None:
    """Who set this up, and when, is asked after something went wrong."""
    walk(asked)

    with database.connect() as conn:
        rows = conn.execute("SELECT what, by FROM change_record ORDER BY change").fetchall()
    changed = [what for what, _ in rows]
    assert {by for _, by in rows} == {"the command line"}
    assert changed.count("person added") == 3
    assert {"home added", "rooms written", "sight given", "shift added", "override added", "hub added"} <= set(changed)


def test_what_is_wrong_is_said_all_at_once_and_nothing_is_written(asked: Asked) -> None:
    """A sentence a field; and half a person would be told of nothing."""
    code, said = asked("people", "add", "Anne", "--phone", "0770", "--kind", "boss", "--email", "anne")

    assert code == 1
    assert said.splitlines() == [
        "name: is needed",
        "phone: '0770' is not a phone number",
        "email: 'anne' is not an e-mail address",
        "kinds: 'boss' is none of family contact, unpaid carer, paid carer, operator, resident",
        "person: 'Anne' is not lower case letters, digits and hyphens, at most 32",
    ]
    assert asked("people", "list") == (0, "nobody\n")


SLIPS = (
    ("homes sensor shore-road-14 x --kind motion --room kitchn", "there is no room 'kitchn' in shore-road-14; its"),
    ("homes rooms shore-road-14 kitchen", "'hallway' is still the room of hall-motion"),
    ("homes told shore-road-14", "would be empty"),
    ("homes told shore-road-14 morag", "there is no person 'morag'"),
    ("homes show no-such-home", "there is no home 'no-such-home'"),
    ("people add anna --name Anna --phone 07700900101", "07700900101 is Anne Reid's"),
    ("people change anne --phone ''", "is needed: this person is told of alarms in shore-road-14"),
    ("people leave control", "gets what nobody else can be told"),
    ("people leave anne", "nobody but the operator would be told at every hour in shore-road-14"),
    ("rota shift jim --begins 18:00 --ends 22:00", "a shift is of a home, or of a team"),
    ("rota shift jim --home shore-road-14 --begins 25:00 --ends 22:00", "'25:00' is not a time of day"),
    ("rota shift jim --home shore-road-14 --days funday --begins 18:00 --ends 22:00", "'funday' is not days"),
    ("rota cover jim --since '2030-06-08 18:00' --until '2030-06-08 08:00'", "is not after the beginning"),
    ("rota remove 99", "There is no shift 99"),
    ("homes withdraw 99", "There is no consent 99"),
    ("hub add shore-road-14 --out other.toml", "there is a hub hub-shore-road-14 already"),
)


def test_a_slip_after_the_walk_is_one_sentence(walked: Asked) -> None:
    """Each of these would otherwise be found at night."""
    for command, said in SLIPS:
        code, output = walked(*shlex.split(command))

        assert code == 1, command
        assert said in output, command
        assert len(output.splitlines()) == 1, command


@pytest.fixture
def walked(asked: Asked) -> Asked:
    """Give the command line after the walk."""
    walk(asked)
    return asked


def test_who_leaves_is_told_nothing_and_signed_out(walked: Asked, database: Database) -> None:
    """A neighbour who moved away is no longer one of those who may look or must go."""
    assert walked("people", "leave", "jim")[0] == 0

    with database.connect() as conn:
        row = conn.execute(
            "SELECT phone, left_at IS NOT NULL, (SELECT count(*) FROM rota_shift WHERE removed_at IS NULL), "
            "(SELECT count(*) FROM access_grant WHERE person = 'jim' AND withdrawn_at IS NULL), "
            "(SELECT count(*) FROM consent WHERE person = 'jim' AND withdrawn_at IS NULL) "
            "FROM person WHERE person = 'jim'"
        ).fetchone()
    assert row == (None, True, 0, 0, 0)
    assert "Jim Docherty" not in walked("people", "list")[1]


def test_a_yes_that_is_taken_back_is_still_to_be_seen_to(walked: Asked) -> None:
    """Anne would be texted about a home that she may not look at: an operator must decide that, not the code."""
    shown = walked("homes", "show", "shore-road-14")[1]
    (number,) = re.findall(r"consent (\d+) to Anne Reid: carer's page", shown)

    said = walked("homes", "withdraw", number)[1]

    assert "Anne Reid is still told of alarms in shore-road-14" in said
    assert (
        "TO DO: Anne Reid is told of alarms here, and may not see the carer's page."
        in walked("homes", "show", "shore-road-14")[1]
    )
