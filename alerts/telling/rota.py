"""Who is told of a home's alerts, in which order, and how long does each have to answer?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Step:
    """One person on a home's rota.

    Attributes:
        person: the key of a person with a phone.
        answers_within: how long after this person's text was due the next one is told, if nobody has said
            "mine"; for the last, how long until nobody is left.
    """

    person: str
    answers_within: timedelta


def steps_of(carers: Iterable[str], operator: str | None, *, answers_within: timedelta) -> tuple[Step, ...]:
    """Return the steps of a home: its carers in order, then the operator's phone.

    Who is named twice is told once, where named first.

    Args:
        carers: persons, the first to be told first; may be empty.
        operator: who is told last, or None where there is none.
        answers_within: above zero.

    Raises:
        ValueError: nobody would have any time to answer.
    """
    if answers_within <= timedelta(0):
        raise ValueError(f"nobody can answer within {answers_within}")
    persons = [*carers, *([] if operator is None else [operator])]
    return tuple(Step(person, answers_within) for person in dict.fromkeys(persons))
