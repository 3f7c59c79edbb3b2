"""Does an operator see all homes truly, and does nobody else?"""

import random
import re
from collections import Counter
from datetime import timedelta

import pytest

from alerts import store as alerts_store
from alerts.store import GRACE, Kind
from api.views import fleet, state
from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, NINE, Street

KINDS: tuple[Kind, ...] = ("blind", "degraded", "learning", "watched", "paused")


async def text_of(street: Street, path: str, person: str = CONTROL.person) -> str:
    """Return a page without its tags, in one line."""
    answer = await (await street.browser(person)).get(path)
    assert answer.status_code == 200, answer.text
    body = re.sub(r"<(style|svg|script).*?</\1>", "", answer.text, flags=re.DOTALL)
    return re.sub(r" ([.,;:])", r"\1", re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))).replace("&#39;", "'")


async def many_homes(street: Street, count: int) -> None:
    """Write homes in every state that there is, with leases that hold and that lapsed, in lanes that keep up or not."""
    chance = random.Random(7)
    for lane in range(8):
        late = [timedelta(0), timedelta(seconds=29), GRACE, timedelta(hours=1)][max(lane - 4, 0)]
        await street.sql("UPDATE lane SET complete_through = %s WHERE lane = %s", NINE - late, lane)
        await street.sql("UPDATE judging_lane SET judged_through = %s WHERE lane = %s", NINE - late, lane)
    for number in range(count):
        home = f"kb-{number:04}"
        await street.sql("INSERT INTO home (home, lane, added_at) VALUES (%s, %s, %s)", home, number % 8, NINE)
        if chance.random() < 0.1:
            continue
        why = chance.choice([[], ["hub"], ["us"], ["radio", "clock"]])
        ends = chance.choice([None, timedelta(minutes=2), timedelta(0), timedelta(minutes=-9)])
        heard = chance.choice([None, NINE - timedelta(minutes=12), NINE + timedelta(minutes=1)])
        await street.sql(
            "INSERT INTO home_watch (home, state, why, since, promised_until, last_heard_at, next_alert_why, learning, "
            "written_at) VALUES (%s, %s, %s, %s, %s, %s, '{}', %s::jsonb, %s)",
            *(home, chance.choice(["watched", "watched", "degraded", "blind", "paused"]), why),
            *(NINE - timedelta(minutes=chance.randrange(10_000)), None if ends is None else NINE + ends, heard),
            *(chance.choice(["{}", '{"days": 8, "of": 14}', '{"days": 14, "of": 14}']), NINE),
        )


async def test_homes_are_counted_as_they_are_shown(street: Street) -> None:
    """Two rules for one lease would some day disagree, and a home be counted as watched that no page calls so."""
    await many_homes(street, 300)
    nothing = timedelta(0)

    async with street.connection() as conn:
        counts = await alerts_store.count_homes(conn, now=NINE, stretch=nothing)
        listed = {
            kind: [
                one
                for behind in (0, alerts_store.PAGE_MAX)
                for one in await alerts_store.list_homes(conn, now=NINE, stretch=nothing, kind=kind, behind=behind)
            ]
            for kind in KINDS
        }

    shown = {
        one.home: fleet.kind_of(one, state.truth(one.watch, now=NINE, speed=1, stretch=nothing))
        for homes in listed.values()
        for one in homes
    }
    assert Counter(shown.values()) == counts
    assert sum(counts.values()) == 302
    assert all(shown[one.home] == kind for kind, homes in listed.items() for one in homes)
    assert min(counts.values()) > 5
    sinces = [state.truth(one.watch, now=NINE, speed=1, stretch=nothing).since for one in listed["blind"] if one.watch]
    assert sinces == sorted(sinces, key=lambda at: at or NINE)


async def test_the_home_that_was_seen_least_comes_first(street: Street) -> None:
    """An operator mends first what was blind for longest, and reads when and why."""
    begins, gap = NINE - timedelta(days=40), NINE - timedelta(days=2, hours=3)
    await street.could_see((begins, None, "watched", []), home=GEORGES)
    await street.could_see(
        (begins, gap, "watched", []),
        (gap, gap + timedelta(minutes=432), "blind", ["line"]),
        (gap + timedelta(minutes=432), None, "watched", []),
    )
    for home in (MARGARETS, GEORGES):
        await street.home_is("watched", home=home, promised_until=NINE + timedelta(minutes=2))

    page = await text_of(street, "/operator?show=least")

    assert "the box had lost its connection" in page
    assert "Watched 98.9 % of 30 days; last gap" in page or "Watched 99.0 % of 30 days; last gap" in page
    assert "Watched 100.0 % of 30 days; no gap." in page
    assert page.index(f"{MARGARETS} ") < page.index(f"{GEORGES} ")


async def test_nobody_but_an_operator_learns_that_there_are_such_pages(street: Street) -> None:
    """A carer with an account must not find the list of everybody's homes, nor that there is one."""
    browser = await street.browser(ANNE.person)

    answers = [await browser.get(path) for path in ("/operator", f"/operator/homes/{MARGARETS}", "/operator/nothing")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    nonce = re.compile(r"nonce[-=]\"?[A-Za-z0-9_-]+")
    assert len({nonce.sub("", answer.text) for answer in answers}) == 1


async def test_who_has_nobody_coming_stands_first(street: Street) -> None:
    """Of a thousand homes the one that matters is the one where nobody has said that they go."""
    await street.pendant_pressed(GEORGES)
    street.set_clock(NINE + timedelta(minutes=42))
    await street.home_is("watched")
    await street.home_is("watched", GEORGES)
    taken = await street.still(since=NINE - timedelta(hours=4))
    await (await street.browser(JIM.person)).post(f"/homes/{MARGARETS}/alerts/{taken}/mine")

    page = await text_of(street, "/operator")

    assert "Nobody comes yet" in page
    assert f"{GEORGES}: alert at 09:14, nobody has said “mine”." in page
    assert "resident\u2019s pendant was pressed at 09:14." in page
    assert "Nobody, for 42 min." in page
    assert "Mine: Jim Docherty, 09:56." in page
    assert page.index("Nobody, for 42 min.") < page.index("Mine: Jim Docherty")


async def test_a_text_that_did_not_arrive_is_said_at_once(street: Street) -> None:
    """An operator can ring; but only who knows that nobody heard."""
    await street.home_is("watched")
    await street.pendant_pressed()
    await street.text_ended(ANNE.person, "undelivered", "30003")

    page = await text_of(street, "/operator")

    assert "1 text did not arrive." in page


async def test_homes_that_went_out_of_sight_together_are_one_cause(street: Street) -> None:
    """Forty silent boxes of one street are one call to the provider, not forty."""
    for number in range(11):
        home = f"harbour-{number}"
        await street.sql("INSERT INTO home (home, lane, added_at) VALUES (%s, 0, %s)", home, NINE)
        await street.sql(
            "INSERT INTO resident (home, first_name, full_name, address) VALUES (%s, 'A', 'A B', %s)",
            *(home, f"{number} Quay, Kilbrae KB4 3Q{'ABCDEFGHIJK'[number]}"),
        )
        since = NINE - timedelta(minutes=22, seconds=-number)
        await street.home_is("blind", home, why=["hub"], since=since, promised_until=since)
    await street.home_is("blind", why=["hub"], since=NINE - timedelta(hours=7), promised_until=NINE)
    await street.home_is("watched", GEORGES)

    page = await text_of(street, "/operator")

    assert "We cannot see 12 of 13 homes" in page
    assert "11 homes since 08:52, all in KB4: hub silent." in page
    assert "So many at once: probably our broker or our line, not the homes." in page
    assert "The others: 1 home, hub silent." in page
    assert page.index("Nothing since 02:14 (7 h).") < page.index("Nothing since 08:52 (22 min).")


async def test_our_own_standstill_is_our_own_fault(street: Street) -> None:
    """While our judge stands still no home is watched, and the operator must not ring the provider."""
    await many_homes(street, 20)
    await street.judge_has_come_to(NINE - timedelta(hours=1))

    page = await text_of(street, "/operator")

    assert ": our own service has not kept up." in page
    assert "It is our own fault: look at our processes first." in page
    assert "Watched 0" in page


async def test_a_home_is_found_by_what_an_operator_is_told_on_the_telephone(street: Street) -> None:
    """A caller says a name, a street or a postcode, with or without its space, never our reference."""
    await street.home_is("watched")
    await street.home_is("watched", GEORGES)
    await street.sql("UPDATE resident SET address = '14 Shore Road, Kilbrae KB4 3QA' WHERE home = %s", MARGARETS)

    for words in ("margaret", "Shore Road", "kb4 3qa", "KB43QA", MARGARETS):
        page = await text_of(street, f"/operator?q={words}")
        assert MARGARETS in page, words
        assert GEORGES not in page, words
    assert "No home has that" in await text_of(street, "/operator?q=%25")


async def test_a_list_is_shown_a_page_at_a_time(street: Street) -> None:
    """Five thousand homes must come as quickly as five."""
    await street.sql(
        "INSERT INTO home (home, lane, added_at) SELECT 'kb-' || lpad(n::text, 3, '0'), 0, %s "
        "FROM generate_series(1, 120) n",
        NINE,
    )
    browser = await street.browser(CONTROL.person)

    pages = [(await browser.get(f"/operator?show=blind&page={number}")).text for number in (1, 2, 3)]

    found = [re.findall(r'<li><p><a href="/operator/homes/([\w-]+)', page) for page in pages]
    assert [len(homes) for homes in found] == [50, 50, 22]
    assert len({home for homes in found for home in homes}) == 122
    assert [">More<" in page for page in pages] == [True, True, False]
    assert (await browser.get("/operator?page=0")).status_code == 422


async def test_only_homes_that_are_named_leave_a_record(street: Street) -> None:
    """A resident reads who looked; a count that names nobody is no look."""
    await street.home_is("watched")
    await street.home_is("watched", GEORGES)
    browser = await street.browser(CONTROL.person)

    await browser.get("/operator")
    none = await street.sql("SELECT home, view FROM access_record")
    await browser.get("/operator?q=margaret")
    await browser.get(f"/operator/homes/{MARGARETS}")

    assert none == []
    assert await street.sql("SELECT viewer, home, view FROM access_record ORDER BY view") == [
        ("control", MARGARETS, "everything"),
        ("control", MARGARETS, "list of homes"),
    ]


@pytest.mark.parametrize("path", ["/operator?q=margaret", f"/operator/homes/{MARGARETS}"])
async def test_an_operator_sees_nothing_when_the_record_cannot_be_written(street: Street, path: str) -> None:
    """Whoever runs the service is watched like everybody else."""
    await street.home_is("watched")
    browser = await street.browser(CONTROL.person)
    await street.sql("ALTER TABLE access_record RENAME TO access_record_away")

    answer = await browser.get(path)

    assert answer.status_code == 503
    assert MARGARETS not in answer.text


async def test_everything_of_one_home_is_on_its_page(street: Street) -> None:
    """A caller asks why nobody came: the answer must not need five pages."""
    await street.sql(
        "INSERT INTO hub (hub, home, lane, nats_hash, mosquitto_hash, added_at) VALUES ('h1', %s, 0, 'n', 'm', %s)",
        *(MARGARETS, NINE),
    )
    await street.sql(
        "INSERT INTO hub_report (hub, heard_at, outbox, boot, clock_off_by, held_readings, held_alarms, radio_up, "
        "clock_set, link_up, version, troubles) VALUES ('h1', %s, 'o', 'b', '11 min', 30, 0, true, true, false, '1.2', "
        "ARRAY['disk almost full'])",
        NINE - timedelta(minutes=9),
    )
    await street.sql(
        "INSERT INTO sensor (home, sensor, room, kind) VALUES (%s, 'bath-motion', 'bathroom', 'motion')", MARGARETS
    )
    await street.sql(
        "INSERT INTO refused (hub, topic, payload, reason, received_at) VALUES ('h1', 't', 'x', 'no JSON', %s)", NINE
    )
    await street.sql(
        "INSERT INTO stream (hub, outbox, stream, stored_through, first_heard_at, last_heard_at) "
        "VALUES ('h1', 'o', 'readings', 40, %s, %s)",
        *(NINE, NINE),
    )
    await street.sql(
        "INSERT INTO lost_range (hub, outbox, stream, first, last, noticed_at) "
        "VALUES ('h1', 'o', 'readings', 5, 24, %s)",
        NINE,
    )
    await street.seen((NINE - timedelta(hours=3), "kitchen"))
    await street.could_see((NINE - timedelta(days=10), None, "watched", []))
    await street.home_is("watched")
    closed = await street.pendant_pressed()
    await (await street.browser(JIM.person)).post(
        f"/homes/{MARGARETS}/alerts/{closed}/outcome", data={"outcome": "help given"}
    )

    page = await text_of(street, f"/operator/homes/{MARGARETS}")

    for said in (
        "Last heard 09:05: its promise is broken.",
        "The broker saw its connection end.",
        "Its clock is 11 min slow.",
        "It holds 30 readings that are not stored yet.",
        "It reports: disk almost full.",
        "bath-motion bathroom motion not yet, or over 7 days ago",
        "kitchen-motion not known not set up 06:14",
        "1 of h1, last 09:14: no JSON",
        "20 readings of h1, noticed 09:14",
        "Watched 100.0 % since",
        "Help given, closed by Jim Docherty at 09:14.",
        "Anne Reid, daughter, 07700 900101",
        "Still for 6 h, counted from 07:00 to 22:00",
        "Anne Reid, daughter: as family",
        "Today, 09:00 to 09:15: Kilbrae alarm centre, day and night; everything of the home",
    ):
        assert said in page, said


async def test_a_home_without_anything_has_a_page_too(street: Street) -> None:
    """A home that was added a minute ago is exactly the one that an operator opens."""
    await street.sql("INSERT INTO home (home, lane, added_at) VALUES ('a-minute-old', 0, %s)", NINE)

    page = await text_of(street, "/operator/homes/a-minute-old")

    assert "The home has no hub." in page
    assert "Nobody was given it. Operators see it." in page


async def test_an_operator_begins_with_all_homes(street: Street) -> None:
    """Who runs the service begins where everything that waits is, not at one home."""
    answer = await (await street.browser(CONTROL.person)).get("/")

    assert answer.headers["location"] == "/operator"
