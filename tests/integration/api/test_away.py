"""Somebody is away, or asked not to be watched: who may say so, what does it change, and how does it end?"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.world.pages import ANNE, CONTROL, JIM, MARGARETS, MORAG, NINE, Street

HERE = f"/homes/{MARGARETS}/away"
SETUP = f"/operator/homes/{MARGARETS}/setup"
WROTE = {"kind": "away", "until": "2026-06-20", "why": "hip, says Anne"}


async def inputs(street: Street) -> list[dict[str, Any]]:
    rows = await street.sql(
        "SELECT content FROM judging_input WHERE home = %s AND kind = 'pause' ORDER BY input", MARGARETS
    )
    return [content for (content,) in rows]


async def test_a_carer_writes_down_that_somebody_is_away_and_judgement_knows_from_when(street: Street) -> None:
    """The neighbour who waved at the ambulance need not ring an operator at night."""
    browser = await street.browser(JIM.person)

    answer = await browser.post(f"{HERE}/away", data=WROTE)
    page = (await browser.get(HERE)).text
    ((by, until),) = await street.sql("SELECT written_by, until FROM pause WHERE home = %s", MARGARETS)
    (given,) = await inputs(street)

    assert (answer.status_code, answer.headers["location"]) == (303, HERE)
    assert "Away until 00:00 on Sunday 21 June: hip, says Anne. Written by Jim Docherty." in page
    assert by == "jim"
    assert {**given, "until": datetime.fromisoformat(given["until"])} == {
        "kind": "away",
        "since": NINE.isoformat(),
        "until": until,
    }


async def test_an_operator_writes_it_on_the_set_up_page_and_takes_it_back(street: Street) -> None:
    """She is home early: from now on somebody looks for her again, and it is on record who said so."""
    browser = await street.browser(CONTROL.person)
    await browser.post(f"{SETUP}/away", data={**WROTE, "kind": "paused"})
    paused = (await browser.get(SETUP)).text

    await browser.post(f"{SETUP}/away-gone", data={})
    page = (await browser.get(SETUP)).text

    assert "Paused by the resident until 00:00 on Sunday 21 June" in paused
    assert "Paused by the resident until" not in page
    assert (await inputs(street))[-1] == {}
    assert await street.sql("SELECT ended_by FROM pause") == [("control",)]


async def test_a_second_one_takes_the_place_of_the_first(street: Street) -> None:
    """It takes longer than they thought; two ends would be none."""
    browser = await street.browser(JIM.person)
    await browser.post(f"{HERE}/away", data=WROTE)
    await browser.post(f"{HERE}/away", data={**WROTE, "until": "2026-06-25 18:00"})

    page = (await browser.get(HERE)).text

    assert "Away until 18:00 on Thursday 25 June" in page
    assert await street.sql("SELECT count(*) FROM pause WHERE ended_at IS NULL") == [(1,)]


@pytest.mark.parametrize(
    ("wrote", "word"),
    [
        ({"until": ""}, "Is needed"),
        ({"why": ""}, "Is needed"),
        ({"until": "2026-06-15"}, "Is over already"),
        ({"until": "2026-12-24"}, "more than 92 days after it"),
        ({"until": "soon"}, "is not a day such as"),
        ({"since": "2026-06-22 10:00"}, "before the beginning"),
        ({"kind": "gone"}, "is none of away, paused"),
    ],
)
async def test_what_cannot_be_written_says_why_and_changes_nothing(
    street: Street, wrote: dict[str, str], word: str
) -> None:
    """A pause without an end is a home that nobody watches and everybody has forgotten."""
    answer = await (await street.browser(JIM.person)).post(f"{HERE}/away", data={**WROTE, **wrote})

    assert answer.status_code == 422
    assert word in answer.text
    assert await inputs(street) == []


async def test_who_does_not_care_for_a_home_can_neither_see_nor_say_it(street: Street) -> None:
    """That a flat stands empty is what a burglar would like to know."""
    stranger = await street.browser(MORAG.person)

    assert (await stranger.get(HERE)).status_code == 404
    assert (await stranger.post(f"{HERE}/away", data=WROTE)).status_code == 404
    assert (await stranger.post(f"{HERE}/away-gone", data={})).status_code == 404
    assert await inputs(street) == []


async def test_a_family_reads_that_she_is_away_and_until_when_and_never_that_all_is_well(street: Street) -> None:
    """P2: of an empty flat nobody knows how she is."""
    await street.home_is("watched")
    why = {"reason": "paused", "kind": "away", "until": (NINE + timedelta(days=2)).isoformat()}
    await street.sql(
        "UPDATE home_watch SET state = 'paused', why = '{paused,hub}', next_alert_at = NULL, "
        "next_alert_why = jsonb_build_object('reason', 'paused', 'kind', 'away', 'until', %s::text) WHERE home = %s",
        why["until"],
        MARGARETS,
    )

    page = (await (await street.browser(ANNE.person)).get(f"/homes/{MARGARETS}")).text

    assert "Margaret is away." in page
    assert "Alarms are always told. That ends at 09:14 on Thursday 18 June." in page
    assert "Do not count on a pendant: it goes the same way." in page
    assert "Seen without a gap" not in page
