"""Where does a secret stand: in a variable, or in a file?"""

from pathlib import Path

import pytest

from gateway.secret import SECRETS, Unreadable, opened


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_every_secret_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    """An environment is inherited by every child and printed by every crash report; a file is not."""
    file = tmp_path / "secret"
    file.write_text("hunter2\n")

    said = opened({f"{name}_FILE": str(file), name: "older", "PATH": "/bin"})

    assert said == {name: "hunter2", "PATH": "/bin"}


def test_a_variable_that_is_no_secret_is_left_alone() -> None:
    """A clock file is a file, not a secret in one."""
    env = {"TELECARE_CLOCK_FILE": "/nowhere", "TELECARE_BROKER_PASSWORD": "x"}

    assert opened(env) == env


@pytest.mark.parametrize("held", [b"", b"\n", b"two\nlines\n", b"\xff\xfe", b"x" * 5000])
def test_a_file_that_holds_no_secret_is_refused_without_saying_what_it_holds(held: bytes, tmp_path: Path) -> None:
    """An empty password would be taken for none, and one of two lines is half of something."""
    file = tmp_path / "secret"
    file.write_bytes(held)

    with pytest.raises(Unreadable, match=r"^TELECARE_BROKER_PASSWORD_FILE ") as why:
        opened({"TELECARE_BROKER_PASSWORD_FILE": str(file)})

    assert "two" not in str(why.value)
    assert why.value.__cause__ is None


def test_a_file_that_is_not_there_is_one_sentence() -> None:
    """Whoever starts it at night reads which variable to mend."""
    with pytest.raises(Unreadable, match=r"^TELECARE_DATABASE_URL_FILE cannot be read: No such file"):
        opened({"TELECARE_DATABASE_URL_FILE": "/nowhere"})
