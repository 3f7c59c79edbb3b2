"""What does every page around a home share?"""

from datetime import datetime
from typing import Any

from fastapi import Request
from psycopg import AsyncConnection

from alerts import store as alerts_store
from alerts.store import HomeWatch, Resident
from api.given import Given, given
from api.store import Viewer
from api.views import state
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
        "can_text": world.sms is not None,
        "speed": None if speed == 1 else speed,
    }


async def resident_of(conn: AsyncConnection[Any], home: str) -> Resident:
    """Return who lives in a home; one that nobody wrote down yet is called by the home's own name."""
    found = await alerts_store.resident_of(conn, home)
    return found or Resident(home, f"The resident of {home}", f"The resident of {home}", None, None, None)


async def seen_now(
    world: Given, conn: AsyncConnection[Any], home: str, *, now: datetime
) -> tuple[HomeWatch | None, Truth]:
    """Return what is written of a home, and how much of it holds by this process's own clock."""
    stretch = world.clock.stretch()
    watch = await alerts_store.watch_of(conn, home, stretch=stretch)
    return watch, state.truth(watch, now=now, speed=world.clock.speed(), stretch=stretch)
