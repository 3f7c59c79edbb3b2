"""The platform's parts are stopped for real, and the watcher texts the operator."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from deploy.embedded import machine
from tests.world.whole import Whole

OPERATOR = "+447700900777"
PATIENCE = timedelta(seconds=20)


class Watching:
    """A watcher that runs beside all of telecare."""

    def __init__(self, whole: Whole, folder: Path) -> None:
        """Start it, with a phone of its own."""
        self.whole = whole
        self.health = f"127.0.0.1:{machine.free_port()}"
        kept = whole.platform.kept
        environment = {
            **whole.twilio.environment(),
            **{
                f"TELECARE_WATCHER_{name.upper()}": str(kept.said(f"health address {name}"))
                for name in ("ingest", "alerts", "api")
            },
            "TELECARE_WATCHER_PAGES": whole.pages,
            "TELECARE_WATCHER_TELLS": OPERATOR,
            "TELECARE_WATCHER_HEALTH": self.health,
            "TELECARE_WATCHER_EVERY_S": "0.2",
            "TELECARE_WATCHER_PATIENCE_S": str(PATIENCE.total_seconds()),
            "TELECARE_CLOCK_FILE": str(whole.clock.file),
        }
        with (folder / "watcher.log").open("ab") as out:
            self.process = subprocess.Popen([sys.executable, "-m", "deploy.watcher"], env=environment, stderr=out)

    def seen_now(self) -> set[str] | None:
        """Return which alarms the last look saw, or None while it does not answer."""
        try:
            answer = urllib.request.urlopen(f"http://{self.health}/ready", timeout=5)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        except OSError:
            return None
        with answer:
            return set(json.load(answer)["seen_now"])

    def texts(self) -> list[str]:
        return [text.body for text in self.whole.twilio_server.texts_to(OPERATOR)]

    def sees(self, *alarms: str) -> None:
        self.whole.until(lambda: self.seen_now() == set(alarms), within_s=90, what=f"{alarms} being seen")

    def texts_about(self, *words: str) -> None:
        """Let its patience pass, and wait for a text with these words."""
        # Less than the platform may be behind: it needs a moment to catch up with a clock that leaps.
        self.whole.clock.leap(PATIENCE + timedelta(seconds=1))
        self.whole.until(
            lambda: any(all(word in body for word in words) for body in self.texts()),
            within_s=90,
            what=f"a text with {words} among {self.texts()}",
        )


@contextmanager
def watching(whole: Whole, folder: Path) -> Iterator[Watching]:
    one = Watching(whole, folder)
    try:
        one.sees()
        yield one
    finally:
        one.process.kill()
        one.process.wait()


def test_whatever_stands_still_is_texted_to_the_operator_and_said_to_be_over(whole: Whole, tmp_path: Path) -> None:
    """Nobody is told by a part that has stopped; and a stopped process keeps its port open.

    One watcher through two nights: processes that hang, and a database that is gone, which is one alarm.
    """
    with watching(whole, tmp_path) as watcher:
        hung = [whole.supervisor.process(part).pid for part in ("ingest", "alerts")]
        for pid in hung:
            os.kill(pid, signal.SIGSTOP)
        watcher.sees("Ingest stands still", "Judging stands still", "Telling stands still")
        watcher.texts_about("Ingest stands still since", "Judging stands still since", "Telling stands still since")
        for pid in hung:
            os.kill(pid, signal.SIGCONT)
        watcher.sees()
        watcher.texts_about("Over: ", "Telling stands still")

        whole.supervisor.hold("postgres")
        watcher.sees("The database is away")
        watcher.texts_about("The database is away since")
        whole.supervisor.release("postgres")
        watcher.sees()
        watcher.texts_about("Over: The database is away")
