"""A newer release writes into the same tables while this one still shows, tells and judges: does anything stop?"""

from datetime import timedelta

import httpx
from psycopg.types.json import Jsonb

from alerts import store
from api.v1.tokens import Scope
from tests.world.pages import ANNE, CONTROL, JIM, MARGARETS, MORAG, NINE, Street

ASKED = "kettle_unused"
"""A question that no release asks yet."""

_WORDS_OF_A_NEWER_RELEASE = {
    "alert": ("alert_outcome_is_known", "alert_state_is_known"),
    "notification": ("notification_state_is_known", "notification_purpose_is_known"),
    "home_watch": ("home_watch_state_is_known",),
    "watch_span": ("watch_span_state_is_known",),
    "session": ("session_way_is_known",),
    "pause": ("pause_kind_is_known",),
    "consent": ("consent_basis_is_known",),
    "confidence_report": ("confidence_report_origin_is_known",),
}


async def found_by_a_newer_release(street: Street, *, is_fault: bool = False, home: str | None = MARGARETS) -> int:
    """Write an alert as a newer release would, and return its number."""
    ((alert,),) = await street.sql(
        "INSERT INTO alert (home, hub, question, subject, episode, is_fault, for_operator, since, at, raised_at, why, "
        "state, next_telling_at) VALUES (%s, %s, %s, '', %s, %s, %s, %s, %s, %s, %s, 'open', %s) RETURNING alert",
        *(home, None if home else "hub-alone", ASKED, f"kettle/{is_fault}/{home}", is_fault, is_fault),
        *(street.now - timedelta(minutes=20), street.now, street.now),
        *(Jsonb({"what": "no tea since breakfast", "room": "kitchen", "cups": {"usual": 5}}), street.now),
    )
    return int(alert)


async def _speaks_of_things_unknown(street: Street) -> list[int]:
    """Fill the tables with words of a newer release, as its migrations would let it; return its alerts."""
    for table, constraints in _WORDS_OF_A_NEWER_RELEASE.items():
        for constraint in constraints:
            await street.sql(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    found = [
        await found_by_a_newer_release(street),
        await found_by_a_newer_release(street, is_fault=True),
        await found_by_a_newer_release(street, home=None),
    ]
    ended = await street.still(since=street.now - timedelta(hours=5))
    await street.sql(
        "UPDATE alert SET state = 'closed', outcome = 'tea was made', closed_at = %s, closed_by = 'anne' "
        "WHERE alert = %s",
        *(street.now, ended),
    )
    held = await street.pendant_pressed()
    await street.sql("UPDATE alert SET state = 'half done' WHERE alert = %s", held)
    await street.sql("UPDATE notification SET state = 'read aloud', purpose = 'greeting' WHERE alert = %s", ended)
    await street.home_is("dim", why=["fog/of/some/kind", "fog"], next_alert_why={"question": ASKED, "none": "fog"})
    await street.could_see(
        (NINE - timedelta(days=2), NINE - timedelta(hours=1), "watched", []),
        (NINE - timedelta(hours=1), None, "dim", ["fog"]),
    )
    await street.sql("UPDATE consent SET basis = 'fog'")
    numbers = {
        "kettle_for_s": 3600,
        "still_for_s": 10**9,
        "waking_from": "noonish",
        "rules": [{"name": "tea", "sees": "steam"}],
    }
    await street.sql("UPDATE policy SET numbers = numbers || %s WHERE home = %s", Jsonb(numbers), MARGARETS)
    await street.sql(
        "INSERT INTO policy_version (scope, numbers, in_force_since, set_at, set_by, why, settled_at) "
        "VALUES ('all', %s, %s, %s, 'setup', 'tea', %s)",
        *(Jsonb(numbers), NINE, NINE, NINE),
    )
    return [*found, ended, held]


def _pages(street: Street, alerts: list[int]) -> list[str]:
    """Return every address that can be read as it is, or with a home, and with each of some alerts in it."""
    found = []
    for path, methods in street.app.openapi()["paths"].items():
        if "get" in methods:
            said = path.replace("{home}", MARGARETS)
            found += [said.replace("{alert}", str(alert)) for alert in alerts] if "{alert}" in said else [said]
    return [path for path in found if "{" not in path]


async def test_every_page_is_shown_beside_a_newer_release(street: Street) -> None:
    """A page that stops in the middle of an upgrade is a carer who does not know where to go."""
    alerts = await _speaks_of_things_unknown(street)
    browsers = {one.person: await street.browser(one.person) for one in (ANNE, JIM, MORAG, CONTROL)}
    await street.sql("UPDATE session SET way = 'palm'")

    for person, browser in browsers.items():
        said = {path: (await browser.get(path)).status_code for path in _pages(street, alerts)}

        assert {path: status for path, status in said.items() if status >= 500} == {}, person
        assert list(said.values()).count(200) >= 5, person


async def test_an_alert_of_a_newer_release_says_what_it_carries_itself(street: Street) -> None:
    """Who is to go must read at least what it was called, since when, and what was found."""
    await street.home_is("watched")
    alert = await found_by_a_newer_release(street)

    page = await (await street.browser(ANNE.person)).get(f"/homes/{MARGARETS}/alerts/{alert}")
    family = await (await street.browser(ANNE.person)).get(f"/homes/{MARGARETS}")
    fleet = await (await street.browser(CONTROL.person)).get("/operator")

    assert "Something needs a look at Margaret Reid" in page.text
    assert "home since 08:54: “kettle unused”." in page.text
    assert "It says: no tea since breakfast, kitchen." in page.text
    assert "Watched</" not in family.text
    assert "kettle unused" in family.text
    assert "kettle unused" in fleet.text


async def test_programs_read_and_answer_what_a_newer_release_found(street: Street) -> None:
    """A dashboard of the office must not go dark because one word in it is new."""
    alerts = await _speaks_of_things_unknown(street)
    program = await street.program(ANNE.person, Scope.ALERTS_READ, Scope.ALERTS_ANSWER, Scope.HOMES_READ)

    listed = (await program.get("/api/v1/alerts", params={"state": "any"})).json()["items"]
    home = (await program.get(f"/api/v1/homes/{MARGARETS}")).json()
    ended = await program.post(f"/api/v1/homes/{MARGARETS}/alerts/{alerts[0]}/outcome", json={"outcome": "all well"})

    assert {one["question"] for one in listed} >= {ASKED}
    assert {one["outcome"] for one in listed} == {None, "tea was made"}
    assert home["state"] == "blind", "never fine by a word that is not known"
    assert (ended.status_code, ended.json()["state"]) == (200, "closed")


async def test_a_home_is_listed_however_it_is_seen(street: Street) -> None:
    """One home that is away must not take the list of all homes from its carer."""
    await street.sql("ALTER TABLE home_watch DROP CONSTRAINT home_watch_state_is_known")
    asked = [(JIM.person, "/carer"), (ANNE.person, f"/homes/{MARGARETS}"), (CONTROL.person, "/operator")]
    browsers = [(await street.browser(person), path) for person, path in asked]

    for state in ("watched", "degraded", "blind", "paused", "dim"):
        await street.home_is(state, why=[] if state == "watched" else ["paused" if state == "paused" else "hub"])
        answers: list[httpx.Response] = [await browser.get(path) for browser, path in browsers]

        assert [answer.status_code for answer in answers] == [200, 200, 200], state
        assert (await _counted(street))["blind" if state == "dim" else state] == 1


async def _counted(street: Street) -> dict[str, int]:
    """Return how many of the two homes are seen how; George's was never judged."""
    async with street.connection() as conn:
        counts = await store.count_homes(conn, now=street.now, stretch=timedelta(0))
    assert sum(counts.values()) == 2
    return {kind: count - (kind == "blind") for kind, count in counts.items()}
