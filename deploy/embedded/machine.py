"""What does this machine offer: an account, a folder, a free port, a compiler?

What is lacking is said as `Missing`, in one sentence that ends with how to get it.
"""

import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_SYSTEM: Final = Path("/var/lib/telecare")
_ACCOUNTS: Final = ("telecare", "postgres", "nobody")
_COMPILERS: Final = ("gcc", "cc", "clang")
_MB: Final = 1_000_000
_PORTS: Final = range(20_000, 32_000)
_PORTS_TRIED: Final = 100


class Missing(Exception):
    """The machine lacks something; its one sentence says what, and how whoever runs it can get it."""


def is_root() -> bool:
    """Return whether we may change to another account, and so must."""
    return os.geteuid() == 0


def default_runtime(environment: Mapping[str, str]) -> Path:
    """Return where built servers are kept, shared by every checkout of this user."""
    return _own(environment) / "runtime"


def default_data(environment: Mapping[str, str]) -> Path:
    """Return where the database, the broker and the logs live: `TELECARE_DATA`, or the user's usual place."""
    chosen = environment.get("TELECARE_DATA")
    return Path(chosen).absolute() if chosen else _own(environment) / "data"


def shared_runtime() -> Path:
    """Return where root keeps built servers; everyone may read them."""
    return _SYSTEM / "runtime"


def _own(environment: Mapping[str, str]) -> Path:
    if is_root():
        return _SYSTEM
    home = environment.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "telecare"


def account_for(folder: Path) -> pwd.struct_passwd | None:
    """Return the account that servers in this folder run as; None means ourselves, as we are not root.

    PostgreSQL refuses to run as root, and refuses a folder of another account; so a folder that is there
    keeps the account it has.

    Raises:
        Missing: there is no such account.
    """
    if not is_root():
        return None
    if folder.exists() and (owner := folder.stat().st_uid) != 0:
        with contextlib.suppress(KeyError):
            return pwd.getpwuid(owner)
    for name in _ACCOUNTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Missing("PostgreSQL does not run as root and no other account is here; add one: useradd --system telecare.")


def make_folder(folder: Path, account: pwd.struct_passwd | None, *, mode: int = 0o700) -> None:
    """Make a folder that belongs to the account, and see that the account can get to it.

    Raises:
        Missing: it cannot be made, or a folder on the way is closed to the account.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
    except OSError as why:
        raise Missing(f"The folder {folder} cannot be used ({why.strerror}); choose another with --data DIR.") from why
    if account and (closed := _closed_on_the_way(folder, account)):
        raise Missing(
            f"The account {account.pw_name} cannot enter {closed}; "
            "choose a folder that everyone can reach with --data DIR."
        )


def _closed_on_the_way(folder: Path, account: pwd.struct_passwd) -> Path | None:
    for step in folder.resolve().parents:
        has = step.stat()
        shift = 6 if has.st_uid == account.pw_uid else 3 if has.st_gid == account.pw_gid else 0
        if not (has.st_mode >> shift) & 1:
            return step
    return None


def require_space(folder: Path, needed_bytes: int) -> None:
    """Refuse a disk that is about to be full.

    Raises:
        Missing: less than `needed_bytes` are free where `folder` is or will be.
    """
    there = next(step for step in (folder, *folder.parents) if step.exists())
    free_bytes = shutil.disk_usage(there).free
    if free_bytes < needed_bytes:
        raise Missing(
            f"No space: {there} has {free_bytes // _MB} MB free and {needed_bytes // _MB} MB are needed; "
            "free some, or choose another disk with --data DIR."
        )


def require_free_port(port: int, what: str, *, address: str = "127.0.0.1") -> None:
    """Refuse a port of this machine that someone else listens on.

    Raises:
        Missing: it is taken.
    """
    with socket.socket() as probe:
        # As the servers do, so that a connection that is still closing does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except PermissionError as why:
            raise Missing(
                f"Port {port} is only for root, and {what} needs it; choose one above 1023 (for the pages with --port)."
            ) from why
        except OSError as why:
            raise Missing(
                f"Port {port} is taken, and {what} needs it; stop the program that has it "
                f"(ss -ltnp 'sport = :{port}' names it), or choose another port (for the pages with --port)."
            ) from why


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on at this moment.

    Not one that the system gives out by itself (`ip_local_port_range`, from 32768 by default): any connection of this
    machine may take that before we do, or while we are away.

    Raises:
        Missing: none was found.
    """
    for _ in range(_PORTS_TRIED):
        port = secrets.choice(_PORTS)  # By chance, so that two who look at once do not meet.
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise Missing(f"No free port was found between {_PORTS.start} and {_PORTS.stop}; see which programs listen there.")


def accepts(port: int, *, host: str = "127.0.0.1") -> bool:
    """Return whether someone accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a data folder for ourselves until the end of the block, or of this process.

    Raises:
        Missing: another telecare holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "held").open("a+") as book:
        try:
            fcntl.flock(book, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as why:
            book.seek(0)
            raise Missing(
                f"Another telecare (process {book.read().strip() or 'unknown'}) is using {folder}; "
                "stop it, or choose another folder with --data DIR."
            ) from why
        book.truncate(0)
        book.write(str(os.getpid()))
        book.flush()
        yield


def tool(name: str) -> str:
    """Return the path of a program that the environment brings (cmake, ninja, nats-server), or the machine has.

    Raises:
        Missing: neither has it.
    """
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise Missing(f"The program {name} is not here; start through deploy/telecare, which installs it.")
    return found


def c_compiler(scratch: Path, environment: Mapping[str, str]) -> str:
    """Return a C compiler that really compiles; `scratch` may keep a small script and a cache for it.

    A machine may have gcc without the C library's headers, so each candidate is tried.

    Raises:
        Missing: there is none.
    """
    for name in filter(None, (environment.get("CC"), *_COMPILERS)):
        found = shutil.which(name, path=environment.get("PATH"))
        if found and _compiles(found, environment):
            return found
    if zig := _zig(scratch):
        return zig
    raise Missing(
        "No C compiler is here and TimescaleDB has to be built once; "
        "install one (apt-get install gcc libc6-dev), or the one in deploy/lock/compiler.txt."
    )


def _compiles(compiler: str, environment: Mapping[str, str]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "try.c")
        source.write_text('#include <stdio.h>\nint main(void) { return puts("") < 0; }\n')
        tried = subprocess.run(  # noqa: S603 - the machine's own compiler
            [compiler, str(source), "-o", f"{folder}/try"], env=dict(environment), capture_output=True, check=False
        )
        return tried.returncode == 0


def _zig(scratch: Path) -> str | None:
    tried = subprocess.run([sys.executable, "-m", "ziglang", "version"], capture_output=True, check=False)
    if tried.returncode != 0:
        return None
    script = scratch / "zig-cc"
    # glibc 2.28 is what the PostgreSQL wheel is built for, so what we add runs wherever it runs.
    script.write_text(
        "#!/bin/sh\n"
        f'export ZIG_GLOBAL_CACHE_DIR="{scratch}/zig-cache" ZIG_LOCAL_CACHE_DIR="{scratch}/zig-cache"\n'
        f'exec "{sys.executable}" -m ziglang cc -target {os.uname().machine}-linux-gnu.2.28 "$@"\n'
    )
    script.chmod(0o755)
    return str(script)
