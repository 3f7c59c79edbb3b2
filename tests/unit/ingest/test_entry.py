"""Can what stands in the log be read, and is it known why if not?"""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.entry import Heard, NewerRelease, pack, unpack

BEAT = Heard("rose-cottage", "hub-1", 0, 0)


def test_a_field_that_a_newer_release_added_is_passed_over() -> None:
    """Both releases are at work during an upgrade; a field more is no reason to stand still."""
    (said,) = msgspec.msgpack.decode(pack([BEAT]))

    assert unpack(msgspec.msgpack.encode([[*said, "of the next release"]])) == (BEAT,)


@given(st.text(min_size=1).filter(lambda kind: kind not in set("rahltdk")))
def test_a_kind_that_a_newer_release_added_is_known_as_such(kind: str) -> None:
    """Who reads this in the log upgrades; who reads `damaged` would look for a broken disk."""
    (said,) = msgspec.msgpack.decode(pack([BEAT]))

    with pytest.raises(NewerRelease, match="newer release"):
        unpack(msgspec.msgpack.encode([said, [kind, 1, None]]))


@given(st.lists(st.text(max_size=40).filter(lambda kind: kind not in set("rahltdk")), min_size=1, max_size=3))
def test_beside_what_a_newer_release_added_the_rest_can_be_read(kinds: list[str]) -> None:
    """A press must be told, and a home remembered, whatever a newer release has written beside it."""
    (said,) = msgspec.msgpack.decode(pack([BEAT]))
    packed = msgspec.msgpack.encode([*([kind, 1, None] for kind in kinds), said])

    assert unpack(packed, skip_newer=True) == (BEAT,)


@given(st.binary())
def test_what_is_damaged_is_no_newer_release(packed: bytes) -> None:
    """Damage says nothing of what a later release knows, unless it happens to look exactly so."""
    try:
        unpack(packed)
    except NewerRelease:
        assert any(isinstance(one[0], str) for one in msgspec.msgpack.decode(packed))
    except ValueError as why:
        assert "cannot be read" in str(why)
