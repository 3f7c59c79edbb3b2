"""How does the embedded database go back to any moment, not only to those of which there is a backup?

With TELECARE_BACKUP_WAL=on the server lays each piece of its write-ahead log, at the latest after a minute, into a
folder; from there it is packed, encrypted and put beside the backups, each of which then holds the server's own files
as well.  A restore to a moment lays such files out and has PostgreSQL go on from there along the log, to the moment.
"""

import gzip
import os
import pwd
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import psycopg
from pyrage.x25519 import Identity, Recipient

from deploy.backup import sealed, shelf
from deploy.backup.shelf import Backup
from deploy.embedded import machine
from deploy.embedded.machine import Missing
from deploy.embedded.postgres import Server

FOLDER: Final = "log"
"""In the folder of all backups; in it one folder for each server that ever was, by its own number."""

# A segment, a timeline's history, or the label of a backup.  Source: PostgreSQL 16, src/include/access/xlog_internal.h.
_PIECE: Final = re.compile(r"[0-9A-F]{24}(\.[0-9A-F]{8}\.backup)?|[0-9A-F]{8}\.history")
_RECOVERED_WITHIN_S: Final = 3600.0


def take_over(spool: Path, place: Path, number: str, to: Sequence[Recipient]) -> int:
    """Pack and encrypt what the server has laid out, put it beside the backups, and return how many pieces there were.

    A piece is removed from the spool only when its copy is on the disk.

    Raises:
        OSError: it could not be written; it is tried again.
    """
    folder = place / FOLDER / number
    pieces = sorted(path for path in spool.iterdir() if _PIECE.fullmatch(path.name)) if spool.is_dir() else []
    for piece in pieces:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _seal_packed(piece, folder / f"{piece.name}.age", to)
        piece.unlink()
    if pieces:
        shelf.onto_the_disk(folder)
    return len(pieces)


def _seal_packed(piece: Path, place: Path, to: Sequence[Recipient]) -> None:
    new = place.with_suffix(".new")
    with tempfile.TemporaryFile(dir=place.parent) as packed, new.open("wb") as out:
        with piece.open("rb") as source, gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=3) as squeezed:
            shutil.copyfileobj(source, squeezed)
        packed.seek(0)
        sealed.seal(packed, out, to)
        out.flush()
        os.fsync(out.fileno())
    new.rename(place)


def forget_before(place: Path, oldest: Backup | None) -> None:
    """Remove the pieces of the log that no backup needs which is kept: those before the oldest one's first."""
    if oldest is None or not oldest.manifest.log_from:
        return
    folder = place / FOLDER / oldest.manifest.server
    for path in folder.glob("*.age"):
        # Names count up, timeline first; the small files that say where timelines part are kept.
        if ".history" not in path.name and path.name[:24] < oldest.manifest.log_from:
            path.unlink()


def chosen(place: Path, until: datetime | None) -> Backup:
    """Return the newest backup with the server's own files from which the log leads to a moment, None being its end.

    Raises:
        Missing: there is none.
    """
    fit = [
        backup
        for backup in shelf.listed(place)
        if shelf.CLUSTER in backup.manifest.parts and (until is None or backup.manifest.made_at <= until)
    ]
    if not fit:
        raise Missing(f"No backup in {place} leads to that moment; TELECARE_BACKUP_WAL was not on then.")
    return fit[-1]


def recover(server: Server, backup: Backup, key: Identity, until: datetime | None, *, now: datetime) -> Path | None:
    """Put a stopped server back to a moment and start it; return where its files from before are kept, if any were.

    Args:
        server: stopped.
        backup: from `chosen`.
        key: that opens it.
        until: the last moment that is wanted; None is as far as the log goes.
        now: by the system's clock.

    Raises:
        Damaged: a part is not what was written.
        Missing: the log does not reach to the moment, or has a hole; the server is as it was.
    """
    server.clear_after_kill()
    account = machine.account_for(server.cluster)
    machine.make_folder(server.folder, account, mode=0o711 if account else 0o700)
    scratch = Path(tempfile.mkdtemp(dir=server.folder, prefix="moment-"))
    machine.make_folder(scratch, account)
    aside = server.cluster.with_name(f"cluster-before-{now:%Y%m%d-%H%M%S}") if server.cluster.exists() else None
    try:
        _lay_cluster(backup, key, scratch / "cluster")
        log = _lay_log(backup, key, scratch / "log")
        _tell_where_to_stop(scratch / "cluster", log, until)
        _give_to(scratch, account)
        if aside is not None:
            server.cluster.rename(aside)
        (scratch / "cluster").rename(server.cluster)
        try:
            _go_there(server)
        except Missing:
            server.stop()
            shutil.rmtree(server.cluster)
            if aside is not None:
                aside.rename(server.cluster)
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return aside


def _lay_cluster(backup: Backup, key: Identity, to: Path) -> None:
    to.mkdir(mode=0o700)
    with tempfile.TemporaryFile(dir=to.parent) as clear, (backup.folder / shelf.CLUSTER).open("rb") as source:
        sealed.unseal(source, clear, key)
        clear.seek(0)
        with tarfile.open(fileobj=clear, mode="r:gz") as packed:
            # Debian 12's Python is older than filters (3.11.4); only who has our public key could have made this.
            packed.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            packed.extractall(to)  # noqa: S202 - filtered, and authenticated
    # What a filter takes off, PostgreSQL wants: nobody else may enter.
    to.chmod(0o700)


def _lay_log(backup: Backup, key: Identity, to: Path) -> Path:
    """Lay out the pieces of the log from the backup's first one on."""
    to.mkdir(mode=0o700)
    folder = backup.folder.parent / FOLDER / backup.manifest.server
    for path in sorted(folder.glob("*.age")):
        name = path.name.removesuffix(".age")
        if name.endswith(".history") or name >= backup.manifest.log_from:
            _open_packed(path, to / name, key)
    return to


def _open_packed(path: Path, to: Path, key: Identity) -> None:
    with tempfile.TemporaryFile(dir=to.parent) as packed, path.open("rb") as source, to.open("xb") as out:
        sealed.unseal(source, packed, key)
        packed.seek(0)
        with gzip.GzipFile(fileobj=packed, mode="rb") as clear:
            shutil.copyfileobj(clear, out)


def _tell_where_to_stop(cluster: Path, log: Path, until: datetime | None) -> None:
    told = [f'restore_command = \'cp "{log}/%f" "%p"\'', "recovery_target_action = 'promote'"]
    told += [f"recovery_target_time = '{until.isoformat()}'"] if until else []
    with (cluster / "postgresql.auto.conf").open("a") as settings:
        settings.write("\n".join(told) + "\n")
    (cluster / "recovery.signal").touch()


def _forget_where_to_stop(cluster: Path) -> None:
    settings = cluster / "postgresql.auto.conf"
    kept = [
        line
        for line in settings.read_text().splitlines()
        if not line.startswith(("restore_command", "recovery_target"))
    ]
    settings.write_text("\n".join(kept) + "\n")


def _give_to(folder: Path, account: pwd.struct_passwd | None) -> None:
    if account is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _go_there(server: Server) -> None:
    try:
        server.start()
    except Missing as why:
        raise Missing(_why_not(server)) from why
    deadline_s = time.monotonic() + _RECOVERED_WITHIN_S
    while not _is_there(server):
        if server.process is None or server.process.poll() is not None:
            raise Missing(_why_not(server))
        if time.monotonic() > deadline_s:
            raise Missing("The database did not come to that moment within an hour.")
        time.sleep(0.1)
    _forget_where_to_stop(server.cluster)


def _why_not(server: Server) -> str:
    said = [line for line in server.log.read_text(errors="replace").splitlines() if "FATAL" in line]
    return f"The log does not lead to that moment ({said[-1] if said else 'it said nothing'}); nothing was changed."


def _is_there(server: Server) -> bool:
    with suppress(psycopg.OperationalError), psycopg.connect(server.dsn("postgres"), connect_timeout=2) as conn:
        row = conn.execute("SELECT NOT pg_is_in_recovery()").fetchone()
        return row is not None and bool(row[0])
    return False
