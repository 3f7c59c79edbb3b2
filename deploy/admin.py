"""What does whoever runs the platform do by hand: set up homes and people, add and revoke hubs, sign someone in?

Every command may be repeated without harm, and works beside a running platform.
"""

import asyncio
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

import alerts.store as alerts_store
import api.store as api_store
from alerts.judging import policy as policies
from alerts.judging.finding import JSON
from alerts.judging.numbers import Numbers, checked
from alerts.store import thresholds
from deploy import street
from deploy.broker import permissions
from deploy.broker.permissions import HubAccess
from deploy.embedded.nats import nats
from deploy.platform import INGEST_USER, Kept, hub_access, running_database
from deploy.street import Home, Street, Thresholds
from gateway.clock import CLOCK_FILE_VARIABLE, Clock
from ingest import devices
from ingest.db import migrate as migrating
from ingest.db.pool import connect, settings

_BY: Final = "setup"


class Cannot(Exception):
    """What was asked for cannot be done as things are; the one sentence says why, to whoever asked."""


def migrate(data: Path, environment: Mapping[str, str]) -> None:
    """Bring the tables of the configured or running database to this release, and print what was done."""
    done = migrating.migrate(running_database(environment, data))
    print("\n".join(done) if done else "nothing to do: the tables are those of this release")


def setup(file: Path, data: Path, environment: Mapping[str, str], *, only_check: bool) -> None:
    """Set up what a street file says, and print what a person has to do next.

    Raises:
        street.Wrong: the file cannot be used as it is.
    """
    said = street.read(file)
    if only_check:
        print(f"{file} is right: {len(said.home)} homes, {len(said.person)} people")
        return
    dsn = running_database(environment, data)
    now = _clock(data, environment).now()
    with connect(dsn, name="setup") as conn:
        known = {hub.hub for hub in devices.list_hubs(conn)}
    apply_street(said, dsn, now=now)
    print(f"set up: {len(said.home)} homes, {len(said.person)} people")
    for home in said.home:
        if home.hub not in known:
            _add_hub(home.id, home.hub, None, data, environment, now=now)


def apply_street(said: Street, dsn: str, *, now: datetime) -> None:
    """Write homes, people, sensors and thresholds; only what changed counts as a change."""
    with connect(dsn, name="setup") as conn:
        for home in said.home:
            devices.add_home(conn, home.id, now=now)
            for sensor in home.sensor:
                devices.set_sensor(conn, devices.Sensor(home.id, sensor.id, sensor.room, sensor.kind))
    asyncio.run(_apply_people(said, dsn, now=now))


async def _apply_people(said: Street, dsn: str, *, now: datetime) -> None:
    async with await _connection(dsn) as conn, conn.transaction():
        for person in said.person:
            await alerts_store.set_person(
                conn, person.id, person.name, what=person.what, phone=street.e164(person.phone)
            )
        await alerts_store.set_service(conn, said.service.name, said.service.operator)
        for home in said.home:
            await _apply_home(conn, home, said.service.operator, now=now)


async def _apply_home(conn: AsyncConnection[TupleRow], home: Home, operator: str, *, now: datetime) -> None:
    resident = home.resident
    await alerts_store.set_resident(
        conn,
        home.id,
        first_name=resident.first_name,
        full_name=resident.name,
        phone=street.e164(resident.phone) if resident.phone else None,
        address=resident.address,
        know=resident.know,
    )
    await alerts_store.set_telling(conn, home.id, home.told)
    await thresholds.set_by_file(conn, home.id, numbers_of(home.thresholds), now=now)
    await alerts_store.set_sensors(conn, home.id, now=now)
    # Who gets what nobody else took must be able to see it, take it and close it.
    carers = {*home.carers, operator}
    for person in {*home.family, *carers}:
        views: list[api_store.View] = []
        views += ["family"] if person in home.family else []
        views += ["carer"] if person in carers else []
        await api_store.set_access(conn, person, home.id, views, given_by=_BY, now=now)


def numbers_of(said: Thresholds) -> Numbers:
    """Return the numbers that a home's file gives, as a policy's content has them; the rest is the product's own."""
    given: dict[str, JSON] = {
        policies.key_of(name): street.duration(value).total_seconds()
        for name in ("still_for", "hub_silent_carer_after", "escalate_after", "again_after")
        if (value := getattr(said, name)) is not None
    }
    if said.waking is not None:
        given |= zip(("waking_from", "waking_until"), said.waking, strict=True)
    if said.learned is not None:
        given["learned"] = said.learned
    return checked(given)


def ensure_hub(home: str, hub: str, kept: Kept, dsn: str, *, now: datetime) -> None:
    """Let a home's hub in with the secret that is kept for it, and have the home watched through it."""
    _write_hub(home, hub, kept.secret(f"hub {hub}"), dsn, now=now)


def stretch(home: str, by: timedelta, dsn: str, *, now: datetime) -> None:
    """Have judgement know by how much promises may be late while time is sped up."""

    async def give() -> None:
        async with await _connection(dsn) as conn:
            await alerts_store.set_stretch(conn, home, by, now=now)

    asyncio.run(give())


def hub_add(home: str, hub: str | None, out: Path | None, data: Path, environment: Mapping[str, str]) -> None:
    """Make a hub's credentials, tell the broker, write its configuration, and print where it is."""
    _add_hub(home, hub or f"hub-{home}"[:32].rstrip("-"), out, data, environment, now=_clock(data, environment).now())


def _add_hub(
    home: str, hub: str, out: Path | None, data: Path, environment: Mapping[str, str], *, now: datetime
) -> None:
    if hub == INGEST_USER:
        raise Cannot(f"No hub can be called {hub}: that is the platform's own name on the broker.")
    dsn = running_database(environment, data)
    file = out or data / "hubs" / f"{hub}.toml"
    if file.exists():
        raise Cannot(f"{file} is there already, and a hub's file has its only secret; choose another with --out.")
    secret = secrets.token_urlsafe(32)
    try:
        lane = _write_hub(home, hub, secret, dsn, now=now)
    except devices.CannotAdd as why:
        raise Cannot(str(why)) from why
    broker = environment.get("TELECARE_BROKER") or f"127.0.0.1:{Kept(data).said('embedded_broker_port') or 1883}"
    host, _, port = broker.rpartition(":")
    tables: dict[str, Mapping[str, object]] = {
        "hub": {"id": hub, "lane": lane, "secret": secret},
        "platform": {"host": host, "port": int(port), "tls": not host.startswith("127.")},
        "radio": {"host": "127.0.0.1", "port": 1883, **_said_of_sensors(home, dsn)},
        "outbox": {"path": "outbox.sqlite"},
    }
    write_secretly(file, toml(tables))
    _tell_broker(dsn, data, environment)
    print(f"hub {hub} speaks for {home} (lane {lane}); its configuration, with its only secret, is in {file}")


def _said_of_sensors(home: str, dsn: str) -> dict[str, list[str]]:
    """Return what a hub must be told of its home's sensors: which call for help, are beds, are switched on by hand."""
    with connect(dsn, name="hub add") as conn:
        sensors = devices.list_sensors(conn, home)
    return {
        listed: names
        for listed, kinds in street.RADIO_LISTS.items()
        if (names := [sensor.sensor for sensor in sensors if sensor.kind in kinds])
    }


def hub_revoke(hub: str, data: Path, environment: Mapping[str, str]) -> None:
    """Turn a hub away from now on."""
    dsn = running_database(environment, data)
    now = _clock(data, environment).now()
    with connect(dsn, name="hub revoke") as conn:
        if not devices.revoke_hub(conn, hub, now=now):
            raise Cannot(f"There is no hub {hub} that may speak now; `telecare hub list` shows them.")
        home = next(one.home for one in devices.list_hubs(conn) if one.hub == hub)
    if home is not None:
        asyncio.run(_watch_no_longer(dsn, home, hub, now=now))
    _tell_broker(dsn, data, environment)
    print(f"hub {hub} is turned away from now on")


def hub_list(data: Path, environment: Mapping[str, str], *, permissions: Path | None) -> None:
    """Print the hubs, and write the permission files of a configured broker where asked for."""
    dsn = running_database(environment, data)
    with connect(dsn, name="hub list") as conn:
        heard = {str(hub): at for hub, at in conn.execute("SELECT hub, heard_at FROM hub_report")}
        print(f"{'hub':32} {'home':32} {'lane':>4}  {'last heard (UTC)':19}  state")
        for hub in devices.list_hubs(conn):
            at = heard.get(hub.hub)
            last = f"{at:%Y-%m-%d %H:%M:%S}" if at else "never"
            state = "revoked" if hub.revoked_at else "may speak"
            print(f"{hub.hub:32} {hub.home or '-':32} {hub.lane:4}  {last:19}  {state}")
    if permissions is not None:
        _write_permissions(hub_access(dsn), permissions, environment)


def log_in(person: str, data: Path, environment: Mapping[str, str]) -> None:
    """Print a one-time link for a person."""
    dsn = running_database(environment, data)
    with connect(dsn, name="log-in") as conn:
        if conn.execute("SELECT FROM person WHERE person = %s", (person,)).fetchone() is None:
            known = ", ".join(str(row[0]) for row in conn.execute("SELECT person FROM person ORDER BY 1 LIMIT 50"))
            raise Cannot(f"There is no person {person!r}; there are: {known or 'none yet'}.")
    public = environment.get("TELECARE_PUBLIC_URL") or Kept(data).said("public_url") or "http://127.0.0.1:8420"
    print(make_link(person, dsn, public))


def make_link(person: str, dsn: str, public_url: str) -> str:
    """Return a new address with which one person can sign in once."""

    async def make() -> str:
        async with await _connection(dsn) as conn:
            # Links and sessions age in real time, however fast a demo's clock runs.
            return await api_store.make_link(conn, person, public_url, real_now=Clock().now())

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


def _write_hub(home: str, hub: str, secret: str, dsn: str, *, now: datetime) -> int:
    hashes = (permissions.hash_nats(secret), permissions.hash_mosquitto(secret))
    with connect(dsn, name="hub add") as conn:
        lane = devices.add_hub(conn, hub, home, hashes, now=now)
    asyncio.run(_watch(dsn, home, hub, now=now))
    return lane


async def _watch(dsn: str, home: str, hub: str, *, now: datetime) -> None:
    async with await _connection(dsn) as conn:
        await alerts_store.set_watched(conn, home, hub, now=now)


async def _watch_no_longer(dsn: str, home: str, hub: str, *, now: datetime) -> None:
    async with await _connection(dsn) as conn:
        await alerts_store.set_unwatched(conn, home, hub, now=now)


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


def _clock(data: Path, environment: Mapping[str, str]) -> Clock:
    """Return the clock of the platform that runs from this folder: a demo's own, or the system's."""
    demo = data / "clock.json"
    if environment.get(CLOCK_FILE_VARIABLE):
        return Clock.from_env(environment)
    return Clock(demo if demo.exists() else None)


async def _connection(dsn: str) -> AsyncConnection[TupleRow]:
    return await AsyncConnection.connect(dsn, **settings("setup"))  # type: ignore[arg-type]  # libpq's own words
