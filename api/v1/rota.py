"""Who is told about a home and when, as an operator's program reads and writes it."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path

from alerts.store import rotas
from alerts.telling.rota import Duty
from api import access
from api.given import Connection, Now
from api.office import duty, homes
from api.office.said import WEEKDAYS, Mistakes
from api.v1 import kept
from api.v1.caller import AnyCaller, OperatorsHome, Wide, leave_record
from api.v1.problems import described
from api.v1.tokens import Caller, Scope
from api.v1.writing import SentOnce, fields_of, once
from gateway.reading import HomeId

router = APIRouter(responses=described(401, 403, 404, 422, 429, 503))

ReadHome = Annotated[HomeId, Depends(OperatorsHome("rota", Scope.PEOPLE_READ))]
WriteHome = Annotated[HomeId, Depends(OperatorsHome("rota", Scope.ROTA_WRITE))]
Reader = Annotated[Caller, Depends(Wide(Scope.PEOPLE_READ))]
Writer = Annotated[Caller, Depends(Wide(Scope.ROTA_WRITE))]
TeamInPath = Annotated[
    str, Path(description="The team's short name.", max_length=32, pattern=kept.KEY, examples=["west"])
]
Number = Annotated[int, Path(ge=1, le=access.BIGINT_MAX, examples=[1])]


@router.get("/homes/{home}/rota")
async def read_rota(home: ReadHome, conn: Connection, now: Now) -> kept.Rota:
    """Say who is told about a home in the week to come, and by which shifts."""
    ahead = await duty.ahead(conn, home, now=now)
    return kept.Rota(
        home=home,
        duties=[_duty(one) for one in ahead.duties],
        gaps=[_duty(one) for one in ahead.gaps],
        shifts=[_shift(one) for one in await rotas.shifts_of(conn, home)],
    )


@router.put("/homes/{home}/told")
async def write_told(
    home: WriteHome, wrote: kept.ToldWritten, caller: AnyCaller, conn: Connection, now: Now
) -> kept.Rota:
    """Write who is told at any hour, the first first."""
    await homes.save_told(conn, home, fields_of(wrote), by=caller.viewer.person, now=now)
    return await read_rota(home, conn, now)


@router.put("/homes/{home}/team")
async def write_team_of_home(
    home: WriteHome, wrote: kept.TeamOfHomeWritten, caller: AnyCaller, conn: Connection, now: Now
) -> kept.Rota:
    """Write whose shifts are told about a home besides its own; null: nobody's."""
    await duty.set_home_team(conn, home, fields_of(wrote), by=caller.viewer.person, now=now)
    return await read_rota(home, conn, now)


@router.post("/homes/{home}/shifts", status_code=201)
async def add_shift(
    home: WriteHome,
    wrote: kept.ShiftWritten,
    caller: AnyCaller,
    conn: Connection,
    now: Now,
    sent: SentOnce,
) -> kept.Made:
    """Write a shift of a home."""
    fields, by = fields_of(wrote, home=home), caller.viewer.person
    number, _ = await once(conn, sent, lambda: duty.add_shift(conn, fields, by=by, now=now))
    return kept.Made(number=number)


@router.delete("/homes/{home}/shifts/{shift}", status_code=204)
async def remove_shift(home: WriteHome, shift: Number, caller: AnyCaller, conn: Connection, now: Now) -> None:
    """Let a shift of a home count no more."""
    try:
        await duty.remove_shift(conn, shift, by=caller.viewer.person, now=now, home=home)
    except Mistakes:
        raise HTTPException(404) from None


# -- teams


@router.get("/teams")
async def list_teams(caller: Reader, conn: Connection) -> kept.Teams:  # noqa: ARG001 - that it may is what counts
    """List the teams with their shifts."""
    return kept.Teams(items=[await _team(conn, one) for one in await rotas.teams(conn)])


@router.put("/teams/{team}")
async def write_team(
    team: TeamInPath, wrote: kept.TeamWritten, caller: Writer, conn: Connection, now: Now
) -> kept.Team:
    """Write what a team is called; one that is not there is added."""
    await duty.save_team(conn, fields_of(wrote, team=team), by=caller.viewer.person, now=now)
    return await _team(conn, await _known_team(conn, team))


@router.post("/teams/{team}/shifts", status_code=201)
async def add_shift_of_team(
    team: TeamInPath,
    wrote: kept.ShiftWritten,
    caller: Writer,
    conn: Connection,
    now: Now,
    sent: SentOnce,
) -> kept.Made:
    """Write a shift of a team."""
    await _known_team(conn, team)
    fields, by = fields_of(wrote, team=team), caller.viewer.person
    number, _ = await once(conn, sent, lambda: duty.add_shift(conn, fields, by=by, now=now))
    return kept.Made(number=number)


@router.delete("/teams/{team}/shifts/{shift}", status_code=204)
async def remove_shift_of_team(team: TeamInPath, shift: Number, caller: Writer, conn: Connection, now: Now) -> None:
    """Let a shift of a team count no more."""
    found = await rotas.find_shift(conn, shift)
    if found is None or found.team != team:
        raise HTTPException(404)
    await duty.remove_shift(conn, shift, by=caller.viewer.person, now=now)


async def _known_team(conn: Connection, team: str) -> rotas.Team:
    for one in await rotas.teams(conn):
        if one.team == team:
            return one
    raise HTTPException(404)


# -- who cannot


@router.get("/overrides")
async def list_overrides(caller: Reader, conn: Connection, now: Now) -> kept.Overrides:
    """List who cannot, and who stands in, as far as that is not over."""
    found = await rotas.all_overrides(conn, since=now)
    await leave_record(conn, caller, sorted({one.home for one in found if one.home is not None}), "rota", now=now)
    return kept.Overrides(
        items=[
            kept.Override(
                override=one.override,
                home=one.home,
                team=one.team,
                person=one.person,
                instead=one.instead,
                since=one.since,
                until=one.until,
            )
            for one in found
        ]
    )


@router.post("/overrides", status_code=201)
async def add_override(
    wrote: kept.OverrideWritten,
    caller: Writer,
    conn: Connection,
    now: Now,
    sent: SentOnce,
) -> kept.Made:
    """Write that somebody cannot for a time, and who stands in, if anybody does."""
    fields, by = fields_of(wrote), caller.viewer.person
    number, _ = await once(conn, sent, lambda: duty.add_override(conn, fields, by=by, now=now))
    return kept.Made(number=number)


@router.delete("/overrides/{override}", status_code=204)
async def remove_override(override: Number, caller: Writer, conn: Connection, now: Now) -> None:
    """Let an override count no more."""
    try:
        await duty.remove_override(conn, override, by=caller.viewer.person, now=now)
    except Mistakes:
        raise HTTPException(404) from None


async def _team(conn: Connection, one: rotas.Team) -> kept.Team:
    shifts = [_shift(shift) for shift in await rotas.shifts_of_team(conn, one.team)]
    return kept.Team(team=one.team, name=one.name, homes=one.homes, shifts=shifts)


def _duty(one: Duty) -> kept.Duty:
    return kept.Duty(since=one.since, until=one.until, persons=list(one.persons))


def _shift(one: rotas.KeptShift) -> kept.Shift:
    return kept.Shift(
        shift=one.shift,
        home=one.home,
        team=one.team,
        person=one.person,
        days=[WEEKDAYS[day] for day in sorted(one.weekdays)],
        begins=one.begins.isoformat("minutes"),
        ends=one.ends.isoformat("minutes"),
        place=one.place,
        valid_from=one.valid_from,
        valid_until=one.valid_until,
    )
