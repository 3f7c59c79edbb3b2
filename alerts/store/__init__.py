"""What is written of alerts, people and judgement, and who may read or change it how?

Every function takes an autocommitting connection and the time; each is one transaction.  `facts` says what is
returned, `shown` reads for pages and `fleet` for many homes at once, `answers` is what people do, `texts` what comes
back from phones, `setting` what a setup writes, `thresholds` what homes are judged by (`versions` reads it), `owing`
who is owed which text, and `judged` turns findings into alerts.
"""

from alerts.store.answers import acknowledge, close, let_go
from alerts.store.asking import answer_on_page, pending
from alerts.store.facts import Acknowledged, Alert, Contact, HomeWatch, LetGo, Resident, Span, StoryStep
from alerts.store.fleet import (
    PAGE_MAX,
    BlindTogether,
    HomeSeen,
    Hours,
    Kind,
    OpenCounts,
    Texts,
    blind_together,
    count_homes,
    count_open,
    hours_seen,
    list_homes,
    open_everywhere,
    texts_of,
)
from alerts.store.outages import OutageOfHome, homes_in_outage, outage_of
from alerts.store.seen import SeenFor, least_seen, minutes_of_all, seen_later
from alerts.store.setting import (
    set_erased,
    set_person,
    set_resident,
    set_sensors,
    set_service,
    set_stretch,
    set_telling,
    set_unwatched,
    set_watched,
    take_off_rota,
)
from alerts.store.shown import (
    GRACE,
    alerts_before,
    find_alert,
    homeless_alerts,
    open_alerts,
    recent_alerts,
    resident_of,
    residents_of,
    story,
    telling_of,
    watch_of,
    watch_spans,
    watches_of,
)
from alerts.store.texts import owe_login_text, take_status, take_text
from alerts.store.thresholds import policy_of, set_policy

__all__ = [
    "GRACE",
    "PAGE_MAX",
    "Acknowledged",
    "Alert",
    "BlindTogether",
    "Contact",
    "HomeSeen",
    "HomeWatch",
    "Hours",
    "Kind",
    "LetGo",
    "OpenCounts",
    "OutageOfHome",
    "Resident",
    "SeenFor",
    "Span",
    "StoryStep",
    "Texts",
    "acknowledge",
    "alerts_before",
    "answer_on_page",
    "blind_together",
    "close",
    "count_homes",
    "count_open",
    "find_alert",
    "homeless_alerts",
    "homes_in_outage",
    "hours_seen",
    "least_seen",
    "let_go",
    "list_homes",
    "minutes_of_all",
    "open_alerts",
    "open_everywhere",
    "outage_of",
    "owe_login_text",
    "pending",
    "policy_of",
    "recent_alerts",
    "resident_of",
    "residents_of",
    "seen_later",
    "set_erased",
    "set_person",
    "set_policy",
    "set_resident",
    "set_sensors",
    "set_service",
    "set_stretch",
    "set_telling",
    "set_unwatched",
    "set_watched",
    "story",
    "take_off_rota",
    "take_status",
    "take_text",
    "telling_of",
    "texts_of",
    "watch_of",
    "watch_spans",
    "watches_of",
]
