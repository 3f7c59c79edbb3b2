"""What goes wrong for a reason that a person can mend is said in one sentence."""

from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy import cli


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
    assert ran.output == f"[Errno 21] Is a directory: '{in_the_way}'\n"


def test_it_says_which_release_it_is() -> None:
    """The first question of whoever is asked for help."""
    ran = CliRunner().invoke(cli.app, ["--version"])

    assert (ran.exit_code, ran.output) == (0, f"telecare {metadata.version('telecare')}\n")
