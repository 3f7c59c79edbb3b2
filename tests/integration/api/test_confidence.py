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


async def test_a_low_answer_is_on_the_operators_page_until_somebody_rang(street: Street) -> None:
    """It was promised that one person rings; so one person must be told, and only that one."""
    await _answer(street, answer="2", words="She forgets the pendant.")
    operator = await street.browser(CONTROL.person)
    listed = (await operator.get("/carer")).text
    carers = (await (await street.browser(JIM.person)).get("/carer")).text

    rung = await operator.post("/confidence/1/rung")
    again = await operator.post("/confidence/1/rung")

    assert "She forgets the pendant." in listed
    assert "Families to ring" not in carers
    assert (rung.status_code, again.status_code) == (303, 303)
    assert "Families to ring" not in (await operator.get("/carer")).text
    assert (await street.sql("SELECT rung_at, rung_by FROM confidence_report")) == [(NINE, "control")]


async def test_nobody_but_the_operator_marks_a_call(street: Street) -> None:
    """A promise to ring must not be ticked off by whoever was complained about."""
    await _answer(street, answer="2")

    answer = await (await street.browser(JIM.person)).post("/confidence/1/rung")

    assert answer.status_code == 404


@pytest.mark.parametrize("answer", ["3", "5", "cant-say"])
async def test_staff_do_not_see_other_answers(street: Street, answer: str) -> None:
    """It was promised that staff do not see who said what."""
    await _answer(street, answer=answer, words="Between us.")

    page = (await (await street.browser(CONTROL.person)).get("/carer")).text

    assert "Between us." not in page
