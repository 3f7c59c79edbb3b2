"""How does a site run the platform for real homes?

The same parts as the demo without anything pretended: the database and the broker are embedded where none is
configured, and whatever is missing is said at once and loudly, never left to be found out at night.
"""

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.backup.config import NO_RECIPIENT, Config
from deploy.embedded import machine
from deploy.embedded.machine import Missing
from deploy.platform import PAGES_PORT, Platform, wait_for_answers
from deploy.said import Say
from deploy.supervise import Stopped, Supervisor
from gateway.health import Address

_TWILIO: Final = ("TELECARE_TWILIO_ACCOUNT_SID", "TELECARE_TWILIO_AUTH_TOKEN", "TELECARE_TWILIO_FROM")


def run(data: Path, port: int | None, environment: Mapping[str, str]) -> int:
    """Run until Ctrl-C or SIGTERM, and return the exit code.

    Raises:
        Missing: the machine lacks something.
        DidNotStart: a part of ours did not.
    """
    say = Say()
    # Looked at first: a slip must not show itself only after the database has been started.
    listen = _require_listen(environment.get("TELECARE_API_LISTEN") or f"127.0.0.1:{port or PAGES_PORT}")
    public = environment.get("TELECARE_PUBLIC_URL") or f"http://{listen}"
    backups = Config.from_env(environment, data)
    nobody = who_cannot_be_texted(environment)
    if nobody:
        say(nobody)
    with machine.held(data), Supervisor(data / "logs", tell=say) as supervisor, contextlib.suppress(Stopped):
        platform = Platform(
            supervisor,
            data,
            environment=environment,
            say=say,
            extra={"TELECARE_PUBLIC_URL": public, "TELECARE_API_LISTEN": listen},
        )
        platform.start_database(has_log=backups.has_log)
        platform.start_broker()
        say("starting ingest, alerts and the pages")
        platform.start_process("ingest")
        # After an upgrade what homes remember may be read again for hours; alarms are told meanwhile.
        platform.start_process("alerts", but_for=("judging",))
        platform.start_process("api")
        if backups.to:
            platform.start_backups()
        else:
            say("NO BACKUPS ARE MADE. " + NO_RECIPIENT)
        platform.start_watcher(public)
        _tell(say, public, listen, platform)
        supervisor.watch(each_tick=platform.permit_anew)
        say("stopping")
    say("stopped; the data is kept in", str(data))
    return 0


def _require_listen(said: str) -> str:
    try:
        address = Address.parse(said)
    except ValueError as why:
        raise Missing(f"TELECARE_API_LISTEN: {why}.") from None
    if address.host == "127.0.0.1":
        machine.require_free_port(address.port, "the pages' server")
    return said


def who_cannot_be_texted(environment: Mapping[str, str]) -> str | None:
    """Return the sentence that says that nobody can be texted, or None where Twilio is configured.

    Raises:
        Missing: it is half configured, which is always a mistake.
    """
    have = [
        name
        for name in _TWILIO
        if environment.get(name) or (name.endswith("TOKEN") and environment.get(f"{name}_FILE"))
    ]
    if not have:
        return "NOBODY CAN BE TEXTED: Twilio is not configured. Set " + ", ".join(_TWILIO) + "."
    if len(have) < len(_TWILIO):
        lacking = ", ".join(name for name in _TWILIO if name not in have)
        raise Missing(f"Twilio is half configured: set {lacking} too, or none of {', '.join(_TWILIO)}.")
    return None


def _tell(say: Say, public: str, listen: str, platform: Platform) -> None:
    if not platform.has_certificate:
        wait_for_answers(f"http://{listen}/health")
    say(f"the pages answer: {public}/")
    broker = platform.broker_for_hubs()
    print(
        f"\nBroker for hubs: {broker}."
        f"\nSet up homes and people:   deploy/telecare setup FILE --data {platform.data}"
        f"\nSign in:                   deploy/telecare log-in PERSON --data {platform.data}"
        "\nStop: Ctrl-C",
        file=sys.stdout,
        flush=True,
    )
