"""A home, as its family sees it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.alert import Question, State
from alerts.judging.minutes import MONTH
from alerts.store import Alert, HomeWatch, Resident
from api import activity, pictures, show, store, times
from api.access import CurrentViewer, FamilyHome
from api.given import Connection, Given, GivenToAll, Now
from api.routes import frame
from api.store import Viewer
from api.views import alert as alert_words
from api.views import sight, state
from ingest import readings

router = APIRouter()

_FOUR_WEEKS: Final = timedelta(days=activity.DAYS)
_DAY: Final = timedelta(days=1)
# Closed alerts on the page of a home; each has a page of its own.  Ours.
_LATELY_MAX: Final = 10
# Open alerts whose stories are told there in full.  Ours.
_STORIES_MAX: Final = 5


@router.get("/homes/{home}")
async def show_home(
    request: Request, home: FamilyHome, viewer: CurrentViewer, world: GivenToAll, conn: Connection, now: Now
) -> Response:
    """Show how a home is seen now, what happens next, its day, its four weeks, and who is told."""
    live = await _live(world, conn, home, viewer, now=now)
    resident: Resident = live["resident"]
    asked = await alerts_store.pending(conn, viewer.person, home=home, now=now)
    is_asked = asked is not None and not asked.is_answered
    question = await store.question_for(conn, viewer, home, asked.question if asked and is_asked else None)
    return show.page(
        request,
        "home.html",
        **live,
        **await _month(conn, home, live["unseen"], resident.first_name, now=now),
        **frame.facts(request, viewer, "homes"),
        question=question,
        question_said=question.wording.format(first_name=resident.first_name) if question else None,
        lately=await _lately(conn, home, resident.first_name, now=now),
        answered=await store.last_answer(conn, home, viewer.person),
        is_asked=is_asked,
        reaches_back=await store.reaches_back(conn, home, now=now),
    )


@router.get("/homes/{home}/now")
async def show_now(
    request: Request, home: FamilyHome, viewer: CurrentViewer, world: GivenToAll, conn: Connection, now: Now
) -> Response:
    """Return the parts of the page that change by the minute, for its script."""
    live = await _live(world, conn, home, viewer, now=now)
    return show.page(request, "home_now.html", **live, **frame.facts(request, viewer, "homes"))


async def _live(
    world: Given, conn: AsyncConnection[Any], home: str, viewer: Viewer, *, now: datetime
) -> dict[str, Any]:
    """Return what changes by the minute, as words and pictures."""
    resident = await frame.resident_of(conn, home)
    watch, told = await frame.seen_now(world, conn, home, now=now)
    contacts = await alerts_store.telling_of(conn, home, at=now)
    policy = await alerts_store.policy_of(conn, home)
    alerts = await alerts_store.open_alerts(conn, [home])
    people = alert_words.matters_most([one for one in alerts if not one.is_fault])
    since = now - MONTH
    spans = await alerts_store.watch_spans(conn, home, since, now)
    gaps = sight.unseen(spans, told, since=since, now=now)
    unseen = [*sight.not_yet_watched(spans, since=since - _DAY, now=now), *(gap for gap, _ in gaps)]
    # Who is on duty now may not be when it is due.
    due_at = watch.next_alert_at if watch is not None and watch.next_alert_at is not None else now
    then = contacts if due_at <= now else await alerts_store.telling_of(conn, home, at=due_at)
    can_text = world.sms is not None and viewer.texts_refused is None
    next_ = state.what_next(resident, watch, told, then, policy, viewer.person, now=now, can_text=can_text)
    return {
        "now": now,
        "home": home,
        "resident": resident,
        "block": state.family_block(
            resident, watch, told, people, now=now, faults=[one for one in alerts if one.is_fault]
        ),
        "next": next_,
        "wait": pictures.of_wait(next_.since, next_.until, now=now) if next_.since and next_.until else None,
        "stories": await _stories(conn, alerts, resident.first_name, viewer, now=now),
        "people": state.people(resident, contacts, viewer.person),
        "helpers": [one for one in contacts if one.phone and people and one.person == people[0].mine_by],
        "sight": sight.sight(gaps, spans, now=now),
        "outage": await alerts_store.outage_of(conn, home),
        **await frame.watched_time_of(conn, home, told, now=now),
        "unseen": unseen,
        **await _day(conn, home, watch, unseen, people, now=now),
    }


async def _lately(conn: AsyncConnection[Any], home: str, name: str, *, now: datetime) -> list[tuple[Alert, str, str]]:
    """Return the newest alerts of the last four weeks that are closed, what they were, and how they ended."""
    raised = await alerts_store.recent_alerts(conn, home, now - _FOUR_WEEKS)
    closed = [one for one in raised if one.state is State.CLOSED][:_LATELY_MAX]
    return [(one, alert_words.sentence(one, name, now=now), alert_words.ending(one, now=now)) for one in closed]


async def _stories(
    conn: AsyncConnection[Any], alerts: Sequence[Alert], name: str, viewer: Viewer, *, now: datetime
) -> list[tuple[Alert, str, str, list[alert_words.Step]]]:
    """Return the open alerts: heading, what each is about, and its story; faults last.  No two headings are alike."""
    ordered = sorted(alert_words.matters_most(alerts), key=lambda one: one.is_fault)[:_STORIES_MAX]
    firsts = {one.is_fault: one.alert for one in reversed(ordered)}
    told = []
    for one in ordered:
        say = alert_words.sentence(one, name, now=now)
        usual = "What is being done" if one.is_fault else "What is happening"
        story = alert_words.story(await alerts_store.story(conn, one.alert), name, viewer.full_name, now=now)
        told.append((one, usual if firsts[one.is_fault] == one.alert else say, say, story))
    return told


async def _day(
    conn: AsyncConnection[Any],
    home: str,
    watch: HomeWatch | None,
    unseen: Sequence[activity.Unseen],
    people: Sequence[Alert],
    *,
    now: datetime,
) -> dict[str, Any]:
    """Return the strip of the last 24 hours, and the same in words."""
    slots = await readings.slots_of_home(conn, home, now - _DAY, now, activity.DAY_SLOT)
    mark = None
    if people and people[0].question is not Question.ALARM:
        mark = (people[0].since, f"last seen {times.clock_time(people[0].since)}")
    elif watch is not None and watch.up_since is not None and now - watch.up_since < _DAY:
        mark = (watch.up_since, f"up {times.clock_time(watch.up_since)}")
    return {
        "day": pictures.of_day(activity.rows(slots), unseen, now=now, mark=mark),
        "day_in_words": sight.day_in_words(slots, unseen, now=now),
    }


async def _month(
    conn: AsyncConnection[Any], home: str, unseen: Sequence[activity.Unseen], name: str, *, now: datetime
) -> dict[str, Any]:
    """Return the last four weeks, a row a day, as a picture and as a table, and what is usual in the mornings."""
    first = times.midnight(times.local_date(now) - timedelta(days=activity.DAYS - 1))
    slots = await readings.slots_of_home(conn, home, first, now, activity.MONTH_SLOT)
    days = activity.days(slots, unseen, now=now)
    return {
        "month": pictures.of_month(days, unseen, now=now),
        "days": sight.days_in_words(days, now=now),
        "usual": sight.usual_mornings(days, name),
    }
