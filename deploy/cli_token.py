"""What can be asked of `telecare token`?  As in `deploy.cli`, each command imports what it needs when it runs."""

import os
from pathlib import Path
from typing import Annotated

import typer

from deploy import ran

app = typer.Typer(help="Tokens for programs that use the JSON API.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option("--data", help=ran.DATA_HELP, file_okay=False)]


@app.command("add")
def add(
    person: Annotated[str, typer.Argument(help="For whom it speaks; it may do no more than this person.")],
    name: Annotated[str, typer.Option(help="What the program is called in every record of its looks.")],
    scope: Annotated[list[str], typer.Option(help="What it may do; may be said again.")],
    home: Annotated[list[str] | None, typer.Option(help="Only this home; may be said again.")] = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="For how long.")] = 365,
    data: Data = None,
) -> None:
    """Make a token for a program, and print it this once."""
    from deploy import tokens  # noqa: PLC0415 - see the module's docstring

    ran.run(lambda: tokens.add(person, name, scope, home or [], days, ran.data_folder(data, "data"), os.environ))


@app.command("list")
def listed(data: Data = None) -> None:
    """List the tokens: for whom, what they may do, until when, and when they were used last."""
    from deploy import tokens  # noqa: PLC0415

    ran.run(lambda: tokens.listed(ran.data_folder(data, "data"), os.environ))


@app.command("revoke")
def revoke(name: Annotated[str, typer.Argument()], data: Data = None) -> None:
    """Let a token open nothing from now on."""
    from deploy import tokens  # noqa: PLC0415

    ran.run(lambda: tokens.revoke(name, ran.data_folder(data, "data"), os.environ))
