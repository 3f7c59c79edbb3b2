"""Who asks to be forgotten is: in every table, for good, and without a figure that was published changing."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from alerts import store as alerts_store
from alerts.alert import Outcome
from alerts.lanes import JudgingLanes
from alerts.watch import Watch
from api.office import people
from api.office.said import Mistakes
from api.v1.tokens import Scope
from ingest import devices, entry, erasures, stored_log
from ingest.db import pool
from ingest.lanes import Lanes, new_owner
from tests.world.database import Database
from tests.world.leftovers import leftovers
from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, NINE, Street

HUB = f"hub-{MARGARETS}"
OF_MARGARET = (
    *("margaret reid", "margaret", "+441632960112", "01632 960112", "14 shore road", "small dog"),
    *(MARGARETS, HUB, "on the landing", "landing-motion"),
)
OF_ANNE = ("anne reid", ANNE.phone, "07700 900101", "anne@example.net", "i am not so sure")


@pytest.fixture
async def watch(street: Street, database: Database) -> AsyncIterator[Watch]:
    """Give the judge of the street, who saves whatever it knows."""
    opened = await pool.open_pool(database.dsn, name="test")
    yield Watch(opened, street.clock, JudgingLanes(new_owner()), wake=lambda: None, save_s=0.0)
    await opened.close()


async def lives(street: Street, watch: Watch) -> None:
    """Let a morning happen in both homes: readings, a press that is answered, a look, an answer, a change."""
    ingest = Lanes(new_owner())
    async with street.connection() as conn:
        for lane, home in enumerate((MARGARETS, GEORGES)):
            await conn.execute(
                "INSERT INTO hub (hub, home, lane, nats_hash, mosquitto_hash, added_at) "
                "VALUES (%s, %s, %s, '', '', %s)",
                (f"hub-{home}", home, lane, NINE),
            )
            await alerts_store.set_watched(conn, home, f"hub-{home}", now=NINE)
        await conn.execute("INSERT INTO stream VALUES (%s, 'box', 'readings', 9, %s, %s, %s)", (HUB, NINE, NINE, NINE))
        await conn.execute("INSERT INTO hub_heard VALUES (%s, %s, %s)", (HUB, NINE, NINE))
        await conn.execute(
            "INSERT INTO refused (hub, topic, payload, reason, received_at) VALUES (%s, %s, 'x', 'odd', %s)",
            (HUB, f"telecare/v1/00/{HUB}/readings", NINE),
        )
        await ingest.claim(conn)
        async with conn.transaction():
            # One row of the log tells of both homes where they share a lane.
            at = (await ingest.fence(conn, {0: NINE}))[0]
            moved = [
                entry.Reading(home, f"hub-{home}", f"{room}-motion", room, "movement", 1.0, NINE)
                for home, room in ((MARGARETS, "landing"), (GEORGES, "lounge"))
            ]
            await stored_log.append(conn, {0: moved}, {0: at})
        await ingest.tick(
            conn,
            now=NINE + timedelta(seconds=1),
            unbroken_since=dict.fromkeys(ingest.owned, NINE - timedelta(days=365)),
            forgiven=timedelta(minutes=5),
        )
        written = {"person": "anne", "name": ANNE.full_name, "phone": ANNE.phone, "email": "anne@example.net"}
        await people.save(conn, written, is_new=False, by=CONTROL.person, now=NINE)
        await conn.execute(
            "INSERT INTO pause (home, kind, since, until, why, written_at, written_by, ended_at, ended_by) "
            "VALUES (%s, 'away', %s, %s, 'on the landing', %s, 'anne', %s, 'anne')",
            (MARGARETS, NINE, NINE + timedelta(days=1), NINE, NINE),
        )
        await conn.execute(
            "INSERT INTO setup_said VALUES (%s, %s, %s, %s)",
            (f"home {MARGARETS}: resident", MARGARETS, '{"full_name": "Margaret Reid"}', NINE),
        )
    await watch.turn(everything=True)
    # What judgement has written since it began is followed by a time of which it was known why nothing was seen.
    await street.sql("UPDATE watch_span SET until = %s WHERE until IS NULL", NINE + timedelta(hours=1))
    await street.could_see((NINE + timedelta(hours=1), NINE + timedelta(hours=2), "blind", ("hub", HUB)))
    await street.seen((NINE, "landing"))
    await street.seen((NINE, "lounge"), home=GEORGES)
    await answered(street)


async def answered(street: Street) -> None:
    """Let a press be answered by text and closed with a word, a question be answered, and somebody look."""
    alert = await street.pendant_pressed()
    async with street.connection() as conn:
        await alerts_store.take_text(conn, "SM1", ANNE.phone, "1 mine", now=street.now)
        await alerts_store.take_text(conn, "SM2", ANNE.phone, "Margaret Reid is fine, says Anne Reid", now=street.now)
        await alerts_store.close(conn, alert, "anne", Outcome.FALSE_ALARM, "fell on the landing", now=street.now)
        await conn.execute(
            "INSERT INTO confidence_report (home, person, question, origin, answer, words, answered_at) "
            "SELECT %s, 'anne', min(question), 'scheduled', 4, 'I am not so sure', %s FROM confidence_question",
            (MARGARETS, street.now),
        )
    anne = await street.browser("anne")
    assert (await anne.get(f"/homes/{MARGARETS}")).status_code == 200
    await street.program("anne", Scope("homes:read"), homes=[MARGARETS])
    operator = await street.browser(CONTROL.person)
    wrote = {"first_name": "Margaret", "name": "Margaret Reid", "phone": "+441632960112", "address": "14 Shore Road"}
    assert (await operator.post(f"/operator/homes/{MARGARETS}/setup/resident", data=wrote)).status_code == 303
    assert (await operator.post(f"/operator/homes/{MARGARETS}/setup/told", data={"told": "anne"})).status_code == 303


async def finishes(street: Street) -> tuple[int, int]:
    """Let ingest do what is due."""
    async with street.connection() as conn:
        return await erasures.finish_due(conn, now=street.now)


def all_of(database: Database, *words: str) -> set[tuple[str, str, str]]:
    with database.connect() as conn:
        return leftovers(conn, words)


async def test_of_an_erased_home_nothing_is_left_anywhere(street: Street, watch: Watch, database: Database) -> None:
    """Looked for in every text, list, JSON and bytes of every table: one that is added later is looked through too."""
    await lives(street, watch)
    before = all_of(database, *OF_MARGARET)
    assert {"reading", "stored_log", "alert", "notification", "home_judgement", "change_record", "access_record"} <= {
        table for table, _, _ in before
    }
    operator = await street.browser(CONTROL.person)

    answer = await operator.post(f"/operator/homes/{MARGARETS}/erase", data={"sure": MARGARETS})
    assert answer.status_code == 303, answer.text
    assert MARGARETS in (await operator.get("/operator/people")).text
    assert await finishes(street) == (0, 1), "judgement still knows the home"
    street.set_clock(street.now + timedelta(seconds=2))
    await street.sql("UPDATE lane SET complete_through = %s", street.now)
    await watch.turn(everything=True)
    assert await finishes(street) == (1, 0)
    await watch.turn(everything=True)

    assert all_of(database, *OF_MARGARET) == set()
    # Of the other home nothing went.
    assert await street.sql("SELECT count(*) FROM reading WHERE home = %s", GEORGES) == [(1,)]
    ((packed,),) = await street.sql("SELECT entries FROM stored_log")
    assert [one.home for one in entry.unpack(packed) if isinstance(one, entry.Reading)] == [GEORGES]


async def test_what_was_counted_is_counted_without_a_name(street: Street, watch: Watch) -> None:
    """A figure that was published must come out again; who it was about need not."""
    await lives(street, watch)
    counted = """
        SELECT (SELECT count(*) FROM alert WHERE outcome = 'false alarm'), (SELECT count(*) FROM acknowledgement),
               (SELECT sum(until - since) FROM watch_span WHERE until IS NOT NULL),
               (SELECT sum(answer) FROM confidence_report), (SELECT count(*) FROM access_record WHERE viewer = 'anne')
    """
    before = await street.sql(counted)

    await erased(street, watch)

    assert await street.sql(counted) == before
    ((home, erased_at),) = await street.sql("SELECT home, erased_at FROM home WHERE erased_at IS NOT NULL")
    assert home.startswith("erased-")
    assert erased_at is not None
    assert await street.sql("SELECT what FROM change_record WHERE home = %s ORDER BY change DESC LIMIT 1", home) == [
        ("home erased",)
    ]


async def erased(street: Street, watch: Watch) -> None:
    """Have Margaret's home erased, from the page to the end."""
    operator = await street.browser(CONTROL.person)
    answer = await operator.post(f"/operator/homes/{MARGARETS}/erase", data={"sure": MARGARETS})
    assert answer.status_code == 303, answer.text
    street.set_clock(street.now + timedelta(seconds=2))
    await street.sql("UPDATE lane SET complete_through = %s", street.now)
    await watch.turn(everything=True)
    assert await finishes(street) == (1, 0)


async def test_an_erased_home_is_nowhere_to_be_seen(street: Street, watch: Watch, database: Database) -> None:
    """Its page, its alerts and its place in the fleet are those of a home that never was; nor is it added again."""
    await lives(street, watch)
    await erased(street, watch)
    ((stand_in,),) = await street.sql("SELECT home FROM home WHERE erased_at IS NOT NULL")

    anne, operator = await street.browser("anne"), await street.browser(CONTROL.person)
    for home in (MARGARETS, stand_in):
        assert (await anne.get(f"/homes/{home}")).status_code == 404
        assert (await operator.get(f"/operator/homes/{home}")).status_code == 404
        assert (await operator.get(f"/operator/homes/{home}/setup")).status_code == 404
    assert stand_in not in (await operator.get("/operator")).text
    again = await operator.post("/operator/homes/new", data={"home": MARGARETS, "first_name": "Ada", "name": "Ada Low"})
    assert again.status_code == 422
    assert "was erased" in again.text
    with database.connect() as conn:
        assert [home for home, _ in devices.list_homes(conn)] == [GEORGES]


@pytest.mark.parametrize(("sure", "says"), [("", "Write shore-road-14 here"), (GEORGES, "Write shore-road-14 here")])
async def test_nothing_goes_before_its_name_was_written(street: Street, sure: str, says: str) -> None:
    """It cannot be undone: a slip of the finger must not do it."""
    operator = await street.browser(CONTROL.person)

    answer = await operator.post(f"/operator/homes/{MARGARETS}/erase", data={"sure": sure})

    assert answer.status_code == 422
    assert says in answer.text
    assert await street.sql("SELECT count(*) FROM erasure") == [(0,)]


async def test_a_home_with_an_open_alert_is_not_erased(street: Street) -> None:
    """Somebody may be on the floor there."""
    await street.pendant_pressed()
    operator = await street.browser(CONTROL.person)

    answer = await operator.post(f"/operator/homes/{MARGARETS}/erase", data={"sure": MARGARETS})

    assert answer.status_code == 422
    assert "open alerts" in answer.text
    assert (await operator.get(f"/operator/homes/{MARGARETS}")).status_code == 200


async def test_nobody_but_an_operator_erases(street: Street) -> None:
    """A relative in a quarrel must not take a home's watch away."""
    anne = await street.browser("anne")

    for path in (f"/operator/homes/{MARGARETS}/erase", "/operator/people/jim/erase"):
        assert (await anne.post(path, data={"sure": MARGARETS})).status_code == 404
    assert await street.sql("SELECT count(*) FROM erasure") == [(0,)]


async def test_of_an_erased_person_no_name_number_or_word_is_left(
    street: Street, watch: Watch, database: Database
) -> None:
    """Also in the stories of others: in texts that say who goes, in changes, and in what they wrote to us."""
    await lives(street, watch)
    assert {"person", "notification", "text_received", "confidence_report", "change_record", "reply_code"} <= {
        table for table, _, _ in all_of(database, *OF_ANNE)
    }
    operator = await street.browser(CONTROL.person)
    story = await street.sql("SELECT count(*) FROM alert WHERE outcome = 'false alarm'")

    answer = await operator.post("/operator/people/anne/erase", data={"sure": "anne"})
    assert answer.status_code == 303, answer.text
    assert await finishes(street) == (1, 0)

    assert all_of(database, *OF_ANNE) == set()
    assert await street.sql("SELECT count(*) FROM person WHERE person = 'anne'") == [(0,)]
    assert await street.sql("SELECT count(*) FROM alert WHERE outcome = 'false alarm'") == story
    ((by,),) = await street.sql("SELECT DISTINCT closed_by FROM alert WHERE closed_by IS NOT NULL")
    assert by.startswith("erased-")
    # Jim, with whom nothing is wrong, is who he was.
    assert await street.sql("SELECT full_name, phone FROM person WHERE person = 'jim'") == [(JIM.full_name, JIM.phone)]


async def test_who_is_erased_is_signed_out_at_once_and_not_given_again(street: Street) -> None:
    """What was asked counts before the data is gone; and a stranger must not step into an old name."""
    anne, operator = await street.browser("anne"), await street.browser(CONTROL.person)

    await operator.post("/operator/people/anne/erase", data={"sure": "anne"})

    assert (await anne.get(f"/homes/{MARGARETS}")).status_code in {303, 404}
    await finishes(street)
    async with street.connection() as conn:
        with pytest.raises(Mistakes, match="erased"):
            await people.save(conn, {"person": "anne", "name": "Anne Other"}, is_new=True, by="x", now=street.now)


async def test_whose_phone_gets_the_rest_is_not_erased(street: Street) -> None:
    """Then an alarm that nobody takes would reach nobody."""
    async with street.connection() as conn:
        await alerts_store.set_person(conn, "second", "Second operator", what=None, phone=None, kinds=("operator",))
    second = await street.browser("second")

    answer = await second.post(f"/operator/people/{CONTROL.person}/erase", data={"sure": CONTROL.person})

    assert answer.status_code == 422
    assert await street.sql("SELECT count(*) FROM erasure") == [(0,)]
