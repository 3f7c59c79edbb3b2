"""How does a run go?  A street is built, faults befall it one after the other, and then accounts are settled."""

import contextlib
import os
import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from deploy import admin
from deploy.chaos import disks, end, hubs, network, phones, processes
from deploy.chaos.book import Book, Sum
from deploy.chaos.fate import Befallen, Fate
from deploy.chaos.people import Carers, Family, Residents
from deploy.chaos.scene import Kind
from deploy.chaos.street import CruelStreet, NeverWell
from deploy.embedded import machine
from deploy.lines import Lines
from deploy.said import Say
from deploy.supervise import Stopped, Supervisor

KINDS: Final[Sequence[Kind]] = (*processes.KINDS, *network.KINDS, *hubs.KINDS, *disks.KINDS, *phones.KINDS)

_WELL_BETWEEN_S: Final = 20.0
"""So long fate waits at the most for everything to be well before it strikes again; then it strikes all the same."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run was asked for.

    Attributes:
        data: a folder that is empty or not there; it is removed when all was well.
        book: the ledger that is added to.
        seed: decides what happens to what, and for how long.
        faults: to stop after so many that bit; None is no limit.
        minutes: to stop after so long; None is no limit.
        homes: how many.
        at_once: how many faults befall it at the same time at the most.
        kinds: only faults of these names; empty is all of them.
        is_kept: whether the folder stays even when all was well.
    """

    data: Path
    book: Path
    seed: int
    faults: int | None
    minutes: float | None
    homes: int
    at_once: int = 4
    kinds: tuple[str, ...] = ()
    is_kept: bool = False


def run(asked: Asked, say: Say | None = None) -> int:
    """Run it, and return 0 if all four are 0, 1 if not, 130 if it was broken off.

    Raises:
        Missing: the machine lacks something, or the folder is not empty.
        DidNotStart: a part of ours did not.
    """
    say = say or Say()
    kinds = _possible(asked.kinds, say)
    if asked.data.exists() and any(asked.data.iterdir()):
        raise machine.Missing(f"{asked.data} is not empty, and a run begins with nothing; name another with --data.")
    book = Book(asked.book)
    # A run that goes on in a ledger does something else than the one before it, also with the same seed.
    chance = random.Random(f"{asked.seed}/{len(book.lines())}")
    code = 130
    with (
        machine.held(asked.data),
        Lines(0) as lines,
        Supervisor(asked.data / "logs") as supervisor,
        contextlib.suppress(Stopped),
    ):
        street = CruelStreet(asked.data, asked.homes, asked.seed, supervisor=supervisor, lines=lines, say=say)
        try:
            code = _Run(replace(asked, kinds=kinds), street, book, chance, say).go()
        finally:
            street.stop()
    if code == 0 and not asked.is_kept:
        admin.remove_folder(asked.data)
    else:
        say("everything of this run is kept in", str(asked.data))
    _print(book.sum(), asked.book)
    return code


def _possible(asked: Sequence[str], say: Say) -> tuple[str, ...]:
    """Return what may befall the street here, of what is asked for or of all.

    Raises:
        Missing: nothing does.
    """
    possible = [kind.name for kind in KINDS if not asked or kind.name in asked]
    full = {kind.name for kind in disks.KINDS}.intersection(possible)
    if full and not disks.may_be_filled():
        say(f"left out, for only root may mount a small disk and fill it: {', '.join(sorted(full))}")
        possible = [name for name in possible if name not in full]
    if not possible:
        raise machine.Missing(f"there is nothing to do; kinds of faults are {', '.join(kind.name for kind in KINDS)}")
    return tuple(possible)


class _Run:
    """One run, once there is a street."""

    def __init__(self, asked: Asked, street: CruelStreet, book: Book, chance: random.Random, say: Say) -> None:
        self._asked = asked
        self._street = street
        self._book = book
        self._chance = chance
        self._say = say
        self._name = secrets.token_hex(4)
        self._bit = 0
        self._tried = 0

    def go(self) -> int:
        """Do all of it, and return the exit code."""
        street = self._street
        self._say(f"building a street of {self._asked.homes} homes")
        street.start()
        token = admin_token(street)
        processes.back_up(street)
        residents = Residents(street, random.Random(self._chance.random()))
        carers = Carers(street, random.Random(self._chance.random()))
        family = Family(street, token)
        people = (family, carers, residents)
        for one in people:
            one.start()
        try:
            self._strike_on(family)
            residents.stop()
            if street.supervisor.is_stopping:
                return 130
            self._say("no more faults; everything may heal")
            street.gets_well()
            came = end.settle(street, family.looks)
        except NeverWell as why:
            self._say(str(why))
            return 1
        finally:
            for one in people:
                one.stop()
        return 130 if came is None else self._account(came)

    def _strike_on(self, family: Family) -> None:
        asked, street = self._asked, self._street
        kinds = [kind for kind in KINDS if kind.name in asked.kinds]
        fate = Fate(street, kinds, self._chance, over=self._write)
        until_s = None if asked.minutes is None else time.monotonic() + 60 * asked.minutes
        while not street.supervisor.is_stopping:
            left = asked.at_once if asked.faults is None else min(asked.at_once, asked.faults - self._bit)
            if left <= 0 or (until_s is not None and time.monotonic() >= until_s):
                return
            fate.strike(left)
            street.lives(self._chance.uniform(0.5, 2.0))
            street.lives(_WELL_BETWEEN_S, until=lambda: family.sees_all and street.is_well())

    def _write(self, one: Befallen) -> None:
        """Write down and tell a fault that is over."""
        self._tried += 1
        self._bit += bool(one.bit)
        self._book.write(
            {
                "run": self._name,
                "number": self._tried,
                "fault": one.kind.name,
                "target": one.target,
                "at": one.at.isoformat(timespec="milliseconds"),
                "lasted_s": one.lasted_s,
                "others": one.others,
                "bit": dict(one.bit),
            }
        )
        shown = ", ".join(f"{name} {value}" for name, value in one.bit.items()) or "did not bite"
        self._say(f"{self._bit:3} {one.kind.name}: {one.target} ({one.lasted_s:g} s) {shown}")

    def _account(self, came: end.End) -> int:
        """Write down and print what came of it; return the exit code."""
        numbers = came.numbers()
        seed = {"run": self._name, "seed": self._asked.seed, "homes": self._asked.homes, "faults": self._bit}
        self._book.write({**seed, **numbers, "apart": came.apart()})
        for line in came.evidence():
            self._say(line)
        self._say(", ".join(f"{name.replace('_', ' ')} {many}" for name, many in {**numbers, **came.apart()}.items()))
        return int(not came.is_clean)


def admin_token(street: CruelStreet) -> str:
    """Return a token with which a program of the operator sees every home."""
    from deploy import tokens  # noqa: PLC0415 - what it needs of the pages is loaded when it is used

    return tokens.made("control", "family", ["homes:read"], street.platform.database_url)


def _print(found: Sum, book: Path) -> None:
    """Print what the ledger adds up to."""
    print(f"\n{book}: {found.faults} faults that bit, in {found.runs} runs")
    for name, many in sorted(found.kinds.items(), key=lambda one: (-one[1], one[0])):
        print(f"  {many:5}  {name}")
    if found.broken_off:
        print(f"  {found.broken_off:5}  (in runs that were broken off, and do not count)")
    for name, many in found.wrong.items():
        print(f"{name.replace('_', ' '):24} {many}")
    print(f"{'doubled texts':24} {found.doubled_texts}")


def seed_of(said: int | None) -> int:
    """Return the seed that was asked for, or another one each time."""
    return said if said is not None else int.from_bytes(os.urandom(4), "big")
