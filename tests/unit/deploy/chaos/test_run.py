"""What may befall the street on this machine?"""

import pytest

from deploy.chaos.run import KINDS, _possible
from deploy.embedded.machine import Missing
from deploy.said import Say


def test_only_what_is_asked_for_befalls_the_street_and_nothing_is_no_run() -> None:
    """A run of no kind would go on for ever, and call nothing that happened clean."""
    assert _possible(["killed", "line cut"], Say()) == ("killed", "line cut")
    assert {"killed", "twilio"} <= {*_possible([], Say())} <= {kind.name for kind in KINDS}
    with pytest.raises(Missing, match="killed and away"):
        _possible(["kiled"], Say())
