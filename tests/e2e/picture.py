"""What do the pages look like today?  The README's picture, made again: `python -m tests.e2e.picture`.

Four phones beside each other, photographed in the machine's Chromium: a daughter's page, a neighbour's, the operator's
and the published ledger.  The homes are those of the demo; the simulator lives the four weeks of the first one.  Facts
are written where judging and ingest would write them, and the moment is always the same, so the picture changes only
where a page has.
"""

import argparse
import asyncio
import base64
import contextlib
import csv
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import uvicorn
from playwright.async_api import Browser, async_playwright

from api import publishing, times
from deploy import demo_homes, set_up
from deploy.embedded import machine, postgres
from ingest.db.migrate import migrate
from tests.e2e.test_pages import as_person
from tests.world.browsing import QUIETLY, until
from tests.world.pages import ANNE, CONTROL, JIM, MARGARETS, NINE, Street

PICTURE: Final = Path(__file__).parents[2] / "deploy" / "pages.png"
_HOMES: Final = 60
_DAYS: Final = 28
# As narrow as phones are, so that words stay readable where four stand beside each other.
_WIDTH, _HEIGHT, _GAP = 360, 1060, 22
# Pixels for each of the page's own: sharp on the screens that people have, and a file of some 500 kB.
_SHARPNESS: Final = 1.5
# What families said, so many days ago: a little more of them confident each time.
_SAID: Final = ((300, (2, 3, 4, 4, 5, 3, 1, 4)), (215, (2, 4, 4, 5, 3, 4, 3)), (125, (3, 4, 5, 4, 5, 4, 2, 4, 5)))
_DOORS: Final = ("front door", "back door", "fridge door")


def main() -> int:
    """Make the picture with a database of its own, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURE)
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory(prefix="telecare-picture-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # The database may run as an unprivileged account.
        server = postgres.server(folder / "data", port=machine.free_port(), environment=os.environ, say=lambda _: None)
        server.start()
        try:
            dsn = server.create_database("picture")
            migrate(dsn)
            out.write_bytes(asyncio.run(_picture_of_its_own(dsn, folder)))
        finally:
            server.stop()
    sys.stdout.write(f"{out}\n")
    return 0


async def _picture_of_its_own(dsn: str, folder: Path) -> bytes:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(QUIETLY))
        return await picture(browser, dsn, folder)


async def picture(browser: Browser, dsn: str, folder: Path, *, homes: int = _HOMES) -> bytes:
    """Return a PNG with pages of a street of so many homes.

    Args:
        browser: who looks at them.
        dsn: a database with nothing but all migrations.
        folder: for what is needed meanwhile.
        homes: at least 8.
    """
    async with _serving(dsn, folder) as street:
        await _the_street(street, homes)
        await _margarets_weeks(street, folder)
        street.set_clock(NINE, speed=1)
        pages = {ANNE.person: f"/homes/{MARGARETS}", JIM.person: "/carer", CONTROL.person: "/operator", None: "/ledger"}
        phones = [await _photograph(browser, street, person, path) for person, path in pages.items()]
        return await _beside_each_other(browser, phones)


class _Demo(Street):
    """The demo's homes, instead of those that the tests of pages are told in."""

    async def furnish(self) -> None:
        """Set up nothing yet."""


@contextlib.asynccontextmanager
async def _serving(dsn: str, folder: Path) -> AsyncIterator[_Demo]:
    port = machine.free_port()
    async with _Demo(dsn, folder, public_url=f"http://127.0.0.1:{port}") as street:
        server = uvicorn.Server(uvicorn.Config(street.app, port=port, lifespan="off", log_level="error"))
        serving = asyncio.create_task(server.serve())

        async def is_serving() -> bool:
            return server.started

        await until(is_serving, within_s=60)
        try:
            yield street
        finally:
            server.should_exit = True
            await serving


# What there is to see.


async def _the_street(street: Street, homes: int) -> None:
    """Set up the demo's homes, and let a few of them be in other states than most."""
    told = demo_homes.street_of(homes)
    async with street.connection() as conn:
        await set_up.apply(conn, street.dsn, told, now=NINE - timedelta(days=400), takes_all=True)
    names = [home.id for home in told.home]
    for home in names:
        await street.home_is("watched", home)
    out_together = NINE - timedelta(minutes=52)
    for home in names[-3:]:
        await street.home_is("blind", home, why=["line"], since=out_together, promised_until=out_together)
        await street.could_see(
            (NINE - timedelta(days=20), out_together, "watched", []), (out_together, None, "blind", ["line"]), home=home
        )
    await street.home_is("degraded", names[3], why=["clock"])
    await street.home_is("watched", names[4], learning={"days": 8, "of": 14})
    jims = next(home.id for home in told.home[3:] if JIM.person in home.told)
    await street.pendant_pressed(jims)
    await _answers(street, {home.id: home.family[0] for home in told.home if home.family})


async def _answers(street: Street, family: Mapping[str, str]) -> None:
    """Let families have been asked in three quarters, and three in four have answered; publish what they said."""
    asked = list(enumerate(sorted(family.items())))
    for quarter, (ago, said) in enumerate(_SAID, start=1):
        at = NINE - timedelta(days=ago)
        for place, (home, person) in asked:
            report = None
            if (place + quarter) % 4:
                ((report,),) = await street.sql(
                    "INSERT INTO confidence_report (home, person, question, origin, answer, answered_at) "
                    "VALUES (%s, %s, 1, 'scheduled', %s, %s) RETURNING report",
                    *(home, person, said[place % len(said)], at),
                )
            await street.sql(
                "INSERT INTO confidence_asking (home, person, audience, question, round, place, due_at, asked_at, "
                "answer_until, way, state, report, ended_at) VALUES (%s, %s, 'family', 1, %s, 1, %s, %s, %s, 'text', "
                "%s, %s, %s)",
                *(home, person, quarter, at, at, at + timedelta(days=14)),
                *("lapsed" if report is None else "answered", report, at),
            )
    async with street.connection() as conn:
        await publishing.publish_closed(conn, now=street.now)


async def _margarets_weeks(street: Street, folder: Path) -> None:
    """Let Margaret have lived four weeks until now, as the simulator does, seen but for a night without broadband."""
    moves = _lived(folder)
    for quantity in ("movement", "open"):
        of_these = [(at, room) for at, room in moves if (room in _DOORS) == (quantity == "open")]
        await street.seen(*of_these, quantity=quantity)
    cut = NINE - timedelta(days=9, hours=11)
    back = cut + timedelta(hours=9)
    begun = NINE - timedelta(days=_DAYS)
    await street.could_see((begun, cut, "watched", []), (cut, back, "blind", ["line"]), (back, None, "watched", []))
    inside = [(at, room) for at, room in moves if room not in _DOORS]
    last_seen_at, room = inside[-1]
    up_since = next(
        at for at, _ in inside if times.local_date(at) == times.local_date(NINE) and times.local(at).hour >= 4
    )
    await street.home_is("watched", last_seen_at=last_seen_at, last_seen_room=room, up_since=up_since, since=back)


def _lived(folder: Path) -> list[tuple[datetime, str]]:
    """Return when a sensor of which room or door said something, in order, up to now."""
    since = times.local_date(NINE) - timedelta(days=_DAYS)
    arguments = ("--homes", "1", "--days", str(_DAYS + 1), "--since", since.isoformat(), "--out", str(folder / "lived"))
    subprocess.run(
        [sys.executable, "-m", "firmware_sim.simulate", *arguments], check=True, capture_output=True, timeout=600
    )
    with gzip.open(folder / "lived" / "recording.csv.gz", "rt", encoding="utf-8") as file:
        said = [(_moment(row["observed_at"]), row["location"]) for row in csv.DictReader(file)]
    return [(at, room) for at, room in said if at < NINE]


def _moment(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=times.LONDON).astimezone(UTC)


# The camera.


async def _photograph(browser: Browser, street: Street, person: str | None, path: str) -> bytes:
    """Return the first screen of a page on somebody's phone."""
    context = await as_person(browser, street, person, sharpness=_SHARPNESS)
    page = await context.new_page()
    await page.set_viewport_size({"width": _WIDTH, "height": _HEIGHT})
    await page.goto(path)
    await page.evaluate("document.fonts.ready")
    taken = await page.screenshot()
    await context.close()
    return taken


async def _beside_each_other(browser: Browser, phones: Sequence[bytes]) -> bytes:
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(phone).decode()}">' for phone in phones)
    page = await browser.new_page(
        viewport={"width": len(phones) * (_WIDTH + _GAP) + _GAP, "height": _HEIGHT + 2 * _GAP},
        device_scale_factor=_SHARPNESS,
    )
    await page.set_content(
        "<style>body{margin:0;display:flex;background:#e9e3d8}"
        f"img{{width:{_WIDTH}px;margin:{_GAP}px 0 {_GAP}px {_GAP}px;border-radius:24px;box-shadow:0 0 0 1px #9d9484}}"
        f"</style>{images}"
    )
    await page.wait_for_function("[...document.images].every(one => one.complete && one.naturalWidth)")
    taken = await page.screenshot()
    await page.close()
    return taken


if __name__ == "__main__":
    sys.exit(main())
