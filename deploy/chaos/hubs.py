"""What can be done to a hub: its clock, its card; and to everybody's clock."""

import shutil
import time
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Final

from deploy import admin
from deploy.chaos import cards
from deploy.chaos.scene import BACKUP, Kind, Scene, Steps, of_the_hub
from deploy.chaos.street import CruelStreet
from gateway.clock import CLOCK_FILE_VARIABLE, read_anchor, write_anchor

_WRONG: Final = (timedelta(hours=-7), timedelta(minutes=-40), timedelta(hours=5), timedelta(days=-9000))
"""By how much a hub's clock is off: a time zone, a drift, the other way, and the year 2001."""

_NOTICED: Final = timedelta(minutes=10)
"""What a hub's clock is off by no fault of ours stays below this, at the street's speed."""


def _homes(street: CruelStreet) -> Collection[str]:
    return list(street.homes)


def _clock_is_wrong(scene: Scene) -> Steps:
    street, home = scene.street, scene.target
    off = scene.chance.choice(_WRONG)
    file = street.asked.data / "homes" / home / "wrong-clock.json"
    anchor = read_anchor(street.clock.file)
    write_anchor(file, replace(anchor, simulated=anchor.simulated + off.total_seconds()))
    hub = street.homes[home].hub
    before = _start_again(street, home, {CLOCK_FILE_VARIABLE: str(file)})
    yield from scene.until(lambda: abs(_off_by(street, hub)) > _NOTICED, within_s=30.0)
    found = _off_by(street, hub)
    street.order(home, "press")
    yield from scene.lasts(3.0, 10.0)
    street.cards.odd_boots |= _start_again(street, home, {CLOCK_FILE_VARIABLE: str(street.clock.file)}) - before
    yield from scene.until(lambda: abs(_off_by(street, hub)) < _NOTICED, within_s=30.0)
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


def _everybodys_clock_leaps(scene: Scene) -> Steps:
    """As a time server sets a machine that was late: nobody heard anything in between."""
    street = scene.street
    before, real_s = street.clock.now(), time.monotonic()
    by = timedelta(minutes=scene.chance.uniform(2.0, 20.0))
    street.clock.leap(by)
    # Whoever is heard right after it is heard before we can look at the clock again.
    street.sight.was_dark(scene.homes_behind("broker"), before, before + by)
    leapt = street.clock.now() - before
    yield from scene.lasts(2.0, 6.0)
    passed = timedelta(seconds=(time.monotonic() - real_s)) * street.asked.speed
    return {"leapt_s": round(leapt.total_seconds())} if leapt >= by > timedelta(0) and passed else {}


def _old_card(scene: Scene) -> Steps:
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
    yield from scene.lasts(4.0, 10.0)
    _pull_out(scene, part)
    stored: list[tuple[str, str, int]] = []

    def answers() -> bool:
        stored[:] = street.rows("SELECT outbox, stream, stored_through FROM stream WHERE hub = %s", hub)
        return bool(stored)

    # What the hub was told of before the table was put back need not be in it any more.
    if not (yield from scene.until(answers)):
        street.supervisor.release(part)
        return {}
    newest = cards.last_numbers(card)
    table = {(outbox, of): through for outbox, of, through in stored}
    gone = street.cards.is_destroyed(home, hub, card, copy / card.name, table)
    with street.sight.dark([home]):
        for file in card.parent.glob(f"{card.name}*"):
            file.unlink()
        for file in copy.glob(f"{card.name}*"):
            shutil.copy2(file, card.parent / file.name)
    older = cards.last_numbers(card)
    street.supervisor.release(part)
    yield from scene.lasts(2.0, 6.0)
    behind = sum(max(0, last - older.get(key, 0)) for key, last in newest.items())
    return {"numbers_behind": behind, "gone_with_the_card": gone} if behind else {}


def _pull_out(scene: Scene, part: str) -> None:
    process = scene.street.supervisor.process(part)
    process.kill()
    process.wait()
    scene.street.supervisor.hold(part)


KINDS: Final = (
    Kind("hub's clock wrong", _homes, _clock_is_wrong, takes=of_the_hub),
    Kind("everybody's clock leaps", lambda _: ("all",), _everybodys_clock_leaps, 0.7),
    Kind("old card", _homes, _old_card, 1.5, lambda home: (*of_the_hub(home), BACKUP)),
)
