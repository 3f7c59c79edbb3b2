"""Is the resident up and about in the night for longer than is usual here?

Counted are the five minutes of a night in which something moved that is neither bedroom nor bathroom, and is not the
way to the bathroom; where there is a bed sensor, also the longest time out of bed.  A visit to the bathroom is ordinary
and counts nothing, nor does turning over.  Fixed numbers alone would raise the same home every night, or another never:
so what is usual here raises the policy's number, up to a limit.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.alert import Question
from alerts.judging.episode import Asked
from alerts.judging.finding import JSON, Ended, Finding, Verdict, iso, iso_or_none, whole_s
from alerts.judging.given import Close
from alerts.judging.ground import Ground
from alerts.judging.policy import Policy, span_at
from alerts.judging.sensed import Place, Sensed
from gateway.reading import Quantity

_SLOT: Final = timedelta(minutes=5)
# Ours: how many slots before and after a visit to the bathroom are on the way there.
_NEAR_SLOTS: Final = 2
# Ours: quiet for this long is back in bed, or at least sitting.
_QUIET: Final = timedelta(minutes=30)

# What is usual: a high share of the last four weeks' nights, and half as much again.  Figures: tests/bench/README.md.
_NIGHTS_MAX: Final = 28
_NIGHTS_NEEDED: Final = 14
_SHARE: Final = 0.9
_MARGIN: Final = 1.5
# Ours: whoever is up for this long every night is told of all the same.
_MOST: Final = timedelta(hours=3)

_ROOMS_MAX: Final = 6


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual here at night.

    Attributes:
        up_for: nine nights in ten the resident was up and about for no longer; None while it is not known.
        nights: how many nights that rests on.
        longest: up for this long is a finding.
    """

    up_for: timedelta | None
    nights: int
    longest: timedelta


@dataclass(slots=True)
class Tonight:
    """One night, by numbers of five minutes since 1970.

    Attributes:
        begins: of the night.
        until: likewise, excluded.
        about: in which something moved that is no bedroom, bathroom or way.
        way: in which something moved on the way.
        bath: in which something moved in the bathroom.
        rooms: where, the first first; a few.
        last_about_at: the last sign of life that may count.
        empty_since: since when the bed is empty; None: it is not, or nobody can tell.
        empty_for: the longest time it was, of those that are over.
        counted_from: what was before does not count for a finding any more: a person, or quiet, has ended it.
    """

    begins: datetime
    until: datetime
    about: set[int] = field(default_factory=set)
    way: set[int] = field(default_factory=set)
    bath: set[int] = field(default_factory=set)
    rooms: list[str] = field(default_factory=list)
    last_about_at: datetime | None = None
    empty_since: datetime | None = None
    empty_for: timedelta = timedelta(0)
    counted_from: datetime | None = None

    def counted(self, since: datetime | None = None) -> list[int]:
        """Return the five minutes that count, in order; only those from a moment on, where one is given."""
        on_the_way = {slot + near for slot in self.bath for near in range(-_NEAR_SLOTS, _NEAR_SLOTS + 1)}
        first = 0 if since is None else _slot(since)
        return sorted(slot for slot in self.about | (self.way - on_the_way) if slot >= first)

    def up_for(self) -> timedelta:
        """Return how long the resident was up and about in this night, as it is learnt."""
        return max(len(self.counted()) * _SLOT, self.empty_for)

    def empty_from(self) -> datetime | None:
        """Return from when on the empty bed counts for a finding."""
        if self.empty_since is None:
            return None
        return max(self.empty_since, self.counted_from or self.empty_since)


@dataclass(slots=True)
class Night:
    """What is remembered of a home's nights.

    Attributes:
        tonight: the night that began last; None before the first.
        over_until: the end of the last night that was learnt from; what is said of one before comes too late.
        nights_s: how long the resident was up in each of the last nights, seconds.
        asked: what became of the finding.
    """

    tonight: Tonight | None = None
    over_until: datetime | None = None
    nights_s: list[int] = field(default_factory=list)
    asked: Asked = field(default_factory=Asked)

    def take(self, said: Sensed, ground: Ground) -> list[Verdict]:
        """Take in a sign of life, or that the bed is empty."""
        is_bed = said.kind == "bed" and said.quantity == Quantity.PRESENCE
        if not said.is_life and not is_bed:
            return []
        self._turn_over(said.at, ground)
        tonight = self.tonight
        if tonight is None or not tonight.begins <= said.at < tonight.until:
            return []
        if is_bed:
            return self._feel_bed(tonight, said, ground)
        _note(tonight, said)
        return []

    def due(self, ground: Ground) -> datetime | None:
        """Return when the resident is found up for too long, or no longer up, if nothing more is said; None: not."""
        tonight = self.tonight
        if tonight is None:
            return None
        if self.asked.open is not None:
            return max(self._over_at(tonight, ground), ground.as_of)
        if not ground.policy.is_night_asked or ground.is_blind:
            return None
        dues = [ground.no_sooner(due) for due in self._crossings(tonight, ground)]
        return min((due for due in dues if due < self._over_at(tonight, ground)), default=None)

    def judge(self, ground: Ground, *, at: datetime) -> list[Verdict]:
        """Return that the resident is up for too long, or is no longer up."""
        due, tonight = self.due(ground), self.tonight
        if due is None or due > at or tonight is None:
            return []
        if self.asked.open is None:
            return [self._finding(tonight, ground, at=at)]
        tonight.counted_from = at
        return self._end(ground, {"quiet_since": iso_or_none(tonight.last_about_at)}, at=at)

    def close(self, said: Close) -> None:
        """Take in that a person closed the finding; what was until then is known."""
        if said.question is not Question.NIGHT_UP:
            return
        was_open = self.asked.open is not None
        self.asked.close_as(said.episode, at=said.at, by=said.by, outcome=said.outcome)
        if was_open and self.asked.open is None and self.tonight is not None:
            self.tonight.counted_from = said.at

    def usual(self, policy: Policy) -> Usual:
        """Return what is usual here, and how long is too long."""
        nights = len(self.nights_s)
        if nights < _NIGHTS_NEEDED:
            return Usual(None, nights, policy.night_up_for)
        up_for = timedelta(seconds=sorted(self.nights_s)[int(_SHARE * (nights - 1))])
        longest = min(max(policy.night_up_for, up_for * _MARGIN), max(policy.night_up_for, _MOST))
        return Usual(up_for, nights, longest)

    def _turn_over(self, at: datetime, ground: Ground) -> None:
        """Begin the night in which a moment lies; learn from the one before once it is over."""
        policy, tonight = ground.policy, self.tonight
        if tonight is not None and at < tonight.until:
            return
        if self.asked.open is not None or (self.over_until is not None and at < self.over_until):
            return  # Its end is still to be judged, at this moment at the latest; or this comes too late.
        if tonight is not None:
            self.over_until = tonight.until
            if ground.unseen_until is None or ground.unseen_until <= tonight.begins:
                self.nights_s = [*self.nights_s, whole_s(tonight.up_for())][-_NIGHTS_MAX:]
        span = span_at(at, policy.night_from, policy.night_until)
        self.tonight = None if span is None else Tonight(*span)

    def _feel_bed(self, tonight: Tonight, said: Sensed, ground: Ground) -> list[Verdict]:
        """Take in that somebody left the bed, or is back in it."""
        if said.value <= 0:
            tonight.empty_since = tonight.empty_since or said.at
            tonight.last_about_at = max(tonight.last_about_at or said.at, said.at)
            return []
        if tonight.empty_since is not None and said.at > tonight.empty_since:
            tonight.empty_for = max(tonight.empty_for, said.at - tonight.empty_since)
            tonight.empty_since = None
        if self.asked.open is None or said.at <= self.asked.open.since:
            return []
        tonight.counted_from = said.at
        return self._end(ground, {"in_bed_at": iso(said.at)}, at=said.received_at)

    def _crossings(self, tonight: Tonight, ground: Ground) -> list[datetime]:
        """Return the moments from which on the resident is up for too long."""
        longest = self.usual(ground.policy).longest
        moments = []
        if len(tonight.counted(tonight.counted_from)) * _SLOT >= longest:
            moments.append(ground.as_of)
        empty_from = tonight.empty_from()
        if empty_from is not None:
            moments.append(empty_from + longest)
        return moments

    def _over_at(self, tonight: Tonight, ground: Ground) -> datetime:
        """Return when the resident is no longer up if nothing more is said.

        An empty bed is empty all night, and while nothing can be seen nobody knows.
        """
        if tonight.empty_since is not None or tonight.last_about_at is None or ground.is_blind:
            return tonight.until
        return min(tonight.last_about_at + _QUIET, tonight.until)

    def _finding(self, tonight: Tonight, ground: Ground, *, at: datetime) -> Finding:
        counted, empty_from = tonight.counted(tonight.counted_from), tonight.empty_from()
        usual = self.usual(ground.policy)
        is_bed = empty_from is not None and empty_from + usual.longest <= at
        assert counted or empty_from is not None
        since = empty_from if is_bed and empty_from else datetime.fromtimestamp(counted[0] * _SLOT.total_seconds(), UTC)
        # Named by when it is found: what counts from the same five minutes may be found again after it was closed.
        episode, again_of = self.asked.raise_(since, at=at, name=iso(at))
        why: dict[str, JSON] = {
            "up_for_s": whole_s(at - since if is_bed else len(counted) * _SLOT),
            "out_of_bed": is_bed,
            "rooms": list(tonight.rooms),
            "last_seen_at": iso_or_none(tonight.last_about_at),
            "longest_s": whole_s(usual.longest),
            "usual_s": None if usual.up_for is None else whole_s(usual.up_for),
            "nights": usual.nights,
        }
        return Finding(
            home=ground.home,
            hub=None,
            question=Question.NIGHT_UP,
            episode=episode,
            since=since,
            at=at,
            why=why,
            policy=ground.policy.policy,
            again_of=again_of,
        )

    def _end(self, ground: Ground, why: dict[str, JSON], *, at: datetime) -> list[Verdict]:
        was = self.asked.open
        assert was is not None
        self.asked.end()
        return [Ended(ground.home, None, Question.NIGHT_UP, was.episode, at, why)]


def _note(tonight: Tonight, said: Sensed) -> None:
    """Count a sign of life where it belongs."""
    slot = _slot(said.at)
    match said.place:
        case Place.BATHROOM:
            tonight.bath.add(slot)
            return
        case Place.BEDROOM | Place.OUTSIDE:
            return
        case Place.WAY:
            tonight.way.add(slot)
        case Place.DOOR | Place.ROOM | Place.STORE:
            tonight.about.add(slot)
    tonight.last_about_at = max(tonight.last_about_at or said.at, said.at)
    if said.room is not None and said.room not in tonight.rooms and len(tonight.rooms) < _ROOMS_MAX:
        tonight.rooms.append(said.room)


def _slot(at: datetime) -> int:
    return int(at.timestamp() // _SLOT.total_seconds())
