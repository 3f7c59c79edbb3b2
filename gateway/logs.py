"""How does a process say what happened?  One JSON line an event, with fields, and never a person in it.

That holds for exceptions too: their words are left out, because they hold values.  A database, for one, says whole
rows, with the phone and the text in them.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

_Caught = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def _say_what_ended_us(kind: type[BaseException], why: BaseException, at: TracebackType | None) -> None:
    """Log what nobody caught: Python's own words on the way out would hold values too."""
    if not issubclass(kind, Exception):  # Ctrl-C is no mistake.
        sys.__excepthook__(kind, why, at)
        return
    logging.getLogger("ended").critical("process ended by a mistake of ours", exc_info=(kind, why, at))


class Formatter(JsonFormatter):
    """JSON, in which an exception is its types and where it passed in the code."""

    def formatException(self, ei: _Caught) -> str:  # noqa: N802 - logging's own name
        """Return the types of an exception and of those behind it, each with the places it passed."""
        return "\n".join(line for why in _chain(ei[1]) for line in _without_words(why))


def _chain(why: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what caused it or came before it, and the parts of a group, at most 20."""
    waiting, left = [why], 20
    while waiting and left:
        one = waiting.pop(0)
        if one is None:
            continue
        left -= 1
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        waiting.append(one.__cause__ or (None if one.__suppress_context__ else one.__context__))


def _without_words(why: BaseException) -> list[str]:
    passed = traceback.extract_tb(why.__traceback__)
    kind = type(why)
    return [f"{kind.__module__}.{kind.__qualname__}", *(f"  {at.filename}:{at.lineno} {at.name}" for at in passed)]


def configure(process: str, *, stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """Send every log line of this process, and what ends it, to a stream as one JSON object a line."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        Formatter(
            "{message}{levelname}{name}{asctime}",
            style="{",
            rename_fields={"message": "event", "levelname": "level", "asctime": "at"},
            static_fields={"process": process},
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    sys.excepthook = _say_what_ended_us
    # These two print addresses with their query, and phone numbers within them, at INFO.
    for chatty in ("httpx", "twilio.http_client", "urllib3", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
