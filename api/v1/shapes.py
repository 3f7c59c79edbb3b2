"""What do the answers look like?  Their fields, units and examples; times are ISO 8601 with offset, durations `_s`."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from alerts.judging.quiet import Quiet

_NINE: Final = "2026-06-16T08:14:00Z"

Moment = Annotated[datetime, Field(examples=[_NINE])]
Text = Annotated[str, Field(examples=["Margaret was last seen in the lounge at 09:07."])]


class Shape(BaseModel):
    """What all answers share: nothing that is not described here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Shape):
    """What all lists share."""

    next: str | None = Field(
        description="Address of the next page; null: this is the last.", examples=["/api/v1/homes?limit=50&cursor=Im0i"]
    )


class Resident(Shape):
    """Who lives there; only with the scope people:read."""

    first_name: str = Field(examples=["Margaret"])
    full_name: str = Field(examples=["Margaret Reid"])
    phone: str | None = Field(examples=["+441632960112"])
    address: str | None = Field(examples=["14 Shore Road, flat 2"])
    know: str | None = Field(
        description="What someone who goes there should know.", examples=["Key safe left of the back door."]
    )


class Seen(Shape):
    """The last sign of life."""

    at: Moment
    room: str | None = Field(examples=["lounge"])


class Home(Shape):
    """How a home is seen, as of `true_at`.

    It is a lease: from `not_known_from` on this answer says nothing any more, and nobody may show it as watched.
    """

    home: str = Field(examples=["shore-road-14"])
    state: Literal["watched", "degraded", "blind", "paused"] = Field(
        description="Can we see this home?  About us, not about the resident.", examples=["watched"]
    )
    why: list[str] = Field(
        description="Why it is not better seen: never heard, hub, line, radio, clock, broker, us, paused; "
        "sensor/KIND/SINCE/WHERE is a silent sensor, stuck/KIND/SINCE/WHERE one that reports and notices nothing.",
        examples=[["hub"]],
    )
    quiet: Quiet = Field(
        description="What it is that nothing is heard of the resident: what a silence would be sorted as now.",
        examples=[Quiet.STILL],
    )
    since: datetime | None = Field(description="Of this state; null: never judged.", examples=[_NINE])
    true_at: Moment
    not_known_from: datetime | None = Field(
        description="From then on nothing is known; null: nothing is known now.", examples=[_NINE]
    )
    learning: dict[str, Any] = Field(
        description="What is still being learnt; empty: nothing.", examples=[{"days": 3, "of": 14}]
    )
    last_seen: Seen | None
    next_alert_at: datetime | None = Field(
        description="When a stillness alert is raised if nothing more is seen; the moment it was raised if one is "
        "open; null: none would be, see next_alert_why.",
        examples=[_NINE],
    )
    next_alert_why: dict[str, Any] = Field(examples=[{"question": "still"}])
    resident: Resident | None = Field(description="Only with the scope people:read.")


class Homes(Page):
    """A page of homes, by name."""

    items: list[Home]


class Span(Shape):
    """A time in which a home was equally well seen; never rewritten."""

    since: Moment
    until: datetime | None = Field(description="Excluded; null: it goes on, as of true_at.", examples=[_NINE])
    state: Literal["watched", "degraded", "blind", "paused"] = Field(examples=["blind"])
    why: list[str] = Field(examples=[["hub"]])


class LastGap(Shape):
    """The newest time in which a home could not be seen."""

    since: Moment
    until: datetime | None = Field(description="Excluded; null: it goes on.", examples=[_NINE])
    why: list[str] = Field(examples=[["line"]])


class Later(Shape):
    """Readings of a blind time that arrived afterwards: they explain it, and it stays blind."""

    since: Moment
    until: Moment
    first_seen_at: Moment
    last_seen_at: Moment
    readings: int = Field(examples=[4])
    known_at: Moment


class Minutes(Shape):
    """Whole minutes of the clock; each is as bad as its worst moment.  Paused ones are no part of the share."""

    watched: int = Field(examples=[42835])
    degraded: int = Field(examples=[0])
    blind: int = Field(examples=[345])
    paused: int = Field(examples=[20])
    share: float | None = Field(
        description="Of those to be watched, in which the home could be seen; null: none were.", examples=[0.992]
    )
    blind_by_cause: dict[str, int] = Field(description="By the first reason of each.", examples=[{"line": 345}])


class Spans(Shape):
    """How well a home could be seen in a time."""

    home: str = Field(examples=["shore-road-14"])
    since: Moment
    until: Moment
    true_at: Moment
    blind_s: float = Field(description="Seconds of it in which nobody could see.", examples=[900.0])
    to_watch_s: float = Field(description="Seconds of it in which the home was to be watched.", examples=[86400.0])
    minutes: Minutes
    last_gap: LastGap | None
    seen_later: list[Later]
    items: list[Span]


class Reading(Shape):
    """One stored measurement."""

    sensor: str = Field(examples=["lounge-motion"])
    room: str | None = Field(examples=["lounge"])
    quantity: str = Field(description="Its unit, where it has one, is its end.", examples=["movement"])
    value: float = Field(examples=[1.0])
    observed_at: Moment
    uncertain_since: datetime | None = Field(
        description="The earliest it can have been; null: the time is certain.", examples=[None]
    )
    received_at: Moment
    may_repeat: bool = Field(
        description="Sent again after an old card was put back: it may be here twice.", examples=[False]
    )


class Readings(Page):
    """A page of a home's readings, by observed_at."""

    home: str = Field(examples=["shore-road-14"])
    items: list[Reading]


class Alert(Shape):
    """What a person must look at."""

    alert: int = Field(examples=[1])
    home: str = Field(examples=["shore-road-14"])
    question: str = Field(description="What was asked.", examples=["still"])
    is_fault: bool = Field(description="Equipment needs someone.", examples=[False])
    say: str = Field(
        description="What is wrong, in a sentence without a name.",
        examples=["The resident has not been seen to move since 08:14."],
    )
    since: datetime = Field(description="When its cause began.", examples=[_NINE])
    at: datetime = Field(description="The moment that it is true of.", examples=[_NINE])
    raised_at: Moment
    why: dict[str, Any] = Field(
        description="What was seen, what is usual, how sure it is.", examples=[{"last_seen_room": "bedroom"}]
    )
    state: Literal["open", "acknowledged", "closed"] = Field(examples=["open"])
    mine_by: str | None = Field(description="Whose it is.", examples=["anne"])
    mine_at: datetime | None = Field(examples=[_NINE])
    nobody_left_at: datetime | None = Field(description="Everybody was asked, and nobody said mine.", examples=[None])
    cause_ended_at: datetime | None = Field(examples=[None])
    outcome: str | None = Field(examples=["all well"])
    closed_at: datetime | None = Field(examples=[None])
    closed_by: str | None = Field(examples=["anne"])


class Alerts(Page):
    """A page of alerts, the newest first."""

    items: list[Alert]


class Step(Shape):
    """One thing that happened in the story of an alert."""

    at: Moment
    kind: str = Field(examples=["text delivered"])
    person_name: str | None = Field(description="Only with the scope people:read.", examples=["Anne Reid"])
    detail: str = Field(examples=["alert, first"])


class Story(Shape):
    """An alert and what happened around it, in the order of time; at most 500 steps."""

    alert: Alert
    steps: list[Step]


class Outcome(Shape):
    """How an alert ended."""

    outcome: Literal["help given", "ambulance", "all well", "false alarm", "test", "mended"] = Field(
        examples=["all well"]
    )
    word: str | None = Field(default=None, max_length=500, examples=["She was in the garden."])


class LettingGo(Shape):
    """Why somebody does not keep an alert, or does not take it."""

    why: Literal["cannot go", "could not find out", "help me"] = Field(examples=["cannot go"])


class Contact(Shape):
    """Somebody who is told."""

    person: str = Field(examples=["anne"])
    full_name: str = Field(examples=["Anne Reid"])
    what: str | None = Field(examples=["daughter"])
    phone: str | None = Field(examples=["+447700900101"])


class Told(Shape):
    """Who is told about a home, in order, the operator last."""

    home: str = Field(examples=["shore-road-14"])
    items: list[Contact]


class Look(Shape):
    """Somebody looked at a home, in a quarter of an hour."""

    viewer: str = Field(examples=["anne"])
    view: str = Field(examples=["home"])
    quarter: datetime = Field(description="Its beginning.", examples=[_NINE])


class Looks(Page):
    """A page of looks, the newest first."""

    home: str = Field(examples=["shore-road-14"])
    items: list[Look]


class Policy(Shape):
    """The numbers that a home is judged by now."""

    home: str = Field(examples=["shore-road-14"])
    policy: int | None = Field(description="Its version; null: the defaults, which nobody has set.", examples=[3])
    numbers: dict[str, Any] = Field(
        description="Durations in seconds (`_s`), times in Europe/London wall time.",
        examples=[{"still_for_s": 21600.0, "waking_from": "07:00:00"}],
    )


class Fleet(Shape):
    """All homes that the caller may see, in numbers."""

    true_at: Moment
    homes: int = Field(examples=[120])
    watched: int = Field(examples=[117])
    degraded: int = Field(examples=[1])
    blind: int = Field(examples=[2])
    alerts_open: int = Field(description="About residents, and nobody's yet.", examples=[1])
    alerts_taken: int = Field(description="About residents, and somebody's.", examples=[0])
    faults_open: int = Field(examples=[2])
    nobody_left: int = Field(description="Everybody was asked, and nobody said mine.", examples=[0])


class LedgerEdition(Shape):
    """One publication of a quarter; never changed."""

    quarter: str = Field(examples=["2026-Q2"])
    edition: int = Field(examples=[1])
    made_at: Moment
    corrects: str | None = Field(description="What was wrong with the edition before.", examples=[None])
    page: str = Field(description="Addresses without a token.", examples=["/ledger/2026-Q2/1"])
    csv: str = Field(examples=["/ledger/2026-Q2/1/ledger.csv"])
    json_: str = Field(alias="json", examples=["/ledger/2026-Q2/1/ledger.json"])


class SoFar(Shape):
    """How many homes were asked since the last closed quarter, and how many answered; nothing of what."""

    audience: Literal["family", "unpaid carer", "paid carer"] = Field(examples=["family"])
    asked: int = Field(examples=[41])
    answered: int = Field(examples=[22])


class Ledger(Shape):
    """What was published, and how many were asked since."""

    editions: list[LedgerEdition] = Field(description="The newest first; at most 400.")
    so_far: list[SoFar]


class OpenSeries(SoFar):
    """The same with who may still answer, and how answers came."""

    may_still_answer: int = Field(description="People who were asked, and whose fortnight is not over.", examples=[12])
    origins_at_least: dict[str, int] = Field(
        description="Answers of each origin, in steps of five: this many or up to four more, so that two looks do not "
        "show that one person answered.",
        examples=[{"scheduled": 20, "volunteered": 0, "after an alert": 5}],
    )


class OpenQuarter(Shape):
    """The quarter that is still open; what people say is published when it has closed."""

    quarter: str = Field(examples=["2026-Q2"])
    true_at: Moment
    items: list[OpenSeries]


class OwnAnswer(Shape):
    """What the token's own person answered."""

    question: int = Field(description="The version of the question.", examples=[1])
    wording: str = Field(examples=["Over the last four weeks, how confident have you felt that ... is safe at home?"])
    origin: str = Field(description="Only scheduled answers make the headline.", examples=["scheduled"])
    answer: int | None = Field(description="1 to 5; null: cannot say.", examples=[4])
    words: str | None = Field(examples=[None])
    answered_at: Moment


class OwnAnswers(Shape):
    """What the token's own person answered about a home, the newest first; at most 100."""

    home: str = Field(examples=["shore-road-14"])
    person: str = Field(examples=["anne"])
    items: list[OwnAnswer]
