"""Which backups are kept, and how damage is noticed."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage.x25519 import Identity

from deploy.backup import sealed, shelf
from deploy.backup.problems import Damaged
from deploy.embedded.machine import Missing

MOMENTS = st.sets(
    st.integers(0, 430 * 24 * 3600).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
    max_size=60,
)


@given(MOMENTS, st.integers(1, 10), st.integers(0, 8))
def test_the_newest_is_always_kept_and_no_more_than_was_asked_for(
    moments: set[datetime], days: int, weeks: int
) -> None:
    """A disk that fills up stops the next backup; a shelf without the newest is no shelf."""
    kept = moments - shelf.may_go(moments, days=days, weeks=weeks)

    assert len(kept) <= days + weeks
    assert not moments or max(moments) in kept


@given(MOMENTS, st.integers(1, 10), st.integers(0, 8))
def test_each_of_the_last_days_and_weeks_keeps_its_newest(moments: set[datetime], days: int, weeks: int) -> None:
    """Who finds a mistake on Friday wants Thursday; who finds it in a month wants any week before it."""
    kept = moments - shelf.may_go(moments, days=days, weeks=weeks)

    by_day = {at.date().isoformat(): at for at in sorted(moments)}
    by_week = {at.strftime("%G-%V"): at for at in sorted(moments)}
    for newest, most in ((by_day, days), (by_week, weeks)):
        assert {newest[one] for one in sorted(newest)[len(newest) - min(most, len(newest)) :]} <= kept


@given(MOMENTS, st.integers(1, 10), st.integers(0, 8))
def test_letting_go_twice_lets_go_of_no_more(moments: set[datetime], days: int, weeks: int) -> None:
    """It is done after every backup; a rule that eats its own rest would leave one in the end."""
    kept = moments - shelf.may_go(moments, days=days, weeks=weeks)

    assert shelf.may_go(kept, days=days, weeks=weeks) == set()


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year >= 2000))
def test_a_backups_name_says_its_moment(moment: datetime) -> None:
    """At three in the morning the folder's name is what one has."""
    assert shelf.moment_of(shelf.name_of(moment)) == moment.replace(microsecond=0)


@given(st.binary(max_size=200_000))
def test_what_was_encrypted_comes_back(said: bytes) -> None:
    """Byte for byte, also where a piece of 64 KiB ends."""
    secret, public = sealed.new_key()
    hidden, clear = io.BytesIO(), io.BytesIO()

    sealed.seal(io.BytesIO(said), hidden, sealed.recipients(public))
    sealed.unseal(io.BytesIO(hidden.getvalue()), clear, Identity.from_str(secret))

    assert clear.getvalue() == said
    assert len(said) < 16 or said not in hidden.getvalue()


@given(st.binary(min_size=1, max_size=100_000), st.data())
def test_one_wrong_bit_or_a_lost_end_is_noticed(said: bytes, data: st.DataObject) -> None:
    """A backup that restores something else than what was there is worse than none."""
    secret, public = sealed.new_key()
    hidden = io.BytesIO()
    sealed.seal(io.BytesIO(said), hidden, sealed.recipients(public))
    wrong = bytearray(hidden.getvalue())
    # Its header has a random length.
    at = data.draw(st.integers(0, 1 << 20)) % len(wrong)
    if data.draw(st.booleans()):
        wrong[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del wrong[at:]

    with pytest.raises((Damaged, Missing)):
        sealed.unseal(io.BytesIO(bytes(wrong)), io.BytesIO(), Identity.from_str(secret))


def test_another_key_opens_nothing() -> None:
    """Which key is meant is the first thing one gets wrong; it must not look like damage."""
    hidden = io.BytesIO()
    sealed.seal(io.BytesIO(b"said"), hidden, sealed.recipients(sealed.new_key()[1]))

    with pytest.raises(Missing, match="opens other backups"):
        sealed.unseal(io.BytesIO(hidden.getvalue()), io.BytesIO(), Identity.from_str(sealed.new_key()[0]))


def test_a_secret_key_is_not_taken_for_a_public_one() -> None:
    """It would lie in the environment of the very server that must not have it."""
    with pytest.raises(Missing, match="holds a secret key"):
        sealed.recipients(sealed.new_key()[0])


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    """Every backup made for the old one would be lost at that moment."""
    path = tmp_path / "key"
    sealed.write_key(path)

    with pytest.raises(FileExistsError):
        sealed.write_key(path)
    assert path.stat().st_mode & 0o777 == 0o600


def _backup(place: Path, moment: datetime) -> shelf.Backup:
    with shelf.in_the_making(place, moment) as folder:
        (folder / shelf.DATABASE).write_bytes(b"said")
        sums = {shelf.DATABASE: shelf.Part(*shelf._size_and_sum(folder / shelf.DATABASE))}
        said = shelf.Manifest(moment, None, "1", 1, 16, "2", "telecare", [], {"home": 2}, sums, ["age1"])
        shelf.write_manifest(folder, said)
    return shelf.read(place / shelf.name_of(moment))


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_nothing_is_written_over_a_backup(tmp_path: Path) -> None:
    """A second one of the same second would take the first one's place, whole or not."""
    _backup(tmp_path, NOON)

    with pytest.raises(Missing, match="nothing is ever written over"), shelf.in_the_making(tmp_path, NOON):
        pass


def test_what_was_not_finished_is_no_backup_and_is_cleared_away(tmp_path: Path) -> None:
    """A power cut in the middle must not leave what looks like one, nor fill the disk."""
    with pytest.raises(ZeroDivisionError), shelf.in_the_making(tmp_path, NOON):
        1 / 0  # noqa: B018
    (tmp_path / ".making-old").mkdir()

    _backup(tmp_path, NOON + timedelta(hours=1))

    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [shelf.name_of(NOON + timedelta(hours=1))]


def test_a_part_that_changed_on_the_disk_is_named(tmp_path: Path) -> None:
    """Disks rot; whoever restores must hear of it before, not after."""
    backup = _backup(tmp_path, NOON)
    shelf.require_whole(backup)
    (backup.folder / shelf.DATABASE).write_bytes(b"sand")

    with pytest.raises(Damaged, match=r"database\.age is not what was written"):
        shelf.require_whole(backup)


def test_a_description_that_cannot_be_read_hides_no_other_backup(tmp_path: Path) -> None:
    """One rotten file must not make a restore impossible."""
    _backup(tmp_path, NOON)
    _backup(tmp_path, NOON + timedelta(hours=1))
    (tmp_path / shelf.name_of(NOON) / shelf.MANIFEST).write_text(json.dumps({"form": 1}))

    assert [backup.manifest.made_at for backup in shelf.listed(tmp_path)] == [NOON + timedelta(hours=1)]
    with pytest.raises(Damaged):
        shelf.read(tmp_path / shelf.name_of(NOON))


def test_old_backups_are_let_go_and_rubbish_is_left_alone(tmp_path: Path) -> None:
    """What is no backup of ours is somebody's, and not ours to remove."""
    for hours in range(4):
        _backup(tmp_path, NOON + timedelta(hours=hours))
    (tmp_path / "notes").mkdir()

    gone = shelf.let_go(tmp_path, days=2, weeks=0)

    assert gone == [shelf.name_of(NOON + timedelta(hours=hours)) for hours in range(3)]
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
        "notes",
        shelf.name_of(NOON + timedelta(hours=3)),
    }
