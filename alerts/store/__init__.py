"""What is written of alerts, people and judgement, and who may read or change it how?

Every function takes an autocommitting connection and the time; each is one transaction.  `facts` says what is
returned, `shown` reads for pages, `answers` is what people do, `texts` what comes back from phones, `setting` what a
setup writes, `thresholds` what homes are judged by (`versions` reads it), `owing` who is owed which text, and `judged`
turns findings into alerts.
"""

from alerts.store.answers import acknowledge, close, let_go
from alerts.store.facts import Acknowledged, Alert, Contact, HomeWatch, LetGo, Resident, Span, StoryStep
from alerts.store.setting import (
    set_person,
    set_resident,
    set_sensors,
    set_service,
    set_stretch,
    set_telling,
    set_unwatched,
    set_watched,
)
from alerts.store.shown import (
    GRACE,
    find_alert,
    homeless_alerts,
    open_alerts,
    recent_alerts,
    resident_of,
    story,
    telling_of,
    watch_of,
    watch_spans,
)
from alerts.store.texts import owe_login_text, take_status, take_text
from alerts.store.thresholds import policy_of, set_policy

__all__ = [
    "GRACE",
    "Acknowledged",
    "Alert",
    "Contact",
    "HomeWatch",
    "LetGo",
    "Resident",
    "Span",
    "StoryStep",
    "acknowledge",
    "close",
    "find_alert",
    "homeless_alerts",
    "let_go",
    "open_alerts",
    "owe_login_text",
    "policy_of",
    "recent_alerts",
    "resident_of",
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
    "take_status",
    "take_text",
    "telling_of",
    "watch_of",
    "watch_spans",
]
