"""How does the whole platform run on one machine: a database, a broker, and the processes of ours?

What the environment names is used (`TELECARE_DATABASE_URL`, `TELECARE_BROKER`); what it does not name is
embedded, in the data folder.  Ports and secrets that were chosen once are kept there, so that a second start
finds the same ones.
"""

import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from deploy import accounts, outside
from deploy.accounts import password_variable
from deploy.broker.permissions import HubAccess, Login, login
from deploy.child import PLAIN_ENVIRONMENT, Command
from deploy.embedded import machine, postgres
from deploy.embedded.machine import Missing
from deploy.embedded.nats import Nats, nats
from deploy.embedded.runtime import Say
from deploy.supervise import Part, Supervisor
from gateway.secret import SECRETS, opened
from ingest import devices
from ingest.db import roles
from ingest.db.migrate import migrate
from ingest.db.pool import connect

PAGES_PORT: Final = 8420
"""Where the pages answer unless told otherwise."""

DATABASE: Final = "telecare"
"""What the embedded database is called."""

INGEST_USER: Final = "ingest"
"""What ingest is called on the broker."""

_ON_THE_DATABASE: Final = frozenset({"ingest", "alerts", "api", "deploy.backup"})


# No process is shown a secret that another needs; those that are no process of ours are in nobody's.
_SECRETS_OF: Final[Mapping[str, frozenset[str]]] = {
    "ingest": frozenset({"TELECARE_BROKER_PASSWORD"}),
    "alerts": frozenset({"TELECARE_TWILIO_AUTH_TOKEN"}),
    "api": SECRETS - {"TELECARE_BROKER_PASSWORD", "TELECARE_WATCHER_PING"} - {password_variable(p) for p in roles.ALL},
    "watcher": frozenset({"TELECARE_TWILIO_AUTH_TOKEN", "TELECARE_WATCHER_PING"}),
}
_READY_WITHIN_S: Final = 60.0
# A hub is carried to a home after its file was made; seconds do not matter there.  Ours.
_PERMIT_EVERY_S: Final = 2.0


class Kept:
    """What was chosen once for a data folder: ports and secrets, in a file that only its owner reads."""

    def __init__(self, data: Path) -> None:
        self._path = data / "kept.json"
        self._said: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def secret(self, name: str) -> str:
        """Return the secret of this name, 256 random bits, made when first asked for."""
        if name not in self._said:
            self.keep(name, secrets.token_urlsafe(32))
        return self._said[name]

    def port(self, name: str) -> int:
        """Return the port of this name: the one kept while it is free, otherwise another, which is then kept."""
        kept = self._said.get(name)
        if kept is None or machine.accepts(int(kept)):
            self.keep(name, str(machine.free_port()))
        return int(self._said[name])

    def said(self, name: str) -> str | None:
        return self._said.get(name)

    def keep(self, name: str, value: str) -> None:
        self._said[name] = value
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(self._said, out, indent=1)
        new.replace(self._path)


@dataclass(frozen=True, slots=True)
class Twilio:
    """How texts leave: an account, and where its server is."""

    account_sid: str
    auth_token: str
    sender: str
    base_url: str | None

    def environment(self) -> dict[str, str]:
        named = {
            "TELECARE_TWILIO_ACCOUNT_SID": self.account_sid,
            "TELECARE_TWILIO_AUTH_TOKEN": self.auth_token,
            "TELECARE_TWILIO_FROM": self.sender,
        }
        return named | ({"TELECARE_TWILIO_BASE_URL": self.base_url} if self.base_url else {})


class Platform:
    """The parts of the platform on this machine, in the order in which they start."""

    def __init__(
        self,
        supervisor: Supervisor,
        data: Path,
        *,
        environment: Mapping[str, str],
        say: Say,
        clock_file: Path | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a platform; nothing is started yet.

        Args:
            supervisor: who starts its parts and keeps them running.
            data: the folder of everything that is kept.
            environment: what whoever runs this has set; `TELECARE_*` of it reach our processes.
            say: where progress is told.
            clock_file: the clock of every process; None is the system's.
            extra: further variables for our own processes.
        """
        self.data = data
        self.kept = Kept(data)
        self.database_url = opened(environment).get("TELECARE_DATABASE_URL", "")
        self.broker: Nats | None = None
        self._renewal: outside.Renewal | None = None
        self._supervisor = supervisor
        self._environment = opened(environment)
        self._urls: Mapping[str, str] = {}
        self._say = say
        self._ours = {name: value for name, value in self._environment.items() if name.startswith("TELECARE_")}
        self._ours |= extra or {}
        self._said: dict[str, dict[str, str]] = {}
        self._permitted: list[HubAccess] = []
        self._look_again_s = 0.0
        if clock_file is not None:
            self._ours["TELECARE_CLOCK_FILE"] = str(clock_file)

    def start_database(self, *, has_log: bool = False) -> None:
        """Start the embedded database unless one is configured, and bring its tables to this release.

        Args:
            has_log: whether an embedded one lays its write-ahead log out; the process that makes backups takes it.

        Raises:
            Missing: it cannot be built or started here.
        """
        if not self.database_url:
            server = postgres.server(
                self.data,
                port=self.kept.port("database"),
                environment=self._environment,
                say=self._say,
                has_log=has_log,
            )
            server.prepare()
            self._say("starting the database")
            self._supervisor.start(
                Part("postgres", lambda: server.command, server.answers, before=server.clear_after_kill)
            )
            self.database_url = server.create_database(DATABASE)
        self.kept.keep("database_url", self.database_url)
        self.kept.keep("public_url", self._ours.get("TELECARE_PUBLIC_URL", ""))
        done = migrate(self.database_url)
        if self._environment.get("TELECARE_DATABASE_URL"):
            self._urls = accounts.of_configured(self.database_url, self.kept, self._environment, self._say)
        else:
            self._urls = accounts.of_embedded(self.database_url, self.kept, has_log=has_log)
        self._say(f"the database is there ({len(done)} migrations applied)" if done else "the database is there")

    def start_broker(self) -> None:
        """Start the embedded broker unless one is configured.

        Raises:
            Missing: it cannot be started here.
        """
        configured = self._environment.get("TELECARE_BROKER", "")
        if configured:
            return
        there = outside.asked_for(self._environment)
        port = int(
            self._environment.get("TELECARE_BROKER_PORT") or (outside.PORT if there else self.kept.port("broker"))
        )
        self.broker = nats(
            self.data / "broker",
            port=port,
            log=self.data / "logs" / "broker.log",
            environment=self._environment,
            outside=there,
        )
        self._renewal = outside.Renewal(self.broker, say=self._say)
        self.kept.keep("embedded_broker_port", str(port))
        self._say("starting the broker")
        self.permit()
        self.broker.prepare()
        broker = self.broker
        self._supervisor.start(Part("broker", lambda: broker.command, broker.answers))

    @property
    def has_certificate(self) -> bool:
        """Whether the pages speak TLS themselves."""
        return bool(self._ours.get("TELECARE_API_CERTIFICATE"))

    def broker_for_hubs(self) -> str:
        """Return where hubs find the broker, in words."""
        if self.broker is None:
            return "the one configured"
        if self.broker.outside is not None:
            return self._ours["TELECARE_HUBS_BROKER"]
        return f"127.0.0.1:{self.broker.port} (this machine only)"

    def permit(self) -> None:
        """Tell the embedded broker which hubs there are now.

        Raises:
            psycopg.OperationalError: the database cannot be asked.
        """
        if self.broker is not None:
            hubs = hub_access(self.database_url)
            self.broker.permit(hubs, self._ingest_login())
            self._permitted = hubs

    def permit_anew(self) -> None:
        """Tell the embedded broker of hubs that were added or turned away, and of a new certificate; every two seconds.

        A database that is away changes nothing: the hubs that may speak go on.
        """
        if self.broker is None or time.monotonic() < self._look_again_s:
            return
        self._look_again_s = time.monotonic() + _PERMIT_EVERY_S
        if self._renewal is not None:
            self._renewal.look()
        try:
            hubs = hub_access(self.database_url)
        except psycopg.OperationalError:
            return
        if hubs != self._permitted:
            self.broker.permit(hubs, self._ingest_login())
            self._permitted = hubs

    def start_process(
        self, name: str, extra: Mapping[str, str] | None = None, *, but_for: Collection[str] = ()
    ) -> None:
        """Start one of our processes, and return when it can do its work, but for what these checks say."""
        self._supervisor.start(self.process(name, name, extra, but_for=but_for))

    def start_backups(self) -> None:
        """Start the process that makes backups."""
        here = {"TELECARE_DATA": str(self.data)}
        self._supervisor.start(self.process("backup", "deploy.backup", here, but_for=("backup",)))

    def start_watcher(self, pages: str) -> None:
        """Start the watcher of our processes where somebody would be told; it looks at those that were started here.

        On a machine of its own it would also see this one die; of that the address outside tells.
        """
        if not self._ours.get("TELECARE_WATCHER_TELLS") and not self._ours.get("TELECARE_WATCHER_PING"):
            return
        looked_at = {
            f"TELECARE_WATCHER_{name.upper()}": str(self.kept.said(f"health address {name}"))
            for name in ("ingest", "alerts", "api", "backup")
            if name in self._said
        }
        state = {"TELECARE_WATCHER_STATE": str(self.data / "watcher.json"), "TELECARE_WATCHER_PAGES": pages}
        said = {**self._broker_of_watcher(), **looked_at, **state}
        self._supervisor.start(self.process("watcher", "deploy.watcher", said))

    def _broker_of_watcher(self) -> dict[str, str]:
        """Return where the watcher finds a broker with TLS: where ingest does, unless it was told otherwise."""
        way = {**self._ours, **self._broker_environment("ingest")}
        tls = way.get("TELECARE_BROKER_TLS", "")
        found = {
            "TELECARE_WATCHER_BROKER": way.get("TELECARE_BROKER", ""),
            "TELECARE_WATCHER_BROKER_NAME": way.get("TELECARE_BROKER_NAME", ""),
            "TELECARE_WATCHER_CA": "" if tls == "system" else tls,
        }
        return {name: value for name, value in found.items() if tls and value and not self._ours.get(name)}

    def process(
        self, name: str, package: str, extra: Mapping[str, str] | None = None, *, but_for: Collection[str] = ()
    ) -> Part:
        """Return a part that runs one of our packages, with a health address of its own.

        Args:
            name: of the part, and of its log.
            package: what is run.
            extra: further variables.
            but_for: checks of its readiness that need not hold for it to count as started.
        """
        health = f"127.0.0.1:{self.kept.port(f'health {name}')}"
        self.kept.keep(f"health address {name}", health)
        said = {**PLAIN_ENVIRONMENT, **self._ours, **self._broker_environment(package)}
        said |= self._factor_key() if package == "api" else {}
        process = package.rpartition(".")[2]
        said = {key: held for key, held in said.items() if key not in SECRETS or key in _SECRETS_OF.get(process, ())}
        if package in _ON_THE_DATABASE:
            said["TELECARE_DATABASE_URL"] = self._urls.get(process, self.database_url)
        said |= {f"TELECARE_{process.upper()}_HEALTH": health, **(extra or {})}
        arguments = (sys.executable, "-m", package)
        self._said[name] = said
        return Part(
            name,
            lambda: Command(arguments, environment=dict(self._said[name]), folder=self.data),
            lambda: is_ready(health, but_for=but_for),
            ready_within_s=_READY_WITHIN_S,
        )

    def variables(self, name: str) -> Mapping[str, str]:
        """Return the variables with which a process is started next."""
        return dict(self._said[name])

    def change(self, name: str, extra: Mapping[str, str]) -> None:
        """Give a process further or other variables from its next start on."""
        self._said[name] |= extra

    def start_again(self, name: str, *, without: Collection[str]) -> None:
        """Start a process anew, with some of its variables left out."""
        self._said[name] = {key: value for key, value in self._said[name].items() if key not in without}
        self._supervisor.hold(name)
        self._supervisor.release(name)

    def _factor_key(self) -> dict[str, str]:
        """Return the key of second factors, which is kept beside the other secrets where none is configured."""
        named = ("TELECARE_FACTOR_KEY", "TELECARE_FACTOR_KEY_FILE")
        if any(self._ours.get(name) for name in named):
            return {}
        return {named[0]: self.kept.secret("factor key")}

    def _broker_environment(self, package: str) -> dict[str, str]:
        if self.broker is None:
            return {}
        if package == "api" and not self._ours.get("TELECARE_HUBS_BROKER"):
            return {"TELECARE_HUBS_BROKER": f"127.0.0.1:{self.broker.port}"}
        if package != "ingest":
            return {}
        way = {"TELECARE_BROKER": f"127.0.0.1:{self.broker.port}"}
        if self.broker.outside is not None:
            way = outside.of_ingest(self.broker.outside, self.broker.port, self._ours)
        return {**way, "TELECARE_BROKER_USER": INGEST_USER, "TELECARE_BROKER_PASSWORD": self.kept.secret("ingest")}

    def _ingest_login(self) -> Login:
        return login(INGEST_USER, self.kept.secret("ingest"))


def hub_access(database_url: str) -> list[HubAccess]:
    """Return who may speak on the platform's broker: every hub that was added and not revoked."""
    with connect(database_url, name="platform") as conn:
        return [HubAccess(*row) for row in devices.hub_access(conn)]


def answers_well(url: str) -> bool:
    """Return whether an address answers with 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_for_answers(url: str) -> None:
    """Return once an address answers well, or after half a minute: its process was ready, so this takes an instant."""
    deadline_s = time.monotonic() + 30
    while not answers_well(url) and time.monotonic() < deadline_s:
        time.sleep(0.05)


def is_ready(health: str, *, but_for: Collection[str] = ()) -> bool:
    """Return whether a process is ready, or only fails checks that need not hold."""
    try:
        with urllib.request.urlopen(f"http://{health}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as refusal:
        failing = set(json.loads(refusal.read() or b"{}").get("why", {"unknown": ""}))
        return bool(but_for) and failing <= set(but_for)
    except (urllib.error.URLError, OSError):
        return False


def running_database(environment: Mapping[str, str], data: Path) -> str:
    """Return the database's address for a command beside a running platform.

    Raises:
        Missing: none is configured, and none runs from this data folder.
    """
    configured = opened(environment).get("TELECARE_DATABASE_URL")
    kept = configured or Kept(data).said("database_url")
    if not kept:
        raise Missing(
            f"No database: set TELECARE_DATABASE_URL, or start `deploy/telecare up` with the same --data ({data})."
        )
    return kept
