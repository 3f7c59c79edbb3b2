"""What does a carer's text mean?

Only what is plainly meant is taken: "not mine" must never become "mine".  Whatever else is said is *not
understood*, and answered with what can be said.
"""

import enum
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

# A text of ten segments; what follows is not an answer of ours.
_READ_MAX: Final = 1_600
# Above this it is a phone number, a time or a year, not a code.
_CODE_MAX: Final = 999


class Word(enum.StrEnum):
    """What a carer can say of an alert."""

    MINE = "mine"  # I will find out
    NO = "no"  # I cannot, or could not find out: tell the next person
    HELP = "help"  # I am there, and more help is needed
    WELL = "well"  # it is over: all well
    HELPED = "helped"  # it is over: help was needed and given
    FALSE = "false"  # it is over: a false alarm
    STOP = "stop"  # no more texts to this phone; Twilio obeys it by itself
    START = "start"  # texts again


@dataclass(frozen=True, slots=True)
class Reply:
    """What was said, as far as it was understood.

    Attributes:
        code: the number in front of the word; None when it was left out.
        word: None when only a number was said (an answer to a question), or nothing that we understand.
    """

    code: int | None
    word: Word | None

    @property
    def is_understood(self) -> bool:
        """Whether there is anything to go by."""
        return self.code is not None or self.word is not None


_NOT_UNDERSTOOD: Final = Reply(None, None)

_WORDS: Final = {
    "mine": Word.MINE,
    "going": Word.MINE,
    "no": Word.NO,
    "cannot": Word.NO,
    "cant": Word.NO,
    "help": Word.HELP,
    "well": Word.WELL,
    "helped": Word.HELPED,
    "false": Word.FALSE,
    "stop": Word.STOP,
    "start": Word.START,
    "unstop": Word.START,
    # Twilio stops the texts at these words too, so we must know of it.
    "stopall": Word.STOP,
    "unsubscribe": Word.STOP,
    "cancel": Word.STOP,
    "end": Word.STOP,
    "quit": Word.STOP,
    "revoke": Word.STOP,
    "optout": Word.STOP,
}

# What people add without changing what they say.
_COURTESY: Final = frozenset({"please", "thanks", "thank", "you", "ta", "ok", "okay", "x", "xx", "hi", "hello"})

# "4", "4 she seems well", "4, better since May", "?": a digit alone, or with words behind it that it does not run into.
_ANSWER: Final = re.compile(r"([1-5])(?:[\s.,:;!)-]*$|[\s.,:;!)-]++(?=\D)(.*))", re.DOTALL)
_CANNOT_SAY: Final = re.compile(r"\?+|(?:i\s+)?(?:can\s?(?:no|')?t|dont)\s+(?:say|know|tell)\b[\s.,!]*(.*)", re.DOTALL)

_TOKEN: Final = re.compile(r"[0-9]+|[^\W\d_]+")


def parse(body: str) -> Reply:
    """Return what a text means.  Any text at all may be given.

    "1 mine", "Mine 1.", "1mine" and "MINE" are the same but for the code.  A word without a code is meant for
    the one alert that is open for that phone; if there are more, the caller asks which.
    """
    plain = unicodedata.normalize("NFKC", body[:_READ_MAX]).casefold().replace("'", "").replace("\u2019", "")
    said = [token for token in _TOKEN.findall(plain) if token not in _COURTESY]
    numbers = [token for token in said if token.isdecimal()]
    words = [token for token in said if not token.isdecimal()]
    if len(numbers) > 1 or len(words) > 1:
        return _NOT_UNDERSTOOD
    code = _code(numbers[0]) if numbers else None
    if numbers and code is None:
        return _NOT_UNDERSTOOD
    if not words:
        return Reply(code, None)
    word = _WORDS.get(words[0])
    return Reply(code, word) if word is not None else _NOT_UNDERSTOOD


def _code(digits: str) -> int | None:
    """Return the code that these digits are, or None if no code looks so."""
    if len(digits) > len(str(_CODE_MAX)):
        return None
    return int(digits) or None


@dataclass(frozen=True, slots=True)
class Confidence:
    """An answer to the confidence question.

    Attributes:
        answer: 1 to 5; None for "can't say".
        words: what stood behind it, or empty.
    """

    answer: int | None
    words: str


def parse_confidence(body: str) -> Confidence | None:
    """Return what a text answers to the confidence question, or None if it does not.  Any text at all may be given.

    Whatever answers an alert never does: "1 mine" and "4 well" are about an alert, whether there is one or not.
    The caller asks whether a question is pending for that phone, and whether the digit is the number of an alert.
    """
    if parse(body).word is not None:
        return None
    said = unicodedata.normalize("NFKC", body[:_READ_MAX]).strip().replace("\u2019", "'")
    if found := _ANSWER.fullmatch(said):
        return Confidence(int(found[1]), (found[2] or "").strip())
    if found := _CANNOT_SAY.fullmatch(said.casefold().replace("can't", "cant").replace("don't", "dont")):
        return Confidence(None, (found[1] or "").strip())
    return None
