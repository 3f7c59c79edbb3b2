"""What did operators set, for which homes, when and why; and what is each home judged by in consequence?

A *version* is what stands for all homes, a group or one home: numbers that are never changed, only followed by a newer
version.  A *policy* is what versions make of one home.  Both are written in one transaction with the judging input
that has the home judged so.  A version that is to come is settled when its moment comes (`settle_due`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from alerts.judging import numbers as layers
from alerts.judging import policy as policies
from alerts.judging.numbers import Numbers
from alerts.judging.policy import Policy
from alerts.store import versions
from alerts.store.inputs import give_all_to_judgement
from alerts.store.versions import ALL, Scope, Version, Width

Conn = AsyncConnection[TupleRow]

SETUP: Final = "setup"
"""Who set what a setup file says."""

# A number of our own among the database's advisory locks: "poli" in ASCII.
_LOCK: Final = 0x706F6C69


class CannotSet(Exception):
    """What an operator asked for cannot be set; the one sentence says why, to whoever asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who changes something, when and why.

    Attributes:
        by: a person, or "setup".
        why: for whoever asks later; not empty.
        at: now.
        from_: the moment from which it is in force; None: at once.
        look_back: what was seen of its price before it was saved; None where nothing was.
    """

    by: str
    why: str
    at: datetime
    from_: datetime | None = None
    look_back: int | None = None


async def set_numbers(
    conn: Conn, scope: Scope, numbers: Numbers, change: Change, *, takes_back: int | None = None
) -> int | None:
    """Write what is set for a scope from now on, have its homes judged so, and return the version.

    Args:
        conn: to the database.
        scope: for which homes.
        numbers: all that this scope sets; what it does not set is the wider scope's again.
        change: who, when, why.
        takes_back: the version that this undoes.

    Returns:
        The version; None where this stands already.

    Raises:
        CannotSet: a number is none, or does not go together with the others of some home; there is no such home or
            group; or it would be in force in the past.
    """
    try:
        said = layers.checked(numbers)
    except ValueError as why:
        raise CannotSet(str(why)) from why
    if not change.why.strip():
        raise CannotSet("Say why: whoever finds this at three in the morning will ask.")
    since = change.from_ or change.at
    if since < change.at:
        raise CannotSet("A threshold cannot be in force in the past: what was judged then was judged.")
    async with conn.transaction():
        await _one_at_a_time(conn)
        await _require(conn, scope)
        latest = await versions.latest_of(conn, scope)
        if said == ({} if latest is None else latest.numbers) and not (latest and latest.in_force_since > since):
            return None
        version = await _insert(conn, scope, said, change, since=since, takes_back=takes_back)
        if since <= change.at:
            await _settle(conn, await homes_of(conn, scope), change)
    return version


async def take_back(conn: Conn, version: int, change: Change) -> int | None:
    """Set again what stood before a version, as a new version; return that, or None where it stands already.

    Raises:
        CannotSet: there is no such version, or what stood before cannot be set any more.
    """
    async with conn.transaction():
        taken = await versions.find_version(conn, version)
        if taken is None:
            raise CannotSet(f"There is no version {version}.")
        numbers = await before(conn, taken.scope, version)
        return await set_numbers(conn, taken.scope, numbers, change, takes_back=version)


async def before(conn: Conn, scope: Scope, version: int) -> Numbers:
    """Return what stood for a scope before one of its versions.

    Raises:
        CannotSet: it has no such version.
    """
    taken = await versions.find_version(conn, version)
    if taken is None or taken.scope != scope:
        raise CannotSet(f"There is no version {version} here.")
    stood = await versions.before(conn, taken)
    return {} if stood is None else stood.numbers


async def set_as_file_says(
    conn: Conn, scope: Scope, numbers: Numbers, *, now: datetime, takes_all: bool = False
) -> Version | None:
    """Write what a setup file says of a scope, unless somebody has set something else since.

    Args:
        conn: to the database.
        scope: for which homes.
        numbers: all that the file says of it.
        now: when.
        takes_all: write it also where somebody has set something else since.

    Returns:
        What somebody else set, where that stands instead of what the file says.

    Raises:
        CannotSet: as `set_numbers`.
    """
    change = Change(by=SETUP, why="as the setup file says", at=now)
    async with conn.transaction():
        latest = await versions.latest_of(conn, scope)
        if latest is None or latest.set_by == SETUP or (numbers and takes_all):
            await set_numbers(conn, scope, numbers, change)
        elif numbers and numbers != latest.numbers:
            return latest
        await settle(conn, await homes_of(conn, scope), change)
    return None


async def set_policy(conn: Conn, home: str, policy: Policy, *, by: str, why: str, now: datetime) -> int | None:
    """Have a home judged by these numbers, where they are not the product's own; return the version, if it is new.

    Raises:
        CannotSet: as `set_numbers`.
    """
    change = Change(by=by, why=why, at=now)
    version = await set_numbers(conn, Scope(Width.HOME, home), layers.changed(policy), change)
    await settle(conn, [home], change)
    return version


async def make_group(conn: Conn, group: str, homes: Sequence[str], change: Change) -> None:
    """Write which homes are in a group, which is made where there is none, and have them judged accordingly.

    A home that was in another group leaves it.

    Raises:
        CannotSet: a name is none of ours, or the numbers of a home do not go together any more.
    """
    async with conn.transaction():
        await _one_at_a_time(conn)
        await _require_homes(conn, homes)
        if not policies.is_name(group):
            raise CannotSet(f"A group is called something like north-street, not {group!r}.")
        await conn.execute(
            "INSERT INTO home_group (home_group, made_at, made_by) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (group, change.at, change.by),
        )
        left = await conn.execute(
            "DELETE FROM home_group_member WHERE home_group = %s AND home <> ALL(%s) RETURNING home",
            (group, list(homes)),
        )
        gone = [str(row[0]) for row in await left.fetchall()]
        await conn.execute(
            "INSERT INTO home_group_member (home, home_group) SELECT home, %s FROM unnest(%s::text[]) home "
            "ON CONFLICT (home) DO UPDATE SET home_group = excluded.home_group",
            (group, list(homes)),
        )
        await _settle(conn, [*gone, *homes], change)


async def settle(conn: Conn, homes: Iterable[str], change: Change) -> None:
    """Have homes judged by what is in force for them now, where that is not what they are judged by already.

    Raises:
        CannotSet: the numbers of a home do not go together.
    """
    async with conn.transaction():
        await _one_at_a_time(conn)
        await _settle(conn, homes, change)


async def settle_due(conn: Conn, *, now: datetime) -> bool:
    """Bring into force the versions whose moment has come; return whether there were any."""
    rows = await conn.execute("SELECT FROM policy_version WHERE settled_at IS NULL AND in_force_since <= %s", (now,))
    if await rows.fetchone() is None:
        return False
    async with conn.transaction():
        await _one_at_a_time(conn)
        due = await versions.still_to_come(conn, now=now)
        for version in due:
            homes = await homes_of(conn, version.scope)
            await _settle(conn, homes, Change(by=version.set_by, why=version.why, at=now), skip_what_cannot=True)
        await conn.execute(
            "UPDATE policy_version SET settled_at = %s WHERE version = ANY(%s)", (now, [one.version for one in due])
        )
    return True


async def proposed(conn: Conn, home: str, scope: Scope, numbers: Numbers, *, at: datetime) -> tuple[Policy, Policy]:
    """Return the policy that is in force for a home, and the one that would be with other numbers for a scope.

    Raises:
        CannotSet: a number is none, or does not go together with the others; or the home is not in that scope.
    """
    try:
        said = layers.checked(numbers)
        if home not in await homes_of(conn, scope):
            raise CannotSet(f"There is no home {home!r} for which that would be set.")
        rows = await conn.execute(_IN_FORCE, {"homes": [home], "at": at})
        stands = {str(width): found for _, width, _, found in await rows.fetchall()}
        ordered = [Width.ALL.value, Width.GROUP.value, Width.HOME.value]
        both = (stands, {**stands, scope.width.value: said})
        now, then = (
            layers.made_of([numbers[width] for width in ordered if width in numbers], policy=None, versions=())
            for numbers in both
        )
    except ValueError as why:
        raise CannotSet(str(why)) from why
    return now, then


async def in_force(conn: Conn, scope: Scope, *, at: datetime) -> tuple[Policy, list[Version]]:
    """Return what is in force for a scope, and the versions that make it, the widest first.

    For a group or for all, that is what a home has which sets nothing nearer.
    """
    group = await versions.group_of(conn, scope.name) if scope.width is Width.HOME else scope.group
    widths = [ALL] + ([Scope(Width.GROUP, group)] if group else []) + ([scope] if scope.width is Width.HOME else [])
    found = [version for one in widths if (version := await versions.in_force(conn, one, at=at)) is not None]
    policy = layers.shown_of([one.numbers for one in found], policy=None, versions=[one.version for one in found])
    return policy, found


async def policy_of(conn: Conn, home: str, *, at: datetime | None = None) -> Policy:
    """Return the policy that a home is judged by, or was at a moment; the product's own where nobody set any."""
    rows = await conn.execute(
        "SELECT policy, numbers, versions FROM policy "
        "WHERE home = %s AND in_force_since <= COALESCE(%s, 'infinity'::timestamptz) ORDER BY policy DESC LIMIT 1",
        (home, at),
    )
    row = await rows.fetchone()
    return policies.DEFAULT if row is None else _policy(*row)


async def behind(conn: Conn, alert: int) -> tuple[Policy, list[Version]]:
    """Return the policy by which an alert was raised, and the versions that it was made of, the widest first."""
    rows = await conn.execute(
        "SELECT policy, numbers, versions FROM policy WHERE policy = (SELECT policy FROM alert WHERE alert = %s)",
        (alert,),
    )
    row = await rows.fetchone()
    return (policies.DEFAULT, []) if row is None else (_policy(*row), await versions.versions_behind(conn, row[0]))


async def _one_at_a_time(conn: Conn) -> None:
    """Have changes of thresholds wait for each other: each is made of what the others left."""
    await conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


async def _require(conn: Conn, scope: Scope) -> None:
    if scope.home is not None:
        await _require_homes(conn, [scope.home])
    if scope.group is not None and scope.group not in await versions.groups(conn):
        raise CannotSet(f"There is no group {scope.group!r}.")


async def _require_homes(conn: Conn, homes: Sequence[str]) -> None:
    rows = await conn.execute("SELECT home FROM home WHERE home = ANY(%s) AND erased_at IS NULL", (list(homes),))
    unknown = set(homes) - {str(row[0]) for row in await rows.fetchall()}
    if unknown:
        raise CannotSet(f"There is no home {min(unknown)!r}.")


async def _insert(
    conn: Conn, scope: Scope, numbers: Numbers, change: Change, *, since: datetime, takes_back: int | None
) -> int:
    rows = await conn.execute(
        """
        INSERT INTO policy_version (scope, home_group, home, numbers, in_force_since, settled_at, set_at, set_by, why,
                                    takes_back, look_back)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING version
        """,
        (
            *(scope.width.value, scope.group, scope.home, Jsonb(numbers), since),
            *(
                change.at if since <= change.at else None,
                change.at,
                change.by,
                change.why,
                takes_back,
                change.look_back,
            ),
        ),
    )
    row = await rows.fetchone()
    assert row is not None, "an insert returns its row"
    return int(row[0])


async def homes_of(conn: Conn, scope: Scope) -> list[str]:
    """Return the homes that a scope concerns, by name."""
    if scope.home is not None:
        return [scope.home]
    rows = await conn.execute(
        "SELECT home FROM home LEFT JOIN home_group_member USING (home) "
        "WHERE erased_at IS NULL AND (%(group)s::text IS NULL OR home_group = %(group)s) ORDER BY home",
        {"group": scope.group},
    )
    return [str(row[0]) for row in await rows.fetchall()]


# What is in force for each home: of each scope that it belongs to the newest version whose moment has come.
_IN_FORCE: Final = """
    SELECT home.home, of.scope, version, numbers
    FROM home LEFT JOIN home_group_member USING (home)
         CROSS JOIN LATERAL (VALUES (1, 'all', ''), (2, 'group', home_group), (3, 'home', home.home))
                    AS of(rank, scope, name)
         CROSS JOIN LATERAL (
             SELECT version, numbers FROM policy_version v
             WHERE v.scope = of.scope AND COALESCE(v.home, v.home_group, '') = of.name AND in_force_since <= %(at)s
             ORDER BY version DESC LIMIT 1) AS newest
    WHERE home.home = ANY(%(homes)s)
    ORDER BY home.home, rank
"""

_JUDGED_BY: Final = """
    SELECT DISTINCT ON (home) home, policy, numbers, versions FROM policy
    WHERE home = ANY(%s) ORDER BY home, policy DESC
"""

_WRITE: Final = """
    WITH said AS (
        SELECT * FROM unnest(%(homes)s::text[], %(numbers)s::jsonb[], %(versions)s::text[])
                      AS s(home, numbers, versions)
    )
    INSERT INTO policy (home, numbers, versions, in_force_since, set_at, set_by, why)
    SELECT home, numbers, versions::bigint[], %(at)s, %(at)s, %(by)s, %(why)s FROM said ORDER BY home
    RETURNING home, policy
"""


async def _settle(conn: Conn, homes: Iterable[str], change: Change, *, skip_what_cannot: bool = False) -> None:
    """Write the policies that what is in force makes, where they changed, and have judgement know them.

    Args:
        conn: in a transaction that holds the lock.
        homes: whose.
        change: that made it so.
        skip_what_cannot: leave a home as it is whose numbers do not go together, instead of refusing all.
    """
    wanted = sorted(set(homes))
    rows = await conn.execute(_JUDGED_BY, (wanted,))
    judged_by = {str(home): _policy(*row) for home, *row in await rows.fetchall()}
    fresh: dict[str, Policy] = {}
    for home, (numbered, numbers) in (await _in_force(conn, wanted, at=change.at)).items():
        before = judged_by.get(home, policies.DEFAULT)
        try:
            policy = layers.made_of(numbers, policy=before.policy, versions=numbered)
        except ValueError as why:
            if not skip_what_cannot:
                raise CannotSet(f"home {home}: {why}") from why
            continue
        if policy != before:
            fresh[home] = policy
    await _write(conn, fresh, change)


async def _in_force(conn: Conn, homes: Sequence[str], *, at: datetime) -> Mapping[str, tuple[list[int], list[Numbers]]]:
    found: dict[str, tuple[list[int], list[Numbers]]] = {home: ([], []) for home in homes}
    rows = await conn.execute(_IN_FORCE, {"homes": list(homes), "at": at})
    for home, _, version, numbers in await rows.fetchall():
        found[home][0].append(version)
        found[home][1].append(numbers)
    return found


async def _write(conn: Conn, fresh: Mapping[str, Policy], change: Change) -> None:
    if not fresh:
        return
    said = {home: policies.to_json(policy) for home, policy in fresh.items()}
    rows = await conn.execute(
        _WRITE,
        {
            "homes": list(fresh),
            "numbers": [Jsonb({k: v for k, v in one.items() if k in layers.PRODUCTS_OWN}) for one in said.values()],
            "versions": [f"{{{','.join(map(str, policy.versions))}}}" for policy in fresh.values()],
            "at": change.at,
            "by": change.by,
            "why": change.why,
        },
    )
    contents = {str(home): {**said[home], "policy": int(policy)} for home, policy in await rows.fetchall()}
    await give_all_to_judgement(conn, "policy", contents, now=change.at)


def _policy(number: int, numbers: Numbers, made_of: Sequence[int]) -> Policy:
    return policies.as_far_as_known({**numbers, "policy": number, "versions": list(made_of)})
