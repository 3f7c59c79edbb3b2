"""What is wrong with us, by what our processes said?"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.watcher.judging import Alarm, Limits, wrong
from deploy.watcher.seen import Answer, Kind, Part, Seen
from ingest.db.pool import CANNOT_READ

NOW = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)
LIMITS = Limits()
PARTS = {kind: Part(kind, f"http://{kind.value}.example:1") for kind in Kind}


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


WELL: dict[Kind, dict[str, Any]] = {
    Kind.INGEST: {"lanes": 64, "complete_through": ago(1)},
    Kind.ALERTS: {
        "lanes": 64,
        "judged_through": ago(2),
        "judging_looked_at": ago(1),
        "telling_looked_at": ago(1),
        "oldest_untold_at": None,
        "texts": "Twilio",
    },
    Kind.API: {},
    Kind.PAGES: {},
    Kind.BACKUP: {"backup_age_s": 3600.0},
    Kind.BROKER: {},
}


def answer(kind: Kind, **said: Any) -> Answer:
    why = said.pop("why", {})
    known = {"silence", "ends_at", "said_at", "took"} & said.keys()
    fields = {name: said.pop(name) for name in known}
    return Answer(**{"at": NOW, "took": timedelta(0), "facts": WELL[kind] | said, "why": why, **fields})


def seen(**others: Answer) -> Seen:
    """Return a look at which all is well but for these, by kind."""
    return Seen({part: others.get(kind.name, answer(kind)) for kind, part in PARTS.items()}, timedelta(0), True)


def found(**others: Answer) -> set[Alarm]:
    return set(wrong(seen(**others), now=NOW, limits=LIMITS))


def test_while_all_is_well_nothing_is_said() -> None:
    """An operator who is woken for nothing does not get up the next time."""
    assert found() == set()


@pytest.mark.parametrize(
    ("kind", "alarms"),
    [
        (Kind.INGEST, {Alarm.INGEST}),
        (Kind.ALERTS, {Alarm.JUDGING, Alarm.TELLING}),
        (Kind.API, {Alarm.PAGES}),
        (Kind.PAGES, {Alarm.PAGES}),
        (Kind.BACKUP, {Alarm.BACKUP}),
        (Kind.BROKER, {Alarm.BROKER}),
    ],
)
def test_who_does_not_answer_stands_still(kind: Kind, alarms: set[Alarm]) -> None:
    """A stopped process takes connections and says nothing."""
    assert found(**{kind.name: answer(kind, silence="does not answer in time")}) == alarms


@pytest.mark.parametrize(
    ("kind", "said", "alarm"),
    [
        (Kind.INGEST, {"complete_through": ago(61)}, Alarm.INGEST),
        (Kind.INGEST, {"complete_through": None}, Alarm.INGEST),
        (Kind.INGEST, {"lanes": 63}, Alarm.INGEST),
        (Kind.ALERTS, {"judged_through": ago(61)}, Alarm.JUDGING),
        (Kind.ALERTS, {"judging_looked_at": ago(61)}, Alarm.JUDGING),
        (Kind.ALERTS, {"lanes": 32}, Alarm.JUDGING),
        (Kind.ALERTS, {"why": {"judging": "lanes [3] cannot be judged"}}, Alarm.JUDGING),
        (Kind.ALERTS, {"telling_looked_at": ago(61)}, Alarm.TELLING),
        (Kind.ALERTS, {"oldest_untold_at": ago(121)}, Alarm.TELLING),
        (Kind.ALERTS, {"why": {"telling": "alerts [7] cannot be asked on"}}, Alarm.TELLING),
        (Kind.ALERTS, {"texts": "no Twilio configured"}, Alarm.TELLING),
        (Kind.ALERTS, {"texts": "Twilio refuses our account: 401, code 20003"}, Alarm.TELLING),
        (Kind.API, {"why": {"database": "The database does not answer."}}, Alarm.DATABASE),
        (Kind.BACKUP, {"backup_age_s": 26 * 3600.0 + 1}, Alarm.BACKUP),
        (Kind.BACKUP, {"backup_age_s": math.inf}, Alarm.BACKUP),
        (Kind.BACKUP, {"backup_age_s": math.nan}, Alarm.BACKUP),
        (Kind.BACKUP, {"backup_age_s": None}, Alarm.BACKUP),
        (Kind.PAGES, {"ends_at": NOW + timedelta(days=13)}, Alarm.CERTIFICATE),
        (Kind.API, {"said_at": NOW + timedelta(seconds=31)}, Alarm.CLOCK),
        (Kind.API, {"said_at": NOW - timedelta(seconds=31)}, Alarm.CLOCK),
    ],
)
def test_an_open_port_is_no_progress(kind: Kind, said: dict[str, Any], alarm: Alarm) -> None:
    """Each of these answers at its address, and a home is not watched all the same."""
    assert found(**{kind.name: answer(kind, **said)}) == {alarm}


def test_two_workers_that_share_the_lanes_are_well() -> None:
    """A worker that stands by, with no lane of its own, is no alarm while the others have them all."""
    first, second = Part(Kind.INGEST, "http://a:1"), Part(Kind.INGEST, "http://b:1")
    for lanes in ((40, 24), (64, 0)):
        answers = {part: answer(Kind.INGEST, lanes=n) for part, n in zip((first, second), lanes, strict=True)}
        assert wrong(Seen(answers), now=NOW, limits=LIMITS) == {}


def test_of_a_cluster_one_node_is_enough() -> None:
    """Hubs go on to the next node; nobody is woken for what heals itself."""
    silent = Answer(NOW, timedelta(0), silence="does not answer (ConnectionRefusedError)")
    nodes = {Part(Kind.BROKER, f"mqtts://{node}.example:8883"): silent for node in "ab"}
    others = {part: answer(kind) for kind, part in PARTS.items() if kind is not Kind.BROKER}
    third = Part(Kind.BROKER, "mqtts://c.example:8883")

    assert set(wrong(Seen({**others, **nodes, third: silent}), now=NOW, limits=LIMITS)) == {Alarm.BROKER}
    assert wrong(Seen({**others, **nodes, third: answer(Kind.BROKER)}), now=NOW, limits=LIMITS) == {}


def test_a_database_that_is_away_is_one_alarm_and_not_five() -> None:
    """Without it nothing can be stored, judged or told: one thing to mend, one thing to say."""
    away = {"judging": "the database is away: OperationalError", "telling": "the database is away: PoolTimeout"}

    alarms = wrong(
        seen(
            INGEST=answer(Kind.INGEST, complete_through=ago(300), why={"database": "no word from the database"}),
            ALERTS=answer(Kind.ALERTS, lanes=0, judged_through=None, why=away),
            API=answer(Kind.API, why={"database": "The database does not answer."}),
        ),
        now=NOW,
        limits=LIMITS,
    )

    assert set(alarms) == {Alarm.DATABASE}


def test_a_disk_that_cannot_be_read_is_no_database_that_is_away() -> None:
    """Who waits for a database to come back waits for ever; and one lane's homes wait with them."""
    lanes = f"lanes [3] cannot be judged: {CANNOT_READ}"
    alarms = found(
        INGEST=answer(Kind.INGEST, complete_through=ago(300), why={"database": f"{CANNOT_READ}: hubs of lanes [3]"}),
        ALERTS=answer(Kind.ALERTS, lanes=63, why={"judging": lanes}),
    )

    assert alarms == {Alarm.DISK}
    # The block stays damaged for days.
    still = answer(Kind.ALERTS, lanes=63, why={"judging": lanes})
    away = answer(Kind.INGEST, complete_through=ago(3600), why={"database": "no word from the database"})
    assert found(INGEST=away, ALERTS=still) == {Alarm.DISK, Alarm.DATABASE}
    assert found(INGEST=answer(Kind.INGEST, lanes=10), ALERTS=still) == {Alarm.DISK, Alarm.INGEST}
    assert found(INGEST=answer(Kind.INGEST, complete_through=ago(3600)), ALERTS=still) == {Alarm.DISK, Alarm.INGEST}
    assert found(ALERTS=answer(Kind.ALERTS, why={"telling": f"{CANNOT_READ}: IoError"})) == {Alarm.DISK, Alarm.TELLING}


def test_a_process_that_is_dead_is_said_beside_the_database() -> None:
    """What is mended first is the database, and then there is another thing to mend."""
    away = answer(Kind.API, why={"database": "The database does not answer."})

    assert found(API=away, INGEST=answer(Kind.INGEST, silence="does not answer")) == {Alarm.DATABASE, Alarm.INGEST}


def test_a_text_that_waits_is_said_whatever_else_is_wrong() -> None:
    """A person may be on the floor; that the broker is away too does not explain it."""
    deaf = answer(Kind.INGEST, complete_through=ago(300), why={"broker": "not connected to the broker"})
    waiting = answer(Kind.ALERTS, judged_through=ago(300), oldest_untold_at=ago(200))

    assert found(INGEST=deaf, ALERTS=waiting) == {Alarm.BROKER, Alarm.TELLING}


def test_clocks_are_compared_with_the_time_outside_where_that_is_known() -> None:
    """A watcher whose own clock is off must not call every other clock wrong."""
    right = {kind.name: answer(kind, said_at=NOW + timedelta(seconds=90)) for kind in (Kind.INGEST, Kind.API)}
    look = Seen(seen(**right).answers, outside_off_by=timedelta(seconds=90), kernel_follows=False)

    assert wrong(look, now=NOW, limits=LIMITS) == {Alarm.CLOCK: "the watcher's own is 90 s behind"}


def test_a_clock_for_which_nobody_vouches_is_said() -> None:
    """Without a time server, and without a time from outside, ours may be an hour off and so may all be."""
    look = Seen(seen().answers, outside_off_by=None, kernel_follows=False)

    assert set(wrong(look, now=NOW, limits=LIMITS)) == {Alarm.CLOCK}
    simulated = Seen(look.answers, None, kernel_follows=False, is_simulated=True)
    assert wrong(simulated, now=NOW, limits=LIMITS) == {}


def test_a_slow_answer_is_not_a_wrong_clock() -> None:
    """Somewhere within the request the clock was read, and nobody knows where."""
    slow = answer(Kind.API, said_at=NOW + timedelta(seconds=34), took=timedelta(seconds=9))

    assert found(API=slow) == set()


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(sorted({name for said in WELL.values() for name in said} | {"why", "now", "ready"})),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.lists(st.none())),
    )
)
def test_whatever_is_answered_is_judged(said: dict[str, Any]) -> None:
    """A process of another release, or a stranger at its address, must not end the watcher."""
    why = said.pop("why", None)
    strange = Answer(NOW, timedelta(0), said, {"judging": str(why)} if why else {})

    for kind in Kind:
        wrong(Seen({PARTS[kind]: strange}), now=NOW, limits=LIMITS)
