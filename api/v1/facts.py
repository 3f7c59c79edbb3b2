"""How do facts become answers?  Pure: what is true comes in, what is said goes out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts import store as alerts_store
from alerts.judging.finding import SeenLater
from alerts.judging.watched import Watched
from alerts.store import HomeWatch
from api.v1 import shapes
from api.views import alert as alert_words
from api.views import state, watched_time
from api.views.state import Truth

_NOBODY = "The resident"


def home_said(
    home: str,
    watch: HomeWatch | None,
    told: Truth,
    resident: alerts_store.Resident | None,
    *,
    is_in_outage: bool,
) -> shapes.Home:
    """Return what is said of a home, with its lease: blind as soon as that has lapsed, whatever is written."""
    is_blind = told.state is Watched.BLIND
    seen = None
    if watch is not None and watch.last_seen_at is not None:
        seen = shapes.Seen(at=watch.last_seen_at, room=watch.last_seen_room)
    return shapes.Home(
        home=home,
        state=told.state.value,
        why=list(told.why),
        quiet=state.quiet_of(watch, told, is_in_outage=is_in_outage),
        since=told.since,
        true_at=told.true_at,
        not_known_from=None if is_blind or watch is None else watch.fine_until,
        learning={} if watch is None else dict(watch.learning),
        last_seen=seen,
        next_alert_at=None if is_blind or watch is None else watch.next_alert_at,
        next_alert_why={"none": "blind"} if is_blind or watch is None else dict(watch.next_alert_why),
        resident=None if resident is None else resident_said(resident),
    )


def resident_said(resident: alerts_store.Resident) -> shapes.Resident:
    """Return who lives there."""
    return shapes.Resident(
        first_name=resident.first_name,
        full_name=resident.full_name,
        phone=resident.phone,
        address=resident.address,
        know=resident.know,
    )


def alert_said(alert: alerts_store.Alert, *, now: datetime) -> shapes.Alert:
    """Return what is said of an alert."""
    assert alert.home is not None
    return shapes.Alert(
        alert=alert.alert,
        home=alert.home,
        question=str(alert.question),
        is_fault=alert.is_fault,
        say=alert_words.sentence(alert, _NOBODY, now=now),
        since=alert.since,
        at=alert.at,
        raised_at=alert.raised_at,
        why=dict(alert.why),
        state=alert.state.value,
        mine_by=alert.mine_by,
        mine_at=alert.mine_at,
        nobody_left_at=alert.nobody_left_at,
        cause_ended_at=alert.cause_ended_at,
        outcome=str(alert.outcome) if alert.outcome else None,
        closed_at=alert.closed_at,
        closed_by=alert.closed_by,
    )


def spans_said(
    home: str,
    spans: Sequence[alerts_store.Span],
    told: Truth,
    later: Sequence[SeenLater] = (),
    *,
    since: datetime,
    until: datetime,
) -> shapes.Spans:
    """Return how well a home could be seen, cut to a time; after the lease it is blind, whatever is written.

    Args:
        home: which.
        spans: as they were known live, in order; those that touch the time.
        told: how well it is seen now, with the lease held against the clock.
        later: what arrived afterwards of times that were blind.
        since: where the time begins.
        until: where it ends, not after `told.true_at` or the lease's end, whichever is the caller's now.
    """
    lapsed = told.since if told.state is Watched.BLIND else None
    items: list[shapes.Span] = []
    for span in spans:
        ends = span.until
        if ends is None and lapsed is not None and span.state is not Watched.BLIND:
            ends = max(lapsed, span.since)
        if (ends is None or ends > since) and (ends is None or ends > span.since):
            items.append(shapes.Span(since=span.since, until=ends, state=span.state.value, why=list(span.why)))
    if lapsed is not None and spans and spans[-1].until is None and spans[-1].state is not Watched.BLIND:
        items.append(shapes.Span(since=lapsed, until=None, state="blind", why=list(told.why)))
    blind = sum((_within(one, since, until) for one in items if one.state == "blind"), timedelta(0))
    whole = sum((_within(one, since, until) for one in items if one.state != "paused"), timedelta(0))
    seen = watched_time.counted(spans, told, since=since, now=until)
    gap = seen.last_gap
    return shapes.Spans(
        home=home,
        since=since,
        until=until,
        true_at=told.true_at,
        blind_s=blind.total_seconds(),
        to_watch_s=whole.total_seconds(),
        minutes=shapes.Minutes(
            watched=seen.watched,
            degraded=seen.degraded,
            blind=seen.blind,
            paused=seen.paused,
            share=seen.share,
            blind_by_cause=seen.by_cause,
        ),
        last_gap=None
        if gap is None
        else shapes.LastGap(since=gap.since, until=_goes_on(gap.until, until), why=list(gap.why)),
        seen_later=[
            shapes.Later(
                since=one.since,
                until=one.until,
                first_seen_at=one.first_seen_at,
                last_seen_at=one.last_seen_at,
                readings=one.readings,
                known_at=one.at,
            )
            for one in later
        ],
        items=items,
    )


def _goes_on(until: datetime | None, now: datetime) -> datetime | None:
    return None if until is None or until >= now else until


def _within(span: shapes.Span, since: datetime, until: datetime) -> timedelta:
    return max(min(span.until or until, until) - max(span.since, since), timedelta(0))
