"""Signing in with a password and a code, and keeping both: for operators and paid carers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import psycopg
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from api import show, store, times
from api.access import CurrentViewer
from api.given import Connection, Given, GivenToAll, RealNow
from api.office import changes
from api.office.said import Form, Mistake, Mistakes
from api.routes import frame, office
from api.routes.let_in import LOG_INS, let_in
from api.routes.office import NOTHING_REFUSED, Refused, Written
from api.signing_in import factors, passwords, sessions, staff, throttle
from api.signing_in.addresses import AskedFrom
from api.signing_in.passwords import Busy
from api.signing_in.reach import Reach, reach
from api.signing_in.sealing import Seals
from api.signing_in.staff import Code, Held
from api.signing_in.throttle import MustWait
from api.store import Viewer

router = APIRouter()

# The same for all of it, whichever part is wrong: which of them it was is worth most to whoever guesses.
_NOT_RIGHT: Final = "Phone or address, password and code do not fit together, or the code was used before."


def seals_of(world: GivenToAll) -> Seals:
    """Return the keys; where none is configured there is no such page."""
    if world.seals is None:
        raise HTTPException(404)
    return world.seals


Keys = Annotated[Seals, Depends(seals_of)]


# -- signing in


@router.get("/log-in/password")
async def ask_for_password(request: Request, world: GivenToAll, conn: Connection, seals: Keys) -> Response:  # noqa: ARG001 - see seals_of
    """Show the form for staff."""
    return await _form(request, world, conn)


async def _form(
    request: Request,
    world: Given,
    conn: AsyncConnection[Any],
    *,
    status: int = 200,
    wrong: str = "",
    who: str = "",
) -> Response:
    return show.page(
        request,
        "password.html",
        status=status,
        service=await store.service_name(conn),
        can_send=world.sms is not None or world.mail is not None,
        wrong=wrong,
        who=who,
    )


@router.post("/log-in/password")
async def sign_in(
    request: Request, world: GivenToAll, seals: Keys, place: AskedFrom, real_now: RealNow, wrote: Written
) -> Response:
    """Sign in, if phone or address, password and code belong together.

    Whichever of them is wrong, and whether the person is known, has a password or is staff at all: the same work, and
    the same answer.
    """
    who, password = wrote.get("who", "")[:200], wrote.get("password", "")
    # No connection is held while a password is compared: a few at once would use up all of them.
    where = reach(who) or Reach("mail", who.replace("\0", ""))
    try:
        async with world.pool.connection() as conn:
            await throttle.try_once(conn, where.to, place, real_now=real_now)
            held = await staff.held_at(conn, where)
            code = await staff.code_of(conn, held, wrote.get("code", "")[:100], seals, real_now=real_now)
        is_right = await world.passwords.is_right(held.hash if held else None, password)
    except MustWait as why:
        return await _later(request, world, why.until, who, real_now=real_now)
    except Busy:
        raise HTTPException(429) from None
    async with world.pool.connection() as conn:
        if not is_right or held is None or code is None or not await _open(conn, held, code, where.to, real_now):
            LOG_INS.labels("password", "refused").inc()
            return await _form(request, world, conn, status=422, wrong=_NOT_RIGHT, who=who)
        return await let_in(request, world, conn, held.person, way="password", real_now=real_now)


async def _open(conn: AsyncConnection[Any], held: Held, code: Code, account: str, real_now: datetime) -> bool:
    """Use up a code that fits its password; return whether nobody has used it meanwhile."""
    async with conn.transaction():
        is_open = await staff.use_up(conn, held.person, code, real_now=real_now)
        if is_open:
            await throttle.was_right(conn, account)
    return is_open


async def _later(request: Request, world: Given, until: datetime, who: str, *, real_now: datetime) -> Response:
    LOG_INS.labels("password", "made to wait").inc()
    wrong = f"Too often wrong. Try again in {_wait(until, real_now=real_now)}, or let yourself be sent a link."
    async with world.pool.connection() as conn:
        answer = await _form(request, world, conn, status=429, wrong=wrong, who=who)
    answer.headers["Retry-After"] = str(_seconds(until, real_now=real_now))
    return answer


def _seconds(until: datetime, *, real_now: datetime) -> int:
    return int((until - real_now).total_seconds()) + 1


def _wait(until: datetime, *, real_now: datetime) -> str:
    seconds = _seconds(until, real_now=real_now)
    return f"{seconds} seconds" if seconds < 60 else times.wait(until - real_now)


# -- one's own


@dataclass(frozen=True, slots=True)
class Keeping:
    """Who keeps a password here, and with what."""

    viewer: Viewer
    conn: AsyncConnection[Any]
    world: Given
    seals: Seals
    real_now: datetime


async def keeping(
    viewer: CurrentViewer, conn: Connection, world: GivenToAll, seals: Keys, real_now: RealNow
) -> Keeping:
    """Return what a page about one's own password needs; for whoever may have none there is no such page."""
    if not await staff.may_have(conn, viewer.person):
        raise HTTPException(404)
    return Keeping(viewer, conn, world, seals, real_now)


MyPassword = Annotated[Keeping, Depends(keeping)]


@router.get("/me/password")
async def show_password(request: Request, mine: MyPassword) -> Response:
    """Show what one has to sign in with, or how to begin."""
    return await _mine(request, mine)


async def _mine(request: Request, mine: Keeping, *, refused: Refused = NOTHING_REFUSED) -> Response:
    person = mine.viewer.person
    held = await staff.held_by(mine.conn, person)
    secret = await staff.offered(mine.conn, person, mine.seals, real_now=mine.real_now) if held is None else None
    return show.page(
        request,
        "my_password.html",
        status=422 if refused.at else 200,
        held=held,
        secret=factors.spelled(secret) if secret else "",
        picture=_picture(secret, mine.viewer) if secret else "",
        letters=passwords.LETTERS_MIN,
        account=mine.viewer.full_name,
        now=mine.real_now,
        **office.facts(refused),
        **frame.facts(request, mine.viewer, "me"),
    )


def _picture(secret: str, viewer: Viewer) -> str:
    return factors.picture(factors.uri(secret, account=viewer.full_name, service=viewer.service))


@router.post("/me/password/begin")
async def begin(mine: MyPassword) -> Response:
    """Make a secret for an authenticator, where there is none in use yet."""
    if await staff.held_by(mine.conn, mine.viewer.person) is None:
        await staff.offer(mine.conn, mine.viewer.person, mine.seals, real_now=mine.real_now)
    return show.then("/me/password")


@router.post("/me/password")
async def set_up(request: Request, mine: MyPassword, place: AskedFrom, wrote: Written) -> Response:
    """Write the first password, once a code shows that the authenticator has the secret."""
    person = mine.viewer.person
    try:
        if await staff.held_by(mine.conn, person) is not None:
            raise Mistakes([Mistake("", "You have a password already.")])
        secret = await staff.offered(mine.conn, person, mine.seals, real_now=mine.real_now)
        if secret is None:
            raise Mistakes([Mistake("", "That took longer than half an hour. Begin again.")])
        password = await _new_password(mine, wrote)
        await _count(mine, place)
        step = factors.step_of(factors.plain(wrote.get("code", "")[:100]), secret, after=0, now=mine.real_now)
        if step is None:
            raise Mistakes([Mistake("code", "is not the one that the authenticator shows now")])
        hashed = await _hashed(mine, password)
    except Mistakes as why:
        return await _mine(request, mine, refused=Refused.by(why, "set", _but_secrets(wrote)))
    try:
        async with mine.conn.transaction():
            codes = await staff.take_on(mine.conn, person, hashed, secret, step, mine.seals, real_now=mine.real_now)
            await _done(mine, "password and second factor set up")
    except psycopg.errors.UniqueViolation:
        # Pressed twice: the first one showed the codes.
        return show.then("/me/password")
    return _codes(request, mine, codes)


@router.post("/me/password/change")
async def change(request: Request, mine: MyPassword, place: AskedFrom, wrote: Written) -> Response:
    """Write another password, for whoever has the second factor."""
    try:
        password = await _new_password(mine, wrote)
        await _require_code(mine, place, wrote)
        hashed = await _hashed(mine, password)
    except Mistakes as why:
        return await _mine(request, mine, refused=Refused.by(why, "change", _but_secrets(wrote)))
    async with mine.conn.transaction():
        await staff.set_password(mine.conn, mine.viewer.person, hashed, real_now=mine.real_now)
        await _done(mine, "password changed")
    return show.then("/me")


@router.post("/me/password/codes")
async def renew_codes(request: Request, mine: MyPassword, place: AskedFrom, wrote: Written) -> Response:
    """Show new recovery codes, for whoever has the second factor."""
    try:
        await _require_code(mine, place, wrote)
    except Mistakes as why:
        return await _mine(request, mine, refused=Refused.by(why, "codes", _but_secrets(wrote)))
    async with mine.conn.transaction():
        codes = await staff.new_codes(mine.conn, mine.viewer.person)
        await _done(mine, "recovery codes renewed")
    return _codes(request, mine, codes)


@router.post("/me/password/remove")
async def remove(request: Request, mine: MyPassword, place: AskedFrom, wrote: Written) -> Response:
    """Take one's own password and second factor away, for whoever has the factor."""
    try:
        await _require_code(mine, place, wrote)
    except Mistakes as why:
        return await _mine(request, mine, refused=Refused.by(why, "remove", _but_secrets(wrote)))
    async with mine.conn.transaction():
        await staff.take_away(mine.conn, mine.viewer.person)
        await _done(mine, "password and second factor removed")
    return show.then("/me/password")


def _codes(request: Request, mine: Keeping, codes: list[str]) -> Response:
    """Return the page that shows recovery codes, this once."""
    return show.page(
        request, "my_codes.html", codes=codes, now=mine.real_now, **frame.facts(request, mine.viewer, "me")
    )


async def _done(mine: Keeping, what: str) -> None:
    """Write down what was done, and sign its person out everywhere else."""
    person = mine.viewer.person
    await throttle.was_right(mine.conn, _account(mine))
    await sessions.end_all(mine.conn, person, but=mine.viewer.session, real_now=mine.real_now)
    await changes.note(mine.conn, what, by=person, now=mine.world.clock.now(), person=person, content={})


async def _new_password(mine: Keeping, wrote: dict[str, str]) -> str:
    """Return the new password.

    Raises:
        Mistakes: it is none, or not typed twice the same.
    """
    form, password = Form({}), wrote.get("password", "")
    if weak := passwords.weakness(password, await staff.own_words(mine.conn, mine.viewer.person)):
        form.wrong("password", weak)
    elif password != wrote.get("again", ""):
        form.wrong("again", "is another than the first")
    form.require_right()
    return password


async def _count(mine: Keeping, place: str) -> None:
    try:
        await throttle.try_once(mine.conn, _account(mine), place, real_now=mine.real_now)
    except MustWait as why:
        said = f"was too often wrong; try again in {_wait(why.until, real_now=mine.real_now)}"
        raise Mistakes([Mistake("code", said)]) from None


async def _require_code(mine: Keeping, place: str, wrote: dict[str, str]) -> None:
    """Use up a code of the second factor that is there.

    Raises:
        Mistakes: it is none, was used before, or too many were wrong.
    """
    await _count(mine, place)
    held = await staff.held_by(mine.conn, mine.viewer.person)
    code = await staff.code_of(mine.conn, held, wrote.get("code", "")[:100], mine.seals, real_now=mine.real_now)
    if held is None or code is None or not await _open(mine.conn, held, code, _account(mine), mine.real_now):
        raise Mistakes([Mistake("code", "is not yours, or was used before")])


def _account(mine: Keeping) -> str:
    return f"person {mine.viewer.person}"


async def _hashed(mine: Keeping, password: str) -> str:
    try:
        return await mine.world.passwords.hashed(password)
    except Busy:
        raise HTTPException(429) from None


def _but_secrets(wrote: dict[str, str]) -> dict[str, str]:
    """Return what was written, without what must not stand in a page."""
    return {name: said for name, said in wrote.items() if name not in {"password", "again", "code"}}
