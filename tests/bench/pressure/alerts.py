"""How soon is somebody told of each of thousands of pendants that are pressed in one moment?

- alerts: each home has a carer of its own, and nobody's callbacks come (`TELECARE_PUBLIC_URL` leads nowhere), so the
  texts are looked up as well.
- alerts --one-phone: the same carer, an operator's phone, is the first for all of them.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection

from alerts import store
from deploy.embedded import machine, postgres
from deploy.pretend_twilio import Account
from deploy.pretend_twilio.ledger import Text
from deploy.pretend_twilio.script import Hears, Refusal
from ingest import devices, entry
from ingest.db.migrate import migrate
from tests.bench import latency
from tests.bench.pressure.measured import Memory, require, say

_PATIENCE_S: Final = 900.0
_SAY_EVERY_S: Final = 10.0


class _Twilio(latency.TimedTwilio):
    """Counts the texts as well: on one phone there are many."""

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.each_s: list[float] = []

    def create(self, form: Mapping[str, str]) -> tuple[Text | Refusal, Hears]:
        """Take a text, and note when it came."""
        self.each_s.append(time.monotonic())
        return super().create(form)


def alerts(folder: Path, homes: int, *, one_phone: bool) -> None:
    """Press a pendant in each of so many homes, and see when the phones ring."""
    server = postgres.server(folder / "data", port=machine.free_port(), environment=os.environ, say=lambda _: None)
    server.start()
    try:
        dsn = server.create_database("bench")
        migrate(dsn)
        account = Account()
        with _Twilio(account) as twilio:
            asyncio.run(_press_all(dsn, account, twilio, homes, one_phone=one_phone))
    finally:
        server.stop()


async def _press_all(dsn: str, account: Account, twilio: _Twilio, homes: int, *, one_phone: bool) -> None:
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await latency._furnish(conn, dsn, homes)
        if one_phone:
            async with conn.transaction():
                for home in range(homes):
                    await store.set_telling(conn, latency._name(home), ["p0"])
        log = latency.Log(conn)
        await log.lanes.claim(conn)
        port = machine.free_port()
        alerts_process = await latency._alerts(dsn, account, twilio, port)
        try:
            await latency._until_ready(log, port)
            with Memory({"alerts": alerts_process.pid}) as memory:
                await log.keep(_presses(homes))
                began_s = time.monotonic()
                raised_s = await _until_told(log, twilio, homes, began_s)
            await _report(conn, twilio, homes, began_s, raised_s)
            say(str(memory))
        finally:
            alerts_process.terminate()
            await alerts_process.wait()


def _presses(homes: int) -> dict[int, list[entry.Entry]]:
    """Return one press a home, lane by lane."""
    said: dict[int, list[entry.Entry]] = {}
    for home in range(homes):
        name = latency._name(home)
        press = entry.Alarm(
            home=name,
            hub=f"hub-{home}",
            identity=f"hub-{home}/box/1",
            sensor="pendant",
            room=None,
            quantity="pendant_alarm",
            value=1.0,
            observed_at=latency._CLOCK.now(),
        )
        said.setdefault(devices.lane_of(name), []).append(press)
    return said


async def _until_told(log: latency.Log, twilio: _Twilio, homes: int, began_s: float) -> float:
    """Let time pass until a text left for each press, and return after how many seconds all alerts were raised."""
    raised_s = said_s = 0.0
    while len(twilio.each_s) < homes:
        passed_s = time.monotonic() - began_s
        raised = await _raised(log.conn)
        raised_s = raised_s or (passed_s if raised >= homes else 0.0)
        so_far = f"{raised} alerts raised, {len(twilio.each_s)} texts left"
        require(is_so=passed_s < _PATIENCE_S, otherwise=f"{homes} presses told within {_PATIENCE_S:.0f} s: {so_far}")
        if passed_s - said_s >= _SAY_EVERY_S:
            said_s = passed_s
            say(f"  {passed_s:4.0f} s: {so_far}")
        await log.tick()
        await asyncio.sleep(0.5)
    return raised_s


async def _raised(conn: AsyncConnection[tuple[object, ...]]) -> int:
    row = await (await conn.execute("SELECT count(*) FROM alert WHERE question = 'alarm'")).fetchone()
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


async def _report(
    conn: AsyncConnection[tuple[object, ...]], twilio: _Twilio, homes: int, began_s: float, raised_s: float
) -> None:
    waits = sorted(at - began_s for at in twilio.each_s)
    raised = await _raised(conn)
    say(f"{homes} pendants pressed at once: {raised} alerts, all within {raised_s:.1f} s")
    say(f"{len(waits)} texts to {len(twilio.arrived_s)} phones: first after {waits[0]:.1f} s, ")
    say(f"half after {waits[len(waits) // 2]:.1f} s, last after {waits[-1]:.1f} s")
    require(is_so=raised == homes, otherwise=f"{homes} presses are {raised} alerts")
