"""Can what the runbook tells people to paste be pasted?"""

import re
from pathlib import Path

import pytest

from tests.world.database import Database

_RUNBOOK = Path(__file__).resolve().parents[3] / "deploy" / "runbook.md"
_QUESTIONS = [
    one.strip()
    for block in re.findall(r"^```sql\n(.*?)^```", _RUNBOOK.read_text(), flags=re.MULTILINE | re.DOTALL)
    for one in block.split(";")
    if one.strip()
]


def test_the_runbook_asks_the_database_at_all() -> None:
    """The test below is for nothing if it finds no question."""
    assert len(_QUESTIONS) > 10


@pytest.mark.parametrize("question", _QUESTIONS, ids=lambda question: question.split("\n")[0][:60])
def test_a_question_of_the_runbook_is_answered_and_changes_nothing(database: Database, question: str) -> None:
    """At three in the morning nobody mends the SQL that was to help them; and looking must never write."""
    with database.connect() as conn, conn.transaction():
        conn.execute("SET TRANSACTION READ ONLY")
        asked = conn.execute(question.encode())

        assert asked.description
