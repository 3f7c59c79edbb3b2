"""A press reaches a phone, and nothing is lost on the way."""

import json

from tests.world.whole import Whole

HOME = "shore-road-14"


def test_a_press_reaches_the_second_carer_while_everything_dies_once(whole: Whole) -> None:
    """The whole reason why telecare is there, on one bad day for machines."""
    anne, jim = whole.phone("anne"), whole.phone("jim")
    see_the_home_watched(whole)

    # The resident presses while nobody receives, and the first carer's phone gets the text.
    whole.kill("ingest")
    whole.presses(HOME)
    anne.gets("Margaret", "pressed", within_s=90)

    # No answer comes.  Meanwhile the broker dies with its disk, and then the database.
    whole.wipe_broker()
    whole.kill("postgres")
    whole.clock.run_at(60)
    text = jim.gets("Margaret", "Anne", within_s=90)
    whole.clock.run_at(1)

    # The second carer answers from the phone, and the first is told.
    code = text.split("Reply ")[1].split()[0]
    jim.answers(f"{code} mine")
    anne.gets("Jim", within_s=60)

    # The second closes it with an outcome, and the first is told how it ended.
    alert = whole.value("SELECT alert FROM alert WHERE home = %s AND question = 'alarm'", HOME)
    with whole.signed_in("jim") as browser:
        page = browser.get(f"/homes/{HOME}/alerts/{alert}")
        assert "Margaret" in page.text
        browser.post(
            f"/homes/{HOME}/alerts/{alert}/outcome", data={"outcome": "help given", "word": "Back in her chair"}
        ).raise_for_status()
    anne.gets("Jim", "Margaret", "elp given", within_s=60)

    # The family page tells the story.
    with whole.signed_in("anne") as browser:
        story = browser.get(f"/homes/{HOME}").text
    for words in ("Margaret", "Jim", "elp given"):
        assert words in story

    see_every_press_stored_once(whole)
    see_all_that_was_taken_in_stored(whole)


def see_the_home_watched(whole: Whole) -> None:
    """Wait until the home is watched, as its page would say."""
    whole.until(
        lambda: whole.value("SELECT state FROM home_watch WHERE home = %s", HOME) == "watched",
        what="the home being watched",
    )


def see_every_press_stored_once(whole: Whole) -> None:
    presses = whole.value(
        "SELECT count(*) FROM reading WHERE home = %s AND quantity = 'pendant_alarm' AND observed_at > '2000-01-01'",
        HOME,
    )
    assert presses == 1
    assert whole.value("SELECT count(*) FROM alarm JOIN alert USING (alert) WHERE home = %s", HOME) == 1


def see_all_that_was_taken_in_stored(whole: Whole) -> None:
    """Hold the simulator's diary against the table: each thing that the gateway took in is there once."""
    lines = [json.loads(line) for line in (whole.platform.data / "diaries" / f"{HOME}.jsonl").read_text().splitlines()]
    taken_in = {line["serial"] for line in lines if line.get("radio") == "acknowledged"}
    moved = [
        line
        for line in lines
        if line.get("serial") in taken_in and line.get("what") == {"occupancy": True} and line.get("why") == "movement"
    ]

    def stored() -> object:
        return whole.value(
            "SELECT count(*) FROM reading WHERE home = %s AND quantity = 'movement' AND value = 1 "
            "AND observed_at > '2000-01-01'",
            HOME,
        )

    whole.until(lambda: stored() == len(moved), what=f"{len(moved)} movements in the table")
    assert whole.value("SELECT count(*) FROM lost_range") == 0
