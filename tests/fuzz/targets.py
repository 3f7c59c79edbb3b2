"""What must hold at each door, whatever comes in?

A target takes bytes and ends, or fails with an error that none of its doors promises.  Each says more than "does not
crash": an alarm is never refused, numbers are counted once, what was read can be written and read again.
"""

import base64
import contextlib
import io
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final

from alerts import recording
from alerts.judging import rule, words
from alerts.judging.numbers import checked
from alerts.telling import replies
from api import times
from api.office import said
from api.v1 import paging
from api.v1.problems import Unreadable
from api.views import thresholds
from deploy import street
from gateway import heartbeat, wire
from gateway.adapters import zigbee2mqtt
from gateway.adapters.exposes import Setup
from gateway.reading import ALARMS, HubId
from gateway.wire import Leaf, Malformed, Stream
from ingest import arrivals, entry, intake
from ingest.admission import TOLERANCE
from ingest.devices import Hub

Target = Callable[[bytes], None]

CONTRACT: Final = Path(__file__).resolve().parents[1] / "contract"
NINE: Final = datetime(2026, 3, 1, 9, tzinfo=UTC)

_HUB: Final = Hub("hub-1", "rose-cottage", 7, NINE - timedelta(days=9), None)
_LEAVES: Final = tuple(Leaf)
_RULES: Final = intake.Rules(TOLERANCE, timedelta(0))


def wire_messages(data: bytes) -> None:
    """Read whatever a hub may send: it is read, or refused in words; what was read is read the same again."""
    for stream in Stream:
        with contextlib.suppress(Malformed):
            pack = wire.decode_pack(data, stream)
            assert len(pack.records) == pack.header.last - pack.header.first + 1
            again = wire.decode_pack(wire.encode_pack(pack.header, pack.records), stream)
            assert again == pack, "a pack is not what it was after it was written and read again"
    for decode in (wire.decode_ask, wire.decode_link, wire.decode_stored, heartbeat.decode):
        with contextlib.suppress(Malformed):
            said_ = decode(data)
            assert decode(wire.encode_message(said_)) == said_
    with contextlib.suppress(Malformed):
        wire.read_topic(data.decode(errors="surrogateescape"))


def taking_in(data: bytes) -> None:
    """Take in a batch: nothing raises, no alarm is refused, and what is logged can be read again.

    The first byte says on which topic, the next how many parts the rest is cut into at each NUL.
    """
    leaf = _LEAVES[data[0] % len(_LEAVES)] if data else Leaf.ALARMS
    topic = wire.topic(_HUB.lane, HubId(_HUB.hub), leaf)
    batch = [arrivals.read(arrivals.Delivery(topic, payload, NINE)) for payload in data[1:].split(b"\0")[:8]]
    known = intake.Known(
        hubs={_HUB.hub: _HUB},
        rooms={},
        streams={},
        boxes={},
        unnumbered={},
        received_at={_HUB.lane: NINE},
    )
    kept = intake.sort_out(batch, known, intake.Memory(), _RULES)
    logged = tuple(kept.entries.get(_HUB.lane, ()))
    assert entry.unpack(entry.pack(logged)) == logged
    if leaf is Leaf.ALARMS:
        alarms = [one for one in logged if isinstance(one, entry.Alarm)]
        assert alarms or all(_is_known_already(kept, came) for came in batch), "a press was swallowed"
    for came in batch:
        _halve(came)


def _is_known_already(kept: intake.Kept, came: arrivals.Came) -> bool:
    """Return whether a pack on the alarms' topic waits for an earlier number, which its hub is then asked for."""
    return isinstance(came, arrivals.PackCame) and any(
        answer.stored.through < came.header.last for answer in kept.answers
    )


def _halve(came: arrivals.Came) -> None:
    """Halve what came as the database's refusal does: every number stays in exactly one half."""
    halves = arrivals.halves(came)
    if halves is not None and isinstance(came, arrivals.PackCame):
        numbers = [n for half in halves if isinstance(half, arrivals.PackCame) for n in _numbers(half)]
        assert numbers == _numbers(came)
    given_up = arrivals.given_up(came, "tried")
    assert given_up is None or arrivals.given_up(given_up, "tried") is None, "it could be given up for ever"


def _numbers(came: arrivals.PackCame) -> list[int]:
    return list(range(came.header.first, came.header.last + 1))


def zigbee(data: bytes) -> None:
    """Hear the home's equipment: no message stops the next, and every action of a pendant is an alarm.

    Lines; each is a topic below Zigbee2MQTT's, a blank and a payload.
    """
    setup = Setup(pendants=frozenset({"pendant"}))
    state = zigbee2mqtt.State()
    for number, line in enumerate(data.split(b"\n")[:12]):
        topic, _, payload = line.partition(b" ")
        # paho gives a topic that is not UTF-8 as an empty one.
        said_ = "zigbee2mqtt/" + topic.decode(errors="replace")
        message = zigbee2mqtt.Message(said_, payload, False, NINE + timedelta(seconds=number), 1_000 * number)
        heard = zigbee2mqtt.hear(state, message, setup)
        for observation in heard.observations:
            assert wire.is_sensor_id(observation.sensor), observation.sensor
            assert math.isfinite(observation.value), "not a number"
        if said_ == "zigbee2mqtt/pendant" and _is_press(payload):
            assert any(seen.quantity in ALARMS for seen in heard.observations), "a press was swallowed"
        state = heard.state


def _is_press(payload: bytes) -> bool:
    """Return whether a payload plainly says that a button was pressed."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    action = found.get("action") if isinstance(found, dict) else None
    return isinstance(action, str) and action in {"emergency", "single", "double", "hold"}


def answers(data: bytes) -> None:
    """Read a text from a phone: nothing raises, and what is an outcome is never a figure as well."""
    body = data.decode(errors="replace")
    reply = replies.parse(body)
    assert reply.code is None or 1 <= reply.code <= 999
    figure = replies.parse_confidence(body)
    if figure is not None:
        assert reply.word is None
        assert figure.answer is None or 1 <= figure.answer <= 5
    lowered = body.casefold()
    if "not mine" in lowered or "n't" in lowered:
        assert reply.word is not replies.Word.MINE, "a no was taken for a yes"


_FIELDS: Final[Mapping[str, Callable[[str], object]]] = {
    "words": said.words,
    "key": said.key,
    "e164": said.e164,
    "email": said.email,
    "wall_time": said.wall_time,
    "day": said.day,
    "end_of": said.end_of,
    "moment": said.moment,
    "weekdays": said.weekdays,
    "place": said.place,
    "sensor": said.sensor,
    "duration": words.duration,
    "time": words.wall_time,
    "from": lambda text: thresholds.from_wall(text, now=NINE),
    "one": said.one_of(("a", "b")),
    "some": said.some_of(("a", "b")),
    "several": said.several(said.e164),
}


def forms(data: bytes) -> None:
    """Fill every field of every form with the same text: it is taken, or refused in a sentence that names the field."""
    text = data.decode(errors="replace")
    form = said.Form(dict.fromkeys(_FIELDS, text))
    found = {name: form.take(name, parse) for name, parse in _FIELDS.items()}
    try:
        form.require_right()
    except said.Mistakes as why:
        assert all(why.at().values())
    times.phone_as_dialled(text)
    if isinstance(found["e164"], str):
        assert said.e164(found["e164"]) == found["e164"]
    for name in words.names():
        with contextlib.suppress(ValueError):
            checked(words.numbers({name: text}))


def rules(data: bytes) -> None:
    """Read a rule set by hand: it is one that can be said and read again, or it is refused."""
    text = data.decode(errors="replace")
    with contextlib.suppress(ValueError):
        read = words.rule(text)
        assert rule.from_json(rule.to_json(read)) == read
        assert words.rule(words.rule_said(read)) == read, words.rule_said(read)
    with contextlib.suppress(ValueError):
        read_time = words.wall_time(text)
        assert isinstance(read_time, time)


def setup_files(data: bytes) -> None:
    """Read a setup file: it holds together, or every mistake is a sentence."""
    with _file(data) as path:
        try:
            street.read(path)
        except street.Wrong as why:
            assert str(why)


def recordings(data: bytes) -> None:
    """Read a recording: what can be read is in order, and every other row is counted."""
    found = recording.read(io.StringIO(data.decode("utf-8-sig", errors="replace")))
    for seen in found.homes.values():
        moments = [one.at for one in seen]
        assert moments == sorted(moments)
    assert sum(found.malformed.values()) <= found.rows
    assert all(recording.reported(found))


_KEYS: Final = (str, int, tuple[datetime, int], tuple[datetime, str, str])
"""What the cursors of our lists hold."""


def cursors(data: bytes) -> None:
    """Read where the next page of a program begins: it is a key that a database takes, or none of ours."""
    text = data.decode(errors="replace")
    for kind in _KEYS:
        with contextlib.suppress(Unreadable):
            key = paging.key_of(text, kind)
            parts = key if isinstance(key, tuple) else (key,)
            assert not any(isinstance(part, str) and "\0" in part for part in parts), "no database takes it"


@contextlib.contextmanager
def _file(data: bytes) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        yield Path(file.name)


def _heard(path: Path) -> bytes:
    frames = [json.loads(line) for line in path.read_text().splitlines()[:8]]
    return b"\n".join(f"{one['topic'].removeprefix('zigbee2mqtt/')} {one['payload']}".encode() for one in frames)


def _wire(*ends: str) -> list[bytes]:
    return [path.read_bytes() for end in ends for path in sorted((CONTRACT / "wire").glob(f"*.{end}"))]


_TRUE_KEYS: Final = (b'"anne"', b"12", b'["2026-06-16T00:00:00Z",3]', b'["2026-06-16T00:00:00Z","anne","family"]')

_LISTED: Final = "definitions.json"
"""One message of half a megabyte, from which nothing small would come."""

DOORS: Final[Mapping[str, tuple[Target, Callable[[], list[bytes]]]]] = {
    "wire": (wire_messages, lambda: _wire("bin", "json")),
    "intake": (
        taking_in,
        lambda: [bytes([leaf]) + one for leaf in range(len(_LEAVES)) for one in _wire("bin", "json")],
    ),
    "zigbee": (
        zigbee,
        lambda: [_heard(path) for path in sorted((CONTRACT / "zigbee2mqtt").glob("*.json")) if path.name != _LISTED],
    ),
    "answers": (answers, lambda: [b"1 mine", b"Not mine.", b"4 she seems well", b"can't say", b"HELP 12", b"?"]),
    "forms": (forms, lambda: [b"07700 900224", b"2026-06-30", b"mon-fri", b"1 h 30 min", b"07:00", b"a@b.uk"]),
    "cursors": (cursors, lambda: [base64.urlsafe_b64encode(key).rstrip(b"=") for key in _TRUE_KEYS]),
    "rules": (rules, lambda: [words.EXAMPLE.encode(), b"door: open for 20 min on sat, sun", b"kitchen: not asked"]),
    "setup": (setup_files, lambda: [(Path(street.__file__).parent / "demo_street.toml").read_bytes()[:4_000]]),
    "recording": (
        recordings,
        lambda: [b"home,observed_at,location\na,2026-03-29 01:30:00,Kitchen\na,2026-10-25 01:30:00,Hall\n"],
    ),
}
"""Each door with its target, and with what to begin from: true messages, as the contracts have them."""
