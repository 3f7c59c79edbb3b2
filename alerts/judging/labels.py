"""What are the numbers called that homes are judged by, for whoever reads them, and what are they in?"""

from collections.abc import Mapping
from typing import Final

from alerts.judging import words
from alerts.judging.policy import Policy

LABELS: Final[Mapping[str, str]] = {
    "still_for": "No movement for",
    "waking_from": "Waking hours from",
    "waking_until": "Waking hours until",
    "learned": "Ask what is usual here, too",
    "patience": "Unusual here: one false alarm is worth a wait of",
    "escalate_after": "Next person after",
    "again_after": "Raised again after",
    "hub_silent_carer_after": "Hub silent: carer told after",
    "remind_after": "Whose it is, asked again after",
    "nobody_again_after": "Nobody answered: said again after",
    "is_unseen_asked": "Ask somebody to look when the home cannot be seen",
    "unseen_for": "Home not seen for",
    "is_night_asked": "Ask about walking at night",
    "night_from": "Night from",
    "night_until": "Night until",
    "night_up_for": "Up at night for",
    "is_out_asked": "Ask about out and not back",
    "out_for": "Out for",
    "home_by": "Home by",
    "out_at_night_for": "Out at night for",
    "is_door_asked": "Ask about doors left open",
    "door_open_for": "Door open for",
    "door_open_at_night_for": "Door open at night for",
    "is_cold_asked": "Ask about cold rooms",
    "cold_c": "Cold below",
    "cold_for": "Cold for",
    "is_heat_asked": "Ask about hot rooms",
    "hot_c": "Hot above",
    "hot_for": "Hot for",
    "is_sensor_asked": "Ask about silent sensors",
    "sensor_silent_after": "Sensor silent after",
    "gauge_silent_after": "Thermometer or plug silent after",
    "is_stuck_asked": "Ask about sensors that notice nothing",
    "stuck_times": "Sensor notices nothing: times the longest that is usual",
    "is_battery_asked": "Ask about batteries",
    "battery_low_pct": "Battery low at",
}
"""Of every number of a policy, with a capital letter; its value follows it."""

_UNITS: Final = {"_c": "°C", "_pct": "%"}


def unit(name: str) -> str:
    """Return what a number is in, where that is not written with it: `°C`, or nothing."""
    return next((said for end, said in _UNITS.items() if name.endswith(end)), "")


def said(policy: Policy, name: str) -> str:
    """Return a number of a policy for people to read, with its unit: `16 °C`, `1 h 30 min`, `yes`."""
    return f"{words.said(policy, name)} {unit(name)}".strip()
