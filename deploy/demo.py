"""How does a newcomer see all of it at once: a street that does not exist, watched by the real thing?

Everything between the simulated sensors and the pretend phones is the product itself: the gateways, a broker
with permissions, ingest, PostgreSQL with TimescaleDB, judgement, the Twilio client and the pages.
"""

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.office.said import RADIO_LISTS, e164
from deploy import admin, demo_homes
from deploy.broker.permissions import login
from deploy.child import PLAIN_ENVIRONMENT, Command
from deploy.demo_clock import DemoClock
from deploy.demo_cuts import Cuts
from deploy.embedded import machine
from deploy.embedded.nats import nats
from deploy.lines import Lines
from deploy.platform import PAGES_PORT, Platform, Twilio, answers_well, wait_for_answers
from deploy.said import Say
from deploy.street import Home, Sensor, Street
from deploy.supervise import Part, Stopped, Supervisor
from gateway.clock import Clock

_PHONES_PORT: Final = 8421
_EQUIPMENT: Final = "equipment"
_SENDER: Final = "+441632960000"

# Which routine each home's simulated resident has; the simulator knows what they mean.
ORDERS: Final = (
    *("press", "collapse", "recover", "out", "holiday", "back", "wander", "forget-door", "shut-door"),
    *("fall-ill", "get-well", "visitor", "smoke", "leak", "heating-fails", "heating-mended"),
    *("power-cut", "power-back", "line-cut", "line-back", "clock-wrong", "clock-right"),
)
"""What may be ordered of a home; the simulator knows what it means."""

OF_A_SENSOR: Final = ("battery-fades", "battery-dies", "battery-changed", "sensor-sticks", "sensor-mended")
"""What may be ordered of one of its sensors."""

_HOMES: Final = 3
_MMWAVE: Final = "FP1E"
_ROUTINES: Final = {"shore-road-14": "early riser", "mill-lane-3": "late riser", "church-wynd-8": "night walker"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a demo was asked for.

    Attributes:
        data: its folder; a second start with the same one goes on from where it was.
        speed: simulated seconds in a real one.
        port: where the pages answer; None is the usual port.
        recording: a file of real homes to live instead of simulated ones; None for the simulated street.
        home: which of its homes; None for the one with most days.
        seed: decides all that is left to chance in the simulated homes.
        homes: how many simulated homes; None is as many as last time, or three.
        has_chance: whether things befall the simulated homes by chance, too.
    """

    data: Path
    speed: float
    port: int | None
    recording: Path | None
    home: str | None
    seed: int
    homes: int | None = None
    has_chance: bool = False


def run(asked: Asked, environment: Mapping[str, str]) -> int:
    """Run the demo until Ctrl-C, and return its exit code.

    Raises:
        Missing: the machine lacks something.
        DidNotStart: a part of ours did not.
    """
    say = Say()
    # Looked at first: a taken port must not show itself only after minutes of building.
    require_ports(asked)
    with (
        machine.held(asked.data),
        Supervisor(asked.data / "logs", tell=say) as supervisor,
        contextlib.suppress(Stopped),
        contextlib.ExitStack() as stack,
    ):
        clock = DemoClock(asked.data)
        demo = Demo(asked, environment, supervisor, clock, say)
        clock.start(asked.speed, is_waiting=True)
        # Before the lines are cut and the parts end, one after the other: nobody is to be missed in between.
        stack.callback(clock.stand)
        demo.start_platform(demo_homes.street_of(_homes(asked, demo)))
        lines = stack.enter_context(demo.lines())
        stack.callback(clock.stand)
        demo.start_homes(lines)
        clock.run_at(asked.speed)
        demo.tell()
        cuts = demo.cuts(lines)

        def each_tick() -> None:
            clock.save()
            cuts.look()
            demo.platform.permit_anew()

        supervisor.watch(each_tick=each_tick)
        say("stopping")
    say("stopped; the data is kept in", str(asked.data))
    return 0


class Demo:
    """The parts of a demo, and where each is reached."""

    def __init__(
        self,
        asked: Asked,
        environment: Mapping[str, str],
        supervisor: Supervisor,
        clock: DemoClock,
        say: Say,
        platform: Callable[..., Platform] = Platform,
    ) -> None:
        """Describe a demo; nothing is started yet.

        Args:
            asked: what was asked for.
            environment: the caller's.
            supervisor: who runs the parts.
            clock: the only hand that moves it.
            say: where progress is told.
            platform: what makes its platform, for those who put something between the parts.
        """
        self.asked = asked
        self.say = say
        self._supervisor = supervisor
        self._environment = environment
        self._clock = clock
        self.pages = f"http://127.0.0.1:{asked.port or PAGES_PORT}"
        self.phones = f"http://127.0.0.1:{_phones_port(asked)}"
        # A demo has its own database and broker, whatever else is configured on this machine.
        quiet = {name: value for name, value in environment.items() if not name.startswith("TELECARE_")}
        self.platform = platform(
            supervisor,
            asked.data,
            environment=quiet,
            say=say,
            clock_file=clock.file,
            extra={"TELECARE_PUBLIC_URL": self.pages},
        )
        kept = self.platform.kept
        account = f"AC{hashlib.sha256(kept.secret('twilio account').encode()).hexdigest()[:32]}"
        self.twilio = Twilio(account, kept.secret("twilio token"), _SENDER, self.phones)
        self.street: Street | None = None

    def start_platform(self, street_: Street, *, extra: Mapping[str, str] | None = None) -> None:
        """Start database, phones, broker and our processes, with the street set up."""
        self.street = street_
        self.platform.start_database()
        self._clock.not_before(admin.known_until(self.platform.database_url))
        admin.apply_street(street_, self.platform.database_url, now=self._clock.now())
        for home in street_.home:
            admin.ensure_hub(home.id, home.hub, self.platform.kept, self.platform.database_url, now=self._clock.now())
            # Before anything is judged: at a high speed the minute until its gateway runs is hours.
            stretch = Clock(self._clock.file).stretch()
            admin.stretch(home.id, stretch, self.platform.database_url, now=self._clock.now())
        self.platform.start_broker()
        self.start_phones(street_)
        self.say("starting ingest, alerts and the pages")
        further = {**self.twilio.environment(), **(extra or {})}
        self.platform.start_process("ingest", extra)
        self.platform.start_process("alerts", further)
        self.platform.start_process("api", {**further, "TELECARE_API_LISTEN": self.pages.removeprefix("http://")})

    def start_phones(self, street_: Street) -> None:
        """Start the pretend Twilio, with the phones of the street."""
        self.say("starting the pretend phones")
        self._supervisor.start(self._phones_part(street_))

    def lines(self) -> Lines:
        """Return the lines of the street, none of them open yet."""
        assert self.platform.broker is not None
        return Lines(self.platform.broker.port)

    def cuts(self, lines: Lines) -> Cuts:
        """Return who lets power, line and clock of each home fail as the simulator says."""
        assert self.street is not None
        return Cuts(
            {home.id: self._folder(home) for home in self.street.home},
            supervisor=self._supervisor,
            platform=self.platform,
            lines=lines,
            clock=self._clock.file,
            say=self.say,
        )

    def start_homes(self, lines: Lines | None = None) -> None:
        """Start each home's own broker and gateway, and then the residents.

        Args:
            lines: through which each gateway reaches the platform; None lets it do so directly.
        """
        assert self.street is not None
        self.say(f"starting {len(self.street.home)} homes")
        # Together: one after the other, twenty homes would take most of a minute.
        self._supervisor.start_together([self._home_broker_part(home) for home in self.street.home])
        self._supervisor.start_together(
            [self._gateway_part(home, {"radio": self._radio(home)}, lines) for home in self.street.home]
        )
        self._supervisor.start(self._simulator_part(self.street))

    def start_gateway(self, home: Home, tables: Mapping[str, Mapping[str, object]]) -> None:
        """Start a home's gateway with these tables of its file beside the usual ones."""
        self._supervisor.start(self._gateway_part(home, tables))

    def _gateway_part(self, home: Home, tables: Mapping[str, Mapping[str, object]], lines: Lines | None = None) -> Part:
        folder = self._folder(home)
        broker = self.platform.broker
        assert broker is not None
        said: dict[str, Mapping[str, object]] = {
            "hub": {
                "id": home.hub,
                "lane": admin.lane_of(home.id, self.platform.database_url),
                "secret": self.platform.kept.secret(f"hub {home.hub}"),
            },
            "platform": {"host": "127.0.0.1", "port": self._way_to(broker.port, home, lines), "tls": False},
            "outbox": {"path": str(folder / "outbox.sqlite")},
            **tables,
        }
        file = folder / "gateway.toml"
        admin.write_secretly(file, admin.toml(said))
        # A gateway whose equipment is away is ready for it, and says so in its heartbeats.
        return self.platform.process(
            f"gateway {home.id}", "gateway", {"TELECARE_GATEWAY_CONFIG": str(file)}, but_for=("radio",)
        )

    def tell(self) -> None:
        """Print where to look; the first address is the pages', printed when they answer."""
        wait_for_answers(f"{self.pages}/health")
        self.say(f"the street is watched: {self.pages}/")
        if self.asked.speed != 1:
            self.say(f"time runs {self.asked.speed:g} times as fast; an hour passes in {3600 / self.asked.speed:.0f} s")
        assert self.street is not None
        data = self.asked.data
        print(f"\nSign in as (a link works once; another: deploy/telecare log-in PERSON --data {data}):")
        for person in self.street.person:
            link = admin.make_link(person.id, self.platform.database_url, self.pages)
            print(f"  {person.id:10} {person.name:22} {person.what or '':20} {link}")
        print(f"\nThe phones of the street, with a box to answer from each:  {self.phones}/")
        control = self.platform.kept.said("simulator port")
        if control and self.asked.recording is None:
            first = self.street.home[0]
            print(f"Let {first.resident.first_name} act, or something befall the home:")
            print(f"  curl -X POST http://127.0.0.1:{control}/homes/{first.id}/press")
            print(f"  or instead of press: {', '.join(ORDERS[1:])}")
            sensor = f"{first.id}/sensors/{first.sensor[0].id}/{OF_A_SENSOR[0]}"
            print(f"  or, of one sensor, .../homes/{sensor}; also {', '.join(OF_A_SENSOR[1:])}")
        print(f"\nLogs: {self.asked.data / 'logs'}   Stop: Ctrl-C", flush=True)

    def _phones_part(self, street_: Street) -> Part:
        folder = self.asked.data
        phones = [
            f"--phone={e164(p.phone)}={p.name}{', ' + p.what if p.what else ''}" for p in street_.person if p.phone
        ]
        arguments = (
            *(sys.executable, "-m", "deploy.pretend_twilio", "--port", self.phones.rpartition(":")[2]),
            *("--webhook", f"{self.pages}/twilio/text", "--sender", _SENDER),
            *("--state", str(folder / "phones.json"), *phones),
        )
        said = {**PLAIN_ENVIRONMENT, **self.twilio.environment(), "TELECARE_CLOCK_FILE": str(self._clock.file)}
        return Part(
            "phones",
            lambda: Command(arguments, environment=said, folder=folder),
            lambda: answers_well(f"{self.phones}/"),
        )

    def _way_to(self, broker: int, home: Home, lines: Lines | None) -> int:
        """Return the port at which a home finds the platform's broker."""
        if lines is None:
            return broker
        port = self.platform.kept.port(f"line {home.id}")
        lines.open(home.id, port)
        return port

    def _home_broker_part(self, home: Home) -> Part:
        broker = nats(
            self._folder(home) / "broker",
            port=self.platform.kept.port(f"broker {home.id}"),
            log=self.asked.data / "logs" / f"broker-{home.id}.log",
            environment=self._environment,
            is_homes_own=True,
        )
        broker.open_to(login(_EQUIPMENT, self.platform.kept.secret(f"equipment {home.id}")))
        broker.prepare()
        return Part(f"broker {home.id}", lambda: broker.command, broker.answers)

    def _radio(self, home: Home) -> dict[str, object]:
        kept = self.platform.kept
        return {
            "host": "127.0.0.1",
            "port": int(kept.said(f"broker {home.id}") or 0),
            "user": _EQUIPMENT,
            "password": kept.secret(f"equipment {home.id}"),
            **{
                listed: [sensor.id for sensor in home.sensor if sensor.kind in kinds]
                for listed, kinds in RADIO_LISTS.items()
            },
        }

    def _simulator_part(self, street_: Street) -> Part:
        folder = self.asked.data
        file = folder / "simulated.toml"
        admin.write_secretly(file, "\n".join(simulated(home, self._radio(home)) for home in street_.home))
        control = self.platform.kept.port("simulator port")
        arguments = (
            *(sys.executable, "-m", "firmware_sim", "--street", str(file), "--diary", str(folder / "diaries")),
            *("--seed", str(self.asked.seed), "--clock", str(self._clock.file), "--control-port", str(control)),
            *(["--chance"] if self.asked.has_chance else []),
        )
        return Part(
            "simulator",
            lambda: Command(arguments, folder=folder),
            lambda: machine.accepts(control),
        )

    def _folder(self, home: Home) -> Path:
        folder = self.asked.data / "homes" / home.id
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _homes(asked: Asked, demo: Demo) -> int:
    """Return how many homes there are: never fewer than were set up here before, since those are still watched."""
    kept = demo.platform.kept
    before = int(kept.said("homes") or 0)
    homes = max(before, asked.homes or (before or _HOMES))
    kept.keep("homes", str(homes))
    return homes


def simulated(home: Home, radio: Mapping[str, object]) -> str:
    """Return a home as the simulator's street file has it; one without a routine of its own is anyone's.

    Args:
        home: as it is watched.
        radio: its broker: `port`, `user` and `password`.
    """
    lines = [
        "[[home]]",
        f"id = {json.dumps(home.id)}",
        f"resident = {json.dumps(_ROUTINES.get(home.id, 'anyone'))}",
        f'broker = "127.0.0.1:{radio["port"]}"',
        f"user = {json.dumps(radio['user'])}",
        f"password = {json.dumps(radio['password'])}",
    ]
    for sensor in home.sensor:
        lines += ["[[home.sensor]]", f"name = {json.dumps(sensor.id)}", f"kind = {json.dumps(sensor.kind)}"]
        room = _simulators_room(sensor)
        lines += [f"room = {json.dumps(room)}"] if room else []
        lines += [f"model = {json.dumps(_MMWAVE)}"] if sensor.id.endswith("-presence") else []
    return "\n".join(lines) + "\n"


def _simulators_room(sensor: Sensor) -> str | None:
    """Return where the simulator puts a sensor: a plug at its appliance, a bed or a chair where it says itself."""
    if sensor.kind == "plug":
        return sensor.id
    return None if sensor.kind in ("bed", "chair") else sensor.room


def _phones_port(asked: Asked) -> int:
    return _PHONES_PORT if asked.port is None else asked.port + 1


def require_ports(asked: Asked) -> None:
    """Refuse a demo whose addresses are taken, before anything takes its time.

    Raises:
        Missing: one of them is.
    """
    machine.require_free_port(asked.port or PAGES_PORT, "the pages' server")
    machine.require_free_port(_phones_port(asked), "the server of the pretend phones, one port above,")
