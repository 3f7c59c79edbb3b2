"""What do programs read and write of thresholds?  Fields, units and examples, as in `shapes`."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from api.v1.kept import Key, WallTime, Words
from api.v1.shapes import Moment, Shape

_NINE: Final = "2026-06-16T08:14:00Z"
Written = Annotated[str, Field(max_length=200)]


class Scope(Shape):
    """For which homes something is set."""

    width: Literal["all", "group", "home"] = Field(examples=["home"])
    name: str | None = Field(description="Of the group or the home.", examples=["shore-road-14"])


class Threshold(Shape):
    """One number, as an operator writes it."""

    name: str = Field(examples=["still_for"])
    label: str = Field(examples=["No movement for"])
    here: str | None = Field(description="As it is set for this scope; null: it is not.", examples=["5 h 30 min"])
    now: str = Field(description="What is in force.", examples=["5 h 30 min"])
    whence: str = Field(description="Where that was set.", examples=["set for shore-road-14, version 3"])


class Version(Shape):
    """What stood from some moment on; never changed, only followed by a newer one."""

    version: int = Field(examples=[3])
    in_force_since: Moment
    set_at: Moment
    set_by: str = Field(description="A person, or `setup` for a setup file.", examples=["control"])
    why: str = Field(examples=["she naps longer since June"])
    takes_back: int | None = Field(description="Its numbers are those before this version.", examples=[None])
    changes: str = Field(examples=["No movement for: not set here → 5 h 30 min"])


class Thresholds(Shape):
    """What is set for some homes, what is in force in consequence, and what stood before."""

    scope: Scope
    items: list[Threshold]
    rules_here: list[str] = Field(
        examples=[["quiet kitchen: no movement in kitchen for 3 h on weekdays from 09:00 to 12:00"]]
    )
    rules_now: list[str] = Field(examples=[[]])
    versions: list[Version] = Field(description="The newest first; at most 100.")


class Proposal(Shape):
    """All that shall be set for this scope from now on: what is left out is the wider scope's again.

    Or, with `takes_back` alone, what stood before one of its versions.
    """

    set_: dict[str, Written] = Field(
        default={},
        alias="set",
        max_length=40,
        description="Thresholds by their names, written as on the page.",
        examples=[{"still_for": "5 h 30 min"}],
    )
    rules: list[Written] = Field(
        default=[],
        max_length=20,
        examples=[["quiet kitchen: no movement in kitchen for 3 h on weekdays from 09:00 to 12:00"]],
    )
    takes_back: Annotated[int, Field(ge=1, lt=10**18)] | None = Field(
        default=None, description="A version to be undone.", examples=[None]
    )
    why: Words = Field(description="For whoever asks later.", examples=["she naps longer since June"])
    from_: WallTime | None = Field(
        default=None,
        alias="from",
        description="The next time London's clocks show this; null: at once.",
        examples=[None],
    )
    days: Literal[7, 14, 28, 56] = Field(default=28, description="To look back over.", examples=[7])


class Save(Shape):
    """Somebody has read what it costs."""

    read: Literal[True] = Field(description="A person has read what was found.", examples=[True])


class Compared(Shape):
    """One alert, as the numbers of now and those proposed would have raised it."""

    home: str = Field(examples=["shore-road-14"])
    question: str = Field(examples=["still"])
    since: Moment
    now_at: datetime | None = Field(description="Null: not raised by the numbers of now.", examples=[_NINE])
    then_at: datetime | None = Field(description="Null: it would not be raised.", examples=[None])
    outcome: str | None = Field(description="Of the alert that was raised in truth.", examples=["all well"])


class Found(Shape):
    """What a change would have done; an alert that was never raised has no outcome and is not counted as false."""

    summary: str = Field(examples=["in 7 days: 1 would not be raised, 0 would be new, 2 in both (0 later, 0 sooner)."])
    costs: list[str] = Field(examples=[["Somebody was helped by one of the alerts that would not be raised."]])
    notes: list[str] = Field(examples=[["Not judged: 2 h in which we could not see."]])
    lost: int = Field(description="Alerts of now that would not be raised.", examples=[1])
    gained: int = Field(examples=[0])
    later: int = Field(examples=[0])
    sooner: int = Field(examples=[0])
    same: int = Field(description="At the same minute.", examples=[2])
    lost_needed: int = Field(description="Of those lost, somebody was helped by it.", examples=[0])
    later_needed: int = Field(examples=[0])
    alerts: list[Compared] = Field(description="At most 500.")


class LookBack(Shape):
    """A look back, as it stands."""

    number: int = Field(examples=[1])
    scope: Scope
    state: Literal["running", "done", "failed"] = Field(examples=["done"])
    done: float = Field(description="How much of it, from 0 to 1.", examples=[1.0])
    failed: str | None = Field(description="Why nothing was found.", examples=[None])
    changes: str = Field(examples=["No movement for: not set here → 5 h 30 min"])
    takes_back: int | None = Field(examples=[None])
    why: str = Field(examples=["she naps longer since June"])
    in_force_from: datetime | None = Field(description="Null: at once.", examples=[None])
    days: int = Field(examples=[7])
    homes: list[str] = Field(description="That are looked at.", examples=[["shore-road-14"]])
    homes_in_all: int = Field(description="That the change concerns.", examples=[1])
    asked_at: Moment
    asked_by: str = Field(examples=["control"])
    may_save: bool = Field(description="By who asks now.", examples=[True])
    found: Found | None


class Group(Shape):
    """Homes that share thresholds."""

    group: str = Field(examples=["north-street"])
    homes: list[str] = Field(examples=[["shore-road-14"]])


class Groups(Shape):
    """Every group, by name."""

    items: list[Group]


class GroupWritten(Shape):
    """Which homes are in a group."""

    homes: list[Key] = Field(max_length=500, examples=[["shore-road-14"]])
    why: Words = Field(examples=["they share a warden"])
