"""Homes, as programs see them: state, spans, readings, numbers, people."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request

from alerts import store as alerts_store
from alerts.judging import policy as policies
from api.given import Connection, Given, GivenToAll, Now
from api.v1 import facts, shapes
from api.v1.caller import AnyCaller, HomeFor, Scoped, homes_of, leave_record
from api.v1.paging import Cursor, Limit, foreign_cursor, key_of, next_page
from api.v1.problems import Unreadable, described
from api.v1.tokens import Caller, Scope
from api.views import state
from gateway.reading import HomeId
from ingest import readings

router = APIRouter(responses=described(401, 403, 404, 422, 429, 503))

_DAYS_MAX: Final = timedelta(days=31)
"""The longest time that one question may span: a month of a home.  Ours."""

HomesReader = Annotated[Caller, Depends(Scoped(Scope.HOMES_READ))]
Since = Annotated[datetime | None, Query(description="The first moment that counts, with its offset.")]
Until = Annotated[datetime | None, Query(description="The first that no longer does; otherwise now.")]


@router.get("/homes")
async def list_homes(
    request: Request,
    caller: HomesReader,
    world: GivenToAll,
    conn: Connection,
    now: Now,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> shapes.Homes:
    """List the homes that this token may see, by name, and how each is seen."""
    after = key_of(cursor, str)
    names = [home for home in await homes_of(conn, caller) if after is None or home > after]
    shown = names[:limit]
    await leave_record(conn, caller, shown, "list of homes", now=now)
    items = await _homes(world, conn, shown, caller, now=now)
    return shapes.Homes(items=items, next=next_page(request, shown[-1]) if len(names) > limit else None)


@router.get("/homes/{home}")
async def read_home(
    home: Annotated[HomeId, Depends(HomeFor("home", Scope.HOMES_READ))],
    caller: AnyCaller,
    world: GivenToAll,
    conn: Connection,
    now: Now,
) -> shapes.Home:
    """Say how a home is seen now, and what happens if nothing more is seen."""
    (item,) = await _homes(world, conn, [home], caller, now=now)
    return item


@router.get("/homes/{home}/spans")
async def list_spans(
    home: Annotated[HomeId, Depends(HomeFor("when it was seen", Scope.HOMES_READ))],
    world: GivenToAll,
    conn: Connection,
    now: Now,
    since: Since = None,
    until: Until = None,
) -> shapes.Spans:
    """Say when a home could be seen, and when not and why; the last 30 days unless told."""
    begins, ends = _window(since, until, timedelta(days=30), now=now)
    spans = await alerts_store.watch_spans(conn, home, begins, ends)
    stretch = world.clock.stretch()
    watch = await alerts_store.watch_of(conn, home, stretch=stretch)
    told = state.truth(watch, now=now, speed=world.clock.speed(), stretch=stretch)
    later = await alerts_store.seen_later(conn, home, begins, ends)
    return facts.spans_said(home, spans, told, later, since=begins, until=ends)


@router.get("/homes/{home}/readings")
async def list_readings(
    request: Request,
    home: Annotated[HomeId, Depends(HomeFor("readings", Scope.READINGS_READ))],
    conn: Connection,
    now: Now,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> shapes.Readings:
    """List what was measured, in the order in which it was observed; the last day unless told."""
    begins, ends = _window(since, until, timedelta(days=1), now=now)
    key: tuple[datetime, int] | None = key_of(cursor, tuple[datetime, int])
    at, skip = key or (begins, 0)
    if at.tzinfo is None or not begins <= at or not 0 <= skip <= readings.ROWS_MAX:
        raise foreign_cursor()
    rows = await readings.page_of_home(conn, home, at, ends, skip=skip, limit=limit + 1)
    shown = rows[:limit]
    more = None
    if len(rows) > limit:
        last = shown[-1].observed_at
        at_last = sum(row.observed_at == last for row in shown)
        more = next_page(request, (last, at_last + (skip if last == at else 0)))
    return shapes.Readings(home=home, items=[_reading(row) for row in shown], next=more)


@router.get("/homes/{home}/policy")
async def read_policy(
    home: Annotated[HomeId, Depends(HomeFor("thresholds", Scope.HOMES_READ))], conn: Connection
) -> shapes.Policy:
    """Say by which numbers a home is judged now."""
    numbers = policies.to_json(await alerts_store.policy_of(conn, home))
    version = numbers.pop("policy")
    return shapes.Policy(home=home, policy=version if isinstance(version, int) else None, numbers=dict(numbers))


@router.get("/homes/{home}/people")
async def list_people(
    home: Annotated[HomeId, Depends(HomeFor("who is told", Scope.PEOPLE_READ))], conn: Connection
) -> shapes.Told:
    """Say who is told about a home, in order, the operator last."""
    items = [
        shapes.Contact(person=one.person, full_name=one.full_name, what=one.what, phone=one.phone)
        for one in await alerts_store.telling_of(conn, home)
    ]
    return shapes.Told(home=home, items=items)


async def _homes(
    world: Given, conn: Connection, homes: list[str], caller: Caller, *, now: datetime
) -> list[shapes.Home]:
    stretch = world.clock.stretch()
    watches = await alerts_store.watches_of(conn, homes, stretch=stretch)
    may_read_people = Scope.PEOPLE_READ in caller.scopes
    residents = await alerts_store.residents_of(conn, homes) if may_read_people else {}
    dark = await alerts_store.homes_in_outage(conn, homes)
    said = []
    for home in homes:
        watch = watches.get(home)
        told = state.truth(watch, now=now, speed=world.clock.speed(), stretch=stretch)
        said.append(facts.home_said(home, watch, told, residents.get(home), is_in_outage=home in dark))
    return said


def _window(
    since: datetime | None, until: datetime | None, usual: timedelta, *, now: datetime
) -> tuple[datetime, datetime]:
    """Return the time that is asked for.

    Raises:
        Unreadable: a moment has no offset, or the time is empty or too long.
    """
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.utcoffset() is None:
            raise Unreadable(f"query.{name}", "It needs an offset, such as Z or +01:00.")
    try:
        ends = min(until or now, now)
        begins = since or ends - usual
        is_fit = timedelta(0) < ends - begins <= _DAYS_MAX
    except OverflowError:
        is_fit = False
    if not is_fit:
        raise Unreadable("query.since", f"It must be before `until` and now, by up to {_DAYS_MAX.days} days.")
    return begins, ends


def _reading(row: readings.Row) -> shapes.Reading:
    return shapes.Reading(
        sensor=row.sensor,
        room=row.room,
        quantity=row.quantity,
        value=row.value,
        observed_at=row.observed_at,
        uncertain_since=row.uncertain_since,
        received_at=row.received_at,
        may_repeat=row.may_repeat,
    )
