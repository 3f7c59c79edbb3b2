"""What does every page around a home share?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.judging.minutes import MONTH, as_known
from alerts.judging.watched import Watched
from alerts.store import HomeWatch, Resident
from api import pictures
from api.given import Given, given
from api.store import Viewer
from api.views import state, watched_time
from api.views.state import Truth


def facts(request: Request, viewer: Viewer, place: str) -> dict[str, Any]:
    """Return what the head and foot of a page need.

    Args:
        request: this one.
        viewer: who is signed in.
        place: which part of the navigation this page is.
    """
    world = given(request)
    speed = world.clock.speed()
    return {
        "service": viewer.service,
        "viewer": viewer,
        "place": place,
        "can_text": world.sms is not None and viewer.texts_refused is None,
        "texts_refused": viewer.texts_refused,
        "speed": None if speed == 1 else speed,
    }


async def watched_time_of(conn: AsyncConnection[Any], home: str, told: Truth, *, now: datetime) -> dict[str, Any]:
    """Return for how much of thirty days a home could be seen, in words and as a strip."""
    since = now - MONTH
    spans = await alerts_store.watch_spans(conn, home, since, now)
    seen = watched_time.counted(spans, told, since=since, now=now)
    later = await alerts_store.seen_later(conn, home, since, now)
    lapsed = told.since if told.state is Watched.BLIND else None
    known = as_known(spans, blind_since=lapsed, why=told.why, now=now)
    begins = spans[0].since if spans else None
    return {
        "watched_said": watched_time.in_words(seen, later, begins=begins, since=since, now=now),
        "watched_strip": pictures.of_watch(known, since=since, now=now) if known else None,
    }


async def resident_of(conn: AsyncConnection[Any], home: str) -> Resident:
    """Return who lives in a home; one that nobody wrote down yet is called by the home's own name."""
    return await alerts_store.resident_of(conn, home) or _nobody_known(home)


def resident_in(residents: Mapping[str, Resident], home: str) -> Resident:
    """Return who lives in a home, of some that were looked up; called by the home's name where nobody was found."""
    return residents.get(home) or _nobody_known(home)


def _nobody_known(home: str) -> Resident:
    return Resident(home, f"The resident of {home}", f"The resident of {home}", None, None, None)


@dataclass(frozen=True, slots=True)
class Seen:
    """A home in a list, who lives there, how much of what is written of it holds, and that in a word."""

    home: str
    resident: Resident
    told: Truth
    word: str


async def seen_homes(
    world: Given, conn: AsyncConnection[Any], homes: Sequence[str], *, now: datetime, most: int, behind: int = 0
) -> list[Seen]:
    """Return how some homes are seen, those that cannot be seen first, in one question to the database.

    Args:
        world: for the clock.
        conn: to the database.
        homes: which.
        now: that the leases are held against.
        most: of them.
        behind: how many to pass over.
    """
    stretch, speed = world.clock.stretch(), world.clock.speed()
    found = await alerts_store.list_homes(conn, now=now, stretch=stretch, homes=homes, most=most, behind=behind)
    truths = [state.truth(one.watch, now=now, speed=speed, stretch=stretch) for one in found]
    return [
        Seen(one.home, one.resident or _nobody_known(one.home), told, state.seen_as(one.watch, told))
        for one, told in zip(found, truths, strict=True)
    ]


async def seen_now(
    world: Given, conn: AsyncConnection[Any], home: str, *, now: datetime
) -> tuple[HomeWatch | None, Truth]:
    """Return what is written of a home, and how much of it holds by this process's own clock."""
    stretch = world.clock.stretch()
    watch = await alerts_store.watch_of(conn, home, stretch=stretch)
    return watch, state.truth(watch, now=now, speed=world.clock.speed(), stretch=stretch)
