"""What does whoever runs the platform do by hand: set up homes and people, add and revoke hubs, sign someone in?

Every command may be repeated without harm, and works beside a running platform.
"""

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

import alerts.store as alerts_store
from alerts.store import thresholds
from api.office import agreed, homes, hubs
from api.signing_in import links
from deploy import set_up, street
from deploy.broker import permissions
from deploy.broker.permissions import HubAccess
from deploy.embedded.nats import nats
from deploy.platform import INGEST_USER, Kept, hub_access, running_database
from deploy.street import Street
from gateway.clock import CLOCK_FILE_VARIABLE, Clock
from ingest import devices
from ingest.db import migrate as migrating
from ingest.db import roles
from ingest.db.pool import connect, settings

_BY: Final = "setup"
_LOOK_S: Final = 2.0
BY_HAND: Final = "the command line"
"""Who did it, as change records have it: whoever was at the server."""


class Cannot(Exception):
    """What was asked for cannot be done as things are; the one sentence says why, to whoever asked."""


def migrate(data: Path, environment: Mapping[str, str], *, waits: bool = False) -> None:
    """Bring the tables of the configured or running database to this release, and print what was done.

    Args:
        data: of a running platform, where no database is configured.
        environment: names the database.
        waits: for a database that does not answer, however long that takes.
    """
    dsn = running_database(environment, data)
    while waits and not _answers(dsn):
        time.sleep(_LOOK_S)
    done = migrating.migrate(dsn)
    with connect(dsn, name="migrate") as conn:
        roles.grant(conn)
    print("\n".join(done) if done else "nothing to do: the tables are those of this release")


def _answers(dsn: str) -> bool:
    """Return whether a database lets us in; why it does not is said each time."""
    try:
        connect(dsn, name="migrate").close()
    except psycopg.OperationalError as why:
        print(f"the database does not let us in yet: {str(why).splitlines()[0]}", file=sys.stderr, flush=True)
        return False
    return True


def setup(file: Path, data: Path, environment: Mapping[str, str], *, only_check: bool, takes_all: bool) -> None:
    """Set up what a street file says, and print what a person has to do next.

    Args:
        file: the street.
        data: the folder of everything that is kept.
        environment: with the database, or where its broker is.
        only_check: write nothing.
        takes_all: write also what somebody changed on a page since.

    Raises:
        Cannot: its thresholds do not go together with what others set.
        street.Wrong: the file cannot be used as it is.
    """
    said = street.read(file)
    if only_check:
        print(f"{file} is right: {len(said.home)} homes, {len(said.person)} people")
        return
    dsn = running_database(environment, data)
    now = clock_of(data, environment).now()
    with connect(dsn, name="setup") as conn:
        known = {hub.hub for hub in devices.list_hubs(conn)}
    kept = apply_street(said, dsn, now=now, takes_all=takes_all)
    print(f"set up: {len(said.home)} homes, {len(said.person)} people")
    if kept:
        print("not as the file says; --overwrite has it all as the file says:")
        print("\n".join(f"  {one}" for one in kept))
    _print_warnings(said, dsn, now=now)
    for home in said.home:
        if home.hub not in known:
            _add_hub(home.id, {"hub": home.hub, "network": home.network or ""}, None, data, environment, now=now)


def _print_warnings(said: Street, dsn: str, *, now: datetime) -> None:
    """Print what an operator should see to in these homes: a setup is not done while nobody may look."""

    async def find() -> list[str]:
        async with await _connection(dsn) as conn:
            return [
                f"{home.id}: {warning}"
                for home in said.home
                for warning in await agreed.warnings(conn, home.id, now=now)
            ]

    print("\n".join(asyncio.run(find())), end="\n" if said.home else "")


def apply_street(said: Street, dsn: str, *, now: datetime, takes_all: bool = False) -> list[str]:
    """Write what a street says; return what somebody changed since and was kept, one sentence each."""

    async def write() -> list[str]:
        async with await _connection(dsn) as conn:
            return await set_up.apply(conn, dsn, said, now=now, takes_all=takes_all)

    try:
        return asyncio.run(write())
    except thresholds.CannotSet as why:
        raise Cannot(str(why)) from why


def ensure_hub(home: str, hub: str, kept: Kept, dsn: str, *, now: datetime) -> None:
    """Let a home's hub in with the secret that is kept for it, and have the home watched through it."""

    async def let_in() -> None:
        async with await _connection(dsn) as conn:
            await hubs.let_in(conn, dsn, home, hub, kept.secret(f"hub {hub}"), now=now)

    asyncio.run(let_in())


def stretch(home: str, by: timedelta, dsn: str, *, now: datetime) -> None:
    """Have judgement know by how much promises may be late while time is sped up."""

    async def give() -> None:
        async with await _connection(dsn) as conn:
            await alerts_store.set_stretch(conn, home, by, now=now)

    asyncio.run(give())


def known_until(dsn: str) -> datetime | None:
    """Return the latest moment up to which anything was received, or None where nothing ever was."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute("SELECT max(greatest(received_through, complete_through)) FROM lane").fetchone()
    return row[0] if row else None


def hub_add(
    home: str, hub: str | None, out: Path | None, data: Path, environment: Mapping[str, str], *, network: str | None
) -> None:
    """Make a hub's credentials, tell the broker, write its configuration, and print where it is."""
    named = {"hub": hub or hubs.usual_name(home), "network": network or ""}
    _add_hub(home, named, out, data, environment, now=clock_of(data, environment).now())


def hub_network(hub: str, network: str | None, data: Path, environment: Mapping[str, str]) -> None:
    """Write what carries a hub's line, or that nobody knows."""
    now = clock_of(data, environment).now()

    async def write() -> None:
        async with await _connection(running_database(environment, data)) as conn:
            await hubs.set_network(conn, hub, network, by=BY_HAND, now=now)

    asyncio.run(write())
    print(f"hub {hub} is on {f'network {network}' if network else 'a network that nobody named'}")


def _add_hub(
    home: str, named: dict[str, str], out: Path | None, data: Path, environment: Mapping[str, str], *, now: datetime
) -> None:
    hub = named["hub"]
    dsn = running_database(environment, data)
    file = out or data / "hubs" / f"{hub}.toml"
    if file.exists():
        raise Cannot(f"{file} is there already, and a hub's file has its only secret; choose another with --out.")
    # Where it cannot be written nothing may be added: its secret would be gone.
    file.parent.mkdir(parents=True, exist_ok=True)
    broker = hubs_broker(environment, Kept(data))

    async def add() -> hubs.Added:
        async with await _connection(dsn) as conn:
            await homes.require(conn, home)
            return await hubs.add(conn, dsn, home, named, broker=broker, by=BY_HAND, now=now)

    added = asyncio.run(add())
    write_secretly(file, added.configuration)
    _tell_broker(dsn, data, environment)
    print(
        f"hub {added.hub} speaks for {home} (lane {added.lane} of the broker's topics); "
        f"its configuration, with its only secret, is in {file}"
    )


def hubs_broker(environment: Mapping[str, str], kept: Kept) -> str:
    """Return `host:port` of the platform's broker as hubs reach it."""
    configured = environment.get("TELECARE_HUBS_BROKER") or environment.get("TELECARE_BROKER")
    return configured or f"127.0.0.1:{kept.said('embedded_broker_port') or 1883}"


def hub_revoke(hub: str, data: Path, environment: Mapping[str, str]) -> None:
    """Turn a hub away from now on."""
    dsn = running_database(environment, data)
    now = clock_of(data, environment).now()

    async def revoke() -> None:
        async with await _connection(dsn) as conn:
            await hubs.revoke(conn, hub, by=BY_HAND, now=now)

    asyncio.run(revoke())
    _tell_broker(dsn, data, environment)
    print(f"hub {hub} is turned away from now on")


def hub_list(data: Path, environment: Mapping[str, str], *, permissions: Path | None) -> None:
    """Print the hubs, and write the permission files of a configured broker where asked for."""
    dsn = running_database(environment, data)
    with connect(dsn, name="hub list") as conn:
        heard = {str(hub): at for hub, at in conn.execute("SELECT hub, heard_at FROM hub_report")}
        network = {str(hub): name for hub, name in conn.execute("SELECT hub, network FROM hub") if name}
        print(f"{'hub':32} {'home':32} {'lane':>4}  {'last heard (UTC)':19}  {'state':9}  network")
        for hub in devices.list_hubs(conn):
            at = heard.get(hub.hub)
            last = f"{at:%Y-%m-%d %H:%M:%S}" if at else "never"
            state = "revoked" if hub.revoked_at else "may speak"
            line = f"{hub.hub:32} {hub.home or '-':32} {hub.lane:4}  {last:19}  {state:9}"
            print(f"{line}  {network.get(hub.hub, '')}".rstrip())
    if permissions is not None:
        _write_permissions(hub_access(dsn), permissions, environment)


def log_in(person: str, data: Path, environment: Mapping[str, str]) -> None:
    """Print a one-time link for a person."""
    dsn = running_database(environment, data)
    with connect(dsn, name="log-in") as conn:
        row = conn.execute("SELECT left_at IS NOT NULL FROM person WHERE person = %s", (person,)).fetchone()
        if row is not None and row[0]:
            raise Cannot(f"{person} has left; a link would open nothing.")
        if row is None:
            known = ", ".join(
                str(row[0])
                for row in conn.execute("SELECT person FROM person WHERE left_at IS NULL ORDER BY 1 LIMIT 50")
            )
            raise Cannot(f"There is no person {person!r}; there are: {known or 'none yet'}.")
    public = environment.get("TELECARE_PUBLIC_URL") or Kept(data).said("public_url") or "http://127.0.0.1:8420"
    print(make_link(person, dsn, public))


def make_link(person: str, dsn: str, public_url: str) -> str:
    """Return a new address with which one person can sign in once."""

    async def make() -> str:
        async with await _connection(dsn) as conn:
            # Links and sessions age in real time, however fast a demo's clock runs.
            return await links.make(conn, person, public_url, real_now=Clock().now())

    return asyncio.run(make())


def lane_of(home: str, dsn: str) -> int:
    """Return a home's lane.

    Raises:
        Cannot: there is no such home.
    """
    with connect(dsn, name="platform") as conn:
        row = conn.execute("SELECT lane FROM home WHERE home = %s", (home,)).fetchone()
    if row is None:
        raise Cannot(f"There is no home {home!r}; set it up first.")
    return int(row[0])


def toml(tables: Mapping[str, Mapping[str, object]]) -> str:
    """Return tables as TOML, whose strings, numbers, booleans and lists are written as JSON writes them."""
    return "\n".join(
        f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        for table, values in tables.items()
    )


def write_secretly(file: Path, content: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(content)
    new.replace(file)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def _tell_broker(dsn: str, data: Path, environment: Mapping[str, str]) -> None:
    """Give the embedded broker of this data folder its permissions anew; a configured one is its owner's to tell."""
    kept = Kept(data)
    port = kept.said("embedded_broker_port")
    if environment.get("TELECARE_BROKER") or port is None:
        print("tell your broker: `telecare hub list --permissions FOLDER` writes its permission files")
        return
    broker = nats(data / "broker", port=int(port), log=data / "logs" / "broker.log", environment=environment)
    broker.permit(hub_access(dsn), permissions.login(INGEST_USER, kept.secret("ingest")))


def _write_permissions(hubs: list[HubAccess], folder: Path, environment: Mapping[str, str]) -> None:
    user = environment.get("TELECARE_BROKER_USER") or INGEST_USER
    secret = environment.get("TELECARE_BROKER_PASSWORD")
    if not secret:
        raise Cannot("Set TELECARE_BROKER_PASSWORD: ingest's log-in stands in the broker's permission files too.")
    ingest = permissions.login(user, secret)
    write_secretly(folder / "nats-permissions.conf", permissions.nats_platform(hubs, ingest))
    write_secretly(folder / "mosquitto-passwords", permissions.mosquitto_passwords(hubs, ingest))
    write_secretly(folder / "mosquitto-acl", permissions.mosquitto_acl(hubs, ingest))
    print(f"permission files for NATS and Mosquitto are in {folder}")


def clock_of(data: Path, environment: Mapping[str, str]) -> Clock:
    """Return the clock of the platform that runs from this folder: a demo's own, or the system's."""
    demo = data / "clock.json"
    if environment.get(CLOCK_FILE_VARIABLE):
        return Clock.from_env(environment)
    return Clock(demo if demo.exists() else None)


async def _connection(dsn: str) -> AsyncConnection[TupleRow]:
    return await AsyncConnection.connect(dsn, **settings("setup"))  # type: ignore[arg-type]  # libpq's own words
