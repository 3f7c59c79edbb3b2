"""A second start goes on from where the first stopped."""

from pathlib import Path

from tests.world.whole import Whole, telecare

HOME = "mill-lane-3"


def test_a_second_start_keeps_the_data_and_watches_again(open_folder: Path) -> None:
    """The home's own broker remembers that its equipment went away, and the gateway must start all the same."""
    with telecare(open_folder / "twice") as first:
        see_watched(first)
        first.wanders(HOME)  # At night nobody would move for an hour.
        count = "SELECT count(*) FROM reading WHERE observed_at > '2000-01-01'"
        first.until(lambda: first.value(count) not in {0, None}, what="a first reading")
        stored = first.value(count)
        reached = first.clock.now()
        first.clock.save(at_once=True)

    with telecare(open_folder / "twice") as second:
        assert second.clock.now() >= reached
        see_watched(second)
        kept = second.value("SELECT count(*) FROM reading WHERE observed_at <= %s", reached)
        assert isinstance(stored, int)
        assert isinstance(kept, int)
        assert kept >= stored > 0


def see_watched(whole: Whole) -> None:
    """Wait until the home is watched, and its hub's promise holds."""
    query = "SELECT state = 'watched' AND promised_until > %s FROM home_watch WHERE home = %s"
    whole.until(lambda: whole.value(query, whole.clock.now(), HOME) is True, within_s=90, what="the home being watched")
