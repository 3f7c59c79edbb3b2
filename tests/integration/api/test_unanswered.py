"""Is everybody who did not answer rung once they were reminded, and is what they say on the phone kept apart?"""

from datetime import timedelta

import httpx
import pytest

from tests.world.pages import ANNE, CONTROL, JIM, MARGARETS, NINE, Street

HERE = "/operator/unanswered"
DAY = timedelta(days=1)


@pytest.fixture
async def asking(street: Street) -> int:
    """Give the question that Anne was asked eight days ago, was reminded of, and has not answered."""
    ((number,),) = await street.sql(
        "INSERT INTO confidence_asking (home, person, audience, question, round, place, due_at, asked_at, "
        "reminded_at, answer_until, way, state) VALUES (%s, 'anne', 'family', 1, 1, 1, %s, %s, %s, %s, 'text', "
        "'asked') RETURNING asking",
        *(MARGARETS, NINE - 8 * DAY, NINE - 8 * DAY, NINE - 4 * DAY, NINE + 6 * DAY),
    )
    return int(number)


@pytest.fixture
async def operator(street: Street) -> httpx.AsyncClient:
    """Give the browser of somebody who rings."""
    return await street.browser(CONTROL.person)


async def test_who_did_not_answer_is_listed_with_the_question_in_its_exact_words(
    street: Street,
    operator: httpx.AsyncClient,
    asking: int,
) -> None:
    """Another wording on the phone would be another question."""
    page = (await operator.get(HERE)).text

    assert "Anne Reid</strong>, about Margaret Reid" in page
    assert "“Over the last four weeks, how confident have you felt that Margaret is safe at home?”" in page
    assert 'href="tel:+447700900101"' in page
    assert "1 did not answer the question yet" in (await operator.get("/operator/calls")).text
    assert (await street.sql("SELECT DISTINCT view FROM access_record WHERE viewer = 'control'")) == [
        ("confidence call",)
    ]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE confidence_asking SET reminded_at = reminded_at + interval '2 days'",
        "UPDATE confidence_asking SET reminded_at = NULL",
        "UPDATE confidence_asking SET answer_until = reminded_at + interval '4 days'",
        "UPDATE confidence_asking SET state = 'lapsed', ended_at = answer_until",
        "UPDATE confidence_asking SET round = 0",
        "UPDATE access_grant SET withdrawn_at = given_at WHERE person = 'anne'",
        "UPDATE consent SET withdrawn_at = since, withdrawn_by = 'test' WHERE person = 'anne'",
    ],
)
async def test_nobody_else_is_rung(
    street: Street,
    operator: httpx.AsyncClient,
    asking: int,
    change: str,
) -> None:
    """Before the reminder had its time it is pressure; afterwards it counts for nothing."""
    assert "Anne Reid" in (await operator.get(HERE)).text

    await street.sql(change)

    assert "Nobody is to be rung now." in (await operator.get(HERE)).text


async def test_nobody_is_asked_on_the_phone_while_an_alert_is_open(
    street: Street,
    operator: httpx.AsyncClient,
    asking: int,
) -> None:
    """Somebody may be on the way to that home."""
    await street.pendant_pressed()

    assert "Nobody is to be rung now." in (await operator.get(HERE)).text


async def test_what_is_said_on_the_phone_is_kept_apart_and_shown_to_nobody(
    street: Street, operator: httpx.AsyncClient, asking: int
) -> None:
    """Our own staff heard it and wrote it down; it must not make the figure by which they are judged."""
    kept = await operator.post(f"{HERE}/{asking}/answer", data={"answer": "5", "words": "All is well."})
    again = await operator.post(f"{HERE}/{asking}/answer", data={"answer": "1"})

    assert (kept.status_code, again.status_code) == (303, 409)
    assert await street.sql("SELECT origin, answer, words, taken_by FROM confidence_report") == [
        ("by phone", 5, "All is well.", CONTROL.person)
    ]
    assert await street.sql("SELECT state FROM confidence_asking") == [("answered",)]
    seen = "".join([(await operator.get(path)).text for path in (HERE, "/operator/calls", "/carer")])
    assert "All is well." not in seen


async def test_an_answer_that_came_meanwhile_stands(street: Street, operator: httpx.AsyncClient, asking: int) -> None:
    """What somebody wrote themselves is not overwritten by what was heard."""
    await street.home_is("watched")
    anne = await street.browser(ANNE.person)
    await anne.post(f"/homes/{MARGARETS}/confidence", data={"question": "1", "answer": "2"})

    late = await operator.post(f"{HERE}/{asking}/answer", data={"answer": "5"})

    assert (late.status_code, "has answered meanwhile" in late.text) == (409, True)
    assert await street.sql("SELECT origin, answer FROM confidence_report") == [("scheduled", 2)]


async def test_a_low_answer_on_the_phone_opens_a_call_too(
    street: Street, operator: httpx.AsyncClient, asking: int
) -> None:
    """What was promised in writing holds on the phone."""
    await operator.post(f"{HERE}/{asking}/answer", data={"answer": "1"})

    assert await street.sql("SELECT home, person, closed_at FROM confidence_call") == [(MARGARETS, "anne", None)]


async def test_who_was_not_reached_stays_and_who_wants_none_is_left_alone(
    street: Street, operator: httpx.AsyncClient, asking: int
) -> None:
    """A call is no duty to pick up, and a no is a no."""
    await operator.post(f"{HERE}/{asking}/not-reached")
    tried = (await operator.get(HERE)).text
    await operator.post(f"{HERE}/{asking}/wants-no-question")

    assert "Rung 1 time in vain" in tried
    assert "Nobody is to be rung now." in (await operator.get(HERE)).text
    assert await street.sql("SELECT came_of FROM confidence_ring ORDER BY ring") == [
        ("not reached",),
        ("wants no question",),
    ]


@pytest.mark.parametrize("press", ["answer", "not-reached", "wants-no-question"])
async def test_nobody_but_an_operator_writes_what_was_said(street: Street, asking: int, press: str) -> None:
    """A relative cannot answer for another."""
    browser = await street.browser(JIM.person)

    answers = [
        await browser.get(HERE),
        await browser.post(f"{HERE}/{asking}/{press}", data={"answer": "5"}),
    ]

    assert [one.status_code for one in answers] == [404, 404]
    assert await street.sql("SELECT count(*) FROM confidence_ring") == [(0,)]


@pytest.mark.parametrize("odd", ["0", "x", "99", "99999999999999999999", "-1"])
async def test_an_odd_asking_is_simply_not_there(operator: httpx.AsyncClient, odd: str) -> None:
    """Whatever is typed into the address ends in the same page."""
    assert (await operator.post(f"{HERE}/{odd}/answer", data={"answer": "5"})).status_code == 404


async def _is_paid(street: Street, *, asked: bool) -> httpx.AsyncClient:
    await street.sql("UPDATE person SET kinds = ARRAY['paid carer'] WHERE person = 'jim'")
    if asked:
        await street.sql(
            "INSERT INTO confidence_asking (home, person, audience, question, round, place, due_at, asked_at, "
            "answer_until, way, state) VALUES (%s, 'jim', 'paid carer', 3, 1, 2, %s, %s, %s, 'page', 'asked')",
            *(MARGARETS, NINE, NINE, NINE + 14 * DAY),
        )
    return await street.browser(JIM.person)


@pytest.mark.parametrize(("asked", "origin"), [(False, "volunteered"), (True, "scheduled")])
async def test_a_paid_carer_answers_a_question_of_their_own_on_a_page(street: Street, asked: bool, origin: str) -> None:
    """What staff feel is a series of its own: it never stands among the families', asked or unasked."""
    browser = await _is_paid(street, asked=asked)
    at = f"/homes/{MARGARETS}/confidence"

    shown = (await browser.get(at)).text
    families = await browser.post(at, data={"question": "1", "answer": "5"})
    own = await browser.post(at, data={"question": "3", "answer": "4"})

    assert "what we tell you about Margaret can be relied on?" in shown
    assert ("A question for you" in (await (await street.browser(JIM.person)).get("/carer")).text) is False
    assert (families.status_code, own.status_code, own.headers["location"]) == (422, 303, "/carer")
    assert await street.sql("SELECT question, origin, answer FROM confidence_report") == [(3, origin, 4)]


async def test_a_carer_who_is_asked_finds_the_question(street: Street) -> None:
    """Who cannot be texted is asked on a page, and must be led there."""
    browser = await _is_paid(street, asked=True)

    page = (await browser.get("/carer")).text

    assert f'<a href="/homes/{MARGARETS}/confidence">How confident do you feel about Margaret?</a>' in page


async def test_staff_who_run_the_service_are_not_asked(street: Street) -> None:
    """An operator's own confidence is nobody's figure."""
    browser = await street.browser(CONTROL.person)

    assert (await browser.get(f"/homes/{MARGARETS}/confidence")).status_code == 404
