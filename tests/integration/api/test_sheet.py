"""Can a resident find out who sees what, and who looked?"""

from datetime import timedelta

from tests.integration.api.test_fleet import text_of
from tests.world.pages import ANNE, CONTROL, GEORGES, JIM, MARGARETS, NINE, Street

SHEET = f"/homes/{MARGARETS}/sheet"


async def test_the_sheet_says_who_sees_what_and_who_is_told(street: Street) -> None:
    """Consent to what nobody explained is none."""
    page = await text_of(street, SHEET)

    assert "Margaret, this is your sheet." in page
    assert "Tuesday 16 June 2026." in page
    assert "Anne Reid, daughter, sees which room you were last in and when" in page
    assert "Jim Docherty, neighbour, sees your alerts, your address" in page
    assert "Kilbrae alarm centre, who runs Kilbrae telecare, can open everything" in page
    assert "Anne Reid, daughter Jim Docherty, neighbour Kilbrae alarm centre" in page


async def test_the_sheet_says_who_looked_newest_first(street: Street) -> None:
    """A look that the resident cannot find out about might as well have left no record."""
    await street.home_is("watched")
    await (await street.browser(ANNE.person)).get(f"/homes/{MARGARETS}")
    street.set_clock(NINE + timedelta(days=1))
    await (await street.browser(JIM.person)).get("/carer")

    page = await text_of(street, SHEET)

    assert "Today, 09:00 to 09:15 Jim Docherty, neighbour: whether an alert of yours is open." in page
    assert "Yesterday, 09:00 to 09:15 Anne Reid, daughter: how you are, where you were last, and your days." in page
    assert page.index("Jim Docherty, neighbour: whether") < page.index("Anne Reid, daughter: how you are")
    assert "Jim Docherty once" in page


async def test_a_relative_reads_of_nobodys_looks_but_their_own(street: Street) -> None:
    """Whom Margaret lets in, and how often, is not Anne's to know."""
    await street.home_is("watched")
    await (await street.browser(JIM.person)).get("/carer")

    page = await text_of(street, SHEET, ANNE.person)
    every = await text_of(street, f"{SHEET}/looks", ANNE.person)

    assert "Who else looked is for Margaret to read." in page
    assert "Jim Docherty, neighbour: whether" not in page
    assert "Jim Docherty once" not in page
    assert "Anne Reid, daughter: this sheet." in page
    assert "Jim Docherty" not in every
    assert "Anne Reid, daughter: this sheet." in every


async def test_a_sheet_is_no_carers(street: Street) -> None:
    """A neighbour who would go there was given alerts, not the list of everybody who looks."""
    browser = await street.browser(JIM.person)

    assert (await browser.get(SHEET)).status_code == 404
    assert (await browser.get(f"{SHEET}/looks")).status_code == 404


async def test_every_look_is_behind_the_sheet_a_hundred_at_a_time(street: Street) -> None:
    """Years of looks are the resident's, and a page of them must still come at once."""
    await street.sql(
        "INSERT INTO access_record (viewer, home, view, quarter) SELECT 'anne', %s, 'home', "
        "%s::timestamptz - n * interval '15 minutes' FROM generate_series(1, 130) n",
        *(MARGARETS, NINE.replace(minute=0)),
    )
    browser = await street.browser(CONTROL.person)

    sheet = (await browser.get(SHEET)).text
    first, second = [(await browser.get(f"{SHEET}/looks?page={number}")).text for number in (1, 2)]

    assert "See every look" in sheet
    assert "Anne Reid 130 times" in sheet
    assert (first.count("<li><strong><time"), second.count("<li><strong><time")) == (100, 31)
    assert "page=2" in first
    assert "page=1" in second


async def test_the_looks_of_another_home_are_not_on_the_sheet(street: Street) -> None:
    """A record belongs to one resident."""
    await street.home_is("watched", GEORGES)
    await (await street.browser(CONTROL.person)).get(f"/operator/homes/{GEORGES}")

    assert "everything that we keep" not in (await text_of(street, SHEET)).split("Who looked")[1]


async def test_a_resident_signs_in_and_reads_who_looked(street: Street) -> None:
    """Nobody may need an operator to find out who looks at them."""
    await street.sql("INSERT INTO person (person, full_name) VALUES ('margaret', 'Margaret Reid')")
    await street.sql("UPDATE resident SET person = 'margaret' WHERE home = %s", MARGARETS)
    await (await street.browser(JIM.person)).get("/carer")
    browser = await street.browser("margaret")

    first = await browser.get("/")
    others = [(await browser.get(path)).status_code for path in (f"/homes/{GEORGES}/sheet", f"/homes/{MARGARETS}")]

    assert first.headers["location"] == SHEET
    assert "Jim Docherty, neighbour: whether" in await text_of(street, SHEET, "margaret")
    assert others == [404, 404]


async def test_the_sheet_says_what_was_agreed_until_when(street: Street) -> None:
    """A yes that ended is no longer on the sheet, and who saw by it sees no more."""
    until = NINE + timedelta(days=100)
    await street.sql("UPDATE consent SET until = %s, basis = 'resident' WHERE person = 'anne'", until)
    before = await text_of(street, SHEET)
    await street.sql("UPDATE consent SET withdrawn_at = %s, withdrawn_by = 'x' WHERE person = 'anne'", NINE)

    after = await text_of(street, SHEET)

    assert "you said yes that Anne Reid sees how you are." in before
    assert "It ends on Thursday 24 September 2026" in before
    assert "Anne Reid, daughter, sees" in before
    assert "that Anne Reid sees" not in after
    assert "Anne Reid, daughter, sees" not in after
