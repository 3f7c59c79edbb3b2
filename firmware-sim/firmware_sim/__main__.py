"""How is a street of homes that do not exist brought to life?

    python -m firmware_sim --street street.toml --diary DIR [--seed N] [--clock FILE] [--control-port N] [--chance]

One line of JSON on standard output says that it is ready; everything else goes to standard error.
"""

import argparse
import json
import logging
import os
import re
import signal
import sys
from datetime import timedelta
from pathlib import Path

from firmware_sim.clock import Clock, NoClock
from firmware_sim.control import Control
from firmware_sim.living import Living
from firmware_sim.street import BadStreet, street_in

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def main(words: list[str] | None = None) -> int:
    """Live until SIGTERM or SIGINT; return 0 then, and 2 if it could not begin."""
    asked = _arguments().parse_args(words)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    try:
        living = Living(
            street_in(asked.street, seed=asked.seed),
            seed=asked.seed,
            diaries=asked.diary,
            clock=Clock(asked.clock),
            catch_up=asked.catch_up,
            has_chance=asked.chance,
        )
        control = None if asked.control_port is None else Control(asked.control_port, living.ask)
    except (BadStreet, NoClock, OSError, ValueError) as why:
        sys.stderr.write(f"{why}\n")
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: living.stop())
    _live(living, control)
    return 0


def _live(living: Living, control: Control | None) -> None:
    if control is not None:
        control.start()
    try:
        if living.connect():
            ready = {"ready": True, "control_port": control and control.port, **living.state()}
            sys.stdout.write(json.dumps(ready) + "\n")
            sys.stdout.flush()
            living.live()
    finally:
        if control is not None:
            control.stop()
        living.farewell()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="firmware_sim", description="Homes that do not exist, on real brokers.")
    parser.add_argument("--street", type=Path, required=True, help="the homes, in TOML")
    parser.add_argument("--diary", type=Path, required=True, help="a folder; one JSON-lines file a home")
    parser.add_argument("--seed", type=int, default=1, help="decides all that is left to chance")
    parser.add_argument("--clock", type=Path, default=_clock_file(), help="the shared clock file; real time without")
    parser.add_argument("--control-port", type=int, help="take orders on 127.0.0.1; 0 for any free port")
    parser.add_argument("--chance", action="store_true", help="let things befall the homes by chance, too")
    parser.add_argument("--catch-up", type=_duration, default=timedelta(minutes=15), help="such as 90s, 15m, 2h")
    return parser


def _clock_file() -> Path | None:
    named = os.environ.get("TELECARE_CLOCK_FILE")
    return Path(named) if named else None


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"not a duration such as 90s, 15m or 2h: {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


if __name__ == "__main__":
    sys.exit(main())
