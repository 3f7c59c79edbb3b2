"""What do programs get, of which homes, and does every look leave a record?"""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from api.v1.caller import PER_MINUTE
from api.v1.tokens import Scope
from tests.world.described import Request, requests
from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, MORAG, NINE, Street

V1 = "/api/v1"


def _described(street: Street) -> dict[str, Any]:
    (mounted,) = (route for route in street.app.routes if isinstance(route, Mount) and route.path == V1)
    assert isinstance(mounted.app, FastAPI)
    return mounted.app.openapi()


PUBLIC = {"/ledger", "/ledger/{quarter}", "/ledger/{quarter}/{edition}"}
"""What was published is as public to programs as its page; everything else asks for a token."""


def _requests(street: Street, home: str, alert: int = 1) -> list[Request]:
    """Return every request for programs that needs a token, with this home and alert in it."""
    return [
        replace(one, path=V1 + one.path)
        for one in requests(_described(street), home=home, alert=alert)
        if one.template not in PUBLIC
    ]


def _is_problem(answer: httpx.Response) -> bool:
    return (
        answer.headers["content-type"] == "application/problem+json" and answer.json()["status"] == answer.status_code
    )


async def test_every_address_for_programs_is_walked(street: Street) -> None:
    """The walks below are worth nothing if they walk nothing."""
    walked = {one.path for one in _requests(street, "H")}

    assert {f"{V1}/homes", f"{V1}/homes/H", f"{V1}/homes/H/readings", f"{V1}/homes/H/alerts/1/mine"} <= walked
    assert all("{" not in address for address in walked)


@pytest.mark.parametrize("said", [None, "Bearer ", "Bearer no-such-token", "Basic YTpi", "Bearer " + "x" * 5000])
async def test_without_a_token_every_address_is_the_same_401(street: Street, said: str | None) -> None:
    """A stranger learns nothing from any address, existing or not; and a program hears what to do."""
    stranger = street.caller(**({} if said is None else {"Authorization": said}))

    for home in (MARGARETS, "no-such-home"):
        for one in _requests(street, home):
            answer = await stranger.request(one.method, one.path, json=one.body)
            assert answer.status_code == 401, one
            assert answer.headers["www-authenticate"] == "Bearer"
            assert _is_problem(answer)


async def test_a_cookie_opens_nothing_for_programs(street: Street) -> None:
    """The check against other sites' forms is off here, so what a browser sends by itself must not count."""
    browser = await street.browser(ANNE.person)

    answer = await browser.get(f"{V1}/homes/{MARGARETS}")

    assert answer.status_code == 401


@pytest.mark.parametrize(("person", "only"), [(MORAG, None), (ANNE, None), (CONTROL, [GEORGES]), (ANNE, [GEORGES])])
async def test_a_home_that_was_not_given_is_answered_like_one_that_does_not_exist(
    street: Street, person: Any, only: list[str] | None
) -> None:
    """A token opens no more than its person may see, and no more than it was limited to."""
    hidden = GEORGES if person is ANNE and only is None else MARGARETS
    alert = await street.pendant_pressed(hidden)
    program = await street.program(person.person, *Scope, homes=only)

    walked, unseen = (
        [one for one in _requests(street, home, alert) if "{home}" in one.template] for home in (hidden, "no-such-home")
    )
    assert len(walked) > 30
    for real, none in zip(walked, unseen, strict=True):
        answers = [await program.request(one.method, one.path, json=one.body) for one in (real, none)]
        assert [one.status_code for one in answers] == [404, 404], real
        assert answers[0].content == answers[1].content


async def test_a_scope_that_is_missing_is_a_403(street: Street) -> None:
    """A program that draws a map of states must not be able to read nights, nor to close an alert."""
    await street.home_is("watched")
    alert = await street.pendant_pressed()
    program = await street.program(ANNE.person, Scope.HOMES_READ)

    refused = [
        (await program.request(method, address)).status_code
        for method, address in (
            ("GET", f"{V1}/homes/{MARGARETS}/readings"),
            ("GET", f"{V1}/homes/{MARGARETS}/people"),
            ("GET", f"{V1}/alerts"),
            ("GET", f"{V1}/fleet"),
            ("POST", f"{V1}/homes/{MARGARETS}/alerts/{alert}/mine"),
        )
    ]

    assert refused == [403] * 5
    assert (await program.get(f"{V1}/homes/{MARGARETS}")).status_code == 200


async def test_the_fleet_is_an_operators(street: Street) -> None:
    """Whatever scope was written into a relative's token, the street is not theirs."""
    program = await street.program(ANNE.person, Scope.FLEET_READ)

    assert (await program.get(f"{V1}/fleet")).status_code == 403


async def test_a_revoked_or_ended_token_opens_nothing_at_once(street: Street) -> None:
    """A key that got away is shut out now, not when it would have ended."""
    program = await street.program(ANNE.person, Scope.HOMES_READ)
    assert (await program.get(f"{V1}/homes")).status_code == 200

    await street.sql("UPDATE api_token SET revoked_at = now()")
    revoked = await program.get(f"{V1}/homes")
    await street.sql("UPDATE api_token SET revoked_at = NULL, valid_until = now() - interval '1 second'")
    ended = await program.get(f"{V1}/homes")

    assert [revoked.status_code, ended.status_code] == [401, 401]


async def test_a_withdrawn_grant_counts_for_programs_at_once(street: Street) -> None:
    """A resident who says no more means every way to look."""
    program = await street.program(ANNE.person, Scope.HOMES_READ)
    await street.give(ANNE.person, MARGARETS)

    assert (await program.get(f"{V1}/homes")).json()["items"] == []
    assert (await program.get(f"{V1}/homes/{MARGARETS}")).status_code == 404


async def test_a_home_says_until_when_it_is_known(street: Street) -> None:
    """A dashboard that shows an old answer as watched would be the failure that this project is against."""
    await street.home_is("watched")
    program = await street.program(ANNE.person, Scope.HOMES_READ)

    said = (await program.get(f"{V1}/homes/{MARGARETS}")).json()

    assert said["state"] == "watched"
    assert NINE < datetime.fromisoformat(said["not_known_from"]) <= NINE + timedelta(minutes=3)
    assert datetime.fromisoformat(said["true_at"]).utcoffset() == timedelta(0)
    assert said["resident"] is None


async def test_a_lapsed_lease_is_blind_whatever_is_written(street: Street) -> None:
    """P2: nothing that we answer says watched once a promise it rests on broke."""
    await street.could_see((NINE - timedelta(days=8), None, "watched", []))
    await street.home_is("watched")
    program = await street.program(CONTROL.person, Scope.HOMES_READ, Scope.FLEET_READ)
    street.set_clock(NINE + timedelta(minutes=3))

    one = (await program.get(f"{V1}/homes/{MARGARETS}")).json()
    spans = (await program.get(f"{V1}/homes/{MARGARETS}/spans")).json()
    fleet = (await program.get(f"{V1}/fleet")).json()

    assert (one["state"], one["not_known_from"], one["next_alert_at"]) == ("blind", None, None)
    assert [span["state"] for span in spans["items"]] == ["watched", "blind"]
    assert spans["blind_s"] > 0
    assert (fleet["watched"], fleet["blind"]) == (0, 2)


async def test_spans_add_up(street: Street) -> None:
    """What is reported as blind is what was blind in the time that was asked for, and no more."""
    gap = NINE - timedelta(hours=3)
    await street.could_see(
        (NINE - timedelta(days=2), gap, "watched", []),
        (gap, gap + timedelta(minutes=15), "blind", ["hub"]),
        (gap + timedelta(minutes=15), None, "watched", []),
    )
    await street.home_is("watched")
    program = await street.program(ANNE.person, Scope.HOMES_READ)

    day = (await program.get(f"{V1}/homes/{MARGARETS}/spans", params={"since": _iso(NINE - timedelta(days=1))})).json()
    part = {"since": _iso(gap + timedelta(minutes=5)), "until": _iso(gap + timedelta(minutes=10))}
    five = (await program.get(f"{V1}/homes/{MARGARETS}/spans", params=part)).json()

    assert (day["blind_s"], day["to_watch_s"]) == (900.0, 86400.0)
    assert (five["blind_s"], five["to_watch_s"]) == (300.0, 300.0)
    assert (day["minutes"]["blind"], day["minutes"]["watched"] + day["minutes"]["blind"]) == (15, 1440)
    assert day["minutes"]["blind_by_cause"] == {"hub": 15}
    last = day["last_gap"]
    ends = gap + timedelta(minutes=15)
    assert [datetime.fromisoformat(last[end]) for end in ("since", "until")] == [gap, ends]
    assert last["why"] == ["hub"]


async def test_a_look_by_a_program_leaves_a_record_with_its_name(street: Street) -> None:
    """The resident can read that it was a program, which, and for whom."""
    await street.home_is("watched")
    program = await street.program(ANNE.person, Scope.HOMES_READ, Scope.PEOPLE_READ)

    await program.get(f"{V1}/homes/{MARGARETS}")
    looks = (await program.get(f"{V1}/homes/{MARGARETS}/looks")).json()["items"]

    assert [(one["viewer"], one["view"]) for one in looks] == [
        ("anne", "who looked (program dashboard)"),
        ("anne", "home (program dashboard)"),
    ]


async def test_nothing_is_said_when_the_record_cannot_be_written(street: Street) -> None:
    """A look that nobody could find out about must not happen, by a program neither."""
    await street.home_is("watched")
    program = await street.program(CONTROL.person, *Scope)
    await street.sql("ALTER TABLE access_record RENAME TO access_record_away")

    for path in ("/homes", f"/homes/{MARGARETS}", "/alerts", "/fleet"):
        answer = await program.get(V1 + path)
        assert (answer.status_code, _is_problem(answer)) == (503, True), path


async def test_a_list_can_be_read_page_by_page_to_its_end(street: Street) -> None:
    """Nothing is left out or said twice, also where many readings bear the same second."""
    at = NINE - timedelta(hours=1)
    moves = [(at + timedelta(seconds=number // 4), f"room-{number}") for number in range(11)]
    await street.seen(*moves)
    program = await street.program(ANNE.person, Scope.READINGS_READ)

    address: str | None = f"{V1}/homes/{MARGARETS}/readings?limit=3"
    rooms: list[str] = []
    while address:
        page = (await program.get(address)).json()
        rooms += [one["room"] for one in page["items"]]
        address = page["next"]

    assert sorted(rooms) == sorted(room for _, room in moves)
    assert len(rooms) == 11


async def test_what_comes_in_meanwhile_moves_nothing_in_a_list_of_alerts(street: Street) -> None:
    """A program that reads page by page while alerts are raised must not skip one."""
    first = [await street.pendant_pressed() for _ in range(1)]
    first.append(await street.pendant_pressed(GEORGES))
    program = await street.program(CONTROL.person, Scope.ALERTS_READ)

    page = (await program.get(f"{V1}/alerts?limit=1")).json()
    await street.hub_silent()
    rest = (await program.get(page["next"])).json()

    assert [one["alert"] for one in page["items"] + rest["items"]] == [first[1], first[0]]
    assert rest["next"] is None


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=bnVsbA", "cursor=" + "A" * 401, "cursor=%00"],
)
async def test_an_odd_page_is_a_problem_that_says_where(street: Street, query: str) -> None:
    """Whatever a program sends ends in a sentence, never in a mistake of ours."""
    program = await street.program(ANNE.person, Scope.ALERTS_READ)

    answer = await program.get(f"{V1}/alerts?{query}")

    assert answer.status_code == 422
    assert _is_problem(answer)


async def test_a_cursor_that_no_database_takes_is_none_of_ours(street: Street) -> None:
    """It is whatever somebody wrote: a NUL in it would end in a mistake of ours."""
    program = await street.program(CONTROL.person, Scope.PEOPLE_READ)
    cursor = base64.urlsafe_b64encode(b'["2026-06-16T00:00:00Z", "\\u0000", "family"]').decode().rstrip("=")

    answer = await program.get(f"{V1}/homes/{MARGARETS}/looks?cursor={cursor}")

    assert (answer.status_code, _is_problem(answer)) == (422, True)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-06-16T00:00:00", None),
        ("2026-06-16T00:00:00Z", "2026-06-15T00:00:00Z"),
        ("2020-01-01T00:00:00Z", None),
        (None, "0001-01-01T00:00:00Z"),
        ("yesterday", None),
    ],
)
async def test_a_time_that_is_none_or_too_long_is_refused(street: Street, since: str | None, until: str | None) -> None:
    """One question must not read a year of somebody's life, nor guess an offset."""
    program = await street.program(ANNE.person, Scope.READINGS_READ)
    asked = {name: at for name, at in (("since", since), ("until", until)) if at is not None}

    answer = await program.get(f"{V1}/homes/{MARGARETS}/readings", params=asked)

    assert (answer.status_code, _is_problem(answer)) == (422, True)


async def test_a_program_can_take_an_alert_and_say_how_it_ended(street: Street) -> None:
    """An alarm centre's own screen must do what our page does, and repeating it must be harmless."""
    alert = await street.pendant_pressed()
    program = await street.program(JIM.person, Scope.ALERTS_READ, Scope.ALERTS_ANSWER)
    at = f"{V1}/homes/{MARGARETS}/alerts/{alert}"

    twice = [await program.post(f"{at}/mine") for _ in range(2)]
    ended = [await program.post(f"{at}/outcome", json={"outcome": "all well", "word": "In the garden"}) for _ in (1, 2)]
    other = await program.post(f"{at}/outcome", json={"outcome": "ambulance"})
    late = await program.post(f"{at}/mine")

    assert [(one.status_code, one.json()["state"], one.json()["mine_by"]) for one in twice] == [
        (200, "acknowledged", "jim")
    ] * 2
    assert [(one.status_code, one.json()["outcome"], one.json()["closed_by"]) for one in ended] == [
        (200, "all well", "jim")
    ] * 2
    assert [other.status_code, late.status_code] == [409, 409]
    story = (await program.get(at)).json()
    assert "mine" in [step["kind"] for step in story["steps"]]
    assert all(step["person_name"] is None for step in story["steps"])


async def test_an_alert_that_is_somebody_elses_is_a_409(street: Street) -> None:
    """Two screens must not both believe that their person goes."""
    alert = await street.pendant_pressed()
    await (await street.program(JIM.person, Scope.ALERTS_ANSWER)).post(f"{V1}/homes/{MARGARETS}/alerts/{alert}/mine")

    second = await street.program(ANNE.person, Scope.ALERTS_ANSWER, name="second")
    answer = await second.post(f"{V1}/homes/{MARGARETS}/alerts/{alert}/mine")

    assert (answer.status_code, _is_problem(answer)) == (409, True)


async def test_family_alone_cannot_answer_by_a_program(street: Street) -> None:
    """A relative who is no carer must not stop the texts to those who are, whatever scope their token has."""
    alert = await street.pendant_pressed(GEORGES)
    program = await street.program(MORAG.person, *Scope)

    tried = [
        (await program.post(f"{V1}/homes/{GEORGES}/alerts/{alert}/{what}", json=body)).status_code
        for what, body in (("mine", None), ("let-go", {"why": "cannot go"}), ("outcome", {"outcome": "all well"}))
    ]

    assert tried == [404, 404, 404]
    assert (await program.get(f"{V1}/homes/{GEORGES}/alerts/{alert}")).status_code == 200


async def test_a_program_that_asks_too_often_is_told_when_to_come_back(street: Street) -> None:
    """One runaway script must not take the pages from everybody."""
    program = await street.program(ANNE.person, Scope.HOMES_READ, name="runaway")

    answers = [await program.get(f"{V1}/homes?limit=1") for _ in range(PER_MINUTE + 1)]

    assert {one.status_code for one in answers[:PER_MINUTE]} == {200}
    assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "10")


async def test_what_is_kept_of_a_token_cannot_be_used(street: Street) -> None:
    """Who reads a backup of the database must not be able to ask as a program."""
    token = await street.token(ANNE.person, Scope.HOMES_READ)

    ((kept,),) = await street.sql("SELECT row_to_json(api_token)::text FROM api_token")

    assert token not in kept
    assert token.removeprefix("telecare_") not in kept


async def test_every_problem_is_described(street: Street) -> None:
    """A program's author reads once how refusals look, for every address."""
    for path, methods in _described(street)["paths"].items():
        for method, route in methods.items():
            if path in PUBLIC:
                continue
            assert {"401", "403", "503"} <= set(route["responses"]), (method, path)
            assert list(route["responses"]["401"]["content"]) == ["application/problem+json"], (method, path)


async def test_every_answer_has_examples(street: Street) -> None:
    """Whoever writes a program sees what comes, in the description alone."""
    shapes = _described(street)["components"]["schemas"]
    bare = [
        f"{name}.{field}"
        for name, shape in shapes.items()
        if name not in {"HTTPValidationError", "ValidationError"}
        for field, said in shape.get("properties", {}).items()
        if "examples" not in said and not re.search(r"\$ref", json.dumps(said))
    ]

    assert bare == []


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
