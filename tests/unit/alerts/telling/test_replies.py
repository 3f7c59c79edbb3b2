"""What a carer's text is taken for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.telling.replies import Confidence, Reply, Word, parse, parse_confidence


@pytest.mark.parametrize(
    "body",
    [
        "1 mine",
        "1 Mine.",
        "mine 1",
        "1mine",
        "MINE 1!",
        " 1  mine ",
        "1. Mine, thanks",
        "1 mine please x",
        "1\ufe0f\u20e3 mine",
        "\uff11 \uff4d\uff49\uff4e\uff45",
        "Ok 1 mine",
    ],
)
def test_mine_is_understood_however_it_is_typed(body: str) -> None:
    """A carer types this at three in the morning, on the stairs."""
    assert parse(body) == Reply(1, Word.MINE)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("2 well", Word.WELL),
        ("2 HELP", Word.HELP),
        ("2 helped", Word.HELPED),
        ("2 false", Word.FALSE),
        ("2 no", Word.NO),
        ("2 can't", Word.NO),
        ("2 can\u2019t", Word.NO),
        ("2 cannot", Word.NO),
    ],
)
def test_each_word_is_understood(body: str, word: Word) -> None:
    """The texts that we send promise these words."""
    assert parse(body) == Reply(2, word)


def test_a_word_alone_leaves_the_code_to_the_caller() -> None:
    """Most carers have one alert open, and need not look for its number."""
    assert parse("Mine") == Reply(None, Word.MINE)


def test_a_number_alone_is_an_answer_to_a_question() -> None:
    """How confident a family feels is asked for by a number."""
    assert parse(" 4 ") == Reply(4, None)


@pytest.mark.parametrize("body", ["STOP", "stop.", "Unsubscribe", "END", "quit", "StopAll"])
def test_what_twilio_takes_as_stop_we_take_as_stop(body: str) -> None:
    """Twilio refuses texts to that phone from then on; someone must hear that before an alarm does."""
    assert parse(body).word is Word.STOP


@pytest.mark.parametrize(
    "body",
    [
        "not mine",
        "1 not mine",
        "I am not well",
        "is it mine or hers?",
        "1 mine 2",
        "1 2 mine",
        "mine well",
        "07700 900123 mine",
        "1000 mine",
        "0 mine",
        "-",
        "",
        "who is this",
        "minefield",
        "1 no help",
    ],
)
def test_what_could_mean_something_else_is_not_understood(body: str) -> None:
    """An alert that is stopped by a misread text is a person on the floor."""
    assert not parse(body).is_understood


@given(st.text(st.characters()))
def test_no_text_can_break_it(body: str) -> None:
    """Anyone in the world can text the number; surrogates, control characters and all."""
    reply = parse(body)

    assert reply.code is None or 1 <= reply.code <= 999


@given(st.integers(1, 999), st.sampled_from(["mine", "no", "help", "well", "helped", "false"]), st.data())
def test_case_order_and_punctuation_do_not_change_what_is_meant(code: int, word: str, data: st.DataObject) -> None:
    """Phones capitalise, people add dots; the code and the word are what counts."""
    typed = "".join(data.draw(st.sampled_from([letter, letter.upper()])) for letter in word)
    parts = data.draw(st.permutations([str(code), typed]))
    gap = data.draw(st.sampled_from([" ", "", "  ", ".", " - ", ", ", "\n", ": "]))
    end = data.draw(st.sampled_from(["", ".", "!", " ", "\n"]))

    assert parse(gap.join(parts) + end) == Reply(code, Word(word))


@given(st.text(st.characters(categories=("Lu", "Ll", "Lo")), min_size=1), st.sampled_from(list(Word)))
def test_a_word_with_another_beside_it_is_never_taken(other: str, word: Word) -> None:
    """'Not mine' in any language is not 'mine'."""
    reply = parse(f"{other} {word}")

    assert reply.word is None or parse(other) == Reply(None, None)
    if reply.word is not None:
        assert other.casefold() in {"please", "thanks", "thank", "you", "ta", "ok", "okay", "x", "xx", "hi", "hello"}


@pytest.mark.parametrize(
    ("body", "answer", "words"),
    [
        ("4", 4, ""),
        (" 4. ", 4, ""),
        ("4 she seems well", 4, "she seems well"),
        ("4, better since May.", 4, "better since May."),
        ("5 - and thanks", 5, "and thanks"),
        ("1\nI worry at night", 1, "I worry at night"),
        ("\uff14", 4, ""),
        ("?", None, ""),
        ("can't say", None, ""),
        ("Can\u2019t say.", None, ""),
        ("I don't know, sorry", None, "sorry"),
    ],
)
def test_a_number_with_or_without_words_is_an_answer(body: str, answer: int | None, words: str) -> None:
    """People say why, and that must neither be lost nor spoil the number."""
    assert parse_confidence(body) == Confidence(answer, words)


@pytest.mark.parametrize(
    "body", ["", "0", "6", "45", "4/5", "4-5", "4 5", "3:30", "4pm", "hello", "she is a 4", "mine", "help", "x" * 3000]
)
def test_what_is_not_plainly_an_answer_is_none(body: str) -> None:
    """A guessed answer in a published figure is worse than one more question."""
    assert parse_confidence(body) is None


@given(st.integers(1, 999), st.sampled_from(["mine", "no", "help", "well", "helped", "false"]), st.booleans())
def test_what_answers_an_alert_is_never_an_answer_to_the_question(code: int, word: str, is_behind: bool) -> None:
    """Somebody who says "1 mine" is on the way; taken for "not at all confident" nobody would know of it."""
    assert parse_confidence(f"{word} {code}" if is_behind else f"{code} {word}") is None


@given(st.text(max_size=200))
def test_any_text_at_all_is_an_answer_from_1_to_5_or_none(body: str) -> None:
    """Whatever a phone sends must never stop what reads it."""
    found = parse_confidence(body)

    assert found is None or found.answer in {None, 1, 2, 3, 4, 5}
