"""Run the pretend Twilio as a program: `python -m deploy.pretend_twilio --port 8100 --webhook ADDRESS`."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from deploy.pretend_twilio.behaviour import Account
from deploy.pretend_twilio.server import PretendTwilio
from gateway.clock import Clock

ACCOUNT_VARIABLE = "TELECARE_TWILIO_ACCOUNT_SID"
TOKEN_VARIABLE = "TELECARE_TWILIO_AUTH_TOKEN"  # noqa: S105 - the variable's name, not a secret


def _phone(said: str) -> tuple[str, str]:
    number, sign, who = said.partition("=")
    if not sign or not number or not who:
        raise argparse.ArgumentTypeError(f'"{said}" is not like "+447700900123=Anne Reid, daughter"')
    return number, who


def _arguments(said: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pretend_twilio", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; any that is free unless told")
    parser.add_argument("--webhook", default="", help="where texts from the phones are posted")
    parser.add_argument("--sender", default="+447700900000", help="the number that texts come from")
    parser.add_argument("--state", type=Path, help="a file that keeps the texts from one start to the next")
    parser.add_argument("--phone", type=_phone, action="append", default=[], help="number=who has it; repeatable")
    parser.add_argument("--pace", type=float, default=0.5, help="real seconds between two states of a text")
    return parser.parse_args(said)


def main(said: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    The account and its token come from TELECARE_TWILIO_ACCOUNT_SID and TELECARE_TWILIO_AUTH_TOKEN, as they do
    for the platform, so that no secret is on a command line.
    """
    asked = _arguments(said)
    sid, token = os.environ.get(ACCOUNT_VARIABLE, ""), os.environ.get(TOKEN_VARIABLE, "")
    if not sid or not token:
        sys.stderr.write(f"set {ACCOUNT_VARIABLE} and {TOKEN_VARIABLE} to the values that the platform is given\n")
        return 2
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with PretendTwilio(
        now=Clock.from_env(os.environ).now,
        account=Account(sid, token, asked.sender),
        webhook=asked.webhook,
        phones=dict(asked.phone),
        port=asked.port,
        state=asked.state,
        pace_s=asked.pace,
    ) as twilio:
        sys.stdout.write(f"pretend Twilio at {twilio.base_url}\n")
        sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
