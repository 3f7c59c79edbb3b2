"""A setup file in a real database: what it can say, and what a second run leaves alone."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from psycopg import AsyncConnection

from alerts.store import pauses, rotas, thresholds, versions
from alerts.store.versions import ALL, Scope, Width
from api import consents
from api.office import away, duty, people
from api.office.said import Mistakes
from api.signing_in import links
from api.signing_in.reach import Reach
from deploy import set_up, street
from ingest.db.pool import settings
from tests.integration.deploy.test_admin import asked
from tests.world.database import Database

NINE: Final = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)
LATER: Final = NINE + timedelta(days=1)
STREET: Final = """
[service]
name = "Kilbrae telecare"
operator = "control"

[thresholds]
cold_c = 17
is_heat_asked = false

[[group]]
id = "flats"
thresholds.night_up_for = "1h 30min"
thresholds.rules = ["late: no movement for 2h on weekdays from 09:00 to 12:00"]

[[team]]
id = "wardens"
name = "Wardens"
shift = [{ person = "jim", days = "sat,sun", begins = "09:00", ends = "17:00", place = 2 }]

[[person]]
id = "anne"
name = "Anne Reid"
phone = "07700 900101"

[[person]]
id = "jim"
name = "Jim Docherty"
phone = "07700 900102"

[[person]]
id = "control"
name = "Kilbrae alarm centre"
phone = "07700 900199"

[[home]]
id = "elm-3"
hub = "hub-elm-3"
group = "flats"
team = "wardens"
told = ["anne"]
family = ["anne"]
carers = ["anne", "jim"]
resident = { first_name = "Margaret", name = "Margaret Reid" }
sensor = [{ id = "kitchen-motion", kind = "motion", room = "kitchen" }]
shift = [{ person = "jim", days = "mon-fri", begins = "18:00", ends = "22:00" }]

[home.thresholds]
still_for = "5h"
waking = ["08:00", "21:00"]
battery_low_pct = 20
rules = ["kettle: no movement in kitchen for 3h from 07:00 to 12:00"]

[[home.consent]]
to = "data"
basis = "resident"
said_by = "Margaret Reid"
why = "so that they know"
until = 2030-06-30

[[cover]]
person = "jim"
since = "2026-07-01 18:00"
until = "2026-07-02 08:00"
instead = "anne"
"""

Connection = AsyncConnection[Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "street.toml"


async def run(file: Path, text: str, database: Database, *, now: datetime = NINE, takes_all: bool = False) -> list[str]:
    """Run a file; return what was kept."""
    await asyncio.to_thread(file.write_text, text)
    async with await connected(database) as conn:
        return await set_up.apply(conn, database.dsn, street.read(file), now=now, takes_all=takes_all)


async def connected(database: Database) -> Connection:
    return await AsyncConnection.connect(database.dsn, **settings("test"))  # type: ignore[arg-type]  # libpq's own words


def rows_of(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Return every row that a setup writes, but for the record that it was run."""
    tables: tuple[str, ...] = ("policy_version", "policy", "judging_input", "consent", "access_grant", "rota_shift")
    tables += (
        "rota_override",
        "telling_step",
        "home_team",
        "home_group_member",
        "person",
        "resident",
        "setup_said",
        "sensor",
    )
    with database.connect() as conn:
        return {one: conn.execute(f"SELECT * FROM {one} ORDER BY 1, 2".encode()).fetchall() for one in tables}


async def test_all_that_pages_can_set_can_stand_in_a_file(file: Path, database: Database) -> None:
    """A council that keeps its homes in files must not finish them by hand."""
    assert await run(file, STREET, database) == []

    async with await connected(database) as conn:
        policy = await thresholds.policy_of(conn, "elm-3")
        (shift,) = [one for one in await rotas.shifts_of(conn, "elm-3") if one.home]
        ahead = await duty.ahead(conn, "elm-3", now=NINE)
        (cover,) = await rotas.all_overrides(conn, since=NINE)
        group, team = await versions.group_of(conn, "elm-3"), await rotas.team_of(conn, "elm-3")
    assert (policy.cold_c, policy.is_heat_asked, policy.battery_low_pct) == (17, False, 20)
    assert (policy.still_for, policy.night_up_for) == (timedelta(hours=5), timedelta(minutes=90))
    assert (policy.waking_from.hour, policy.waking_until.hour) == (8, 21)
    assert [one.name for one in policy.rules] == ["kettle", "late"]
    assert (shift.person, shift.begins.hour, group, team) == ("jim", 18, "flats", "wardens")
    assert ("jim", "anne") in [one.persons for one in ahead.duties]
    assert (cover.person, cover.instead) == ("jim", "anne")


async def test_a_file_that_is_run_again_changes_nothing(file: Path, database: Database) -> None:
    """It is run by a timer, perhaps: no version, no consent and no judging input may come of that."""
    await run(file, STREET, database)
    before = rows_of(database)

    assert await run(file, STREET, database, now=LATER) == []

    assert rows_of(database) == before


async def test_what_the_file_changes_is_changed_and_what_it_no_longer_has_is_taken_away(
    file: Path, database: Database
) -> None:
    """Otherwise somebody who stands in no file any more may look for ever."""
    await run(file, STREET, database)
    text = (
        STREET.replace("07700 900101", "07700 900105")
        .replace('carers = ["anne", "jim"]', 'carers = ["anne"]')
        .replace('days = "mon-fri", begins = "18:00"', 'days = "mon-fri", begins = "17:00"')
        .replace('group = "flats"\n', "")
        .replace('still_for = "5h"', 'still_for = "4h"')
    )

    assert await run(file, text, database, now=LATER) == []

    async with await connected(database) as conn:
        anne = await people.find(conn, "anne")
        (shift,) = [one for one in await rotas.shifts_of(conn, "elm-3") if one.home]
        policy = await thresholds.policy_of(conn, "elm-3")
        rows = await conn.execute("SELECT person FROM access_grant WHERE withdrawn_at IS NULL ORDER BY 1, view")
        seeing = [person for (person,) in await rows.fetchall()]
        group = await versions.group_of(conn, "elm-3")
    assert anne is not None
    assert (anne.phone, shift.begins.hour, group) == ("+447700900105", 17, None)
    assert (policy.still_for, [one.name for one in policy.rules]) == (timedelta(hours=4), ["kettle"])
    assert seeing == ["anne", "anne", "control"]


async def _as_people_do(conn: Connection) -> None:
    """Change on pages what the file said: a phone, a consent, a shift, the told-order, thresholds, a cover."""
    by: dict[str, Any] = {"by": "control", "now": NINE}
    fields = {"person": "anne", "name": "Anne Reid", "phone": "07700 900106", "kinds": "family contact,unpaid carer"}
    await people.save(conn, fields, is_new=False, **by)
    (care,) = [one for one in await consents.of_home(conn, "elm-3") if one.person == "jim"]
    assert await consents.withdraw(conn, care.consent, **by)
    (shift,) = [one for one in await rotas.shifts_of(conn, "elm-3") if one.home]
    await duty.remove_shift(conn, shift.shift, **by)
    (cover,) = await rotas.all_overrides(conn, since=NINE)
    await duty.remove_override(conn, cover.override, **by)
    change = thresholds.Change(by="control", why="a warm flat", at=NINE)
    await thresholds.set_numbers(conn, Scope(Width.HOME, "elm-3"), {"still_for_s": 7 * 3600}, change)
    await thresholds.set_numbers(conn, ALL, {"cold_c": 15.0}, change)


_KEPT: Final = [
    "person anne: phone is +447700900106, and the file says +447700900101",
    "home elm-3: consent to sight of jim, carer: taken back is yes, and the file says nothing",
    "home elm-3: shift person jim, begins 18:00, ends 22:00, days mon-fri, place 1: was taken away since",
    "cover of jim: person jim, since 2026-07-01 18:00, until 2026-07-02 08:00, instead anne: was taken away since",
    "thresholds: are those that Kilbrae alarm centre set on Wed 10 Jun (version 5)",
    "home elm-3: thresholds: are those that Kilbrae alarm centre set on Wed 10 Jun (version 4)",
]


async def test_what_a_person_changed_since_is_kept_and_said(file: Path, database: Database) -> None:
    """Who wrote Anne's new number spoke with her; and a yes that was taken back is a no, whatever a file says."""
    await run(file, STREET, database)
    async with await connected(database) as conn:
        await _as_people_do(conn)
    before = rows_of(database)

    assert await run(file, STREET, database, now=LATER) == _KEPT

    assert rows_of(database) == before


async def test_a_file_can_be_given_the_last_word(file: Path, database: Database) -> None:
    """Whoever keeps the truth in the file says --overwrite, and has then read what that undoes."""
    await run(file, STREET, database)
    async with await connected(database) as conn:
        await _as_people_do(conn)

    assert await run(file, STREET, database, now=LATER, takes_all=True) == []

    async with await connected(database) as conn:
        anne = await people.find(conn, "anne")
        policy = await thresholds.policy_of(conn, "elm-3")
        held = [one for one in await consents.of_home(conn, "elm-3") if one.person == "jim"]
        ahead = await duty.ahead(conn, "elm-3", now=LATER)
    assert anne is not None
    assert anne.phone == "+447700900101"
    assert (policy.still_for, policy.cold_c) == (timedelta(hours=5), 17)
    assert [one.withdrawn_at is None for one in held] == [True, False]
    assert ("jim", "anne") in [one.persons for one in ahead.duties]
    assert await run(file, STREET, database, now=LATER) == []


async def test_a_link_to_what_the_file_took_away_opens_nothing_any_more(file: Path, database: Database) -> None:
    """A number or a mailbox is changed because somebody else may read it by now."""
    with_mail = STREET.replace('phone = "07700 900101"', 'phone = "07700 900101"\nemail = "anne@care.example"')
    for number, (before, after) in enumerate(
        ((STREET, STREET.replace("900101", "900131")), (with_mail, with_mail.replace("anne@", "reid@")))
    ):
        await run(file, before, database, takes_all=True)
        async with await connected(database) as conn:
            link = await links.make(conn, "anne", "https://care.example", real_now=NINE)
            others = await links.make(conn, "jim", "https://care.example", real_now=NINE)

        await run(file, before, database, now=LATER)
        async with await connected(database) as conn:
            kept = await links.make(conn, "anne", "https://care.example", real_now=NINE)
            assert await links.use(conn, kept.rpartition("/")[2], real_now=NINE) == "anne", number
        await run(file, after, database, now=LATER)

        async with await connected(database) as conn:
            assert await links.use(conn, link.rpartition("/")[2], real_now=NINE) is None, number
            assert await links.use(conn, others.rpartition("/")[2], real_now=NINE) == "jim", number


async def test_a_number_that_is_somebody_elses_is_said(file: Path, database: Database) -> None:
    """An operator whose file was refused must read whose number it is, not what a constraint is called."""
    await run(file, STREET, database)
    other = STREET.replace('id = "anne"', 'id = "nina"').replace('"anne"', '"nina"')

    with pytest.raises(Mistakes, match="person nina: phone: is Anne Reid's"):
        await run(file, other, database)


async def test_two_people_may_swap_phones_and_addresses_in_one_file(file: Path, database: Database) -> None:
    """Numbers that were written to the wrong names are put right where they stand, not by way of a third number."""
    anne, jim = (f'phone = "07700 90010{n}"\nemail = "mailbox-{n}@care.example"' for n in (1, 2))
    text = STREET.replace('phone = "07700 900101"', "{anne}").replace('phone = "07700 900102"', "{jim}")
    swapped = text.replace("{anne}", jim).replace("{jim}", anne)
    await run(file, text.replace("{anne}", anne).replace("{jim}", jim), database)
    async with await connected(database) as conn:
        link = await links.make(conn, "anne", "https://care.example", real_now=NINE)

    assert await run(file, swapped, database, now=LATER) == []

    async with await connected(database) as conn:
        reached = {one: await people.find(conn, one) for one in ("anne", "jim")}
        assert await links.use(conn, link.rpartition("/")[2], real_now=NINE) is None
    assert {name: one and (one.phone, one.email) for name, one in reached.items()} == {
        "anne": ("+447700900102", "mailbox-2@care.example"),
        "jim": ("+447700900101", "mailbox-1@care.example"),
    }
    assert await run(file, swapped, database, now=LATER) == []


async def test_a_number_that_a_page_gave_to_somebody_is_not_taken_by_a_swap(file: Path, database: Database) -> None:
    """Who was given it on a page keeps it, and the file is told whose it is."""
    await run(file, STREET, database)
    async with await connected(database) as conn:
        await people.save(
            conn, {"person": "jim", "name": "Jim Docherty", "phone": "07700 900105"}, is_new=False, by="c", now=NINE
        )

    with pytest.raises(Mistakes, match="person anne: phone: is Jim Docherty's"):
        await run(file, STREET.replace("07700 900101", "07700 900105"), database, now=LATER)

    async with await connected(database) as conn:
        anne = await people.find(conn, "anne")
    assert anne is not None
    assert anne.phone == "+447700900101"


async def test_family_without_a_phone_is_asked_on_the_page(file: Path, database: Database) -> None:
    """A daughter abroad signs in by e-mail; what is written of her is what the file says, run after run."""
    text = STREET.replace('family = ["anne"]', 'family = ["anne", "nina"]')
    text += '\n[[person]]\nid = "nina"\nname = "Nina Reid"\nemail = "nina@care.example"\n'
    text += '\n[[person]]\nid = "margaret"\nname = "Margaret Reid"\nkinds = ["resident"]\n'

    assert [await run(file, text, database), await run(file, text, database, now=LATER)] == [[], []]

    async with await connected(database) as conn:
        nina, margaret = await people.find(conn, "nina"), await people.find(conn, "margaret")
        let_in = await links.person_at(conn, Reach("mail", "nina@care.example"))
    assert nina is not None
    assert margaret is not None
    assert (nina.phone, nina.kinds, let_in) == (None, ("family contact",), "nina")
    assert (margaret.phone, margaret.email, margaret.kinds) == (None, None, ("resident",))


async def test_another_street_takes_nothing_away_from_this_one(file: Path, database: Database) -> None:
    """A council has a file a street, and a second one says nothing about the first."""
    await run(file, STREET, database)
    before = rows_of(database)
    second = STREET.replace("elm-3", "oak-1").replace('"07700 900102"', '"07700 900102"')
    second = second.split("[[cover]]", maxsplit=1)[0].replace('team = "wardens"', "")

    await run(file, second, database, now=LATER)

    with database.connect() as conn:
        seeing = conn.execute("SELECT count(*) FROM access_grant WHERE home = 'elm-3' AND withdrawn_at IS NULL")
        assert seeing.fetchone() == (4,)
        members = conn.execute("SELECT home FROM home_group_member ORDER BY 1").fetchall()
    assert members == [("elm-3",), ("oak-1",)]
    assert [one for one in rows_of(database)["rota_shift"] if one in before["rota_shift"]] == before["rota_shift"]


def test_the_command_says_what_it_kept_and_how_to_choose(file: Path, database: Database, tmp_path: Path) -> None:
    """Whoever runs it sees at once that the file is not all that is true."""
    environment = {"TELECARE_DATABASE_URL": database.dsn, "TELECARE_DATA": str(tmp_path)}
    file.write_text(STREET)
    assert asked(environment, "setup", str(file))[0] == 0
    with database.connect() as conn:
        conn.execute("UPDATE resident SET address = '3 Elm Street' WHERE home = 'elm-3'")

    code, said = asked(environment, "setup", str(file))

    assert code == 0
    assert "not as the file says; --overwrite has it all as the file says:" in said
    assert "home elm-3: resident: address is 3 Elm Street, and the file says nothing" in said
    assert "--overwrite" not in asked(environment, "setup", str(file), "--overwrite")[1]


async def test_a_file_says_who_is_away_and_what_was_taken_back_stays_so(file: Path, database: Database) -> None:
    """She came home early, and somebody said so: the file must not send everybody to sleep again."""
    text = STREET.replace(
        'hub = "hub-elm-3"\n', 'hub = "hub-elm-3"\naway = { until = "2026-06-20", why = "hospital" }\n'
    )
    assert await run(file, text, database) == []
    async with await connected(database) as conn:
        stood = await pauses.of_home(conn, "elm-3", now=NINE)
        assert await run(file, text, database, now=LATER) == []
        await away.end(conn, "elm-3", by="control", now=LATER)
        kept = await run(file, text, database, now=LATER)
        stands = await pauses.of_home(conn, "elm-3", now=LATER)
        again = await run(file, text.replace("06-20", "07-20"), database, now=LATER, takes_all=True)
        at_last = await pauses.of_home(conn, "elm-3", now=LATER)
    assert stood is not None
    assert (stood.kind, stood.since, stood.until) == ("away", NINE, datetime(2026, 6, 20, 23, tzinfo=UTC))
    assert kept == ["home elm-3: away: is nothing, and the file says 2026-06-20, hospital, away"]
    assert (stands, again) == (None, [])
    assert at_last is not None
