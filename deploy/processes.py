"""Which processes are there, and when was each last alive?  A table for whoever is at the server."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from deploy.platform import running_database
from ingest import processes
from ingest.db.pool import connect
from ingest.processes import Process

# Three words missed.
_DEAD_AFTER: Final = timedelta(seconds=3 * processes.EVERY_S)


def show(data: Path, environment: Mapping[str, str]) -> None:
    """Print every process that was heard within a week: how it is, since when, and how far it has come."""
    with connect(running_database(environment, data), name="processes") as conn:
        found = processes.list_processes(conn)
    for one in found:
        print(f"{one.process:10} {state_of(one):28} {one.release:10} {one.instance}")
        print(f"{'':10} {', '.join(f'{name} {said}' for name, said in sorted(one.doing.items()) if said is not None)}")
    if not found:
        print("no process was heard within a week")


def state_of(one: Process) -> str:
    """Return how a process is: running, stopped in order, or silent since when."""
    if one.ended_at is not None:
        return f"stopped {one.ended_at:%d.%m. %H:%M:%S} UTC"
    if one.silent_for > _DEAD_AFTER:
        return f"SILENT since {one.heard_at:%d.%m. %H:%M} UTC"
    return f"runs since {one.started_at:%d.%m. %H:%M} UTC"
