"""What is an alert, in which states is it, and how may it end?"""

import enum
from typing import Final


class Question(enum.StrEnum):
    """What was asked of a home, and answered with yes."""

    ALARM = "alarm"  # did someone or something in the home call for help?
    STILL = "still"  # has nothing moved for longer than was set by hand?
    STILL_UNUSUAL = "still_unusual"  # for longer than is usual here at this time?
    HUB_SILENT = "hub_silent"  # has the hub stopped reporting?
    READINGS_LOST = "readings_lost"  # does the hub no longer have what was never stored?
    HUB_TROUBLE = "hub_trouble"  # does the hub say that something is wrong with it?


FAULTS: Final = frozenset({Question.HUB_SILENT, Question.READINGS_LOST, Question.HUB_TROUBLE})
"""Equipment needs someone: told to the operator first."""


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


def may_become(state: State, then: State) -> bool:
    """Return whether an alert in one state may move to another."""
    return then in _NEXT[state]
