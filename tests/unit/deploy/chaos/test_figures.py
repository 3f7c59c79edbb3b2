"""Do the figures in `deploy/chaos.md` add up from the ledger that stands beside them?"""

import re
from pathlib import Path

from deploy import chaos
from deploy.chaos.book import ZEROS, Book
from deploy.chaos.run import KINDS

LEDGER = Book(Path(chaos.__file__).with_name("ledger.jsonl"))
WRITTEN = (Path(__file__).resolve().parents[4] / "deploy" / "chaos.md").read_text().split("Runs that were flagged")[0]
ROW = re.compile(r"^\| (\d+) \| `\w+` \| \d+ \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
TOGETHER = re.compile(r"^\| together \| \| \| (\d+) \| 0 \| 0 \| 0 \| 0 \| (\d+) \|$", re.MULTILINE)


def test_each_run_is_written_as_it_ended() -> None:
    """A figure that somebody typed is a promise that nobody kept."""
    ends = [line for line in LEDGER.lines() if "lost" in line]
    kept = [tuple(str(end[name]) for name in ("seed", "faults", *ZEROS, "doubled_texts")) for end in ends]
    assert ROW.findall(WRITTEN) == kept


def test_what_is_written_together_is_what_the_ledger_adds_up_to() -> None:
    """The one number that a council reads: so many faults, and four zeros."""
    found = LEDGER.sum()
    assert found.is_clean
    assert TOGETHER.findall(WRITTEN) == [(str(found.faults), str(found.doubled_texts))]
    assert found.broken_off == 0


def test_every_kind_of_fault_bit_at_least_once() -> None:
    """A kind that never bit was never withstood."""
    assert LEDGER.sum().kinds.keys() == {kind.name for kind in KINDS}
