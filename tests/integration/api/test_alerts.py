"""Can a carer see, take and end an alert, whatever is pressed and how often?"""

from datetime import timedelta

import pytest

from alerts.store import thresholds
from alerts.store.versions import Scope, Width
from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, MORAG, NINE, Street


def _at(alert: int, what: str = "") -> str:
    return f"/homes/{MARGARETS}/alerts/{alert}{f'/{what}' if what else ''}"


async def test_an_open_alert_says_who_where_since_when_and_what_was_seen(street: Street) -> None:
    """That is what somebody who is woken needs, with Mine under it."""
    await street.home_is("watched")
    alert = await street.still(since=NINE - timedelta(hours=3, minutes=40))

    page = (await (await street.browser(JIM.person)).get("/carer")).text

    assert "Margaret Reid has not been seen to move since 05:34." in page
    assert "Last seen in the bedroom." in page
    assert "14 Shore Road, flat 2, Kilbrae" in page
    assert f'action="{_at(alert, "mine")}"' in page


async def test_mine_is_said_once_however_often_it_is_pressed(street: Street) -> None:
    """A thumb on a bad line presses twice; the second press must do no harm."""
    alert = await street.pendant_pressed()
    browser = await street.browser(JIM.person)

    answers = [await browser.post(_at(alert, "mine")) for _ in range(3)]
    page = (await browser.get(_at(alert))).text

    assert [(one.status_code, one.headers["location"]) for one in answers] == [(303, _at(alert))] * 3
    assert "Yours since 09:14" in page
    assert (await street.sql("SELECT person, how FROM acknowledgement")) == [("jim", "page")]


async def test_who_has_it_can_say_that_it_is_still_theirs_when_it_is_pressed_again(street: Street) -> None:
    """The next person is told otherwise, and the page must offer what the text does."""
    alert = await street.pendant_pressed()
    browser = await street.browser(JIM.person)
    await browser.post(_at(alert, "mine"))
    street.set_clock(NINE + timedelta(hours=2))
    await street.pendant_pressed()

    before = (await browser.get(_at(alert))).text
    await browser.post(_at(alert, "mine"))
    after = (await browser.get(_at(alert))).text

    assert "Pressed again; Jim Docherty was told at 11:14 and has not answered that yet." in before
    assert "Still mine" in before
    assert "Still mine" not in after
    assert "Yours since 11:14" in after


async def test_help_can_be_called_from_an_alert_that_somebody_closed(street: Street) -> None:
    """What was closed by mistake is opened again by whoever stands there, from the page as by text."""
    alert = await street.pendant_pressed()
    await (await street.browser(ANNE.person)).post(_at(alert, "outcome"), data={"outcome": "false alarm"})
    browser = await street.browser(JIM.person)

    offered = (await browser.get(_at(alert))).text
    answer = await browser.post(_at(alert, "help"))
    page = (await browser.get(answer.headers["location"])).text

    assert "Not over after all?" in offered
    assert answer.headers["location"] == _at(alert + 1)
    assert "More help was asked for at Margaret Reid" in page
    assert "It was closed as “false alarm” at 09:14, and it still held. So it is open again." in page
    assert (await street.sql("SELECT person FROM notification WHERE purpose = 'help'")) == [("anne",), ("control",)]


async def test_someone_elses_alert_says_so_plainly(street: Street) -> None:
    """Two people who press at once must not both think that the other, or they themselves, go."""
    alert = await street.pendant_pressed()
    await (await street.browser(ANNE.person)).post(_at(alert, "mine"))
    browser = await street.browser(JIM.person)

    answer = await browser.post(_at(alert, "mine"))
    page = (await browser.get(answer.headers["location"])).text

    assert "Anne Reid said “mine” at 09:14. It is not yours." in page
    assert "Yours since 0" not in page
    assert _at(alert, "mine") not in page


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("all well", "all well"),
        ("help given", "help given"),
        ("ambulance", "ambulance called"),
        ("false alarm", "false alarm"),
        ("test", "a test"),
    ],
)
async def test_an_outcome_closes_the_alert_and_tells_everyone(street: Street, outcome: str, said: str) -> None:
    """It ends with a person who knows, and those who were told hear of it."""
    alert = await street.pendant_pressed()
    await street.text_ended(ANNE.person, "delivered")
    browser = await street.browser(JIM.person)
    await browser.post(_at(alert, "mine"))

    await browser.post(_at(alert, "outcome"), data={"outcome": outcome, "word": "On the sofa."})
    page = (await browser.get(_at(alert))).text

    assert f"Closed 09:14: {said}" in page
    assert "“On the sofa.”" in page
    assert (await street.sql("SELECT person FROM notification WHERE purpose = 'outcome'")) == [("anne",)]


async def test_could_not_find_out_keeps_it_open_and_goes_to_the_next_person(street: Street) -> None:
    """Nobody opened the door is not an ending."""
    alert = await street.pendant_pressed()
    browser = await street.browser(ANNE.person)
    await browser.post(_at(alert, "mine"))

    await browser.post(_at(alert, "outcome"), data={"outcome": "could not find out"})

    assert (await street.sql("SELECT state FROM alert")) == [("open",)]
    asked = await street.sql("SELECT person FROM notification WHERE purpose = 'alert' ORDER BY notification")
    assert asked == [("anne",), ("jim",)]
    assert "could not find out" in (await browser.get(_at(alert))).text


async def test_who_cannot_go_passes_it_on_at_once(street: Street) -> None:
    """Five minutes of waiting for somebody who has already said no are five minutes lost."""
    alert = await street.pendant_pressed()

    await (await street.browser(ANNE.person)).post(_at(alert, "cannot"))

    asked = await street.sql("SELECT person FROM notification WHERE purpose = 'alert' ORDER BY notification")
    assert asked == [("anne",), ("jim",)]


async def test_who_needs_help_calls_everybody_else(street: Street) -> None:
    """A person on the floor may need two to lift."""
    alert = await street.pendant_pressed()
    browser = await street.browser(JIM.person)
    await browser.post(_at(alert, "mine"))

    await browser.post(_at(alert, "help"))

    asked = await street.sql("SELECT person FROM notification WHERE purpose = 'help' ORDER BY person")
    assert asked == [("anne",), ("control",)]


async def test_a_second_outcome_changes_nothing(street: Street) -> None:
    """An old page with a wrong button must not rewrite how it ended."""
    alert = await street.pendant_pressed()
    browser = await street.browser(JIM.person)
    await browser.post(_at(alert, "outcome"), data={"outcome": "help given"})

    late = await browser.post(_at(alert, "outcome"), data={"outcome": "false alarm"})

    assert late.status_code == 303
    assert (await street.sql("SELECT outcome FROM alert")) == [("help given",)]


@pytest.mark.parametrize("outcome", ["", "mended", "nonsense", "all well\0"])
async def test_an_outcome_that_was_not_offered_is_not_taken(street: Street, outcome: str) -> None:
    """Only a fault can be mended; nothing else may close what nobody looked at."""
    alert = await street.pendant_pressed()

    answer = await (await street.browser(JIM.person)).post(_at(alert, "outcome"), data={"outcome": outcome})

    assert answer.status_code == 422
    assert (await street.sql("SELECT state FROM alert")) == [("open",)]


async def test_a_text_that_did_not_arrive_stands_where_it_happened(street: Street) -> None:
    """A failure is a step in the story, in words, with what the network said."""
    alert = await street.pendant_pressed()
    await street.text_ended(ANNE.person, "undelivered", "30003")

    page = (await (await street.browser(ANNE.person)).get(_at(alert))).text

    assert "Text to you did not arrive: the phone could not be reached." in page


async def test_a_late_press_says_when_it_reached_us(street: Street) -> None:
    """Pressed at 06:14 and known at 09:14 is another story than pressed just now."""
    alert = await street.pendant_pressed(late=timedelta(hours=3))

    page = (await (await street.browser(JIM.person)).get(_at(alert))).text

    assert "Margaret Reid\u2019s pendant was pressed at 06:14." in page
    assert "It reached us only at 09:14." in page


async def test_faults_stand_apart_from_people(street: Street) -> None:
    """A silent box is not a person on the floor, and must not look like one."""
    await street.hub_silent()

    page = (await (await street.browser(CONTROL.person)).get("/carer")).text

    assert "No alert is open" in page
    assert page.index("Equipment that needs someone") > page.index("No alert is open")
    assert "Margaret Reid\u2019s home has not reported since 09:14." in page


async def test_a_fault_may_be_mended(street: Street) -> None:
    """Somebody put the plug back."""
    alert = await street.hub_silent()

    await (await street.browser(CONTROL.person)).post(_at(alert, "outcome"), data={"outcome": "mended"})

    assert (await street.sql("SELECT state, outcome FROM alert")) == [("closed", "mended")]


async def test_no_open_alert_is_not_said_of_a_home_that_we_cannot_see(street: Street) -> None:
    """No news is not good news: the list of homes says which of them we see."""
    await street.home_is("watched")
    await street.home_is("blind", GEORGES, why=["hub"], since=NINE - timedelta(hours=2))

    page = (await (await street.browser(CONTROL.person)).get("/carer")).text

    assert "That counts only for those that we can see" in page
    assert "We cannot see" in page
    assert "since 07:14" in page


async def test_without_twilio_every_carers_page_says_that_nobody_can_be_texted(quiet_street: Street) -> None:
    """Who thinks that a text would come, and it cannot, is worse off than without us."""
    alert = await quiet_street.pendant_pressed()
    await quiet_street.home_is("watched")
    browser = await quiet_street.browser(ANNE.person)

    pages = [(await browser.get(path)).text for path in ("/carer", _at(alert), f"/homes/{MARGARETS}")]

    assert all("Nobody can be texted." in page for page in pages)
    assert "We text" not in pages[2]


async def test_nobody_left_is_said_on_the_page(street: Street) -> None:
    """Everybody was asked and nobody goes: whoever looks must read that first."""
    alert = await street.pendant_pressed()
    await street.sql("UPDATE alert SET nobody_left_at = %s", street.now)

    page = (await (await street.browser(JIM.person)).get(_at(alert))).text

    assert "There is nobody left to tell, and nobody has said “mine”." in page


async def test_what_to_know_is_shown_to_the_one_who_goes(street: Street) -> None:
    """Where the key is and that there is a dog is for whoever goes there, not for every page."""
    alert = await street.pendant_pressed()
    browser = await street.browser(JIM.person)
    before = (await browser.get(_at(alert))).text
    await browser.post(_at(alert, "mine"))

    after = (await browser.get(_at(alert))).text

    assert "Small dog" not in before
    assert "Hard of hearing on the left. Small dog." in after


@pytest.mark.parametrize("word", ["<script>alert(1)</script>", "a\0b", "é😀" * 200, '"><img src=x onerror=alert(1)>'])
async def test_what_people_write_stays_words(street: Street, word: str) -> None:
    """A word for the others is shown to the others, as a word."""
    alert = await street.pendant_pressed()
    browser = await street.browser(JIM.person)

    answer = await browser.post(_at(alert, "outcome"), data={"outcome": "all well", "word": word})
    page = (await browser.get(_at(alert))).text

    assert answer.status_code == 303
    assert "<script>alert" not in page
    assert "<img" not in page


async def test_an_operator_sees_boxes_without_a_home(street: Street) -> None:
    """An alarm of a hub that nobody assigned still goes somewhere."""
    await street.hub_silent()
    await street.sql("UPDATE alert SET home = NULL, hub = 'hub-in-a-cupboard'")

    seen = (await (await street.browser(CONTROL.person)).get("/carer")).text
    not_seen = (await (await street.browser(JIM.person)).get("/carer")).text

    assert "hub-in-a-cupboard" in seen
    assert "hub-in-a-cupboard" not in not_seen


async def test_family_reads_the_story_of_an_open_alert(street: Street) -> None:
    """A relative far away wants to know who goes, not to be told that something is wrong."""
    alert = await street.pendant_pressed(GEORGES)
    await street.home_is("watched", GEORGES)
    await (await street.browser(CONTROL.person)).post(f"/homes/{GEORGES}/alerts/{alert}/mine")

    page = (await (await street.browser(MORAG.person)).get(f"/homes/{GEORGES}")).text

    assert "Alert open since 09:14" in page
    assert "Kilbrae alarm centre has said “mine”." in page
    assert "We do not ask while an alert is open." in page
    assert "Ring Kilbrae alarm centre" in page


async def test_a_carer_of_many_homes_sees_open_alerts_first_and_the_homes_a_page_at_a_time(street: Street) -> None:
    """A warden of a hundred homes must not scroll past ninety-nine to the one that calls."""
    await street.sql(
        "INSERT INTO home (home, lane, added_at) SELECT 'kb-' || lpad(n::text, 3, '0'), 0, %s "
        "FROM generate_series(1, 70) n",
        NINE,
    )
    await street.sql(
        "INSERT INTO access_grant (person, home, view, given_at, given_by) "
        "SELECT 'jim', home, 'carer', %s, 'test' FROM home WHERE home LIKE 'kb-%%'",
        NINE,
    )
    await street.sql(
        "INSERT INTO consent (home, what, person, view, basis, said_by, why, since, until, written_at, written_by) "
        "SELECT home, 'data', person, view, 'resident', 'A', 'to know', given_at, given_at + interval '1 day', "
        "given_at, 'test' FROM access_grant WHERE home LIKE 'kb-%%'"
    )
    await street.pendant_pressed("kb-070")
    browser = await street.browser(JIM.person)

    first, second = (await browser.get("/carer")).text, (await browser.get("/carer?page=2")).text

    assert first.index("pendant was pressed") < first.index("Homes you care for")
    assert "pendant was pressed" in second
    assert (first.count('<span class="tag blind">'), second.count('<span class="tag blind">')) == (50, 21)
    assert "71 homes in all" in first
    assert await street.sql("SELECT count(DISTINCT home) FROM access_record WHERE view = 'open alerts'") == [(71,)]


async def test_every_story_of_a_home_is_listed(street: Street) -> None:
    """A son who was away for a month reads what happened, and how each ended."""
    alert = await street.pendant_pressed()
    await (await street.browser(JIM.person)).post(
        f"/homes/{MARGARETS}/alerts/{alert}/outcome", data={"outcome": "help given"}
    )
    open_ = await street.still(since=NINE - timedelta(hours=4))

    page = (await (await street.browser(ANNE.person)).get(f"/homes/{MARGARETS}/alerts")).text

    assert "Help given, closed by Jim Docherty at 09:14." in page
    assert "Nobody has said “mine” yet." in page
    assert page.index(f"/alerts/{open_}") < page.index(f"/alerts/{alert}")


async def test_an_alert_names_the_version_that_raised_it_and_shows_it_to_who_may_change_it(street: Street) -> None:
    """Whoever is called out at night learns whose decision that was; who tunes it finds it with one tap."""
    async with street.connection() as conn:
        change = thresholds.Change(by="control", why="a restless week", at=NINE - timedelta(days=2))
        here = Scope(Width.HOME, MARGARETS)
        version = await thresholds.set_numbers(conn, here, {"still_for_s": 4 * 3600.0}, change)
    async with street.connection() as conn:
        policy = (await thresholds.policy_of(conn, MARGARETS)).policy
    alert = await street.still(since=NINE - timedelta(hours=4), policy=policy)

    carer = (await (await street.browser(JIM.person)).get(_at(alert))).text
    operator = await street.browser(CONTROL.person)
    page = (await operator.get(_at(alert))).text
    address = f"/operator/homes/{MARGARETS}/thresholds"

    said = (
        "Raised by “No movement for” 4 h, set for this home by Kilbrae alarm centre at 09:14 on Sunday 14 June "
        f"(version {version})."
    )
    assert said in carer
    assert "Alert opened: still for longer than was set: “No movement for” 4 h." in carer
    assert address not in carer
    assert f'<a href="{address}#version-{version}">{said}</a>' in page
    assert f'id="version-{version}"' in (await operator.get(address)).text
