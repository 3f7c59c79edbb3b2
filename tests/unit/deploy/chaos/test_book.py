"""Do runs add up, and does only what bit count?"""

from pathlib import Path

from deploy.chaos.book import Book


def test_runs_add_up(tmp_path: Path) -> None:
    """A thousand faults are gathered over days, in pieces."""
    book = Book(tmp_path / "ledger.jsonl")
    for run, lost in (("a", 0), ("b", 2)):
        book.write({"run": run, "fault": "killed", "target": "ingest", "bit": {"pid": 7}})
        book.write({"run": run, "fault": "killed", "target": "api", "bit": {}})
        book.write({"run": run, "fault": "line cut", "target": "x", "bit": {"connections_ended": 1}})
        end = {"lost": lost, "doubled": 0, "untold": 0, "blind_minutes_shown": 0, "doubled_texts": 1}
        book.write({"run": run, **end})
    found = book.sum()
    assert (found.runs, found.faults, found.kinds) == (2, 4, {"killed": 2, "line cut": 2})
    assert (found.wrong["lost"], found.is_clean, found.doubled_texts) == (2, False, 2)


def test_a_run_that_was_broken_off_counts_for_nothing(tmp_path: Path) -> None:
    """Nobody looked what had come of its faults."""
    book = Book(tmp_path / "ledger.jsonl")
    book.write({"run": "a", "fault": "killed", "target": "ingest", "bit": {"pid": 7}})
    with book.path.open("a") as out:
        out.write('{"run":"a","fault":"kil')
    found = book.sum()
    assert (found.runs, found.faults, found.broken_off, found.is_clean) == (0, 0, 1, True)
