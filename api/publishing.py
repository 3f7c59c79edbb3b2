"""What was published of which quarter, in its very bytes; and how a closed quarter is published.

Once a closed quarter, by itself.  Nothing that was published is ever changed; a correction is a new edition.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import psycopg
from psycopg import AsyncConnection

from api import ledger, show, times
from api.confidence import CANNOT_SAY, Asked
from api.ledger import Cohort, Edition, Quarter, Question
from gateway.clock import Clock
from ingest.db.pool import Pool

log = logging.getLogger(__name__)

Connection = AsyncConnection[Any]
Form = Literal["page", "csv", "json"]

BY_ITSELF: Final = "telecare"
# A number of our own among the database's advisory locks: "ledg" in ASCII.
_LOCK: Final = 0x6C656467
# Real seconds between two looks whether a quarter has closed; in a demo, one may close in a day.
_LOOK_S: Final = 60.0
# Ours: a year of quarters and a few more in one look; a recorded past is published in the next ones.
_AT_ONCE: Final = 8
_BEFORE: Final = timedelta(days=28)


class Unpublishable(Exception):
    """This may not be published as asked; whoever asked must do what the sentence says."""


@dataclass(frozen=True, slots=True)
class Published:
    """One edition of one quarter."""

    quarter: Quarter
    edition: int
    made_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class SoFar:
    """How many homes were asked since the last closed quarter, and how many answered; nothing of what."""

    audience: str
    asked: int
    answered: int


# -- what was published


async def editions(conn: Connection) -> list[Published]:
    """Return all editions, the newest first; at most 400."""
    rows = await conn.execute(
        "SELECT quarter, edition, made_at, why FROM confidence_edition WHERE form = 'json' "
        "ORDER BY quarter DESC, edition DESC LIMIT 400"
    )
    return [Published(Quarter(first), edition, at, why) for first, edition, at, why in await rows.fetchall()]


async def content(conn: Connection, quarter: Quarter, edition: int | None, form: Form) -> bytes | None:
    """Return the bytes that were published, of the newest edition unless one is named; None where there is none."""
    rows = await conn.execute(
        "SELECT content FROM confidence_edition WHERE quarter = %s AND form = %s "
        "AND (%s::smallint IS NULL OR edition = %s) ORDER BY edition DESC LIMIT 1",
        (quarter.first, form, edition, edition),
    )
    row = await rows.fetchone()
    return None if row is None else bytes(row[0])


async def so_far(conn: Connection, *, now: datetime) -> list[SoFar]:
    """Return how many homes were asked whose answers belong to a quarter that is still open."""
    rows = await conn.execute(
        """
        SELECT a.audience, count(DISTINCT a.home), count(DISTINCT a.home) FILTER (WHERE r.origin = 'scheduled')
        FROM confidence_asking a LEFT JOIN confidence_report r ON r.report = a.report
        WHERE a.answer_until >= %s GROUP BY a.audience
        """,
        (Quarter.of(times.local_date(now)).since,),
    )
    found = {audience: SoFar(audience, asked, answered) for audience, asked, answered in await rows.fetchall()}
    return [found.get(audience, SoFar(audience, 0, 0)) for audience in ledger.AUDIENCES]


@dataclass(frozen=True, slots=True)
class OpenSeries:
    """An audience in the quarter that is open.

    Attributes:
        may_still_answer: how many people were asked whose fortnight is not over, and have not answered.
        origins: how many answers came since the quarter began, by origin.
    """

    audience: str
    asked: int
    answered: int
    may_still_answer: int
    origins: Mapping[str, int]


def open_quarter(*, now: datetime) -> Quarter:
    """Return the quarter that is not closed yet."""
    return Quarter.of(times.local_date(now))


async def open_series(conn: Connection, *, now: datetime) -> list[OpenSeries]:
    """Return how far the open quarter is, for each audience; nothing of what people say."""
    rows = await conn.execute(
        """
        SELECT audience, origin, count(*) FROM confidence_report JOIN confidence_question USING (question)
        WHERE answered_at >= %s GROUP BY audience, origin
        """,
        (open_quarter(now=now).since,),
    )
    came: dict[str, dict[str, int]] = {}
    for audience, origin, count in await rows.fetchall():
        came.setdefault(audience, {})[origin] = count
    rows = await conn.execute(
        "SELECT audience, count(*) FROM confidence_asking WHERE state = 'asked' AND answer_until > %s "
        "GROUP BY audience",
        (now,),
    )
    waiting = dict(await rows.fetchall())
    return [
        OpenSeries(
            *(one.audience, one.asked, one.answered, waiting.get(one.audience, 0)),
            {origin: came.get(one.audience, {}).get(origin, 0) for origin in ledger.ORIGINS},
        )
        for one in await so_far(conn, now=now)
    ]


async def newest_of_each(conn: Connection, *, before: Quarter) -> list[Mapping[str, Any]]:
    """Return the newest edition of each quarter before one, as its JSON, the oldest first."""
    rows = await conn.execute(
        "SELECT DISTINCT ON (quarter) content FROM confidence_edition WHERE form = 'json' AND quarter < %s "
        "ORDER BY quarter, edition DESC",
        (before.first,),
    )
    return [json.loads(bytes(row[0])) for row in await rows.fetchall()]


# -- publishing


async def publish_closed(conn: Connection, *, now: datetime) -> list[Quarter]:
    """Publish every closed quarter since the first asking that was not published yet, in order, a few at once."""
    rows = await conn.execute(
        "SELECT min(answer_until), max(quarter) FROM confidence_asking, LATERAL ("
        "SELECT max(quarter) AS quarter FROM confidence_edition) e"
    )
    row = await rows.fetchone()
    first, last = row or (None, None)
    if first is None:
        return []
    quarter = Quarter.of(times.local_date(first)) if last is None else Quarter(last).after
    done: list[Quarter] = []
    while quarter.until <= now and len(done) < _AT_ONCE:
        if await publish(conn, quarter, by=BY_ITSELF, why="", now=now):
            done.append(quarter)
        quarter = quarter.after
    return done


async def publish(conn: Connection, quarter: Quarter, *, by: str, why: str, now: datetime) -> int | None:
    """Publish a closed quarter, or correct what was; return the edition, or None if it was published before.

    Args:
        conn: to the database.
        quarter: which.
        by: who.
        why: what is corrected; empty for the first edition, which is made once.
        now: after the quarter's end.

    Raises:
        Unpublishable: the quarter is open, there is nothing to correct, or a correction would give somebody away.
    """
    if now < quarter.until:
        raise Unpublishable(f"{quarter} is not over: its answers may come until {times.iso(quarter.until)}")
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        known = await content(conn, quarter, None, "json")
        if known is not None and not why:
            return None
        if known is None and why:
            raise Unpublishable(f"{quarter} was not published yet, so there is nothing to correct")
        before = None if known is None else json.loads(known)
        number = 1 if before is None else int(before["edition"]) + 1
        published = await _facts(conn, quarter, number, why, now=now)
        if before is not None and ledger.moves_few(before, published):
            raise Unpublishable(
                f"Beside edition {number - 1}, this one would show what fewer than five people answered. "
                "Say in words what was wrong, where the editions are named; the figures stay as they are."
            )
        for form, made in _forms(published).items():
            await conn.execute(
                "INSERT INTO confidence_edition (quarter, edition, made_at, made_by, why, form, content, sha256) "
                "VALUES (%(quarter)s, %(edition)s, %(at)s, %(by)s, %(why)s, %(form)s, %(made)s, sha256(%(made)s))",
                {
                    "quarter": quarter.first,
                    "edition": number,
                    "at": now,
                    "by": by,
                    "why": why,
                    "form": form,
                    "made": made,
                },
            )
    return number


async def _facts(conn: Connection, quarter: Quarter, edition: int, why: str, *, now: datetime) -> dict[str, Any]:
    rows = await conn.execute("SELECT name FROM service")
    row = await rows.fetchone()
    earlier = await newest_of_each(conn, before=quarter)
    cohorts = [await _cohort(conn, question, quarter, earlier) for question in await _questions(conn, quarter)]
    named = Edition(row[0] if row else "Telecare", quarter, edition, now, why)
    return ledger.facts(named, cohorts, earlier)


def _forms(published: Mapping[str, Any]) -> dict[Form, bytes]:
    page = show.render(
        "ledger_edition.html",
        service=published["service"],
        ledger=published,
        audiences=ledger.AUDIENCES,
        small=ledger.SMALL,
        change_of=ledger.change_of,
        warning=ledger.kinder_than_true,
    )
    return {"page": page.encode(), "csv": ledger.to_csv(published), "json": ledger.to_json(published)}


async def _questions(conn: Connection, quarter: Quarter) -> list[Question]:
    """Return the versions that belong into an edition: the newest of each audience, and whichever else was asked."""
    rows = await conn.execute(
        """
        SELECT question, audience, wording, labels FROM confidence_question q
        WHERE audience = ANY(%(audiences)s) AND (
            EXISTS (SELECT FROM confidence_asking a WHERE a.question = q.question
                    AND a.answer_until >= %(since)s AND a.answer_until < %(until)s)
            OR question = (SELECT max(question) FROM confidence_question n WHERE n.audience = q.audience))
        ORDER BY array_position(%(audiences)s, audience), question DESC
        """,
        {"audiences": list(ledger.AUDIENCES), "since": quarter.since, "until": quarter.until},
    )
    return [Question(number, who, said, tuple(labels)) for number, who, said, labels in await rows.fetchall()]


async def _cohort(conn: Connection, question: Question, quarter: Quarter, earlier: list[Mapping[str, Any]]) -> Cohort:
    since = ledger.since_of(question.version, "scheduled", quarter, earlier)
    baseline_since = ledger.since_of(question.version, "baseline", quarter, earlier)
    rows = await conn.execute(
        """
        SELECT (SELECT count(*) FROM confidence_report WHERE question = %(question)s AND origin = 'volunteered'
                AND answered_at >= %(since)s AND answered_at < %(until)s),
               (SELECT count(*) FROM confidence_report WHERE question = %(question)s AND origin = 'after an alert'
                AND answered_at >= %(since)s AND answered_at < %(until)s),
               (SELECT count(*) FROM confidence_asking WHERE question = %(question)s AND put_off_at IS NOT NULL
                AND answer_until >= %(since)s AND answer_until < %(until)s)
        """,
        {"question": question.version, "since": quarter.since, "until": quarter.until},
    )
    row = await rows.fetchone()
    volunteered, after_an_alert, put_off = row or (0, 0, 0)
    return Cohort(
        question,
        since,
        baseline_since,
        [one for one, _ in await _asked(conn, question.version, since.since, quarter.until, is_baseline=False)],
        [one for one, _ in await _asked(conn, question.version, baseline_since.since, quarter.until, is_baseline=True)],
        [
            rung
            for _, rung in await _asked(conn, question.version, quarter.since, quarter.until, is_baseline=False)
            if rung is not None
        ],
        volunteered,
        after_an_alert,
        put_off,
    )


# What was true of the home in the 28 days before it was asked.  What was known live is never rewritten, so the same
# comes out whenever this is asked.
_ASKED: Final = """
    SELECT a.home, a.place, a.asked_at, report.origin, EXISTS (SELECT FROM confidence_ring k WHERE k.asking = a.asking),
        report.answer, a.home_group, a.asked_at - home.added_at,
        (SELECT COALESCE(sum(LEAST(COALESCE(s.until, a.asked_at), a.asked_at)
                             - GREATEST(s.since, a.asked_at - %(before)s)), interval '0')
         FROM watch_span s WHERE s.home = a.home AND s.state = 'blind' AND s.since < a.asked_at
         AND (s.until IS NULL OR s.until > a.asked_at - %(before)s)),
        (SELECT count(*) FROM alert l WHERE l.home = a.home AND l.part_of IS NULL AND NOT l.is_fault
         AND l.outcome = 'false alarm' AND l.raised_at < a.asked_at AND l.raised_at >= a.asked_at - %(before)s),
        (SELECT max(COALESCE((SELECT min(k.at) FROM acknowledgement k WHERE k.alert = l.alert) - l.raised_at,
                             interval '1 year')) FROM alert l
         WHERE l.home = a.home AND l.part_of IS NULL AND NOT l.is_fault AND NOT l.for_operator
         AND l.raised_at < a.asked_at AND l.raised_at >= a.asked_at - %(before)s)
    FROM confidence_asking a JOIN home ON home.home = a.home
    LEFT JOIN confidence_report report ON report.report = a.report
    WHERE a.question = %(question)s AND (a.round = 0) = %(is_baseline)s
      AND a.answer_until >= %(since)s AND a.answer_until < %(until)s
"""


async def _asked(
    conn: Connection, question: int, since: datetime, until: datetime, *, is_baseline: bool
) -> list[tuple[Asked, Asked | None]]:
    """Return every asking as it was answered without a call, and, where somebody was rung, as on the phone."""
    rows = await conn.execute(
        _ASKED.encode(),
        {"before": _BEFORE, "question": question, "since": since, "until": until, "is_baseline": is_baseline},
    )
    return [_one(row) for row in await rows.fetchall()]


def _one(row: tuple[Any, ...]) -> tuple[Asked, Asked | None]:
    home, place, asked_at, origin, was_rung, answer, group, length, unseen, false_alarms, to_mine = row
    said = CANNOT_SAY if answer is None else answer
    rows = {name: names for name, (_, names) in ledger.TABLES.items()}
    hour, days = timedelta(hours=1), timedelta(days=1)
    groups = {
        ledger.LENGTH: rows[ledger.LENGTH][(length >= 91 * days) + (length >= 365 * days)],
        ledger.UNSEEN: rows[ledger.UNSEEN][(unseen > 0 * days) + (unseen >= hour)],
        ledger.FALSE_ALARMS: rows[ledger.FALSE_ALARMS][false_alarms > 0],
        ledger.TO_MINE: rows[ledger.TO_MINE][0 if to_mine is None else 1 + (to_mine > timedelta(minutes=5))],
        ledger.GROUP: group or "",
    }
    alone = Asked(home, place, asked_at, said if origin == "scheduled" else None, groups)
    return alone, Asked(home, place, asked_at, said if origin == "by phone" else None, {}) if was_rung else None


async def publish_for_ever(pool: Pool, clock: Clock) -> None:
    """Publish each quarter once it is closed, until cancelled."""
    while True:
        try:
            async with pool.connection() as conn:
                done = await publish_closed(conn, now=clock.now())
            for quarter in done:
                log.info("ledger published", extra={"quarter": str(quarter)})
        except psycopg.Error as why:
            log.warning("ledger waits for the database", extra={"why": type(why).__name__})
        except Exception:
            log.exception("ledger not published")
        await asyncio.sleep(_LOOK_S)
