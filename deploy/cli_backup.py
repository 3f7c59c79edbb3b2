"""What can be asked of `telecare backup | restore`?  As in `deploy.cli`, each command imports what it needs."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy import ran

app = typer.Typer(help="Backups: encrypted, of one moment, tried by a real restore.", invoke_without_command=True)

Data = Annotated[Path | None, typer.Option("--data", help=ran.DATA_HELP, file_okay=False)]
Key = Annotated[Path | None, typer.Option(help="The file of the secret key.", dir_okay=False)]


@app.callback()
def backup(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Try one by a real restore instead of making one.")] = False,  # noqa: FBT002 - typer's own way
    which: Annotated[str, typer.Option(help="To be tried: a name on the list, or a folder.")] = "newest",
    key: Key = None,
    data: Data = None,
) -> None:
    """Make a backup now; `up` makes them by itself once TELECARE_BACKUP_RECIPIENT is set."""
    if context.invoked_subcommand is not None:
        return
    from deploy.backup import command  # noqa: PLC0415 - see the module's docstring

    folder = ran.data_folder(data, "data")
    if not check:
        ran.run(lambda: None if command.make(folder, os.environ) else 1)
    if key is None:
        raise typer.BadParameter("name the file of the secret key with --key")
    ran.run(lambda: command.check(which, key, folder, os.environ))


@app.command("key")
def make_key(
    out: Annotated[Path, typer.Option(help="A new file for the secret half.", dir_okay=False)],
) -> None:
    """Make a key: the secret half opens backups and goes into a file, the public half is printed."""
    from deploy.backup import command  # noqa: PLC0415

    ran.run(lambda: command.make_key(out))


@app.command("list")
def listed(data: Data = None) -> None:
    """List the backups with what each holds."""
    from deploy.backup import command  # noqa: PLC0415

    ran.run(lambda: command.list_all(ran.data_folder(data, "data"), os.environ))


@app.command("run")
def run() -> None:
    """Run the process alone that makes backups, as a systemd unit does."""
    from deploy.backup.__main__ import main as process  # noqa: PLC0415

    sys.exit(process(os.environ))


def restore(
    key: Annotated[Path, typer.Option(help="The file of the secret key.", dir_okay=False)],
    which: Annotated[
        str, typer.Argument(metavar="[BACKUP]", help="A name on the list, a folder, or `newest`.")
    ] = "newest",
    until: Annotated[
        str | None,
        typer.Option(help="To this moment (2026-11-22T10:15:00Z), or `end`; with TELECARE_BACKUP_WAL=on."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Put aside what is there; it is kept.")] = False,  # noqa: FBT002
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002
    data: Data = None,
) -> None:
    """Put a backup in the place of the database; stop every process of telecare before."""
    from deploy.backup import command  # noqa: PLC0415

    asked = command.Asked(backup=which, key=key, may_replace=replace)
    folder = ran.data_folder(data, "data")
    if until is None:
        ran.run(lambda: command.restore(asked, folder, os.environ, is_sure=lambda words: yes or typer.confirm(words)))
    when = None if until == "end" else _moment(until)
    ran.run(
        lambda: command.restore_moment(
            when, asked, folder, os.environ, is_sure=lambda words: yes or typer.confirm(words)
        )
    )


def _moment(said: str) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as why:
        raise typer.BadParameter("a moment is written as 2026-11-22T10:15:00Z") from why
    if moment.tzinfo is None:
        raise typer.BadParameter("say the moment with its zone: 2026-11-22T10:15:00Z")
    return moment
