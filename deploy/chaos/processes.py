"""What can be done to processes: killed, frozen, doubled; and to the disks that they rest on."""

import os
import shutil
import signal
from collections.abc import Collection
from pathlib import Path
from typing import Final

import psutil

from deploy import admin
from deploy.chaos import told
from deploy.chaos.scene import BACKUP, Kind, Scene, Steps
from deploy.chaos.street import SERVERS, CruelStreet
from deploy.supervise import DidNotStart
from gateway.wire import LANES

# A lane is taken over ten seconds after its owner was last heard (`ingest.lanes.LEASE`), and a claim is looked for
# every tick; a worker of two shared cores takes some seconds to start.
_TAKEN_OVER_WITHIN_S: Final = 60.0

_NOT_ITS_OWN: Final = ("lanes", "judging", "broker")
"""Checks that a worker fails while all lanes are another's; without a lane it does not listen to the broker either."""


def _victims(street: CruelStreet) -> list[str]:
    return [*SERVERS, *(f"gateway {home}" for home in street.homes)]


def _is_killed(scene: Scene) -> Steps:
    process = scene.street.supervisor.process(scene.target)
    if process.poll() is not None:
        return {}  # It is dead already, of something else.
    # Nobody starts it again before somebody looks, so it is surely gone for so long.
    process.kill()
    code = process.wait()
    with scene.dark():
        pass
    restarts = scene.street.supervisor.restarts(scene.target)
    yield from scene.until(lambda: scene.street.supervisor.restarts(scene.target) > restarts)
    return {"pid": process.pid, "ended_with": code} if code == -signal.SIGKILL else {}


def _stays_away(scene: Scene) -> Steps:
    """A part is killed, and nobody starts it again for a while: what a machine does that reboots."""
    process = scene.street.supervisor.process(scene.target)
    if process.poll() is not None:
        return {}  # As above.
    process.kill()
    code = process.wait()
    scene.street.supervisor.hold(scene.target)
    with scene.dark():
        yield from scene.lasts(4.0, 20.0)
    scene.street.supervisor.release(scene.target)
    return {"pid": process.pid, "ended_with": code} if code == -signal.SIGKILL else {}


def _is_frozen(scene: Scene) -> Steps:
    process = scene.street.supervisor.process(scene.target)
    if process.poll() is not None:
        return {}  # As above.
    whole = _with_children(process.pid)
    for pid in whole:
        os.kill(pid, signal.SIGSTOP)
    try:
        with scene.held_up():
            yield from scene.lasts()
            still = [pid for pid in whole if _state(pid) == "T"]
    finally:
        for pid in whole:
            _signal(pid, signal.SIGCONT)
    return {"stopped": len(still), "pid": whole[0]} if whole[0] in still else {}


def _with_children(pid: int) -> list[int]:
    """Return a process and what it started; PostgreSQL's own are many."""
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def _state(pid: int) -> str:
    """Return a process's state as the kernel has it (proc(5)); empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _broker_is_wiped(scene: Scene) -> Steps:
    broker = scene.street.platform.broker
    assert broker is not None
    process = scene.street.supervisor.process("broker")
    process.kill()
    process.wait()
    scene.street.supervisor.hold("broker")
    store = broker.folder / "store"
    gone = sum(one.stat().st_size for one in store.rglob("*") if one.is_file())
    with scene.dark("broker"):
        admin.remove_folder(store)
        yield from scene.lasts(0.1, 4.0)
    scene.street.supervisor.release("broker")
    return {"wiped_bytes": gone} if gone and not (store / "jetstream" / "before").exists() else {}


def back_up(street: CruelStreet) -> Path:
    """Copy the running database, in place of the copy of before, and return where it is."""
    folder = street.asked.data / "backup"
    new = folder.with_name("backup-new")
    admin.remove_folder(new)
    # What is destroyed while it is copied may be in the copy or not; nothing is, since one fault follows another.
    street.server.back_up(new)
    admin.remove_folder(folder)
    shutil.move(new, folder)
    street.cards.is_backed_up()
    return folder


def _database_is_restored(scene: Scene) -> Steps:
    """The database's disk is lost, and an older copy is put in its place."""
    street = scene.street
    before = _rows_stored(street)
    # What a hub has let go of since, for its disk was full, nobody can tell again.
    street.told_before |= {name for name, was_told in told.by_now(street).items() if was_told}
    process = street.supervisor.process("postgres")
    process.kill()
    process.wait()
    street.supervisor.hold("postgres")
    with scene.dark("postgres"):
        street.server.restore(street.asked.data / "backup")
        street.cards.is_put_back()
    street.supervisor.release("postgres")
    after: list[int] = []

    def answers() -> bool:
        after[:] = [found] if (found := _rows_stored(street)) else []
        return bool(after)

    yield from scene.until(answers)
    if not after:
        return {}
    yield from scene.lasts(0.0, 6.0)
    back_up(street)
    return {"rows_before": before, "rows_after": after[0]} if after[0] < before else {}


def _rows_stored(street: CruelStreet) -> int:
    found = street.rows("SELECT count(*) FROM stored_log WHERE received_at > '2026-01-01'")
    return int(found[0][0]) if found else 0


def _second_worker(scene: Scene) -> Steps:
    """The worker is frozen until another has taken its lanes; then both believe that they are theirs."""
    street, name = scene.street, f"second {scene.target}"
    if name not in street.supervisor.names():
        extra = {**street.twilio.environment()} if scene.target == "alerts" else {}
        # One without a lane is not ready, and that is what it is to be until the first is frozen.
        part = street.platform.process(name, scene.target, extra, but_for=_NOT_ITS_OWN)
        street.beside.add(name)
        try:
            street.supervisor.start(part)
        except DidNotStart:
            street.supervisor.hold(name)
            return {}
    else:
        street.supervisor.release(name)
        yield from scene.until(lambda: street.supervisor.is_ready(name))
    table = "lane" if scene.target == "ingest" else "judging_lane"
    pid = street.supervisor.process(scene.target).pid
    # It has lanes of its own by and by; what the first has left is taken only when that is frozen.
    before = _owned(street, table, pid)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield from scene.until(lambda: not _owned(street, table, pid), within_s=_TAKEN_OVER_WITHIN_S)
        taken_over = before - _owned(street, table, pid)
    finally:
        os.kill(pid, signal.SIGCONT)
    yield from scene.lasts(2.0, 8.0)
    street.supervisor.hold(name)
    return {"lanes": taken_over, "pid": pid} if taken_over > 0 else {}


def _owned(street: CruelStreet, table: str, pid: int) -> int:
    """Return how many lanes a process owns by the table; its number is in its name (`ingest.lanes.new_owner`)."""
    query = f"SELECT count(*) FROM {table} WHERE owner LIKE %s"  # noqa: S608 - one of two names of ours
    found = street.rows(query, f"%-{pid}-%")
    return int(found[0][0]) if found else LANES


def _all(_: CruelStreet) -> Collection[str]:
    return ("all",)


KINDS: Final = (
    Kind("killed", _victims, _is_killed, 3.0),
    Kind("killed and away", _victims, _stays_away, 2.0),
    Kind("frozen", _victims, _is_frozen, 3.0),
    Kind("broker wiped", _all, _broker_is_wiped, takes=lambda _: ("broker",)),
    Kind("database restored", _all, _database_is_restored, takes=lambda _: ("postgres", BACKUP)),
    # The second one has to start, and both need the database for the one to take from the other.  It has lines of its
    # own, so a home is not dark while one of the first's is cut.
    Kind(
        *("two workers", lambda _: ("ingest", "alerts"), _second_worker, 0.7),
        takes=lambda of: (of, "second", "postgres", f"{of} to database", f"{of} to broker"),
    ),
)
