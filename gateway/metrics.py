"""What does a gateway count?  Read at its health address, `/metrics`."""

from typing import Final

from prometheus_client import Counter, Gauge

KEPT: Final = Counter("telecare_gateway_kept_total", "Records written to the outbox", ["stream"])
SENT: Final = Counter("telecare_gateway_sent_total", "Records handed to the line, each time they were", ["stream"])
HELD: Final = Gauge("telecare_gateway_held_records", "Records that are not known to be stored", ["stream"])
NOT_KEPT: Final = Counter("telecare_gateway_not_kept_total", "Readings dropped because nothing could be written")
LET_GO: Final = Gauge("telecare_gateway_let_go_records", "Readings let go unstored since the start: the disk was full")
RADIO: Final = Counter("telecare_gateway_radio_messages_total", "Messages from the home's equipment", ["became"])
CONNECTS: Final = Counter("telecare_gateway_connects_total", "Connections made", ["door"])
UP: Final = Gauge("telecare_gateway_connection_up", "1 while a connection is up", ["door"])
ALOUD: Final = Counter(
    "telecare_gateway_said_aloud_total", "Alarms said in the home because they were not stored in time"
)
TURNED_OVER: Final = Counter("telecare_gateway_turned_over_total", "Times a new outbox was begun for an old card")
MALFORMED: Final = Counter("telecare_gateway_malformed_answers_total", "Answers of the platform that we could not read")
PLAYED: Final = Gauge("telecare_gateway_played_through_seconds", "How far a recording is played, in seconds since 1970")
