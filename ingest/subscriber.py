"""The one door to the platform's broker: what hubs say comes in, answers go out.

Nothing is promised by the broker and nothing is asked of it: the session is clean, and a message that it loses is
sent again by its hub.  Each connection is a new client: aiomqtt keeps what an old one had queued, though the broker
may have forgotten it.
"""

import asyncio
import itertools
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import aiomqtt

from gateway.clock import Clock, monotonic_s
from gateway.wire import ROOT, Leaf, topic_of_all
from ingest import metrics
from ingest.answers import Told
from ingest.arrivals import Delivery
from ingest.config import Broker
from ingest.hearing import Hearing
from ingest.waiting import Waiting

log = logging.getLogger(__name__)

HEARD: Final = (Leaf.ALARMS, Leaf.ASK, Leaf.READINGS, Leaf.HEARTBEAT, Leaf.LINK)

_FIRST_PAUSE_S: Final = 0.25
# Thousands of hubs wait up to five seconds and more, and none of them is served before we are back.
_LONGEST_PAUSE_S: Final = 0.5
_STEADY_AFTER_S: Final = 5.0
_KEEPALIVE_S: Final = 10
_TIMEOUT_S: Final = 10.0

# So often it is noted that we still hear, while nothing is said.
_CERTAIN_EVERY_S: Final = 1.0

# Answers that the broker has not acknowledged yet; above this they wait with us, where only the latest counts.
_UNDERWAY_MAX: Final = 2_000

# nats-server 2.15 grants a client 65,535 unacknowledged messages, each QoS 1 filter 1,024 of them: the 64th filter is
# refused (tried 2026-11).  Above half of all lanes a wide filter is no waste either.
_LANES_NAMED_MAX: Final = 32

# Hubs hear them at QoS 0, and ask again for one that was lost; at QoS 1 nats-server writes each into its store first.
_ANSWERS_QOS: Final = 0

_SUBACK_FAILURE: Final = 0x80  # MQTT 3.1.1, 3.9.3


class Subscriber:
    """Keeps one connection to the broker, for the lanes that are ours now."""

    def __init__(self, broker: Broker, waiting: Waiting, *, name: str, clock: Clock) -> None:
        """Connect to nothing yet.

        Args:
            broker: where.
            waiting: where what arrives waits.
            name: of this client, like no other's, since a broker ends the older of two with one name.
            clock: for when it arrived.
        """
        self._broker = broker
        self._nodes = itertools.cycle(broker.addresses)
        self._waiting = waiting
        self._name = name
        self._clock = clock
        self._client: aiomqtt.Client | None = None
        self._hearing = Hearing()
        self._subscribed: frozenset[int] = frozenset()
        self._lanes: frozenset[int] = frozenset()
        self._lanes_changed = asyncio.Event()
        self._underway: set[asyncio.Task[None]] = set()

    @property
    def is_connected(self) -> bool:
        """Whether hubs of our lanes are heard now, or would be if any were ours."""
        return self._client is not None

    @property
    def heard_since(self) -> Mapping[int, datetime]:
        """Since when each lane was heard without a gap, up to when it was heard last."""
        return self._hearing.since

    @property
    def hearing_began(self) -> datetime | None:
        """Since when anything is heard without a gap; None: nothing was ever heard."""
        return self._hearing.began

    def is_hearing(self) -> bool:
        """Return whether hubs are heard now, and note it: after a standstill, before anything is done about it."""
        if self._client is not None:
            self._hear()
        return self._client is not None

    def listen_to(self, lanes: frozenset[int]) -> None:
        """Hear the hubs of these lanes from now on; other filters take a new connection."""
        if filters(lanes) != filters(self._lanes):
            self._lanes_changed.set()
        self._lanes = lanes

    async def run(self) -> None:
        """Stay connected until cancelled; also while no lane is ours, to be able to say that we would hear it."""
        pause_s, said = _FIRST_PAUSE_S, ""
        while True:
            self._lanes_changed.clear()
            connected_s = monotonic_s()
            try:
                await self._connection(self._lanes)
            except aiomqtt.MqttError as why:
                is_steady = monotonic_s() - connected_s > _STEADY_AFTER_S
                if is_steady or said != str(why):
                    log.warning("broker away", extra={"why": str(why)[:200]})
                said = str(why)
                pause_s = _FIRST_PAUSE_S if is_steady else min(pause_s * 2, _LONGEST_PAUSE_S)
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - to spread, not to hide

    def tell(self, answers: Sequence[Told]) -> int:
        """Hand answers to the broker, and return how many it could take; the rest is for later."""
        client = self._client
        if client is None:
            return 0
        taken = answers[: max(0, _UNDERWAY_MAX - len(self._underway))]
        for told in taken:
            task = asyncio.create_task(_publish(client, told), name="answer")
            self._underway.add(task)
            task.add_done_callback(self._underway.discard)
        metrics.ANSWERS.inc(len(taken))
        return len(taken)

    async def flush(self, *, timeout_s: float) -> None:
        """Wait until the broker has what was handed to it, or for so long."""
        if self._underway:
            await asyncio.wait(self._underway, timeout=timeout_s)

    async def _connection(self, lanes: frozenset[int]) -> None:
        async with self._new_client() as client:
            self._subscribed = lanes
            await _subscribe(client, lanes)
            log.info("broker connected", extra={"lanes": len(lanes)})
            self._client = client
            metrics.BROKER_UP.set(1)
            try:
                await _until_over(client, self._lanes_changed, self._hear)
            finally:
                self._client = None
                metrics.BROKER_UP.set(0)

    def _new_client(self) -> aiomqtt.Client:
        node = next(self._nodes)
        client = aiomqtt.Client(
            node.host,
            node.port,
            username=self._broker.user,
            password=self._broker.password,
            identifier=self._name,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            tls_context=self._broker.tls,
            keepalive=_KEEPALIVE_S,
            timeout=_TIMEOUT_S,
            queue_type=_queue_into(self._arrived),
            max_inflight_messages=_UNDERWAY_MAX,
        )
        client.pending_calls_threshold = _UNDERWAY_MAX + 1  # Above it aiomqtt warns; so many are our intention.
        return client

    def _arrived(self, message: aiomqtt.Message) -> None:
        topic = message.topic.value
        leaf = topic.rpartition("/")[2]
        metrics.RECEIVED.labels(leaf if leaf in HEARD else "other").inc()
        if message.retain and leaf != Leaf.LINK:
            metrics.IGNORED.inc()  # It was kept for newcomers, nobody knows how long; its hub will send it again.
            return
        delivery = Delivery(topic, message.payload, self._hear(), is_retained=message.retain)
        self._waiting.add(delivery, arrived_s=monotonic_s())

    def _hear(self) -> datetime:
        """Note that hubs are heard now, and return when that is."""
        now = self._clock.now()
        is_all = len(self._subscribed) > _LANES_NAMED_MAX
        heard = self._lanes if is_all else self._lanes & self._subscribed
        self._hearing.hear(heard, now=now, stretch=self._clock.stretch())
        return now


def filters(lanes: frozenset[int]) -> list[str]:
    """Return what to subscribe to for some lanes.

    Readings are nearly all that there is, so a worker of few lanes hears only theirs; of the rest it hears all and
    passes over what is another's.  No two filters overlap, since a broker may deliver a message once for each.
    """
    if len(lanes) > _LANES_NAMED_MAX:
        return [topic_of_all(leaf) for leaf in HEARD]
    wide = [topic_of_all(leaf) for leaf in HEARD if leaf is not Leaf.READINGS]
    return [*wide, *(f"{ROOT}/{lane:02d}/+/{Leaf.READINGS}" for lane in sorted(lanes))]


def _is_refusal(code: object) -> bool:
    # A number, or paho's ReasonCode around one.
    value = getattr(code, "value", code)
    return not isinstance(value, int) or value >= _SUBACK_FAILURE


async def _subscribe(client: aiomqtt.Client, lanes: frozenset[int]) -> None:
    """Ask to hear the hubs of some lanes; of none nothing is asked.

    Raises:
        aiomqtt.MqttError: the broker refuses, or went away.
    """
    granted = await client.subscribe([(said, 1) for said in filters(lanes)]) if lanes else ()
    if any(_is_refusal(code) for code in granted):
        # A cluster of which a node went refuses likewise until it has a leader again, a minute or two.
        raise aiomqtt.MqttError(
            "the broker does not let us hear the hubs; see its permissions, or its cluster's leader"
        )


async def _publish(client: aiomqtt.Client, told: Told) -> None:
    try:
        await client.publish(told.topic, told.payload, qos=_ANSWERS_QOS, retain=False)
    except aiomqtt.MqttError:
        # The connection broke.  The hub goes back when it hears nothing, and is answered then.
        log.debug("answer not delivered")


async def _until_over(client: aiomqtt.Client, lanes_changed: asyncio.Event, hear: Callable[[], object]) -> None:
    """Return when other lanes are to be heard; note until then that we hear.

    Raises:
        aiomqtt.MqttError: the connection ended.
    """
    ended = asyncio.create_task(_drain(client), name="broker connection")
    changed = asyncio.create_task(lanes_changed.wait(), name="lanes changed")
    try:
        while not (ended.done() or changed.done()):
            hear()
            await asyncio.wait({ended, changed}, timeout=_CERTAIN_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            ended.result()
    finally:
        for task in (ended, changed):
            task.cancel()
        await asyncio.gather(ended, changed, return_exceptions=True)


async def _drain(client: aiomqtt.Client) -> None:
    """Wait for the connection to end, which raises; what arrives is put into our own queue and never comes here."""
    async for _ in client.messages:
        raise AssertionError("a message went past our queue")


def _queue_into(arrived: Callable[[aiomqtt.Message], None]) -> type[asyncio.Queue[aiomqtt.Message]]:
    """Return a class of queue that hands everything on at once.

    aiomqtt's own is without a bound, or, with one, throws away what comes last, an alarm like anything else.
    """

    class IntoOurs(asyncio.Queue[aiomqtt.Message]):
        def put_nowait(self, item: aiomqtt.Message) -> None:
            arrived(item)

    return IntoOurs
