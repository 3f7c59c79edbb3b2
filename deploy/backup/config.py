"""Where do backups go, how often, for whose key, and how many are kept?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from pyrage.x25519 import Recipient

from deploy.backup import sealed
from deploy.embedded.machine import Missing
from gateway.health import Address

DEFAULT_HEALTH: Final = "127.0.0.1:8451"

NO_RECIPIENT: Final = (
    "Nobody could open a backup: make a key with `telecare backup key --out FILE`, keep the file away from this "
    "server, and set TELECARE_BACKUP_RECIPIENT to what it prints."
)

# Ours.  Hubs hold their readings for 30 days; what an operator wrote since the last backup is written again by hand.
_EVERY_H: Final = "6"
_KEEP_DAYS: Final = "7"
_KEEP_WEEKS: Final = "5"


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that backups can be told.

    Attributes:
        shelf: the folder of all backups; on another disk, or it is lost with the first.
        to: whose secret keys open them.
        every: from one to the next.
        keep_days: of how many days the newest is kept.
        keep_weeks: of how many weeks the newest is kept.
        also: files and folders that cannot be had again either.
        has_log: whether the embedded database's write-ahead log is kept as well, for any moment in between.
    """

    shelf: Path
    to: Sequence[Recipient]
    every: timedelta
    keep_days: int
    keep_weeks: int
    also: Sequence[Path]
    has_log: bool

    @classmethod
    def from_env(cls, env: Mapping[str, str], data: Path) -> "Config":
        """Return what an environment says.

        Args:
            env: what was set.
            data: the folder of everything that is kept; backups go into its `backups` unless told otherwise.

        Raises:
            Missing: something is wrong, in one sentence.
        """
        found = cls(
            shelf=shelf_of(env, data),
            to=sealed.recipients(env.get("TELECARE_BACKUP_RECIPIENT", "")),
            every=_parsed(env, "TELECARE_BACKUP_EVERY_H", _EVERY_H, _hours),
            keep_days=_parsed(env, "TELECARE_BACKUP_KEEP_DAYS", _KEEP_DAYS, _from(1)),
            keep_weeks=_parsed(env, "TELECARE_BACKUP_KEEP_WEEKS", _KEEP_WEEKS, _from(0)),
            has_log=_parsed(env, "TELECARE_BACKUP_WAL", "off", _on_or_off),
            also=[Path(one) for one in env.get("TELECARE_BACKUP_ALSO", "").split(":") if one],
        )
        if found.has_log:
            # Nobody would take the log away, and it would fill the disk.
            found.require_recipient()
        return found

    def require_recipient(self) -> None:
        """See that there is somebody who could open a backup.

        Raises:
            Missing: nobody could.
        """
        if not self.to:
            raise Missing(NO_RECIPIENT)


def shelf_of(env: Mapping[str, str], data: Path) -> Path:
    """Return the folder of all backups."""
    said = env.get("TELECARE_BACKUP_FOLDER")
    return Path(said).absolute() if said else data / "backups"


def health_of(env: Mapping[str, str]) -> Address:
    """Return where the process that makes backups answers about its health.

    Raises:
        Missing: it is no address.
    """
    return _parsed(env, "TELECARE_BACKUP_HEALTH", DEFAULT_HEALTH, Address.parse)


_T = TypeVar("_T")


def _parsed(env: Mapping[str, str], name: str, default: str, parse: Callable[[str], _T]) -> _T:
    try:
        return parse(env.get(name) or default)
    except ValueError as why:
        raise Missing(f"{name} cannot be used: {why}.") from why


def _hours(said: str) -> timedelta:
    hours = float(said)
    if not 0.1 <= hours <= 168:
        raise ValueError(f"{said} is not from 0.1 to 168 hours")
    return timedelta(hours=hours)


def _on_or_off(said: str) -> bool:
    if said not in {"on", "off"}:
        raise ValueError(f"{said!r} is neither on nor off")
    return said == "on"


def _from(least: int) -> Callable[[str], int]:
    def parse(said: str) -> int:
        number = int(said)
        if not least <= number <= 1000:
            raise ValueError(f"{said} is not from {least} to 1000")
        return number

    return parse
