"""Is a sensor that reports and notices nothing found, and one that had nothing to notice left alone?"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.alert import Question
from alerts.judging.detectors.sensor_stuck import Stuck
from alerts.judging.finding import JSON, Ended, Finding
from alerts.judging.given import Close, Sensor
from alerts.judging.ground import Ground
from alerts.judging.home import FORMAT, HomeState, dump, load
from alerts.judging.policy import Policy
from alerts.judging.quiet import Quiet
from alerts.judging.sensed import Place, Sensed
from alerts.judging.sorting import of_alert
from alerts.judging.watched import Watched, hides_life, silent_in
from tests.unit.alerts.judging.recorded import HOME, NINE, Lane, hours, minutes, movement, one, said, warmth

DAY = timedelta(days=1)
ROOMS = ("kitchen", "lounge", "bathroom", "spare room")
SENSORS = (*(Sensor(f"pir-{room}", room, "motion") for room in ROOMS), Sensor("door", "back door", "contact"))
POLICY = Policy(policy=3, stuck_times=2.0)
GROUND = Ground(HOME, NINE, POLICY, timedelta(0), Quiet.STILL)


class Home:
    """The sensors of a home, in which somebody lives from the first hour of a day to the fifteenth."""

    def __init__(self, *sensors: Sensor, ground: Ground = GROUND) -> None:
        self.stuck, self.at, self.ground = Stuck(), NINE, ground
        self.found: list[Finding] = []
        self.ended: list[Ended] = []
        self.stuck.expect(sensors or SENSORS, since=NINE)

    def says(self, sensor: str, quantity: str, *, at: datetime | None = None, value: float = 1.0) -> None:
        when = at or self.at
        self.ground = replace(self.ground, as_of=max(self.ground.as_of, when))
        is_life = quantity in {"movement", "open"}
        room = sensor.removeprefix("pir-")
        reading = Sensed(when, self.at, "hub", sensor, room, "", Place.ROOM, quantity, value, is_life=is_life)
        self.ended += [each for each in self.stuck.take(reading, self.ground) if isinstance(each, Ended)]
        while (due := self.stuck.due(self.ground)) is not None and due <= self.ground.as_of:
            found = self.stuck.judge(self.ground, at=due)
            self.found += [each for each in found if isinstance(each, Finding)]

    def lives(self, days: float, *, without: Iterable[str] = (), reports: bool = True) -> None:
        """Kitchen and lounge every hour by day, the bathroom every third; what is `without` notices nobody."""
        missing = {f"pir-{room}" for room in without}
        until = self.at + timedelta(days=days)
        while self.at < until:
            hour = (self.at - NINE) // hours(1) % 24
            if hour < 15:
                here = ("kitchen", "lounge", "bathroom") if hour % 3 == 0 else ("kitchen", "lounge")
                for number, sensor in enumerate(f"pir-{room}" for room in here):
                    if sensor not in missing:
                        self.says(sensor, "movement", at=self.at + minutes(16 * number))
            self.at += hours(1)
            if hour % 4 == 0 and reports:
                for sensor in self.stuck.known:
                    self.says(sensor, "link_quality")

    def closes(self, finding: Finding, outcome: str) -> None:
        self.stuck.close(Close(finding.question, finding.episode, outcome, "Ann", self.at))


@pytest.fixture
def home() -> Home:
    """A home of which it is known what is usual."""
    home = Home()
    home.lives(9)
    return home


def test_a_sensor_that_reports_and_notices_nothing_is_found(home: Home) -> None:
    """It keeps its promise, and somebody could lie in front of it."""
    last = home.stuck.known["pir-bathroom"].noticed_at
    assert home.found == []

    home.lives(2, without=["bathroom"])

    found = one(home.found)
    assert (found.question, found.since, found.why["sensor"]) == (Question.SENSOR_STUCK, last, "pir-bathroom")
    # Thirty quarters of an hour a day are lived elsewhere; twice sixteen are waited for, however little is usual.
    assert (found.why["missed_s"], found.why["usual_s"]) == (34 * 900, 16 * 900)
    assert last is not None
    assert found.at <= last + hours(30)
    assert of_alert(found.question, found.why) is Quiet.SENSOR


def test_one_that_notices_something_again_is_well(home: Home) -> None:
    """A fault mends itself, and those told are told."""
    home.lives(2, without=["bathroom"])
    home.lives(1)

    assert [ended.episode for ended in home.ended] == [found.episode for found in home.found]
    assert home.stuck.stuck(POLICY) == ()


def test_an_empty_home_has_nothing_to_notice(home: Home) -> None:
    """A fortnight in hospital must not send anybody to change five sensors."""
    home.lives(14, without=ROOMS)

    assert home.found == []


def test_one_that_does_not_report_is_not_stuck_but_silent(home: Home) -> None:
    """Two faults of one sensor would be told twice."""
    home.lives(4, without=["bathroom"], reports=False)

    assert home.found == []


def test_who_keeps_to_the_bedroom_sticks_no_sensors(home: Home) -> None:
    """Illness looks like several sensors that stop on one day; those are told much later."""
    home.lives(2, without=["bathroom", "lounge"])

    assert home.found == []

    home.lives(4, without=["bathroom", "lounge"])
    assert {found.why["sensor"] for found in home.found} == {"pir-bathroom", "pir-lounge"}


def test_a_room_that_is_seldom_entered_is_waited_for(home: Home) -> None:
    """A spare room is no fault; a sensor that has seen nobody in a month of a lively home may be."""
    home.lives(21)
    assert home.found == []

    home.lives(16)
    assert one(home.found).why["sensor"] == "pir-spare room"
    assert one(home.found).why["last_noticed_at"] is None


def test_a_door_of_which_nothing_is_known_is_never_stuck() -> None:
    """A garden door stays shut all winter."""
    home = Home(*SENSORS[:3], SENSORS[-1])
    home.lives(45)

    assert home.found == []


def test_what_a_person_found_well_is_usual_from_then_on(home: Home) -> None:
    """Whoever looked must not be sent again the next day for the same."""
    home.lives(1.5, without=["bathroom"])
    found = one(home.found)

    home.closes(found, "all well")
    assert home.stuck.stuck(POLICY) == ()
    home.lives(0.5, without=["bathroom"])
    assert home.found == [found]
    home.lives(2, without=["bathroom"])

    usual_s, missed_s = home.found[1].why["usual_s"], home.found[1].why["missed_s"]
    assert isinstance(usual_s, int), "what it had missed when they looked"
    assert isinstance(missed_s, int)
    assert missed_s >= 2 * usual_s > 2 * 16 * 900
    assert home.found[1].again_of is not None, "it says who found it well before"


def test_what_was_mended_is_asked_anew(home: Home) -> None:
    """A sensor that was changed may be broken as well, and is found as soon as the first was."""
    home.lives(1.5, without=["bathroom"])
    home.closes(one(home.found), "mended")
    mended_at = home.at

    home.lives(2, without=["bathroom"])

    assert (home.found[1].since, home.found[1].why["usual_s"]) == (mended_at, 16 * 900)


def test_a_dead_month_does_not_let_a_sensor_off_for_months(home: Home) -> None:
    """What was too long is learnt as just too long."""
    home.lives(20, without=["bathroom"])
    home.lives(1)
    home.lives(4, without=["bathroom"])

    assert len(home.found) == 2


def test_a_hub_that_was_away_does_not_blame_its_sensors(home: Home) -> None:
    """Of two hubs one is back after three days: what others saw since is compared with its own past, hour by hour."""
    away_since = home.at
    home.stuck.known["pir-bathroom"].stuck.since = None
    home.lives(3, without=["bathroom"], reports=False)
    for hour in range(72):
        at = away_since + hours(hour)
        home.says("pir-bathroom", "link_quality", at=at)
        if hour % 24 < 15 and hour % 3 == 0:
            home.says("pir-bathroom", "movement", at=at + minutes(32))
        assert home.stuck.stuck(POLICY) == ()


def test_a_pause_counts_nothing(home: Home) -> None:
    """Somebody waters the plants while she is away."""
    home.ground = replace(home.ground, quiet=Quiet.PAUSED)
    home.lives(5, without=["bathroom"])
    home.ground = replace(home.ground, quiet=Quiet.STILL)
    home.lives(0.2, without=["bathroom"])

    assert home.found == []


def test_who_does_not_want_the_question_is_not_asked(home: Home) -> None:
    """An operator's word goes before ours."""
    policy = Policy(is_stuck_asked=False)
    home.ground = replace(home.ground, policy=policy)
    home.lives(3, without=["bathroom"])

    assert (home.found, home.stuck.stuck(policy)) == ([], ())


def test_a_thermometer_that_says_the_same_for_days_is_found() -> None:
    """A room's warmth changes; one that does not is not measured."""
    home = Home(Sensor("thermometer", "lounge", "climate"))
    for half_hour in range(48 * 8):
        home.at += minutes(30)
        home.says("thermometer", "temperature_c", value=19.0 + half_hour // 6 % 4 / 10)
    assert home.found == []
    for _ in range(48 * 4 + 4):
        home.at += minutes(30)
        home.says("thermometer", "temperature_c", value=19.3)

    found = one(home.found)
    assert (found.why["kind"], found.why["missed_s"]) == ("climate", 192 * 900)
    home.says("thermometer", "temperature_c", at=home.at + minutes(1), value=19.4)
    assert len(home.ended) == 1


# In a whole home.


def lived(lane: Lane, begins: datetime, *, days: int, without: str = "") -> None:
    for hour in range(24 * days):
        at = begins + hours(hour)
        rooms = ("kitchen", "lounge", *(("bathroom",) if hour % 3 == 0 else ())) if hour % 24 < 15 else ()
        moved = [movement(at, room=room) for room in rooms if room != without]
        checks = [said(at, f"pir-{room}", "link_quality", 90.0) for room in ("kitchen", "lounge", "bathroom")]
        lane.receive(*moved, *(checks if hour % 4 == 0 else ()), at=at)


@pytest.fixture
def lane() -> Lane:
    """A home with three sensors that is known for nine days; its hub need not report."""
    lane = Lane()
    lane.give("stretch", {"stretch_s": 60 * 86400.0}, at=NINE)
    lane.watch(policy=Policy(still_for=timedelta(days=7), learned=False))
    listed: list[JSON] = [{"sensor": each.sensor, "room": each.room, "kind": each.kind} for each in SENSORS[:3]]
    lane.give("sensors", {"sensors": listed}, at=NINE)
    lived(lane, NINE, days=9)
    return lane


def test_while_a_sensor_is_stuck_the_home_is_partly_watched_and_says_why(lane: Lane) -> None:
    """P2: nobody is shown as fine by a sensor that sees nothing."""
    assert lane.now().state is Watched.WATCHED

    lived(lane, NINE + 9 * DAY, days=3, without="bathroom")

    assert lane.now().state is Watched.DEGRADED
    (reason,) = lane.now().why
    silent = silent_in(reason)
    assert silent is not None
    assert (silent.sensor, silent.kind, silent.is_stuck) == ("bathroom", "motion", True)
    assert silent.since == one(lane.findings(Question.SENSOR_STUCK)).since
    assert hides_life(reason), "what nobody saw is not learnt as usual"
    lane.receive(movement(NINE + 12 * DAY, room="bathroom"), at=NINE + 12 * DAY)
    assert lane.now().state is Watched.WATCHED
    assert [ended.question for ended in lane.endings()] == [Question.SENSOR_STUCK]


def test_a_state_of_a_release_that_did_not_ask_goes_on(lane: Lane) -> None:
    """An update must not forget a home, and must ask the new question of the sensors that it has."""
    fields = msgspec.json.decode(dump(lane.judge.state_of(HOME)))
    del fields["stuck"]

    state = load(msgspec.json.encode(fields), FORMAT, "any")

    assert isinstance(state, HomeState)
    assert set(state.stuck.known) == {"pir-kitchen", "pir-lounge", "pir-bathroom"}
    assert {known.known_since for known in state.stuck.known.values()} == {state.as_of}


def test_a_saved_state_goes_on_as_if_it_had_not_been_saved(lane: Lane) -> None:
    """A restart in the middle must neither find it sooner nor later."""
    lived(lane, NINE + 9 * DAY, days=1, without="bathroom")
    state = lane.judge.state_of(HOME)
    again = load(dump(state), FORMAT, "any")

    assert again is not None
    assert again.stuck == state.stuck


def test_a_thermometer_is_not_stuck_by_movements(lane: Lane) -> None:
    """What others see says nothing of how warm it is."""
    listed: list[JSON] = [{"sensor": "thermometer", "room": "lounge", "kind": "climate"}]
    lane.give("sensors", {"sensors": listed}, at=NINE + 9 * DAY)
    lane.receive(warmth(NINE + 9 * DAY), at=NINE + 9 * DAY)
    lived(lane, NINE + 9 * DAY, days=3)

    assert lane.findings(Question.SENSOR_STUCK) == []


_NAMES = st.sampled_from(["pir-kitchen", "pir-lounge", "door"])
_HAPPENED = st.lists(
    st.tuples(_NAMES, st.sampled_from(["movement", "link_quality", "link_quality"]), st.integers(-90, 4000)),
    max_size=60,
)


@given(_HAPPENED, st.floats(1.5, 10))
@settings(max_examples=100, deadline=None)
def test_whatever_happens_only_what_reports_and_has_missed_too_much_is_stuck(
    happened: list[tuple[str, str, int]], times: float
) -> None:
    """Late, doubled and disordered readings must make no fault, and hide none of what a sensor shows."""
    policy = Policy(stuck_times=times)
    home = Home(*(SENSORS[0], SENSORS[1], SENSORS[4]), ground=replace(GROUND, policy=policy))
    for known in home.stuck.known.values():
        known.noticed, known.known_since = 20, NINE - 9 * DAY
    for sensor, quantity, later in happened:
        before = {name: known.missed for name, known in home.stuck.known.items()}
        home.at += minutes(later) if later > 0 else timedelta(0)
        home.says(sensor, quantity, at=home.at + minutes(min(later, 0)))
        for name, known in home.stuck.known.items():
            assert name == sensor or known.missed == before[name], "counted without a check-in"
            assert known.missed >= 0
            assert known.stuck.since in (None, known.since)
            assert known.stuck.since is None or known.missed >= times * 16
    assert msgspec.json.decode(msgspec.json.encode(home.stuck), type=Stuck) == home.stuck
