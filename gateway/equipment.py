"""What is known of the home's equipment, from message to message?  The adapter, with its state, log and counts."""

import logging
from collections.abc import Mapping
from typing import Final

from gateway import metrics
from gateway.adapters import explain, zigbee2mqtt
from gateway.adapters.exposes import Device, Setup
from gateway.adapters.zigbee2mqtt import Message, State
from gateway.reading import ALARMS, Observation, SensorId

log = logging.getLogger(__name__)

_EXPLAINED_MAX: Final = 2000
"""Properties that are explained in the log, each once; a home has some hundreds."""


class Equipment:
    """All of it.  For the thread that owns the outbox; only `report` may be asked by others."""

    def __init__(self, setup: Setup, last_values: Mapping[tuple[SensorId, str], float]) -> None:
        """Begin with what was last kept of each sensor."""
        self.setup = setup
        self._state = State.after(last_values)
        self._explained: set[tuple[str, str]] = set()

    @property
    def is_heard(self) -> bool:
        """Return whether Zigbee2MQTT runs, as far as it said."""
        return self._state.bridge_up is not False

    def hear(self, message: Message, *, is_taken_already: bool) -> tuple[Observation, ...]:
        """Return what a message says; of one that was kept before only the alarms, and it changes nothing."""
        heard = zigbee2mqtt.hear(self._state, message, self.setup)
        if is_taken_already:
            metrics.RADIO.labels("taken already").inc()
            return tuple(o for o in heard.observations if o.quantity in ALARMS)
        if heard.state.devices is not self._state.devices:
            self._explain(heard.state.devices)
        self._state = heard.state
        metrics.RADIO.labels(heard.note).inc()
        return heard.observations

    def report(self) -> str:
        """Return what each device can tell and what it cannot, for whoever installs it."""
        return explain.report(self._state.devices.values(), self.setup)

    def _explain(self, devices: Mapping[str, Device]) -> None:
        """Log once what is of no use though somebody may look for it; the product is named, never the home's device."""
        for device in devices.values():
            said = [(key, one.why) for key, one in device.unused.items() if not one.is_expected]
            said += [("", device.trouble)] if device.trouble else []
            for key, why in said:
                mark = (device.model, key or why)
                if mark not in self._explained and len(self._explained) < _EXPLAINED_MAX:
                    self._explained.add(mark)
                    log.info("not used", extra={"product": device.model, "property": key, "why": why})
