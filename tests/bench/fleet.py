"""How long does the operator's page of all homes take with thousands of homes and years of alerts?

Run by hand: `python -m tests.bench.fleet --homes 5000`.  The real app over a real database, without a network between;
each page is asked for again and again, one after the other.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

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
_PAGES: Final = (
    "/operator",
    "/operator?show=blind",
    "/operator?show=least",
    "/operator?show=least&page=50",
    "/operator?show=watched&page=50",
    "/operator?q=KB3 3QA",
)

# One home in a hundred cannot be seen, two are partly watched, five still learn; 100 days of spans, 40 closed alerts
# each, one home in a hundred with an open one.
_FILL: Final = """
    INSERT INTO service (name) VALUES ('bench');
    INSERT INTO person (person, full_name, is_operator) VALUES ('op', 'Fiona Muir', true);
    INSERT INTO home (home, lane, added_at) SELECT 'kb-' || lpad(n::text, 6, '0'), mod(n, 64), %(now)s FROM
        generate_series(1, %(homes)s) n;
    INSERT INTO lane (lane, complete_through) SELECT n, %(now)s FROM generate_series(0, 63) n ON CONFLICT
        (lane) DO UPDATE SET complete_through = excluded.complete_through;
    INSERT INTO judging_lane (lane, judged_through) SELECT n, %(now)s FROM generate_series(0, 63) n ON
        CONFLICT (lane) DO UPDATE SET judged_through = excluded.judged_through;
    INSERT INTO resident (home, first_name, full_name, address) SELECT home, 'Ann', 'Ann ' || home, lane || '
        Mill Lane, Kilbrae KB' || 1 + mod(lane, 9) || ' 3QA' FROM home;
    INSERT INTO home_watch (home, state, why, since, promised_until, next_alert_why, learning, written_at)
        SELECT home, CASE WHEN r < 0.01 THEN 'blind' WHEN r < 0.03 THEN 'degraded' ELSE 'watched' END, CASE
        WHEN r < 0.03 THEN ARRAY['hub'] ELSE '{}' END, %(now)s - r * interval '10 days', %(now)s + interval '2
        minutes', '{}', CASE WHEN r > 0.95 THEN '{"days": 8, "of": 14}' ELSE '{}' END::jsonb, %(now)s FROM
        (SELECT home, random() AS r FROM home) drawn;
    INSERT INTO watch_span (home, since, until, state, why, follows) SELECT home, %(now)s - interval '1 day' * d, CASE
        WHEN d > 1 THEN %(now)s - interval '1 day' * (d - 1) END, CASE WHEN random() < 0.05 THEN 'blind' ELSE
        'watched' END, '{hub}', CASE WHEN d < 100 THEN %(now)s - interval '1 day' * d END FROM home,
        generate_series(1, 100) d;
    INSERT INTO alert (home, question, subject, episode, is_fault, for_operator, since, at, raised_at, why,
        state, outcome, closed_at, closed_by) SELECT home, 'still', '', 'e' || d, false, false, %(now)s,
        %(now)s - interval '1 day' * d, %(now)s, '{}', 'closed', 'all well', %(now)s, 'op' FROM home,
        generate_series(1, 40) d;
    INSERT INTO alert (home, question, subject, episode, is_fault, for_operator, since, at, raised_at, why,
        state) SELECT home, 'still', '', 'e', false, false, %(now)s, %(now)s, %(now)s, '{}', 'open' FROM home
        WHERE right(home, 2) = '33';
"""


def main() -> int:
    """Fill a database, ask for the pages, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--homes", type=int, default=5000)
    parser.add_argument("--times", type=int, default=20)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="telecare-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = postgres.server(folder / "data", port=machine.free_port(), environment=os.environ, say=lambda _: None)
        server.start()
        try:
            dsn = server.create_database("fleet")
            migrate(dsn)
            with psycopg.connect(dsn, autocommit=True) as conn:
                for statement in filter(str.strip, _FILL.split(";")):
                    conn.execute(statement.encode(), {"now": _NOW, "homes": told.homes})
                conn.execute("VACUUM ANALYZE")
            asyncio.run(_ask(dsn, folder, told))
        finally:
            server.stop()
    return 0


async def _ask(dsn: str, folder: Path, told: argparse.Namespace) -> None:
    clock_file = folder / "clock.json"
    write_anchor(clock_file, Anchor(_NOW.timestamp(), _NOW.timestamp(), 0.0, timedelta(0)))
    config = Config(dsn, Address("127.0.0.1", 0), Address("127.0.0.1", 0), _URL, None)
    opened = await pool.open_pool(dsn, name="bench")
    async with opened:
        app = build(config, opened, Clock(clock_file))
        async with opened.connection() as conn:
            link = await links.make(conn, "op", _URL, real_now=Clock().now())
        transport = httpx.ASGITransport(app)
        headers = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        async with httpx.AsyncClient(transport=transport, base_url=_URL, headers=headers) as browser:
            await browser.post(link.removeprefix(_URL))
            sys.stdout.write(f"{told.homes:,} homes\n\n| page | p50 ms | longest ms | kB |\n|---|---|---|---|\n")
            for page in (*_PAGES, "/operator/homes/kb-000033"):
                took_ms = []
                for _ in range(told.times):
                    begun = perf_counter()
                    answer = await browser.get(page)
                    took_ms.append((perf_counter() - begun) * 1000)
                    assert answer.status_code == 200, answer.text
                took_ms.sort()
                size_kb = len(answer.content) / 1024
                sys.stdout.write(
                    f"| `{page}` | {took_ms[len(took_ms) // 2]:.0f} | {took_ms[-1]:.0f} | {size_kb:.0f} |\n"
                )


if __name__ == "__main__":
    sys.exit(main())
