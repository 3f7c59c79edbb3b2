"""Does a hub say that something is wrong with it, or has it lost what was never stored?"""

from datetime import datetime
from typing import Final

from alerts.alert import Question
from alerts.judging.detectors.device_silence import TROUBLES_MAX, Hub
from alerts.judging.episode import Asked
from alerts.judging.finding import Ended, Finding, Verdict
from alerts.judging.policy import Policy, day_of
from ingest import entry

RADIO: Final = "radio"
"""The trouble that a hub has when it cannot hear its home's sensors."""


def lost(said: entry.Lost, policy: int | None, *, received_at: datetime) -> Finding:
    """Return the finding that lost numbers are: each range once."""
    return Finding(
        home=said.home,
        hub=said.hub,
        question=Question.READINGS_LOST,
        episode=f"{said.outbox}/{said.stream}/{said.first}-{said.last}",
        since=received_at,
        at=received_at,
        why={
            "outbox": said.outbox,
            "stream": said.stream,
            "first": said.first,
            "last": said.last,
            "lost": said.last - said.first + 1,
        },
        policy=policy,
    )


def trouble_episode(what: str, received_at: datetime) -> str:
    """Return which trouble this is: the same one for the rest of the day, so that a flood is one fault."""
    return f"{what}/{day_of(received_at).isoformat()}"


def trouble(said: entry.Trouble, policy: int | None, *, received_at: datetime) -> Finding:
    """Return the finding that a hub's trouble is."""
    return Finding(
        home=said.home,
        hub=said.hub,
        question=Question.HUB_TROUBLE,
        episode=trouble_episode(said.what, received_at),
        since=received_at,
        at=received_at,
        why={"what": said.what, "detail": said.detail},
        policy=policy,
    )


def reported(hub: Hub, said: entry.Heard, policy: Policy, *, received_at: datetime) -> list[Verdict]:
    """Return what a heartbeat says is wrong with its hub, or no longer wrong.

    What a person closed while the hub still says it comes again, with the first heartbeat after `again_after`.
    """
    # In order and bounded, so that a replay gives the same and a hub gone wrong cannot grow our state.
    words = dict.fromkeys(said.troubles)
    if hub.is_without_radio(received_at):
        words[RADIO] = None
    current = list(words)[:TROUBLES_MAX]
    return _mended(hub, said, current, received_at) + [
        found for what in current if (found := _found(hub, said, what, policy, received_at)) is not None
    ]


def _found(hub: Hub, said: entry.Heard, what: str, policy: Policy, at: datetime) -> Finding | None:
    if what not in hub.troubles:
        hub.troubles[what] = hub.mended.pop(what, Asked())
    asked = hub.troubles[what]
    if asked.open is not None:
        return None
    since = asked.closed.since if asked.closed is not None else at
    held_back_until = asked.may_be_raised_from(since, policy.again_after)
    if held_back_until is not None and at < held_back_until:
        return None
    episode, again_of = asked.raise_(since, at=at, name=f"{hub.hub}/{what}")
    return Finding(
        home=said.home,
        hub=hub.hub,
        question=Question.HUB_TROUBLE,
        episode=episode,
        since=since,
        at=at,
        why={"what": what, "detail": ""},
        policy=policy.policy,
        again_of=again_of,
    )


def _mended(hub: Hub, said: entry.Heard, current: list[str], at: datetime) -> list[Verdict]:
    ended: list[Verdict] = []
    for what in [what for what in hub.troubles if what not in current]:
        asked = hub.mended[what] = hub.troubles.pop(what)
        was = asked.open
        asked.forget()
        if was is not None:
            ended.append(Ended(said.home, hub.hub, Question.HUB_TROUBLE, was.episode, at, {"what": what}))
    return ended
