"""What came of a run?  Diary, cards, table, alerts and phones are held against each other."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from deploy.chaos import cards, diary, told, watched_clock
from deploy.chaos.book import ZEROS
from deploy.chaos.diary import Beside
from deploy.chaos.people import Falsehood, Looks
from deploy.chaos.reckoning import Found, Range, Row, compare
from deploy.chaos.street import LEASE, CruelStreet
from deploy.chaos.told import Untold
from deploy.chaos.watched_clock import Span, Vouched
from deploy.pretend_twilio import Direction

_SETTLES_WITHIN_S: Final = 180.0
"""A hub whose packs were not answered waits up to a minute before it goes back; a restored server has hours to take."""
_SHOWN_MAX: Final = 10

_ON_ITS_WAY: Final = timedelta(minutes=1)
"""What was said before a time that is dark may have been heard so much later: three seconds of real time. Ours."""

_READINGS: Final = """
    SELECT hub, sensor, quantity, value, observed_at, uncertain_since IS NOT NULL, may_repeat FROM reading
    WHERE observed_at BETWEEN '1999-01-01' AND '2106-01-01'
"""
_WRITTEN_OFF: Final = """
    SELECT hub, outbox, stream, first, last FROM lost_range WHERE recovered_at IS NULL
    UNION ALL
    SELECT hub, outbox, stream, first, last FROM refused WHERE first IS NOT NULL AND outbox IS NOT NULL
"""
_STORED: Final = "SELECT hub, outbox, stream, stored_through FROM stream"
_ON_THEIR_WAY: Final = "SELECT count(*) FROM notification WHERE state IN ('due', 'trying') AND due_at <= %s"


@dataclass(frozen=True, slots=True)
class End:
    """What came of a run.

    Attributes:
        found: of what hubs took in.
        never_taken_in: what sensors said and no hub took in.
        unsaid: what their own brokers never took, or nobody knows of.
        alarms: how many the hubs took in.
        untold: alarms that nobody was told of.
        looks: what the family saw.
        vouched: what the watched clock says was seen, and could not be.
        doubled_texts: texts that said the same to the same phone again.
        texts: how many left.
    """

    found: Found
    never_taken_in: int
    alarms_never_taken_in: list[diary.Said]
    unsaid: int
    alarms: int
    untold: list[Untold]
    looks: Looks
    vouched: list[Vouched]
    doubled_texts: int
    texts: int

    def numbers(self) -> dict[str, int]:
        """Return what the ledger's four are, and how many texts were doubled."""
        return {
            "lost": len(self.found.lost) + len(self.alarms_never_taken_in),
            "doubled": len(self.found.doubled),
            "untold": len(self.untold),
            "blind_minutes_shown": len(self.looks.false_minutes | self._minutes_vouched()),
            "doubled_texts": self.doubled_texts,
        }

    @property
    def is_clean(self) -> bool:
        """Whether all four are 0."""
        numbers = self.numbers()
        return not any(numbers[name] for name in ZEROS)

    def _minutes_vouched(self) -> set[tuple[str, int]]:
        return {(one.home, minute) for one in self.vouched for minute in one.minutes}

    @property
    def may_heal(self) -> bool:
        """Whether something is missing that may still be on its way; what is doubled or was shown stays so."""
        numbers = self.numbers()
        return numbers["lost"] > 0 or numbers["untold"] > 0

    def apart(self) -> dict[str, int]:
        """Return what is listed apart."""
        return {
            "taken_in": self.found.taken_in,
            "alarms": self.alarms,
            "never_taken_in": self.never_taken_in,
            "not_on_the_radio": self.unsaid,
            "repeated_and_marked": self.found.repeated,
            "gone_with_a_card": self.found.gone,
            "taken_in_without_a_card": len(self.found.cardless),
            "written_off": self.found.written_off,
            "texts": self.texts,
            "looks": self.looks.looks,
            "looks_seen": self.looks.seen,
            "looks_in_the_dark": self.looks.dark,
        }

    def evidence(self) -> list[str]:
        """Return a line for each thing that is wrong, the first ten of each."""
        found = [f"lost: {one}" for one in self.found.lost[:_SHOWN_MAX]]
        found += [f"lost, an alarm: {one}" for one in self.alarms_never_taken_in[:_SHOWN_MAX]]
        found += [f"doubled: {one}" for one in self.found.doubled[:_SHOWN_MAX]]
        found += [f"untold: {one}" for one in self.untold[:_SHOWN_MAX]]
        found += [f"written as seen while blind: {one}" for one in self.vouched[:_SHOWN_MAX]]
        return [*found, *(f"shown while blind: {_words(one)}" for one in self.looks.false[:_SHOWN_MAX])]


def settle(street: CruelStreet, looks: Looks) -> End | None:
    """Let the sensors be quiet and everything heal, and return what came of it; None if we are asked to stop.

    Looked at again until nothing is missing any more or the time is up: what is still on its way is not lost.
    """
    street.supervisor.hold("simulator")
    # A pack is made every other second; what was just taken in is not on its way yet.
    street.lives(3.0)
    came: list[End] = []

    def is_over() -> bool:
        if not _is_quiet(street):
            return False
        came[:] = [reckon(street, looks)]
        street.lives(1.0)
        return not came[0].may_heal

    street.lives(_SETTLES_WITHIN_S, until=is_over)
    return None if street.supervisor.is_stopping else reckon(street, looks)


def _is_quiet(street: CruelStreet) -> bool:
    """Return whether hubs and server agree on everything that there is, and no text is on its way."""
    stored = {(hub, outbox, of): through for hub, outbox, of, through in street.rows(_STORED)}
    for name, home in street.homes.items():
        card = street.card(name)
        if not cards.is_settled(card):
            return False
        if any(stored.get((home.hub, *stream), 0) < last for stream, last in cards.last_numbers(card).items()):
            return False
    return not _on_their_way(street)


def _on_their_way(street: CruelStreet) -> bool:
    """Return whether an alarm is not judged yet, or a text is due; also while nobody answers that."""
    waiting = street.rows(_ON_THEIR_WAY, street.clock.now())
    return not waiting or bool(waiting[0][0])


def reckon(street: CruelStreet, looks: Looks) -> End:
    """Hold everything against each other; the street must be quiet, and its database must answer."""
    for home in street.homes:
        street.read_card(home)
    with street.database() as conn:
        rows = [Row(*row) for row in conn.execute(_READINGS)]
        off = [Range(*row) for row in conn.execute(_WRITTEN_OFF)]
        spans = [Span(*row) for row in conn.execute(watched_clock.SPANS)]
    book = street.cards
    found = compare(
        *(book.numbers, rows),
        gone=book.gone,
        written_off=off,
        is_odd=book.is_odd,
        is_cardless=lambda row: book.may_be_cardless(row.hub, row.observed_at),
    )
    diaries = [diary.read(home, street.asked.data / "diaries" / f"{home}.jsonl") for home in street.homes]
    said = [one for each in diaries for one in each.said]
    of_hub = {home.hub: name for name, home in street.homes.items()}
    beside = [
        Beside(of_hub[row.hub], row.sensor, row.quantity.endswith("_alarm"), row.observed_at) for row in found.cardless
    ]
    never = diary.not_on_a_card(
        *(said, book.numbers),
        odd_boots=book.odd_boots,
        beside=beside,
        is_gone=lambda one: book.went_without_a_card(street.homes[one.home].hub, one.at),
    )
    alarms = {seen: numbers for seen, numbers in book.numbers.items() if seen.quantity.endswith("_alarm")}
    texts = [text for text in street.twilio_server.ledger.all() if text.direction is Direction.OUT]
    return End(
        found=found,
        never_taken_in=len(never),
        alarms_never_taken_in=[one for one in never if one.is_alarm],
        unsaid=sum(each.unsaid for each in diaries),
        alarms=len(alarms),
        untold=told.untold(alarms, book.gone, told.by_now(street), street.told_before),
        looks=looks,
        vouched=watched_clock.vouched(spans, street.sight.all(), lease=LEASE, slack=_ON_ITS_WAY),
        doubled_texts=sum(many - 1 for many in Counter((text.to, text.body) for text in texts).values()),
        texts=len(texts),
    )


def _words(one: Falsehood) -> str:
    return f"{one.home} at {one.at:%H:%M:%S}, dark since {one.dark_since:%H:%M:%S}: {one.said}"
