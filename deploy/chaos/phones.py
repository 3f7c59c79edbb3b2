"""What can Twilio do to us: be down, slow, refuse, fail each way, call back late, twice, out of order, or never?"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Final

from deploy.chaos.scene import Kind, Scene, Steps
from deploy.chaos.street import CruelStreet
from deploy.pretend_twilio import ANY, Calls, Direction, PretendTwilio

_MANY: Final = 1000
"""More than are texted while it lasts; what is left over is forgotten."""

_Way = Callable[[PretendTwilio], object]

_REQUESTS: Final[dict[str, _Way]] = {
    "down": lambda twilio: twilio.drop_before_taking(ANY, times=_MANY),
    "takes and does not answer": lambda twilio: twilio.drop_after_taking(ANY, times=_MANY),
    "slow": lambda twilio: twilio.slow(ANY, 3.0, times=_MANY),
    "too slow": lambda twilio: twilio.slow(ANY, 20.0, times=_MANY),
    "429": lambda twilio: twilio.fail_create(ANY, status=429, times=_MANY),
    "500": lambda twilio: twilio.fail_create(ANY, status=500, times=_MANY),
    "503": lambda twilio: twilio.fail_create(ANY, status=503, times=_MANY),
    "401": lambda twilio: twilio.fail_create(ANY, status=401, times=_MANY),
    "63038": lambda twilio: twilio.fail_create(ANY, code=63038, times=_MANY),
    "21610": lambda twilio: twilio.fail_create(ANY, code=21610, times=_MANY),
    "21614": lambda twilio: twilio.fail_create(ANY, code=21614, times=_MANY),
}
"""What becomes of the request itself."""


def _do_not_arrive(code: int, twilio: PretendTwilio) -> None:
    twilio.undelivered(ANY, code)


_TEXTS: Final[dict[str, _Way]] = {
    **{f"undelivered {code}": partial(_do_not_arrive, code) for code in (30003, 30005, 30007)},
    "failed 30001": lambda twilio: twilio.failed(ANY),
    "calls back late": lambda twilio: twilio.report(ANY, Calls.IN_ORDER, late_s=8.0),
    "calls back twice": lambda twilio: twilio.report(ANY, Calls.TWICE),
    "calls back out of order": lambda twilio: twilio.report(ANY, Calls.OUT_OF_ORDER),
    "never calls back": lambda twilio: twilio.never_call_back(ANY),
}
"""What becomes of a text that was taken."""


def _ways(_: CruelStreet) -> Collection[str]:
    return [*_REQUESTS, *_TEXTS]


def _twilio_fails(scene: Scene) -> Steps:
    """Twilio does it to every phone, while somebody presses; it bit if a request or a text met it."""
    street, way = scene.street, scene.target
    twilio = street.twilio_server
    before = _met(twilio, way)
    (_REQUESTS | _TEXTS)[way](twilio)
    left = twilio.left_over(ANY)
    for home in scene.chance.sample(sorted(street.homes), k=min(2, len(street.homes))):
        street.order(home, "press")
    yield from scene.lasts(5.0, 14.0)
    met = left - twilio.left_over(ANY) if way in _REQUESTS else _met(twilio, way) - before
    twilio.be_well(ANY)
    return {"met": met} if met > 0 else {}


def _met(twilio: PretendTwilio, way: str) -> int:
    return 0 if way in _REQUESTS else sum(text.direction is Direction.OUT for text in twilio.ledger.all())


KINDS: Final = (Kind("twilio", _ways, _twilio_fails, 4.0, lambda _: ("twilio",)),)
