"""Can an operator, who is told when nobody else is, see to the alert of every home, and does the resident read it?"""

import pytest

from api.v1.tokens import Scope
from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, MORAG, NINE, Street

V1 = "/api/v1"


@pytest.fixture
async def ungiven(quiet_street: Street) -> Street:
    """Give a street whose operator was given no home, and where nobody can be texted."""
    for home in (MARGARETS, GEORGES):
        await quiet_street.give(CONTROL.person, home)
        await quiet_street.home_is("watched", home)
    return quiet_street


def _at(alert: int, what: str = "", home: str = MARGARETS) -> str:
    return f"/homes/{home}/alerts/{alert}{f'/{what}' if what else ''}"


async def test_what_nobody_took_is_taken_and_ended_by_the_operator(ungiven: Street) -> None:
    """Everybody was asked in vain: if the operator cannot say "mine" either, nobody can."""
    alert = await ungiven.pendant_pressed()
    browser = await ungiven.browser(CONTROL.person)

    first = (await browser.get("/operator")).text
    of_home = (await browser.get(f"/operator/homes/{MARGARETS}")).text
    before = (await browser.get(_at(alert))).text
    taken = await browser.post(_at(alert, "mine"))
    mine = (await browser.get(_at(alert))).text
    ended = await browser.post(_at(alert, "outcome"), data={"outcome": "all well"})
    after = (await browser.get(_at(alert))).text

    assert f'href="{_at(alert)}"' in first
    assert f'href="{_at(alert)}"' in of_home
    assert f'action="{_at(alert, "mine")}"' in before
    assert "14 Shore Road" in before
    assert (taken.status_code, ended.status_code) == (303, 303)
    assert "Yours since 09:14" in mine
    assert "Closed" in after
    assert await ungiven.sql("SELECT state, closed_by FROM alert") == [("closed", "control")]


async def test_each_such_look_is_on_the_residents_record(ungiven: Street) -> None:
    """An operator may look everywhere, and nowhere unseen."""
    alert = await ungiven.pendant_pressed()

    await (await ungiven.browser(CONTROL.person)).get(_at(alert))

    assert await ungiven.sql("SELECT viewer, home, view, quarter FROM access_record") == [
        ("control", MARGARETS, "alert", NINE.replace(minute=0))
    ]


async def test_the_list_of_alerts_and_the_list_of_homes_agree(ungiven: Street) -> None:
    """One page said that nobody comes, and the other that no alert is open."""
    alerts = [await ungiven.pendant_pressed(), await ungiven.pendant_pressed(GEORGES)]
    fault = await ungiven.hub_silent()
    browser = await ungiven.browser(CONTROL.person)

    listed, homes = (await browser.get("/carer")).text, (await browser.get("/operator")).text

    assert "<title>2 open: alerts</title>" in listed
    assert "Alerts open 2" in homes
    assert "No alert is open" not in listed
    for alert, home in zip([*alerts, fault], (MARGARETS, GEORGES, MARGARETS), strict=True):
        assert f'href="{_at(alert, home=home)}"' in listed
    assert await ungiven.sql("SELECT home FROM access_record WHERE view = 'open alerts' ORDER BY home") == [
        (GEORGES,),
        (MARGARETS,),
    ]


async def test_where_nothing_is_open_the_operators_list_says_so_of_every_home(ungiven: Street) -> None:
    """That no alert is open in the homes that somebody was not given says nothing."""
    page = (await (await ungiven.browser(CONTROL.person)).get("/carer")).text

    assert "No alert is open" in page
    assert "In any home." in page
    assert "You have not been given any home" not in page


async def test_a_home_that_there_is_none_of_or_not_any_more_stays_hidden(ungiven: Street) -> None:
    """An operator sees every home, and none that was erased."""
    alert = await ungiven.pendant_pressed()
    browser = await ungiven.browser(CONTROL.person)

    assert (await browser.get(_at(alert, home="no-such-home"))).status_code == 404
    assert (await browser.get(_at(alert, home=GEORGES))).status_code == 404
    await ungiven.sql("UPDATE home SET erased_at = %s WHERE home = %s", ungiven.now, MARGARETS)
    assert (await browser.get(_at(alert))).status_code == 404
    assert (await browser.post(_at(alert, "mine"))).status_code == 404


async def test_nobody_else_gained_anything(ungiven: Street) -> None:
    """What an operator may, a relative of another home and a family contact who is no carer may not."""
    alert, georges = await ungiven.pendant_pressed(), await ungiven.pendant_pressed(GEORGES)

    answers = [
        (await (await ungiven.browser(MORAG.person)).get(_at(alert))).status_code,
        (await (await ungiven.browser(MORAG.person)).post(_at(georges, "mine", GEORGES))).status_code,
        (await (await ungiven.browser(JIM.person)).get(_at(georges, home=GEORGES))).status_code,
        (await (await ungiven.browser(ANNE.person)).post(_at(georges, "outcome", GEORGES))).status_code,
    ]

    assert answers == [404, 404, 404, 404]


async def test_an_operators_program_may_do_the_same_within_its_homes(ungiven: Street) -> None:
    """A call handler's own screen is a program: it must not be told that there is no such alert."""
    alert, georges = await ungiven.pendant_pressed(), await ungiven.pendant_pressed(GEORGES)
    program = await ungiven.program(CONTROL.person, Scope.ALERTS_READ, Scope.ALERTS_ANSWER, homes=[MARGARETS])

    taken = await program.post(f"{V1}{_at(alert, 'mine')}")
    ended = await program.post(f"{V1}{_at(alert, 'outcome')}", json={"outcome": "all well"})
    outside = await program.post(f"{V1}{_at(georges, 'mine', GEORGES)}")

    assert (taken.status_code, taken.json()["state"]) == (200, "acknowledged")
    assert (ended.status_code, ended.json()["state"]) == (200, "closed")
    assert outside.status_code == 404
    assert ("control", MARGARETS) in await ungiven.sql("SELECT viewer, home FROM access_record")


async def test_what_is_ones_own_stays_on_the_list_however_much_is_open_elsewhere(ungiven: Street) -> None:
    """A storm, and the one alert that this operator has said "mine" to is pushed off the page by fifty others."""
    await ungiven.give(CONTROL.person, MARGARETS, "carer")
    own = await ungiven.pendant_pressed()
    browser = await ungiven.browser(CONTROL.person)
    await browser.post(_at(own, "mine"))
    await ungiven.sql(
        "INSERT INTO alert (home, question, subject, episode, is_fault, for_operator, since, at, raised_at, why, "
        "state) SELECT %s, 'still', one::text, one::text, false, false, %s, %s, %s, '{}', 'open' "
        "FROM generate_series(1, 60) one",
        *(GEORGES, NINE, NINE, NINE),
    )

    page = (await browser.get("/carer")).text

    assert page.count(f"/homes/{MARGARETS}/alerts/{own}") >= 1
    assert page.count(f'href="/homes/{GEORGES}/alerts/') >= 50
