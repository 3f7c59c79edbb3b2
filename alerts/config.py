"""What does alerts need to know before it starts?  Read from the environment, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alerts.telling import sms
from gateway import secret
from gateway.health import Address
from gateway.wire import LANES

_HEALTH: Final = "127.0.0.1:8413"


class BadConfig(ValueError):
    """The environment is incomplete or wrong; its one sentence says what whoever runs this must set."""


@dataclass(frozen=True, slots=True)
class Config:
    """How this process is set up.

    Attributes:
        database_url: of an account that may write our tables; holds a password.
        health: where it answers about its health.
        twilio: the door to Twilio; None where none is configured.
        lanes: at most so many lanes are judged here.
        sweep_s: real seconds between two looks at all lanes for what fell due.
    """

    database_url: str
    health: Address
    twilio: sms.Config | None
    lanes: int
    sweep_s: float = 1.0

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config":
        """Return what the environment says.

        Raises:
            BadConfig: something is missing or wrong.
        """
        try:
            env = secret.opened(env)
        except secret.Unreadable as why:
            raise BadConfig(f"{why}.") from None
        database_url = env.get("TELECARE_DATABASE_URL", "")
        if not database_url:
            raise BadConfig("TELECARE_DATABASE_URL must name the database, such as postgresql://user@host/name.")
        try:
            twilio = sms.Config.from_env(env)
            health = Address.parse(env.get("TELECARE_ALERTS_HEALTH") or _HEALTH)
        except ValueError as why:
            raise BadConfig(f"{why}.") from why
        return cls(database_url, health, twilio, _lanes(env.get("TELECARE_LANES", "")), _sweep_s(env))


def _lanes(said: str) -> int:
    if not said:
        return LANES
    if not said.isdecimal() or not 1 <= int(said) <= LANES:
        raise BadConfig(f"TELECARE_LANES must be 1 to {LANES}, not {said!r}.")
    return int(said)


def _sweep_s(env: Mapping[str, str]) -> float:
    said = env.get("TELECARE_ALERTS_SWEEP_S") or "1"
    try:
        seconds = float(said)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= 10:
        raise BadConfig(f"TELECARE_ALERTS_SWEEP_S must be 0.01 to 10 seconds, not {said!r}.")
    return seconds
