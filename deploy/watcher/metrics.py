"""What does the watcher count?"""

from typing import Final

from prometheus_client import Counter, Gauge

STANDING: Final = Gauge("telecare_watcher_alarms", "Alarms that were seen and are not over.")
TEXTS: Final = Counter("telecare_watcher_texts", "Texts to the operator, by what became of them.", ["became"])
PINGS: Final = Counter("telecare_watcher_pings", "Calls to the outside address, by what became of them.", ["became"])
