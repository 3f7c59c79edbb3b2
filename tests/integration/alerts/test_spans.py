"""Is how well a home could be seen written once, without a hole, and counted alike by everybody?"""

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg import AsyncConnection

from alerts import store
from alerts.judging.finding import SeenLater
from alerts.judging.minutes import Span, figures
from alerts.judging.watched import Watch, Watched
from alerts.store import spans
from tests.integration.alerts.conftest import NINE, Conn
from tests.world.database import Database

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[Conn]:
    """Connect to a database with three homes."""
    async with await AsyncConnection.connect(database.dsn, autocommit=True) as conn:
        for number in range(3):
            await conn.execute("INSERT INTO home VALUES (%s, %s, %s)", (f"home-{number}", number, NINE))
            await conn.execute(
                "INSERT INTO lane (lane, complete_through) VALUES (%(lane)s, %(at)s) "
                "ON CONFLICT (lane) DO UPDATE SET complete_through = %(at)s",
                {"lane": number, "at": NINE},
            )
        yield conn


def watch(state: Watched, since: datetime, *why: str) -> Watch:
    return Watch(state, why, since)


async def spans_of(conn: Conn, home: str = "home-0") -> list[Span]:
    return await store.watch_spans(conn, home, NINE - timedelta(days=60), NINE + timedelta(days=60))


@pytest.mark.parametrize(
    ("begins", "ends", "follows"),
    [(10, 20, 10), (4, None, 5), (5, None, None), (3, None, 3), (-9, 0, None)],
    ids=["a hole", "an overlap", "a second beginning", "in the middle", "before the first"],
)
async def test_the_database_refuses_what_does_not_tile(
    conn: Conn, begins: int, ends: int | None, follows: int | None
) -> None:
    """Whatever a program gets wrong, no minute is counted twice or not at all."""
    await spans.write_spans(conn, [spans.Change("home-0", watch(Watched.WATCHED, NINE))])
    await spans.write_spans(conn, [spans.Change("home-0", watch(Watched.BLIND, NINE + 5 * MINUTE, "hub"))])
    await conn.execute("UPDATE watch_span SET until = %s WHERE until IS NULL", (NINE + 8 * MINUTE,))
    moments = [None if one is None else NINE + one * MINUTE for one in (begins, ends, follows)]

    with pytest.raises(psycopg.errors.IntegrityError):
        await conn.execute(
            "INSERT INTO watch_span (home, since, until, state, why, follows) VALUES "
            "('home-0', %s, %s, 'watched', '{}', %s)",
            moments,
        )


@pytest.mark.parametrize("change", ["state = 'watched'", "why = '{}'", "until = until + interval '1 minute'"])
async def test_what_was_known_live_cannot_be_rewritten(conn: Conn, change: str) -> None:
    """Not even by us: a blind minute that could be made watched afterwards would be worth nothing."""
    await spans.write_spans(conn, [spans.Change("home-0", watch(Watched.BLIND, NINE, "hub"))])
    await spans.write_spans(conn, [spans.Change("home-0", watch(Watched.WATCHED, NINE + 5 * MINUTE))])

    with pytest.raises(psycopg.errors.RestrictViolation, match="never rewritten"):
        await conn.execute(f"UPDATE watch_span SET {change} WHERE until IS NOT NULL".encode())


async def test_a_gap_that_begins_with_the_span_is_blind_too(conn: Conn) -> None:
    """Killed in the very moment in which a home came back: what follows was still not seen by anybody."""
    await spans.write_spans(conn, [spans.Change("home-0", watch(Watched.BLIND, NINE - MINUTE, "hub"))])
    await spans.write_spans(conn, [spans.Change("home-0", watch(Watched.WATCHED, NINE))])

    await spans.write_gap(conn, {"home-0": watch(Watched.WATCHED, NINE)}, NINE, NINE + 7 * MINUTE)

    assert await spans_of(conn) == [
        Span(NINE - MINUTE, NINE, Watched.BLIND, ("hub",)),
        Span(NINE, NINE + 7 * MINUTE, Watched.BLIND, ("us",)),
        Span(NINE + 7 * MINUTE, None, Watched.WATCHED, ()),
    ]


async def test_what_was_seen_later_stands_beside_and_changes_no_figure(conn: Conn) -> None:
    """Blind, seen later: an explanation, and no minute more in sight."""
    gap = (NINE, NINE + 15 * MINUTE)
    for state, since in ((Watched.WATCHED, NINE - 60 * MINUTE), (Watched.BLIND, gap[0]), (Watched.WATCHED, gap[1])):
        await spans.write_spans(conn, [spans.Change("home-0", watch(state, since))])
    before = await spans_of(conn)
    later = SeenLater("home-0", *gap, NINE + MINUTE, NINE + 9 * MINUTE, 4, NINE + 20 * MINUTE)

    for _ in range(2):  # Judged again after a crash.
        await spans.write_seen_later(conn, later)

    assert await store.seen_later(conn, "home-0", NINE - 60 * MINUTE, NINE + 60 * MINUTE) == [later]
    assert await spans_of(conn) == before


@pytest.mark.parametrize("seed", range(4))
async def test_the_database_counts_minutes_as_judging_does(conn: Conn, seed: int) -> None:
    """The fleet's list and a family's page must never show two figures for one home."""
    chance, now = random.Random(seed), NINE + timedelta(hours=30, seconds=seed * 17)
    for number in range(3):
        at, home = NINE + timedelta(seconds=chance.randrange(-4000, 900)), f"home-{number}"
        while at < now:
            state = chance.choice(list(Watched))
            why = ("hub", "line") if state is Watched.BLIND else ()
            await spans.write_spans(conn, [spans.Change(home, Watch(state, why, at))])
            at += timedelta(seconds=chance.choice([1, 20, 59, 60, 61, 600, 7200]))
    since = NINE + timedelta(seconds=seed * 29)

    got = {one.home: one for one in await store.least_seen(conn, since, now=now, stretch=timedelta(days=9))}

    whole = [0, 0]
    for number in range(3):
        home = f"home-{number}"
        known = [Span(s.since, min(s.until or now, now), s.state, s.why) for s in await spans_of(conn, home)]
        expected = figures(known, since=since, until=now)
        whole = [whole[0] + expected.to_watch, whole[1] + expected.blind]
        assert (got[home].to_watch_min, got[home].blind_min) == (expected.to_watch, expected.blind)
        last = expected.last_gap
        assert (got[home].gap_cause is None) == (last is None)
    assert list(await store.minutes_of_all(conn, since, now=now, stretch=timedelta(days=9))) == whole
    assert [one.share for one in got.values()] == sorted(one.share for one in got.values())
