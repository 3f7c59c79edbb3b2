"""Two years of a service: does every published file add up, and does none give anybody away?"""

import csv
import hashlib
import io
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from psycopg import AsyncConnection

from alerts.store import asking, ringing
from api import confidence, ledger, publishing
from api.ledger import Quarter
from api.views.series import series_of
from tests.unit.api.test_confidence import follows
from tests.world.database import Database
from tests.world.pages import NINE, Street

HOMES = 44
BEGUN = datetime(2024, 1, 8, 11, 0, tzinfo=UTC)
Conn = AsyncConnection[Any]


@dataclass
class Years:
    """A service that began small and grew, and everything that it published."""

    street: Street
    conn: Conn
    now: datetime

    async def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return list(await (await self.conn.execute(query.encode(), values)).fetchall())

    async def files(self) -> list[dict[str, Any]]:
        """Return what was published, in order."""
        rows = await self.rows("SELECT content FROM confidence_edition WHERE form = 'json' ORDER BY quarter, edition")
        return [json.loads(bytes(content)) for (content,) in rows]


async def _furnish(conn: Conn, chance: random.Random) -> None:
    """Write homes that come one after the other, each with one to three people of several kinds."""
    for number in range(HOMES):
        home, added = f"home-{number:02d}", BEGUN + timedelta(days=number * 9)
        await conn.execute("INSERT INTO home (home, lane, added_at) VALUES (%s, 0, %s)", (home, added))
        await conn.execute("INSERT INTO resident (home, first_name, full_name) VALUES (%s, 'Ada', 'Ada Bell')", (home,))
        kinds = [("family", "family contact")] * chance.choice([1, 1, 2]) + [("carer", "unpaid carer")] * (number % 2)
        for which, (view, kind) in enumerate(kinds):
            person = f"{home}-{which}"
            await conn.execute(
                "INSERT INTO person (person, full_name, phone, kinds) VALUES (%s, 'Bea Bell', %s, ARRAY[%s])",
                (person, f"+4477009{number:02d}{which:02d}", kind),
            )
            await conn.execute("INSERT INTO access_grant VALUES (%s, %s, %s, %s, 'test')", (person, home, view, added))
            await conn.execute(
                "INSERT INTO consent (home, what, person, view, basis, said_by, why, since, until, written_at, "
                "written_by) VALUES (%s, 'data', %s, %s, 'resident', 'Ada', 'as agreed', %s, %s, %s, 'test')",
                (home, person, view, added, added + timedelta(days=3650), added),
            )
        seen_until = None
        days = sorted(chance.sample(range(10, 600), number % 4))
        for since in (added + timedelta(days=day) for day in days):
            until = since + timedelta(minutes=chance.choice([20, 300]))
            if seen_until is not None:
                await conn.execute(
                    "INSERT INTO watch_span VALUES (%s, %s, %s, 'watched', '{}', %s)",
                    (home, seen_until, since, seen_until),
                )
            await conn.execute(
                "INSERT INTO watch_span VALUES (%s, %s, %s, 'blind', '{}', %s)",
                (home, since, until, None if seen_until is None else since),
            )
            seen_until = until
        for which in range(number % 3):
            at = added + timedelta(days=chance.randrange(10, 600))
            rows = await conn.execute(
                "INSERT INTO alert (home, question, subject, episode, is_fault, for_operator, since, at, raised_at, "
                "why, state, outcome, closed_at, closed_by) VALUES (%s, 'still', '', %s, false, false, %s, %s, %s, "
                "'{}', 'closed', %s, %s, 'test') RETURNING alert",
                (home, f"{which}", at, at, at, chance.choice(["false alarm", "all well"]), at + timedelta(hours=1)),
            )
            await conn.execute(
                "INSERT INTO acknowledgement (alert, person, at, how, let_go_at) SELECT %s, %s, %s, 'page', %s",
                ((await rows.fetchone() or [0])[0], f"{home}-0", at + timedelta(minutes=chance.choice([2, 20])), at),
            )


async def _live(conn: Conn, chance: random.Random) -> datetime:
    """Ask every week for two years, let people answer or not, and publish what closes."""
    now = BEGUN
    while now < BEGUN + timedelta(days=735):
        now += timedelta(days=7)
        await asking.turn(conn, now=now)
        waiting = await (
            await conn.execute("SELECT person FROM confidence_asking WHERE state = 'asked' ORDER BY asking")
        ).fetchall()
        for (person,) in waiting:
            pending = await asking.pending(conn, person, now=now)
            if pending is not None and chance.random() < 0.55:
                said = chance.choices([5, 4, 3, 2, 1, None], [30, 30, 17, 12, 6, 5])[0]
                async with conn.transaction():
                    await asking.take_answer(conn, pending, said, None, now=now)
            elif chance.random() < 0.05:
                await asking.answer_on_page(conn, person[:7], person, 1, 5, None, now=now)
        await _ring(conn, chance, now=now + timedelta(days=4))
        await publishing.publish_closed(conn, now=now)
    return now


async def _ring(conn: Conn, chance: random.Random, *, now: datetime) -> None:
    """Ring who was reminded and has not answered; some are reached, and they say kinder things than others wrote."""
    for one in await ringing.to_ring(conn, now=now):
        if chance.random() < 0.5:
            said = chance.choices([5, 4, 3, 1], [50, 30, 15, 5])[0]
            assert await ringing.take_answer(conn, one.asking, said, None, by="control", now=now)
        else:
            await ringing.not_reached(conn, one.asking, by="control", now=now)


@pytest.fixture
async def years(database: Database, tmp_path: Path) -> AsyncIterator[Years]:
    """Live two years of a service in a few seconds, always the same ones."""
    async with Street(database.dsn, tmp_path) as street, street.connection() as conn:
        await conn.execute("DELETE FROM access_grant")
        chance = random.Random(7)
        async with conn.transaction():
            await _furnish(conn, chance)
            now = await _live(conn, chance)
        street.set_clock(now)
        yield Years(street, conn, now)


def _series(files: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(one, series) for one in files for series in one["series"]]


async def test_two_years_of_files_add_up_and_give_nobody_away(years: Years) -> None:
    """Everything that was ever published, looked at together, as somebody with all files and time would."""
    files = await years.files()
    assert [one["quarter"] for one in files] == [f"{year}-Q{number}" for year in (2024, 2025) for number in range(1, 5)]
    assert any(series["distribution"] for _, series in _series(files)), "years in which nothing is shown prove nothing"
    assert any(row["asked"] is None for _, one in _series(files) for table in one["tables"] for row in table["rows"])

    for one, series in _series(files):
        await _adds_up(years, one, series)
    await _no_asking_is_in_two_figures(years, files)
    await _the_three_forms_say_the_same(years, files)
    await _all_doors_together_say_no_more_than_the_file(years, files)
    _no_cell_of_few_follows_from_all_tables_together(files)
    await _nobody_was_asked_twice_in_28_days(years)
    await _an_open_quarter_is_not_published(years)
    await _what_was_published_is_never_changed(years)
    await _a_correction_that_would_show_one_persons_answer_is_refused(years)


async def _adds_up(years: Years, one: dict[str, Any], series: dict[str, Any]) -> None:
    """Count again from the rows, without the ledger's own code."""
    for part, is_first in ((series, False), (series["baseline"], True)):
        since, until = Quarter.read(part["since"]), Quarter.read(one["quarter"])
        assert since is not None
        assert until is not None
        rows = await years.rows(
            "SELECT a.home, place, asked_at, r.report IS NOT NULL, answer FROM confidence_asking a "
            "LEFT JOIN confidence_report r ON r.report = a.report AND r.origin = 'scheduled' "
            "WHERE a.question = %s AND (round = 0) = %s AND answer_until >= %s AND answer_until < %s "
            "ORDER BY a.home, (r.report IS NULL), place, asked_at DESC",
            *(series["question"]["version"], is_first, since.since, until.until),
        )
        first = {row[0]: row for row in reversed(rows)}
        yes = sum(row[3] and (row[4] or 0) >= 4 for row in first.values())
        answered = sum(row[3] for row in first.values())
        assert (part["asked"], part["answered"]) == (len(first), answered)
        exact = min(yes, answered - yes) >= 5
        assert (part["confident_least"] == part["confident_most"] == yes) if exact else True
        assert exact or part["confident_least"] is None or part["confident_most"] - part["confident_least"] == 4
        if exact:
            assert part["interval_95"] == [round(end, 4) for end in confidence.wilson(yes, answered)]
    await _what_was_said_on_the_phone_adds_up(years, one, series)
    for cell in series["distribution"] or []:
        assert cell["homes"] >= 5
    assert series["distribution"] is None or sum(c["homes"] for c in series["distribution"]) == series["answered"]
    for table in series["tables"]:
        for name in ("asked", "answered", "confident"):
            shown = [row[name] for row in table["rows"]]
            total = series["confident_least"] if name == "confident" else series[name]
            if None not in shown and total is not None:
                assert sum(shown) == total
        for row in table["rows"]:
            assert row["answered"] is None or row["asked"] == 0 or row["answered"] >= 5
            assert row["confident"] is None or row["asked"] == 0 or row["confident"] >= 5
            assert row["confident"] is None or row["asked"] == 0 or row["answered"] - row["confident"] >= 5


async def _what_was_said_on_the_phone_adds_up(years: Years, one: dict[str, Any], series: dict[str, Any]) -> None:
    quarter = Quarter.read(one["quarter"])
    assert quarter is not None
    rows = await years.rows(
        "SELECT DISTINCT ON (a.home) a.home, r.answer FROM confidence_asking a JOIN confidence_ring k USING (asking) "
        "LEFT JOIN confidence_report r ON r.report = a.report AND r.origin = 'by phone' "
        "WHERE a.question = %s AND round > 0 AND answer_until >= %s AND answer_until < %s "
        "ORDER BY a.home, (r.report IS NULL), place, asked_at DESC",
        *(series["question"]["version"], quarter.since, quarter.until),
    )
    said = [answer for _, answer in rows if answer is not None]
    yes = sum(answer >= 4 for answer in said)
    phone = series["by_phone"]
    assert (phone["rung"], phone["answered"]) == tuple(None if 0 < n < 5 else n for n in (len(rows), len(said)))
    if phone["confident_least"] is not None:
        assert phone["confident_least"] <= yes <= phone["confident_most"]
        assert phone["confident_least"] != phone["confident_most"] or min(yes, len(said) - yes) >= 5


async def _no_asking_is_in_two_figures(years: Years, files: list[dict[str, Any]]) -> None:
    """What two files share could be subtracted; so they share only quarters of which nothing but counts was said."""
    for version in (1, 2, 3):
        for part in ("scheduled", "baseline"):
            spans = []
            for one, series in _series(files):
                of = series if part == "scheduled" else series["baseline"]
                if series["question"]["version"] == version and of["confident_least"] is not None:
                    spans.append((Quarter.read(of["since"]), Quarter.read(one["quarter"])))
            for (_, until), (since, _) in pairwise(spans):
                assert since is not None
                assert until is not None
                assert until.first < since.first


async def _all_doors_together_say_no_more_than_the_file(years: Years, files: list[dict[str, Any]]) -> None:
    """Page, CSV, JSON, the API and the drawing over time, side by side: whoever has all of them has the file."""
    stranger = years.street.stranger()
    listed = (await stranger.get("/api/v1/ledger")).json()["editions"]
    assert {one["quarter"] for one in listed} == {one["quarter"] for one in files}
    for one in listed:
        published = await stranger.get(one["json"])
        assert (await stranger.get(f"/api/v1/ledger/{one['quarter']}/{one['edition']}")).content == published.content
        assert (await stranger.get(f"/api/v1/ledger/{one['quarter']}")).content == published.content
        cells = {
            tuple(line[name] for name in ("series", "question", "table", "row", "measure")): line["value"]
            for line in csv.DictReader(io.StringIO((await stranger.get(one["csv"])).text))
        }
        counted = {line[:5]: "withheld" if line[5] is None else str(line[5]) for line in ledger.lines(published.json())}
        assert cells == counted
    drawn = {
        (series.audience, line.quarter, line.asked, line.answered, line.confident)
        for series in series_of(files, ledger.AUDIENCES)
        for line in series.lines
    }
    known = {
        (series["audience"], f"{since} to {until}" if since != until else until, *_figure(series))
        for _, series in _series(files)
        for since, until in [(series["since"], series["until"])]
    }
    assert drawn <= known
    page = (await stranger.get("/ledger")).text
    assert all(f">{answered} of {asked}<" in page for _, _, asked, answered, _ in drawn)
    assert page.count("withheld</span>") == sum(
        (line.confident is None) + (line.interval is None)
        for series in series_of(files, ledger.AUDIENCES)
        for line in series.lines
    )


def _figure(series: dict[str, Any]) -> tuple[int, int, str | None]:
    least, most = series["confident_least"], series["confident_most"]
    said = None if least is None else str(least) if least == most else f"{least} to {most}"
    return series["asked"], series["answered"], said


def _no_cell_of_few_follows_from_all_tables_together(files: list[dict[str, Any]]) -> None:
    """Elimination over every table of a series at once: they share their totals, so one could give away another."""
    looked_at = 0
    for one, series in _series(files):
        equations, hidden = _all_that_is_said(series)
        for name, cell in hidden.items():
            (rows,) = (table["rows"] for table in series["tables"] if table["name"] == name[0])
            if all(row["asked"] == 0 for row in rows if row["row"] != name[1]):
                continue  # It is all there is, and its figure the headline.
            worked_out = follows(cell, equations)
            assert worked_out is None or worked_out >= 5, (one["quarter"], series["audience"], name)
            looked_at += 1
    assert looked_at > 100


def _all_that_is_said(
    series: dict[str, Any],
) -> tuple[list[tuple[list[Fraction], Fraction]], dict[Any, list[Fraction]]]:
    """Return all that is known of the cells (table, row, confident | not | no answer), and those withheld."""
    rows = [(table["name"], row) for table in series["tables"] for row in table["rows"]]
    size = 3 * len(rows)
    known: list[tuple[set[int], int | None]] = []
    hidden: dict[Any, set[int]] = {}
    for name in {table for table, _ in rows}:
        here = [3 * number for number, (table, _) in enumerate(rows) if table == name]
        known.append(({at + part for at in here for part in range(3)}, series["asked"]))
        known.append(({at + part for at in here for part in range(2)}, series["answered"]))
        if series["confident_least"] == series["confident_most"]:
            known.append((set(here), series["confident_least"]))
    for number, (table, row) in enumerate(rows):
        at = 3 * number
        cells = {"asked": {at, at + 1, at + 2}, "answered": {at, at + 1}, "confident": {at}}
        known += [(cell, row[name]) for name, cell in cells.items()]
        if row["asked"] is None:
            hidden[table, row["row"], "answered"] = cells["answered"]
        if row["confident"] is None:
            hidden[table, row["row"], "confident"] = {at}
            hidden[table, row["row"], "not confident"] = {at + 1}

    def weights(cell: set[int]) -> list[Fraction]:
        return [Fraction(number in cell) for number in range(size)]

    equations = [(weights(cell), Fraction(value)) for cell, value in known if value is not None]
    return equations, {name: weights(cell) for name, cell in hidden.items()}


async def _the_three_forms_say_the_same(years: Years, files: list[dict[str, Any]]) -> None:
    stranger = years.street.stranger()
    for one in files:
        at = f"/ledger/{one['quarter']}/{one['edition']}"
        page, as_csv, as_json = [await stranger.get(f"{at}{form}") for form in ("", "/ledger.csv", "/ledger.json")]
        assert {answer.status_code for answer in (page, as_csv, as_json)} == {200}
        assert as_json.json() == one
        lines = list(csv.DictReader(io.StringIO(as_csv.text)))
        head = {(line["series"], line["measure"]): line["value"] for line in lines if line["table"] == "headline"}
        tables = [
            line for line in lines if line["table"] not in {"headline", "baseline", "by phone", "answers", "apart"}
        ]
        assert sum(line["value"] == "withheld" for line in tables) == sum(
            row[name] is None
            for series in one["series"]
            for table in series["tables"]
            for row in table["rows"]
            for name in ("asked", "answered", "confident")
        )
        for series in one["series"]:
            assert head[series["audience"], "asked"] == str(series["asked"])
            assert head[series["audience"], "answered"] == str(series["answered"])
            if series["distribution"]:
                assert f"{series['confident_least']} of {series['answered']}" in page.text


async def _nobody_was_asked_twice_in_28_days(years: Years) -> None:
    ((gap, asked),) = await years.rows(
        "SELECT min(gap), count(*) FROM (SELECT asked_at - lag(asked_at) OVER (PARTITION BY person ORDER BY asked_at) "
        "AS gap FROM confidence_asking WHERE asked_at IS NOT NULL) x"
    )
    assert gap >= timedelta(days=28)
    assert asked > 400


async def _what_was_published_is_never_changed(years: Years) -> None:
    """A figure that somebody quoted must be there to be looked up; a correction is beside it and says so."""
    quarter = Quarter.read("2025-Q4")
    assert quarter is not None
    before = await years.rows("SELECT * FROM confidence_edition ORDER BY 1, 2, 6")
    assert all(hashlib.sha256(content).digest() == sum_ for *_, content, sum_ in before)

    assert await publishing.publish_closed(years.conn, now=years.now) == []
    assert await publishing.publish(years.conn, quarter, by="test", why="", now=years.now) is None
    assert await years.rows("SELECT * FROM confidence_edition ORDER BY 1, 2, 6") == before

    edition = await publishing.publish(years.conn, quarter, by="test", why="The name was wrong.", now=years.now)
    page = (await years.street.stranger().get("/ledger/2025-Q4")).text
    old = await publishing.content(years.conn, quarter, 1, "page")

    assert edition == 2
    assert "This corrects edition 1:" in page
    assert "The name was wrong." in page
    assert old is not None
    assert "The name was wrong." not in old.decode()
    assert set(before) < set(await years.rows("SELECT * FROM confidence_edition"))


async def _a_correction_that_would_show_one_persons_answer_is_refused(years: Years) -> None:
    """Two editions side by side are a subtraction too."""
    quarter = Quarter.read("2025-Q4")
    assert quarter is not None
    await years.rows(
        "UPDATE confidence_report SET answer = 1 WHERE report = (SELECT min(report) FROM confidence_asking "
        "JOIN confidence_report USING (report, question, home, person) WHERE question = 1 AND round > 0 AND answer = 5 "
        "AND origin = 'scheduled' "
        "AND place = 1 AND answer_until >= %s AND answer_until < %s) RETURNING report",
        quarter.since,
        quarter.until,
    )

    with pytest.raises(publishing.Unpublishable, match="fewer than five"):
        await publishing.publish(years.conn, quarter, by="test", why="One was miscounted.", now=years.now)


async def _an_open_quarter_is_not_published(years: Years) -> None:
    """Answers may still come, and two looks at an open quarter are a subtraction."""
    with pytest.raises(publishing.Unpublishable, match="not over"):
        await publishing.publish(years.conn, Quarter.of(years.now.date()), by="test", why="", now=years.now)


async def test_before_anything_closed_the_page_says_how_many_were_asked_and_answered(street: Street) -> None:
    """An empty ledger says so; it invents nothing."""
    stranger = street.stranger()
    empty = (await stranger.get("/ledger")).text
    async with street.connection() as conn:
        await asking.turn(conn, now=NINE + timedelta(days=1, hours=2))
    asked = (await stranger.get("/ledger")).text

    assert "Nothing yet: no quarter has closed" in empty
    assert '<th scope="row">Families</th><td class="num">0</td><td class="num">0</td>' in empty
    assert '<th scope="row">Families</th><td class="num">2</td><td class="num">0</td>' in asked


@pytest.mark.parametrize(
    "path",
    ["x", "2026-Q5", "2026-Q2", "2026-Q2/1", "2026-Q2/0", "2026-Q2/x", "2026-Q2/99999999999", "2026-Q2/1/ledger.pdf"],
)
async def test_what_was_not_published_is_simply_not_there(street: Street, path: str) -> None:
    """Whatever is typed into the address ends in the same page."""
    assert (await street.stranger().get(f"/ledger/{path}")).status_code == 404
