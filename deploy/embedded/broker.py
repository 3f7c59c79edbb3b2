"""How does a broker of our own start, stop, and hear of new permissions?

What NATS and Mosquitto have in common: a folder with their files, one port, one child process that reads
its files again on SIGHUP.
"""

import os
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGHUP
from typing import Final

from deploy import child
from deploy.broker.permissions import HubAccess, Login
from deploy.embedded import machine
from deploy.embedded.machine import Missing

# The largest message either broker takes; a hub's pack is far below.
PAYLOAD_BYTES_MAX: Final = 1 << 20

# Their names in the broker's folder.
CERTIFICATE: Final = "certificate.pem"
KEY: Final = "key.pem"

_NEW_BYTES: Final = 100_000_000
_START_PATIENCE_S: Final = 20.0
_RELOAD_PATIENCE_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Outside:
    """How hubs reach a broker over a network: always with TLS, since they send their secret.

    Attributes:
        address: of this machine, an IP address or `0.0.0.0` for all of them.
        certificate: PEM, the broker's own first.  Its name is the one that hubs *and ingest* connect to.
        key: PEM, without a passphrase.
    """

    address: str
    certificate: Path
    key: Path


class Broker(ABC):
    """One broker in a folder of its own, a direct child of this process while it runs."""

    def __init__(self, folder: Path, *, program: Path, port: int, log: Path, outside: Outside | None = None) -> None:
        """Describe a broker; nothing is touched yet.

        Args:
            folder: its configuration and its disk; made by `prepare`.
            program: the server's absolute path.
            port: for MQTT 3.1.1.
            log: the file that its own messages are appended to.
            outside: who is not on this machine; None is plain MQTT on 127.0.0.1, for this machine alone.
        """
        self.folder = folder
        self.port = port
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.outside = outside
        self._program = program

    @property
    @abstractmethod
    def command(self) -> child.Command:
        """What a supervisor starts; `prepare` must have run, and permissions must be written."""

    @abstractmethod
    def permit(self, hubs: Sequence[HubAccess], ingest: Login) -> None:
        """Write who may say what on the platform's broker; a running one is told, and keeps who may stay."""

    @abstractmethod
    def _settings(self) -> Mapping[str, str]:
        """Return the files that do not depend on the permissions, by name."""

    def prepare(self) -> None:
        """Write its files, and see that a start can work.

        Raises:
            Missing: the port, space, an account, a folder or the certificate is.
        """
        machine.require_free_port(self.port, "the MQTT broker", address=self.address)
        machine.make_folder(self.folder, machine.account_for(self.folder))
        machine.require_space(self.folder, _NEW_BYTES)
        for name, content in {**self._settings(), **self._credentials()}.items():
            self._write(name, content)

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.outside.address if self.outside else "127.0.0.1"

    def renew(self) -> None:
        """Take a new certificate from where the first one came; a running broker uses it from now on.

        Raises:
            Missing: it cannot be read.
        """
        self._write_and_reload(self._credentials())

    def start(self) -> None:
        """Start it and return once it accepts connections.  One that runs already is left alone.

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
                raise Missing(f"The MQTT broker did not start; {self.log} says why.")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it in order, and return when it is gone."""
        if self.process is not None:
            child.stop(self.process, stop_with=self.command.stop_with)
            self.process = None

    def kill(self) -> None:
        """Kill it as a power cut would, and return when it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def answers(self) -> bool:
        """Return whether it accepts connections."""
        return machine.accepts(self.port, host="127.0.0.1" if self.address == "0.0.0.0" else self.address)  # noqa: S104 - compared, not listened on

    def _credentials(self) -> dict[str, str]:
        """Return copies of the certificate and key: the broker's account may not read what only root can."""
        if self.outside is None:
            return {}
        found = {}
        for name, path in ((CERTIFICATE, self.outside.certificate), (KEY, self.outside.key)):
            try:
                found[name] = path.read_text()
            except OSError as why:
                raise Missing(f"The broker's {name} cannot be read from {path}: {why.strerror}.") from why
        return found

    def _write_and_reload(self, files: Mapping[str, str]) -> None:
        """Replace files, and tell a running broker.

        It may be the child of another process: it is found by what it runs.  It is told even if nothing
        changed, since we may have died between writing and telling.
        """
        machine.make_folder(self.folder, machine.account_for(self.folder))
        for name, content in files.items():
            self._write(name, content)
        for number in child.running(self.command):
            os.kill(number, SIGHUP)

    def _write(self, name: str, content: str) -> None:
        """Replace one file as a whole.  It may hold hashes: mode 600."""
        path = self.folder / name
        new = path.with_name(f"{name}.new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(content)
        if account := machine.account_for(self.folder):
            os.chown(new, account.pw_uid, account.pw_gid)
        new.rename(path)


def wait_until(is_so: Callable[[], bool], *, patience_s: float = _RELOAD_PATIENCE_S) -> bool:
    """Return whether `is_so` came true in time: a broker reads its files again some time after it is told."""
    deadline = time.monotonic() + patience_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
