"""The launcher: what it says to someone who has nothing yet, and that it is quick for someone who has."""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).resolve().parents[3]

# What the launcher may take for granted on any Debian.
_SHELL: Final = ("cat", "dirname", "flock", "grep", "id", "mkdir", "readlink", "sha256sum", "ls")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a checkout with what the launcher reads."""
    return _checkout_in(tmp_path)


def _checkout_in(place: Path) -> Path:
    folder = place / "checkout"
    shutil.copytree(_ROOT / "deploy" / "lock", folder / "deploy" / "lock")
    shutil.copy(_ROOT / "deploy" / "telecare", folder / "deploy" / "telecare")
    shutil.copy(_ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a machine with a shell and nothing else."""
    return _bare_in(tmp_path)


def _bare_in(place: Path) -> dict[str, str]:
    programs = place / "bin"
    programs.mkdir()
    for name in _SHELL:
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    return {"PATH": str(programs), "HOME": str(place)}


@pytest.fixture
def anybodys_place() -> Iterator[Path]:
    """Give a folder of an account that is not root's, whoever runs the tests."""
    place = Path(tempfile.mkdtemp(prefix="telecare-tests-"))
    yield place
    shutil.rmtree(place)


def _give_away(place: Path) -> str | None:
    """Give a folder with all that is in it to an ordinary account where root runs the tests, and return its name."""
    if os.geteuid() != 0:
        return None
    ordinary = pwd.getpwnam("nobody")
    for path in (place, *place.rglob("*")):
        os.chown(path, ordinary.pw_uid, ordinary.pw_gid, follow_symlinks=False)
    return ordinary.pw_name


def _launch(
    checkout: Path, environment: dict[str, str], *arguments: str, account: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(checkout / "deploy" / "telecare"), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        user=account,
    )


def _program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _installed(checkout: Path, what: str) -> None:
    """Leave an environment as a finished install does, with programs that say what they are asked."""
    for name in ("python", "telecare"):
        _program(checkout / ".venv" / "bin" / name, f'echo {name} "$@"')
    parts = [checkout / "deploy" / "lock" / "installer.txt", checkout / "deploy" / "lock" / f"{what}.txt"]
    together = b"".join(part.read_bytes() for part in [*parts, checkout / "pyproject.toml"])
    stamp = f"{hashlib.sha256(together).hexdigest()}  -\n{checkout}\n"
    (checkout / ".venv" / f"installed-{what}").write_text(stamp)
    (checkout / ".venv" / "place").write_text(f"{checkout}\n")


def test_a_machine_without_python_is_told_what_to_ask_for(checkout: Path, bare: dict[str, str]) -> None:
    """The first sentence that someone reads of telecare should not be `command not found`."""
    ran = _launch(checkout, bare, "up")

    assert ran.returncode == 1
    assert ran.stderr == (
        "telecare: Python 3.11 or later is needed and is not here; "
        "ask an administrator for: apt-get install python3 python3-venv\n"
    )


def test_a_python_that_is_too_old_is_no_python(checkout: Path, bare: dict[str, str]) -> None:
    """Debian 11 has 3.9; the failure would come much later, and as a traceback."""
    _program(Path(bare["PATH"]) / "python3", "exit 1")

    ran = _launch(checkout, bare, "up")

    assert ran.returncode == 1
    assert "Python 3.11 or later" in ran.stderr


def test_a_python_without_venv_is_told_what_to_ask_for(anybodys_place: Path) -> None:
    """Debian keeps Python's venv in a package of its own; root installs it, so an ordinary account asks here."""
    checkout, bare = _checkout_in(anybodys_place), _bare_in(anybodys_place)
    _program(Path(bare["PATH"]) / "python3", 'case "$*" in *ensurepip*) exit 1;; *) exit 0;; esac')

    ran = _launch(checkout, bare, "up", account=_give_away(anybodys_place))

    assert ran.returncode == 1
    assert ran.stderr.endswith("ask an administrator for: apt-get install python3-venv\n")


@pytest.mark.parametrize("what", ["run", "test"])
def test_a_second_start_installs_nothing(checkout: Path, bare: dict[str, str], what: str) -> None:
    """Someone who looks at a home in the night should not wait for an index of packages."""
    _installed(checkout, what)

    ran = _launch(checkout, bare, "hub", "list", "two words")

    assert (ran.stdout, ran.stderr, ran.returncode) == ("telecare hub list two words\n", "", 0)


def test_a_changed_lock_is_installed(checkout: Path, bare: dict[str, str]) -> None:
    """A security fix in a lock is nothing while the old package runs."""
    _installed(checkout, "run")
    with (checkout / "deploy" / "lock" / "run.txt").open("a") as lock:
        lock.write("# one more\n")

    ran = _launch(checkout, bare, "hub", "list")

    assert "installing run" in ran.stderr or "could not be installed" in ran.stderr
    assert "telecare hub list" not in ran.stdout


def test_an_environment_of_a_checkout_that_was_moved_is_not_used(checkout: Path, bare: dict[str, str]) -> None:
    """Its programs would still start the code at the old place."""
    _installed(checkout, "run")
    moved = checkout.with_name("moved")
    checkout.rename(moved)

    ran = _launch(moved, bare, "hub", "list")

    assert "Python 3.11 or later is needed" in ran.stderr  # It wants to make a new one.
    assert "telecare hub list" not in ran.stdout


def test_tests_run_even_if_the_command_line_cannot(checkout: Path, bare: dict[str, str]) -> None:
    """What is broken is what one wants to test."""
    _installed(checkout, "test")
    _program(checkout / ".venv" / "bin" / "telecare", "exit 1")

    ran = _launch(checkout, bare, "test", "-k", "fall")

    assert ran.stdout.splitlines()[-1] == "python -m deploy.testing -k fall"


def test_no_lock_names_a_host() -> None:
    """Whoever installs has their own index; an address in a lock would pass it by."""
    locks = [*(_ROOT / "deploy" / "lock").glob("*.txt"), _ROOT / "tests" / "package-lock.json"]

    assert len(locks) == 6
    for lock in locks:
        text = lock.read_text()
        assert "--index-url" not in text
        assert '"resolved"' not in text
