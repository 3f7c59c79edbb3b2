"""Some minutes of `telecare chaos`, as anyone can run it for hours."""

from pathlib import Path

from deploy.chaos import run
from deploy.chaos.book import Book
from deploy.said import Say


class _Quiet(Say):
    def __call__(self, *words: str) -> None:
        """Say nothing: a test's output is its own."""


def test_a_street_that_is_treated_cruelly_loses_nothing_and_hides_nothing(open_folder: Path, tmp_path: Path) -> None:
    """The four promises, all at once, while fate does what it likes: lost, doubled, untold and blind are zero."""
    book = tmp_path / "ledger.jsonl"
    asked = run.Asked(data=open_folder / "chaos", book=book, seed=4, faults=6, minutes=2.0, homes=2)

    code = run.run(asked, _Quiet())

    found = Book(book).sum()
    assert found.wrong == {"lost": 0, "doubled": 0, "untold": 0, "blind_minutes_shown": 0}, Book(book).lines()
    assert (code, found.runs) == (0, 1)
    assert found.faults >= 3
