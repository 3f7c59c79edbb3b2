"""What can be done to the network: cut, silent, slow, narrow; messages out of order, twice, forgotten, garbled."""

import random
from collections.abc import Collection, Generator
from dataclasses import replace
from typing import Final

from deploy.chaos.scene import Evidence, Kind, Scene, Steps
from deploy.chaos.street import CruelStreet
from deploy.lines import UNTREATED, Forgetful, Overtaken, Treat, Treatment, publish_in, twice


def _any(street: CruelStreet) -> Collection[str]:
    return [name for name in street.between.names() if not name.startswith("second ")]


def _of_hubs(street: CruelStreet) -> Collection[str]:
    return [f"{home} to broker" for home in street.homes]


def _is_cut(scene: Scene) -> Steps:
    lines, line = scene.street.between, scene.target
    before = lines.done(line)
    lines.cut(line)
    with scene.dark():
        yield from scene.lasts(3.0, 20.0)
    lines.mend(line)
    ended = lines.done(line).ended - before.ended
    return {"connections_ended": ended} if ended else {}


def _is_silent(scene: Scene) -> Steps:
    """Nothing comes through, and nobody is told: a router that forgot, a cable behind a switch."""
    lines, line = scene.street.between, scene.target
    before = lines.done(line)
    lines.treat(line, Treatment(is_stalled=True))
    with scene.held_up():
        yield from scene.lasts(3.0, 20.0)
    lines.treat(line, UNTREATED)
    yield from scene.lasts(0.5, 1.0)
    return _held(scene, before.held_bytes)


def _is_slow(scene: Scene) -> Steps:
    return (yield from _treated(scene, Treatment(delay_s=scene.chance.uniform(0.2, 2.0))))


def _is_narrow(scene: Scene) -> Steps:
    return (yield from _treated(scene, Treatment(bytes_a_second=scene.chance.uniform(300.0, 4000.0))))


def _treated(scene: Scene, treatment: Treatment) -> Steps:
    lines, line = scene.street.between, scene.target
    before = lines.done(line)
    with scene.street.sight.delayed(scene.homes_behind(line)):
        lines.treat(line, treatment)
        yield from scene.lasts(4.0, 16.0)
    lines.treat(line, UNTREATED)
    return _held(scene, before.held_bytes)


def _held(scene: Scene, before: int) -> Evidence:
    held = scene.street.between.done(scene.target).held_bytes - before
    return {"held_bytes": held} if held else {}


def _messages(scene: Scene, message: Treat) -> Generator[None, None, int]:
    """Do something to each message of a hub for a while, and return to how many it was done."""
    lines, line = scene.street.between, scene.target
    before = lines.done(line).treated
    lines.treat(line, Treatment(message=message))
    home = line.removesuffix(" to broker")
    scene.street.order(home, "press")
    with scene.street.sight.delayed([home]):
        yield from scene.lasts(4.0, 12.0)
    lines.treat(line, UNTREATED)
    return lines.done(line).treated - before


def _come_twice(scene: Scene) -> Steps:
    done = yield from _messages(scene, twice)
    return {"doubled": done} if done else {}


def _overtake(scene: Scene) -> Steps:
    overtaken = Overtaken()
    yield from _messages(scene, overtaken)
    return {"swapped": overtaken.swapped} if overtaken.swapped else {}


def _are_forgotten(scene: Scene) -> Steps:
    forgetful = Forgetful(lambda: scene.chance.random() < 1 / 3)
    yield from _messages(scene, forgetful)
    return {"acknowledged_and_forgotten": forgetful.lost} if forgetful.lost else {}


def _are_garbled(scene: Scene) -> Steps:
    """Beside each message comes a broken copy, as from a hub whose memory rots; the message itself is whole."""
    before = _refused(scene.street)
    done = yield from _messages(scene, Garbled(scene.chance))
    yield from scene.until(lambda: _refused(scene.street) > before, within_s=20.0)
    refused = _refused(scene.street) - before
    return {"garbled": done, "refused": refused} if done and refused > 0 else {}


def _refused(street: CruelStreet) -> int:
    found = street.rows("SELECT count(*) FROM refused")
    return int(found[0][0]) if found else 0


class Garbled:
    """After each message comes a copy whose first line cannot be read, and so stands for no number."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def __call__(self, packet: bytes) -> tuple[list[bytes], bytes]:
        found = publish_in(packet)
        if not found.topic.endswith((b"/readings", b"/alarms")):
            return [packet], b""
        broken = bytes(byte ^ 0x80 if self._chance.random() < 0.2 else byte for byte in found.payload)
        # At QoS 0, so that its acknowledgement does not stand for the other's; and never readable by luck.
        garbled = replace(found, flags=found.flags & ~0x06, identifier=b"", payload=b"\xff" + broken)
        return [packet, garbled.packet()], b""


KINDS: Final = (
    Kind("line cut", _any, _is_cut, 3.0),
    Kind("line silent", _any, _is_silent, 2.0),
    Kind("line slow", _any, _is_slow),
    Kind("line narrow", _any, _is_narrow),
    Kind("messages twice", _of_hubs, _come_twice),
    Kind("messages out of order", _of_hubs, _overtake),
    Kind("messages forgotten", _of_hubs, _are_forgotten),
    # What was refused is counted over all hubs.
    Kind("messages garbled", _of_hubs, _are_garbled, takes=lambda line: (line, "refused")),
)
