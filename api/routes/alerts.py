"""Alerts: what carers see and answer, and what families may read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.alert import Outcome, Question, State
from alerts.store import Alert, LetGo, Resident, restores
from alerts.store import thresholds as policies
from alerts.store.asking import Pending
from api import access, calls, show
from api.access import CarersAlert, CurrentViewer, VisibleAlert
from api.given import Connection, GivenToAll, Now
from api.routes import frame, thresholds
from api.store import Viewer
from api.views import alert as words
from api.views import raised_by, state

router = APIRouter()

# Homes on one page; the rest is behind a link.  Ours: what a person scrolls through.
_HOMES_PAGE: Final = 50
# Open alerts, and faults, that an operator's list shows of every home; the rest is behind a link.  Ours.
_ALERTS_PAGE: Final = 50
_WORD_MAX: Final = 500
# So long after it was closed an alert can still be answered with a call for help; as the store has it.
_JUST_OVER: Final = timedelta(days=1)
COULD_NOT_FIND_OUT: Final = "could not find out"


@router.get("/carer")
async def list_open(
    request: Request,
    viewer: CurrentViewer,
    world: GivenToAll,
    conn: Connection,
    now: Now,
    number: Annotated[int, Query(alias="page", ge=1, le=1000)] = 1,
) -> Response:
    """List the alerts that need someone in the homes that this person cares for, and how those homes are seen.

    To an operator those of every home, who waits most first: what nobody else takes is theirs.
    """
    homes = viewer.homes_as("carer")
    opened = await _open_to(conn, viewer, homes)
    named = {*homes, *(alert.home for alert in opened if alert.home is not None)}
    await access.leave_record(conn, viewer, sorted(named), "open alerts", now=now)
    residents = await alerts_store.residents_of(conn, [alert.home for alert in opened if alert.home is not None])
    shown = [_card(alert, frame.resident_in(residents, alert.home or ""), viewer, now=now) for alert in opened]
    seen = await frame.seen_homes(world, conn, homes, now=now, most=_HOMES_PAGE, behind=(number - 1) * _HOMES_PAGE)
    behind = number * _HOMES_PAGE < len(homes)
    return show.page(
        request,
        "carer.html",
        people=[card for card in shown if not card["alert"].is_fault],
        faults=[card for card in shown if card["alert"].is_fault],
        homes=seen,
        everywhere=await alerts_store.count_open(conn) if viewer.is_operator else None,
        lease=state.lease([one.told for one in seen], is_alert=any(not card["alert"].is_fault for card in shown)),
        pages={
            "before": f"/carer?page={number - 1}" if number > 1 else None,
            "next": f"/carer?page={number + 1}" if behind else None,
        },
        count=len(homes),
        here=f"/carer?page={number}" if number > 1 else "/carer",
        homeless=await alerts_store.homeless_alerts(conn) if viewer.is_operator else [],
        asked=await _asked(conn, viewer, now=now),
        calls_due=await calls.count_due(conn) if viewer.is_operator else 0,
        to_decide=await restores.count_to_decide(conn) if viewer.is_operator else 0,
        now=now,
        **frame.facts(request, viewer, "carer"),
    )


async def _open_to(conn: AsyncConnection[Any], viewer: Viewer, homes: Sequence[str]) -> list[Alert]:
    """Return the open alerts that somebody's list shows; to an operator at most 50 of residents, and 50 faults."""
    if not viewer.is_operator:
        return words.matters_most(await alerts_store.open_alerts(conn, homes))
    # What is theirs as a carer stays, however much is open elsewhere.
    found = words.matters_most(await alerts_store.open_alerts(conn, homes))
    for is_fault in (False, True):
        found += await alerts_store.open_everywhere(conn, is_fault=is_fault, most=_ALERTS_PAGE)
    return list({one.alert: one for one in found}.values())


async def _asked(conn: AsyncConnection[Any], viewer: Viewer, *, now: datetime) -> Pending | None:
    """Return the question that waits for this person about a home of which they have no page; else None."""
    asked = await alerts_store.pending(conn, viewer.person, now=now)
    if asked is None or asked.is_answered or "carer" not in viewer.homes.get(asked.home, ()):
        return None
    return None if "family" in viewer.homes[asked.home] else asked


@router.get("/homes/{home}/alerts/{alert}")  # noqa: FAST003 - the alert's own dependency takes the home
async def show_alert(
    request: Request, alert: VisibleAlert, viewer: CurrentViewer, world: GivenToAll, conn: Connection, now: Now
) -> Response:
    """Show one alert: whose it is, where, how it may be answered, and its story."""
    assert alert.home is not None
    resident = await frame.resident_of(conn, alert.home)
    told = await alerts_store.story(conn, alert.alert)
    policy, versions = await policies.behind(conn, alert.alert)
    by = raised_by.raised_by(alert, policy, versions, now=now)
    _, seen = await frame.seen_now(world, conn, alert.home, now=now)
    card = _card(alert, resident, viewer, now=now)
    return show.page(
        request,
        "alert.html",
        **card,
        story=words.story(told, resident.first_name, viewer.full_name, by="" if by is None else by.short, now=now),
        by=by,
        by_address=thresholds.address_of(by.version) if viewer.is_operator and by and by.version else None,
        seen=seen,
        lease=state.lease([seen], is_alert=card["is_open"]),
        is_carer=access.may_answer(viewer, alert.home),
        is_just_over=alert.closed_at is not None and now - alert.closed_at < _JUST_OVER,
        contacts=[
            one for one in await alerts_store.telling_of(conn, alert.home, at=now) if one.person != viewer.person
        ],
        outcomes=_outcomes(alert),
        now=now,
        **frame.facts(request, viewer, "carer" if access.may_answer(viewer, alert.home) else "homes"),
    )


@router.post("/homes/{home}/alerts/{alert}/mine")  # noqa: FAST003 - the alert's own dependency takes the home
async def say_mine(alert: CarersAlert, viewer: CurrentViewer, conn: Connection, now: Now) -> Response:
    """Take an alert, if nobody else has it; the page that follows says whose it is."""
    await alerts_store.acknowledge(conn, alert.alert, viewer.person, how="page", now=now)
    return _then_alert(alert)


@router.post("/homes/{home}/alerts/{alert}/cannot")  # noqa: FAST003 - the alert's own dependency takes the home
async def say_cannot(alert: CarersAlert, viewer: CurrentViewer, conn: Connection, now: Now) -> Response:
    """Pass an alert on to the next person."""
    await alerts_store.let_go(conn, alert.alert, viewer.person, why=LetGo.CANNOT_GO, now=now)
    return _then_alert(alert)


@router.post("/homes/{home}/alerts/{alert}/help")  # noqa: FAST003 - the alert's own dependency takes the home
async def ask_for_help(alert: CarersAlert, viewer: CurrentViewer, conn: Connection, now: Now) -> Response:
    """Ask everybody else on the list to come too; where somebody has closed it meanwhile, that is a new alert."""
    is_called = await alerts_store.let_go(conn, alert.alert, viewer.person, why=LetGo.HELP, now=now)
    if is_called and alert.state is State.CLOSED and alert.home is not None:
        opened = await alerts_store.open_alerts(conn, [alert.home])
        alert = next((one for one in opened if one.question is Question.ALARM), alert)
    return _then_alert(alert)


@router.post("/homes/{home}/alerts/{alert}/outcome")  # noqa: FAST003 - the alert's own dependency takes the home
async def say_outcome(
    alert: CarersAlert,
    viewer: CurrentViewer,
    conn: Connection,
    now: Now,
    outcome: Annotated[str, Form(max_length=40)] = "",
    word: Annotated[str, Form(max_length=_WORD_MAX)] = "",
) -> Response:
    """Say how it ended; "could not find out" keeps it open and goes to the next person."""
    if outcome == COULD_NOT_FIND_OUT:
        await alerts_store.let_go(conn, alert.alert, viewer.person, why=LetGo.COULD_NOT_FIND_OUT, now=now)
    elif outcome in {value for value, _, _ in _outcomes(alert)}:
        said = word.replace("\0", "").strip() or None
        await alerts_store.close(conn, alert.alert, viewer.person, Outcome(outcome), said, now=now)
    else:
        raise HTTPException(422)
    return _then_alert(alert)


def _then_alert(alert: Alert) -> Response:
    return show.then(f"/homes/{alert.home}/alerts/{alert.alert}")


def _outcomes(alert: Alert) -> list[tuple[str, str, str]]:
    """Return the outcomes that may be chosen: value, word, and what it means."""
    if alert.is_fault:
        return [
            (Outcome.MENDED.value, "Mended", "It works again, or somebody has seen to it"),
            (Outcome.FALSE_ALARM.value, "False alarm", "Nothing was wrong with it"),
            (Outcome.TEST.value, "It was a test", "Somebody tried it out"),
        ]
    return [
        (Outcome.ALL_WELL.value, "All well", "I saw or spoke to the resident"),
        (Outcome.HELP_GIVEN.value, "Help given", "A hand was needed; safe now"),
        (Outcome.AMBULANCE.value, "Ambulance called", "999 rung, or the crew is there"),
        (Outcome.FALSE_ALARM.value, "False alarm", "Nothing had happened, we read it wrong"),
        (Outcome.TEST.value, "It was a test", "Somebody tried it out"),
    ]


def _details(alert: Alert, name: str, *, now: datetime) -> list[str]:
    more = words.goes_on(alert, now=now)
    return [*words.details(alert, name, now=now), *([more] if more else [])]


def _card(alert: Alert, resident: Resident, viewer: Viewer, *, now: datetime) -> dict[str, Any]:
    """Return what is said of an alert wherever it stands."""
    is_mine = alert.mine_by == viewer.person and alert.state is State.ACKNOWLEDGED
    return {
        "alert": alert,
        "resident": resident,
        "say": words.sentence(alert, resident.full_name, now=now),
        "details": _details(alert, resident.first_name, now=now),
        "who_goes": words.who_goes(alert),
        "ended": words.outcome_in_words(alert.outcome),
        "is_mine": is_mine,
        "is_open": alert.state is not State.CLOSED,
        "is_taken": alert.state is State.ACKNOWLEDGED and not is_mine,
    }
