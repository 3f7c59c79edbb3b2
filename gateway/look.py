"""What can the equipment of this home tell?  Asked by hand: `telecare gateway --explain live`, or a saved list.

`live` listens to the home's own broker, where Zigbee2MQTT keeps its list; nothing is sent, and a gateway may run beside
it.
"""

import queue
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.adapters import explain
from gateway.adapters.exposes import Setup, read_devices
from gateway.adapters.zigbee2mqtt import BRIDGE_BYTES_MAX
from gateway.config import FILE_VARIABLE, BadConfig, Config, Radio
from gateway.connection import Connection, Delivery, Door

LIVE: Final = "live"

_WAIT_S: Final = 10.0
"""A list that is kept comes with the subscription, in milliseconds."""


class CannotLook(Exception):
    """Nothing could be explained; the one sentence says what whoever asked must mend."""


def look(where: str, env: Mapping[str, str]) -> str:
    """Return what each device can tell and what it cannot.

    Args:
        where: `live`, or a file with what Zigbee2MQTT publishes on `bridge/devices`.
        env: names the hub's configuration; a file can be explained without one.

    Raises:
        CannotLook: there is no list, or it cannot be read.
    """
    radio = _radio(env, is_needed=where == LIVE)
    setup = radio.setup() if radio is not None else Setup()
    listed = _heard(radio) if radio is not None and where == LIVE else _read(Path(where))
    devices = read_devices(listed, setup)
    if devices is None:
        raise CannotLook("that is no list of devices as Zigbee2MQTT publishes it on bridge/devices")
    return explain.report(devices.values(), setup)


def _radio(env: Mapping[str, str], *, is_needed: bool) -> Radio | None:
    try:
        radio = Config.from_env(env).radio
    except BadConfig as why:
        if is_needed or env.get(FILE_VARIABLE):
            raise CannotLook(str(why)) from None
        return None
    if radio is None and is_needed:
        raise CannotLook("this hub plays a recording and has no equipment")
    return radio


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as there:
            return there.read(BRIDGE_BYTES_MAX)
    except OSError as why:
        raise CannotLook(f"{file} cannot be read: {why.strerror}") from None


class _Ear:
    """Waits for one message."""

    def __init__(self) -> None:
        self.heard: queue.Queue[bytes] = queue.Queue(1)

    def connected(self, name: str, *, has_session: bool) -> None: ...

    def disconnected(self, name: str) -> None: ...

    def received(self, _: str, delivery: Delivery) -> bool:
        if self.heard.empty():
            self.heard.put_nowait(delivery.payload)
        return True


def _heard(radio: Radio) -> bytes:
    ear, topic = _Ear(), f"{radio.base_topic}/bridge/devices"
    connection = Connection(
        Door(
            name="look",
            host=radio.host,
            port=radio.port,
            client_id=f"telecare-look-{secrets.token_hex(4)}",
            user=radio.user,
            password=radio.password,
            topics=(topic,),
            first_wait_s=0.5,
            longest_wait_s=2.0,
        ),
        ear,
    )
    connection.open()
    try:
        return ear.heard.get(timeout=_WAIT_S)
    except queue.Empty:
        is_up = connection.is_up
        what = f"nothing is kept on {topic}: does Zigbee2MQTT run?" if is_up else "it does not answer"
        raise CannotLook(f"the home's own broker at {radio.host}:{radio.port}: {what}") from None
    finally:
        connection.close()
