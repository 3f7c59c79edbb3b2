"""What does alerts count?  Prometheus metrics, answered by the process's health address."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

RAISED: Final = Counter("telecare_alerts_raised", "Alerts that were raised, by question.", ["question"])
NOBODY_TOLD: Final = Gauge(
    "telecare_alerts_nobody_told",
    "Open alerts for which everybody was asked and nobody said mine: a person must act now.",
)
UNREADABLE: Final = Counter(
    "telecare_alerts_unreadable", "Times that the database could not read what it has: a block of its disk is damaged."
)
LANES: Final = Gauge("telecare_alerts_lanes", "Lanes that this worker judges.")
LAG_S: Final = Gauge(
    "telecare_alerts_lag_seconds", "How far the slowest lane of this worker is judged behind the clock."
)
TEXTS: Final = Counter("telecare_alerts_texts", "Requests to Twilio, by what became of them.", ["became"])
for _became in ("refused", "no answer", "account refused"):
    # From the start: one that is first seen as 1 has not risen, and the first refusal would wake nobody.
    TEXTS.labels(_became)
NOBODY_TEXTED: Final = Gauge(
    "telecare_alerts_nobody_can_be_texted",
    "1 while Twilio refuses our account, or none is configured: no text leaves, whoever it is for.",
)
LEAVES_AFTER_S: Final = Histogram(
    "telecare_alerts_alarm_leaves_after_seconds",
    "From an alarm's arrival at the platform to the first request to Twilio, on the platform's clock.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
