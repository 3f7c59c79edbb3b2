"""A process says whether it can do its work, and why not."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from gateway.health import Address, Check, HealthServer
from gateway.release import version


@pytest.fixture
def reasons() -> dict[str, str | None]:
    return {"radio": None, "outbox": None}


@pytest.fixture
def server(reasons: dict[str, str | None]) -> Iterator[HealthServer]:
    def check(name: str) -> Check:
        return lambda: reasons[name]

    checks = {name: check(name) for name in reasons}
    there = HealthServer("test", Address("127.0.0.1", 0), checks, facts=lambda: {"played_through": "12:00"})
    yield there
    there.close()


def _ask(server: HealthServer, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.address.port}{path}", timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as why:
        with why:
            return why.code, why.read()


def test_a_process_that_can_do_its_work_is_ready(server: HealthServer) -> None:
    """A launcher waits for this before it says that the system runs."""
    status, body = _ask(server, "/ready")

    assert status == 200
    assert json.loads(body) == {
        "process": "test",
        "version": version(),
        "ready": True,
        "why": {},
        "played_through": "12:00",
    }


def test_one_that_cannot_says_why(server: HealthServer, reasons: dict[str, str | None]) -> None:
    """At three in the morning the reason is worth more than the colour."""
    reasons["radio"] = "the home's own broker is away"
    status, body = _ask(server, "/ready")

    assert status == 503
    assert json.loads(body)["why"] == {"radio": "the home's own broker is away"}


def test_health_and_metrics_answer_and_nothing_else_does(server: HealthServer) -> None:
    """A supervisor restarts what is not healthy; being unable to work is not being dead."""
    assert _ask(server, "/health")[0] == 200
    assert b"python_info" in _ask(server, "/metrics")[1]
    assert _ask(server, "/etc/passwd")[0] == 404


@pytest.mark.parametrize("said", ["", "9101", "host:", "host:99999", "host:x"])
def test_what_is_no_address_is_named(said: str) -> None:
    """A mistyped port must not become a random one."""
    with pytest.raises(ValueError, match="host:port"):
        Address.parse(said)
