"""What can be asked of `telecare people | homes | rota`?

As in `deploy.cli`, each command imports what it needs when it runs.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import ran

if TYPE_CHECKING:
    from deploy.desk import Desk

people = typer.Typer(help="Who may be told or may sign in.", no_args_is_help=True)
homes = typer.Typer(help="Homes: residents, rooms, sensors, who is told, who may see what.", no_args_is_help=True)
rota = typer.Typer(help="Who is on duty when.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option("--data", help=ran.DATA_HELP, file_okay=False)]
Home = Annotated[str, typer.Argument(help="The home.")]
Name = Annotated[str | None, typer.Option(help="As others know them.")]
What = Annotated[str | None, typer.Option(help="Margaret's daughter, warden ...")]
Phone = Annotated[
    str | None,
    typer.Option(help="For texts, which whoever is told of alarms gets; one without a country is taken for British."),
]
Email = Annotated[str | None, typer.Option(help="An address.")]
Likes = Annotated[str | None, typer.Option(help="How they like to be told by hand: text, ring or e-mail.")]
Kind = Annotated[
    list[str] | None,
    typer.Option(help="family contact, unpaid carer, paid carer, operator, resident; may be said several times."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Also where then nobody but the operator would be told.")]
Sure = Annotated[str | None, typer.Option(help="The same name again: then it is done, and cannot be undone.")]
Basis = Annotated[str | None, typer.Option(help="On whose word: resident, attorney or 'best interests'.")]
SaidBy = Annotated[str | None, typer.Option(help="The name of whoever said yes, or decided.")]
Why = Annotated[str | None, typer.Option(help="What for, as it was agreed.")]
Until = Annotated[str | None, typer.Option(help="The last day, such as 2027-06-30.")]


def _at(data: Path | None, act: "Callable[[Desk], None]") -> None:
    def do() -> None:
        from deploy.desk import Desk  # noqa: PLC0415 - see the module's docstring

        act(Desk.at(ran.data_folder(data, "data"), os.environ))

    ran.run(do)


def _kinds(kind: list[str] | None) -> str | None:
    return ",".join(kind) if kind else None


@people.command("list")
def people_list(
    like: Annotated[str, typer.Argument(help="A part of a name, key or number.")] = "", data: Data = None
) -> None:
    """List people."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.people_list(at, like))


@people.command("add")
def people_add(
    person: Annotated[str, typer.Argument(help="A short name that nobody has: anne.")],
    name: Name = None,
    phone: Phone = None,
    what: What = None,
    email: Email = None,
    likes: Likes = None,
    kind: Kind = None,
    data: Data = None,
) -> None:
    """Add a person."""
    from deploy import desk  # noqa: PLC0415

    fields = {"person": person, "name": name, "phone": phone, "what": what, "email": email, "likes": likes}
    _at(data, lambda at: desk.people_add(at, {**fields, "kinds": _kinds(kind)}))


@people.command("change")
def people_change(
    person: str,
    name: Name = None,
    phone: Phone = None,
    what: What = None,
    email: Email = None,
    likes: Likes = None,
    kind: Kind = None,
    data: Data = None,
) -> None:
    """Change what is known of a person; what is not said stays."""
    from deploy import desk  # noqa: PLC0415

    fields = {"name": name, "phone": phone, "what": what, "email": email, "likes": likes, "kinds": _kinds(kind)}
    _at(data, lambda at: desk.people_change(at, person, fields))


@people.command("leave")
def people_leave(person: str, yes: Yes = False, data: Data = None) -> None:  # noqa: FBT002 - typer's own way
    """Let a person be no longer one of us: signed out, given nothing, told of nothing."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.people_leave(at, person, is_sure=yes))


@people.command("erase")
def people_erase(person: str, sure: Sure = None, data: Data = None) -> None:
    """Erase a person: all that tells who they are goes; without --sure only say what would."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.people_erase(at, person, sure))


@people.command("reset-factor")
def people_reset_factor(
    person: str,
    why: Annotated[str, typer.Option(help="Stays on record, with you as whoever was at the server.")],
    data: Data = None,
) -> None:
    """Take a person's password and second factor away, whose authenticator is lost; a link still lets them in."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.people_reset_factor(at, person, why))


@people.command("service")
def people_service(
    name: Annotated[str, typer.Argument(help="What the service is called on pages and in texts.")],
    operator: Annotated[str, typer.Option(help="Whose phone gets what nobody else can be told.")],
    data: Data = None,
) -> None:
    """Name the service, and whose phone gets what nobody else can be told."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.people_service(at, name, operator))


@homes.command("list")
def homes_list(data: Data = None) -> None:
    """List homes."""
    from deploy import desk  # noqa: PLC0415

    _at(data, desk.homes_list)


@homes.command("show")
def homes_show(home: Home, data: Data = None) -> None:
    """Show everything that is written of a home, and what is still to do."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.homes_show(at, home))


@homes.command("add")
def homes_add(
    home: Annotated[str, typer.Argument(help="A short name for good: shore-road-14.")],
    first_name: Annotated[str | None, typer.Option(help="The resident's, as pages call them.")] = None,
    name: Annotated[str | None, typer.Option(help="The resident's full name.")] = None,
    phone: Annotated[str | None, typer.Option(help="The resident's.")] = None,
    address: Annotated[str | None, typer.Option(help="Where to go.")] = None,
    know: Annotated[str | None, typer.Option(help="What someone who goes there should know.")] = None,
    data: Data = None,
) -> None:
    """Add a home with the person who lives there."""
    from deploy import desk  # noqa: PLC0415

    fields = {"home": home, "first_name": first_name, "name": name, "phone": phone, "address": address, "know": know}
    _at(data, lambda at: desk.homes_add(at, fields))


@homes.command("resident")
def homes_resident(
    home: Home,
    first_name: Annotated[str | None, typer.Option()] = None,
    name: Annotated[str | None, typer.Option()] = None,
    phone: Annotated[str | None, typer.Option()] = None,
    address: Annotated[str | None, typer.Option(help="Where to go; also after moving house.")] = None,
    know: Annotated[str | None, typer.Option()] = None,
    person: Annotated[str | None, typer.Option(help="The person as whom the resident signs in.")] = None,
    data: Data = None,
) -> None:
    """Change what is known of a resident; what is not said stays."""
    from deploy import desk  # noqa: PLC0415

    said = {"first_name": first_name, "name": name, "phone": phone, "address": address, "know": know, "person": person}
    _at(data, lambda at: desk.homes_resident(at, home, said))


@homes.command("rooms")
def homes_rooms(
    home: Home, rooms: Annotated[list[str], typer.Argument(help="All of them.")], data: Data = None
) -> None:
    """Write which rooms a home has."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.homes_rooms(at, home, rooms))


@homes.command("sensor")
def homes_sensor(
    home: Home,
    sensor: Annotated[str, typer.Argument(help="Its name in the hub: kitchen-motion.")],
    kind: Annotated[str | None, typer.Option(help="motion, contact, pendant ...")] = None,
    room: Annotated[str | None, typer.Option(help="One of the home's rooms.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="It is no longer there.")] = False,  # noqa: FBT002 - typer's own way
    data: Data = None,
) -> None:
    """Write what a sensor is and where it stands."""
    from deploy import desk  # noqa: PLC0415

    if remove:
        _at(data, lambda at: desk.homes_no_sensor(at, home, sensor))
    else:
        _at(data, lambda at: desk.homes_sensor(at, home, {"sensor": sensor, "kind": kind, "room": room}))


@homes.command("told")
def homes_told(
    home: Home,
    persons: Annotated[list[str] | None, typer.Argument(help="The first is told first.")] = None,
    yes: Yes = False,  # noqa: FBT002 - typer's own way
    data: Data = None,
) -> None:
    """Write who is told at every hour; the operator comes after them by itself."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.homes_told(at, home, persons or [], is_sure=yes))


@homes.command("consent")
def homes_consent(
    home: Home, basis: Basis = None, said_by: SaidBy = None, why: Why = None, until: Until = None, data: Data = None
) -> None:
    """Write the consent to being watched over."""
    from deploy import desk  # noqa: PLC0415

    fields = {"basis": basis, "said_by": said_by, "why": why, "until": until}
    _at(data, lambda at: desk.homes_consent(at, home, fields))


@homes.command("give")
def homes_give(
    home: Home,
    person: Annotated[str, typer.Argument(help="Who may see.")],
    view: Annotated[list[str] | None, typer.Option(help="family or carer; may be said twice.")] = None,
    basis: Basis = None,
    said_by: SaidBy = None,
    why: Why = None,
    until: Until = None,
    data: Data = None,
) -> None:
    """Let a person see a home in these views and no others, with the consent that it rests on."""
    from deploy import desk  # noqa: PLC0415

    fields = {"person": person, "views": _kinds(view), "basis": basis, "said_by": said_by, "why": why, "until": until}
    _at(data, lambda at: desk.homes_give(at, home, fields))


@homes.command("withdraw")
def homes_withdraw(
    consent: Annotated[int, typer.Argument(help="Its number, from `telecare homes show`.")], data: Data = None
) -> None:
    """Take a consent back; what it allowed is over at once."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.homes_withdraw(at, consent))


@homes.command("away")
def homes_away(
    home: Home,
    until: Annotated[str | None, typer.Option(help="A day, to its end, or 2026-06-14 18:00; at most 92 days.")] = None,
    since: Annotated[str | None, typer.Option(help="2026-06-14 18:00; otherwise now.")] = None,
    why: Annotated[str | None, typer.Option(help="Why, and who said so.")] = None,
    asked: Annotated[bool, typer.Option("--asked", help="The resident asked not to be watched, and is there.")] = False,  # noqa: FBT002 - typer's own way
    data: Data = None,
) -> None:
    """Have nobody look for a resident for a time; alarms are told all the same."""
    from deploy import desk  # noqa: PLC0415

    fields = {"kind": "paused" if asked else "away", "since": since, "until": until, "why": why}
    _at(data, lambda at: desk.homes_away(at, home, fields))


@homes.command("back")
def homes_back(home: Home, data: Data = None) -> None:
    """Have somebody look for a resident again, before the time that was written."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.homes_back(at, home))


@homes.command("erase")
def homes_erase(home: Home, sure: Sure = None, data: Data = None) -> None:
    """Erase a home: readings, resident, alerts' words, what was learnt; without --sure only say what would go."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.homes_erase(at, home, sure))


@homes.command("team")
def homes_team(
    home: Home, team: Annotated[str, typer.Argument(help="Left out: none.")] = "", data: Data = None
) -> None:
    """Write whose shifts count for a home besides its own."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.homes_team(at, home, team))


@rota.command("show")
def rota_show(home: Home, data: Data = None) -> None:
    """Show who is told in the next seven days, and the numbers of shifts and overrides."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.rota_show(at, home))


@rota.command("shift")
def rota_shift(  # noqa: PLR0913, PLR0917 - a shift has these parts, and each is named
    person: str,
    home: Annotated[str | None, typer.Option(help="Of this home; or say --team.")] = None,
    team: Annotated[str | None, typer.Option(help="Of all homes of this team.")] = None,
    days: Annotated[str | None, typer.Option(help="mon-fri, or sat,sun; otherwise every day.")] = None,
    begins: Annotated[str | None, typer.Option(help="By the clock on the wall: 18:00.")] = None,
    ends: Annotated[str | None, typer.Option(help="08:00 is on the next morning where that is later.")] = None,
    place: Annotated[str | None, typer.Option(help="1 is told first; 1 unless told otherwise.")] = None,
    valid_from: Annotated[str | None, typer.Option(help="The first day; otherwise today.")] = None,
    valid_until: Annotated[str | None, typer.Option(help="The last day; otherwise it goes on.")] = None,
    data: Data = None,
) -> None:
    """Add a shift, week after week, that keeps its hours when the clocks change."""
    from deploy import desk  # noqa: PLC0415

    fields = {"person": person, "home": home, "team": team, "days": days, "begins": begins, "ends": ends}
    more = {"place": place, "valid_from": valid_from, "valid_until": valid_until}
    _at(data, lambda at: desk.rota_shift(at, {**fields, **more}))


@rota.command("remove")
def rota_remove(shift: Annotated[int, typer.Argument(help="Its number.")], data: Data = None) -> None:
    """Remove a shift."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.rota_no_shift(at, shift))


@rota.command("cover")
def rota_cover(
    person: Annotated[str, typer.Argument(help="Who cannot.")],
    since: Annotated[str | None, typer.Option(help="2026-06-14 18:00")] = None,
    until: Annotated[str | None, typer.Option(help="2026-06-15 08:00")] = None,
    instead: Annotated[str | None, typer.Option(help="Who stands in; otherwise nobody does.")] = None,
    home: Annotated[str | None, typer.Option(help="Only there; otherwise wherever they are on duty.")] = None,
    data: Data = None,
) -> None:
    """Write that somebody cannot for a time, and who stands in."""
    from deploy import desk  # noqa: PLC0415

    fields = {"person": person, "since": since, "until": until, "instead": instead, "home": home}
    _at(data, lambda at: desk.rota_override(at, fields))


@rota.command("uncover")
def rota_uncover(override: Annotated[int, typer.Argument(help="Its number.")], data: Data = None) -> None:
    """Take an override back."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.rota_no_override(at, override))


@rota.command("team")
def rota_team(
    team: Annotated[str, typer.Argument(help="A short name.")],
    name: Annotated[str, typer.Option(help="What it is called.")],
    data: Data = None,
) -> None:
    """Write a team of carers who share shifts; `telecare homes team` gives it a home."""
    from deploy import desk  # noqa: PLC0415

    _at(data, lambda at: desk.rota_team(at, team, name))
