"""What goes wrong for a reason that a person can mend is said in one sentence."""

from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy import cli
from deploy.embedded import machine


@pytest.mark.parametrize("address", ["postgresql://user:hush@[broken/name", "host=127.0.0.1 password=hush nonsense"])
def test_an_address_of_the_database_that_cannot_be_read_is_one_sentence(address: str, tmp_path: Path) -> None:
    """A slip in a unit file must not end in a traceback, nor put the password on the screen."""
    said = {"TELECARE_DATABASE_URL": address, "TELECARE_DATA": str(tmp_path)}

    ran = CliRunner().invoke(cli.app, ["hub", "list"], env=said)

    assert ran.exit_code == 1
    assert ran.output == "TELECARE_DATABASE_URL is not an address such as postgresql://user@host/name.\n"


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    """Whoever points at the wrong place reads which one, and what is wrong with it."""
    in_the_way = tmp_path / "kept.json"
    in_the_way.mkdir()

    ran = CliRunner().invoke(cli.app, ["hub", "list", "--data", str(tmp_path)], env={})

    assert ran.exit_code == 1
    assert ran.output == f"{in_the_way}: Is a directory\n"


def test_a_database_that_does_not_answer_is_said_in_words(tmp_path: Path) -> None:
    """Most often nothing runs on this folder, and libpq's words do not say so."""
    said = {"TELECARE_DATABASE_URL": f"postgresql://nobody@127.0.0.1:{machine.free_port()}/x"}

    ran = CliRunner().invoke(cli.app, ["people", "list", "--data", str(tmp_path)], env=said)

    assert ran.exit_code == 1
    assert ran.output.startswith("The database does not answer; does the platform run on this data folder? It says: ")


def test_an_address_for_the_pages_that_is_none_is_said_before_anything_starts(tmp_path: Path) -> None:
    """A slip in a variable must not show itself only once a database and a broker run."""
    ran = CliRunner().invoke(cli.app, ["up", "--data", str(tmp_path)], env={"TELECARE_API_LISTEN": "rubbish"})

    assert (ran.exit_code, ran.output) == (
        1,
        "TELECARE_API_LISTEN: 'rubbish' is not an address of the form host:port.\n",
    )
    assert not list(tmp_path.iterdir())


def test_it_says_which_release_it_is() -> None:
    """The first question of whoever is asked for help."""
    ran = CliRunner().invoke(cli.app, ["--version"])

    assert (ran.exit_code, ran.output) == (0, f"telecare {metadata.version('telecare')}\n")
