"""Operators keep people, homes, consents and the rota on pages; nobody else finds these pages."""

import html
import re
import tomllib
from datetime import timedelta

import httpx
import pytest
from psycopg import AsyncConnection

from alerts.store import rotas
from alerts.telling.rota import Override
from api.office import agreed, duty, hubs
from api.office.said import Mistakes
from api.office.told import told_soon
from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, NINE, Street

HOME = "elm-court-7"
SETUP = f"/operator/homes/{HOME}/setup"
YES = {"basis": "resident", "said_by": "Elsie Wood", "why": "so that my son knows how I am", "until": "2027-06-15"}


@pytest.fixture
async def operator(street: Street) -> httpx.AsyncClient:
    """Give the browser of the operator."""
    return await street.browser(CONTROL.person)


async def sent(browser: httpx.AsyncClient, path: str, **fields: str) -> str:
    """Send a form that is taken, and return the page that follows it."""
    answer = await browser.post(path, data=fields)
    assert answer.status_code == 303, (path, answer.status_code, wrong_in(answer.text))
    return (await browser.get(answer.headers["location"])).text


def box_in(page: str) -> str:
    """Return what the box says that is to be ticked where nobody else would be told."""
    found = re.search(r'name="alone" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def wrong_in(page: str) -> list[str]:
    return [html.unescape(said) for said in re.findall(r'class="wrong" id="[^"]+">([^<]+)<', page)]


async def test_from_nothing_to_a_watched_home_on_pages(street: Street, operator: httpx.AsyncClient) -> None:
    """The walk, without a command line: home, people, rooms, sensors, consents, rota, and the hub's file."""
    await sent(
        operator,
        "/operator/people",
        name="Sanjay Wood",
        what="Elsie's son",
        phone="07700 900104",
        kinds="family contact",
    )
    await sent(operator, "/operator/homes/new", home=HOME, name="Elsie Wood", first_name="Elsie", address="7 Elm Court")
    await sent(operator, f"{SETUP}/rooms", rooms="kitchen\r\nbedroom")
    await sent(operator, f"{SETUP}/sensor", sensor="kitchen-motion", kind="motion", room="kitchen")
    await sent(operator, f"{SETUP}/sensor", sensor="pendant", kind="pendant", room="")
    await sent(operator, f"{SETUP}/care", **YES)
    await operator.post(f"{SETUP}/sight", data={**YES, "person": "sanjay-wood", "views": ["family", "carer"]})
    await sent(operator, f"{SETUP}/told", told="sanjay-wood")
    file = await operator.post(f"{SETUP}/hub", data={"hub": ""})
    page = await sent(operator, f"{SETUP}/shift", person="jim", days="mon-fri", begins="18:00", ends="08:00", place="1")

    assert "Jim Docherty is told of alarms here on a shift, and may not see the carer&#39;s page." in page
    assert "Nothing is left to set up." not in page
    page = await sent(operator, f"{SETUP}/sight", **YES, person="jim", views="carer")
    assert "Nothing is left to set up." in page
    assert "Now: Sanjay Wood, then Kilbrae alarm centre." in page
    assert "Jim Docherty, Mon to Fri, 18:00 to 08:00" in page
    hub = tomllib.loads(file.text)
    assert (file.status_code, hub["hub"]["id"], hub["radio"]["pendants"]) == (200, f"hub-{HOME}", ["pendant"])
    assert file.headers["content-disposition"] == f'attachment; filename="hub-{HOME}.toml"'
    assert file.headers["cache-control"] == "no-store"
    sanjays = await street.browser("sanjay-wood")
    assert (await sanjays.get(f"/homes/{HOME}")).status_code == 200
    by = await street.sql("SELECT DISTINCT by FROM change_record")
    assert by == [(CONTROL.person,)]


async def test_the_secret_of_a_hub_is_given_once(street: Street, operator: httpx.AsyncClient) -> None:
    """Whoever presses the button twice gets no second file of the same hub, and no page ever shows the secret."""
    first = await operator.post(f"/operator/homes/{MARGARETS}/setup/hub", data={"hub": "hub-1"})
    second = await operator.post(f"/operator/homes/{MARGARETS}/setup/hub", data={"hub": "hub-1"})

    assert (first.status_code, second.status_code) == (200, 422)
    assert wrong_in(second.text) == [
        f"There is a hub hub-1 already, and it speaks for {MARGARETS}; revoke it or choose another name."
    ]
    assert tomllib.loads(first.text)["hub"]["secret"] not in second.text

    page = await sent(operator, f"/operator/homes/{MARGARETS}/setup/hub-gone", hub="hub-1")
    assert "turned away since" in page


async def test_what_carries_a_hubs_line_is_written_and_kept(street: Street, operator: httpx.AsyncClient) -> None:
    """Hubs on one network fall silent together: which those are, only whoever installs them knows."""
    here = f"/operator/homes/{MARGARETS}/setup"
    wrong = await operator.post(f"{here}/hub", data={"hub": "hub-1", "network": "Mobile A"})
    assert wrong_in(wrong.text) == ["'Mobile A' is not lower case letters, digits and hyphens, at most 32."]

    await operator.post(f"{here}/hub", data={"hub": "hub-1", "network": "mobile-a"})
    assert "on network mobile-a" in (await operator.get(here)).text
    await sent(operator, f"{here}/hub-gone", hub="hub-1")
    await operator.post(f"{here}/hub", data={"hub": "hub-1", "network": ""})
    assert await street.sql("SELECT network FROM hub WHERE hub = 'hub-1'") == [("mobile-a",)], "a new secret, no news"

    async with await AsyncConnection.connect(street.dsn, autocommit=True) as conn:
        await hubs.set_network(conn, "hub-1", None, by="office", now=NINE)
        assert await street.sql("SELECT network FROM hub WHERE hub = 'hub-1'") == [(None,)]
        with pytest.raises(Mistakes, match="There is no hub hub-2"):
            await hubs.set_network(conn, "hub-2", "mobile-a", by="office", now=NINE)


async def test_a_form_comes_back_as_it_was_written_with_a_sentence_at_each_field(operator: httpx.AsyncClient) -> None:
    """Nobody types a page of a form twice because of one digit."""
    wrote = {"name": "Sanjay Wood", "phone": "0770", "email": "sanjay", "person": "Sanjay"}

    answer = await operator.post("/operator/people", data=wrote)

    assert answer.status_code == 422
    assert wrong_in(answer.text) == [
        "'0770' is not a phone number.",
        "'sanjay' is not an e-mail address.",
        "'Sanjay' is not lower case letters, digits and hyphens, at most 32.",
    ]
    assert 'value="Sanjay Wood"' in answer.text
    assert 'aria-describedby="add-phone-w add-phone-h"' in answer.text


async def test_whoever_looks_can_be_let_in_and_a_resident_need_not_be(operator: httpx.AsyncClient) -> None:
    """A page that was given to somebody who cannot sign in is a promise that nobody keeps."""
    family = await operator.post("/operator/people", data={"name": "Nina Reid", "kinds": "family contact"})
    resident = await operator.post("/operator/people", data={"name": "Margaret Reid", "kinds": "resident"})
    given = await operator.post(
        f"/operator/homes/{MARGARETS}/setup/sight", data={"person": "margaret-reid", "views": "family", **YES}
    )
    mailed = {"name": "Nina Reid", "kinds": "family contact", "email": "nina@care.example"}

    assert wrong_in(family.text) == ["Is needed, or an e-mail address: nobody signs in without either."]
    assert resident.status_code == 303
    assert wrong_in(given.text) == ["Margaret Reid has neither a phone nor an e-mail address, and so cannot sign in."]
    assert (await operator.post("/operator/people", data=mailed)).status_code == 303


SLIPS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("sensor", {"sensor": "x", "kind": "motion", "room": "attic"}, "There is no room 'attic' in shore-road-14"),
    ("sensor", {"sensor": "a b", "kind": "motion"}, "'a b' is no sensor's name"),
    ("told", {"told": "nobody"}, "There is no person 'nobody'"),
    ("told", {"told": ""}, "Would be empty: outside shifts nobody but the operator would be told"),
    ("shift", {"person": "jim", "days": "every day", "begins": "8", "ends": "20:00"}, "'8' is not a time of day"),
    ("care", {**YES, "until": "2020-01-01"}, "Is over already"),
    ("resident", {"name": "", "first_name": "M"}, "Is needed"),
)


async def test_a_slip_in_a_part_of_a_home_has_a_sentence(operator: httpx.AsyncClient) -> None:
    """At the field where it stands; and nothing was changed."""
    for part, fields, said in SLIPS:
        answer = await operator.post(f"/operator/homes/{MARGARETS}/setup/{part}", data=fields)

        assert answer.status_code == 422, part
        assert [line for line in wrong_in(answer.text) if line.startswith(said)], part
        assert "Nothing was changed." in answer.text


@pytest.mark.parametrize("person", [ANNE.person, JIM.person, None])
async def test_whoever_is_no_operator_finds_none_of_it(street: Street, person: str | None) -> None:
    """Every address under /operator, read or written: a carer gets the page of an address that does not exist."""
    browser = street.stranger() if person is None else await street.browser(person)
    walked = 0

    for path, methods in street.app.openapi()["paths"].items():
        if not path.startswith("/operator"):
            continue
        for method in methods:
            address = re.sub(r"{\w+}", MARGARETS, path)
            answer = await browser.request(method.upper(), address, data={} if method == "post" else None)
            walked += 1
            expected = 303 if person is None else 404
            assert answer.status_code == expected, (method, address)
            assert person is not None or answer.headers["location"] == "/log-in"

    assert walked >= 15
    assert await street.sql("SELECT count(*) FROM change_record") == [(0,)]


async def test_an_odd_address_is_simply_not_there(operator: httpx.AsyncClient) -> None:
    """Whatever is typed ends in the same page, not in a mistake of ours."""
    for odd in ("no-such-home", "%00", "a%00b", "x" * 400, "%F0%9F%92%A9"):
        seen = {
            (await operator.get(f"/operator/homes/{odd}/setup")).status_code,
            (await operator.get(f"/operator/people/{odd}")).status_code,
            (await operator.post(f"/operator/homes/{odd}/setup/rooms", data={"rooms": "hall"})).status_code,
            (await operator.post(f"/operator/homes/{MARGARETS}/setup/{odd}", data={"rooms": "hall"})).status_code,
        }

        assert seen == {404}, odd


async def test_an_operators_look_at_a_setup_is_on_record(street: Street, operator: httpx.AsyncClient) -> None:
    """The resident can read that somebody looked at who may see what."""
    await operator.get(f"/operator/homes/{MARGARETS}/setup")

    assert await street.sql("SELECT viewer, view FROM access_record") == [(CONTROL.person, "set-up")]


async def test_a_withdrawn_consent_is_over_and_its_rest_is_shown(street: Street, operator: httpx.AsyncClient) -> None:
    """One press ends Anne's view, and the page says that she is still texted."""
    ((consent,),) = await street.sql("SELECT consent FROM consent WHERE person = 'anne' AND view = 'carer'")

    page = await sent(operator, f"/operator/homes/{MARGARETS}/setup/withdraw", consent=str(consent))

    assert "Anne Reid is told of alarms here, and may not see the carer&#39;s page." in page
    assert "shore-road-14" in (await operator.get("/operator/people/anne")).text


async def test_a_consent_or_shift_of_another_home_is_not_reached_through_this_one(
    street: Street, operator: httpx.AsyncClient
) -> None:
    """A number is no key: it counts only with its own home, so that the record of the act is the right one."""
    ((consent,),) = await street.sql("SELECT consent FROM consent WHERE home = %s AND person = 'morag'", GEORGES)

    answer = await operator.post(f"/operator/homes/{MARGARETS}/setup/withdraw", data={"consent": str(consent)})

    assert answer.status_code == 422
    assert await street.sql("SELECT withdrawn_at FROM consent WHERE consent = %s", consent) == [(None,)]


async def test_only_who_is_told_now_counts_as_somebody_else(street: Street, operator: httpx.AsyncClient) -> None:
    """A shift that ended in January, or begins next year, tells nobody tonight; ninety homes fit into one box."""
    many = [f"a-home-with-a-rather-long-nam-{number:02d}" for number in range(90)]
    await street.sql("INSERT INTO home (home, lane, added_at) SELECT unnest(%s::text[]), 0, %s", many, NINE)
    await street.sql("INSERT INTO telling_step (home, position, person) SELECT unnest(%s::text[]), 1, 'morag'", many)
    for valid_from, valid_until in (("2026-01-01", "2026-01-31"), ("2027-01-01", None)):
        await street.sql(
            "INSERT INTO rota_shift (home, person, place, weekdays, begins, ends, valid_from, valid_until, made_at) "
            "VALUES (%s, 'jim', 1, '{0,1,2,3,4,5,6}', '00:00', '12:00', %s, %s, %s)",
            *(many[0], valid_from, valid_until, NINE),
        )

    page = (await operator.get("/operator/people/morag")).text

    assert f"told at every hour in {many[0]}, " in page
    assert re.search(r" and \d+ more\.", page)
    left = await operator.post("/operator/people/morag/leave", data={"sure": "yes", "alone": box_in(page)})
    assert left.status_code == 303, wrong_in(left.text)


async def test_leaving_says_what_it_means_and_passes_on_what_they_held(
    street: Street, operator: httpx.AsyncClient
) -> None:
    """Morag is the only one who is told about George, and she has said "mine"."""
    page = (await operator.get("/operator/people/morag")).text
    assert f"Then nobody but the operator would be told at every hour in {GEORGES}." in page
    alert = await street.pendant_pressed(GEORGES)
    await street.sql(
        "INSERT INTO acknowledgement (alert, person, at, how) VALUES (%s, 'morag', %s, 'text')", alert, NINE
    )
    await street.sql("UPDATE alert SET state = 'acknowledged' WHERE alert = %s", alert)
    unsure = await operator.post("/operator/people/morag/leave", data={})
    assert (unsure.status_code, wrong_in(unsure.text)) == (
        422,
        ["Say so, or write first who is told there instead.", "Say that you have read what it means."],
    )
    alone = await operator.post("/operator/people/morag/leave", data={"sure": "yes"})
    assert (alone.status_code, wrong_in(alone.text)) == (422, ["Say so, or write first who is told there instead."])

    street.set_clock(NINE + timedelta(minutes=10))
    await sent(operator, "/operator/people/morag/leave", sure="yes", alone=box_in(page))

    told = await street.sql("SELECT person FROM notification WHERE alert = %s ORDER BY notification", alert)
    assert told[-1] == (CONTROL.person,)
    assert (await operator.get("/operator/people/morag")).text.count("Left 09:24") == 1


async def test_the_only_one_in_a_homes_shifts_is_the_only_one_who_is_told(
    street: Street, operator: httpx.AsyncClient
) -> None:
    """Jim has every shift there and nobody is told besides: when he goes, a pressed pendant has nobody."""
    await sent(operator, f"/operator/homes/{GEORGES}/setup/told", told="", sure="yes")
    await sent(
        operator, f"/operator/homes/{GEORGES}/setup/shift", person="jim", begins="08:00", ends="08:00", place="1"
    )

    page = (await operator.get("/operator/people/jim")).text
    answer = await operator.post("/operator/people/jim/leave", data={"sure": "yes"})

    assert f"Nobody else is to be told there: {GEORGES}" in page
    assert (answer.status_code, wrong_in(answer.text)) == (422, ["Say so, or write first who is told there instead."])


async def test_whoever_will_be_texted_and_may_not_look_is_named(street: Street, operator: httpx.AsyncClient) -> None:
    """A text in the night with no page behind it: on a shift, in a team, or for somebody who cannot."""
    setup = f"/operator/homes/{GEORGES}/setup"
    await sent(operator, f"{setup}/sight", **YES, person="morag", views="carer")
    clean = (await operator.get(setup)).text
    hours = {"begins": "20:00", "ends": "08:00", "place": "1", "valid_from": "2026-06-01"}
    await sent(operator, f"{setup}/shift", **hours, person="jim", days="sat, sun")
    await sent(operator, f"{setup}/shift", **hours, person="anne", days="mon-fri", valid_until="2026-06-01")
    async with street.connection() as conn:
        for weeks, instead in ((1, "jim"), (6, "anne")):
            begins = NINE + timedelta(weeks=weeks)
            override = Override("morag", instead, begins, begins + timedelta(days=2))
            await rotas.add_override(conn, override, home=GEORGES, now=NINE)
        ((consent,),) = await street.sql("SELECT consent FROM consent WHERE person = 'jim' AND view = 'carer'")
        told = await told_soon(conn, GEORGES, now=NINE)
        left = await agreed.withdraw(conn, consent, by="test", now=NINE)
    page = (await operator.get(setup)).text

    assert "Nothing is left to set up." not in clean
    assert "is told of alarms here" not in clean
    assert [(one.person, one.how, one.may_see) for one in told] == [
        ("morag", "", True),
        ("jim", " on a shift", False),
    ]
    assert "Jim Docherty is told of alarms here on a shift, and may not see the carer&#39;s page." in page
    assert "Anne Reid is told" not in page, "her shift is over, and she stands in only in six weeks"
    assert left == ["Jim Docherty is still told of alarms in shore-road-14: take them off the told-order if need be."]
    await street.sql("UPDATE rota_shift SET removed_at = %s", NINE)
    assert (
        "Jim Docherty is told of alarms here from Tuesday 23 June 2026 on, standing in, and may not see "
        "the carer&#39;s page." in (await operator.get(setup)).text
    )


async def test_a_consent_taken_back_names_the_shift_that_still_tells(street: Street) -> None:
    """Whoever took back Jim's sight of a home must hear which shift still texts him."""
    await street.give(JIM.person, GEORGES, "carer")
    async with street.connection() as conn:
        fields = {"home": GEORGES, "person": "jim", "begins": "20:00", "ends": "08:00"}
        await duty.add_shift(conn, fields, by="test", now=NINE)
        ((consent,),) = await street.sql(
            "SELECT consent FROM consent WHERE person = 'jim' AND home = %s AND view = 'carer'", GEORGES
        )

        said = await agreed.withdraw(conn, consent, by="test", now=NINE)

    assert said == [f"Jim Docherty is still told of alarms in {GEORGES} on a shift: take their shift away if need be."]


async def test_the_way_to_another_home_is_on_the_operators_first_page(operator: httpx.AsyncClient) -> None:
    """Nobody guesses an address."""
    page = (await operator.get("/operator")).text

    assert 'href="/operator/homes/new"' in page
    assert (await operator.get("/operator/homes/new")).status_code == 200


async def test_whose_phone_gets_the_rest_cannot_leave(operator: httpx.AsyncClient) -> None:
    """Promise P3 ends with this phone."""
    answer = await operator.post("/operator/people/control/leave", data={"sure": "yes"})

    assert answer.status_code == 422
    assert "gets what nobody else can be told; let somebody else get it first." in answer.text


# -- a carer's own rota


async def test_a_carer_sees_when_they_are_on(street: Street) -> None:
    """Am I on tonight? is asked on a phone, between two other things."""
    page = (await (await street.browser(JIM.person)).get("/rota")).text

    assert "Jim, you are on duty until 00:00 on Tuesday 23 June for Margaret Reid, second, after Anne Reid." in page
    assert "George" not in page


async def test_a_carer_who_cannot_is_replaced_and_may_take_it_back(street: Street) -> None:
    """Written down by the carer at once, and not remembered by somebody in an office."""
    jims = await street.browser(JIM.person)

    page = await sent(jims, "/rota/cannot", since="2026-06-16T09:00", until="2026-06-16T18:00", instead="anne")
    assert "You cannot from 09:00 until 18:00." in page
    assert "Anne Reid stands in." in page
    assert "on duty from 18:00" in page

    ((override,),) = await street.sql("SELECT override FROM rota_override")
    assert "You cannot" not in await sent(jims, "/rota/can-again", override=str(override))


async def test_a_colleague_takes_what_nobody_took(street: Street) -> None:
    """The offer stands on the pages of those who share a home, and the first one who presses has it."""
    override = Override("anne", None, NINE, NINE + timedelta(hours=9))
    async with street.connection() as conn:
        number = await rotas.add_override(conn, override, now=NINE)
    jims, morags = await street.browser(JIM.person), await street.browser("morag")
    assert "Anne Reid cannot, and nobody stands in." in (await jims.get("/rota")).text
    assert "Anne Reid cannot" not in (await morags.get("/rota")).text

    refused = await morags.post("/rota/take", data={"override": str(number)})
    await sent(jims, "/rota/take", override=str(number))

    assert refused.status_code == 422
    assert await street.sql("SELECT person, instead FROM rota_override WHERE removed_at IS NULL") == [("anne", "jim")]
    again = await jims.post("/rota/take", data={"override": str(number)})
    assert "That is no longer open" in again.text


async def test_a_carer_cannot_put_a_stranger_on_duty(street: Street) -> None:
    """Only somebody who is on the rota there anyway; the rest is an operator's to decide."""
    jims = await street.browser(JIM.person)

    for instead in ("morag", "control", "nobody"):
        asked = {"since": "2026-06-16T09:00", "until": "2026-06-16T18:00", "instead": instead}
        assert (await jims.post("/rota/cannot", data=asked)).status_code == 422, instead

    assert await street.sql("SELECT count(*) FROM rota_override") == [(0,)]


async def test_one_carer_cannot_take_back_anothers_change(street: Street) -> None:
    """The number of a row is no key."""
    async with street.connection() as conn:
        number = await rotas.add_override(conn, Override("anne", None, NINE, NINE + timedelta(hours=1)), now=NINE)

    answer = await (await street.browser("morag")).post("/rota/can-again", data={"override": str(number)})

    assert answer.status_code == 422
    assert await street.sql("SELECT removed_at FROM rota_override") == [(None,)]
