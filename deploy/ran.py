"""In which folder does a command work, and how does it end?

What goes wrong for a reason that a person can mend is said in one sentence, with exit code 1.  What is needed for that
is imported when it is: a hub has the gateway alone.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import typer

DATA_HELP: Final = "The folder of the embedded database, broker and logs."


def data_folder(said: Path | None, name: str) -> Path:
    """Return the data folder: what was said, else `TELECARE_DATA`, else the usual place of this account."""
    from deploy.embedded import machine  # noqa: PLC0415 - see the module

    if said is not None:
        return said.absolute()
    usual = machine.default_data(os.environ)
    return usual if os.environ.get("TELECARE_DATA") else usual.with_name(name)


def run(command: Callable[[], int | None]) -> NoReturn:
    """Do what was asked for, and end with its exit code; what a person can mend is one sentence and the code 1."""
    try:
        code = command() or 0
    except KeyboardInterrupt:
        code = 130
    except Exception as why:
        if _is_unreadable_address(why):
            typer.echo("TELECARE_DATABASE_URL is not an address such as postgresql://user@host/name.", err=True)
        elif isinstance(why, _mendable()):
            typer.echo(_in_words(why), err=True)
        else:
            raise
        code = 1
    sys.exit(code)


def _in_words(why: Exception) -> str:
    """Return what a person reads of trouble; its number is for programs."""
    import psycopg  # noqa: PLC0415

    said = str(why).strip()
    if isinstance(why, psycopg.OperationalError) and why.sqlstate is None:
        return f"The database does not answer; does the platform run on this data folder? It says: {said}"
    if isinstance(why, OSError) and why.strerror and why.filename is not None:
        return f"{why.filename}: {why.strerror}"
    return said


def _is_unreadable_address(why: Exception) -> bool:
    """Return whether libpq could not read the database's address; its words repeat it, with its password."""
    import psycopg  # noqa: PLC0415

    return isinstance(why, psycopg.ProgrammingError) and why.sqlstate is None


def _mendable() -> tuple[type[Exception], ...]:
    """Return the kinds of trouble whose one sentence tells a person what to do."""
    import psycopg  # noqa: PLC0415

    from api.office.said import Mistakes  # noqa: PLC0415
    from deploy import street  # noqa: PLC0415
    from deploy.admin import Cannot  # noqa: PLC0415
    from deploy.backup.problems import PROBLEMS  # noqa: PLC0415
    from deploy.embedded.machine import Missing  # noqa: PLC0415
    from deploy.roles import CannotMake  # noqa: PLC0415
    from deploy.supervise import DidNotStart  # noqa: PLC0415
    from gateway.secret import Unreadable  # noqa: PLC0415
    from ingest.db.migrate import CannotMigrate  # noqa: PLC0415
    from ingest.db.pool import Unfit  # noqa: PLC0415

    return (
        Cannot,
        CannotMake,
        CannotMigrate,
        DidNotStart,
        Missing,
        Mistakes,
        Unfit,
        Unreadable,
        *PROBLEMS,
        street.Wrong,
        psycopg.OperationalError,
        OSError,
    )
