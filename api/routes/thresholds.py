"""Thresholds: what stands for all homes, a group or one; what a change would have done; and only then its saving."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import Response
from psycopg import AsyncConnection

from alerts.judging import words
from alerts.judging.numbers import Numbers
from alerts.store import look_backs, thresholds
from alerts.store import versions as versions_of
from alerts.store.look_backs import Asked
from alerts.store.thresholds import CannotSet, Change
from alerts.store.versions import ALL, Scope, Version, Width
from api import access, proposing, show
from api.access import BIGINT_MAX, CurrentOperator, OperatorsLook
from api.given import Connection, GivenToAll, Now
from api.routes import frame
from api.store import Viewer
from api.views import thresholds as views
from api.views.raised_by import scope_said
from gateway.reading import HomeId

router = APIRouter()

_VIEW: Final = "thresholds"
_WRITTEN_MAX: Final = 4_000
_WHY_MAX: Final = 200
# Seconds after which a page that waits for a look back looks again by itself, without a script.
_LOOK_AGAIN_S: Final = 2


def scope_of_all(viewer: CurrentOperator) -> Scope:  # noqa: ARG001 - that it is an operator is what counts
    """Return all homes, to an operator."""
    return ALL


async def scope_of_group(group: str, viewer: CurrentOperator, conn: Connection) -> Scope:  # noqa: ARG001 - as above
    """Return a group, to an operator, if there is one."""
    if group not in await versions_of.groups(conn):
        raise HTTPException(404)
    return Scope(Width.GROUP, group)


async def scope_of_home(home: Annotated[HomeId, Depends(OperatorsLook(_VIEW))]) -> Scope:
    """Return one home, to an operator; the look leaves its record."""
    return Scope(Width.HOME, home)


@router.get("/operator/thresholds")
async def list_scopes(request: Request, viewer: CurrentOperator, conn: Connection) -> Response:
    """List what thresholds can be set for."""
    return await _list(request, viewer, conn, problem=None)


@router.post("/operator/thresholds/groups")
async def set_group(
    request: Request,
    viewer: CurrentOperator,
    conn: Connection,
    now: Now,
    group: Annotated[str, Form(max_length=32)] = "",
    homes: Annotated[str, Form(max_length=_WRITTEN_MAX)] = "",
    why: Annotated[str, Form(max_length=_WHY_MAX)] = "",
) -> Response:
    """Write which homes are in a group; their policies follow."""
    change = Change(by=viewer.person, why=why.strip() or "homes of the group", at=now)
    try:
        await thresholds.make_group(conn, group.strip(), homes.replace(",", " ").split(), change)
    except CannotSet as why_not:
        return await _list(request, viewer, conn, problem=str(why_not))
    return show.then(f"/operator/thresholds/groups/{group.strip()}")


async def _list(request: Request, viewer: Viewer, conn: AsyncConnection[Any], *, problem: str | None) -> Response:
    return show.page(
        request,
        "thresholds_list.html",
        status=200 if problem is None else 422,
        groups=await versions_of.groups(conn),
        problem=problem,
        **frame.facts(request, viewer, "thresholds"),
    )


def _serve(prefix: str, scope_of: Callable[..., Any]) -> None:
    """Serve the pages of one width of scope under a prefix."""
    here = Annotated[Scope, Depends(scope_of)]

    @router.get(prefix, name=f"thresholds {prefix}")
    async def show_scope(
        request: Request, scope: here, viewer: CurrentOperator, conn: Connection, now: Now
    ) -> Response:
        """Show what stands, a form to propose something else, and what stood before."""
        return await _page(request, scope, viewer, conn, now, proposed=None, problem=None)

    @router.post(prefix + "/look-back", name=f"look back {prefix}")
    async def look_back(
        request: Request,
        scope: here,
        viewer: CurrentOperator,
        world: GivenToAll,
        conn: Connection,
        now: Now,
    ) -> Response:
        """Begin to look back at what was written into the form."""
        return await _look_back(request, scope, viewer, world, conn, now)

    @router.get(prefix + "/look-back/{number}", name=f"look back at {prefix}")
    async def show_look_back(
        request: Request,
        scope: here,
        number: str,
        viewer: CurrentOperator,
        conn: Connection,
        now: Now,
    ) -> Response:
        """Show how far a look back is, or its price, with the button that saves."""
        asked = await _asked(conn, scope, number)
        return await _shown(request, asked, viewer, conn, now, problem=None)

    @router.post(prefix + "/look-back/{number}/save", name=f"save {prefix}")
    async def save(
        request: Request,
        scope: here,
        number: str,
        viewer: CurrentOperator,
        conn: Connection,
        now: Now,
        read: Annotated[str, Form(max_length=3)] = "",
    ) -> Response:
        """Set what was just looked back at."""
        asked = await _asked(conn, scope, number)
        if read != "yes":
            return await _shown(request, asked, viewer, conn, now, problem="Tick that you have read what it costs.")
        try:
            await look_backs.save(conn, asked, by=viewer.person, now=now)
        except CannotSet as why:
            return await _shown(request, asked, viewer, conn, now, problem=str(why))
        return show.then(address(scope))


_serve("/operator/thresholds/all", scope_of_all)
_serve("/operator/thresholds/groups/{group}", scope_of_group)
_serve("/operator/homes/{home}/thresholds", scope_of_home)


def address(scope: Scope) -> str:
    """Return where the thresholds of a scope are."""
    match scope.width:
        case Width.ALL:
            return "/operator/thresholds/all"
        case Width.GROUP:
            return f"/operator/thresholds/groups/{scope.name}"
        case Width.HOME:
            return f"/operator/homes/{scope.name}/thresholds"


def address_of(version: Version) -> str:
    """Return where a version can be read, and taken back."""
    return f"{address(version.scope)}#version-{version.version}"


async def _asked(conn: AsyncConnection[Any], scope: Scope, number: str) -> Asked:
    wanted = int(number) if number.isascii() and number.isdecimal() and len(number) < 20 else 0
    asked = await look_backs.find(conn, wanted) if 0 < wanted <= BIGINT_MAX else None
    if asked is None or asked.scope != scope:
        raise HTTPException(404)
    return asked


async def _look_back(
    request: Request,
    scope: Scope,
    viewer: Viewer,
    world: GivenToAll,
    conn: AsyncConnection[Any],
    now: Now,
) -> Response:
    form = {key: str(value).replace("\0", "") for key, value in (await request.form()).items()}
    if any(len(value) > _WRITTEN_MAX for value in form.values()):
        raise HTTPException(422)
    try:
        number = await proposing.ask(conn, world.look_backs, scope, form, by=viewer.person, now=now)
    except CannotSet as why:
        return await _page(request, scope, viewer, conn, now, proposed=form, problem=str(why))
    asked = await look_backs.find(conn, number)
    assert asked is not None, "it was just written"
    await access.leave_record(conn, viewer, asked.homes, "look back", now=now)
    world.look_backs.start(number)
    return show.then(f"{address(scope)}/look-back/{number}")


async def _page(
    request: Request,
    scope: Scope,
    viewer: Viewer,
    conn: AsyncConnection[Any],
    now: Now,
    *,
    proposed: dict[str, str] | None,
    problem: str | None,
) -> Response:
    """Show the form of a scope: as it stands, or as somebody has just filled it in, with what is wrong with that."""
    policy, layers = await thresholds.in_force(conn, scope, at=now)
    latest = await versions_of.latest_of(conn, scope)
    here: Numbers = {} if latest is None else latest.numbers
    homes = await thresholds.homes_of(conn, scope)
    return show.page(
        request,
        "thresholds.html",
        status=200 if problem is None else 422,
        now=now,
        scope=scope,
        title=scope_said(scope),
        here=address(scope),
        sections=views.sections(policy, here, layers),
        proposed=proposed or {},
        rules=(proposed or {}).get("rules", views.rules_written(here)),
        others=[words.rule_said(rule) for rule in policy.rules],
        example=words.EXAMPLE,
        days=proposing.DAYS,
        problem=problem,
        history=views.history(await versions_of.history_of(conn, scope), now=now),
        latest=latest,
        homes=homes,
        group=await versions_of.group_of(conn, scope.name) if scope.width is Width.HOME else None,
        resident=await frame.resident_of(conn, scope.name) if scope.width is Width.HOME else None,
        **frame.facts(request, viewer, "thresholds"),
    )


async def _shown(
    request: Request,
    asked: Asked,
    viewer: Viewer,
    conn: AsyncConnection[Any],
    now: Now,
    *,
    problem: str | None,
) -> Response:
    """Show a look back; whose homes are spoken of is on record, also when it is opened again."""
    if asked.found is not None:
        await access.leave_record(conn, viewer, asked.homes, "look back", now=now)
    before = await versions_of.latest_of(conn, asked.scope)
    page = show.page(
        request,
        "look_back.html",
        status=200 if problem is None else 422,
        now=now,
        asked=asked,
        title=scope_said(asked.scope),
        here=address(asked.scope),
        changes=views.changes({} if before is None else before.numbers, asked.numbers),
        shown=views.looked_back(asked, now=now) if asked.found else None,
        is_worth=proposing.is_worth(asked, viewer.person, now=now),
        problem=problem,
        **frame.facts(request, viewer, "thresholds"),
    )
    if asked.found is None and asked.failed is None:
        page.headers["Refresh"] = str(_LOOK_AGAIN_S)
    return page
