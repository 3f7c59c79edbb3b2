"""Does everything hold?  Lint, types, imports and tests, in that order, up to the first failure.

`deploy/telecare test` makes the environment and then runs this.  What tests need of the machine itself is
installed as root, and asked for otherwise.  Where CI is `true` it must be there: a test that skips itself
would hide a missing step.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

_ROOT: Final = Path(__file__).resolve().parent.parent
_NODE: Final = _ROOT / "tests"
_NODE_STAMP: Final = _NODE / "node_modules" / ".telecare"
_AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of ours in it
_ROOM_BYTES: Final = 8 * 2**30
_PATH_OF_ROOT: Final = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class _Program:
    """A program of the machine that tests use, the Debian package that has it, and what it is for."""

    name: str
    package: str
    why: str


_PROGRAMS: Final = (
    _Program("mosquitto", "mosquitto", "the transport is tried on a second broker"),
    _Program("chromium", "chromium", "the pages are looked at in a browser"),
    _Program("openssl", "openssl", "the broker shows a certificate that a test has made"),
    _Program("promtool", "prometheus", "it reads the rules by which somebody is woken"),
    _Program("systemd-analyze", "systemd", "it reads the units"),
    _Program("docker-compose", "docker-compose", "it reads the file of the containers"),
    _Program("npm", "npm", "axe-core judges the pages, and Prism our requests to Twilio"),
)

# Each a heading and a program of the environment with its arguments.
_STEPS: Final = (
    ("ruff check", ("ruff", "check", ".")),
    ("ruff format", ("ruff", "format", "--check", ".")),
    ("mypy", ("mypy",)),
    ("lint-imports", ("lint-imports",)),
)


def run(arguments: Sequence[str]) -> int:
    """Run every check and then the tests, and return the exit code of the first that fails.

    Args:
        arguments: passed on to pytest.
    """
    os.chdir(_ROOT)
    environment = dict(os.environ)
    if lacking := _ensure_machine(environment):
        typer.echo("\n".join(lacking), err=True)
        if environment.get("CI") == "true":
            return 1
    with _scratch() as scratch:
        environment |= scratch
        for heading, command in (*_STEPS, ("pytest", ("pytest", *_side_by_side(), *arguments))):
            typer.echo(f"\n== {heading} ==")
            if code := _call([str(Path(sys.executable).parent / command[0]), *command[1:]], environment):
                typer.echo(f"\n{heading} failed")
                return code
    return 0


@contextlib.contextmanager
def _scratch() -> Iterator[dict[str, str]]:
    """Give the variable by which tests put their files into memory, where it has room, and nothing elsewhere.

    Each test has a database of its own, and dropping one makes PostgreSQL write all of its disk (a checkpoint): 0.05
    to 0.13 s in memory, 1.4 to 2.1 s on a shared disk (2026-11-22).  Every setting stays as it is for a household.
    """
    if "TMPDIR" in os.environ or not _has_room(_MEMORY):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="telecare-", dir=_MEMORY, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o1777)  # PostgreSQL has an account of its own.
        yield {"TMPDIR": folder}


def _has_room(memory: Path) -> bool:
    """Return whether programs and files may lie there, and it and the machine have several times what tests need."""
    try:
        of = os.statvfs(memory)
        available = next(line for line in Path("/proc/meminfo").read_text().splitlines() if "MemAvailable" in line)
    except (OSError, StopIteration):
        return False
    room_bytes = min(of.f_bavail * of.f_frsize, int(available.split()[1]) * 1024)
    return room_bytes > _ROOM_BYTES and not of.f_flag & os.ST_NOEXEC


def _side_by_side() -> tuple[str, ...]:
    """Return how pytest shares the tests among processes, each with servers of its own.

    Two processes more than cores, since many tests wait for another process: 11 min 52 s with four on 2 cores and files
    in memory, 15 min 33 s with three and files on the disk (4,578 and 4,441 tests, 2026-11-22).
    """
    return ("--numprocesses", str((os.cpu_count() or 1) + 2), "--dist", "worksteal")


def _ensure_machine(environment: Mapping[str, str]) -> list[str]:
    """Install what can be installed, and return a sentence for each thing that is still lacking."""
    absent = [program for program in _PROGRAMS if not _has(program, environment)]
    if absent and os.geteuid() == 0:
        _apt_install([program.package for program in absent], environment)
        absent = [program for program in absent if not _has(program, environment)]
    lacking = [
        f"{program.name} is missing ({program.why}); "
        f"ask an administrator for: apt-get install --no-install-recommends {program.package}"
        for program in absent
    ]
    if not any(program.name == "npm" for program in absent):
        lacking += _ensure_node(environment)
    return lacking


def _has(program: _Program, environment: Mapping[str, str]) -> bool:
    return shutil.which(program.name, path=f"{environment.get('PATH', '')}:{_PATH_OF_ROOT}") is not None


def _apt_install(packages: Sequence[str], environment: Mapping[str, str]) -> None:
    """Install packages; the service that Debian starts for Mosquitto is left alone, as we use other ports."""
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
    quiet = {**environment, "DEBIAN_FRONTEND": "noninteractive"}
    typer.echo(f"installing {', '.join(packages)}", err=True)
    if _call(install, quiet):
        _call(["apt-get", "-q", "update"], quiet)
        _call(install, quiet)


def _ensure_node(environment: Mapping[str, str]) -> list[str]:
    """Install tests/package-lock.json into tests/node_modules, unless that is what is there."""
    wanted = hashlib.sha256((_NODE / "package-lock.json").read_bytes()).hexdigest()
    if _NODE_STAMP.exists() and _NODE_STAMP.read_text() == wanted:
        return []
    typer.echo("installing tests/package-lock.json", err=True)
    # Node trusts its own list of authorities; the machine may know of another on the way to the registry.
    trusting = {"NODE_EXTRA_CA_CERTS": str(_AUTHORITIES), **environment} if _AUTHORITIES.exists() else environment
    # Without their scripts: none of these packages needs one, and tests run what was committed.
    if _call(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(_NODE)], trusting):
        return ["tests/package-lock.json could not be installed; connect to the network and try again"]
    _NODE_STAMP.write_text(wanted)
    return []


def _call(command: Sequence[str], environment: Mapping[str, str]) -> int:
    return subprocess.run(command, env=dict(environment), check=False).returncode  # noqa: S603 - listed above


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
