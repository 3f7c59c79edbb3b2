"""Who of the staff has a password and a second factor, and are these theirs?  The SQL of both.

There is no password without a second factor; the database says so too.  Both are for operators and paid carers: a
family's phone is enough to look at one home.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from api.signing_in import factors
from api.signing_in.reach import Reach
from api.signing_in.sealing import NotOpened, Seals
from api.signing_in.secrets import hashed

log = logging.getLogger(__name__)

Connection = AsyncConnection[Any]

# Long enough to install an authenticator, short enough for a page left open.  Ours.
OFFER_VALID_FOR: Final = timedelta(minutes=30)

IS_STAFF: Final = "p.left_at IS NULL AND (p.is_operator OR 'paid carer' = ANY(p.kinds))"
"""In SQL, of a person `p`."""


@dataclass(frozen=True, slots=True)
class Held:
    """What somebody has to sign in with.

    Attributes:
        last_step: see `factors.step_of`.
        codes_left: recovery codes that are not used yet.
    """

    person: str
    hash: str
    sealed: bytes
    last_step: int
    added_at: datetime
    codes_left: int


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was found right, and is not used up yet.

    Attributes:
        step: of an authenticator's; None: it is a recovery code.
        code_sha256: of a recovery code.
    """

    step: int | None
    code_sha256: bytes = b""


async def may_have(conn: Connection, person: str) -> bool:
    """Return whether somebody's work is such that they may have a password."""
    found = await conn.execute(
        f"SELECT FROM person p WHERE p.person = %s AND {IS_STAFF}".encode(),
        (person,),
    )
    return await found.fetchone() is not None


_HELD: Final = f"""
    SELECT p.person, w.hash, f.secret_sealed, f.last_step, f.added_at,
           (SELECT count(*) FROM recovery_code r WHERE r.person = p.person AND r.used_at IS NULL)
    FROM person p JOIN second_factor f USING (person) JOIN password w USING (person)
    WHERE {IS_STAFF}
"""  # noqa: S608 - as above


async def held_at(conn: Connection, where: Reach) -> Held | None:
    """Return what the person with a phone or a mailbox has to sign in with, or None."""
    return await _held(
        conn,
        " AND CASE WHEN %(is_phone)s THEN p.phone = %(to)s ELSE lower(p.email) = %(to)s END",
        {"to": where.to, "is_phone": where.by == "text"},
    )


async def held_by(conn: Connection, person: str) -> Held | None:
    """Return what somebody has to sign in with, or None."""
    return await _held(conn, " AND p.person = %(person)s", {"person": person})


async def _held(conn: Connection, which: str, values: dict[str, object]) -> Held | None:
    found = await conn.execute((_HELD + which).encode(), values)
    row = await found.fetchone()
    if row is None:
        return None
    person, kept, sealed, *rest = row
    return Held(person, kept, bytes(sealed), *rest)


async def code_of(conn: Connection, held: Held | None, typed: str, seals: Seals, *, real_now: datetime) -> Code | None:
    """Return the code that somebody typed, if it is theirs and opens something; it is not used up by this.

    As many questions are asked where there is nobody.
    """
    code = factors.plain(typed)
    kept = hashed(code)
    found = await conn.execute(
        "SELECT FROM recovery_code WHERE person = %s AND code_sha256 = %s AND used_at IS NULL",
        (held.person if held else "", kept),
    )
    is_on_paper = await found.fetchone() is not None
    if held is None:
        return None
    if is_on_paper:
        return Code(None, kept)
    if not factors.is_authenticators(code):
        return None
    secret = _opened(held.sealed, held.person, seals)
    step = None if secret is None else factors.step_of(code, secret, after=held.last_step, now=real_now)
    return None if step is None else Code(step)


def _opened(sealed: bytes, person: str, seals: Seals) -> str | None:
    try:
        return seals.open(sealed, person=person).decode()
    except NotOpened as why:
        log.error("second factor cannot be opened", extra={"why": str(why)})  # noqa: TRY400 - no values
        return None


async def use_up(conn: Connection, person: str, code: Code, *, real_now: datetime) -> bool:
    """Use up a code, and return whether it was still there: of two at once only one opens."""
    if code.step is not None:
        found = await conn.execute(
            "UPDATE second_factor SET last_step = %s WHERE person = %s AND last_step < %s RETURNING person",
            (code.step, person, code.step),
        )
    else:
        found = await conn.execute(
            "UPDATE recovery_code SET used_at = %s WHERE person = %s AND code_sha256 = %s AND used_at IS NULL "
            "RETURNING person",
            (real_now, person, code.code_sha256),
        )
    return await found.fetchone() is not None


# -- setting up, changing, taking away


async def offer(conn: Connection, person: str, seals: Seals, *, real_now: datetime) -> None:
    """Make a secret for an authenticator; it counts for nothing until a code confirms it."""
    sealed = seals.seal(factors.new_secret().encode(), person=person)
    await conn.execute(
        """
        INSERT INTO second_factor_offer (person, secret_sealed, made_at) VALUES (%s, %s, %s)
        ON CONFLICT ON CONSTRAINT second_factor_offer_is_one_a_person DO UPDATE
        SET secret_sealed = EXCLUDED.secret_sealed, made_at = EXCLUDED.made_at
        """,
        (person, sealed, real_now),
    )


async def offered(conn: Connection, person: str, seals: Seals, *, real_now: datetime) -> str | None:
    """Return the secret that somebody was offered lately, in base32, or None."""
    found = await conn.execute(
        "SELECT secret_sealed FROM second_factor_offer WHERE person = %s AND made_at > %s",
        (person, real_now - OFFER_VALID_FOR),
    )
    row = await found.fetchone()
    return None if row is None else _opened(bytes(row[0]), person, seals)


async def take_on(
    conn: Connection, person: str, hash_: str, secret: str, step: int, seals: Seals, *, real_now: datetime
) -> list[str]:
    """Write somebody's first password with the second factor that a code has confirmed; return the recovery codes.

    In a transaction of the caller's.  They are shown this once.
    """
    await conn.execute("DELETE FROM second_factor_offer WHERE person = %s", (person,))
    await conn.execute(
        "INSERT INTO second_factor (person, secret_sealed, added_at, last_step) VALUES (%s, %s, %s, %s)",
        (person, seals.seal(secret.encode(), person=person), real_now, step),
    )
    await set_password(conn, person, hash_, real_now=real_now)
    return await new_codes(conn, person)


async def set_password(conn: Connection, person: str, hash_: str, *, real_now: datetime) -> None:
    """Write somebody's password, who has a second factor."""
    await conn.execute(
        """
        INSERT INTO password (person, hash, set_at) VALUES (%s, %s, %s)
        ON CONFLICT ON CONSTRAINT password_is_one_a_person DO UPDATE SET hash = EXCLUDED.hash, set_at = EXCLUDED.set_at
        """,
        (person, hash_, real_now),
    )


async def new_codes(conn: Connection, person: str) -> list[str]:
    """Return new recovery codes; those of before open nothing any more."""
    codes = factors.new_recovery_codes()
    await conn.execute("DELETE FROM recovery_code WHERE person = %s", (person,))
    async with conn.cursor() as cur:
        await cur.executemany(
            "INSERT INTO recovery_code (person, code_sha256) VALUES (%s, %s)",
            [(person, hashed(factors.plain(code))) for code in codes],
        )
    return codes


async def take_away(conn: Connection, person: str) -> bool:
    """Take somebody's password, second factor and recovery codes away; return whether there were any."""
    await conn.execute("DELETE FROM second_factor_offer WHERE person = %s", (person,))
    await conn.execute("DELETE FROM password WHERE person = %s", (person,))
    found = await conn.execute("DELETE FROM second_factor WHERE person = %s RETURNING person", (person,))
    return await found.fetchone() is not None


async def own_words(conn: Connection, person: str) -> Sequence[str]:
    """Return what a password of somebody's must not be made of: names, phone, mailbox, and the service's name."""
    found = await conn.execute(
        "SELECT p.person, p.full_name, p.what, p.phone, regexp_replace(p.phone, '^\\+44', '0'), p.email, "
        "(SELECT name FROM service) FROM person p WHERE p.person = %s",
        (person,),
    )
    return [word for word in (await found.fetchone() or ()) if word]
