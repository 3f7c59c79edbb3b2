"""A street of one home in a real database: Margaret, her daughter Anne, her neighbour Jim, and the operator."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from alerts import store
from alerts.alert import Question
from alerts.judging.finding import Ended, Finding
from alerts.store import judged
from ingest import devices, entry
from tests.world.database import Database

NINE = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)  # 09:00 in London, a Wednesday
HOME, HUB = "shore-road-14", "hub-shore-road-14"
ANNE, JIM, CONTROL = "+447700900101", "+447700900102", "+447700900199"

Conn = AsyncConnection[TupleRow]


@dataclass
class Street:
    """The home as its tables have it, and a few words to make something happen there."""

    conn: Conn
    now: datetime = NINE
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def later(self, **by: float) -> datetime:
        """Move the time of this story on, and return it."""
        self.now += timedelta(**by)
        return self.now

    async def concludes(self, *concluded: Finding | Ended) -> list[Finding]:
        """Keep what judging concluded, as the watching loop does."""
        async with self.conn.transaction():
            return await judged.keep(self.conn, concluded, now=self.now)

    async def presses(
        self, *, observed_at: datetime | None = None, home: str | None = HOME, hub: str = HUB, **more: Any
    ) -> entry.Alarm:
        """Press the pendant and judge it."""
        number = next(self.numbers)
        alarm = entry.Alarm(
            home, hub, f"{hub}/box/{number}", "pendant", None, "pendant_alarm", 1.0, observed_at or self.now, **more
        )
        await self.concludes(self.found(Question.ALARM, alarm.identity, since=alarm.observed_at, alarm=alarm))
        return alarm

    def found(
        self, question: Question, episode: str, *, since: datetime, alarm: entry.Alarm | None = None, **why: Any
    ) -> Finding:
        home, hub = (HOME, None) if alarm is None else (alarm.home, alarm.hub)
        return Finding(home, hub, question, episode, since, self.now, why, None, alarm)

    async def texts(self, *, purpose: str | None = None) -> list[tuple[str, str, str]]:
        """Return person, purpose and state of each text, in the order in which they were owed."""
        rows = await self.conn.execute(
            "SELECT person, purpose, state FROM notification WHERE %s::text IS NULL OR purpose = %s "
            "ORDER BY notification",
            (purpose, purpose),
        )
        return [tuple(row) for row in await rows.fetchall()]

    async def body(self, person: str) -> str:
        """Return the last text to a person."""
        rows = await self.conn.execute(
            "SELECT body FROM notification WHERE person = %s ORDER BY notification DESC LIMIT 1", (person,)
        )
        row = await rows.fetchone()
        assert row is not None, f"{person} was sent nothing"
        return str(row[0])

    async def key(self, person: str) -> str:
        rows = await self.conn.execute(
            "SELECT key FROM notification WHERE person = %s ORDER BY notification DESC LIMIT 1", (person,)
        )
        row = await rows.fetchone()
        assert row is not None, f"{person} was sent nothing"
        return str(row[0])

    async def only_alert(self) -> store.Alert:
        alerts = await store.open_alerts(self.conn, [HOME])
        assert len(alerts) == 1
        return alerts[0]

    async def texted(self, phone: str, body: str) -> str:
        """Let a phone text us, and return our answer."""
        return await store.take_text(self.conn, f"SM{next(self.numbers):032d}", phone, body, now=self.now)


async def furnish(conn: Conn, dsn: str) -> Street:
    """Write Margaret's home into a database."""
    import psycopg  # noqa: PLC0415 - the blocking connection is for this alone

    with psycopg.connect(dsn, autocommit=True) as blocking:
        devices.add_home(blocking, HOME, now=NINE)
        devices.add_hub(blocking, HUB, HOME, ("x", "y"), now=NINE)
        devices.add_hub(blocking, "hub-without-home", None, ("x", "y"), now=NINE)
    await store.set_person(conn, "anne", "Anne Reid", what="daughter", phone=ANNE)
    await store.set_person(conn, "jim", "Jim Docherty", what="neighbour", phone=JIM)
    await store.set_person(conn, "control", "Kilbrae alarm centre", what=None, phone=CONTROL)
    await store.set_service(conn, "Kilbrae telecare", "control")
    await store.set_resident(conn, HOME, first_name="Margaret", full_name="Margaret Reid", address="14 Shore Road")
    await store.set_telling(conn, HOME, ["anne", "jim"])
    return Street(conn)


@pytest.fixture
async def street(database: Database) -> AsyncIterator[Street]:
    """Give Margaret's home."""
    conn = await AsyncConnection.connect(database.dsn, autocommit=True)
    async with conn:
        yield await furnish(conn, database.dsn)
