"""Is a silence of each kind sorted as what it is, from the sensors to the text?  The bench `silence` with few homes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg import AsyncConnection

from tests.world.database import Database
from tests.world.silences import Fault
from tests.world.silences_told import run

# Three homes are an outage.
EACH: dict[Fault, int] = {fault: 3 if fault in (Fault.AREA, Fault.NETWORK) else 1 for fault in Fault}


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[AsyncConnection[Any]]:
    async with await AsyncConnection.connect(database.dsn, autocommit=True) as opened:
        yield opened


async def test_a_silence_of_each_kind_is_sorted_as_what_it_is(conn: AsyncConnection[Any]) -> None:
    """Somebody who is sent to a home for a power cut does not go to the next one, where a person lies on the floor."""
    cells = await run(conn, EACH, seed=1)

    assert {one.case: one.sorted_as for one in cells if not one.is_right} == {}
    assert [one.case for one in cells if one.before] == [], "an alert before anything had happened"
    unseen = [one.case.fault for one in cells if "unseen" in one.then_asked]
    assert {Fault.FALLS_UNSEEN, Fault.HUB_DIES, Fault.AREA, Fault.NETWORK} <= set(unseen), "blind, and nobody looks"
    texts = "SELECT count(*) FROM notification JOIN alert USING (alert) WHERE question = 'outage' AND purpose = 'alert'"
    ((told,),) = await (await conn.execute(texts)).fetchall()
    assert told == 2, "one text a district, one a network"
