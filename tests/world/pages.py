"""Homes with a past, and the real app in front of them: what the tests of pages are told in.

Facts are written where judging and ingest would write them; alerts are raised through `alerts.store` itself.
"""

import itertools
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from alerts import store as alerts_store
from alerts.alert import Question
from alerts.judging.finding import Finding
from alerts.judging.policy import Policy
from alerts.store import judged
from alerts.telling import sms
from api import consents, store
from api.app import build
from api.config import Config
from api.signing_in import links
from api.v1 import tokens
from api.v1.tokens import Scope
from gateway.clock import Anchor, Clock, write_anchor
from gateway.health import Address
from ingest import entry
from ingest.db import pool

NINE = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)
"""09:14 on a Tuesday in June, in Britain."""

TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who may sign in."""

    person: str
    full_name: str
    what: str
    phone: str


ANNE = Told("anne", "Anne Reid", "daughter", "+447700900101")
JIM = Told("jim", "Jim Docherty", "neighbour", "+447700900102")
MORAG = Told("morag", "Morag Baird", "daughter", "+447700900103")
CONTROL = Told("control", "Kilbrae alarm centre", "day and night", "+447700900199")

MARGARETS, GEORGES = "shore-road-14", "mill-lane-3"


class Street:
    """Two homes and the app; Anne and Jim are Margaret's, Morag is George's, the alarm centre runs it."""

    def __init__(
        self,
        dsn: str,
        folder: Path,
        *,
        public_url: str = "https://care.example",
        texts: bool = True,
        **configured: Any,
    ) -> None:
        self.dsn = dsn
        self.public_url = public_url
        self._file = folder / "clock.json"
        self.set_clock(NINE)
        self.clock = Clock(self._file)
        door = sms.Config("AC" + "0" * 32, TOKEN, "+447700900000", public_url) if texts else None
        self.config = Config(dsn, Address("127.0.0.1", 0), Address("127.0.0.1", 0), public_url, door, **configured)
        self.app: FastAPI
        self._pool: pool.Pool
        self._clients: list[httpx.AsyncClient] = []
        self._number = itertools.count(1)

    async def __aenter__(self) -> Self:
        """Open the pool, build the app and set up the homes."""
        self._pool = await pool.open_pool(self.dsn, name="test")
        self.app = build(self.config, self._pool, self.clock)
        await self.furnish()
        return self

    async def furnish(self) -> None:
        """Set up the homes and their people."""
        async with self._pool.connection() as conn:
            await _set_up(conn)

    async def __aexit__(
        self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None
    ) -> None:
        """Close everything."""
        for client in self._clients:
            await client.aclose()
        await self._pool.close()

    # -- time

    @property
    def now(self) -> datetime:
        """The time in the street."""
        return self.clock.now()

    def set_clock(self, at: datetime, *, speed: float = 0.0) -> None:
        """Let it be that time from now on."""
        stretch = timedelta(0) if speed <= 1 else timedelta(seconds=15 * speed)
        real = datetime.now(UTC).timestamp()  # noqa: TID251 - the clock's own file is written against the system's
        write_anchor(self._file, Anchor(real, at.timestamp(), speed, stretch))

    def set_real_clock(self, at: datetime) -> None:
        """Let the app's system clock stand still at a moment: on it links, sessions and codes grow old."""
        file = self._file.with_name("real.json")
        write_anchor(file, Anchor(at.timestamp(), at.timestamp(), 0.0, timedelta(0)))
        self.app.state.given = replace(self.app.state.given, real=Clock(file))

    # -- people

    def stranger(self, *, at: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        """Return a browser that is not signed in, at an address of the network."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=True, client=(at, 40_000)),
            base_url=self.public_url,
            headers={"Sec-Fetch-Site": "same-origin", "Accept": "text/html", **headers},
        )
        self._clients.append(client)
        return client

    async def link(self, person: str) -> str:
        """Return a link with which a person can sign in once."""
        async with self._pool.connection() as conn:
            real_now = datetime.now(UTC)  # noqa: TID251 - links are on the system's clock
            return await links.make(conn, person, self.public_url, real_now=real_now)

    async def browser(self, person: str, **headers: str) -> httpx.AsyncClient:
        """Return a browser in which somebody is signed in."""
        client = self.stranger(**headers)
        answer = await client.post((await self.link(person)).removeprefix(self.public_url))
        assert answer.status_code == 303, answer.text
        return client

    async def program(
        self, person: str, *scopes: Scope, homes: Sequence[str] | None = None, name: str = "dashboard"
    ) -> httpx.AsyncClient:
        """Return a program with a new token that speaks for a person."""
        token = await self.token(person, *scopes, homes=homes, name=name)
        return self.caller(Authorization=f"Bearer {token}")

    async def token(
        self, person: str, *scopes: Scope, homes: Sequence[str] | None = None, name: str = "dashboard"
    ) -> str:
        """Return a new token that speaks for a person for a day."""
        async with self._pool.connection() as conn:
            return await tokens.make(
                *(conn, name, person, scopes, homes),
                made_by="test",
                valid_for=timedelta(days=1),
                real_now=datetime.now(UTC),  # noqa: TID251 - tokens are on the system's clock
            )

    def caller(self, **headers: str) -> httpx.AsyncClient:
        """Return a program that sends these headers, and none of a browser's."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=True),
            base_url=self.public_url,
            headers=headers,
        )
        self._clients.append(client)
        return client

    async def give(self, person: str, home: str, *views: store.View) -> None:
        """Let somebody see a home in exactly these views, with the resident's yes; none of them takes it away."""
        async with self._pool.connection() as conn:
            await _give(conn, person, home, views, now=self.now)

    # -- what is true

    def connection(self) -> AbstractAsyncContextManager[AsyncConnection[Any]]:
        """Return a connection to the street's database."""
        return self._pool.connection()

    async def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Run SQL, and return its rows."""
        async with self._pool.connection() as conn:
            cur = await conn.execute(query.encode(), values)
            return await cur.fetchall() if cur.description else []

    async def judge_has_come_to(self, at: datetime) -> None:
        """Let everything received up to then be in the log, and judged."""
        await self.sql("UPDATE lane SET complete_through = %s", at)
        await self.sql("UPDATE judging_lane SET judged_through = %s", at)

    async def home_is(self, state: str = "watched", home: str = MARGARETS, **facts: Any) -> None:
        """Write what is true of a home now, as the judge would, with what is not said as on a usual morning."""
        now = self.now
        await self.judge_has_come_to(facts.pop("judged", now))
        row = {
            "home": home,
            "state": state,
            "why": [],
            "since": now - timedelta(days=8),
            "promised_until": now + timedelta(minutes=3),
            "last_seen_at": now - timedelta(minutes=7),
            "last_seen_room": "lounge",
            "last_seen_sensor": "lounge-motion",
            "up_since": now - timedelta(hours=2, minutes=57),
            "next_alert_at": now + timedelta(hours=3, minutes=24),
            "next_alert_why": {},
            "learning": {},
            "written_at": now,
            **facts,
        }
        row |= {name: Jsonb(row[name]) for name in ("next_alert_why", "learning")}
        await self.sql("DELETE FROM home_watch WHERE home = %s", home)
        names = ", ".join(row)
        await self.sql(f"INSERT INTO home_watch ({names}) VALUES ({', '.join(['%s'] * len(row))})", *row.values())

    async def could_see(
        self, *spans: tuple[datetime, datetime | None, str, Sequence[str]], home: str = MARGARETS
    ) -> None:
        """Write when a home could be seen: (since, until, state, why), each where the one before ends."""
        for since, until, state, why in spans:
            await self.sql(
                "INSERT INTO watch_span (home, since, until, state, why, follows) "
                "SELECT %s, %s, %s, %s, %s, max(until) FROM watch_span WHERE home = %s",
                *(home, since, until, state, list(why), home),
            )

    async def seen(
        self, *moves: tuple[datetime, str | None], quantity: str = "movement", home: str = MARGARETS
    ) -> None:
        """Store readings of somebody in rooms: (when, room)."""
        async with self._pool.connection() as conn, conn.cursor() as cur:
            await cur.executemany(
                "INSERT INTO reading (home, hub, sensor, room, quantity, value, observed_at, received_at, may_repeat) "
                "VALUES (%s, 'hub', %s, %s, %s, 1, %s, %s, false)",
                [(home, f"{room}-motion", room, quantity, at, at) for at, room in moves],
            )

    async def pendant_pressed(self, home: str = MARGARETS, *, late: timedelta = timedelta(0), **why: Any) -> int:
        """Raise the alert of a pendant that reached us now; return its number."""
        now = self.now
        pressed_at = now - late
        alarm = entry.Alarm(
            home, f"hub-{home}", f"hub/o/{next(self._number)}", "pendant", None, "pendant_alarm", 1.0, pressed_at
        )
        facts = {
            "quantity": "pendant_alarm",
            "sensor": "pendant",
            "room": None,
            "late_by_s": late.total_seconds(),
            **why,
        }
        return await self._raise(
            Finding(home, alarm.hub, Question.ALARM, alarm.identity, pressed_at, now, facts, None, alarm)
        )

    async def still(self, home: str = MARGARETS, *, since: datetime, policy: int | None = None, **why: Any) -> int:
        """Raise a stillness now, by a policy or the product's own; return the alert's number."""
        facts = {"last_seen_room": "bedroom", **why}
        episode = since.isoformat()
        return await self._raise(Finding(home, None, Question.STILL, episode, since, self.now, facts, policy))

    async def hub_silent(self, home: str = MARGARETS) -> int:
        """Raise a silent hub now; return the alert's number."""
        now = self.now
        return await self._raise(Finding(home, f"hub-{home}", Question.HUB_SILENT, now.isoformat(), now, now, {}, None))

    async def _raise(self, finding: Finding) -> int:
        async with self._pool.connection() as conn, conn.transaction():
            await judged.keep(conn, [finding], now=self.now)
        ((alert,),) = await self.sql("SELECT max(alert) FROM alert")
        return int(alert)

    async def text_ended(self, person: str, status: str, error: str | None = None) -> None:
        """Let Twilio report on the newest text to somebody."""
        ((key,),) = await self.sql(
            "SELECT key FROM notification WHERE person = %s ORDER BY notification DESC LIMIT 1", person
        )
        await self.sql(
            "UPDATE notification SET state = 'sent', sid = 'SM1', sent_at = %s, attempts = 1 WHERE key = %s",
            self.now,
            key,
        )
        async with self._pool.connection() as conn:
            await alerts_store.take_status(conn, key, "SM1", status, error, now=self.now)


async def _set_up(conn: AsyncConnection[Any]) -> None:
    for one in (ANNE, JIM, MORAG, CONTROL):
        await alerts_store.set_person(conn, one.person, one.full_name, what=one.what, phone=one.phone)
    await alerts_store.set_service(conn, "Kilbrae telecare", CONTROL.person)
    homes: Mapping[str, dict[str, str | None]] = {
        MARGARETS: {
            "first_name": "Margaret",
            "full_name": "Margaret Reid",
            "phone": "+441632960112",
            "address": "14 Shore Road, flat 2, Kilbrae",
            "know": "Hard of hearing on the left. Small dog.",
        },
        GEORGES: {
            "first_name": "George",
            "full_name": "George Baird",
            "phone": "+441632960178",
            "address": "3 Mill Lane, Kilbrae",
            "know": None,
        },
    }
    for lane, (home, resident) in enumerate(homes.items()):
        await conn.execute("INSERT INTO home (home, lane, added_at) VALUES (%s, %s, %s)", (home, lane, NINE))
        await alerts_store.set_resident(conn, home, **resident)  # type: ignore[arg-type]  # each has what it needs
        await alerts_store.set_policy(conn, home, Policy(), by="test", why="as usual", now=NINE - timedelta(days=60))
    await alerts_store.set_telling(conn, MARGARETS, [ANNE.person, JIM.person])
    await alerts_store.set_telling(conn, GEORGES, [MORAG.person])
    given: dict[tuple[str, str], tuple[store.View, ...]] = {
        (ANNE.person, MARGARETS): ("family", "carer"),
        (JIM.person, MARGARETS): ("carer",),
        (MORAG.person, GEORGES): ("family",),
        (CONTROL.person, MARGARETS): ("carer",),
        (CONTROL.person, GEORGES): ("carer",),
    }
    for (person, home), views in given.items():
        await _give(conn, person, home, views, now=NINE)


async def _give(
    conn: AsyncConnection[Any], person: str, home: str, views: Sequence[store.View], *, now: datetime
) -> None:
    await store.set_access(conn, person, home, views, given_by="test", now=now)
    for view in views:
        until = now + timedelta(days=365)
        said = {"basis": "resident", "said_by": "the resident", "why": "to know that all is well"}
        await consents.write(conn, home, "data", person=person, view=view, **said, until=until, by="test", now=now)
