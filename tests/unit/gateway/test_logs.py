"""Is a log line a fact, and never a person?"""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway import logs

PHONE = "+447700900101"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Give what a process has logged."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level, hook = root.handlers, root.level, sys.excepthook
    logs.configure("alerts", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level, sys.excepthook = handlers, level, hook


def fail() -> None:
    """Fail as a database does: with the row in its words, and another failure behind it."""
    try:
        raise ValueError(f"Failing row contains ({PHONE}, Margaret Reid)")
    except ValueError as why:
        raise ExceptionGroup(f"for {PHONE}", [KeyError(PHONE)]) from why


def test_an_exception_is_logged_without_its_words(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """A phone number in a log is read by whoever reads logs, for as long as logs are kept."""
    try:
        fail()
    except ExceptionGroup:
        logging.getLogger("alerts.tell").exception("telling failed")

    (line,) = lines()
    assert line["event"] == "telling failed"
    assert PHONE not in str(line)
    assert "Margaret" not in str(line)


def test_an_exception_is_logged_with_its_types_and_places(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """Whoever mends it at three in the morning needs to know what and where."""
    try:
        fail()
    except ExceptionGroup:
        logging.getLogger("alerts.tell").exception("telling failed")

    said = lines()[0]["exc_info"]
    assert [kind for kind in said.splitlines() if not kind.startswith(" ")] == [
        "builtins.ExceptionGroup",
        "builtins.KeyError",
        "builtins.ValueError",
    ]
    assert "test_logs.py" in said
    assert " fail" in said


def test_what_ends_a_process_is_logged_without_its_words_too(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """What Python writes on its way out lands in the same place as the log."""
    try:
        fail()
    except ExceptionGroup as why:
        sys.excepthook(type(why), why, why.__traceback__)

    (line,) = lines()
    assert line["level"] == "CRITICAL"
    assert PHONE not in str(line)
