"""What does whoever runs the platform do about backups by hand: make one, look at them, try one, restore one?"""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psycopg
from pyrage.x25519 import Identity

from deploy.admin import clock_of
from deploy.backup import afterwards, gone, making, moment, restoring, sealed, shelf
from deploy.backup.config import Config, shelf_of
from deploy.backup.problems import Refused
from deploy.embedded import machine, postgres
from deploy.embedded.machine import Missing
from deploy.platform import DATABASE, Kept, running_database
from deploy.said import Say
from gateway.clock import Clock
from ingest.db.migrate import migrate

NEWEST: Final = "newest"


# What is printed names files, counts and moments, and no person.


def make_key(out: Path) -> None:
    """Make a key; its secret half goes into a file and nowhere else.

    Raises:
        Missing: the file is there already.
    """
    try:
        public = sealed.write_key(out)
    except FileExistsError as why:
        raise Missing(f"{out} is there already, and a key is never written over.") from why
    print(f"TELECARE_BACKUP_RECIPIENT={public}")
    print(
        f"\nSet this where the platform runs. {out} opens every backup that is made for it: keep it in two places, "
        "neither of them this server.\nWithout it no backup can be restored, by anybody."
    )


def make(data: Path, environment: Mapping[str, str]) -> shelf.Backup:
    """Make a backup now of the database that is configured or runs, and print what it holds.

    Raises:
        Missing: something is, in one sentence.
    """
    config = Config.from_env(environment, data)
    backup = making.make(asked_for(config, data, environment), now=Clock().now())
    gone = shelf.let_go(config.shelf, days=config.keep_days, weeks=config.keep_weeks)
    print(f"{backup.folder}: {in_words(backup)}")
    print("".join(f"let go: {name}\n" for name in gone), end="")
    return backup


def asked_for(config: Config, data: Path, environment: Mapping[str, str]) -> making.Asked:
    """Return what is backed up: the database, the ports and secrets of the data folder, and what else was named.

    Raises:
        Missing: there is no database, nobody who could open a backup, or a file that was named.
    """
    config.require_recipient()
    kept = [path for path in (data / "kept.json", data / "postgres" / "password") if path.exists()]
    for path in config.also:
        if not path.exists():
            raise Missing(f"{path}, which TELECARE_BACKUP_ALSO names, is not there.")
    dsn = running_database(environment, data)
    # Of a database that is configured its owner keeps the log, with the owner's tools.
    has_log = config.has_log and (data / "postgres" / "wal").is_dir()
    return making.Asked(dsn, config.shelf, config.to, [*kept, *config.also], environment, has_log=has_log)


def list_all(data: Path, environment: Mapping[str, str]) -> None:
    """Print every backup with what it holds."""
    place = shelf_of(environment, data)
    found = shelf.listed(place)
    for backup in found:
        print(f"{backup.folder.name}  {in_words(backup)}")
    if not found:
        print(f"no backups in {place}")


def in_words(backup: shelf.Backup) -> str:
    """Return what a backup holds, in one line."""
    manifest = backup.manifest
    size_bytes = sum(part.size_bytes for part in manifest.parts.values())
    rows = manifest.rows
    return (
        f"{size_bytes / 1e6:.1f} MB, {rows.get('home', 0)} homes, {rows.get('reading', 0)} readings, "
        f"{rows.get('alert', 0)} alerts; release {manifest.release}, migration {manifest.migration}"
    )


def find(said: str, place: Path) -> shelf.Backup:
    """Return the backup that was named: a folder, one on the shelf by its name, or the newest.

    Raises:
        Damaged: its description cannot be read.
        Missing: there is none.
    """
    if said == NEWEST:
        found = shelf.listed(place)
        if not found:
            raise Missing(f"There is no backup in {place}.")
        return found[-1]
    return shelf.read(place / said if (place / said).is_dir() else Path(said).absolute())


def check(said: str, key: Path, data: Path, environment: Mapping[str, str]) -> None:
    """Restore a backup into a database of its own, compare every count, drop it, and say how it went.

    Raises:
        Damaged: the backup is not what was written.
        Different: what was restored is not what was backed up.
        Missing: something is, in one sentence.
    """
    say = Say()
    backup = find(said, shelf_of(environment, data))
    secret = sealed.secret_key(key)
    with _some_server(data, environment, say) as dsn:
        say(f"restoring {backup.folder.name} beside everything else, to try it")
        rows = restoring.check(backup, dsn, secret, environment)
    say(f"it is whole: {sum(rows.values())} rows in {len(rows)} tables, as many as were backed up")


@contextlib.contextmanager
def _some_server(data: Path, environment: Mapping[str, str], say: Say) -> Iterator[str]:
    """Give a database server to try a backup on: the one that is configured or runs, or one for the purpose."""
    with contextlib.suppress(Missing, psycopg.OperationalError):
        dsn = running_database(environment, data)
        making.plain_connection(dsn).close()
        yield dsn
        return
    data.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=data, prefix="try-"))
    try:
        folder.chmod(0o755)
        server = postgres.server(folder, port=machine.free_port(), environment=environment, say=say)
        server.start()
        try:
            yield server.dsn("postgres")
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# Restoring.


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be restored.

    Attributes:
        backup: a folder, a name on the shelf, or `newest`.
        key: the file of the secret key.
        may_replace: whether what is there may be put aside.
    """

    backup: str
    key: Path
    may_replace: bool


def restore(asked: Asked, data: Path, environment: Mapping[str, str], *, is_sure: Callable[[str], bool]) -> None:
    """Put a backup in the place of the configured or the embedded database; what was there is kept aside.

    Raises:
        Damaged: the backup is not what was written.
        Different: what was restored is not what was backed up.
        Missing: something is, in one sentence.
        Refused: something is there already, or who was asked said no.
    """
    say = Say()
    backup = find(asked.backup, shelf_of(environment, data))
    secret = sealed.secret_key(asked.key)
    say(f"looking at {backup.folder.name}: {in_words(backup)}")
    shelf.require_whole(backup)
    now = Clock().now()
    with _own_server(data, environment, say, may_replace=asked.may_replace, now=now) as dsn:
        is_there = restoring.exists(dsn)
        if is_there and not asked.may_replace and not restoring.is_empty(dsn):
            raise Refused(
                f"The database {restoring.name_in(dsn)} is not empty. Say --replace to put it aside; it is kept, "
                "under another name, until you drop it."
            )
        restoring.require_nobody_in(dsn)
        question = f"Restore {backup.folder.name}" + (", and put aside what is there" if is_there else "")
        if not is_sure(f"{question}?"):
            raise Refused("Nothing was changed.")
        with restoring.beside(dsn) as filled:
            say("restoring; this takes as long as the database is large")
            has_roles = restoring.fill(backup, filled, secret, environment)
            say("every row is there")
            done = migrate(filled)
            after = _put_in_order(filled, dsn if is_there else None, backup, secret, clock_of(data, environment).now())
            aside = restoring.take_the_place(filled, dsn, now=now)
    say("\n".join([*_what_became(backup, aside, done, has_roles=has_roles), *_what_now(after)]))
    say(_lay_files(backup, secret, data))


def restore_moment(
    until: datetime | None, asked: Asked, data: Path, environment: Mapping[str, str], *, is_sure: Callable[[str], bool]
) -> None:
    """Put the embedded database back to a moment, None being as far as its log goes; what was there is kept aside.

    Raises:
        Damaged: a part of the backup, or of the log, is not what was written.
        Missing: something is, in one sentence; the database is as it was.
        Refused: something is there already, or who was asked said no.
    """
    if environment.get("TELECARE_DATABASE_URL"):
        raise Missing(
            "A moment can be restored of the embedded database alone; of yours its own tools do it "
            "(pg_basebackup and its archive), or restore a backup without --until."
        )
    say = Say()
    place, now = shelf_of(environment, data), Clock().now()
    backup, secret = moment.chosen(place, until), sealed.secret_key(asked.key)
    shelf.require_whole(backup)
    when = "the end of the log" if until is None else f"{until:%Y-%m-%d %H:%M:%S %Z}"
    with machine.held(data):
        server = _embedded(data, environment, say)
        if server.cluster.exists() and not asked.may_replace:
            raise Refused(f"There is a database in {server.cluster}. Say --replace to put it aside; it is kept.")
        if not is_sure(f"Restore the database to {when}, from {backup.folder.name} on?"):
            raise Refused("Nothing was changed.")
        say(_lay_files(backup, secret, data))
        aside = moment.recover(server, backup, secret, until, now=now)
        try:
            dsn = server.dsn(DATABASE)
            done = migrate(dsn)
            platform_now = clock_of(data, environment).now()
            with making.plain_connection(dsn) as conn:
                shows = making.judged_through_of(conn) or until or now
            after = _put_in_order(dsn, None, backup, secret, platform_now, shows=shows)
        finally:
            server.stop()
    said = [f"restored to {when}", *([f"{len(done)} migrations of this release were applied"] if done else [])]
    say("\n".join([*said, *([f"what was there is kept in {aside}"] if aside else []), *_what_now(after)]))


def _embedded(data: Path, environment: Mapping[str, str], say: Say) -> postgres.Server:
    port, has_log = Kept(data).port("database"), Config.from_env(environment, data).has_log
    return postgres.server(data, port=port, environment=environment, say=say, has_log=has_log)


def _put_in_order(
    filled: str,
    old: str | None,
    backup: shelf.Backup,
    secret: Identity,
    now: datetime,
    *,
    shows: datetime | None = None,
) -> afterwards.Done:
    place = backup.folder.parent
    shows = shows or backup.manifest.judged_through or backup.manifest.made_at
    facts = gone.noted(place, secret, since=backup.manifest.made_at)
    until = afterwards.told_until(place, old, shows=shows, now=now)
    name, real_now = backup.folder.name, Clock().now()
    return afterwards.put_in_order(filled, name, facts, shows=shows, told_until=until, now=now, real_now=real_now)


def _what_now(after: afterwards.Done) -> Iterator[str]:
    yield f"{after.redone} things that were taken away since the backup were taken away again"
    yield from (f"NOT TAKEN AWAY: {sentence}" for sentence in after.not_done)
    if after.restored.hold_until > after.restored.restored_at:
        yield (
            f"what was due is held until {after.restored.hold_until:%H:%M} UTC; the operator is texted once the "
            "platform runs, and decides on the page /operator/restored"
        )
    else:
        yield "NO OPERATOR HAS A PHONE: what was due is told again at once"


def _what_became(backup: shelf.Backup, aside: str | None, done: list[str], *, has_roles: bool) -> Iterator[str]:
    yield f"restored as of {backup.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC"
    if done:
        yield f"{len(done)} migrations of this release were applied"
    if aside:
        yield f"what was there is kept as the database {aside}"
    if not has_roles:
        yield f"its roles ({', '.join(backup.manifest.roles)}) are not here, so nothing was granted: grant it again"


def _lay_files(backup: shelf.Backup, secret: Identity, data: Path) -> str:
    """Lay the files of the backup beside the data, and put the ports and secrets in place where there are none."""
    folder = data / f"from-backup-{backup.folder.name}"
    shutil.rmtree(folder, ignore_errors=True)
    names = restoring.unpack_files(backup, secret, folder)
    kept = next((folder / name for name in names if Path(name).name == "kept.json"), None)
    password = next((folder / name for name in names if name.endswith("postgres/password")), None)
    if password is not None and not (data / "postgres" / "password").exists():
        (data / "postgres").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(password, data / "postgres" / "password")
        (data / "postgres" / "password").chmod(0o600)
    if kept is not None and not (data / "kept.json").exists():
        shutil.copyfile(kept, data / "kept.json")
        (data / "kept.json").chmod(0o600)
    return f"the {len(names)} files of the backup are in {folder}; put in place what is needed, then remove it"


@contextlib.contextmanager
def _own_server(
    data: Path, environment: Mapping[str, str], say: Say, *, may_replace: bool, now: datetime
) -> Iterator[str]:
    """Give the address of the database that is to be restored, with its server running and nobody else at work."""
    if configured := environment.get("TELECARE_DATABASE_URL"):
        yield configured
        return
    with machine.held(data):
        server = _embedded(data, environment, say)
        try:
            server.start()
        except Missing as why:
            if not may_replace or not server.folder.exists():
                raise
            aside = server.folder.with_name(f"postgres-before-{now:%Y%m%d-%H%M%S}")
            say(f"the database server does not start ({why}); its folder is kept as {aside}")
            server.folder.rename(aside)
            server.start()
        try:
            yield server.dsn(DATABASE)
        finally:
            server.stop()
