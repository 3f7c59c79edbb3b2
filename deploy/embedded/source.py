"""Where does TimescaleDB's source come from?

From Debian's archive, through the machine's own apt and with its settings, without root: apt is given lists
and a cache of our own.  The archive's signature is checked by apt, the one file we use by its sha256.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.embedded.machine import Missing

VERSION: Final = "2.19.3"

# Debian 13's timescaledb, which leaves out everything that is not under the Apache licence (+dfsg).
FILE: Final = f"timescaledb_{VERSION}+dfsg.orig.tar.xz"
_SHA256: Final = "09fd11191768c220b071f61a108df9bd1df5522fbe4e7c2229f30f69b195454a"
_RELEASE: Final = "trixie"
_KEYS: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_PATIENCE_S: Final = 600
_OR: Final = f"or put {FILE} into {{}} yourself, or use a database of your own"


def fetch(folder: Path, environment: Mapping[str, str]) -> Path:
    """Return the source's tarball in `folder`, fetched if it is not there, and known to be the right one.

    Raises:
        Missing: this machine cannot fetch it, or what came is not what we know.
    """
    tarball = folder / FILE
    if tarball.exists() and _sha256(tarball) == _SHA256:
        return tarball
    folder.mkdir(parents=True, exist_ok=True)
    archive = _archive(folder, environment)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fetched = _download(Path(scratch), archive, folder, environment)
        if (found := _sha256(fetched)) != _SHA256:
            raise Missing(f"{FILE} from {archive} has sha256 {found}, not the one we know; {_or(folder)}.")
        fetched.rename(tarball)
    return tarball


def _or(folder: Path) -> str:
    return _OR.format(folder)


def _archive(folder: Path, environment: Mapping[str, str]) -> str:
    """Return the address from which this machine takes Debian's packages."""
    if shutil.which("apt-get", path=environment.get("PATH")) is None:
        raise Missing(f"There is no apt-get here to fetch TimescaleDB's source with; run on Debian, {_or(folder)}.")
    if not _KEYS.exists():
        raise Missing(f"{_KEYS} is not here: apt-get install debian-archive-keyring, {_or(folder)}.")
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(LABEL)|$(SITE)|$(REPO_URI)", "Created-By: Packages"],  # noqa: S607 - wherever apt is
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    targets = [line.split("|") for line in listed.stdout.splitlines()]
    # Before the first `apt-get update` no label is known; then the address has to tell.
    by_label = [uri for label, _, uri in targets if label == "Debian"]
    by_address = [site for _, site, uri in targets if uri.rstrip("/").endswith("/debian")]
    if not by_label and not by_address:
        raise Missing(f"This machine's apt knows no Debian archive; run on Debian 12 or later, {_or(folder)}.")
    return (by_label or by_address)[0]


def _download(scratch: Path, archive: str, folder: Path, environment: Mapping[str, str]) -> Path:
    for name in ("lists/partial", "cache/archives/partial"):
        (scratch / name).mkdir(parents=True)
    (scratch / "status").touch()
    sources = scratch / "sources.list"
    sources.write_text(f"deb-src [signed-by={_KEYS}] {archive} {_RELEASE} main\n")
    options = [
        f"-oDir::Etc::SourceList={sources}",
        "-oDir::Etc::SourceParts=/dev/null",
        f"-oDir::State::Lists={scratch / 'lists'}",
        f"-oDir::Cache={scratch / 'cache'}",
        f"-oDir::State::status={scratch / 'status'}",
        # Else apt, as root, would change to an account that cannot write into our folder.
        "-oAPT::Sandbox::User=",
        "-oAcquire::Retries=3",
        "-oAPT::Update::Error-Mode=any",
    ]
    for step in (["update"], ["source", "--download-only", "--only-source", "timescaledb"]):
        ran = _run(["apt-get", "-q", *options, *step], scratch, folder, environment)
        if ran.returncode != 0:
            said = [line for line in ran.stdout.splitlines() if line.startswith(("E:", "W:"))]
            raise Missing(
                f"TimescaleDB's source could not be fetched from {archive} "
                f"({said[-1] if said else 'apt-get said nothing'}); connect to the network and try again, "
                f"{_or(folder)}."
            )
    fetched = scratch / FILE
    if not fetched.exists():
        raise Missing(f"{archive} no longer has {FILE} for Debian {_RELEASE}; {_or(folder)}.")
    return fetched


def _run(
    arguments: list[str], scratch: Path, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - the machine's own apt-get
            arguments,
            cwd=scratch,
            env={**environment, "LC_ALL": "C.UTF-8", "PWD": os.fspath(scratch)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired as why:
        raise Missing(
            f"apt-get did not answer within {_PATIENCE_S} s; connect to the network and try again, {_or(folder)}."
        ) from why


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
