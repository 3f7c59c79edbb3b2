"""Thresholds, as an operator's program reads them, looks back at a change, and saves it.

As on the page, nothing is saved that was not looked back at: by the same person, to its end, in the last two hours.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path
from psycopg import AsyncConnection

from alerts.judging import words
from alerts.store import look_backs, thresholds
from alerts.store import versions as versions_of
from alerts.store.look_backs import Asked
from alerts.store.thresholds import CannotSet
from alerts.store.versions import ALL, Scope, Version, Width
from api import access, proposing
from api.given import Connection, GivenToAll, Now
from api.v1 import kept, tuned
from api.v1.caller import AnyCaller, OperatorsHome, Wide, leave_record
from api.v1.problems import Conflict, Unreadable, described
from api.v1.tokens import Caller
from api.v1.tokens import Scope as May
from api.v1.writing import SentOnce, once
from api.views import thresholds as views
from gateway.reading import HomeId

router = APIRouter(responses=described(401, 403, 404, 422, 429, 503))

_VIEW = "thresholds"
GroupInPath = Annotated[
    str, Path(description="The group's name.", max_length=32, pattern=kept.KEY, examples=["north-street"])
]
Number = Annotated[int, Path(ge=1, le=access.BIGINT_MAX, examples=[1])]


def _all(may: May) -> Callable[..., Any]:
    wide = Annotated[Caller, Depends(Wide(may))]

    def scope(caller: wide) -> Scope:  # noqa: ARG001 - that it may is what counts
        return ALL

    return scope


def _group(may: May) -> Callable[..., Any]:
    wide = Annotated[Caller, Depends(Wide(may))]

    async def scope(group: GroupInPath, caller: wide, conn: Connection) -> Scope:  # noqa: ARG001 - as above
        if group not in await versions_of.groups(conn):
            raise HTTPException(404)
        return Scope(Width.GROUP, group)

    return scope


def _home(may: May) -> Callable[..., Any]:
    async def scope(home: Annotated[HomeId, Depends(OperatorsHome(_VIEW, may))]) -> Scope:
        return Scope(Width.HOME, home)

    return scope


@router.get("/groups")
async def list_groups(
    caller: Annotated[Caller, Depends(Wide(May.HOMES_READ))],
    conn: Connection,
    now: Now,
) -> tuned.Groups:
    """List the groups for which thresholds can be set, with their homes."""
    groups = await versions_of.groups(conn)
    await leave_record(conn, caller, sorted({home for homes in groups.values() for home in homes}), _VIEW, now=now)
    return tuned.Groups(items=[tuned.Group(group=group, homes=list(homes)) for group, homes in groups.items()])


@router.put("/groups/{group}")
async def write_group(
    group: GroupInPath,
    wrote: tuned.GroupWritten,
    caller: Annotated[Caller, Depends(Wide(May.THRESHOLDS_WRITE))],
    conn: Connection,
    now: Now,
) -> tuned.Group:
    """Write which homes are in a group; one that is not there is added, and a home leaves the group that it was in."""
    change = thresholds.Change(by=caller.viewer.person, why=wrote.why, at=now)
    await thresholds.make_group(conn, group, wrote.homes, change)
    await leave_record(conn, caller, wrote.homes, _VIEW, now=now)
    return tuned.Group(group=group, homes=list((await versions_of.groups(conn))[group]))


def _serve(prefix: str, scope_of: Callable[[May], Callable[..., Any]]) -> None:
    """Serve the thresholds of one width of scope under a prefix."""
    read = Annotated[Scope, Depends(scope_of(May.HOMES_READ))]
    write = Annotated[Scope, Depends(scope_of(May.THRESHOLDS_WRITE))]

    @router.get(prefix, name=f"read {prefix}")
    async def read_thresholds(scope: read, conn: Connection, now: Now) -> tuned.Thresholds:
        """Say what is set here, what is in force in consequence, and what stood before."""
        return await _thresholds(conn, scope, now=now)

    @router.post(f"{prefix}/look-backs", status_code=202, name=f"look back {prefix}")
    async def look_back(
        scope: write,
        wrote: tuned.Proposal,
        caller: AnyCaller,
        world: GivenToAll,
        conn: Connection,
        now: Now,
        sent: SentOnce,
    ) -> tuned.LookBack:
        """Begin to look back at what a change would have done over the last days; read it until it is done."""
        fields, by = _form(wrote), caller.viewer.person
        number, is_new = await once(
            conn, sent, lambda: proposing.ask(conn, world.look_backs, scope, fields, by=by, now=now)
        )
        asked = await _asked(conn, scope, number)
        await leave_record(conn, caller, list(asked.homes), "look back", now=now)
        if is_new:
            world.look_backs.start(number)
        return await _looked(conn, asked, by, now=now)

    @router.get(f"{prefix}/look-backs/{{number}}", name=f"read look back {prefix}")
    async def read_look_back(
        scope: read, number: Number, caller: AnyCaller, conn: Connection, now: Now
    ) -> tuned.LookBack:
        """Say how far a look back is, or what it found."""
        asked = await _asked(conn, scope, number)
        await leave_record(conn, caller, list(asked.homes), "look back", now=now)
        return await _looked(conn, asked, caller.viewer.person, now=now)

    @router.post(f"{prefix}/look-backs/{{number}}/save", responses=described(409), name=f"save {prefix}")
    async def save(
        scope: write, number: Number, wrote: tuned.Save, caller: AnyCaller, conn: Connection, now: Now
    ) -> tuned.Thresholds:
        """Set what was looked back at; asked again it changes nothing.  409: it is not this person's to save now."""
        assert wrote.read, "the description lets nothing else in"
        asked = await _asked(conn, scope, number)
        try:
            await look_backs.save(conn, asked, by=caller.viewer.person, now=now)
        except CannotSet as why:
            raise Conflict(str(why)) from why
        return await _thresholds(conn, scope, now=now)


_serve("/thresholds", _all)
_serve("/groups/{group}/thresholds", _group)
_serve("/homes/{home}/thresholds", _home)


def _form(wrote: tuned.Proposal) -> dict[str, str]:
    """Return a proposal as the form of the page has it.

    Raises:
        Unreadable: there is no such threshold; a form has no field for one, a program could write any.
    """
    if unknown := sorted(set(wrote.set_) - set(words.names())):
        raise Unreadable("body.set", f"There is no threshold {unknown[0][:40]!r}.")
    fields = {name: said.replace("\0", "") for name, said in wrote.set_.items()}
    return {
        **fields,
        "rules": "\n".join(wrote.rules).replace("\0", ""),
        "takes_back": "" if wrote.takes_back is None else str(wrote.takes_back),
        "why": wrote.why.replace("\0", ""),
        "from": wrote.from_ or "",
        "days": str(wrote.days),
    }


async def _asked(conn: AsyncConnection[Any], scope: Scope, number: int) -> Asked:
    asked = await look_backs.find(conn, number)
    if asked is None or asked.scope != scope:
        raise HTTPException(404)
    return asked


async def _thresholds(conn: AsyncConnection[Any], scope: Scope, *, now: Now) -> tuned.Thresholds:
    policy, layers = await thresholds.in_force(conn, scope, at=now)
    latest = await versions_of.latest_of(conn, scope)
    here = {} if latest is None else latest.numbers
    history = await versions_of.history_of(conn, scope)
    before = [*history, None][1:]
    return tuned.Thresholds(
        scope=_scope(scope),
        items=[
            tuned.Threshold(name=one.name, label=one.label, here=one.here or None, now=one.now, whence=one.whence)
            for section in views.sections(policy, here, layers)
            for one in section.fields
        ],
        rules_here=[line for line in views.rules_written(here).splitlines() if line],
        rules_now=[words.rule_said(rule) for rule in policy.rules],
        versions=[_version(one, was) for one, was in zip(history, before, strict=True)],
    )


def _version(one: Version, before: Version | None) -> tuned.Version:
    return tuned.Version(
        version=one.version,
        in_force_since=one.in_force_since,
        set_at=one.set_at,
        set_by=one.set_by,
        why=one.why,
        takes_back=one.takes_back,
        changes=views.changes({} if before is None else before.numbers, one.numbers),
    )


async def _looked(conn: AsyncConnection[Any], asked: Asked, by: str, *, now: Now) -> tuned.LookBack:
    state: Literal["failed", "done", "running"] = (
        "failed" if asked.failed is not None else "done" if asked.found is not None else "running"
    )
    latest = await versions_of.latest_of(conn, asked.scope)
    return tuned.LookBack(
        number=asked.look_back,
        scope=_scope(asked.scope),
        state=state,
        done=asked.done,
        failed=asked.failed,
        changes=views.changes({} if latest is None else latest.numbers, asked.numbers),
        takes_back=asked.takes_back,
        why=asked.why,
        in_force_from=asked.in_force_from,
        days=asked.days,
        homes=list(asked.homes),
        homes_in_all=asked.homes_in_all,
        asked_at=asked.asked_at,
        asked_by=asked.asked_by,
        may_save=state == "done" and proposing.is_worth(asked, by, now=now),
        found=_found(asked, now=now) if state == "done" else None,
    )


def _found(asked: Asked, *, now: Now) -> tuned.Found:
    shown = views.looked_back(asked, now=now)
    cost = shown.price
    return tuned.Found(
        summary=shown.summary,
        costs=list(shown.costs),
        notes=list(shown.notes),
        lost=cost.lost,
        gained=cost.gained,
        later=cost.later,
        sooner=cost.sooner,
        same=cost.same,
        lost_needed=cost.lost_needed,
        later_needed=cost.later_needed,
        alerts=[
            tuned.Compared(
                home=home.home,
                question=str(one.question),
                since=one.since,
                now_at=one.now_at,
                then_at=one.then_at,
                outcome=one.outcome,
            )
            for home in asked.found or ()
            for one in home.alerts
        ][:_ALERTS_MAX],
    )


_ALERTS_MAX = 500
"""Ours: a program that weighs more alerts than these asks for fewer days."""


def _scope(scope: Scope) -> tuned.Scope:
    return tuned.Scope(width=scope.width.value, name=scope.name or None)
