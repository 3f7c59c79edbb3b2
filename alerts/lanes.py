"""Which lanes does this worker judge, how far is each, and how does every write prove that it is still ours?

As ingest's lanes (`ingest.lanes`), for a table of our own: claimed by raising the epoch when the owner has not been
heard for 10 s by the database's clock, and fenced in every transaction; shared as `ingest.share` says.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from gateway.wire import LANES
from ingest.lanes import LEASE
from ingest.processes import peers_beside
from ingest.share import LEFT_AFTER, Share

Conn = AsyncConnection[TupleRow]


@dataclass(frozen=True, slots=True)
class Place:
    """How far the judging of a lane has come, by the saved states of its homes.

    Attributes:
        epoch: ours.
        position: of the last row of the stored log that is in the states.
        received_through: of that row.
        input: the last judging input that is in them.
        saved_through: everything due up to here is in them.
        judged_through: everything due up to here was judged; what came after the states raised nothing.
    """

    lane: int
    epoch: int
    position: int
    received_through: datetime | None
    input: int
    saved_through: datetime | None
    judged_through: datetime | None


class NotOurs(Exception):
    """Another worker has claimed the lane since; this one must forget it."""


# Rows are locked in the order of the lanes, so that two workers never wait for one another in a circle.
_CLAIM: Final = """
    WITH free AS (
        SELECT lane FROM judging_lane
        WHERE lane <> ALL(%(held)s)
          AND (owner IS NULL OR owner = %(owner)s OR heard_at < clock_timestamp() - %(lease)s::interval)
          AND (heard_at IS NULL OR NOT %(only_left)s
               OR heard_at < clock_timestamp() - %(left)s::interval
                             - CASE WHEN owner IS NULL THEN interval '0' ELSE %(lease)s::interval END)
        ORDER BY lane LIMIT %(wanted)s FOR UPDATE SKIP LOCKED
    )
    UPDATE judging_lane l SET epoch = epoch + 1, owner = %(owner)s, heard_at = clock_timestamp()
    FROM free WHERE l.lane = free.lane
    RETURNING l.lane, epoch, position, received_through, input, saved_through, judged_through
"""

_SAVE: Final = """
    UPDATE judging_lane SET position = %(position)s, received_through = %(received_through)s, input = %(input)s,
           saved_through = %(saved_through)s, judged_through = GREATEST(judged_through, %(judged_through)s),
           heard_at = clock_timestamp()
    WHERE lane = %(lane)s AND epoch = %(epoch)s AND owner = %(owner)s RETURNING lane
"""

_KEEP: Final = """
    WITH fenced AS (
        SELECT l.lane, mine.judged_through
        FROM judging_lane l
        JOIN unnest(%(lanes)s::smallint[], %(epochs)s::bigint[], %(judged)s::timestamptz[])
             AS mine (lane, epoch, judged_through)
          ON l.lane = mine.lane AND l.epoch = mine.epoch AND l.owner = %(owner)s
        ORDER BY l.lane FOR UPDATE OF l
    )
    UPDATE judging_lane l
    SET judged_through = GREATEST(l.judged_through, fenced.judged_through), heard_at = clock_timestamp()
    FROM fenced WHERE l.lane = fenced.lane RETURNING l.lane
"""


_RELEASE: Final = """
    WITH mine AS (
        SELECT lane FROM judging_lane
        WHERE owner = %(owner)s AND (%(lanes)s::smallint[] IS NULL OR lane = ANY(%(lanes)s))
        ORDER BY lane FOR UPDATE
    )
    UPDATE judging_lane l SET owner = NULL, heard_at = clock_timestamp() FROM mine WHERE l.lane = mine.lane
"""


class JudgingLanes:
    """The lanes that one worker judges."""

    def __init__(self, owner: str, *, wanted: int = LANES, lease: timedelta = LEASE) -> None:
        """Own nothing yet.

        Args:
            owner: from `ingest.lanes.new_owner`.
            wanted: at most so many lanes, 1 to 64, while other workers have room for the rest.
            lease: other than `LEASE`; for tests, and then for all workers alike.
        """
        self.owner = owner
        self.share = Share(wanted)
        self._lease = lease

    async def look(self, conn: Conn) -> None:
        """See who else is alive, and reckon the share anew."""
        self.share.seen(await peers_beside(conn, "alerts", self.owner, lease=self._lease))

    async def claim(self, conn: Conn, *, held: Collection[int], but: Collection[int] = ()) -> list[Place]:
        """Claim what is free, up to our share, and whatever was left free; return where each of these lanes stands.

        A lane that is ours by the table, but not held, is one that we had to forget: it is claimed anew.

        Args:
            conn: any.
            held: what we judge already.
            but: what we cannot judge, and leave to others.
        """
        won = await self._claim(conn, self.share.room(len(held)), [*held, *but], only_left=False)
        held = [*held, *(place.lane for place in won)]
        return won + await self._claim(conn, LANES - len(held), [*held, *but], only_left=True)

    async def _claim(self, conn: Conn, wanted: int, aside: Collection[int], *, only_left: bool) -> list[Place]:
        if wanted <= 0:
            return []
        async with conn.cursor(row_factory=class_row(Place)) as cur:
            told = {"lease": self._lease, "left": LEFT_AFTER, "only_left": only_left, "held": list(aside)}
            await cur.execute(_CLAIM, told | {"wanted": wanted, "owner": self.owner})
            return await cur.fetchall()

    async def save(self, conn: Conn, place: Place) -> None:
        """Write where the saved states of a lane stand; the transaction then holds the lane.

        Raises:
            NotOurs: another worker has claimed it.
        """
        rows = await conn.execute(
            _SAVE,
            {
                "lane": place.lane,
                "epoch": place.epoch,
                "owner": self.owner,
                "position": place.position,
                "received_through": place.received_through,
                "input": place.input,
                "saved_through": place.saved_through,
                "judged_through": place.judged_through,
            },
        )
        if await rows.fetchone() is None:
            raise NotOurs(f"lane {place.lane} belongs to another worker now")

    async def keep(self, conn: Conn, places: Iterable[tuple[int, int, datetime | None]]) -> frozenset[int]:
        """Write how far lanes were judged and that we are alive; hold them, and return those that are still ours.

        Args:
            conn: in a transaction.
            places: lane, epoch, and up to when everything due was judged.
        """
        said = sorted(places)
        told = {
            "owner": self.owner,
            "lanes": [lane for lane, _, _ in said],
            "epochs": [epoch for _, epoch, _ in said],
            "judged": [judged for _, _, judged in said],
        }
        rows = await conn.execute(_KEEP, told)
        return frozenset(lane for (lane,) in await rows.fetchall())

    async def release(self, conn: Conn, lanes: Collection[int] | None = None) -> None:
        """Give lanes back, or all, so that another need not wait for the lease to end."""
        await conn.execute(_RELEASE, {"owner": self.owner, "lanes": None if lanes is None else sorted(lanes)})
