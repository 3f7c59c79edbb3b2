"""Which lanes does this worker own, and how does every write prove that it still does?

A lane is claimed by raising its epoch once its owner has not been heard for 10 s by the database's clock.  Every
transaction first locks its lanes' rows where epoch and owner are still ours: while it runs nobody can claim them,
and where somebody has, it writes nothing.  (An advisory lock is not enough: a stopped process keeps it, and a pool
writes on another connection.)  How many of them are claimed, and which are let go for a newcomer, is `ingest.share`'s.
"""

import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from gateway.wire import LANES
from ingest.hearing import FORGIVEN
from ingest.processes import peers_beside
from ingest.share import LEFT_AFTER, NO_LINE, Own, Share

LEASE: Final = timedelta(seconds=10)
"""After this long without a word from its owner a lane may be claimed by another; real time, the database's."""

# Rows are locked in the order of the lanes, so that two workers never wait for one another in a circle.
_CLAIM: Final = """
    WITH free AS (
        SELECT lane FROM lane
        WHERE (owner IS NULL OR heard_at IS NULL OR heard_at < clock_timestamp() - %(lease)s::interval)
          AND (heard_at IS NULL OR NOT %(only_left)s
               OR heard_at < clock_timestamp() - %(left)s::interval
                             - CASE WHEN owner IS NULL THEN interval '0' ELSE %(lease)s::interval END)
        ORDER BY lane LIMIT %(wanted)s FOR UPDATE SKIP LOCKED
    )
    UPDATE lane SET epoch = epoch + 1, owner = %(owner)s, heard_at = clock_timestamp()
    FROM free WHERE lane.lane = free.lane
    RETURNING lane.lane, lane.epoch
"""

# The time of what is received now lies after everything that the lane already has, by a microsecond at least: so a
# moment up to which a lane was complete stays complete, whatever our clock does.
_FENCE: Final = """
    SELECT lane.lane,
           greatest(mine.at, lane.received_through + %(step)s, lane.complete_through + %(step)s)
    FROM lane JOIN unnest(%(lanes)s::smallint[], %(epochs)s::bigint[], %(at)s::timestamptz[]) AS mine(lane, epoch, at)
      ON lane.lane = mine.lane AND lane.epoch = mine.epoch AND lane.owner = %(owner)s
    ORDER BY lane.lane FOR UPDATE OF lane
"""

# What is not heard stays where it is, and so does what would leap over a time in which it was not.
_TICK: Final = """
    WITH fenced AS (
        SELECT lane.lane, mine.since,
               lane.complete_through < mine.since AND lane.complete_through < %(now)s - %(forgiven)s::interval AS leaps
        FROM lane JOIN unnest(%(lanes)s::smallint[], %(epochs)s::bigint[], %(since)s::timestamptz[])
                       AS mine(lane, epoch, since)
          ON lane.lane = mine.lane AND lane.epoch = mine.epoch AND lane.owner = %(owner)s
        ORDER BY lane.lane FOR UPDATE OF lane
    )
    UPDATE lane SET heard_at = clock_timestamp(),
                    complete_through = CASE WHEN fenced.since IS NULL OR fenced.leaps THEN lane.complete_through
                                            ELSE greatest(lane.complete_through, %(now)s) END
    FROM fenced WHERE lane.lane = fenced.lane
    RETURNING lane.lane, coalesce(fenced.leaps, false)
"""

_RELEASE: Final = """
    WITH fenced AS (
        SELECT lane.lane
        FROM lane JOIN unnest(%(lanes)s::smallint[], %(epochs)s::bigint[]) AS mine(lane, epoch)
          ON lane.lane = mine.lane AND lane.epoch = mine.epoch AND lane.owner = %(owner)s
        ORDER BY lane.lane FOR UPDATE OF lane
    )
    UPDATE lane SET owner = NULL, heard_at = clock_timestamp() FROM fenced WHERE lane.lane = fenced.lane
"""


class NotOurs(Exception):
    """Another worker has claimed lanes since; this one writes nothing for them and must let them go.

    Attributes:
        lanes: which.
    """

    def __init__(self, lanes: frozenset[int]) -> None:
        super().__init__(f"lanes {sorted(lanes)} belong to another worker now")
        self.lanes = lanes


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a lane has come.

    Attributes:
        lane: which.
        position: number of its last row in the stored log.
        received_through: of that row; None where there is none.
        complete_through: everything received up to here is in the log; None where nobody ever owned the lane.
    """

    lane: int
    position: int
    received_through: datetime | None
    complete_through: datetime | None


class Ticked(NamedTuple):
    """What a tick came to.

    Attributes:
        lost: lanes that belong to another worker now.
        behind: lanes that stay where they were: first it must be admitted that we were deaf.
    """

    lost: frozenset[int]
    behind: frozenset[int]


def new_owner() -> str:
    """Return a name for this worker that no other had or will have, even after a restored backup."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"


class Lanes:
    """The lanes of one worker: claimed, kept by a word a second, checked in every write, given back at the end."""

    def __init__(self, owner: str, *, wanted: int = LANES, lease: timedelta = LEASE) -> None:
        """Own nothing yet.

        Args:
            owner: from `new_owner`.
            wanted: at most so many lanes, 1 to 64, while other workers have room for the rest.
            lease: other than `LEASE`; for tests, and then for all workers alike.
        """
        self.owner = owner
        self.share = Share(wanted)
        self._lease = lease
        self._epochs: dict[int, int] = {}

    @property
    def owned(self) -> frozenset[int]:
        return frozenset(self._epochs)

    async def look(self, conn: AsyncConnection[TupleRow], own: Own = NO_LINE) -> None:
        """See who else is alive, and reckon the share anew.

        Args:
            conn: any.
            own: how well we hear.
        """
        self.share.seen(await peers_beside(conn, "ingest", self.owner, lease=self._lease), own)

    async def claim(self, conn: AsyncConnection[TupleRow]) -> frozenset[int]:
        """Claim what is free, up to our share, and whatever was left free; return the lanes that are newly ours."""
        won = await self._claim(conn, self.share.room(len(self._epochs)), only_left=False)
        left = LANES - len(self._epochs) if self.share.takes else 0
        return won | await self._claim(conn, left, only_left=True)

    async def _claim(self, conn: AsyncConnection[TupleRow], wanted: int, *, only_left: bool) -> frozenset[int]:
        if wanted <= 0:
            return frozenset()
        told = {"lease": self._lease, "left": LEFT_AFTER, "only_left": only_left}
        rows = await conn.execute(_CLAIM, told | {"wanted": wanted, "owner": self.owner})
        won: dict[int, int] = dict(await rows.fetchall())
        self._epochs.update(won)
        return frozenset(won)

    async def let_go(self, conn: AsyncConnection[TupleRow]) -> frozenset[int]:
        """Give back what we own beyond our share, and return it; nothing of it may be in hand."""
        gone = frozenset(sorted(self._epochs, reverse=True)[: self.share.excess(len(self._epochs))])
        if gone:
            await conn.execute(_RELEASE, self._told(gone))
            self.drop(gone)
        self.share.has_shared()
        return gone

    async def fence(
        self, conn: AsyncConnection[TupleRow], arrived_at: Mapping[int, datetime]
    ) -> Mapping[int, datetime]:
        """Hold lanes until the end of the transaction, and return the `received_at` of what it writes, by lane.

        Args:
            conn: in a transaction.
            arrived_at: when the last of what it writes arrived, by the lanes that it will write for.

        Raises:
            NotOurs: some of them are another's; roll back, `drop` them, and try again without them.
        """
        asked = frozenset(arrived_at)
        told = self._told(asked) | {"at": [arrived_at[lane] for lane in sorted(asked)], "step": _STEP}
        rows = await (await conn.execute(_FENCE, told)).fetchall()
        held: dict[int, datetime] = dict(rows)
        if held.keys() != asked:
            raise NotOurs(asked - held.keys())
        return held

    async def tick(
        self,
        conn: AsyncConnection[TupleRow],
        *,
        now: datetime,
        unbroken_since: Mapping[int, datetime],
        forgiven: timedelta = FORGIVEN,
    ) -> "Ticked":
        """Say that everything received up to `now` is in the log, and that we are alive.

        Only to be called when that is so: after the commit of all that was taken in before `now`.

        Args:
            conn: any.
            now: up to when.
            unbroken_since: the lanes that are heard now, and since when without a gap; the others only stay ours.
            forgiven: a gap that is none.
        """
        asked = self.owned
        told = self._told(asked) | {"now": now, "forgiven": forgiven}
        told["since"] = [unbroken_since.get(lane) for lane in sorted(asked)]
        rows = await (await conn.execute(_TICK, told)).fetchall()
        lost = asked - {lane for lane, _ in rows}
        self.drop(lost)
        return Ticked(lost, frozenset(lane for lane, leaps in rows if leaps))

    def drop(self, lanes: Iterable[int]) -> None:
        """Stop writing for lanes that are another's."""
        for lane in lanes:
            self._epochs.pop(lane, None)

    async def release(self, conn: AsyncConnection[TupleRow]) -> None:
        """Give everything back, so that another need not wait for the lease to end."""
        await conn.execute(_RELEASE, self._told(self.owned))
        self._epochs.clear()

    def _told(self, lanes: frozenset[int]) -> dict[str, object]:
        ordered = sorted(lanes)
        # A lane that we do not own has an epoch that none ever has.
        epochs = [self._epochs.get(lane, -1) for lane in ordered]
        return {"lanes": ordered, "epochs": epochs, "owner": self.owner}


_STEP: Final = timedelta(microseconds=1)


async def reaches(conn: AsyncConnection[TupleRow]) -> list[Reach]:
    """Return how far each lane has come, in the order of the lanes."""
    rows = await conn.execute("SELECT lane, position, received_through, complete_through FROM lane ORDER BY lane")
    return [Reach(*row) for row in await rows.fetchall()]
