"""Does the process start, serve, say how it is, and stop?"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

import httpx
import pytest

from deploy.embedded import machine
from gateway.clock import monotonic_s
from tests.world.database import Database


@contextmanager
def running(**environment: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run the process on ports of its own; give it, its pages' address and its health's."""
    pages, health = (f"127.0.0.1:{machine.free_port()}" for _ in range(2))
    process = subprocess.Popen(
        [sys.executable, "-m", "api"],
        env={"PATH": os.environ["PATH"], "TELECARE_API_LISTEN": pages, "TELECARE_API_HEALTH": health, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, f"http://{pages}", f"http://{health}"
    except BaseException:
        # A process that ended by itself says why, and so does one that never came so far.
        process.kill()
        if process.stderr is not None and not process.stderr.closed:
            sys.stderr.write(f"the process said:\n{process.stderr.read()}")
        raise
    finally:
        process.kill()
        process.communicate()


def answers(url: str, status: int, *, within_s: float = 90.0) -> httpx.Response:
    """Return an answer with this status, as soon as there is one."""
    deadline = monotonic_s() + within_s
    while monotonic_s() < deadline:
        try:
            answer = httpx.get(url)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code == status:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{url} did not answer {status} within {within_s} s")


def test_it_serves_is_ready_and_stops_cleanly(database: Database) -> None:
    """An operator starts it, sees that it is ready, and stops it without cutting anybody off."""
    with running(TELECARE_DATABASE_URL=database.dsn) as (process, pages, health):
        assert answers(f"{pages}/health", 200).json() == {"process": "api", "health": "running"}
        assert answers(f"{health}/health", 200).json()["version"] == metadata.version("telecare")
        assert answers(f"{health}/ready", 200).json()["ready"] is True
        assert "Sign in" in answers(f"{pages}/log-in", 200).text

        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)

    lines = [json.loads(line) for line in said.splitlines()]
    assert process.returncode == 0
    # Whoever lists processes at night must not look for one that was stopped in order.
    with database.connect() as conn:
        (ended,) = conn.execute("SELECT ended_at IS NOT NULL FROM process_heartbeat WHERE process = 'api'").fetchall()
    assert ended == (True,)
    assert [line["event"] for line in lines if line["level"] == "ERROR"] == [
        "nobody can be texted: Twilio is not configured"
    ]


def test_it_says_that_it_is_not_ready_without_a_database(database: Database) -> None:
    """Whoever watches learns it before a family does, from a process that waits: at its start, and later."""
    database.server.stop()
    with running(TELECARE_DATABASE_URL=database.dsn) as (process, pages, health):
        said = answers(f"{health}/ready", 503)
        assert said.json()["why"] == {"database": "The database does not answer."}

        database.server.start()
        answers(f"{health}/ready", 200)
        database.server.stop()

        said = answers(f"{health}/ready", 503)
        assert said.json()["why"] == {"database": "The database does not answer."}
        assert answers(f"{pages}/log-in", 503)
        assert process.poll() is None


def test_one_that_waits_for_its_database_ends_when_told(database: Database) -> None:
    """Whoever stops the platform while its database is away does not wait for either."""
    database.server.stop()
    with running(TELECARE_DATABASE_URL=database.dsn) as (process, _, health):
        answers(f"{health}/ready", 503)

        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert process.returncode == 0


def test_a_server_that_was_told_of_no_proxy_believes_none(database: Database) -> None:
    """Uvicorn would believe whatever reaches it from this machine, as every request behind a proxy does."""
    twilio = {"ACCOUNT_SID": "AC" + "0" * 32, "AUTH_TOKEN": "0" * 32, "FROM": "+447700900000"}
    named = {f"TELECARE_TWILIO_{name}": value for name, value in twilio.items()}
    named["TELECARE_PUBLIC_URL"] = "https://care.example"
    with running(TELECARE_DATABASE_URL=database.dsn, **named) as (_, pages, health):
        answers(f"{health}/ready", 200)
        for number in range(3):
            headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": f"198.51.100.{number}"}
            httpx.post(f"{pages}/log-in", data={"who": f"0770090010{number}"}, headers=headers, timeout=60)
        deadline = monotonic_s() + 60
        with database.connect() as conn:
            counted: object = None
            # The work is done after the answer has left.
            while counted != (3, 1) and monotonic_s() < deadline:
                time.sleep(0.05)
                counted = conn.execute("SELECT count(*), count(DISTINCT address_sha256) FROM login_request").fetchone()

    assert counted == (3, 1)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "TELECARE_DATABASE_URL"),
        ({"TELECARE_DATABASE_URL": "x", "TELECARE_PUBLIC_URL": "http://care.example"}, "TELECARE_PUBLIC_URL"),
    ],
)
def test_it_refuses_in_one_sentence(environment: dict[str, str], sentence: str) -> None:
    """One line to read, not a traceback."""
    with running(**environment) as (process, _, _):
        _, said = process.communicate(timeout=60)

    (line,) = said.splitlines()
    assert process.returncode == 2
    assert sentence in json.loads(line)["event"]
