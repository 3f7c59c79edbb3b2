"""What can be asked of telecare on the command line?

Each command imports what it needs when it runs, so that a hub with the gateway alone can run `telecare gateway`.
What goes wrong for a reason that a person can mend is said in one sentence, with exit code 1.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from deploy import cli_backup, cli_desk, cli_token
from deploy.ran import DATA_HELP
from deploy.ran import data_folder as _data
from deploy.ran import run as _run

app = typer.Typer(
    name="telecare",
    help="Watches over homes through cheap sensors, and gets a person to come when something is wrong.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
hub_app = typer.Typer(help="Add, revoke and list hubs.", no_args_is_help=True)
db_app = typer.Typer(help="The database's tables.", no_args_is_help=True)
app.add_typer(hub_app, name="hub")
app.add_typer(db_app, name="db")
ledger_app = typer.Typer(help="How confident families feel, as published.", no_args_is_help=True)
app.add_typer(ledger_app, name="ledger")
app.add_typer(cli_desk.people, name="people")
app.add_typer(cli_desk.homes, name="homes")
app.add_typer(cli_desk.rota, name="rota")
app.add_typer(cli_token.app, name="token")
app.add_typer(cli_backup.app, name="backup")
app.command("restore")(cli_backup.restore)

DataOption = Annotated[Path | None, typer.Option("--data", help=DATA_HELP, file_okay=False)]


def _say_version(is_asked: bool) -> None:  # noqa: FBT001 - typer's own way
    if is_asked:
        from gateway.release import version  # noqa: PLC0415 - see the module's docstring

        typer.echo(f"telecare {version()}")
        raise typer.Exit


@app.callback()
def telecare(
    version: Annotated[  # noqa: FBT002 - typer's own way
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Only say which release this is.")
    ] = False,
) -> None:
    """Say which release this is, where that is asked for, before any command."""


def main() -> None:
    """Run the command line; the exit code is 0, 1 for what a person must mend, 2 for wrong usage."""
    app()


@app.command()
def demo(
    data: DataOption = None,
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="Simulated seconds in a real one.")] = 1.0,
    port: Annotated[int | None, typer.Option(help="Where the pages answer.", min=1, max=65535)] = None,
    recording: Annotated[
        Path | None, typer.Option(help="A recording of real homes, CSV: home,observed_at,location.", dir_okay=False)
    ] = None,
    home: Annotated[str | None, typer.Option(help="Which home of the recording; otherwise its longest.")] = None,
    seed: Annotated[int, typer.Option(help="Another number is another life in the simulated homes.")] = 1,
    homes: Annotated[
        int | None, typer.Option(min=1, max=100, help="How many simulated homes; otherwise as last time, or 3.")
    ] = None,
    chance: Annotated[  # noqa: FBT002 - typer's own way
        bool, typer.Option("--chance", help="Let things befall the simulated homes by chance, too.")
    ] = False,
) -> None:
    """Run everything on this machine, with a simulated street and pretend phones."""
    from deploy import demo as demo_  # noqa: PLC0415 - see the module's docstring
    from deploy import lived  # noqa: PLC0415

    asked = demo_.Asked(
        data=_data(data, "demo"),
        speed=speed,
        port=port,
        recording=recording,
        home=home,
        seed=seed,
        homes=homes,
        has_chance=chance,
    )
    _run(lambda: (demo_ if recording is None else lived).run(asked, os.environ))


@app.command()
def chaos(  # noqa: PLR0913, PLR0917 - an argument is an option, typer's own way
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Stop striking after so long.")] = None,
    faults: Annotated[int | None, typer.Option(min=1, help="Stop after so many faults that bit.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides what happens; otherwise another each time.")] = None,
    resume: Annotated[Path | None, typer.Option(help="The ledger that is added to.", dir_okay=False)] = None,
    homes: Annotated[int, typer.Option(min=1, max=100, help="How many simulated homes.")] = 3,
    at_once: Annotated[int, typer.Option(min=1, max=20, help="So many faults at the same time at the most.")] = 4,
    only: Annotated[list[str] | None, typer.Option(help="Only faults of this kind; may be said again.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder also when all was well.")] = False,  # noqa: FBT002 - typer's own way
    data: DataOption = None,
) -> None:
    """Treat a simulated street cruelly, and hold what the sensors said against the table and the phones."""
    from deploy.chaos import run as chaos_  # noqa: PLC0415

    place = _data(data, "chaos")
    asked = chaos_.Asked(
        data=place,
        book=resume or Path("chaos.jsonl"),
        seed=chaos_.seed_of(seed),
        faults=faults if faults is not None or minutes is not None else 40,
        minutes=minutes,
        homes=homes,
        at_once=at_once,
        kinds=tuple(only or ()),
        is_kept=keep,
    )
    _run(lambda: chaos_.run(asked))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    short_help="Live thousands of simulated homes into files, for benches.",
)
def simulate(context: typer.Context) -> None:
    """Live simulated homes into files; its options are those of the simulator, `telecare simulate --help`."""
    import subprocess  # noqa: PLC0415

    # A program of its own: nobody imports the simulator.
    words = [sys.executable, "-m", "firmware_sim.simulate", *context.args]
    sys.exit(subprocess.call(words))  # noqa: S603 - our own program, and the words of whoever runs us


@app.command()
def up(
    data: DataOption = None,
    port: Annotated[int | None, typer.Option(help="Where the pages answer.", min=1, max=65535)] = None,
) -> None:
    """Run the platform for real homes, configured by TELECARE_* variables."""
    from deploy import up as up_  # noqa: PLC0415

    _run(lambda: up_.run(_data(data, "data"), port, os.environ))


@app.command()
def replay(
    data: Annotated[Path, typer.Option("--data", help="A recording, CSV: home,observed_at,location.", dir_okay=False)],
    out: Annotated[Path, typer.Option("--out", help="The file to write, one JSON object a line.", dir_okay=False)],
    homes: Annotated[
        list[str] | None, typer.Option("--homes", help="Only these, one or more; otherwise every home.")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(metavar="[HOME]...", help="More homes after --homes.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Then look whether the file agrees with itself.")] = False,  # noqa: FBT002 - typer's own way
) -> None:
    """Judge recorded homes as it happened: alerts, the next alert at every hour, and how strange each block was."""
    from deploy import replay as replay_  # noqa: PLC0415

    named = [home for said in [*(homes or []), *(more or [])] for home in said.split(",") if home]
    if more and not homes:
        raise typer.BadParameter("homes are named after --homes")
    _run(lambda: replay_.run(replay_.Asked(data=data, out=out, homes=tuple(named), has_check=check)))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """Run every check and all tests (`deploy/telecare test` installs what they need first)."""
    from deploy import testing  # noqa: PLC0415

    sys.exit(testing.run(context.args))


@app.command()
def gateway(
    explain: Annotated[
        str | None,
        typer.Option(help="Only say what each device can tell, and why not more: `live`, or a saved bridge/devices."),
    ] = None,
) -> None:
    """Run the gateway alone, in a home."""
    if explain is not None:
        _explain(explain)
    from gateway.__main__ import main as process  # noqa: PLC0415

    sys.exit(process(os.environ))


@app.command()
def ingest() -> None:
    """Run ingest alone: from the broker to the disk."""
    from ingest.__main__ import main as process  # noqa: PLC0415

    sys.exit(process(os.environ))


@app.command()
def alerts() -> None:
    """Run alerts alone: from readings to a person who comes."""
    from alerts.__main__ import main as process  # noqa: PLC0415

    sys.exit(process(os.environ))


@app.command()
def api() -> None:
    """Run the pages alone."""
    from api.__main__ import main as process  # noqa: PLC0415

    sys.exit(process(os.environ))


@app.command()
def watcher() -> None:
    """Run the watcher alone: look at the other processes, and text the operator when one stands still."""
    from deploy.watcher.__main__ import main as process  # noqa: PLC0415

    sys.exit(process(os.environ))


@db_app.command("migrate")
def db_migrate(
    data: DataOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a database that does not answer yet.")] = False,  # noqa: FBT002 - typer's own way
) -> None:
    """Bring the database's tables to this release."""
    from deploy import admin  # noqa: PLC0415

    _run(lambda: admin.migrate(_data(data, "data"), os.environ, waits=wait))


@db_app.command("roles")
def db_roles(
    out: Annotated[
        Path | None, typer.Option(help="Where the addresses of new accounts are written.", file_okay=False)
    ] = None,
    data: DataOption = None,
) -> None:
    """Give each process an account of its own in the database, with the least that it needs."""
    from deploy import roles  # noqa: PLC0415

    _run(lambda: roles.make(out, _data(data, "data"), os.environ))


@app.command()
def processes(data: DataOption = None) -> None:
    """List our processes: since when each runs or is silent, and how far it has come."""
    from deploy import processes as processes_  # noqa: PLC0415

    _run(lambda: processes_.show(_data(data, "data"), os.environ))


@app.command()
def setup(
    file: Annotated[Path, typer.Argument(help="A street: homes, people, hubs, sensors and thresholds, as TOML.")],
    data: DataOption = None,
    check: Annotated[bool, typer.Option("--check", help="Only say whether the file is right.")] = False,  # noqa: FBT002 - typer's own way
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also what was changed on a page since.")] = False,  # noqa: FBT002 - typer's own way
) -> None:
    """Set up homes and people from one file; run again, it changes what the file changed and nobody else did."""
    from deploy import admin  # noqa: PLC0415

    _run(lambda: admin.setup(file, _data(data, "data"), os.environ, only_check=check, takes_all=overwrite))


@app.command()
def backtest(
    home: Annotated[str, typer.Argument(help="Which home.")],
    change: Annotated[list[str] | None, typer.Option("--set", help="A threshold: still_for=5h.")] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(help='A rule: "quiet kitchen: no movement in kitchen for 3 h on weekdays from 09:00 to 12:00".'),
    ] = None,
    days: Annotated[int, typer.Option(help="How many of its last days.", min=1, max=56)] = 28,
    by: Annotated[str | None, typer.Option(help="Who looks; otherwise the operator of the service.")] = None,
    data: DataOption = None,
) -> None:
    """Show what other thresholds would have done in a home over its last days; nothing is changed."""
    from deploy import admin  # noqa: PLC0415
    from deploy import backtest as backtest_  # noqa: PLC0415

    asked = backtest_.Asked(home=home, changes=tuple(change or ()), rules=tuple(rule or ()), days=days, by=by)
    place = _data(data, "data")
    _run(lambda: backtest_.run(asked, place, os.environ, now=admin.clock_of(place, os.environ).now()))


@app.command("log-in")
def log_in(person: Annotated[str, typer.Argument(help="The person's id.")], data: DataOption = None) -> None:
    """Print a one-time link with which a person signs in."""
    from deploy import admin  # noqa: PLC0415

    _run(lambda: admin.log_in(person, _data(data, "data"), os.environ))


@hub_app.command("add")
def hub_add(
    home: Annotated[str, typer.Argument(help="The home it speaks for.")],
    hub: Annotated[str | None, typer.Option(help="What it is called; otherwise hub-HOME.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where its configuration is written.", dir_okay=False)] = None,
    network: Annotated[str | None, typer.Option(help="What carries its line; see `hub network`.")] = None,
    data: DataOption = None,
) -> None:
    """Make a hub's credentials and write its configuration file."""
    from deploy import admin  # noqa: PLC0415

    _run(lambda: admin.hub_add(home, hub, out, _data(data, "data"), os.environ, network=network))


@hub_app.command("network")
def hub_network(
    hub: Annotated[str, typer.Argument()],
    network: Annotated[str | None, typer.Argument(help="Such as mobile-a; left out: nobody knows.")] = None,
    data: DataOption = None,
) -> None:
    """Write what carries a hub's line: hubs on one network that fall silent together are one outage."""
    from deploy import admin  # noqa: PLC0415

    _run(lambda: admin.hub_network(hub, network, _data(data, "data"), os.environ))


@hub_app.command("revoke")
def hub_revoke(hub: Annotated[str, typer.Argument()], data: DataOption = None) -> None:
    """Turn a hub away from now on."""
    from deploy import admin  # noqa: PLC0415

    _run(lambda: admin.hub_revoke(hub, _data(data, "data"), os.environ))


@hub_app.command("list")
def hub_list(
    data: DataOption = None,
    permissions: Annotated[
        Path | None, typer.Option(help="Also write the broker's permission files into this folder.", file_okay=False)
    ] = None,
) -> None:
    """List the hubs, their homes, and when each was last heard."""
    from deploy import admin  # noqa: PLC0415

    _run(lambda: admin.hub_list(_data(data, "data"), os.environ, permissions=permissions))


@ledger_app.command("publish")
def ledger_publish(
    quarter: Annotated[str | None, typer.Option(help="Which, as 2026-Q2; otherwise every closed one.")] = None,
    correct: Annotated[str, typer.Option(help="What was wrong: makes a new edition that says so.")] = "",
    data: DataOption = None,
) -> None:
    """Publish closed quarters now; the platform does it by itself.  What was published is never changed."""
    from deploy import ledger  # noqa: PLC0415

    _run(lambda: ledger.publish(quarter, correct, _data(data, "data"), os.environ))


def _explain(where: str) -> NoReturn:
    """Print what the equipment can tell; a hub has nothing installed of what `_run` knows."""
    from gateway.look import CannotLook, look  # noqa: PLC0415

    try:
        typer.echo(look(where, os.environ), nl=False)
    except CannotLook as why:
        typer.echo(str(why), err=True)
        sys.exit(1)
    sys.exit(0)
