"""How does a process say what happened?  One JSON line an event, with fields, and never a person in it."""

import logging
import sys
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter


def configure(process: str, *, stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """Send every log line of this process to a stream as one JSON object a line."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        JsonFormatter(
            "{message}{levelname}{name}{asctime}",
            style="{",
            rename_fields={"message": "event", "levelname": "level", "asctime": "at"},
            static_fields={"process": process},
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # These two print addresses with their query, and phone numbers within them, at INFO.
    for chatty in ("httpx", "twilio.http_client", "urllib3", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
