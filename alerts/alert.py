"""What is an alert, in which states is it, and how may it end?

While releases run side by side, or one is taken back, the tables hold words of a newer one.  So what comes from a row
is read by the functions below and never refused (decision 25).
"""

import enum
from typing import Final


class Question(enum.StrEnum):
    """What was asked of a home, and answered with yes."""

    ALARM = "alarm"  # did someone or something in the home call for help?
    STILL = "still"  # has nothing moved for longer than was set by hand?
    STILL_UNUSUAL = "still_unusual"  # for longer than is usual here at this time?
    UNSEEN = "unseen"  # can the home not be seen, so that nobody could tell whether the resident is still?
    OUT = "out"  # did the resident go out, and is not back?
    NIGHT_UP = "night_up"  # up and about in the night for longer than is usual here?
    DOOR_OPEN = "door_open"  # does an outer door stand open?
    RULE = "rule"  # is a rule broken that was set by hand?
    COLD = "cold"  # is a room too cold?
    HOT = "hot"  # is a room too hot?
    HUB_SILENT = "hub_silent"  # has the hub stopped reporting?
    OUTAGE = "outage"  # have many hubs of one area fallen silent together?
    READINGS_LOST = "readings_lost"  # does the hub no longer have what was never stored?
    HUB_TROUBLE = "hub_trouble"  # does the hub say that something is wrong with it?
    SENSOR_SILENT = "sensor_silent"  # has a sensor stopped reporting?
    SENSOR_STUCK = "sensor_stuck"  # does a sensor report, and notice nothing?
    BATTERY_LOW = "battery_low"  # does a sensor need a new battery?


FAULTS: Final = frozenset(
    {
        *(Question.HUB_SILENT, Question.OUTAGE, Question.READINGS_LOST, Question.HUB_TROUBLE),
        *(Question.SENSOR_SILENT, Question.SENSOR_STUCK, Question.BATTERY_LOW),
    }
)
"""Equipment needs someone: told to the operator first."""

ONE_STORY: Final = frozenset({Question.STILL, Question.STILL_UNUSUAL, Question.OUT, Question.UNSEEN})
"""Questions about one and the same silence: to a carer they are one story."""

FIRST: Final = (
    *(Question.ALARM, Question.STILL, Question.STILL_UNUSUAL, Question.UNSEEN, Question.NIGHT_UP, Question.OUT),
    *(Question.RULE, Question.DOOR_OPEN, Question.COLD, Question.HOT),
)
"""What a person looks at first: a call for help, a resident who is still, one who walks, one who is out, the home."""


class State(enum.StrEnum):
    """Where an alert is in its life."""

    OPEN = "open"  # someone must look, nobody has said they will
    ACKNOWLEDGED = "acknowledged"  # a carer has said "mine"
    CLOSED = "closed"  # it is over, and has an outcome; final


class Outcome(enum.StrEnum):
    """How an alert ended.  "Could not find out" is none: it stays open and goes to the next person."""

    HELP_GIVEN = "help given"
    AMBULANCE = "ambulance"
    ALL_WELL = "all well"
    FALSE_ALARM = "false alarm"
    TEST = "test"
    MENDED = "mended"


_NEXT: Final = {
    State.OPEN: frozenset({State.ACKNOWLEDGED, State.CLOSED}),
    State.ACKNOWLEDGED: frozenset({State.OPEN, State.CLOSED}),  # back to open: the carer let go
    State.CLOSED: frozenset[State](),
}


def is_known(question: str) -> bool:
    """Return whether this release knows what a question asks."""
    return question in frozenset(Question)


def question_of(word: str) -> Question | str:
    """Return the question that a row names, or the word itself where only a newer release knows what it asks."""
    return Question(word) if is_known(word) else word


def outcome_of(word: str) -> Outcome | str:
    """Return the outcome that a row names, or the word itself where only a newer release knows it."""
    return Outcome(word) if word in frozenset(Outcome) else word


def state_of(word: str) -> State:
    """Return the state that a row names; one that only a newer release knows is open: someone must look."""
    return State(word) if word in frozenset(State) else State.OPEN


def plainly(word: str) -> str:
    """Return a word of a newer release as people read it: `kettle_unused` is "kettle unused"."""
    return word.replace("_", " ")


def may_become(state: State, then: State) -> bool:
    """Return whether an alert in one state may move to another."""
    return then in _NEXT[state]
