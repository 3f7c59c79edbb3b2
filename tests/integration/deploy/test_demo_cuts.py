"""Do a simulated home's power, line and clock fail for the real parts in it, and only there?"""

import socket
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.child import Command
from deploy.demo_cuts import Cuts
from deploy.embedded import machine
from deploy.embedded.broker import wait_until
from deploy.lines import Lines
from deploy.platform import Platform
from deploy.said import Say
from deploy.supervise import Part, Supervisor
from gateway.clock import Anchor, read_anchor, write_anchor

PARTS = [f"{what} {home}" for home in ("here", "there") for what in ("broker", "gateway")]


class _Quiet(Say):
    def __call__(self, *words: str) -> None:
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[int]:
    """Return the port of a server that says back what it is told: it stands for the platform's broker."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(one: socket.socket) -> None:
        with one:
            while said := one.recv(4096):
                one.sendall(said)

    def accept() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(one,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _sleeps() -> Command:
    return Command((sys.executable, "-c", "import signal; signal.pause()"))


def says_back(line: socket.socket, said: bytes) -> bool:
    line.sendall(said)
    return line.recv(4096) == said


def test_a_line_hands_on_until_it_is_cut_and_again_when_it_is_mended(echo: int) -> None:
    """A hub must meet a broadband cut as it is: what was open ends, and nothing new gets through."""
    here, there = machine.free_port(), machine.free_port()
    with Lines(echo) as lines:
        lines.open("here", here)
        lines.open("there", there)
        with (
            socket.create_connection(("127.0.0.1", here), 5) as ours,
            socket.create_connection(("127.0.0.1", there), 5) as theirs,
        ):
            assert says_back(ours, b"one")
            assert says_back(theirs, b"two")

            lines.cut("here")

            assert wait_until(lambda: _has_ended(ours))
            assert not machine.accepts(here)
            assert says_back(theirs, b"three")
        lines.cut("here")
        lines.mend("here")
        with socket.create_connection(("127.0.0.1", here), 5) as again:
            assert says_back(again, b"four")


def _has_ended(line: socket.socket) -> bool:
    try:
        return line.recv(1) == b""
    except ConnectionError:
        return True


def test_a_hub_hears_at_once_that_the_platforms_broker_is_gone() -> None:
    """A line without anything at its end must not look like one that is merely slow."""
    port = machine.free_port()
    with Lines(machine.free_port()) as lines:
        lines.open("here", port)
        with socket.create_connection(("127.0.0.1", port), 5) as ours:
            assert wait_until(lambda: _has_ended(ours))


def test_power_and_clock_fail_in_the_home_that_they_are_ordered_for(tmp_path: Path, echo: int) -> None:
    """What the simulator says of a home is done to its processes, and undone."""
    clock = tmp_path / "clock.json"
    write_anchor(clock, Anchor(1000.0, 2_000_000.0, 1.0, timedelta(0)))
    with Supervisor(tmp_path / "logs") as supervisor, Lines(echo) as lines:
        platform = Platform(supervisor, tmp_path, environment={}, say=_Quiet(), clock_file=clock)
        for name in PARTS:
            if name.startswith("gateway"):
                platform.process(name, "gateway")
            supervisor.start(Part(name, _sleeps))
        homes = {home: tmp_path / home for home in ("here", "there")}
        for home, folder in homes.items():
            folder.mkdir()
            lines.open(home, machine.free_port())
        cuts = Cuts(homes, supervisor=supervisor, platform=platform, lines=lines, clock=clock, say=_Quiet())

        def alive() -> list[str]:
            return [name for name in PARTS if supervisor.process(name).poll() is None]

        cuts.follow("here", power=False, line=True, clock=True)
        assert alive() == ["broker there", "gateway there"]
        cuts.follow("here", power=True, line=True, clock=True)
        assert wait_until(lambda: alive() == PARTS)

        before = supervisor.process("gateway here").pid
        cuts.follow("here", power=True, line=True, clock=False)
        assert wait_until(lambda: supervisor.process("gateway here").pid != before)
        wrong = Path(platform.variables("gateway here")["TELECARE_CLOCK_FILE"])
        assert read_anchor(clock).at(1000.0) - read_anchor(wrong).at(1000.0) == timedelta(hours=7).total_seconds()
        assert platform.variables("gateway there")["TELECARE_CLOCK_FILE"] == str(clock)
        cuts.follow("here", power=True, line=True, clock=True)
        assert platform.variables("gateway here")["TELECARE_CLOCK_FILE"] == str(clock)
