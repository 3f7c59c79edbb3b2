"""How does our own PostgreSQL with TimescaleDB start, stop and keep what it has?

It listens on 127.0.0.1 only (the wheel has no TLS) and asks for a password all the same, because every
account of the machine can reach that address.  `fsync` and checksums are on: the hub lets go of a reading
when we say that it is on this disk.
"""

import contextlib
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from signal import SIGINT
from typing import Final

import psycopg
from psycopg import sql

from deploy import child
from deploy.embedded import machine, runtime
from deploy.embedded.machine import Missing

USER: Final = "telecare"

# A new cluster with the log that PostgreSQL writes ahead takes 60 MB, and grows to max_wal_size by itself.
_NEW_BYTES: Final = 500_000_000
_START_PATIENCE_S: Final = 60.0
_STOP_PATIENCE_S: Final = 30.0

# Sized for one small box beside everything else on it; `postgresql.conf` in the data folder is left alone.
_SETTINGS: Final[Mapping[str, str]] = {
    "shared_preload_libraries": "timescaledb",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    # A query that meets many chunks locks each of them and its indexes.
    "max_locks_per_transaction": "256",
    # Containers often have 64 MB of shared memory, which a parallel query can outgrow; ours are small.
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
    "log_checkpoints": "off",
    # A failed statement, its parameters and a row in a DETAIL may name a person; the log must not.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "timescaledb.telemetry_level": "off",
    # The Apache edition has jobs of its own and no licence to run them: each would fail, once a database.
    "timescaledb.max_background_workers": "0",
}


class Server:
    """One PostgreSQL in a folder of its own, a direct child of this process while it runs.

    Not started through pg_ctl, which takes the zombie of a killed postmaster for a running one.
    """

    def __init__(self, folder: Path, *, programs: Path, port: int, log: Path, has_log: bool = False) -> None:
        """Describe a server; nothing is touched yet.

        Args:
            folder: where the cluster and its password are; made by `prepare`.
            programs: from `runtime.postgres_programs`.
            port: on 127.0.0.1.
            log: the file that its own messages are appended to.
            has_log: whether each piece of its write-ahead log is laid into `spool`, for whoever takes it from there.
        """
        self.folder = folder
        self.spool = folder / "wal"
        self._has_log = has_log
        self.port = port
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self._programs = programs
        self.cluster = folder / "cluster"
        self._password = folder / "password"

    @property
    def command(self) -> child.Command:
        """What a supervisor starts; `prepare` must have run once."""
        settings = {**_SETTINGS, "port": str(self.port), **(_laid_into(self.spool) if self._has_log else {})}
        return child.Command(
            (
                *(str(self._programs / "postgres"), "-D", str(self.cluster)),
                *(f"--{name}={value}" for name, value in settings.items()),
            ),
            account=machine.account_for(self.cluster),
            stop_with=SIGINT,  # "fast": transactions are rolled back, everything committed is kept.
            orphaned_with=SIGINT,
        )

    def dsn(self, dbname: str) -> str:
        """Return the address of one of its databases, with the password in it."""
        return f"postgresql://{USER}:{self._password.read_text().strip()}@127.0.0.1:{self.port}/{dbname}"

    def prepare(self) -> None:
        """Make the cluster if it is not there, and see that a start can work.

        Raises:
            Missing: a port, space, an account or a folder is; or another process runs on the cluster.
        """
        machine.require_free_port(self.port, "PostgreSQL")
        account = machine.account_for(self.cluster)
        machine.make_folder(self.folder, account, mode=0o711 if account else 0o700)
        if not self.cluster.exists():
            machine.require_space(self.folder, _NEW_BYTES)
            self._make_cluster()
        if self._has_log:
            machine.make_folder(self.spool, account)
        self.clear_after_kill()

    def start(self) -> None:
        """Start it and return once it answers.  A server that runs already is left alone.

        Raises:
            Missing: it cannot start here.
        """
        if self.process is not None and self.process.poll() is None:
            return
        self.prepare()
        self.process = child.start(self.command, log=self.log)
        deadline = time.monotonic() + _START_PATIENCE_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Missing(f"PostgreSQL did not start ({self.last_words()}); {self.log} has the whole story.")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it in order ("fast"), and return when it is gone."""
        if self.process is not None:
            child.stop(self.process, stop_with=SIGINT, patience_s=_STOP_PATIENCE_S)
            self.process = None

    def kill(self) -> None:
        """Kill it as a power cut would, and return when it and its own children are gone."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None
        deadline = time.monotonic() + _STOP_PATIENCE_S
        while self._left_behind() and time.monotonic() < deadline:
            time.sleep(0.02)

    def answers(self) -> bool:
        """Return whether it takes connections."""
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(self.dsn("postgres"), connect_timeout=2),
        ):
            return True
        return False

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Make a database if it is not there, and return its address."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as conn:
            there = conn.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone()
            if there is None:
                of = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
                conn.execute(sql.SQL("CREATE DATABASE {}{}").format(sql.Identifier(name), of))
        return self.dsn(name)

    def back_up(self, to: Path) -> None:
        """Copy the running cluster into a new folder, as of one moment, while others go on writing.

        Raises:
            Missing: the folder is there already, or PostgreSQL could not copy itself.
        """
        if to.exists():
            raise Missing(f"{to} is there already; name a folder that is not.")
        account = machine.account_for(self.cluster)
        machine.make_folder(to, account)
        copy = child.Command(
            (
                *(str(self._programs / "pg_basebackup"), "--pgdata", str(to), "--checkpoint=fast"),
                *("--host=127.0.0.1", f"--port={self.port}", f"--username={USER}"),
            ),
            environment={**child.PLAIN_ENVIRONMENT, "PGPASSWORD": self._password.read_text().strip()},
            account=account,
        )
        if child.start(copy, log=self.log).wait() != 0:
            raise Missing(f"The backup failed ({self.last_words()}); {self.log} has the whole story.")

    def restore(self, backup: Path) -> None:
        """Put a stopped server back to where a backup has it; the backup itself stays.

        Raises:
            Missing: the server runs, or the backup cannot be copied.
        """
        self.clear_after_kill()
        account = machine.account_for(self.cluster)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="restore-") as scratch:
            machine.make_folder(Path(scratch), account)
            copy = child.Command(("/bin/cp", "-a", str(backup), f"{scratch}/cluster"), account=account)
            if child.start(copy, log=self.log).wait() != 0:
                raise Missing(f"{backup} could not be copied ({self.last_words()}).")
            if self.cluster.exists():
                self.cluster.rename(Path(scratch, "before"))
            Path(scratch, "cluster").rename(self.cluster)

    def clear_after_kill(self) -> None:
        """Remove the lock that a killed server left, if no server holds it.

        PostgreSQL itself looks whether a process has the number in the lock.  After a restart of the machine
        that may be our broker, and the database would never start again.

        Raises:
            Missing: a server does hold it.
        """
        lock = self.cluster / "postmaster.pid"
        if not lock.exists():
            return
        number = lock.read_text().split("\n", 1)[0].strip()
        if _works_in(number, self.cluster):
            raise Missing(
                f"Another PostgreSQL (process {number}) is running on {self.cluster}; "
                f"stop it (kill -INT {number}), or choose another folder with --data DIR."
            )
        lock.unlink()

    def _make_cluster(self) -> None:
        """Make the cluster beside its place and rename it, so that a cluster that is there is whole."""
        account = machine.account_for(self.cluster)
        password = secrets.token_hex(32)
        _write_secret(self._password, password)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="new-") as scratch:
            machine.make_folder(Path(scratch), account)
            secret = Path(scratch, "password")
            _write_secret(secret, password)
            if account:
                os.chown(secret, account.pw_uid, account.pw_gid)
            made = child.start(self._initdb(Path(scratch, "cluster"), secret), log=self.log)
            if made.wait() != 0:
                raise Missing(f"initdb failed ({self.last_words()}); {self.log} has the whole story.")
            Path(scratch, "cluster").rename(self.cluster)

    def _initdb(self, cluster: Path, secret: Path) -> child.Command:
        return child.Command(
            (
                *(str(self._programs / "initdb"), "-D", str(cluster), "-U", USER),
                *("--auth=scram-sha-256", f"--pwfile={secret}", "--data-checksums"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"),
            ),
            account=machine.account_for(self.cluster),
        )

    def _left_behind(self) -> bool:
        return any(_works_in(entry.name, self.cluster) for entry in Path("/proc").iterdir() if entry.name.isdigit())

    def last_words(self) -> str:
        """Return the last line that it wrote."""
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1] if lines else "it said nothing"


def _laid_into(spool: Path) -> Mapping[str, str]:
    """Return the settings by which each piece of the log is copied, whole or not at all, within a minute."""
    copied = f'"{spool}/%f.new"'
    return {
        "archive_mode": "on",
        "archive_timeout": "60",
        "archive_command": f'cp "%p" {copied} && sync {copied} && mv {copied} "{spool}/%f"',
    }


def _works_in(number: str, cluster: Path) -> bool:
    """Return whether process `number` is a PostgreSQL of this cluster: each of them works in its folder."""
    with contextlib.suppress(OSError):
        return Path("/proc", number, "cwd").readlink() == cluster.resolve()
    return False


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"{secret}\n")


def server(data: Path, *, port: int, environment: Mapping[str, str], say: runtime.Say, has_log: bool = False) -> Server:
    """Return the server of a data folder, with its programs built on first use.

    Raises:
        Missing: they are not built, and cannot be built here.
    """
    programs = runtime.postgres_programs(machine.default_runtime(environment), environment=environment, say=say)
    return Server(data / "postgres", programs=programs, port=port, log=data / "logs" / "postgres.log", has_log=has_log)
