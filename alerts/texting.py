"""Do texts leave at all, and if not, why?

Where Twilio refuses us and not a phone, every text waits, and nobody is told anything: that is said at once, on every
page, by the watcher and as a metric.  That it takes no more in this second is said only when it goes on.
"""

import logging
from typing import Final

from alerts import metrics
from alerts.telling.deliver import AccountRefused
from gateway.clock import monotonic_s

log = logging.getLogger(__name__)

# Ours: a busy minute passes, and a text that waits longer is late.
_PASSES_WITHIN_S: Final = 60.0
# Ours: a text that waits is tried once a minute; after longer than that none waits, and nothing says that it is over.
_ASK_AFTER_S: Final = 90.0


class Texting:
    """What Twilio last made of us, as far as this process asked.

    Attributes:
        ask_after_s: real seconds after the last refusal until Twilio is to be asked without a text.
    """

    def __init__(self, *, none_configured: str | None = None) -> None:
        """Believe that texts leave until one is refused.

        Args:
            none_configured: why there is no Twilio, where there is none.
        """
        self._none = none_configured
        self._why: str | None = None
        self._passes = False
        self._since_s = self._last_s = 0.0
        self.ask_after_s = _ASK_AFTER_S
        metrics.NOBODY_TEXTED.set(none_configured is not None)

    @property
    def why_not(self) -> str | None:
        """Why nobody can be texted now, or None while texts leave or none was tried."""
        if self._none is not None:
            return self._none
        is_passing = self._passes and monotonic_s() - self._since_s < _PASSES_WITHIN_S
        return None if is_passing else self._why

    @property
    def is_to_be_asked(self) -> bool:
        """Whether we were refused, and no text has been tried since for so long that none seems to wait."""
        return self._why is not None and monotonic_s() - self._last_s >= self.ask_after_s

    def refused(self, why: AccountRefused) -> None:
        """Note that Twilio refused us; said in the log when it begins."""
        before = self.why_not
        self._last_s = monotonic_s()
        if self._why is None:
            self._since_s = self._last_s
        self._why, self._passes = str(why), why.passes
        now = self.why_not
        if now is not None and before is None:
            log.error("nobody can be texted", extra={"why": now})
        metrics.NOBODY_TEXTED.set(now is not None)

    def went(self) -> None:
        """Note that Twilio took a text, or refused one for what it is: it takes them from us."""
        if self._why is not None and self.why_not is not None:
            log.info("texts leave again")
        self._why = None
        metrics.NOBODY_TEXTED.set(self._none is not None)
