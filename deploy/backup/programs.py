"""Which pg_dump and pg_restore speak with this server, and how are they run without its password being seen?"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.child import PLAIN_ENVIRONMENT
from deploy.embedded import runtime
from deploy.embedded.machine import Missing

_DEBIAN: Final = Path("/usr/lib/postgresql")
_NEEDS_TLS: Final = {"require", "verify-ca", "verify-full"}


def folder_for(postgres: int, dsn: str, environment: Mapping[str, str]) -> Path:
    """Return the folder of PostgreSQL's client programs of a server's version, or the next one above it.

    What a later pg_restore says, an earlier server may not understand; so the same version is the first choice.

    Args:
        postgres: the server's major version.
        dsn: the address of the database.
        environment: says where programs are looked for.

    Raises:
        Missing: there is none.
    """
    found = [(version, folder) for folder in _candidates(dsn, environment) if (version := _version_of(folder))]
    fit = [one for one in found if one[0] >= postgres]
    if not fit:
        raise Missing(
            f"The database is PostgreSQL {postgres} and no pg_dump as new is here; "
            f"install it (apt-get install postgresql-client-{postgres})."
        )
    return min(fit, key=lambda one: one[0])[1]


def _candidates(dsn: str, environment: Mapping[str, str]) -> Iterator[Path]:
    if found := shutil.which("pg_dump", path=environment.get("PATH")):
        yield Path(found).parent
    yield from sorted(_DEBIAN.glob("*/bin"), reverse=True)
    # Those that we bring speak no TLS.
    wheel = runtime.wheel_programs()
    if wheel is not None and conninfo_to_dict(dsn).get("sslmode") not in _NEEDS_TLS:
        yield wheel


def _version_of(folder: Path) -> int | None:
    program = folder / "pg_dump"
    try:
        ran = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [str(program), "--version"], capture_output=True, check=False, text=True, env=dict(PLAIN_ENVIRONMENT)
        )
    except OSError:
        return None
    said = re.search(r"\) (\d+)", ran.stdout)
    return int(said[1]) if ran.returncode == 0 and said else None


def address(dsn: str) -> tuple[str, dict[str, str]]:
    """Return a database's address without its password, and the variables that hold the password."""
    said = conninfo_to_dict(dsn)
    password = said.pop("password", None)
    # Debian's pg_dump is a script that reads HOME for the account's own settings.
    inherited = {name: value for name in ("HOME", "PGPASSFILE") if (value := os.environ.get(name))}
    secret = {} if password is None else {"PGPASSWORD": str(password)}
    return make_conninfo("", **said), {**PLAIN_ENVIRONMENT, **inherited, **secret}


@contextlib.contextmanager
def reading_from(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[IO[bytes]]:
    """Give what a program prints; the block must read all of it.

    Raises:
        Missing: the program ended badly; what was read is worth nothing then.
    """
    with _running(arguments, environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout


@contextlib.contextmanager
def writing_to(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[IO[bytes]]:
    """Give what a program reads.

    Raises:
        Missing: the program ended badly.
    """
    with _running(arguments, environment, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        # A program that has ended says why itself.
        with contextlib.suppress(BrokenPipeError):
            yield process.stdin
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


@contextlib.contextmanager
def _running(
    arguments: Sequence[str], environment: Mapping[str, str], **pipe: int
) -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryFile() as said:
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **pipe}
        process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
            list(arguments), env=dict(environment), cwd="/", stderr=said, **options
        )
        try:
            yield process
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for end in (process.stdin, process.stdout):
                if end is not None and not end.closed:
                    with contextlib.suppress(BrokenPipeError):
                        end.close()
        if code != 0:
            said.seek(0)
            raise Missing(f"{Path(arguments[0]).name} failed: {_first_error(said.read(65_536))}")


def _first_error(said: bytes) -> str:
    """Return the first line that tells of an error; later ones may repeat a row, and with it a person."""
    lines = said.decode(errors="replace").strip().splitlines()
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "it said nothing")
