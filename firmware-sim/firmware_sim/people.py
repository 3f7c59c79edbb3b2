"""Who does what in a home, day after day, and what do orders make of it?

Everyone's day is planned at 04:00; an order replaces what was left of it by what they do now.
"""

import random
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Final

from firmware_sim import company
from firmware_sim.faults import Condition, Do, Order, Whereabouts
from firmware_sim.happening import Happening, What, Who
from firmware_sim.hours import begins_at
from firmware_sim.resident import Course, day, what_ends_by_itself
from firmware_sim.routines import Household, Routine
from firmware_sim.walk import Posture

_MS: Final = timedelta(milliseconds=1)
_VISITOR_STAYS_MIN: Final = 60.0
LIVE_HERE: Final = (Who.RESIDENT, Who.PARTNER)
_OUTSIDE: Final = Posture(room="outside", is_in_bed=False)


class People:
    """All who are in a home, from 04:00 of a date on."""

    def __init__(self, home: str, household: Household, *, seed: int, condition: Condition, on: date) -> None:
        """Begin with those who live there in bed, unless they are away."""
        self._home = home
        self._household = household
        self._seed = seed
        self._next_day = on
        self._condition = condition
        self._next_day_at = begins_at(on)
        # Everybody's, in order.
        self._coming: deque[Happening] = deque()
        self._begun: dict[Who, set[str]] = {who: set() for who in Who}
        self._posture = {who: Posture() if self._is_at_home(who) else _OUTSIDE for who in LIVE_HERE}

    @property
    def next_at(self) -> datetime:
        """When something next happens, or the next day is planned."""
        return min(self._coming[0].at, self._next_day_at) if self._coming else self._next_day_at

    def asleep(self) -> set[Who]:
        """Return who lies in bed now."""
        return {who for who in LIVE_HERE if self._is_at_home(who) and self._posture[who].is_in_bed}

    def next(self) -> Happening | None:
        """Return the next thing that happens, or None: a day was planned."""
        if not self._coming or self._coming[0].at >= self._next_day_at:
            self._plan_a_day()
            return None
        happening = self._coming.popleft()
        self._remember(happening)
        return happening

    def obey(self, order: Order, condition: Condition) -> None:
        """Let those who live here do what an order means, from its moment on."""
        was, self._condition = self._condition, condition
        match order.do:
            case Do.COLLAPSE:
                self._collapses(order)
            case Do.OUT:
                self._leaves(Who.RESIDENT, order, What.WENT_OUT)
            case Do.HOLIDAY:
                for who in LIVE_HERE:
                    self._leaves(who, order, What.WENT_ON_HOLIDAY)
                self._coming = deque(one for one in self._coming if one.who is not Who.VISITOR)
            case Do.BACK:
                self._come_back(order, LIVE_HERE if was.whereabouts is Whereabouts.HOLIDAY else (Who.RESIDENT,))
            case Do.VISITOR:
                chance = random.Random(f"{self._seed}/{self._home}/{order.at.isoformat()}/visitor")
                self._add(company.visit(chance, at=order.at, minutes=_VISITOR_STAYS_MIN))
            case Do.RECOVER | Do.WANDER | Do.FORGET_DOOR | Do.SHUT_DOOR | Do.FALL_ILL | Do.GET_WELL:
                self._does(order)

    def _does(self, order: Order) -> None:
        if self._condition.whereabouts is not Whereabouts.LIVING:
            self._add(_ended_without_them(order))
            return
        course = self._course(Who.RESIDENT, order)
        match order.do:
            case Do.RECOVER:
                course.is_helped_up()
            case Do.WANDER:
                course.wanders()
            case Do.FORGET_DOOR:
                course.forgets_the_door()
            case Do.SHUT_DOOR:
                course.shuts_the_door()
            case _:
                course.notes(What.FELL_ILL if order.do is Do.FALL_ILL else What.GOT_WELL)
        course.lives_on(is_ill=self._condition.is_ill)
        self._replan(Who.RESIDENT, order.at, course.happened)

    def _collapses(self, order: Order) -> None:
        course = self._course(Who.RESIDENT, order)
        course.collapses()
        self._replan(Who.RESIDENT, order.at, course.happened)

    def _leaves(self, who: Who, order: Order, why: What) -> None:
        if self._routine(who) is None:
            return
        course = self._course(who, order, comes_home=False)
        if self._posture[who].room == "outside":
            course.notes(why)
        else:
            course.leaves(why)
        self._replan(who, order.at, course.happened)

    def _come_back(self, order: Order, who_come: Iterable[Who]) -> None:
        for who in who_come:
            if self._routine(who) is None:
                continue
            course = self._course(who, order)
            course.lives_on(is_ill=self._condition.is_ill and who is Who.RESIDENT)
            self._replan(who, order.at, course.happened)

    def _course(self, who: Who, order: Order, *, comes_home: bool = True) -> Course:
        """Return the course of someone from an order on; who was out comes in first."""
        routine = self._routine(who)
        assert routine is not None, "nobody plans for those who do not live here"
        # Their own name, so that two who come home together are not in step to the millisecond.
        after = _MS * list(LIVE_HERE).index(who) * 2500
        course = Course(
            routine,
            seed=self._seed,
            home=self._home,
            who=who,
            at=order.at + after,
            posture=self._posture[who],
            name=f"{order.do.value}/{order.at.isoformat()}",
        )
        if comes_home and self._posture[who].room == "outside":
            course.returns()
        return course

    def _replan(self, who: Who, at: datetime, course: Sequence[Happening]) -> None:
        rest = [one for one in self._coming if one.who is who and one.at >= at]
        self._coming = deque(one for one in self._coming if one.who is not who)
        self._add([*what_ends_by_itself(rest, self._begun[who]), *course])

    def _add(self, happenings: Iterable[Happening]) -> None:
        self._coming = deque(sorted([*self._coming, *happenings], key=attrgetter("at")))

    def _plan_a_day(self) -> None:
        on, self._next_day = self._next_day, self._next_day + timedelta(days=1)
        self._next_day_at = begins_at(self._next_day)
        day_: list[Happening] = []
        for who in LIVE_HERE:
            routine = self._routine(who)
            if routine is not None and self._is_at_home(who) and not self._is_lying(who):
                day_ += self._to_bed(who, on)
                is_ill = self._condition.is_ill and who is Who.RESIDENT
                day_ += day(routine, seed=self._seed, home=self._home, on=on, who=who, is_ill=is_ill)
        if self._condition.whereabouts is not Whereabouts.HOLIDAY:
            for visits in self._household.visits:
                day_ += company.visits_on(visits, seed=self._seed, home=self._home, on=on)
        for cat in range(self._household.cats):
            day_ += company.cat_on(seed=self._seed, home=self._home, cat=cat, on=on)
        self._add(day_)

    def _to_bed(self, who: Who, on: date) -> list[Happening]:
        """Return what brings someone to bed who was still up at 04:00."""
        posture, at = self._posture[who], begins_at(on)
        does = []
        if posture.has_television_on:
            does.append(Happening(at, What.SWITCHED_OFF, "television", who))
        if posture.room != "bedroom":
            does += [Happening(at, What.LEFT, posture.room, who), Happening(at, What.MOVED, "bedroom", who)]
        if not posture.is_in_bed:
            does.append(Happening(at, What.LAY_DOWN, "bed", who))
        return does

    def _routine(self, who: Who) -> Routine | None:
        return self._household.resident if who is Who.RESIDENT else self._household.partner

    def _is_at_home(self, who: Who) -> bool:
        """Return whether no order keeps someone who lives here away."""
        if self._routine(who) is None or self._condition.whereabouts is Whereabouts.HOLIDAY:
            return False
        return who is Who.PARTNER or self._condition.whereabouts is not Whereabouts.AWAY

    def _is_lying(self, who: Who) -> bool:
        return who is Who.RESIDENT and self._condition.whereabouts is Whereabouts.LYING

    def _remember(self, happening: Happening) -> None:
        """Keep track of where someone is and what they have begun."""
        who, what = happening.who, happening.what
        if what in (What.DOOR_OPENED, What.SWITCHED_ON):
            self._begun[who].add(happening.room)
        elif what in (What.DOOR_CLOSED, What.SWITCHED_OFF):
            self._begun[who].discard(happening.room)
        if who in LIVE_HERE:
            self._posture[who] = _posture_after(self._posture[who], happening)


def _ended_without_them(order: Order) -> list[Happening]:
    """Return what ends while the resident is away or lies on the floor: a neighbour shuts the door."""
    if order.do is Do.GET_WELL:
        return [Happening(order.at, What.GOT_WELL, "")]
    return [Happening(order.at, what, "front door", Who.VISITOR) for what in (What.DOOR_CLOSED, What.SHUT_THE_DOOR)]


def _posture_after(posture: Posture, happening: Happening) -> Posture:
    match happening.what:
        case What.MOVED | What.CAME_HOME:
            room = "hallway" if happening.what is What.CAME_HOME else happening.room
            return posture if room == posture.room else replace(posture, room=room)
        case What.LAY_DOWN | What.GOT_UP:
            return replace(posture, is_in_bed=happening.what is What.LAY_DOWN)
        case What.SAT_DOWN | What.STOOD_UP:
            return replace(posture, is_seated=happening.what is What.SAT_DOWN)
        case What.SWITCHED_ON | What.SWITCHED_OFF if happening.room == "television":
            return replace(posture, has_television_on=happening.what is What.SWITCHED_ON)
        case What.WENT_OUT | What.WENT_ON_HOLIDAY:
            return replace(posture, room="outside", is_in_bed=False, is_seated=False)
    return posture
