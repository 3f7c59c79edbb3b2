"""What does ingest count?"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from ingest.intake import Kept

RECEIVED: Final = Counter("telecare_ingest_messages_received", "Messages from the broker.", ["leaf"])
DROPPED: Final = Counter(
    "telecare_ingest_messages_dropped", "Messages dropped because too many waited; hubs send them again."
)
FOREIGN: Final = Counter("telecare_ingest_messages_foreign", "Messages of lanes that are another worker's.")
READINGS: Final = Counter("telecare_ingest_readings_stored", "Readings that are on the database's disk.")
ALARMS: Final = Counter("telecare_ingest_alarms_stored", "Alarms that are on the database's disk, readable or not.")
REFUSED: Final = Counter("telecare_ingest_refused", "Numbers, and messages without numbers, that were refused.")
LOST: Final = Counter("telecare_ingest_numbers_lost", "Numbers that their hub no longer has and that never came.")
KNOWN: Final = Counter("telecare_ingest_packs_known", "Packs that were stored before and came again.")
HOLES: Final = Counter("telecare_ingest_packs_too_early", "Packs behind a hole, which their hub sends again.")
IGNORED: Final = Counter("telecare_ingest_messages_ignored", "Heartbeats too late to be news, and the like.")
ANSWERS: Final = Counter("telecare_ingest_answers_sent", "Answers to hubs that were handed to the broker.")
BATCH_S: Final = Histogram(
    "telecare_ingest_batch_seconds",
    "From taking a batch to its commit.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
WAITING: Final = Gauge("telecare_ingest_messages_waiting", "Messages that are not stored yet.")
LANES_OWNED: Final = Gauge("telecare_ingest_lanes_owned", "Lanes that are this worker's.")
BROKER_UP: Final = Gauge("telecare_ingest_broker_connected", "1 while hubs are heard.")
TROUBLES: Final = Counter("telecare_ingest_store_failures", "Times that a batch or a tick could not be stored.")
UNREADABLE: Final = Counter(
    "telecare_ingest_unreadable", "Times that the database could not read what it has: a block of its disk is damaged."
)

ERASURES_DUE: Final = Gauge("telecare_ingest_erasures_due", "Homes and people that are being erased and are not yet.")


def count(kept: Kept) -> None:
    """Count what a commit came to."""
    counts = kept.counts
    for counter, number in (
        (READINGS, counts.readings),
        (ALARMS, counts.alarms),
        (REFUSED, counts.refused),
        (LOST, counts.lost),
        (KNOWN, counts.known),
        (HOLES, counts.holes),
        (IGNORED, counts.ignored),
    ):
        counter.inc(number)
