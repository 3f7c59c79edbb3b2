"""What can be done to a hub: its clock, its card, its disk; and to everybody's clock."""

import json
import shutil
import subprocess
import time
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from deploy import admin
from deploy.chaos import cards
from deploy.chaos.scene import Evidence, Kind, Scene
from deploy.chaos.street import CruelStreet
from gateway.clock import CLOCK_FILE_VARIABLE, read_anchor, write_anchor

_WRONG: Final = (timedelta(hours=-7), timedelta(minutes=-40), timedelta(hours=5), timedelta(days=-9000))
"""By how much a hub's clock is off: a time zone, a drift, the other way, and the year 2001."""

_NOTICED: Final = timedelta(minutes=10)
"""What a hub's clock is off by no fault of ours stays below this, at the street's speed."""

_CONFIGURATION: Final = "gateway.toml"
_DISK_BYTES: Final = 6_000_000


def _homes(street: CruelStreet) -> Collection[str]:
    return list(street.homes)


def _clock_is_wrong(scene: Scene) -> Evidence:
    street, home = scene.street, scene.target
    off = scene.chance.choice(_WRONG)
    file = street.asked.data / "homes" / home / "wrong-clock.json"
    anchor = read_anchor(street.clock.file)
    write_anchor(file, replace(anchor, simulated=anchor.simulated + off.total_seconds()))
    hub = street.homes[home].hub
    before = _start_again(street, home, {CLOCK_FILE_VARIABLE: str(file)})
    scene.until(lambda: abs(_off_by(street, hub)) > _NOTICED, within_s=30.0)
    found = _off_by(street, hub)
    street.order(home, "press")
    scene.lasts(3.0, 10.0)
    street.cards.odd_boots |= _start_again(street, home, {CLOCK_FILE_VARIABLE: str(street.clock.file)}) - before
    scene.until(lambda: abs(_off_by(street, hub)) < _NOTICED, within_s=30.0)
    return {"clock_off_by_s": round(found.total_seconds())} if abs(found) > _NOTICED else {}


def _start_again(street: CruelStreet, home: str, extra: dict[str, str]) -> set[str]:
    """Start a gateway anew on another clock, and return the boots that its card knew when it had stopped."""
    part = f"gateway {home}"
    street.supervisor.hold(part)
    street.read_card(home)
    street.platform.change(part, extra)
    street.supervisor.release(part)
    return street.cards.boots(street.homes[home].hub)


def _off_by(street: CruelStreet, hub: str) -> timedelta:
    found = street.rows("SELECT clock_off_by FROM hub_report WHERE hub = %s", hub)
    return found[0][0] if found else timedelta(0)


def _everybodys_clock_leaps(scene: Scene) -> Evidence:
    """As a time server sets a machine that was late: nobody heard anything in between."""
    street = scene.street
    before, real_s = street.clock.now(), time.monotonic()
    by = timedelta(minutes=scene.chance.uniform(2.0, 20.0))
    street.clock.leap(by)
    leapt = street.clock.now() - before
    scene.lasts(2.0, 6.0)
    passed = timedelta(seconds=(time.monotonic() - real_s)) * street.asked.speed
    return {"leapt_s": round(leapt.total_seconds())} if leapt >= by > timedelta(0) and passed else {}


def _old_card(scene: Scene) -> Evidence:
    """The hub is given back a copy of its card from before, and what it had learnt since is gone."""
    street, home = scene.street, scene.target
    part, card = f"gateway {home}", street.card(home)
    hub = street.homes[home].hub
    copy = street.asked.data / "old-card" / home
    street.supervisor.hold(part)
    admin.remove_folder(copy)
    shutil.copytree(card.parent, copy, ignore=shutil.ignore_patterns("broker"))
    street.supervisor.release(part)
    street.order(home, "press")
    scene.lasts(4.0, 10.0)
    _pull_out(scene, part)
    newest = cards.last_numbers(card)
    gone = street.cards.is_destroyed(home, hub, card, copy / card.name)
    with street.sight.dark([home]):
        for file in card.parent.glob(f"{card.name}*"):
            file.unlink()
        for file in copy.glob(f"{card.name}*"):
            shutil.copy2(file, card.parent / file.name)
    older = cards.last_numbers(card)
    street.supervisor.release(part)
    scene.lasts(2.0, 6.0)
    behind = sum(max(0, last - older.get(key, 0)) for key, last in newest.items())
    return {"numbers_behind": behind, "gone_with_the_card": gone} if behind else {}


def _pull_out(scene: Scene, part: str) -> None:
    process = scene.street.supervisor.process(part)
    process.kill()
    process.wait()
    scene.street.supervisor.hold(part)


def _disk_is_full(scene: Scene) -> Evidence:
    """The hub's disk is a small one, and something else fills it."""
    street, home = scene.street, scene.target
    part, card = f"gateway {home}", street.card(home)
    disk = street.asked.data / "homes" / home / "disk"
    disk.mkdir(exist_ok=True)
    mounted = subprocess.run(  # noqa: S603 - our own folder
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={_size(card)}", "none", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        return {}  # That needs root.
    try:
        street.supervisor.hold(part)
        street.read_card(home)
        _move_card(card, disk)
        _tell_where(card, disk / card.name)
        street.supervisor.release(part)
        scene.until(lambda: street.supervisor.is_ready(part), within_s=30.0)
        since = street.clock.now()
        full = _fill(disk / "filled")
        street.order(home, "press")
        for _ in range(scene.chance.randrange(6, 15)):
            # What is let go must have been seen before: it may be stored all the same.
            street.cards.read(home, street.homes[home].hub, disk / card.name)
            scene.lasts(1.0, 1.0)
        street.supervisor.hold(part)
        (disk / "filled").unlink()
        street.cards.had_no_card(street.homes[home].hub, since, street.clock.now())
        _move_card(disk / card.name, card.parent)
    finally:
        _tell_where(disk / card.name, card)
        street.supervisor.release(part)
        subprocess.run(["/bin/umount", "-l", str(disk)], check=False)  # noqa: S603 - as above
    return {"disk_filled_bytes": full} if full else {}


def _size(card: Path) -> int:
    return _DISK_BYTES + sum(file.stat().st_size for file in card.parent.glob(f"{card.name}*"))


def _move_card(card: Path, folder: Path) -> None:
    for file in card.parent.glob(f"{card.name}*"):
        shutil.copy2(file, folder / file.name)
        file.unlink()


def _tell_where(before: Path, now: Path) -> None:
    """Have a hub's configuration name another place of its outbox."""
    file = next(folder for folder in before.parents if (folder / _CONFIGURATION).exists()) / _CONFIGURATION
    admin.write_secretly(file, file.read_text().replace(json.dumps(str(before)), json.dumps(str(now))))


def _fill(file: Path) -> int:
    """Write until there is no space, and return how much that was; 0 if there was always some left."""
    written = 0
    try:
        with file.open("wb", buffering=0) as out:
            while written < 100_000_000:
                written += out.write(b"\0" * 4096)
    except OSError:
        return written
    return 0


KINDS: Final = (
    Kind("hub's clock wrong", _homes, _clock_is_wrong),
    Kind("everybody's clock leaps", lambda _: ("all",), _everybodys_clock_leaps, 0.7),
    Kind("old card", _homes, _old_card, 1.5),
    Kind("hub's disk full", _homes, _disk_is_full),
)
