"""Is an answer kept as it was given, and does a low one lead to a call?"""

from datetime import timedelta

import pytest

from tests.world.pages import ANNE, CONTROL, JIM, MARGARETS, NINE, Street

_ADDRESS = f"/homes/{MARGARETS}/confidence"


async def _answer(street: Street, **said: str) -> int:
    browser = await street.browser(ANNE.person)
    return (await browser.post(_ADDRESS, data={"question": "1", **said})).status_code


async def test_the_question_is_asked_in_its_exact_words(street: Street) -> None:
    """One changed word is another question, and the series would be broken."""
    await street.home_is("watched")

    page = (await (await street.browser(ANNE.person)).get(f"/homes/{MARGARETS}")).text

    assert "Over the last four weeks, how confident have you felt that Margaret is safe at home?" in page
    assert [page.index(label) for label in ("5</b> Completely confident", "1</b> Not at all confident")]
    assert "if you answer 1 or 2, one person will ring you" in page


async def test_four_weeks_that_reach_back_to_before_us_are_said_to(street: Street) -> None:
    """Of a home that came this morning four weeks are asked about: those without us, to hold the others against."""
    await street.home_is("watched")
    browser = await street.browser(ANNE.person)
    await street.sql("UPDATE home SET added_at = %s WHERE home = %s", NINE - timedelta(days=27), MARGARETS)
    young = (await browser.get(f"/homes/{MARGARETS}")).text
    asked = (await browser.get(f"/homes/{MARGARETS}/confidence")).text

    await street.sql("UPDATE home SET added_at = %s WHERE home = %s", NINE - timedelta(days=28), MARGARETS)
    old = (await browser.get(f"/homes/{MARGARETS}")).text

    said = "The four weeks reach back to before we came to this home."
    assert [said in page for page in (young, asked, old)] == [True, True, False]


@pytest.mark.parametrize(("said", "kept"), [("1", 1), ("5", 5), ("cant-say", None)])
async def test_an_answer_is_kept_with_its_version_as_volunteered(street: Street, said: str, kept: int | None) -> None:
    """Volunteered answers must never be counted with those that were asked for."""
    status = await _answer(street, answer=said, words="  Better since May.  ")

    rows = await street.sql("SELECT home, person, question, origin, answer, words, answered_at FROM confidence_report")
    assert status == 303
    assert rows == [(MARGARETS, "anne", 1, "volunteered", kept, "Better since May.", NINE)]


async def test_a_second_press_is_not_a_second_answer(street: Street) -> None:
    """A figure of ours must not grow by a double click; a change of mind is an answer of its own."""
    await _answer(street, answer="4")
    await _answer(street, answer="4")
    await _answer(street, answer="2")
    street.set_clock(NINE + timedelta(minutes=11))
    await _answer(street, answer="4")

    assert (await street.sql("SELECT answer FROM confidence_report ORDER BY report")) == [(4,), (2,), (4,)]


@pytest.mark.parametrize(
    "said",
    [
        {"answer": "6"},
        {"answer": "0"},
        {"answer": ""},
        {},
        {"answer": "4", "question": "2"},
        {"answer": "4", "question": "x"},
        {"answer": "4", "words": "x" * 2001},
    ],
)
async def test_what_was_not_asked_is_not_kept(street: Street, said: dict[str, str]) -> None:
    """An answer to another question, or none at all, would spoil the series."""
    assert await _answer(street, **said) == 422
    assert (await street.sql("SELECT count(*) FROM confidence_report")) == [(0,)]


async def test_the_page_says_thank_you_and_what_follows(street: Street) -> None:
    """Somebody who says that they feel unsafe must read at once that a person will ring."""
    await street.home_is("watched")
    await _answer(street, answer="1")

    page = (await (await street.browser(ANNE.person)).get(f"/homes/{MARGARETS}")).text

    assert "not at all confident" in page
    assert "Thank you." in page
    assert "One person will ring you to ask what would help." in page


async def test_a_low_answer_is_a_call_that_an_operator_makes_and_closes(street: Street) -> None:
    """It was promised that one person rings; so one person must be told, and what came of it written down."""
    await _answer(street, answer="2", words="She forgets the pendant.")
    operator = await street.browser(CONTROL.person)
    page, listed = (await operator.get("/carer")).text, (await operator.get("/operator/calls")).text
    carers = (await (await street.browser(JIM.person)).get("/carer")).text

    for press in ("take", "no-answer"):
        assert (await operator.post(f"/operator/calls/1/{press}")).status_code == 303
    waiting = (await operator.get("/operator/calls")).text
    closed = await operator.post("/operator/calls/1/close", data={"came_of": "talked", "note": "A second key."})
    again = await operator.post("/operator/calls/1/close", data={"came_of": "not reached"})
    done = (await operator.get("/operator/calls")).text

    assert "1 to ring" in page
    assert "Families to ring" not in carers
    assert "Anne Reid" in listed
    assert "Kilbrae alarm centre will ring." in waiting
    assert "Rung 1 time in vain" in waiting
    assert (closed.status_code, again.status_code) == (303, 303)
    assert "Nobody is to be rung now." in done
    assert "we talked, nothing needs to change" in done
    assert "Families to ring" not in (await operator.get("/carer")).text
    assert (await street.sql("SELECT came_of, note, closed_by, tries FROM confidence_call")) == [
        ("talked", "A second key.", "control", 2)
    ]


async def test_who_rings_does_not_see_what_was_said(street: Street) -> None:
    """Staff never see who said what: not which of the two it was, nor the words with it."""
    await _answer(street, answer="2", words="She forgets the pendant.")
    operator = await street.browser(CONTROL.person)

    pages = [(await operator.get(path)).text for path in ("/operator/calls", "/carer", "/operator")]

    assert not any("forgets" in page or "2 of 5" in page for page in pages)


async def test_a_second_low_answer_is_the_same_call(street: Street) -> None:
    """One person is rung once, however often they say it before somebody does."""
    await _answer(street, answer="2")
    street.set_clock(NINE + timedelta(days=1))
    await _answer(street, answer="1")

    assert (await street.sql("SELECT count(*) FROM confidence_call")) == [(1,)]


@pytest.mark.parametrize("press", ["take", "no-answer", "close"])
async def test_nobody_but_an_operator_touches_a_call(street: Street, press: str) -> None:
    """A promise to ring must not be ticked off by whoever was complained about."""
    await _answer(street, answer="2")

    jim, control = await street.browser(JIM.person), await street.browser(CONTROL.person)
    answers = [
        (await jim.post(f"/operator/calls/1/{press}", data={"came_of": "talked"})).status_code,
        (await control.post(f"/operator/calls/2/{press}", data={"came_of": "talked"})).status_code,
        (await control.post(f"/operator/calls/x/{press}", data={"came_of": "talked"})).status_code,
    ]

    assert answers == [404, 404, 404]
    assert (await street.sql("SELECT closed_at, taken_at, tries FROM confidence_call")) == [(None, None, 0)]


async def test_a_look_at_the_calls_leaves_a_record(street: Street) -> None:
    """That somebody's family is to be rung says something about the home."""
    await _answer(street, answer="2")

    await (await street.browser(CONTROL.person)).get("/operator/calls")

    assert (await street.sql("SELECT viewer, home FROM access_record WHERE view = 'confidence call'")) == [
        ("control", MARGARETS)
    ]


async def test_an_answer_to_what_was_asked_is_scheduled(street: Street) -> None:
    """Only those make the headline; the page says that the question is due, and not after it was answered."""
    await street.home_is("watched")
    await street.sql(
        "INSERT INTO confidence_asking (home, person, audience, question, round, place, due_at, asked_at, "
        "answer_until, way, state) VALUES (%s, 'anne', 'family', 1, 1, 1, %s, %s, %s, 'page', 'asked')",
        *(MARGARETS, NINE, NINE, NINE + timedelta(days=14)),
    )
    browser = await street.browser(ANNE.person)
    before = (await browser.get(f"/homes/{MARGARETS}")).text

    await _answer(street, answer="4")

    assert "It is due now" in before
    assert "It is due now" not in (await browser.get(f"/homes/{MARGARETS}")).text
    assert (await street.sql("SELECT origin, state FROM confidence_report JOIN confidence_asking USING (report)")) == [
        ("scheduled", "answered")
    ]


@pytest.mark.parametrize("answer", ["3", "5", "cant-say"])
async def test_staff_do_not_see_other_answers(street: Street, answer: str) -> None:
    """It was promised that staff do not see who said what."""
    await _answer(street, answer=answer, words="Between us.")

    operator = await street.browser(CONTROL.person)
    page = (await operator.get("/carer")).text + (await operator.get("/operator/calls")).text

    assert "Between us." not in page
    assert "Anne Reid, about" not in page
