"""What is said of homes that were lived with a fault in each, and to whom?  See `silences` for what befalls them."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from alerts import store
from alerts.alert import Question
from alerts.judging.finding import Ended, Finding, SeenLater, Verdict
from alerts.judging.lane import Input, LaneJudge
from alerts.judging.outage import HOLD
from alerts.judging.quiet import Quiet
from alerts.judging.sorting import of_alert, sort
from alerts.judging.watched import Watch
from alerts.store import judged, outages, owing
from gateway.adapters.names import sensor_id
from ingest import entry
from tests.world.silences import (
    BEGINS,
    EXPECTED,
    FAULTS_FROM,
    KIT,
    LASTS,
    OURS,
    OURS_LASTS,
    Case,
    Fault,
    Timed,
    cases,
    lived,
)

Conn = AsyncConnection[Any]

# When the page of a home of which nobody was told is looked at.
_LOOKED_AT_AFTER: Final = timedelta(hours=2)
# Homes that are judged together.  Ours: a real lane of 200 homes has three.
_LANE_MAX: Final = 25


@dataclass(slots=True)
class Became:
    """What became of a case.

    Attributes:
        at: when it truly befell the home.
        told_as: what the first alert after that was sorted as; None: nobody was told.
        told_after: how long after the fault the first text was due.
        then_asked: which other questions about a silence were told, each once, in order.
        seen_as: what the home's page said it was two hours after the fault, while nobody was told.
        before: alerts about a silence in the day and the morning before, when all was well.
    """

    case: Case
    at: datetime
    told_as: Quiet | None = None
    told_after: timedelta | None = None
    then_asked: list[str] = field(default_factory=list)
    seen_as: Quiet | None = None
    before: int = 0

    @property
    def sorted_as(self) -> Quiet | None:
        """What it was taken for; None: for nothing out of the ordinary."""
        return self.told_as or (self.seen_as if self.seen_as in (Quiet.OURS, Quiet.PAUSED) else None)

    @property
    def is_right(self) -> bool:
        return self.sorted_as is EXPECTED[self.case.fault]


# -- what is judged


@dataclass(slots=True)
class Judged:
    """What judging concluded of some homes: when, and how well each was seen since when."""

    verdicts: list[tuple[datetime, list[Verdict]]] = field(default_factory=list)
    watches: dict[str, list[Watch]] = field(default_factory=dict)

    def seen_as(self, home: str, at: datetime) -> Quiet:
        """Return what the watched clock has of a moment; what is written later of it counts."""
        watch = next(one for one in reversed(self.watches[home]) if one.since <= at)
        return sort(watch.state, watch.why)


def judge(homes: Sequence[tuple[Case, Sequence[Timed]]], into: Judged) -> None:
    """Judge homes that share a lane, as the live loop does: to the tick, in the order of the log."""
    judge = LaneJudge({}, None)
    number = 0
    for case, _ in homes:
        for kind, content in _inputs(case):
            number += 1
            judge.apply(Input(number, case.home, case.begins, kind, content))
    paused = [Input(0, case.home, case.at, "pause", _pause(case)) for case, _ in homes if case.fault is Fault.PAUSED]
    ours = next((case for case, _ in homes if case.fault in OURS), None)
    deaf_at = None if ours is None else ours.at + OURS_LASTS
    for position, (at, entries) in enumerate(_batches([timed for _, timed in homes]), start=1):
        found: list[Verdict] = []
        while paused and paused[0].counts_from <= at:
            found += judge.apply(paused.pop(0))
        if ours is not None and deaf_at is not None and at >= deaf_at:
            deaf = entry.Deaf(ours.at, deaf_at, OURS[ours.fault])
            found += judge.take(entry.Batch(0, position, deaf_at, (deaf,)))
            # Seen before the first home is heard again, which may be with the very next batch.
            _note(judge, [], deaf_at, into)
            deaf_at = None
        found += judge.take(entry.Batch(0, position, at, tuple(entries)))
        _note(judge, found, at, into)
    ends = max(case.ends for case, _ in homes)
    _note(judge, judge.advance(ends), ends, into)


def _note(judge: LaneJudge, found: list[Verdict], at: datetime, into: Judged) -> None:
    for home in judge.changed():
        watch, known = judge.state_of(home).watch, into.watches.setdefault(home, [])
        if not known or known[-1] != watch:
            known.append(watch)
    # Each at the moment that it is true of: live, ticks have it found within a second of that.
    into.verdicts += [(one.at, [one]) for one in found]


def _batches(homes: Sequence[Sequence[Timed]]) -> Iterator[tuple[datetime, list[entry.Entry]]]:
    """Yield what is received, a second at a time."""
    batch: list[entry.Entry] = []
    second = None
    for at, one in heapq.merge(*homes, key=lambda timed: timed[0]):
        on = at.replace(microsecond=0) + timedelta(seconds=1)
        if second is not None and on != second:
            yield second, batch
            batch = []
        second = on
        batch.append(one)
    if second is not None:
        yield second, batch


def _inputs(case: Case) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "watched", {"hub": case.hub, "since": case.begins.isoformat()}
    sensors = [
        {"sensor": sensor_id(one.name), "kind": one.kind.value, "room": one.room or None, "is_outer": None}
        for one in KIT
    ]
    yield "sensors", {"sensors": sensors}


def _pause(case: Case) -> dict[str, Any]:
    until = BEGINS + LASTS + timedelta(hours=1)
    return {"kind": "away", "since": case.at.isoformat(), "until": until.isoformat()}


# -- what is told


async def furnish(conn: Conn, homes: Sequence[Case]) -> None:
    """Write homes, hubs and residents into a database; a carer and an operator can be texted."""
    await store.set_person(conn, "carer", "Anne Reid", what=None, phone="+447700900101")
    await store.set_person(conn, "office", "The office", what=None, phone="+447700900199")
    await store.set_service(conn, "Kilbrae telecare", "office")
    for case in homes:
        lane = case.number % 64
        await conn.execute(
            "INSERT INTO home (home, lane, added_at) VALUES (%s, %s, %s)", (case.home, lane, case.begins)
        )
        await conn.execute(
            "INSERT INTO hub (hub, home, lane, nats_hash, mosquitto_hash, added_at, network) "
            "VALUES (%s, %s, %s, '', '', %s, %s)",
            (case.hub, case.home, lane, case.begins, case.network),
        )
        await conn.execute(
            "INSERT INTO hub_report (hub, heard_at, outbox, boot, clock_off_by, held_readings, held_alarms, version, "
            "troubles) VALUES (%s, %s, 'o', 'b', '0', 0, 0, '1', '{}')",
            (case.hub, case.begins),
        )
        await store.set_resident(conn, case.home, first_name="Ann", full_name="Ann Reid", address=case.address)
        await store.set_telling(conn, case.home, ["carer"])


async def tell(conn: Conn, found: Judged, homes: Mapping[str, Case]) -> None:
    """Write what was concluded and whom it is told, at its moments; who is asked a second time is left out."""
    waits: list[datetime] = []
    for at, verdicts in sorted(found.verdicts, key=lambda one: one[0]):
        while waits and waits[0] <= at:
            await _ask_on(conn, heapq.heappop(waits))
        kept = [one for one in verdicts if not isinstance(one, SeenLater)]
        silent = [one for one in kept if isinstance(one, Finding) and one.question is Question.HUB_SILENT]
        if silent:
            # The hubs that are not silent were heard just now, as ingest has it.
            hubs = [homes[str(one.home)].hub for one in silent]
            await conn.execute("UPDATE hub_report SET heard_at = %s WHERE hub <> ALL(%s)", (at, hubs))
        async with conn.transaction():
            await judged.keep(conn, kept, now=at)
        if any(isinstance(one, Finding | Ended) and one.question is Question.HUB_SILENT for one in kept):
            heapq.heappush(waits, at + HOLD)
    for at in sorted(waits):
        await _ask_on(conn, at)


async def _ask_on(conn: Conn, now: datetime) -> None:
    """Look at the silent hubs whose text has waited for others."""
    rows = await conn.execute(
        "SELECT alert FROM alert WHERE question = 'hub_silent' AND next_telling_at <= %s ORDER BY alert",
        (now,),
    )
    for (alert,) in await rows.fetchall():
        async with conn.transaction():
            await owing.one_at_a_time(conn)
            scene = await owing.scene_of(conn, alert)
            assert scene is not None
            if not await outages.is_covered(conn, scene, now=now):
                await owing.tell_next(conn, scene, now=now)


async def became(conn: Conn, found: Judged, fell_at: Mapping[Case, datetime]) -> list[Became]:
    """Return what was told of each home, and what its page said where nobody was told."""
    rows = await conn.execute(
        """
        SELECT alert.home, alert.question, alert.why, alert.raised_at, outage.alert IS NOT NULL,
               (SELECT min(due_at) FROM notification n WHERE n.alert IN (alert.alert, outage.alert))
        FROM alert LEFT JOIN outage_home USING (alert) LEFT JOIN outage USING (outage)
        WHERE alert.home IS NOT NULL AND alert.part_of IS NULL ORDER BY alert.raised_at, alert.alert
        """
    )
    cells = {case.home: Became(case, at) for case, at in fell_at.items()}
    for home, question, why, raised_at, is_in_outage, due_at in await rows.fetchall():
        one = cells[home]
        quiet = of_alert(Question(question), why, is_in_outage=is_in_outage)
        if quiet is None and why.get("what") == "radio":
            quiet = Quiet.HUB  # The box itself says that it cannot hear.
        if quiet is None:
            continue
        if raised_at < one.at:
            one.before += raised_at >= one.at - FAULTS_FROM
        elif one.told_as is None:
            one.told_as, one.told_after = quiet, None if due_at is None else due_at - one.at
        elif question not in one.then_asked:
            one.then_asked.append(question)
    for one in cells.values():
        one.seen_as = found.seen_as(one.case.home, one.at + _LOOKED_AT_AFTER)
    return list(cells.values())


async def run(conn: Conn, each: Mapping[Fault, int], *, seed: int) -> list[Became]:
    """Live homes with these faults, judge them, tell of them, and return what became of each."""
    homes = cases(each)
    found, fell_at = Judged(), {}
    for lane in _lanes(homes):
        received = []
        for case in lane:
            timed, fell_at[case] = lived(case, seed=seed)
            received.append((case, timed))
        judge(received, found)
    await furnish(conn, homes)
    await tell(conn, found, {case.home: case for case in homes})
    return await became(conn, found, fell_at)


def _lanes(homes: Sequence[Case]) -> Iterator[list[Case]]:
    """Yield homes that are judged together; those that only their lane was away from, or that are older, apart."""
    apart = (*OURS, Fault.SENSOR_STICKS)
    for kind in (None, *apart):
        those = [case for case in homes if (case.fault if case.fault in apart else None) is kind]
        for first in range(0, len(those), _LANE_MAX):
            yield those[first : first + _LANE_MAX]
