"""Does the JSON API keep what its own description says, whatever a program sends?

Schemathesis reads the description as any program would, and asks the real process with what it makes of it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.signing_in.secrets import hashed
from api.v1.tokens import Scope
from deploy import admin, street
from tests.integration.api.test_process import answers, running
from tests.world.database import Database

_TOKEN = "telecare_for-a-database-that-lives-for-a-minute"
# A cursor that was never given, or a time that ends before it begins, has the right form and no meaning.
_BEYOND_A_SCHEMA: Final = [positive_data_acceptance]

_HOME = "shore-road-14"
# Addresses of things that a street has none of when it is new.
_NEEDS_A_ROW: Final = re.compile(r"\{(person|group|quarter)\}")
# Of each of some sixty operations; the whole is to stay under half a minute of CI.
_EXAMPLES: Final = 6
_NOW = datetime(2026, 6, 16, 8, 14, tzinfo=UTC)


@pytest.fixture
def description(database: Database) -> Iterator[Any]:
    """Give the description of a running process, with homes behind it and a token that may do everything."""
    admin.apply_street(street.read(Path(street.__file__).with_name("demo_street.toml")), database.dsn, now=_NOW)
    with psycopg.connect(database.dsn, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO api_token (name, token_sha256, person, scopes, made_at, made_by, valid_until) "
            "VALUES ('all', %s, 'control', %s, now(), 'test', now() + %s)",
            (hashed(_TOKEN), [scope.value for scope in Scope], timedelta(days=1)),
        )
    with running(TELECARE_DATABASE_URL=database.dsn) as (_, pages, _health):
        answers(f"{pages}/health", 200)
        yield schemathesis.openapi.from_url(f"{pages}/api/v1/openapi.json")


def test_every_answer_is_one_that_was_described(description: Any) -> None:
    """A program written from the description alone must never meet what is not in it."""
    operations = [one.ok() for one in description.get_all_operations()]

    statuses = {one.label: _statuses(one) for one in operations}

    # It is worth nothing if every answer was that there is nothing; what is written is tried by its examples.
    read = {label: seen for label, seen in statuses.items() if label.startswith("GET ") and label.count("{") < 2}
    assert len(read) > 15
    assert all(200 in seen for label, seen in read.items() if not _NEEDS_A_ROW.search(label)), statuses


def _statuses(operation: Any) -> set[int]:
    """Ask in many ways, hold each answer against the description, and return the statuses."""
    seen = set()

    @given(case=operation.as_strategy(), is_real=st.booleans())
    @settings(max_examples=_EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    def keeps_its_word(case: Any, *, is_real: bool) -> None:
        if is_real and "home" in case.path_parameters:
            case.path_parameters["home"] = _HOME  # A random home is hardly ever one that there is.
        answer = case.call(headers={"Authorization": f"Bearer {_TOKEN}"})
        seen.add(answer.status_code)
        case.validate_response(answer, excluded_checks=_BEYOND_A_SCHEMA)

    keeps_its_word()
    return seen
