"""However a home is seen, does every page of everybody say so, in the right word?"""

from typing import Any

import httpx
import pytest

from tests.world.pages import ANNE, CONTROL, JIM, MARGARETS, MORAG, Street

# How a home may be seen, as it is written; the word on carers' and families' lists and on the home's own page.
_STATES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "watched": ("watched", {}, "Watched", "Watched"),
    "learning": ("watched", {"learning": {"days": 3, "of": 28}}, "Watched", "Watched, still learning"),
    "degraded": ("degraded", {"why": ["hub"]}, "Partly watched", "Partly watched"),
    "blind": ("blind", {"why": ["hub"]}, "We cannot see", "We cannot see Margaret\u2019s home"),
    "paused": ("paused", {"why": ["paused"], "next_alert_why": {"kind": "paused"}}, "Paused", "Paused"),
    "away": ("paused", {"why": ["paused"], "next_alert_why": {"kind": "away"}}, "Away", "Away"),
}
_OF_NO_HOME = ("/ledger", "/log-in", "/me", "/operator/people", "/operator/tokens", "/operator/homes/new", "/answer")
_ON_THE_FLEET = {"learning": "Learning", "degraded": "Partly", "blind": "Cannot see"}


def _pages(street: Street, alert: int) -> list[str]:
    """Return every address that speaks of homes, with a home and an alert in it; what is of no home is left out."""
    found = []
    for path, methods in street.app.openapi()["paths"].items():
        if "get" in methods and not path.startswith(_OF_NO_HOME):
            found.append(path.replace("{home}", MARGARETS).replace("{alert}", str(alert)))
    return [path for path in found if "{" not in path]


async def _says(browser: httpx.AsyncClient, path: str, tag: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200, path
    assert f">{tag}</span>" in answer.text, (path, tag)
    return answer.text


@pytest.mark.parametrize("seen", _STATES)
async def test_every_page_of_everybody_is_shown_however_a_home_is_seen(street: Street, seen: str) -> None:
    """One home that was away took the list of all homes from its carer: a page must not stop for a word."""
    state, facts, on_lists, on_its_page = _STATES[seen]
    alert = await street.hub_silent()
    browsers = {one.person: await street.browser(one.person) for one in (ANNE, JIM, MORAG, CONTROL)}
    await street.home_is(state, **facts)

    for person, browser in browsers.items():
        said = {path: (await browser.get(path)).status_code for path in _pages(street, alert)}
        assert {path: status for path, status in said.items() if status >= 500} == {}, person
        assert list(said.values()).count(200) >= 3, person
    await _says(browsers[JIM.person], "/carer", on_lists)
    await _says(browsers[CONTROL.person], "/carer", on_lists)
    await _says(browsers[ANNE.person], f"/homes/{MARGARETS}", on_its_page)
    await _says(browsers[CONTROL.person], f"/operator/homes/{MARGARETS}", on_its_page)
    fleet = await _says(browsers[CONTROL.person], f"/operator?q={MARGARETS}", _ON_THE_FLEET.get(seen, on_lists))
    await street.give(ANNE.person, "mill-lane-3", "family")
    await _says(browsers[ANNE.person], "/homes", on_lists)
    assert ("paused by the resident" in fleet.lower()) is (seen == "paused")
    assert ("Away, since" in fleet) is (seen == "away")
