"""One home, as an operator sees it: everything that is known of it, on one page."""

from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.judging.minutes import MONTH
from api import records, show
from api.access import CurrentOperator, OperatorsHome
from api.given import Connection, GivenToAll, Now
from api.routes import frame
from api.views import alert as alert_words
from api.views import home_of_operator as words
from api.views import looks, sight, state
from ingest import devices, missing, readings

router = APIRouter()

_FOUR_WEEKS: Final = timedelta(days=28)
# How far back the latest reading of each sensor is looked for; what has been silent for longer is said to be so.  Ours.
_SENSORS_DAYS: Final = 7
_ALERTS_MAX: Final = 30
_LOOKS_MAX: Final = 20


@router.get("/operator/homes/{home}")
async def show_one(
    request: Request, home: OperatorsHome, viewer: CurrentOperator, world: GivenToAll, conn: Connection, now: Now
) -> Response:
    """Show everything of one home."""
    resident = await frame.resident_of(conn, home)
    watch, told = await frame.seen_now(world, conn, home, now=now)
    alerts = await alerts_store.recent_alerts(conn, home, now - _FOUR_WEEKS)
    opened = await alerts_store.open_alerts(conn, [home])
    people = alert_words.matters_most([one for one in opened if not one.is_fault])
    spans = await alerts_store.watch_spans(conn, home, now - MONTH, now)
    gaps = sight.unseen(spans, told, since=now - MONTH, now=now)
    listed = {one.alert: one for one in [*opened, *alerts]}
    return show.page(
        request,
        "one_home.html",
        now=now,
        home=home,
        resident=resident,
        block=state.family_block(
            resident, watch, told, people, now=now, faults=[one for one in opened if one.is_fault]
        ),
        watch=watch,
        alerts=words.alert_lines(list(listed.values())[:_ALERTS_MAX], resident.full_name, now=now),
        sight=sight.sight(gaps, spans, now=now),
        outage=await alerts_store.outage_of(conn, home),
        **await frame.watched_time_of(conn, home, told, now=now),
        contacts=await alerts_store.telling_of(conn, home, at=now),
        **await _equipment(conn, home, now=now),
        **await _who(conn, home, now=now),
        numbers=words.numbers(await alerts_store.policy_of(conn, home)),
        **frame.facts(request, viewer, "fleet"),
    )


async def _equipment(conn: AsyncConnection[Any], home: str, *, now: datetime) -> dict[str, Any]:
    """Return hubs and sensors, and what did not become readings."""
    reports = {one.hub: one for one in await devices.reports(conn, home)}
    heard = await readings.last_of_sensors(conn, home, now - timedelta(days=_SENSORS_DAYS), now + timedelta(hours=1))
    return {
        "hubs": [words.hub_said(hub, reports.get(hub), now=now) for hub in await devices.hubs_of(conn, home)],
        "sensors": words.sensor_lines(await devices.sensors_of(conn, home), heard, _SENSORS_DAYS, now=now),
        "refused": await missing.refused_of_home(conn, home, now - _FOUR_WEEKS),
        "lost": await missing.lost_of_home(conn, home, now - _FOUR_WEEKS),
    }


async def _who(conn: AsyncConnection[Any], home: str, *, now: datetime) -> dict[str, Any]:
    """Return who may see the home, and who did."""
    found = await records.looks_at(conn, home, since=now - _FOUR_WEEKS, most=_LOOKS_MAX)
    return {"grants": await records.grants_of(conn, home, now=now), "looks": looks.to_operators(found, now=now)}
