"""What does the watcher do, over and over: look, judge, text, and call outside while all is well."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from alerts.telling.deliver import GiveUp, Receipt, TryAgain
from deploy.watcher import metrics
from deploy.watcher.config import Config
from deploy.watcher.judging import Alarm, Limits, wrong
from deploy.watcher.look import Looker
from deploy.watcher.seen import moment_of
from deploy.watcher.standing import Line, News, Standing, State, after_look, told
from deploy.watcher.wording import text_of
from gateway.clock import Clock, monotonic_s

log = logging.getLogger(__name__)

# Real time between two tries of a text that did not leave.  Ours: the dead-man's switch rings meanwhile.
_TRY_AGAIN_S: Final = 60.0
# Real time after which Twilio is asked what became of a text, and how often.
_LOOK_UP_AFTER_S: Final = 30.0
_LOOK_UPS_MAX: Final = 10
_NOT_ARRIVED: Final = frozenset({"failed", "undelivered", "canceled"})
_ARRIVED: Final = frozenset({"delivered", "read"})
_KEEP_BYTES_MAX: Final = 100_000


class Sender(Protocol):
    """The door to Twilio, as far as it is needed here."""

    async def send(self, to: str, body: str, key: str, *, worth: timedelta | None = None) -> Receipt:
        """Send a text."""
        ...

    async def state(self, sid: str) -> tuple[str, int | None]:
        """Return Twilio's word for a text's state, and its error code."""
        ...


class Watcher:
    """The loop of one watcher."""

    def __init__(self, config: Config, clock: Clock, sender: Sender | None) -> None:
        """Look at nothing yet, and take up what was told before the last restart."""
        self._config = config
        self._clock = clock
        self._sender = sender
        self._looker = Looker(config.parts, clock, time=config.time, trusted=config.trusted)
        self._state = _read(config.state)
        self._not_before_s = float("-inf")
        self._sent: dict[str, tuple[float, int]] = {}
        self._looked_s: float | None = None
        self.cannot_tell: str | None = None

    def why_not_looking(self) -> str | None:
        """Return why the last look is too old, or None; called from the health server's thread."""
        allowed_s = 3 * self._config.every.total_seconds() + 30
        if self._looked_s is None or monotonic_s() - self._looked_s > allowed_s:
            return "nothing was looked at lately"
        return None

    def facts(self) -> dict[str, object]:
        """Return which alarms stand, each with its reasons, and which of them the last look saw."""
        standing = self._state.standing
        return {
            "alarms": {alarm.value: one.why for alarm, one in standing.items()},
            "seen_now": [alarm.value for alarm, one in standing.items() if one.well_since is None],
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until told to stop."""
        while not stop.is_set():
            began_s = monotonic_s()
            await self.turn()
            rest_s = max(0.0, self._config.every.total_seconds() - (monotonic_s() - began_s))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), rest_s)

    async def turn(self) -> None:
        """Look once, say what is to be said, and call outside if all is well."""
        seen = await self._looker.look()
        now = self._clock.now()
        found = wrong(seen, now=now, limits=self._limits())
        before = self._state
        self._state, lines = after_look(before, found, now=now, rules=self._config.rules)
        self._note(before)
        if lines and monotonic_s() >= self._not_before_s:
            await self._tell(lines, now=now)
        await self._look_up()
        _keep(self._config.state, self._state)
        metrics.STANDING.set(len(self._state.standing))
        if self._state.is_well and self.cannot_tell is None and self._config.ping is not None:
            was_heard = await self._looker.call(self._config.ping)
            metrics.PINGS.labels("heard" if was_heard else "not heard").inc()
        self._looked_s = monotonic_s()

    def _limits(self) -> Limits:
        """Return the limits, stretched as promises are where time is sped up."""
        limits, more = self._config.limits, self._clock.stretch()
        return Limits(
            limits.behind + more,
            limits.untold + more,
            limits.clock_off + more,
            limits.backup_age + more,
            limits.certificate,
        )

    def _note(self, before: State) -> None:
        for alarm in self._state.standing.keys() - before.standing.keys():
            log.warning("something is wrong", extra={"alarm": alarm.value, "why": self._state.standing[alarm].why})
        for alarm in before.standing.keys() - self._state.standing.keys():
            log.info("well again", extra={"alarm": alarm.value})

    async def _tell(self, lines: Sequence[Line], *, now: datetime) -> None:
        """Text every phone; it counts as told when one of them was sent it."""
        for line in lines:
            if line.news is not News.OVER:
                log.error("the platform stands still", extra={"alarm": line.alarm.value, "why": line.why})
        if self._sender is None:
            self._state = told(self._state, lines, now=now)
            return
        body = text_of(lines, self._config.service)
        left = [
            sid for phone in self._config.phones if (sid := await self._send(self._sender, phone, body)) is not None
        ]
        if left:
            self._sent |= {sid: (monotonic_s(), 0) for sid in left}
            self._state = told(self._state, lines, now=now)
        else:
            self._not_before_s = monotonic_s() + _TRY_AGAIN_S

    async def _send(self, sender: Sender, phone: str, body: str) -> str | None:
        try:
            receipt = await sender.send(phone, body, "")
        except (TryAgain, GiveUp) as why:
            # The words are Twilio's or the network's, without the number.
            self._cannot(str(why))
            return None
        metrics.TEXTS.labels("sent").inc()
        self.cannot_tell = None
        return receipt.sid

    async def _look_up(self) -> None:
        """Ask what became of texts that left; one that did not arrive is said loudly, and the calls outside cease."""
        if self._sender is None:
            return
        for sid, (sent_s, asked) in list(self._sent.items()):
            if monotonic_s() - sent_s < _LOOK_UP_AFTER_S * (asked + 1):
                continue
            self._sent[sid] = (sent_s, asked + 1)
            try:
                status, code = await self._sender.state(sid)
            except (TryAgain, GiveUp):
                status, code = "unknown", None
            if status in _NOT_ARRIVED:
                self._cannot(f"a text is {status}, code {code}")
            if status in _NOT_ARRIVED | _ARRIVED or asked + 1 >= _LOOK_UPS_MAX:
                del self._sent[sid]

    def _cannot(self, why: str) -> None:
        metrics.TEXTS.labels("not sent").inc()
        self.cannot_tell = why
        log.error("the operator cannot be texted", extra={"why": why})


def _keep(file: Path | None, state: State) -> None:
    """Write down what was told, so that a restart does not tell it again."""
    if file is None:
        return
    said = {
        "texted_at": [at.isoformat() for at in state.texted_at],
        "standing": {
            alarm.name: {
                "since": one.since.isoformat(),
                "why": one.why,
                "told_at": one.told_at and one.told_at.isoformat(),
            }
            for alarm, one in state.standing.items()
        },
    }
    new = file.with_name(f"{file.name}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(said, out)
        new.replace(file)
    except OSError as why:
        log.warning("what was told is not kept", extra={"why": why.strerror})


def _read(file: Path | None) -> State:
    """Return what was told before; nothing where the file is not there or cannot be read."""
    if file is None or not file.exists():
        return State()
    try:
        with file.open("rb") as kept:
            said = json.loads(kept.read(_KEEP_BYTES_MAX))
        standing = {Alarm[name]: _standing(one) for name, one in said["standing"].items()}
        texted = [_moment(at) for at in said["texted_at"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as why:
        log.warning("what was told cannot be read", extra={"why": type(why).__name__})
        return State()
    return State(standing, texted)


def _standing(said: dict[str, object]) -> Standing:
    told_at = said["told_at"]
    return Standing(_moment(said["since"]), str(said["why"]), None if told_at is None else _moment(told_at))


def _moment(said: object) -> datetime:
    moment = moment_of(said)
    if moment is None:
        raise ValueError("not a moment")
    return moment
