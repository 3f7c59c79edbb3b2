"""Can what the runbook tells people to paste be pasted?"""

import re
from pathlib import Path

import pytest

from tests.world.database import Database

_RUNBOOK = Path(__file__).resolve().parents[3] / "deploy" / "runbook.md"
_QUESTIONS = [
    one.strip()
    for block in re.findall(r"^ *```sql\n(.*?)^ *```", _RUNBOOK.read_text(), flags=re.MULTILINE | re.DOTALL)
    for one in block.split(";")
    if one.strip()
]
# Each with its state, and the alert whose story it joined.
_ALERTS = (
    ("sensor_silent", "closed", None),
    ("sensor_stuck", "closed", None),
    ("sensor_stuck", "open", None),
    ("sensor_stuck", "closed", 3),
)


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


def test_what_is_hidden_on_the_way_back_comes_again_as_it_was(database: Database) -> None:
    """An older release cannot show a question that it does not know; whoever returns must find every story."""
    there_and_back = re.findall(r"`(UPDATE alert SET part_of [^`]*;)`", _RUNBOOK.read_text())
    listed = "SELECT alert FROM alert WHERE part_of IS NULL ORDER BY alert"
    whole = "SELECT to_jsonb(alert) FROM alert ORDER BY alert"
    with database.connect() as conn:
        for number, (question, state, part_of) in enumerate(_ALERTS, start=1):
            conn.execute(
                "INSERT INTO alert (hub, question, subject, episode, is_fault, for_operator, part_of, since, at, "
                "raised_at, why, state, outcome, closed_at, closed_by) "
                "VALUES ('h', %s, %s, %s, true, true, %s, now(), now(), now(), '{}', %s, %s, %s, %s)",
                (
                    *(question, str(number), str(number), part_of, state),
                    *(("mended", "2026-11-22T12:00Z", "ines") if state == "closed" else (None, None, None)),
                ),
            )
        before = conn.execute(whole).fetchall()
        hidden, shown = [(conn.execute(one.encode()), conn.execute(listed).fetchall())[1] for one in there_and_back]
        after = conn.execute(whole).fetchall()

    assert hidden == [(1,), (3,)]
    assert shown == [(1,), (2,), (3,)]
    assert after == before
