"""Does a page cost more the longer homes are watched?  And how many chunks of readings does it touch?

    python -m tests.bench.history [--homes 25] [--days 28] [--times 100]

The real app over a real database, without a network between: the pages of a family, a carer and an operator, with as
many days of readings, spans and alerts as `--days` says, then four and sixteen times as many.  Touched is counted by
PostgreSQL itself: the scans of each chunk of `reading` while the pages were asked for.  The figures are in README.md
beside this file.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import httpx
import psycopg

from api.app import build
from api.config import Config
from api.signing_in import links
from deploy.embedded import machine, postgres
from gateway.clock import Anchor, Clock, write_anchor
from gateway.health import Address
from ingest.db import pool
from ingest.db.migrate import migrate

_NOW: Final = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)
_URL: Final = "http://127.0.0.1:8420"
_HOME: Final = "/homes/kb-000001"
PAGES: Final = {
    "what is true of a home": f"{_HOME}/now",
    "a home, with 28 days of pictures": _HOME,
    "a carer's homes": "/carer",
    "all homes": "/operator",
    "an operator's one home": "/operator/homes/kb-000001",
}
TIMES: Final = (1, 4, 16)
# A sensor's word every five minutes, near the median of the TIHM homes (389 a home-day); our own choice otherwise.
_READINGS_A_DAY: Final = 288
# PostgreSQL says what a connection scanned at most once a second.
_SAID_WITHIN_S: Final = 1.5

_FILL_ONCE: Final = """
    INSERT INTO service (name) VALUES ('bench');
    INSERT INTO person (person, full_name, is_operator) VALUES ('op', 'Fiona Muir', true);
    INSERT INTO home (home, lane, added_at) SELECT 'kb-' || lpad(n::text, 6, '0'), mod(n, 64), %(from)s FROM
        generate_series(1, %(homes)s) n;
    INSERT INTO lane (lane, complete_through) SELECT n, %(now)s FROM generate_series(0, 63) n ON CONFLICT
        (lane) DO UPDATE SET complete_through = excluded.complete_through;
    INSERT INTO judging_lane (lane, judged_through) SELECT n, %(now)s FROM generate_series(0, 63) n ON
        CONFLICT (lane) DO UPDATE SET judged_through = excluded.judged_through;
    INSERT INTO resident (home, first_name, full_name, address) SELECT home, 'Ann', 'Ann ' || home, '1 Mill Lane'
        FROM home;
    INSERT INTO home_watch (home, state, why, since, promised_until, last_seen_at, last_seen_room, next_alert_at,
        next_alert_why, learning, written_at) SELECT home, 'watched', '{}', %(now)s - interval '8 days', %(now)s +
        interval '2 minutes', %(now)s, 'lounge', %(now)s + interval '3 hours', '{}', '{}', %(now)s FROM home;
    INSERT INTO access_grant (home, person, view, given_by, given_at) SELECT home, 'op', v, 'bench', %(now)s FROM home,
        unnest(ARRAY['family', 'carer']) v;
    INSERT INTO consent (home, what, person, view, basis, said_by, why, since, until, written_at, written_by) SELECT
        home, 'data', 'op', v, 'resident', 'Ann', 'bench', %(now)s - interval '1 day', %(now)s + interval '1 year',
        %(now)s, 'bench' FROM home, unnest(ARRAY['family', 'carer']) v;
"""
# From `%(from)s` until `%(until)s`, beside what is there.
_FILL_READINGS: Final = """
    INSERT INTO reading (home, hub, sensor, room, quantity, value, observed_at, received_at, may_repeat) SELECT home,
        'hub-' || home, 'pir-' || mod(extract(epoch FROM t)::bigint / 300, 6), (ARRAY['lounge', 'kitchen', 'hall',
        'bedroom', 'bathroom', 'landing'])[1 + mod(extract(epoch FROM t)::bigint / 300, 6)], 'movement', 1, t, t, false
        FROM home, generate_series(%(from)s, %(until)s - interval '1 second', %(every)s) t;
"""
# From `%(from)s` until now, instead of what is there: spans follow each other from the first.
_FILL_REST: Final = """
    DELETE FROM watch_span;
    DELETE FROM alert;
    INSERT INTO watch_span (home, since, until, state, why, follows) SELECT home, t, t + interval '1 day', CASE WHEN
        random() < 0.05 THEN 'blind' ELSE 'watched' END, '{hub}', CASE WHEN t > %(from)s THEN t END FROM home,
        generate_series(%(from)s, %(now)s - interval '1 second', interval '1 day') t;
    INSERT INTO alert (home, question, subject, episode, is_fault, for_operator, since, at, raised_at, why,
        state, outcome, closed_at, closed_by) SELECT home, 'still', '', 'e' || t, false, false, t, t, t, '{}',
        'closed', 'all well', t, 'op' FROM home, generate_series(%(from)s, %(now)s - interval '1 second',
        interval '2 days') t;
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a page costs with so many times the history.

    Attributes:
        p50_ms, p99_ms: of one request; the longest seen where there were fewer than a hundred.
        chunks: scans of chunks of readings a request.
    """

    page: str
    times: int
    p50_ms: float
    p99_ms: float
    chunks: float


def main() -> int:
    """Print the table."""
    told = asked(sys.argv[1:])
    sys.stdout.write("| page | history | p50 ms | p99 ms | chunks a request |\n|---|---|---|---|---|\n")
    for cost in costs(told):
        sys.stdout.write(
            f"| {cost.page} | {cost.times}x | {cost.p50_ms:.0f} | {cost.p99_ms:.0f} | {cost.chunks:.1f} |\n"
        )
        sys.stdout.flush()
    return 0


def asked(arguments: list[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.history")
    parser.add_argument("--homes", type=int, default=25)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--times", type=int, default=100)
    return parser.parse_args(arguments)


def costs(told: argparse.Namespace) -> Iterator[Cost]:
    """Yield what each page costs, with ever more history."""
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = postgres.server(folder / "data", port=machine.free_port(), environment=os.environ, say=lambda _: None)
        server.start()
        try:
            dsn = server.create_database("history")
            migrate(dsn)
            _fill(dsn, _FILL_ONCE, told, days=(TIMES[-1] * told.days, 0))
            for before, times in zip((0, *TIMES), TIMES, strict=False):
                # What is newest first, and then what lies behind it.
                _fill(dsn, _FILL_READINGS + _FILL_REST, told, days=(times * told.days, before * told.days))
                yield from asyncio.run(_ask(dsn, folder, told, times))
        finally:
            server.stop()


def _fill(dsn: str, statements: str, told: argparse.Namespace, *, days: tuple[int, int]) -> None:
    values = {
        "now": _NOW,
        "from": _NOW - timedelta(days=days[0]),
        "until": _NOW - timedelta(days=days[1]),
        "every": timedelta(days=1) / _READINGS_A_DAY,
        "homes": told.homes,
    }
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statement in filter(str.strip, statements.split(";")):
            conn.execute(statement.encode(), values)
        conn.execute("VACUUM ANALYZE")


async def _ask(dsn: str, folder: Path, told: argparse.Namespace, times: int) -> list[Cost]:
    clock_file = folder / "clock.json"
    write_anchor(clock_file, Anchor(_NOW.timestamp(), _NOW.timestamp(), 0.0, timedelta(0)))
    config = Config(dsn, Address("127.0.0.1", 0), Address("127.0.0.1", 0), _URL, None)
    async with await pool.open_pool(dsn, name="bench") as opened:
        app = build(config, opened, Clock(clock_file))
        async with opened.connection() as conn:
            link = await links.make(conn, "op", _URL, real_now=Clock().now())
        headers = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=_URL, headers=headers) as browser:
            await browser.post(link.removeprefix(_URL))
            return [await _cost(browser, opened, name, told.times, times) for name in PAGES]


async def _cost(browser: httpx.AsyncClient, opened: pool.Pool, name: str, requests: int, times: int) -> Cost:
    before, took_ms = await _scans(opened), []
    for _ in range(requests):
        begun = perf_counter()
        answer = await browser.get(PAGES[name])
        took_ms.append((perf_counter() - begun) * 1000)
        assert answer.status_code == 200, (name, answer.status_code)
    took_ms.sort()
    chunks = (await _scans(opened) - before) / requests
    return Cost(name, times, took_ms[len(took_ms) // 2], took_ms[len(took_ms) * 99 // 100], chunks)


async def _scans(opened: pool.Pool) -> int:
    """Return how often any chunk of readings was scanned, once every connection has said so."""
    await asyncio.sleep(_SAID_WITHIN_S)
    async with opened.connection() as conn:
        rows: Any = await conn.execute(
            "SELECT COALESCE(sum(seq_scan + COALESCE(idx_scan, 0)), 0) FROM pg_stat_all_tables "
            "WHERE schemaname = '_timescaledb_internal' AND relname LIKE '\\_hyper%'"
        )
        return int((await rows.fetchone())[0])


if __name__ == "__main__":
    sys.exit(main())
