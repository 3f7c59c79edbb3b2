"""What can be done to disks: fill a hub's, and the database's.  As root, for a small disk has to be mounted."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from deploy import admin
from deploy.chaos.scene import BACKUP, Kind, Scene, Steps, of_the_hub
from deploy.chaos.street import CruelStreet

_CONFIGURATION: Final = "gateway.toml"
_HUBS_BYTES: Final = 6_000_000
_DATABASES_BYTES: Final = 100_000_000
"""So much more than what is on it a small disk has, until it is filled: a start of PostgreSQL writes, too."""

_FILLED: Final = "filled"
_FULL: Final = b"No space left on device"


def _homes(street: CruelStreet) -> Collection[str]:
    return list(street.homes)


def _postgres(_: CruelStreet) -> Collection[str]:
    return ("postgres",)


def _hubs_disk_is_full(scene: Scene) -> Steps:
    """The hub's disk is a small one, and something else fills it."""
    street, home = scene.street, scene.target
    part, card = f"gateway {home}", street.card(home)
    disk = street.asked.data / "homes" / home / "disk"
    disk.mkdir(exist_ok=True)
    size = _HUBS_BYTES + sum(file.stat().st_size for file in card.parent.glob(f"{card.name}*"))
    if not _mounted(disk, f"size={size}"):
        return {}
    try:
        street.supervisor.hold(part)
        street.read_card(home)
        _move_card(card, disk)
        _tell_where(card, disk / card.name)
        street.supervisor.release(part)
        yield from scene.until(lambda: street.supervisor.is_ready(part), within_s=30.0)
        since = street.clock.now()
        full = _fill(disk / _FILLED)
        street.order(home, "press")
        for _ in range(scene.chance.randrange(6, 15)):
            # What is let go must have been seen before: it may be stored all the same.
            street.cards.read(home, street.homes[home].hub, disk / card.name)
            yield from scene.lasts(1.0, 1.0)
        (disk / _FILLED).unlink()
        # What it could keep in its memory alone would go with it; a disk that has room again starts no hub anew.
        yield from scene.until(lambda: _holds_no_alarm(street, home), within_s=90.0)
        street.supervisor.hold(part)
        street.cards.had_no_card(street.homes[home].hub, since, street.clock.now())
        _move_card(disk / card.name, card.parent)
    finally:
        _tell_where(disk / card.name, card)
        street.supervisor.release(part)
        _unmount(disk)
    return {"disk_filled_bytes": full} if full else {}


def _databases_disk_is_full(scene: Scene) -> Steps:
    """The server's own disk is a small one, and something else fills it while everything is written to it."""
    street, log = scene.street, scene.street.server.log
    with _small_disk(street) as disk:
        if disk is None:
            return {}
        yield from scene.until(lambda: street.supervisor.is_ready("postgres"))
        before = _said_full(log)
        full = _fill(disk / _FILLED)
        yield from scene.until(lambda: _said_full(log) > before, within_s=20.0)
        yield from scene.lasts(4.0, 12.0)
        refused = _said_full(log) - before
    yield from scene.until(lambda: street.supervisor.is_ready("postgres"))
    return {"disk_filled_bytes": full, "refused_for_space": refused} if full and refused > 0 else {}


@contextlib.contextmanager
def _small_disk(street: CruelStreet) -> Iterator[Path | None]:
    """Give the database a small disk of its own until the block ends; None where we may not."""
    cluster = street.server.cluster
    beside = cluster.with_name("cluster-beside")
    street.supervisor.hold("postgres")
    of = cluster.stat()
    size = _DATABASES_BYTES + sum(file.stat().st_size for file in cluster.rglob("*") if file.is_file())
    cluster.rename(beside)
    cluster.mkdir(mode=0o700)
    is_mounted = _mounted(cluster, f"size={size},mode=0700,uid={of.st_uid},gid={of.st_gid}")
    try:
        if is_mounted:
            _copy(beside, cluster)
            street.supervisor.release("postgres")
        yield cluster if is_mounted else None
        # First the space, so that it can end in order; what it could not write it must not have promised.
        (cluster / _FILLED).unlink(missing_ok=True)
        street.supervisor.hold("postgres")
        if is_mounted:
            admin.remove_folder(beside)
            _copy(cluster, beside)
    finally:
        if is_mounted:
            _unmount(cluster)
        cluster.rmdir()
        beside.rename(cluster)
        street.supervisor.release("postgres")


def _holds_no_alarm(street: CruelStreet, home: str) -> bool:
    """Return whether a hub knows of every alarm that it is stored; not while it does not answer."""
    address = street.platform.kept.said(f"health address gateway {home}")
    try:
        with urllib.request.urlopen(f"http://{address}/ready", timeout=2) as answer:
            said = json.load(answer)
    except urllib.error.HTTPError as not_ready:
        said = json.load(not_ready)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return bool(said["held_alarms"] == 0)


def may_be_filled() -> bool:
    """Return whether a disk can be filled here: a small one has to be mounted, and that needs root."""
    with tempfile.TemporaryDirectory() as folder:
        if not _mounted(Path(folder), "size=4096"):
            return False
        _unmount(Path(folder))
        return True


def _mounted(folder: Path, options: str) -> bool:
    """Mount a small disk of its own; return whether we may, for that needs root."""
    command = ["/bin/mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - our own folder


def _unmount(folder: Path) -> None:
    subprocess.run(["/bin/umount", "-l", str(folder)], check=False)  # noqa: S603 - as above


def _copy(folder: Path, to: Path) -> None:
    """Copy all of a folder, with its owners, into another one."""
    to.mkdir(exist_ok=True)
    subprocess.run(["/bin/cp", "-a", f"{folder}/.", str(to)], check=True)  # noqa: S603 - as above


def _said_full(log: Path) -> int:
    """Return how often PostgreSQL has said that there is no space."""
    return log.read_bytes().count(_FULL) if log.exists() else 0


def _move_card(card: Path, folder: Path) -> None:
    for file in card.parent.glob(f"{card.name}*"):
        shutil.copy2(file, folder / file.name)
        file.unlink()


def _tell_where(before: Path, now: Path) -> None:
    """Have a hub's configuration name another place of its outbox."""
    file = next(folder for folder in before.parents if (folder / _CONFIGURATION).exists()) / _CONFIGURATION
    admin.write_secretly(file, file.read_text().replace(json.dumps(str(before)), json.dumps(str(now))))


def _fill(file: Path) -> int:
    """Write until there is no space, and return how much that was; 0 if there was always some left."""
    written, piece = 0, os.urandom(4096)
    try:
        with file.open("wb", buffering=0) as out:
            while written < 2 * _DATABASES_BYTES:
                written += out.write(piece)
    except OSError:
        return written
    return 0


KINDS: Final = (
    Kind("hub's disk full", _homes, _hubs_disk_is_full, takes=lambda home: (*of_the_hub(home), BACKUP)),
    Kind(
        "database's disk full", lambda _: ("postgres",), _databases_disk_is_full, takes=lambda _: ("postgres", BACKUP)
    ),
)
