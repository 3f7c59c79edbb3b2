"""Can an operator's program keep people, homes, consents, the rota and thresholds, as the pages can, and no more?"""

import asyncio
from typing import Any

import httpx
import pytest

from api.v1.tokens import OPERATORS_ALONE, Scope
from tests.integration.alerts.platform import until
from tests.world.described import requests
from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, MORAG, Street

V1 = "/api/v1"
RESIDENT = {"first_name": "Ada", "name": "Ada Bell", "address": "2 Mill Lane"}
AGREED = {"basis": "resident", "said_by": "Ada Bell", "why": "to live at home", "until": "2030-12-31"}
SHIFT = {"person": "jim", "days": "mon-fri", "begins": "07:00", "ends": "19:00"}


@pytest.fixture
async def program(street: Street) -> httpx.AsyncClient:
    """Give an operator's program that may do everything."""
    return await street.program(CONTROL.person, *Scope)


async def _counts(street: Street) -> dict[str, int]:
    """Return how many rows every table has, but those of what was done, looked at and sent."""
    tables = await street.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    left_out = {"change_record", "access_record", "judging_input"}
    return {
        table: (await street.sql(f"SELECT count(*) FROM {table}"))[0][0] for (table,) in tables if table not in left_out
    }


async def test_from_nothing_to_a_watched_home_by_programs(street: Street, program: httpx.AsyncClient) -> None:
    """A council that moves two hundred homes must not type them; and each step may be sent twice."""
    at = f"{V1}/homes/mill-lane-9"
    steps: list[tuple[str, str, Any]] = [
        ("PUT", f"{V1}/people/bea", {"name": "Bea Bell", "phone": "07700 900144", "kinds": ["family contact"]}),
        ("PUT", at, RESIDENT),
        ("PUT", f"{at}/rooms", {"rooms": ["lounge", "bedroom"]}),
        ("PUT", f"{at}/sensors/lounge-motion", {"kind": "motion", "room": "lounge"}),
        ("PUT", f"{at}/told", {"told": ["bea", "jim"]}),
        ("PUT", f"{at}/care", AGREED),
        ("PUT", f"{at}/grants/bea", {**AGREED, "views": ["family", "carer"]}),
        ("PUT", f"{V1}/teams/west", {"name": "Team West"}),
        ("PUT", f"{at}/team", {"team": "west"}),
        ("PUT", f"{V1}/groups/mill-lane", {"homes": ["mill-lane-9"], "why": "one warden"}),
    ]

    first = [(await program.request(method, path, json=body)).status_code for method, path, body in steps]
    before = await _counts(street)
    again = [(await program.request(method, path, json=body)).status_code for method, path, body in steps]

    assert first == [201, 201] + [200] * 8
    assert again == [200] * 10
    assert await _counts(street) == before
    hub = await program.put(f"{at}/hubs/hub-9")
    assert hub.status_code == 201
    assert 'secret = "' in hub.json()["configuration"]
    set_up = (await program.get(f"{at}/setup")).json()
    assert (set_up["rooms"], set_up["told"], set_up["team"]) == (["bedroom", "lounge"], ["bea", "jim"], "west")
    assert [one["hub"] for one in set_up["hubs"]] == ["hub-9"]
    assert set_up["to_do"] == ["Jim Docherty is told of alarms here, and may not see the carer's page."]
    page = await (await street.browser(CONTROL.person)).get("/operator/homes/mill-lane-9/setup")
    assert "Ada Bell" in page.text
    assert "lounge-motion" in page.text


async def test_a_hubs_secret_is_given_once_to_programs_too(program: httpx.AsyncClient) -> None:
    """A second answer with the secret would be a second place from which it can be stolen."""
    at = f"{V1}/homes/{MARGARETS}/hubs/hub-new"

    answers = [await program.put(at) for _ in range(2)]
    gone = [(await program.delete(at)).status_code for _ in range(2)]

    assert [one.status_code for one in answers] == [201, 409]
    assert "secret" not in answers[1].json().get("configuration", "")
    assert answers[1].json()["detail"].startswith("This hub may speak already")
    assert gone == [204, 404]


async def test_what_carries_a_hubs_line_is_written_by_programs_too(street: Street, program: httpx.AsyncClient) -> None:
    """Hubs that fail together are one outage only if somebody says so, and nobody types that for two hundred."""
    at = f"{V1}/homes/{MARGARETS}/hubs/hub-new"

    async def networks() -> dict[str, str | None]:
        hubs = (await program.get(f"{V1}/homes/{MARGARETS}/setup")).json()["hubs"]
        return {one["hub"]: one["network"] for one in hubs}

    assert (await program.put(at, json={"network": "mobile-a"})).status_code == 201
    assert (await networks())["hub-new"] == "mobile-a"
    for network in ("mobile-b", "mobile-b", None):
        written = await program.put(f"{at}/network", json={"network": network})
        assert written.status_code == 200
        assert (await networks())["hub-new"] == network

    refused = {
        "no name": await program.put(f"{at}/network", json={"network": "Mobile A"}),
        "not said": await program.put(f"{at}/network", json={}),
        "no hub": await program.put(f"{V1}/homes/{MARGARETS}/hubs/hub-none/network", json={"network": "mobile-a"}),
        "another home's": await program.put(f"{V1}/homes/{GEORGES}/hubs/hub-new/network", json={"network": "mobile-a"}),
    }
    assert {why: answer.status_code for why, answer in refused.items()} == {
        "no name": 422,
        "not said": 422,
        "no hub": 404,
        "another home's": 404,
    }
    assert (await networks())["hub-new"] is None
    written_down = await street.sql(
        "SELECT content->>'network' FROM change_record WHERE what = 'hub''s network written' ORDER BY at, change"
    )
    assert [network for (network,) in written_down] == ["mobile-b", "mobile-b", None]


async def test_what_was_sent_with_a_key_is_done_once(street: Street, program: httpx.AsyncClient) -> None:
    """A program that did not hear the answer asks again, even at the same moment, and nobody is told twice."""
    at, key = f"{V1}/homes/{MARGARETS}/shifts", {"Idempotency-Key": "monday-1"}

    answers = await asyncio.gather(*(program.post(at, json=SHIFT, headers=key) for _ in range(4)))
    other = await program.post(at, json={**SHIFT, "person": "anne"}, headers=key)
    bare = [await program.post(at, json=SHIFT) for _ in range(2)]

    assert {(one.status_code, one.json()["number"]) for one in answers} == {(201, answers[0].json()["number"])}
    assert (other.status_code, other.json()["errors"][0]["where"]) == (422, "header.idempotency-key")
    assert len({one.json()["number"] for one in [answers[0], *bare]}) == 3
    assert await street.sql("SELECT count(*) FROM rota_shift WHERE home = %s", MARGARETS) == [(3,)]


async def test_a_key_is_free_again_after_what_could_not_be_done(program: httpx.AsyncClient) -> None:
    """A slip that was mended must not be answered with the slip for a day."""
    at, key = f"{V1}/homes/{MARGARETS}/shifts", {"Idempotency-Key": "monday-1"}

    wrong = await program.post(at, json={**SHIFT, "person": "nobody"}, headers=key)
    right = await program.post(at, json=SHIFT, headers=key)

    assert [wrong.status_code, right.status_code] == [422, 201]


async def test_everything_that_is_wrong_is_said_at_once_and_where(program: httpx.AsyncClient) -> None:
    """Whoever moves two hundred homes mends a file once, not once a field."""
    answer = await program.put(f"{V1}/people/zoe", json={"name": "Zoe", "phone": "12", "email": "nobody"})

    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["where"] for one in answer.json()["errors"]] == ["body.phone", "body.email"]
    assert (await program.get(f"{V1}/people/zoe")).status_code == 404


async def test_what_an_operator_writes_leaves_the_same_change_record(
    street: Street, program: httpx.AsyncClient
) -> None:
    """Who changed what is one list, whichever door was used."""
    await program.put(f"{V1}/homes/{MARGARETS}/told", json={"told": ["jim"]})

    assert await street.sql("SELECT by, what FROM change_record WHERE home = %s", MARGARETS) == [
        (CONTROL.person, "told-order written")
    ]
    assert await street.sql("SELECT viewer, view FROM access_record WHERE home = %s", MARGARETS) == [
        (CONTROL.person, "rota (program dashboard)")
    ]


async def test_a_rota_is_written_read_and_taken_back(program: httpx.AsyncClient) -> None:
    """Times carry their offset: a program must not guess what London's clocks showed."""
    shift = (await program.post(f"{V1}/homes/{MARGARETS}/shifts", json=SHIFT)).json()["number"]
    cannot = {"person": "jim", "instead": "anne", "since": "2026-06-17T06:00:00Z", "until": "2026-06-17T18:00:00+01:00"}
    override = (await program.post(f"{V1}/overrides", json=cannot)).json()["number"]

    rota = (await program.get(f"{V1}/homes/{MARGARETS}/rota")).json()
    (kept,) = (await program.get(f"{V1}/overrides")).json()["items"]

    assert [(one["shift"], one["days"], one["begins"]) for one in rota["shifts"]] == [
        (shift, ["mon", "tue", "wed", "thu", "fri"], "07:00")
    ]
    assert (kept["since"], kept["until"]) == ("2026-06-17T06:00:00Z", "2026-06-17T17:00:00Z")
    gone = [
        (await program.delete(path)).status_code
        for path in (f"{V1}/homes/{GEORGES}/shifts/{shift}", f"{V1}/homes/{MARGARETS}/shifts/{shift}") * 2
    ]
    assert gone == [404, 204, 404, 404]
    assert [(await program.delete(f"{V1}/overrides/{override}")).status_code for _ in (1, 2)] == [204, 404]


async def test_a_token_of_some_homes_touches_nothing_that_concerns_all(street: Street) -> None:
    """A contractor who sets up one house must not be able to add a home, a person or a team."""
    program = await street.program(CONTROL.person, *Scope, homes=[MARGARETS])

    tried = {
        "PUT people": await program.put(f"{V1}/people/zoe", json={"name": "Zoe"}),
        "GET people": await program.get(f"{V1}/people"),
        "PUT home": await program.put(f"{V1}/homes/mill-lane-9", json=RESIDENT),
        "PUT other": await program.put(f"{V1}/homes/{GEORGES}", json=RESIDENT),
        "PUT team": await program.put(f"{V1}/teams/west", json={"name": "West"}),
        "POST override": await program.post(
            f"{V1}/overrides",
            json={"person": "jim", "since": "2026-06-17T06:00:00Z", "until": "2026-06-17T18:00:00Z"},
        ),
        "GET thresholds": await program.get(f"{V1}/thresholds"),
        "GET calls": await program.get(f"{V1}/calls"),
        "PUT service": await program.put(f"{V1}/service", json={"name": "West", "operator": "control"}),
    }
    own = await program.put(f"{V1}/homes/{MARGARETS}/rooms", json={"rooms": ["lounge"]})

    assert {name: answer.status_code for name, answer in tried.items()} == {
        "PUT people": 403,
        "GET people": 403,
        "PUT home": 404,
        "PUT other": 404,
        "PUT team": 403,
        "POST override": 403,
        "GET thresholds": 403,
        "GET calls": 403,
        "PUT service": 403,
    }
    assert own.status_code == 200


@pytest.mark.parametrize("scope", sorted(OPERATORS_ALONE))
async def test_a_scope_to_write_is_worth_nothing_to_anybody_but_an_operator(street: Street, scope: Scope) -> None:
    """Whatever scope was written into a relative's token, they set up nothing."""
    program = await street.program(ANNE.person, scope)
    at = f"{V1}/homes/{MARGARETS}"

    tried = [
        await program.put(at, json=RESIDENT),
        await program.put(f"{at}/rooms", json={"rooms": ["lounge"]}),
        await program.put(f"{at}/told", json={"told": ["anne"]}),
        await program.put(f"{at}/grants/jim", json={**AGREED, "views": ["family"]}),
        await program.post(f"{at}/thresholds/look-backs", json={"why": "to sleep"}),
        await program.put(f"{V1}/people/anne", json={"name": "Anne"}),
        await program.get(f"{V1}/ledger/open"),
        await program.get(f"{V1}/calls"),
        await program.put(f"{V1}/service", json={"name": "Anne's", "operator": "anne"}),
    ]

    assert {one.status_code for one in tried} <= {403, 404}


async def test_a_call_is_taken_rung_and_closed_by_a_program(street: Street, program: httpx.AsyncClient) -> None:
    """A council that rings from its own system must not leave a family to be rung twice, or by nobody."""
    await street.sql(
        "INSERT INTO confidence_call (home, person, opened_at) VALUES (%s, 'anne', %s)", MARGARETS, street.now
    )
    ((call,),) = await street.sql("SELECT call FROM confidence_call")
    at, key = f"{V1}/calls/{call}", {"Idempotency-Key": "tuesday"}

    due = (await program.get(f"{V1}/calls")).json()["items"]
    taken = (await program.post(f"{at}/take")).json()
    tried = [(await program.post(f"{at}/no-answer", headers=key)).json()["tries"] for _ in range(2)]
    closed = await program.post(f"{at}/close", json={"came_of": "talked", "note": "Jim brings a second pendant."})
    late = [
        (await program.post(f"{at}/{act}", json={"came_of": "talked"})).status_code
        for act in ("close", "take", "no-answer")
    ]

    assert [(one["call"], one["home"], one["name"], one["phone"]) for one in due] == [
        (call, MARGARETS, ANNE.full_name, ANNE.phone)
    ]
    assert not {"answer", "answered", "words", "note"} & due[0].keys()
    assert (taken["taken_by"], tried) == (CONTROL.full_name, [1, 1])
    assert (closed.status_code, closed.json()["came_of"], late) == (200, "talked", [409, 409, 409])
    assert (await program.get(f"{V1}/calls")).json()["items"] == []
    lately = (await program.get(f"{V1}/calls?state=closed")).json()["items"]
    assert [(one["call"], one["rung_by"]) for one in lately] == [(call, CONTROL.full_name)]
    note = await street.sql("SELECT note, closed_by FROM confidence_call")
    assert note == [("Jim brings a second pendant.", CONTROL.person)]
    looks = await street.sql("SELECT DISTINCT view FROM access_record WHERE home = %s", MARGARETS)
    assert ("confidence call (program dashboard)",) in looks
    assert (await program.post(f"{V1}/calls/{call + 1}/take")).status_code == 404


async def test_the_service_is_named_by_a_program(street: Street, program: httpx.AsyncClient) -> None:
    """What stands under every text must not be the one thing that only a hand can write."""
    written = await program.put(f"{V1}/service", json={"name": "West telecare", "operator": CONTROL.person})
    nobody = await program.put(f"{V1}/service", json={"name": "West telecare", "operator": "nobody"})

    assert written.json() == {"name": "West telecare", "operator": CONTROL.person}
    assert (await program.get(f"{V1}/service")).json() == written.json()
    assert (nobody.status_code, nobody.json()["errors"][0]["why"]) == (422, "there is no person 'nobody'")
    assert "West telecare" in (await street.stranger().get("/log-in")).text


async def test_the_resident_can_have_who_may_see_and_who_looked(street: Street) -> None:
    """P5: the record of every look is the resident's, through a program of theirs too; a relative reads their own."""
    await street.sql("INSERT INTO person (person, full_name) VALUES ('margaret', 'Margaret Reid')")
    await street.sql("UPDATE resident SET person = 'margaret' WHERE home = %s", MARGARETS)
    await (await street.program(JIM.person, Scope.ALERTS_READ, name="jims")).get(f"{V1}/alerts")
    own = await street.program("margaret", Scope.PEOPLE_READ, name="own")
    annes = await street.program(ANNE.person, Scope.PEOPLE_READ, name="annes")
    at = f"{V1}/homes/{MARGARETS}"

    looks = (await own.get(f"{at}/looks")).json()["items"]
    consents = (await own.get(f"{at}/consents")).json()["items"]
    grants = (await own.get(f"{at}/grants")).json()

    assert {one["viewer"] for one in looks} == {"jim", "margaret"}
    assert {(one["person"], one["view"]) for one in grants["items"]} >= {("anne", "family"), ("jim", "carer")}
    assert all(one["is_in_force"] for one in consents)
    assert {one["viewer"] for one in (await annes.get(f"{at}/looks")).json()["items"]} == {"anne"}
    jims = await street.program(JIM.person, *Scope, name="all-of-jims")
    refused = [(await jims.get(f"{at}/{what}")).status_code for what in ("looks", "consents", "grants")]
    other = [(await own.get(f"{V1}/homes/{GEORGES}/{what}")).status_code for what in ("looks", "consents", "grants")]
    assert refused == other == [404, 404, 404]


async def test_a_consent_that_is_taken_back_by_a_program_is_over_at_once(street: Street) -> None:
    """A resident's no counts at every door, at once."""
    program = await street.program(CONTROL.person, *Scope)
    annes = await street.program(ANNE.person, Scope.HOMES_READ, name="annes")
    at = f"{V1}/homes/{MARGARETS}"
    ids = [
        one["consent"] for one in (await program.get(f"{at}/consents")).json()["items"] if one["person"] == ANNE.person
    ]

    before = (await annes.get(at)).status_code
    said = [await program.delete(f"{at}/consents/{consent}") for consent in ids]
    again = await program.delete(f"{at}/consents/{ids[0]}")

    assert (before, (await annes.get(at)).status_code) == (200, 404)
    assert "still told of alarms" in said[-1].json()["know"][0]
    assert again.status_code == 404
    elsewhere = (await program.get(f"{at}/consents")).json()["items"][0]["consent"]
    assert (await program.delete(f"{V1}/homes/{GEORGES}/consents/{elsewhere}")).status_code == 404


async def test_a_person_who_leaves_by_a_program_has_left(street: Street, program: httpx.AsyncClient) -> None:
    """Told no more and signed out, as on the page."""
    left = [(await program.delete(f"{V1}/people/{MORAG.person}")).status_code for _ in range(2)]
    last = await program.delete(f"{V1}/people/{CONTROL.person}")

    assert left == [204, 404]
    assert last.status_code == 422
    assert (await program.get(f"{V1}/people/{MORAG.person}")).json()["left_at"] is not None
    assert MORAG.person not in {one["person"] for one in (await program.get(f"{V1}/people")).json()["items"]}


async def test_a_list_of_people_is_read_to_its_end(program: httpx.AsyncClient) -> None:
    """Nobody is left out at the edge of a page."""
    address: str | None = f"{V1}/people?limit=2"
    found: list[str] = []
    while address:
        page = (await program.get(address)).json()
        found += [one["person"] for one in page["items"]]
        address = page["next"]

    assert sorted(found) == ["anne", "control", "jim", "morag"]


async def _looked_back(program: httpx.AsyncClient, at: str, **proposal: Any) -> tuple[str, dict[str, Any]]:
    """Begin to look back twice with one key, wait until it is done, and return its address and what it says."""
    wrote = {"why": "fewer texts about lie-ins", "days": 7, **proposal}
    key = {"Idempotency-Key": str(abs(hash(str(proposal))))}
    begun = [await program.post(f"{at}/look-backs", json=wrote, headers=key) for _ in range(2)]
    assert [one.status_code for one in begun] == [202, 202], begun[0].text
    assert begun[0].json()["number"] == begun[1].json()["number"]
    address = f"{at}/look-backs/{begun[0].json()['number']}"

    async def done() -> dict[str, Any] | None:
        said: dict[str, Any] = (await program.get(address)).json()
        return said if said["state"] != "running" else None

    return address, await until(done, within_s=60, what="the look back")


async def test_a_threshold_is_saved_by_a_program_after_its_look_back_alone(
    street: Street, program: httpx.AsyncClient
) -> None:
    """The price is read before it is paid, whichever door; and what was saved is taken back by the same."""
    at = f"{V1}/homes/{MARGARETS}/thresholds"
    address, said = await _looked_back(program, at, set={"still_for": "9 h"})
    await street.sql("UPDATE person SET is_operator = true WHERE person = 'jim'")
    jims = await street.program(JIM.person, *Scope, name="jims")

    unread = await program.post(f"{address}/save", json={"read": False})
    not_his = await jims.post(f"{address}/save", json={"read": True})
    saved = [await program.post(f"{address}/save", json={"read": True}) for _ in range(2)]

    assert (said["state"], said["may_save"], said["found"]["lost"]) == ("done", True, 0)
    assert "No movement for" in said["changes"]
    assert [unread.status_code, not_his.status_code] == [422, 409]
    assert [one.status_code for one in saved] == [200, 200]
    (version,) = saved[1].json()["versions"]
    assert (version["set_by"], version["why"]) == (CONTROL.person, "fewer texts about lie-ins")
    back, _ = await _looked_back(program, at, takes_back=version["version"])
    stands = (await program.post(f"{back}/save", json={"read": True})).json()
    still_for = next(one for one in stands["items"] if one["name"] == "still_for")
    assert (still_for["here"], stands["versions"][0]["takes_back"]) == (None, version["version"])


@pytest.mark.parametrize(
    "proposal",
    [
        {"set": {"no_such": "1 h"}},
        {"set": {"still_for": "soon"}},
        {"rules": ["no rule"]},
        {"takes_back": 77},
        {"why": "\0"},
    ],
)
async def test_a_proposal_that_cannot_be_set_is_a_sentence(
    program: httpx.AsyncClient, proposal: dict[str, Any]
) -> None:
    """Nothing is looked back at that could not be saved afterwards."""
    answer = await program.post(f"{V1}/thresholds/look-backs", json={"why": "a test", **proposal})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"].startswith("body")


async def test_what_was_published_is_public_and_the_open_quarter_an_operators(
    street: Street, program: httpx.AsyncClient
) -> None:
    """The council's own page shows the figure without a secret; how far the open quarter is, the service knows."""
    stranger = street.caller()

    listed = await stranger.get(f"{V1}/ledger")
    unknown = await stranger.get(f"{V1}/ledger/2026-Q1")
    refused = await stranger.get(f"{V1}/ledger/open")
    far = (await program.get(f"{V1}/ledger/open")).json()

    assert (listed.status_code, listed.json()["editions"]) == (200, [])
    assert [one["audience"] for one in listed.json()["so_far"]] == ["family", "unpaid carer", "paid carer"]
    assert [unknown.status_code, refused.status_code] == [404, 401]
    assert far["quarter"] == "2026-Q2"
    assert far["items"][0]["origins_at_least"]["scheduled"] == 0


async def test_a_program_reads_its_own_persons_answers_and_nobody_elses(street: Street) -> None:
    """Staff never see who said what, through a program neither."""
    for person, answer in ((ANNE.person, "4"), (JIM.person, "1")):
        await street.give(person, MARGARETS, "family", "carer")
        browser = await street.browser(person)
        await browser.post(f"/homes/{MARGARETS}/confidence", data={"question": "1", "answer": answer})
    at = f"{V1}/homes/{MARGARETS}/confidence"

    own = (await (await street.program(ANNE.person, Scope.CONFIDENCE_READ)).get(at)).json()
    operators = (await (await street.program(CONTROL.person, *Scope, name="all")).get(at)).json()

    assert [(one["answer"], one["origin"]) for one in own["items"]] == [(4, "volunteered")]
    assert operators["items"] == []


async def test_what_the_description_shows_can_be_sent_as_it_stands(street: Street, program: httpx.AsyncClient) -> None:
    """A programmer begins by copying an example; one that fails costs an afternoon."""
    description = (await program.get(f"{V1}/openapi.json")).json()
    alert = await street.pendant_pressed()
    sent = [one for one in requests(description, home=MARGARETS, alert=alert) if one.method == "PUT"]
    first = ("/teams/{team}", "/homes/{home}/rooms", "/people/{person}")
    sent.sort(key=lambda one: one.template not in first)

    answers = [(one.path, await program.request(one.method, V1 + one.path, json=one.body)) for one in sent]

    assert len(sent) > 10
    assert [(path, one.text) for path, one in answers if one.status_code not in {200, 201}] == []
    shift = next(one for one in requests(description, home=MARGARETS) if one.template == "/homes/{home}/shifts")
    override = next(one for one in requests(description) if one.template == "/overrides" and one.method == "POST")
    for one in (shift, override):
        made = await program.post(V1 + one.path, json=one.body)
        assert made.status_code == 201, made.text
