"""Is *watched* only said while it is known?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Question, State
from alerts.judging.policy import DEFAULT
from alerts.judging.quiet import Quiet
from alerts.judging.watched import CLOCK, HUB, RADIO, US, Watched
from alerts.store import GRACE, Alert, Contact, HomeWatch, Resident
from api.views import state

NOW = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)
MARGARET = Resident("h", "Margaret", "Margaret Reid", "+441632960112", "14 Shore Road", None)
ANNE, JIM = Contact("anne", "Anne Reid", "daughter", "+447700900101"), Contact("jim", "Jim Docherty", None, None)
STRETCH = timedelta(0)


def watch(**facts: Any) -> HomeWatch:
    """Return a home that is watched on a usual morning, but for what is said."""
    usual: dict[str, Any] = {
        "home": "h",
        "state": Watched.WATCHED,
        "why": (),
        "since": NOW - timedelta(days=8),
        "fine_until": NOW + timedelta(minutes=3),
        "last_seen_at": NOW - timedelta(minutes=7),
        "last_seen_room": "lounge",
        "last_seen_sensor": "lounge-motion",
        "up_since": NOW - timedelta(hours=3),
        "next_alert_at": NOW + timedelta(hours=3),
        "next_alert_why": {},
        "learning": {},
        "last_heard_at": None,
        "true_at": NOW,
    }
    return HomeWatch(**usual | facts)


def alert(**facts: Any) -> Alert:
    """Return an open stillness, but for what is said."""
    usual: dict[str, Any] = dict.fromkeys(Alert.__slots__) | {
        "alert": 1,
        "home": "h",
        "question": Question.STILL,
        "is_fault": False,
        "for_operator": False,
        "since": NOW - timedelta(hours=4),
        "at": NOW,
        "raised_at": NOW,
        "why": {"last_seen_room": "bedroom"},
        "state": State.OPEN,
    }
    return Alert(**usual | facts)


def block_of(seen: HomeWatch | None, *alerts: Alert, speed: float = 1.0) -> state.Block:
    """Return what a family page says first."""
    told = state.truth(seen, now=NOW, speed=speed, stretch=STRETCH)
    return state.family_block(MARGARET, seen, told, alerts, now=NOW)


@pytest.mark.parametrize("seen_as", Watched)
def test_each_way_in_which_a_home_is_seen_has_its_word(seen_as: Watched) -> None:
    """A state without a word stopped a carer's whole list: the next one that is added is found here."""
    told = state.Truth(seen_as, (), NOW, NOW, timedelta(0))

    assert state.seen_as(watch(state=seen_as), told) == state.SEEN_AS[seen_as]
    assert set(state.SEEN_AS) == set(Watched)


def test_who_is_away_is_not_paused() -> None:
    """A daughter who wrote that her mother is away must not read that her mother asked not to be watched."""
    away = watch(state=Watched.PAUSED, next_alert_why={"kind": "away"})
    paused = watch(state=Watched.PAUSED, next_alert_why={"kind": "paused"})
    lapsed = state.Truth(Watched.BLIND, (US,), NOW, NOW, timedelta(0))

    assert (block_of(away).word, block_of(paused).word) == ("Away", "Paused")
    assert state.seen_as(away, lapsed) == "We cannot see"


LEASES = st.timedeltas(timedelta(days=-2), timedelta(days=2))


@given(LEASES, st.sampled_from(Watched), st.floats(0, 10_000), st.timedeltas(timedelta(0), timedelta(days=1)))
def test_after_its_lease_no_home_is_said_to_be_watched(
    left: timedelta, written: Watched, speed: float, behind: timedelta
) -> None:
    """Whatever died, and whatever is written: from fine_until on nobody knows."""
    seen = watch(state=written, fine_until=NOW + left, true_at=NOW - behind)

    told = state.truth(seen, now=NOW, speed=speed, stretch=STRETCH)

    # A pause does not lapse: it was never fine.
    is_known = written is Watched.PAUSED or (left > timedelta(0) and written is not Watched.BLIND)
    assert told.state is (written if is_known else Watched.BLIND)


@given(st.timedeltas(timedelta(microseconds=1), timedelta(days=2)), st.floats(0.001, 10_000))
def test_a_page_never_outlives_its_lease(left: timedelta, speed: float) -> None:
    """A page left open lapses by itself; on a clock that runs fast the lease is over sooner."""
    told = state.truth(watch(fine_until=NOW + left), now=NOW, speed=speed, stretch=STRETCH)

    assert told.lasts <= timedelta(minutes=5)
    assert told.lasts * speed <= left + timedelta(milliseconds=10)


@given(st.floats(0, 300), st.booleans())
def test_a_script_looks_again_before_the_page_lapses(lasts_s: float, is_alert: bool) -> None:
    """A page in view must not flicker into *not known*, nor ask more than once a second."""
    told = state.Truth(Watched.WATCHED, (), NOW, NOW, timedelta(seconds=lasts_s))

    lease = state.lease([told], is_alert=is_alert)

    assert 1 <= lease.again_s <= 30
    assert lease.again_s <= lease.lasts_s or lease.lasts_s < 2


def test_our_own_standstill_is_called_our_fault() -> None:
    """A family that is told to check the broadband while we are down is sent the wrong way."""
    told = state.truth(watch(fine_until=NOW, true_at=NOW - GRACE), now=NOW, speed=1.0, stretch=STRETCH)

    assert told.why == (US,)


@pytest.mark.parametrize("true_at", [NOW, NOW - timedelta(hours=1)])
def test_our_own_fault_is_said_once(true_at: datetime) -> None:
    """The log says it and the lapsed lease says it: twice the same sentence reads like a fault of the page."""
    told = state.truth(watch(state=Watched.BLIND, why=(US,), true_at=true_at), now=NOW, speed=1.0, stretch=STRETCH)

    assert told.why == (US,)


def test_a_box_that_is_late_is_not_called_our_fault() -> None:
    """The judge is up to date and about to say it; the page says it already."""
    told = state.truth(watch(fine_until=NOW, true_at=NOW), now=NOW, speed=1.0, stretch=STRETCH)

    assert told.why == (HUB,)


def test_a_broken_promise_is_dated_from_the_last_thing_heard() -> None:
    """The minutes between the last heartbeat and the moment it was missed are not known either."""
    heard_at = NOW - timedelta(minutes=3)

    told = state.truth(watch(fine_until=NOW, last_heard_at=heard_at), now=NOW, speed=1.0, stretch=STRETCH)

    assert told.since == heard_at


def test_our_own_standstill_is_dated_from_the_last_moment_judged() -> None:
    """What was judged holds until then, however long ago the box was heard; after it nobody knows."""
    judged = NOW - timedelta(hours=1)
    seen = watch(fine_until=judged + GRACE, true_at=judged, last_heard_at=judged - timedelta(minutes=1))

    assert state.truth(seen, now=NOW, speed=1.0, stretch=STRETCH).since == judged


def test_a_home_that_nobody_ever_judged_is_not_seen() -> None:
    """Nothing written is not good news."""
    block = block_of(None)

    assert block.kind == "blind"
    assert "We do not know how Margaret is." in block.say


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "Margaret has been up since 06:14. Last in the lounge at 09:07."),
        ({"last_seen_room": None}, "Margaret has been up since 06:14. Last seen moving at 09:07."),
        ({"up_since": None}, "Margaret was last seen in the lounge at 09:07."),
        ({"up_since": NOW - timedelta(days=1)}, "Margaret was last seen in the lounge at 09:07."),
        ({"last_seen_at": None, "up_since": None}, "We have not seen Margaret move yet."),
        ({"last_seen_room": "Front door"}, "Margaret has been up since 06:14. Last at the front door at 09:07."),
        (
            {"up_since": None, "last_seen_at": NOW - timedelta(hours=10), "last_seen_room": "bedroom"},
            "Margaret was last seen in the bedroom at 23:14 yesterday.",
        ),
    ],
)
def test_the_sentence_says_what_was_seen_and_no_more(facts: dict[str, Any], said: str) -> None:
    """Up since, where last and when: each only where it is known."""
    assert block_of(watch(**facts)).say == said


@pytest.mark.parametrize(
    ("facts", "kind", "word"),
    [
        ({}, "watched", "Watched"),
        ({"learning": {"days": 8, "of": 14}}, "learning", "Watched, still learning"),
        ({"learning": {"days": 14, "of": 14}}, "watched", "Watched"),
        ({"state": Watched.DEGRADED, "why": (CLOCK,)}, "degraded", "Partly watched"),
        ({"state": Watched.DEGRADED, "why": (HUB,), "learning": {"days": 1, "of": 14}}, "degraded", "Partly watched"),
        ({"state": Watched.BLIND, "why": (RADIO,)}, "blind", "We cannot see Margaret\u2019s home"),
    ],
)
def test_each_state_has_its_word(facts: dict[str, Any], kind: str, word: str) -> None:
    """Colour is never alone, and untrained is not calm."""
    block = block_of(watch(**facts))

    assert (block.kind, block.word) == (kind, word)


@given(st.text(max_size=20), st.sampled_from(Watched))
def test_an_unknown_reason_breaks_nothing(why: str, written: Watched) -> None:
    """A newer judge may give a reason that this page does not know; it must still say that we cannot see."""
    block = block_of(watch(state=written, why=(why,), fine_until=NOW + timedelta(minutes=1)))

    assert block.say


def test_a_blind_home_warns_of_the_pendant() -> None:
    """It goes through the same box; who counts on it must know."""
    block = block_of(watch(state=Watched.BLIND, why=(HUB,), since=NOW - timedelta(hours=7)))

    assert "since 02:14" in block.say
    assert "Do not count on a pendant: it goes the same way." in block.why
    assert block.aged is None


def test_an_open_alert_in_a_home_that_we_cannot_see_says_both() -> None:
    """The alert is on the page, and so is that nothing new would reach us."""
    block = block_of(watch(fine_until=NOW, true_at=NOW - timedelta(hours=1)), alert())

    assert block.kind == "alert"
    assert block.why[-1] == "We cannot see the home now. Our own service has not kept up. It is our fault."


def test_a_call_for_help_comes_before_a_stillness() -> None:
    """Two alerts at once: what a person asked for is said first, and neither is swallowed."""
    calls = alert(alert=2, question=Question.ALARM, why={"quantity": "fall_alarm"}, since=NOW)

    block = block_of(watch(), calls, alert())

    assert block.say == "A fall detector called for help at 09:14. Nobody has said “mine” yet."
    assert "Also: Margaret has not been seen to move since 05:14." in block.why


def next_of(seen: HomeWatch | None, *, can_text: bool = True) -> state.Next:
    """Return what happens next, as Anne reads it."""
    told = state.truth(seen, now=NOW, speed=1.0, stretch=STRETCH)
    return state.what_next(MARGARET, seen, told, [ANNE, JIM], DEFAULT, "anne", now=NOW, can_text=can_text)


def test_what_happens_next_names_who_and_when() -> None:
    """Whoever relies on us must be able to check what we would do, to the minute."""
    planned = next_of(watch())

    assert [(step.at, step.said) for step in planned.steps] == [
        (NOW + timedelta(hours=3), "We text Anne Reid (you)."),
        (NOW + timedelta(hours=3, minutes=5), "If nobody has said “mine”: we text Jim Docherty."),
    ]


@pytest.mark.parametrize(
    "seen",
    [None, watch(state=Watched.BLIND), watch(fine_until=NOW), watch(next_alert_at=None), watch(next_alert_at=NOW)],
)
def test_nothing_is_promised_that_will_not_happen(seen: HomeWatch | None) -> None:
    """Blind, not watched, or raised already: no picture of a wait, no steps, and the reason."""
    planned = next_of(seen)

    assert planned.steps == ()
    assert planned.until is None
    assert planned.intro


def test_without_texts_no_text_is_promised() -> None:
    """A service without Twilio must not say that it texts."""
    planned = next_of(watch(), can_text=False)

    assert planned.steps == ()
    assert planned.intro.endswith("Nobody can be texted.")


def test_people_are_in_the_order_in_which_they_are_told() -> None:
    """The reader is not told her own number, and knows when it is her turn."""
    lines = state.people(MARGARET, [ANNE, JIM], "anne")

    assert [(line.place, line.said, line.phone) for line in lines] == [
        ("Margaret", "", "+441632960112"),
        ("First", "Anne Reid (you)", None),
        ("Then", "Jim Docherty", None),
    ]


def test_an_open_alert_says_until_when_we_wait() -> None:
    """Who reads that nobody has said mine must read what we do about it, and when."""
    block = block_of(watch(), alert(next_telling_at=NOW + timedelta(minutes=5)))

    assert "We wait for a “mine” until 09:19, and then go on down the list." in block.why


@pytest.mark.parametrize(
    "facts",
    [
        {"next_telling_at": NOW},
        {"next_telling_at": NOW + timedelta(minutes=5), "nobody_left_at": NOW},
        {"next_telling_at": NOW + timedelta(minutes=5), "state": State.ACKNOWLEDGED, "mine_by_name": "Jim"},
    ],
)
def test_no_next_step_is_promised_that_will_not_come(facts: dict[str, Any]) -> None:
    """Nobody left, somebody's already, or late: the page must not say that we go on."""
    assert not any("go on" in line for line in block_of(watch(), alert(**facts)).why)


@pytest.mark.parametrize("written", [Watched.DEGRADED, Watched.BLIND])
def test_a_home_that_is_not_wholly_seen_says_who_mends_it(written: Watched) -> None:
    """Partly watched is bearable only to who knows that somebody sees to it."""
    seen = watch(state=written, why=(HUB,))
    told = state.truth(seen, now=NOW, speed=1.0, stretch=STRETCH)
    fault = alert(question=Question.HUB_SILENT, is_fault=True)
    taken = alert(question=Question.HUB_SILENT, is_fault=True, state=State.ACKNOWLEDGED, mine_by_name="Farah Khan")

    nobody = state.family_block(MARGARET, seen, told, [], now=NOW, faults=[fault])
    somebody = state.family_block(MARGARET, seen, told, [], now=NOW, faults=[fault, taken])

    assert nobody.why[-1] == "It was reported at 09:14; nobody has said yet that they will see to it."
    assert somebody.why[-1] == "Farah Khan has said that they will see to it."


@given(st.sampled_from(Quiet), st.sampled_from([Watched.WATCHED, Watched.DEGRADED, Watched.PAUSED]))
def test_what_a_silence_would_be_sorted_as_is_what_the_judge_wrote(quiet: Quiet, seen: Watched) -> None:
    """While the lease holds there is one truth, and it is the judge's."""
    written = watch(state=seen, next_alert_why={"quiet": quiet.value})
    told = state.truth(written, now=NOW, speed=1.0, stretch=STRETCH)

    assert state.quiet_of(written, told, is_in_outage=False) is quiet


def test_where_the_lease_lapsed_a_silence_is_the_boxs_or_ours() -> None:
    """What was written of a home that is not seen any more says nothing of now."""
    written = watch(next_alert_why={"quiet": "resident still"})
    late = NOW + timedelta(minutes=3)
    boxs = state.truth(
        watch(next_alert_why={"quiet": "resident still"}, true_at=late), now=late, speed=1, stretch=STRETCH
    )
    ours = state.truth(written, now=NOW + timedelta(hours=1), speed=1.0, stretch=STRETCH)

    assert state.quiet_of(written, boxs, is_in_outage=False) is Quiet.HUB
    assert state.quiet_of(written, boxs, is_in_outage=True) is Quiet.AREA
    assert state.quiet_of(written, ours, is_in_outage=True) is Quiet.OURS


def test_of_a_home_that_was_never_judged_nothing_is_claimed() -> None:
    """A home that is set up tomorrow is nobody's silence."""
    told = state.truth(None, now=NOW, speed=1.0, stretch=STRETCH)

    assert state.quiet_of(None, told, is_in_outage=False) is Quiet.NEVER_HEARD
