"""The watcher with real addresses to look at, a pretend Twilio, and an address outside to call while all is well."""

import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alerts.telling.sms import Sms
from deploy.backup.keeper import AGE_S
from deploy.embedded import machine
from deploy.pretend_twilio import PretendTwilio
from deploy.watcher.config import Config
from deploy.watcher.run import Watcher
from gateway.clock import Clock
from gateway.health import Address, HealthServer
from tests.integration.alerts.platform import MovedClock, until
from tests.world.phones import Carer

TWO = datetime(2026, 11, 22, 2, tzinfo=UTC)
OPERATOR = "+447700900777"


class Outside:
    """A dead-man's switch: it counts who called."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.calls.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_HEAD(self) -> None:
                self.send_response(200)
                self.end_headers()

            def log_message(self, *said: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@dataclass
class Site:
    """Three processes' health addresses that say what a test lets them say, and a watcher that looks at them."""

    clock: MovedClock
    twilio: PretendTwilio
    outside: Outside
    folder: Path
    facts: dict[str, dict[str, object]]
    why: dict[str, str | None] = field(default_factory=lambda: dict.fromkeys(("ingest", "alerts", "api")))
    clocks: dict[str, Clock] = field(default_factory=dict)
    servers: dict[str, HealthServer] = field(default_factory=dict)
    opened: list[HealthServer] = field(default_factory=list)
    closed: set[HealthServer] = field(default_factory=set)

    def open(self) -> None:
        for name in self.facts:
            self.servers[name] = self.serve(name)

    def serve(self, name: str) -> HealthServer:
        def progress() -> Mapping[str, object]:
            # What moves on in a process that is well.
            return {
                key: self.clock.now().isoformat() if said == "now" else said for key, said in self.facts[name].items()
            }

        server = HealthServer(
            name,
            Address("127.0.0.1", 0),
            {"database": lambda: self.why[name]},
            facts=progress,
            clock=self.clocks.get(name, self.clock.clock),
        )
        self.opened.append(server)
        return server

    def environment(self, **more: str) -> dict[str, str]:
        looked_at = {
            f"TELECARE_WATCHER_{name.upper()}": f"127.0.0.1:{server.address.port}"
            for name, server in self.servers.items()
        }
        return {
            **looked_at,
            "TELECARE_WATCHER_TELLS": OPERATOR,
            "TELECARE_WATCHER_PING": f"{self.outside.url}/secret-of-this-site",
            "TELECARE_WATCHER_STATE": str(self.folder / "watcher.json"),
            "TELECARE_TWILIO_ACCOUNT_SID": self.twilio.account.sid,
            "TELECARE_TWILIO_AUTH_TOKEN": self.twilio.account.token,
            "TELECARE_TWILIO_FROM": self.twilio.account.sender,
            "TELECARE_TWILIO_BASE_URL": self.twilio.base_url,
            **more,
        }

    def watcher(self, **more: str) -> Watcher:
        config = Config.from_env(self.environment(**more))
        assert config.twilio is not None
        return Watcher(config, self.clock.clock, Sms(config.twilio))

    async def live(self, watcher: Watcher, minutes: int) -> None:
        """Let so many minutes pass, with a look in each."""
        for _ in range(minutes):
            self.clock.move(minutes=1)
            await watcher.turn()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Give a site at which all is well."""
    clock = MovedClock(tmp_path / "clock.json", TWO)
    judged = dict.fromkeys(("judged_through", "judging_looked_at", "telling_looked_at"), "now")
    facts: dict[str, dict[str, object]] = {
        "ingest": {"lanes": 64, "complete_through": "now"},
        "alerts": {"lanes": 64, **judged},
        "api": {},
    }
    outside = Outside()
    with PretendTwilio(now=clock.now) as twilio, ThreadPoolExecutor() as at_once:
        site = Site(clock, twilio, outside, tmp_path, facts)
        site.open()
        yield site
        list(at_once.map(HealthServer.close, set(site.opened) - site.closed))
    outside.server.shutdown()
    outside.server.server_close()


def operator(site: Site) -> Carer:
    return Carer(site.twilio, OPERATOR, "the operator")


async def test_while_all_is_well_it_calls_outside_and_texts_nobody(site: Site) -> None:
    """The dead-man's switch hears from us, and the operator sleeps."""
    await site.live(site.watcher(), 3)

    assert site.outside.calls == ["/secret-of-this-site"] * 3
    operator(site).received_nothing()


async def test_a_process_that_does_not_answer_is_texted_and_the_calls_outside_cease(site: Site) -> None:
    """The text may not arrive; the silence outside then wakes somebody by another way."""
    watcher = site.watcher()
    await site.live(watcher, 1)
    site.servers["ingest"].close()
    site.closed.add(site.servers["ingest"])

    await site.live(watcher, 3)

    text = operator(site).received_exactly_one_text(saying="Ingest stands still since 22.11. 02:02")
    assert "does not answer" in text.body
    assert len(site.outside.calls) == 1


async def test_what_stands_still_behind_an_open_port_is_texted(site: Site) -> None:
    """Its address answers at once and says that it is ready."""
    site.facts["alerts"]["judged_through"] = TWO.isoformat()
    watcher = site.watcher()

    await site.live(watcher, 4)

    operator(site).received_exactly_one_text(saying="has judged nothing since 02:00")


async def test_when_it_is_well_again_that_is_said_and_the_calls_go_on(site: Site) -> None:
    """Whoever mended it at night wants to know that it holds before going back to bed."""
    watcher = site.watcher()
    site.why["api"] = "The database does not answer."
    await site.live(watcher, 3)
    site.why["api"] = None

    await site.live(watcher, 2)

    bodies = [text.body for text in operator(site).received()]
    assert ["The database is away since" in bodies[0], "Over: The database" in bodies[1], len(bodies)] == [
        True,
        True,
        2,
    ]
    assert len(site.outside.calls) == 1


async def test_a_restart_of_the_watcher_says_nothing_twice(site: Site) -> None:
    """A watcher that is started again and again must not text each time."""
    site.why["api"] = "The database does not answer."
    await site.live(site.watcher(), 3)

    await site.live(site.watcher(), 3)

    operator(site).received_exactly_one_text(saying="The database is away")


async def test_a_kept_file_that_is_damaged_is_left_aside(site: Site) -> None:
    """A disk that was full must not end the watching."""
    (site.folder / "watcher.json").write_bytes(b'{"standing": {"INGEST": 3')
    watcher = site.watcher()

    await site.live(watcher, 1)

    assert site.outside.calls


async def test_a_clock_that_is_off_is_texted(site: Site, tmp_path: Path) -> None:
    """Every time that a home is judged by would be wrong, and every process would say that it is ready."""
    ahead = MovedClock(tmp_path / "ahead.json", TWO + timedelta(seconds=125))
    site.clocks["alerts"] = ahead.clock
    site.servers["alerts"] = site.serve("alerts")
    watcher = site.watcher()

    for _ in range(3):
        ahead.move(minutes=1)
        await site.live(watcher, 1)

    operator(site).received_exactly_one_text(saying="A clock is off since")
    operator(site).waits_for_text(saying="is 125 s ahead")


@pytest.mark.parametrize("fails", ["refused", "undelivered"])
async def test_when_the_operator_cannot_be_texted_the_calls_outside_cease(
    site: Site, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watcher that cannot say what it sees is of no use, and somebody else must notice."""
    monkeypatch.setattr("deploy.watcher.run._LOOK_UP_AFTER_S", 0.0)
    watcher = site.watcher()
    if fails == "refused":
        site.twilio.fail_create(OPERATOR, status=401, code=20003, times=9)
    else:
        site.twilio.undelivered(OPERATOR)
    site.why["api"] = "The database does not answer."

    deadline = 100
    while watcher.cannot_tell is None and deadline:
        await site.live(watcher, 1)
        deadline -= 1
    assert watcher.cannot_tell is not None
    site.why["api"] = None
    await site.live(watcher, 1)

    assert site.outside.calls == []


async def test_an_address_that_answers_nonsense_stands_still(site: Site) -> None:
    """Somebody else may have taken the port."""
    watcher = site.watcher(TELECARE_WATCHER_API=site.outside.url.removeprefix("http://"))

    await site.live(watcher, 3)

    operator(site).received_exactly_one_text(saying="The pages stand still")


async def test_the_age_of_the_newest_backup_is_read_where_it_is_said(site: Site) -> None:
    """A backup that silently ceased is found on the day on which it is needed."""
    AGE_S.set_function(lambda: float("inf"))
    watcher = site.watcher(TELECARE_WATCHER_BACKUP=f"127.0.0.1:{site.servers['api'].address.port}")

    await site.live(watcher, 3)

    # An address that does not answer would be said too, in other words.
    text = operator(site).received_exactly_one_text(saying="No backup is made")
    assert "there is none" in text.body


@contextmanager
def process(site: Site, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = site.environment(
        TELECARE_CLOCK_FILE=str(site.clock.path),
        TELECARE_WATCHER_HEALTH=f"127.0.0.1:{machine.free_port()}",
        TELECARE_WATCHER_EVERY_S="0.1",
        **more,
    )
    with (site.folder / "log").open("ab") as out:
        child = subprocess.Popen([sys.executable, "-m", "deploy.watcher"], env=environment, stderr=out)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


async def test_the_process_watches_and_stops_when_told(site: Site) -> None:
    """As the unit starts it; nobody's number, and not the secret address, is in its log."""

    async def calls() -> bool:
        return bool(site.outside.calls)

    with process(site) as child:
        await until(calls, what="a call outside")
        child.terminate()
        assert child.wait(60) == 0

    said = (site.folder / "log").read_text()
    assert "watcher stopped" in said
    assert "+44" not in said
    assert "secret-of-this-site" not in said


async def test_a_wrong_environment_is_one_sentence_and_an_exit_code(site: Site) -> None:
    """Whoever sets it up reads one line, which does not repeat a secret."""
    with process(site, TELECARE_WATCHER_PING="secret-of-this-site") as child:
        assert child.wait(60) == 78

    assert "TELECARE_WATCHER_PING must be an address" in (site.folder / "log").read_text()
    assert "secret-of-this-site" not in (site.folder / "log").read_text()


def test_it_needs_nothing_that_it_watches() -> None:
    """On a machine of its own there is no database driver, and a mistake in our tables must not end it."""
    code = (
        "import sys, deploy.watcher.__main__; "
        "print(sorted({'psycopg', 'fastapi', 'numpy', 'river', 'ingest', 'api'} & sys.modules.keys()))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert said.stdout.strip() == b"[]"
