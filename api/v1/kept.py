"""What do programs read and write of what operators keep?  Fields, units and examples, as in `shapes`.

What is written has the words of the operator's pages and the command line: `mon-fri`, `07:00`, `5 h 30 min`.
"""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from api.calls import CameOf
from api.v1.shapes import Moment, Page, Shape

_NINE: Final = "2026-06-16T08:14:00Z"
KEY: Final = r"^[a-z0-9][a-z0-9-]{0,31}$"

Key = Annotated[str, Field(max_length=32, pattern=KEY)]
"""A short name that stands in addresses."""
# A comma would make two of one.
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^,\n\r]*$")]
Words = Annotated[str, Field(min_length=1, max_length=200)]
WallTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Kind = Literal["family contact", "unpaid carer", "paid carer", "operator", "resident"]
SensorKind = Literal[
    "motion", "contact", "pendant", "pull-cord", "climate", "bed", "chair", "plug", "smoke", "water", "button"
]
View = Literal["family", "carer"]


# -- people


class PersonWritten(Shape):
    """Who a person is and how they are reached."""

    name: Words = Field(examples=["Anne Reid"])
    what: Words | None = Field(default=None, description="As others know them.", examples=["daughter"])
    phone: Words | None = Field(default=None, examples=["+447700900131"])
    email: Words | None = Field(default=None, examples=["anne@care.example"])
    likes: Literal["text", "ring", "e-mail"] = Field(default="text", examples=["text"])
    kinds: list[Kind] = Field(default=[], max_length=5, examples=[["family contact"]])


class Person(Shape):
    """Somebody who may be told or may sign in."""

    person: str = Field(examples=["anne"])
    name: str = Field(examples=["Anne Reid"])
    what: str | None = Field(examples=["daughter"])
    phone: str | None = Field(examples=["+447700900131"])
    email: str | None = Field(examples=["anne@care.example"])
    likes: str = Field(examples=["text"])
    kinds: list[str] = Field(examples=[["family contact"]])
    left_at: datetime | None = Field(description="Is no longer one of us since.", examples=[None])


class People(Page):
    """A page of people, by name; who left is not among them."""

    items: list[Person]


class ServiceWritten(Shape):
    """What the service is called, and whose phone gets what nobody else can be told."""

    name: Words = Field(description="On every page, and under every text.", examples=["Kilbrae telecare"])
    operator: Key = Field(description="A person with a phone; becomes an operator.", examples=["control"])


class Service(Shape):
    """The same, as it stands; null: nobody wrote it yet."""

    name: str | None = Field(examples=["Kilbrae telecare"])
    operator: str | None = Field(examples=["control"])


# -- calls that are due


class Call(Shape):
    """Somebody feels little or no confidence and was promised that one person rings; what they answered is not said."""

    call: int = Field(examples=[1])
    home: str = Field(examples=["shore-road-14"])
    resident: str = Field(description="Whom it is about, in full.", examples=["Margaret Reid"])
    name: str = Field(description="Who is to be rung.", examples=["Anne Reid"])
    phone: str | None = Field(examples=["+447700900131"])
    email: str | None = Field(examples=[None])
    opened_at: Moment
    ring_by: Moment
    taken_by: str | None = Field(description="The name of who said that they will ring.", examples=[None])
    tries: int = Field(description="How often it was rung.", examples=[0])
    rung_at: datetime | None = Field(examples=[None])
    rung_by: str | None = Field(examples=[None])
    closed_at: datetime | None = Field(description="Null: it is due.", examples=[None])
    came_of: str | None = Field(examples=[None])


class Calls(Shape):
    """Calls; at most 100."""

    items: list[Call]


class CallClosed(Shape):
    """What came of a call."""

    came_of: CameOf = Field(examples=["talked"])
    note: Annotated[str, Field(max_length=2000)] | None = Field(
        default=None, description="What will be done, by whom; never what was answered.", examples=[None]
    )


# -- a home


class ResidentWritten(Shape):
    """Who lives in a home."""

    first_name: Words = Field(examples=["Margaret"])
    name: Words = Field(examples=["Margaret Reid"])
    phone: Words | None = Field(default=None, examples=["+441632960112"])
    address: Words | None = Field(default=None, examples=["14 Shore Road, flat 2"])
    know: Words | None = Field(
        default=None,
        description="What someone who goes there should know.",
        examples=["Key safe left of the back door."],
    )
    person: Key | None = Field(default=None, description="As whom the resident signs in.", examples=[None])


class RoomsWritten(Shape):
    """All rooms of a home."""

    rooms: list[Name] = Field(min_length=1, max_length=40, examples=[["lounge", "kitchen", "bedroom"]])


class SensorWritten(Shape):
    """What a sensor is, and where it stands."""

    kind: SensorKind = Field(examples=["motion"])
    room: Words | None = Field(default=None, examples=["lounge"])


class ToldWritten(Shape):
    """Who is told at any hour, the first first."""

    told: list[Key] = Field(max_length=20, examples=[["anne", "jim"]])
    sure: bool = Field(default=False, description="Needed where nobody is to be told.", examples=[False])


class TeamOfHomeWritten(Shape):
    """Whose shifts are told about a home besides its own."""

    team: Key | None = Field(examples=["west"])


class Sensor(Shape):
    """A sensor as people know it."""

    sensor: str = Field(examples=["lounge-motion"])
    kind: str = Field(examples=["motion"])
    room: str | None = Field(examples=["lounge"])


class Hub(Shape):
    """A box of a home."""

    hub: str = Field(examples=["hub-shore-road-14"])
    heard_at: datetime | None = Field(description="Null: never.", examples=[_NINE])
    revoked_at: datetime | None = Field(description="Null: it may speak.", examples=[None])
    network: str | None = Field(
        description="What carries its line to us: hubs of one name that fall silent together are one outage.",
        examples=["mobile-a"],
    )


class HubWritten(Shape):
    """What carries a new hub's line; where nothing is said of it, it stays as it was."""

    network: Key | None = Field(default=None, examples=["mobile-a"])


class NetworkWritten(Shape):
    """What carries a hub's line."""

    network: Key | None = Field(
        description="The same short name for all hubs that fail together; null: nobody knows.", examples=["mobile-a"]
    )


class HubAdded(Shape):
    """A hub that may speak from now on."""

    hub: str = Field(examples=["hub-shore-road-14"])
    lane: int = Field(examples=[7])
    configuration: str = Field(
        description="Its file, as TOML, with its only secret: nobody can have it a second time.",
        examples=['[hub]\nid = "hub-shore-road-14"\nlane = 7\nsecret = "..."\n'],
    )


class SetUp(Shape):
    """Everything that is written of a home, and what is still to do."""

    home: str = Field(examples=["shore-road-14"])
    rooms: list[str] = Field(examples=[["lounge", "kitchen"]])
    sensors: list[Sensor]
    hubs: list[Hub]
    told: list[str] = Field(description="Who is told at any hour, the first first.", examples=[["anne", "jim"]])
    team: str | None = Field(examples=["west"])
    to_do: list[str] = Field(examples=[["It has no hub: nothing can be heard from it."]])


# -- who may see what


class AgreedWritten(Shape):
    """The yes that something rests on."""

    basis: Literal["resident", "attorney", "best interests"] = Field(examples=["resident"])
    said_by: Words = Field(examples=["Margaret Reid"])
    why: Words = Field(examples=["to know that all is well"])
    until: date = Field(description="Its last day, in Britain.", examples=["2030-12-31"])


class SightWritten(AgreedWritten):
    """What somebody may see, and the yes that it rests on."""

    views: list[View] = Field(min_length=1, max_length=2, examples=[["family"]])


class Consent(Shape):
    """A yes, as it was written down."""

    consent: int = Field(examples=[1])
    what: str = Field(description="To care: to being watched over; or to data.", examples=["data"])
    person: str | None = Field(examples=["anne"])
    view: str | None = Field(examples=["family"])
    basis: str = Field(examples=["resident"])
    said_by: str = Field(examples=["Margaret Reid"])
    why: str = Field(examples=["to know that all is well"])
    since: Moment
    until: Moment
    withdrawn_at: datetime | None = Field(examples=[None])
    is_in_force: bool = Field(examples=[True])


class Consents(Shape):
    """Every consent of a home, also those that ended, the newest first; at most 500."""

    home: str = Field(examples=["shore-road-14"])
    items: list[Consent]


class Withdrawn(Shape):
    """What an operator must know after a yes was taken back."""

    know: list[str] = Field(
        examples=[["Anne Reid is still told of alarms in shore-road-14: take them off the told-order if need be."]]
    )


class Grant(Shape):
    """Somebody who may see a home now."""

    person: str = Field(examples=["anne"])
    name: str = Field(examples=["Anne Reid"])
    what: str | None = Field(examples=["daughter"])
    view: str = Field(examples=["family"])
    given_at: Moment
    until: datetime | None = Field(description="Excluded; null: an operator, who needs none.", examples=[_NINE])


class Grants(Shape):
    """Who may see a home now; operators may see every home."""

    home: str = Field(examples=["shore-road-14"])
    items: list[Grant]
    operators: list[str] = Field(description="Their names.", examples=[["Kilbrae alarm centre"]])


# -- the rota


class ShiftWritten(Shape):
    """Who is told when."""

    person: Key = Field(examples=["anne"])
    days: Words = Field(default="every day", examples=["mon-fri"])
    begins: WallTime = Field(description="In Europe/London wall time, as is `ends`.", examples=["07:00"])
    ends: WallTime = Field(examples=["19:00"])
    place: Annotated[int, Field(ge=1, le=9)] = Field(default=1, description="1 is told first.", examples=[1])
    valid_from: date | None = Field(default=None, description="Null: today.", examples=["2026-06-16"])
    valid_until: date | None = Field(default=None, description="Its last day; null: it goes on.", examples=[None])


class OverrideWritten(Shape):
    """Somebody cannot for a time, and perhaps somebody stands in."""

    person: Key = Field(examples=["anne"])
    instead: Key | None = Field(default=None, examples=["jim"])
    since: Annotated[datetime, Field(examples=["2026-06-20T18:00:00+01:00"])]
    until: Annotated[datetime, Field(description="Excluded.", examples=["2026-06-27T18:00:00+01:00"])]
    home: Key | None = Field(default=None, description="Only there; null: wherever they are on duty.", examples=[None])
    team: Key | None = Field(default=None, description="Only there; at most one of the two.", examples=[None])


class TeamWritten(Shape):
    """What a team is called."""

    name: Words = Field(examples=["Team West"])


class Made(Shape):
    """What was made has this number."""

    number: int = Field(examples=[1])


class Shift(Shape):
    """A shift as it was written; exactly one of `home` and `team` is not null."""

    shift: int = Field(examples=[1])
    home: str | None = Field(examples=["shore-road-14"])
    team: str | None = Field(examples=[None])
    person: str = Field(examples=["anne"])
    days: list[str] = Field(examples=[["mon", "tue"]])
    begins: str = Field(examples=["07:00"])
    ends: str = Field(examples=["19:00"])
    place: int = Field(examples=[1])
    valid_from: date = Field(examples=["2026-06-16"])
    valid_until: date | None = Field(description="The first day on which it no longer counts.", examples=[None])


class Override(Shape):
    """Somebody cannot for a time."""

    override: int = Field(examples=[1])
    home: str | None = Field(examples=[None])
    team: str | None = Field(examples=[None])
    person: str = Field(examples=["anne"])
    instead: str | None = Field(examples=["jim"])
    since: Moment
    until: Moment


class Duty(Shape):
    """Who is told in a stretch of time, the first first; the operator after them."""

    since: Moment
    until: Moment
    persons: list[str] = Field(examples=[["anne", "jim"]])


class Rota(Shape):
    """Who is told about a home in the week to come, without a hole."""

    home: str = Field(examples=["shore-road-14"])
    duties: list[Duty]
    gaps: list[Duty] = Field(description="When nobody but the operator is told.")
    shifts: list[Shift]


class Overrides(Shape):
    """Every override that is not over; at most 200."""

    items: list[Override]


class Team(Shape):
    """Carers who share the shifts of several homes."""

    team: str = Field(examples=["west"])
    name: str = Field(examples=["Team West"])
    homes: int = Field(examples=[12])
    shifts: list[Shift]


class Teams(Shape):
    """Every team, by name; at most 200."""

    items: list[Team]
