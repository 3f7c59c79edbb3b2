"""Where does the pretend Twilio listen?  Its behaviour on a loopback port, for as long as it is needed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.pretend_twilio.behaviour import Account, Behaviour
from deploy.pretend_twilio.http import Door


class PretendTwilio(Behaviour):
    """Twilio on a loopback port.

    Args:
        now: the time on the clock that texts carry.
        account: whose it is; one of its own unless told.
        webhook: where texts from phones are posted; may be set later.
        phones: who has which number, for the page.
        port: 0 for any that is free.
        state: a file that keeps the texts from one start to the next.
        pace_s: real seconds between two states of a text.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        account: Account | None = None,
        webhook: str = "",
        phones: Mapping[str, str] | None = None,
        port: int = 0,
        state: Path | None = None,
        pace_s: float = 0.02,
    ) -> None:
        super().__init__(now=now, account=account, webhook=webhook, phones=phones, state=state, pace_s=pace_s)
        self._door = Door(self, port)

    @property
    def base_url(self) -> str:
        """Where it listens: what stands in for https://api.twilio.com."""
        return f"http://127.0.0.1:{self._door.port}"

    def start(self) -> None:
        """Begin to answer, in a thread."""
        self._door.start()

    def stop(self) -> None:
        """Stop answering; texts on their way go no further."""
        self._door.stop()
        super().stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
