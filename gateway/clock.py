"""What time is it?  The one door to the system's clock, for this and every later stage.

In production it is the system clock in UTC.  For the demo and the tests all processes read one small *clock
file*, so that an hour can pass in a minute and a night can be skipped.  The launcher or a test rewrites it;
nobody else does.  What runs on real time regardless (resends, ticks, keep-alives) uses `monotonic_s`.
"""

import ctypes
import json
import os
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

CLOCK_FILE_VARIABLE = "TELECARE_CLOCK_FILE"


@dataclass(frozen=True, slots=True)
class Anchor:
    """One moment of real time, the simulated moment it stands for, and how fast time passes from there.

    Attributes:
        real: seconds since 1970 by the system clock.
        simulated: seconds since 1970 on the simulated clock at that moment.
        speed: simulated seconds a real second, 0 (standing still) or more.
        stretch: how much later than promised a device may be on this clock without being called silent,
            because a real pause of a few seconds is minutes at a high speed.
    """

    real: float
    simulated: float
    speed: float
    stretch: timedelta

    def at(self, real: float) -> float:
        """Return the simulated time, in seconds since 1970, at a real one.  Never before the anchor."""
        return self.simulated + max(0.0, real - self.real) * self.speed


# At a speed above 1 a hub, ingest or alerts that is busy for this long of real time is not a silence.
# Ours: a process of the demo restarts within about 5 s on two shared cores (2026-11).
_REAL_PAUSE_FORGIVEN = timedelta(seconds=15)


def stretch_at(speed: float) -> timedelta:
    """Return how much the promises' grace is stretched at a speed: nothing at 1 or below."""
    return _REAL_PAUSE_FORGIVEN * speed if speed > 1 else timedelta(0)


def read_anchor(path: Path) -> Anchor:
    """Return what a clock file says.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it is not a clock file.
    """
    try:
        said = json.loads(path.read_text())
        speed = float(said["speed"])
        stretch = timedelta(seconds=float(said.get("stretch_s", stretch_at(speed).total_seconds())))
        return Anchor(float(said["real"]), float(said["simulated"]), speed, stretch)
    except (KeyError, TypeError, json.JSONDecodeError) as why:
        raise ValueError(f"{path} is not a clock file: {why}") from why


def write_anchor(path: Path, anchor: Anchor) -> None:
    """Put a clock file in place, whole or not at all, readable by every process of the run."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    said = {
        "real": anchor.real,
        "simulated": anchor.simulated,
        "speed": anchor.speed,
        "stretch_s": anchor.stretch.total_seconds(),
    }
    beside.write_text(json.dumps(said) + "\n")
    beside.chmod(0o644)
    beside.replace(path)


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment by the three clocks of a process.

    Attributes:
        now: the time, aware and in UTC.
        uptime_ms: the uptime.
        real_s: real seconds since some fixed moment, as `monotonic_s`.
    """

    now: datetime
    uptime_ms: int
    real_s: float


class Clock:
    """The clock of one process: the system's, or the one in a clock file.

    It never runs backwards within a process, whatever the system clock or the file does.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._anchor = Anchor(0.0, 0.0, 1.0, timedelta(0))
        self._seen: tuple[int, int] | None = None
        self._latest = 0.0

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Clock":
        """Return the clock that the environment names, the system's where it names none."""
        named = env.get(CLOCK_FILE_VARIABLE, "")
        return cls(Path(named) if named else None)

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""
        real = time.time()
        self._latest = max(self._latest, self._current().at(real) if self._path else real)
        return datetime.fromtimestamp(self._latest, UTC)

    def uptime_ms(self) -> int:
        """Return milliseconds that have passed on this clock since some fixed moment; never set back.

        In production this is the kernel's CLOCK_BOOTTIME, which a wrong wall clock does not touch.
        """
        if self._path is None:
            return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        return int(self.now().timestamp() * 1000)

    def moment(self) -> Moment:
        """Return this moment by all three clocks."""
        return Moment(self.now(), self.uptime_ms(), monotonic_s())

    def speed(self) -> float:
        """Return how many seconds of this clock pass in a real one; 0 while it stands still."""
        return self._current().speed

    def stretch(self) -> timedelta:
        """Return by how much promises' grace is stretched on this clock."""
        return self._current().stretch

    def is_simulated(self) -> bool:
        """Return whether this clock is a file's and not the system's."""
        return self._path is not None

    def _current(self) -> Anchor:
        if self._path is None:
            return self._anchor
        status = self._path.stat()
        seen = (status.st_mtime_ns, status.st_ino)
        if seen != self._seen:
            self._anchor, self._seen = read_anchor(self._path), seen
        return self._anchor


def monotonic_s() -> float:
    """Return real seconds since some fixed moment, for resends, ticks and keep-alives only."""
    return time.monotonic()


def is_set_by_a_time_server() -> bool | None:
    """Return whether the system clock was set by a time server in this boot; None where nobody can tell.

    systemd-timesyncd leaves a file when it was (systemd-timesyncd.service(8), Files).
    """
    if not Path("/run/systemd/timesync").is_dir():
        return None
    return Path("/run/systemd/timesync/synchronized").exists()


def agrees_with_a_battery(real_s: float, chips: Path = Path("/sys/class/rtc")) -> bool:
    """Return whether a clock of the machine that runs while it is off tells the same time, to the minute.

    Without a battery such a clock begins in 1970 or 2000, whatever the system makes of it afterwards
    (systemd-timesyncd goes on from the last time it knew, which looks right and is not).

    Args:
        real_s: the system's wall clock, seconds since 1970.
        chips: where the kernel shows such clocks (Documentation/ABI/testing/rtc-class).
    """
    for chip in sorted(chips.glob("*/since_epoch")):
        try:
            if abs(int(chip.read_text()) - real_s) < _SAME_MINUTE_S:
                return True
        except (OSError, ValueError):
            continue
    return False


class Assurance:
    """Does anything vouch for the wall clock of this boot?  Looked at now and then until something does."""

    def __init__(
        self,
        clock: Clock,
        *,
        server: Callable[[], bool | None] = is_set_by_a_time_server,
        battery: Callable[[float], bool] = agrees_with_a_battery,
    ) -> None:
        self._server, self._battery = server, battery
        self._said: bool | None = True if clock.is_simulated() else None
        self._look_at_s = float("-inf")

    def is_set(self, *, moment: Moment) -> bool | None:
        """Return whether a time server or a battery vouches for the wall clock; None where nobody can tell."""
        if self._said is not True and moment.real_s >= self._look_at_s:
            self._look_at_s = moment.real_s + _LOOK_AGAIN_S
            by_server = self._server()
            self._said = True if by_server is not True and self._battery(moment.now.timestamp()) else by_server
        return self._said


def kernel_is_synchronised() -> bool | None:
    """Return whether the kernel's clock follows a time server now; None where it may not be asked.

    adjtimex(2) with no modes only reads.  The kernel itself gives up (STA_UNSYNC) once its clock may be off by 16 s.
    """
    said = ctypes.create_string_buffer(_TIMEX_BYTES)
    if ctypes.CDLL(None, use_errno=True).adjtimex(said) < 0:
        return None
    (status,) = struct.unpack_from("@i", said, _TIMEX_STATUS)
    return not status & _STA_UNSYNC


# struct timex of include/uapi/linux/timex.h on 64 bits: modes, then four longs, then the status; 208 bytes in all.
_TIMEX_BYTES = 512
_TIMEX_STATUS = 40
_STA_UNSYNC = 0x0040
_SAME_MINUTE_S = 60
_LOOK_AGAIN_S = 10.0  # A clock chip on a slow bus takes a millisecond to answer.


def kernel_boot_id() -> str:
    """Return the id of this boot of the machine, or an empty text where the kernel names none (proc(5))."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
