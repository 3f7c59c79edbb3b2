"""Do the commands work that a council's programmer reads?  In the order of the page, with curl, against a process."""

import json
import os
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.signing_in.secrets import hashed
from api.v1.tokens import Scope
from deploy import admin, street
from gateway.clock import monotonic_s
from tests.integration.api.test_process import answers, running
from tests.world.database import Database

PAGE = Path(__file__).parents[2] / "deploy" / "programs.md"
TOKEN = "telecare_for-a-database-that-lives-for-a-minute"
NOW = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)


def commands() -> list[str]:
    """Return every curl of the page, in order, each on one line."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("curl ")]


def run(command: str, at: str) -> tuple[int, Any]:
    """Run a command as it stands; return the status of its answer and what it says."""
    environment = {"PATH": os.environ["PATH"], "AT": at, "TOKEN": TOKEN}
    done = subprocess.run(
        ["/bin/sh", "-c", command + " -w '\\n%{http_code}'"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body) if body else None


def test_every_command_of_the_page_for_programmers_works(database: Database) -> None:
    """A first hour that begins with commands that fail is a council that goes elsewhere."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    admin.apply_street(street.read(Path(street.__file__).with_name("demo_street.toml")), database.dsn, now=NOW)
    with psycopg.connect(database.dsn, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO api_token (name, token_sha256, person, scopes, made_at, made_by, valid_until) "
            "VALUES ('council', %s, 'control', %s, now(), 'test', now() + %s)",
            (hashed(TOKEN), [scope.value for scope in Scope], timedelta(days=1)),
        )
        conn.execute("INSERT INTO confidence_call (home, person, opened_at) VALUES ('shore-road-14', 'anne', now())")
    with running(TELECARE_DATABASE_URL=database.dsn) as (_, at, _health):
        answers(f"{at}/health", 200)
        statuses = []
        for command in commands():
            if command.endswith("""'{"read": true}'"""):
                _until_looked_back(at)
            statuses.append((command, *run(command, at)))

    assert len(statuses) > 20
    assert [(command, said) for command, status, said in statuses if status not in {200, 201, 202, 204}] == []
    assert "version" in statuses[-1][2]["versions"][0]


def _until_looked_back(at: str) -> None:
    """Read the look back until it is done, as the page says."""
    read = 'curl -s -H "Authorization: Bearer $TOKEN" "$AT/api/v1/homes/shore-road-14/thresholds/look-backs/1"'
    deadline = monotonic_s() + 90
    while run(read, at)[1]["state"] == "running":
        assert monotonic_s() < deadline, "the look back was not done within 90 s"
        time.sleep(0.2)


def test_the_page_names_every_scope() -> None:
    """A scope that is not on the page is one that nobody asks for."""
    assert [scope.value for scope in Scope if f"`{scope.value}`" not in PAGE.read_text()] == []
