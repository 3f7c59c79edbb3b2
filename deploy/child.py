"""As whom does a child process run, and how does it end with us?

The parent starts *this file*, which gives up root, asks Linux for a signal when the parent dies, and then
becomes the real program under the same process id.  It is a program of its own and not a `preexec_fn`,
because code between fork and exec of a process with threads can hang (Python's documentation of
`subprocess`).  It imports nothing of ours, since an unprivileged account may not be able to read it.

Linux sends the signal when the *thread* that started the child ends: start children from a thread that
lives as long as they should.
"""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h

# Nothing of the caller's environment reaches a server by accident: no PGPORT, no LD_LIBRARY_PATH, no secret.
PLAIN_ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType(
    {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
)


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run as a child.

    Attributes:
        arguments: the program's absolute path, then its arguments.
        environment: all of it; nothing is inherited.
        account: run as this account's user and group; None keeps ours.  Needs root.
        stop_with: what asks the program to end in order.
        orphaned_with: what it gets when we die without a word.
        folder: its working directory.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: PLAIN_ENVIRONMENT)
    account: pwd.struct_passwd | None = None
    stop_with: signal.Signals = signal.SIGTERM
    orphaned_with: signal.Signals = signal.SIGKILL
    folder: Path = Path("/")


def start(command: Command, *, log: Path) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches only us, and return it.

    Its process id is the real program's.  What it prints is appended to `log`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    who = command.account
    identity = f"{who.pw_uid}:{who.pw_gid}" if who else "-"
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own file, and a program that our own code names
            [
                *(sys.executable, "-I", "-S", __file__),
                *(str(os.getpid()), str(int(command.orphaned_with)), identity),
                *command.arguments,
            ],
            env=dict(command.environment),
            cwd=command.folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], *, stop_with: signal.Signals, patience_s: float = 20) -> int:
    """Ask a child to end, insist after `patience_s`, and return its exit code."""
    if process.poll() is None:
        process.send_signal(stop_with)
    try:
        return process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def running(command: Command) -> list[int]:
    """Return the ids of the processes that are this command, whoever started them."""
    wanted = b"".join(part.encode() + b"\0" for part in command.arguments)
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cmdline").read_bytes() == wanted:
                found.append(int(entry.name))
    return found


def _become(parent: int, orphaned_with: int, identity: str, arguments: list[str]) -> None:
    """Give up root, tie our life to the parent's, and become the program."""
    if identity != "-":
        uid, gid = (int(part) for part in identity.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After setuid, which clears it.
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, orphaned_with, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    # The parent may have died before we asked; then nobody would tell us.
    if os.getppid() != parent:
        raise SystemExit(1)
    os.execve(arguments[0], arguments, dict(os.environ))  # noqa: S606 - it is the purpose of this file


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
