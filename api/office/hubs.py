"""How does a box get its only secret, and how is it turned away?

The secret is made here, leaves once inside the box's configuration, and only its hashes are kept.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

from alerts import store as alerts_store
from api.office import changes, homes, said
from api.office.said import Form, Mistake, Mistakes
from gateway.health import hosts_and_port
from ingest import devices
from ingest.hub_secret import hash_mosquitto, hash_nats

Connection = AsyncConnection[Any]

INGEST: Final = "ingest"
"""The platform's own name on the broker, which no hub can have."""


@dataclass(frozen=True, slots=True)
class Added:
    """A hub that may speak from now on.

    Attributes:
        configuration: its file, as TOML, with its only secret.
    """

    hub: str
    lane: int
    configuration: str


def usual_name(home: str) -> str:
    """Return what the hub of a home is called unless told otherwise."""
    return f"hub-{home}"[:32].rstrip("-")


async def add(
    conn: Connection,
    dsn: str,
    home: str,
    fields: Mapping[str, str],
    *,
    broker: str,
    by: str,
    now: datetime,
) -> Added:
    """Let a new hub speak for a home, have the home watched through it, and return its configuration.

    Args:
        conn: to the database.
        dsn: of the same.
        home: which.
        fields: hub, its name; where empty the usual one; network, what carries its line; where empty as it was.
        broker: `host:port` as hubs reach it.
        by: who writes.
        now: when.

    Raises:
        Mistakes: see its sentences.
    """
    form = Form(fields)
    hub = form.may_take("hub", said.key) or usual_name(home)
    network = form.may_take("network", said.key)
    if hub == INGEST:
        form.wrong("hub", f"no hub can be called {hub}: that is the platform's own name on the broker")
    rows = await conn.execute("SELECT home, revoked_at FROM hub WHERE hub = %s", (hub,))
    if (row := await rows.fetchone()) is not None and row[1] is None:
        form.wrong("hub", f"there is a hub {hub} already, and it speaks for {row[0]}; revoke it or choose another name")
    form.require_right()
    secret = secrets.token_urlsafe(32)
    lane = await let_in(conn, dsn, home, hub, secret, now=now)
    if network is not None:
        await _write_network(conn, hub, network)
    await changes.note(conn, "hub added", by=by, now=now, home=home, content={"hub": hub, "network": network})
    lists = _radio_lists(await homes.sensors(conn, home))
    return Added(hub, lane, configuration(hub, lane, secret, broker, lists))


async def let_in(conn: Connection, dsn: str, home: str, hub: str, secret: str, *, now: datetime) -> int:
    """Let a hub speak for a home with a secret, have the home watched through it, and return its lane.

    Raises:
        Mistakes: the home is not there, or the hub speaks for another one.
    """

    def write(blocking: psycopg.Connection[Any]) -> int:
        return devices.add_hub(blocking, hub, home, (hash_nats(secret), hash_mosquitto(secret)), now=now)

    try:
        lane = await homes.blocking(dsn, write)
    except devices.CannotAdd as why:
        raise Mistakes([Mistake("hub", str(why))]) from why
    await alerts_store.set_watched(conn, home, hub, now=now)
    return lane


async def set_network(
    conn: Connection, hub: str, network: str | None, *, by: str, now: datetime, home: str | None = None
) -> None:
    """Write what carries a hub's line to us: hubs on one network that fall silent together are one outage.

    Args:
        conn: to the database.
        hub: which.
        network: a short name, the same for all that fail together; None: nobody knows.
        by: who writes.
        now: when.
        home: whose it must be; None: anybody's.

    Raises:
        Mistakes: there is no such hub, or the name is none.
    """
    form = Form({"network": network or ""})
    wanted = form.may_take("network", said.key)
    form.require_right()
    async with conn.transaction():
        whose = await _write_network(conn, hub, wanted, home)
        await changes.note(
            conn, "hub's network written", by=by, now=now, home=whose, content={"hub": hub, "network": wanted}
        )


async def _write_network(conn: Connection, hub: str, network: str | None, home: str | None = None) -> str | None:
    """Write the network of a hub, of one home where that is named, and return its home."""
    rows = await conn.execute(
        "UPDATE hub SET network = %(network)s WHERE hub = %(hub)s AND (%(home)s::text IS NULL OR home = %(home)s) "
        "RETURNING home",
        {"network": network, "hub": hub, "home": home},
    )
    row = await rows.fetchone()
    if row is None:
        raise Mistakes([Mistake("", f"There is no hub {hub}; `telecare hub list` shows them.")])
    return None if row[0] is None else str(row[0])


async def revoke(conn: Connection, hub: str, *, by: str, now: datetime, home: str | None = None) -> None:
    """Turn a hub away from now on, and let its silence be no fault any more.  The broker must be told as well.

    Args:
        conn: to the database.
        hub: which.
        by: who writes.
        now: when.
        home: whose it must be; None: anybody's.

    Raises:
        Mistakes: there is none that may speak now.
    """
    async with conn.transaction():
        rows = await conn.execute(
            "UPDATE hub SET revoked_at = %(now)s WHERE hub = %(hub)s AND revoked_at IS NULL "
            "AND (%(home)s::text IS NULL OR home = %(home)s) RETURNING home",
            {"now": now, "hub": hub, "home": home},
        )
        row = await rows.fetchone()
        if row is None:
            raise Mistakes([Mistake("", f"There is no hub {hub} that may speak now; `telecare hub list` shows them.")])
        if row[0] is not None:
            await alerts_store.set_unwatched(conn, row[0], hub, now=now)
        await changes.note(conn, "hub revoked", by=by, now=now, home=row[0], content={"hub": hub})


def _radio_lists(sensors: Sequence[homes.Sensor]) -> dict[str, list[str]]:
    """Return what a hub must be told of its home's sensors: which call for help, are beds, are switched on by hand."""
    return {
        listed: names
        for listed, kinds in said.RADIO_LISTS.items()
        if (names := [sensor.sensor for sensor in sensors if sensor.kind in kinds])
    }


def configuration(hub: str, lane: int, secret: str, broker: str, lists: Mapping[str, Sequence[str]]) -> str:
    """Return the file of a hub, as TOML; strings, numbers and booleans stand there as JSON writes them."""
    host, port = hosts_and_port(broker)
    tables: dict[str, Mapping[str, object]] = {
        "hub": {"id": hub, "lane": lane, "secret": secret},
        "platform": {"host": host, "port": port, "tls": not host.startswith("127.")},
        "radio": {"host": "127.0.0.1", "port": 1883, **lists},
        "outbox": {"path": "outbox.sqlite"},
    }
    return "\n".join(
        f"[{table}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
        for table, values in tables.items()
    )
