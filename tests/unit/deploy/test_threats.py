"""Does each threat name a test that is there?"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
THREATS = (ROOT / "deploy" / "threats.md").read_text()
ROWS = [line for line in THREATS.splitlines() if re.match(r"\| [STRIDE] \|", line)]
PARTS = ("hub", "broker", "ingest", "database", "pages", "texts", "operators")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[2].strip()[:60])
def test_a_threat_has_a_control_and_the_test_that_shows_it(row: str) -> None:
    """A control that nothing tries is a hope; and a test that was renamed is one that nobody runs."""
    _, letter, threat, control, shown, _ = (cell.strip() for cell in row.split("|"))
    named = re.fullmatch(r"`(tests/[\w/]+\.py)` `(test_\w*)`", shown)

    assert letter
    assert threat
    assert control
    assert named is not None, shown
    names = {
        node.name
        for node in ast.walk(ast.parse((ROOT / named[1]).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert named[2] in names


def test_every_part_and_every_letter_is_looked_at() -> None:
    """What was never asked is the threat that comes."""
    headings = "".join(re.findall(r"^## (.+)$", THREATS, flags=re.MULTILINE)).casefold()

    assert {row.split("|")[1].strip() for row in ROWS} == set("STRIDE")
    assert [part for part in PARTS if part not in headings] == []
