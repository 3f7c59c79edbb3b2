"""All homes, as an operator sees them: who has nobody coming, whom we cannot see, and where to look next."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.judging.minutes import MONTH
from alerts.store import HomeSeen, Kind
from api import access, show
from api.access import CurrentOperator
from api.given import Connection, Given, GivenToAll, Now
from api.routes import frame
from api.views import fleet, state, watched_time
from api.views.state import Truth

router = APIRouter()

Show = Literal["", "alerts", "faults", "blind", "degraded", "learning", "watched", "paused", "least"]

# Lines of each part of the first page; the rest is behind a link.  Ours: what a person reads before acting.
_FIRST: Final = 8
_PAGE: Final = 50
# Pages of one list: 50,000 homes, or a search that should be narrower.
_PAGES_MAX: Final = 1000
_SEARCH_MAX: Final = 60
_DAYS: Final = 28
_VIEW: Final = "list of homes"


@router.get("/operator")
async def show_fleet(
    request: Request,
    viewer: CurrentOperator,
    world: GivenToAll,
    conn: Connection,
    now: Now,
    only: Annotated[Show, Query(alias="show")] = "",
    search: Annotated[str, Query(alias="q", max_length=_SEARCH_MAX)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=_PAGES_MAX)] = 1,
) -> Response:
    """Show how all homes are seen, and in which somebody must act; or one part of them, or those searched for.

    Each home that is named leaves a record; counts name nobody.
    """
    searched = search.replace("\0", "").strip()
    lists = _Lists(conn, world, now)
    homes = await alerts_store.count_homes(conn, now=now, stretch=world.clock.stretch())
    opened = await alerts_store.count_open(conn)
    parts = await (lists.chosen(only, searched, number) if only or searched else lists.first())
    groups = await alerts_store.blind_together(conn, now=now, stretch=world.clock.stretch())
    firsts = await lists.alerts(most=1)
    named = {one.some[0] for one in groups[:1] if one.some} | {one.alert.home or "" for one in firsts} | parts["named"]
    shown_groups = [fleet.group_row(one, now=now) for one in groups if fleet.is_shared(one)][:_FIRST]
    named |= {home for one in shown_groups for home in one.some}
    await access.leave_record(conn, viewer, sorted(named - {""}), _VIEW, now=now)
    return show.page(
        request,
        "fleet.html",
        now=now,
        homes=homes,
        whole=sum(homes.values()),
        opened=opened,
        only=only,
        search=searched,
        headings=_headings(homes, groups, opened, firsts, lists, now=now),
        groups=shown_groups,
        parts=parts,
        pages=_pages(only, searched, number, is_more=parts["is_more"]),
        hours=None if only or searched else await _hours(conn, world, now=now),
        homeless=await alerts_store.homeless_alerts(conn),
        lease=state.lease(lists.told, is_alert=opened.unanswered > 0),
        here=f"/operator?{urlencode({'show': only, 'q': searched, 'page': number})}",
        **frame.facts(request, viewer, "fleet"),
    )


class _Lists:
    """The lists of one answer, and how well each home in them is seen."""

    def __init__(self, conn: AsyncConnection[Any], world: Given, now: datetime) -> None:
        self._conn, self._now = conn, now
        self._stretch, self._speed = world.clock.stretch(), world.clock.speed()
        self.told: list[Truth] = []
        self.texts: dict[int, alerts_store.Texts] = {}

    async def first(self) -> dict[str, Any]:
        """Return the first lines of each part."""
        rows: dict[str, Sequence[fleet.AlertRow | fleet.HomeRow]] = {
            "alerts": await self.alerts(most=_FIRST),
            "faults": await self.alerts(is_fault=True, most=_FIRST),
            "blind": await self.homes("blind", most=_FIRST),
            "degraded": await self.homes("degraded", most=_FIRST),
        }
        return {**_empty(), **rows, "named": _named(*rows.values()), "is_more": False}

    async def chosen(self, only: Show, search: str, number: int) -> dict[str, Any]:
        """Return one page of the part that was chosen, or of all homes; one line more than it has is looked for."""
        behind = (number - 1) * _PAGE
        listed: Sequence[fleet.AlertRow | fleet.HomeRow]
        if only in ("alerts", "faults"):
            listed = await self.alerts(is_fault=only == "faults", most=_PAGE + 1, behind=behind)
        elif only == "least" and not search:
            listed = await self.least(most=_PAGE + 1, behind=behind)
        else:
            kind: Kind | None = only if only in get_args(Kind) else None  # type: ignore[assignment]  # it is one of them
            listed = await self.homes(kind, search=search, most=_PAGE + 1, behind=behind)
        rows = listed[:_PAGE]
        return {**_empty(), only or "found": rows, "named": _named(rows), "is_more": len(listed) > _PAGE}

    async def alerts(self, *, is_fault: bool = False, most: int, behind: int = 0) -> list[fleet.AlertRow]:
        found = await alerts_store.open_everywhere(self._conn, is_fault=is_fault, most=most, behind=behind)
        texts = await alerts_store.texts_of(self._conn, [one.alert for one in found])
        self.texts |= texts
        return [fleet.alert_row(one, texts.get(one.alert), now=self._now) for one in found]

    async def homes(self, kind: Kind | None, *, search: str = "", most: int, behind: int = 0) -> list[fleet.HomeRow]:
        found = await alerts_store.list_homes(
            self._conn, now=self._now, stretch=self._stretch, kind=kind, search=search, most=most, behind=behind
        )
        return [self._home(one) for one in found]

    async def least(self, *, most: int, behind: int) -> list[fleet.HomeRow]:
        """Return the homes that could be seen for the least of thirty days, first; each with its share."""
        found = await alerts_store.least_seen(
            self._conn, self._now - MONTH, now=self._now, stretch=self._stretch, most=most, behind=behind
        )
        homes = await alerts_store.list_homes(
            self._conn, now=self._now, stretch=self._stretch, homes=[one.home for one in found], most=most
        )
        rows = {one.home: self._home(one) for one in homes}
        return [
            replace(rows[one.home], said=f"{watched_time.row_in_words(one, now=self._now)} {rows[one.home].said}")
            for one in found
            if one.home in rows
        ]

    def _home(self, seen: HomeSeen) -> fleet.HomeRow:
        told = state.truth(seen.watch, now=self._now, speed=self._speed, stretch=self._stretch)
        self.told.append(told)
        return fleet.home_row(seen, told, now=self._now)


def _empty() -> dict[str, Any]:
    parts = ["alerts", "faults", "blind", "degraded", "learning", "watched", "paused", "least", "found"]
    return dict.fromkeys(parts, ())


def _named(*lists: Iterable[fleet.AlertRow | fleet.HomeRow]) -> set[str]:
    rows = [row for rows in lists for row in rows]
    return {(row.home if isinstance(row, fleet.HomeRow) else row.alert.home) or "" for row in rows}


def _headings(
    homes: dict[Kind, int],
    groups: Sequence[alerts_store.BlindTogether],
    opened: alerts_store.OpenCounts,
    firsts: Sequence[fleet.AlertRow],
    lists: _Lists,
    *,
    now: datetime,
) -> list[fleet.Heading]:
    """Return what stands first: nobody comes, and whom we cannot see."""
    first = firsts[0].alert if firsts else None
    texts = lists.texts.get(first.alert) if first is not None else None
    both = fleet.nobody_comes(opened, first, texts, now=now), fleet.cannot_see(homes, groups, now=now)
    return [one for one in both if one is not None]


async def _hours(conn: AsyncConnection[Any], world: Given, *, now: datetime) -> str:
    since = now - timedelta(days=_DAYS)
    hours = await alerts_store.hours_seen(conn, since, now=now, stretch=world.clock.stretch())
    return fleet.hours_in_words(hours, _DAYS)


def _pages(only: Show, search: str, number: int, *, is_more: bool) -> dict[str, str | None]:
    """Return the addresses of the pages before and behind this one; None where there is none."""

    def address(of: int) -> str:
        return f"/operator?{urlencode({'show': only, 'q': search, 'page': of})}"

    return {
        "before": address(number - 1) if number > 1 else None,
        "next": address(number + 1) if is_more and number < _PAGES_MAX else None,
    }
