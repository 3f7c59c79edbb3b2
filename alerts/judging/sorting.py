"""Nothing is heard of a resident: what is it?

The one place in which a silence is sorted.  The questions of a home read from it what they may ask, the watched clock
gives it the promises kept and broken, and alerts, pages and answers say what it said.
"""

from collections.abc import Collection, Mapping
from typing import Final

from alerts.alert import Question
from alerts.judging.finding import JSON
from alerts.judging.outage import EVERYWHERE
from alerts.judging.quiet import Quiet
from alerts.judging.watched import HUB, LINE, OURS, RADIO, Watched

_THE_BOX: Final = frozenset({HUB, LINE, RADIO})
_OF_QUESTION: Final[Mapping[str, Quiet]] = {
    Question.HUB_SILENT: Quiet.HUB,
    Question.SENSOR_SILENT: Quiet.SENSOR,
    Question.SENSOR_STUCK: Quiet.SENSOR,
    Question.OUT: Quiet.OUT,
}
_KNOWN: Final[Mapping[str, Quiet]] = {quiet.value: quiet for quiet in Quiet}


def sort(
    state: Watched,
    why: Collection[str],
    *,
    is_out: bool = False,
    is_hidden: bool = False,
    is_in_outage: bool = False,
) -> Quiet:
    """Return what it is that nothing is heard of a resident.

    What forbids to look goes first, then what makes it impossible, and among that what is nearest to the home: a box
    that was silent before we were away is silent.

    Args:
        state: how well the home is seen.
        why: the promises that are broken, of hub, line, radio, sensors and of our own parts, as `watched` has them.
        is_out: the last sign of life came from an outer door.
        is_hidden: what would show a movement is silent or stuck, or what showed the last one.
        is_in_outage: many neighbours fell silent with it.  What a judge of one home cannot know; whoever tells does.
    """
    if state is Watched.PAUSED:
        return Quiet.PAUSED
    if state is not Watched.BLIND:
        return Quiet.SENSOR if is_hidden else Quiet.OUT if is_out else Quiet.STILL
    if _THE_BOX.intersection(why):
        return Quiet.AREA if is_in_outage else Quiet.HUB
    return Quiet.OURS if OURS.intersection(why) else Quiet.NEVER_HEARD


def of_alert(question: str, why: Mapping[str, JSON], *, is_in_outage: bool = False) -> Quiet | None:
    """Return what the silence that an alert is about was sorted as; None: it is about no silence.

    Args:
        question: of the alert.
        why: its facts.
        is_in_outage: its home is part of an outage.
    """
    if question is Question.OUTAGE:
        return Quiet.OURS if why.get("area") == EVERYWHERE else Quiet.AREA
    # Alerts of earlier releases do not say it.
    said = _OF_QUESTION.get(question) or _KNOWN.get(str(why.get("quiet")))
    return Quiet.AREA if said is Quiet.HUB and is_in_outage else said
