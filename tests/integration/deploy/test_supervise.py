"""Several processes as one program: what starts, comes back, and never stays behind."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from deploy.child import Command, running
from deploy.embedded import machine
from deploy.embedded.broker import wait_until
from deploy.supervise import DidNotStart, Part, Supervisor

_ROOT: Final = Path(__file__).resolve().parents[3]
_PATIENCE_S: Final = 60.0
# The machine's own Python: an unprivileged account may not be able to run the environment's.
_PYTHON: Final = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
_DOES_NOTHING: Final = "import signal; print('up', flush=True); signal.pause()"
_DEAF: Final = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {_DOES_NOTHING}"


def _python(code: str, **more: object) -> Command:
    return Command((_PYTHON, "-c", code), **more)  # type: ignore[arg-type]  # Passed on as it is.


def _part(name: str, code: str = _DOES_NOTHING, **more: object) -> Part:
    return Part(name, lambda: _python(code), **more)  # type: ignore[arg-type]  # Passed on as it is.


def _is_alive(number: int) -> bool:
    with contextlib.suppress(OSError):
        return "\nState:\tZ" not in Path("/proc", str(number), "status").read_text()
    return False


def _wrote(log: Path, text: str) -> Callable[[], bool]:
    return lambda: log.exists() and text in log.read_text()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def supervisor(logs: Path) -> Iterator[Supervisor]:
    with Supervisor(logs) as one:
        yield one


def test_a_part_that_dies_is_started_again(supervisor: Supervisor) -> None:
    """A home is watched by whatever is running, not by what was started."""
    supervisor.start(_part("judge"))
    first = supervisor.process("judge")
    first.kill()
    deadline = time.monotonic() + _PATIENCE_S

    supervisor.watch(until=lambda: supervisor.restarts("judge") == 1 or time.monotonic() > deadline)

    assert supervisor.restarts("judge") == 1
    assert supervisor.process("judge").pid != first.pid
    assert supervisor.process("judge").poll() is None


def test_a_part_that_dies_at_once_waits_longer_each_time(logs: Path) -> None:
    """A broken part must not take the machine with it; nor be given up, since nobody may be looking."""
    said = io.StringIO()
    with Supervisor(logs, show=said) as supervisor:
        supervisor.start(_part("broken", "raise SystemExit(3)", is_ready=lambda: True))
        supervisor.watch(until=lambda: supervisor.restarts("broken") == 2)

    waits = [line.split("again in ")[1] for line in said.getvalue().splitlines() if "again in" in line]
    assert waits[:2] == ["0.5 s", "1 s"]
    assert "broken     | ended with 3" in said.getvalue()


def test_a_part_that_cannot_start_says_its_last_words(supervisor: Supervisor) -> None:
    """Whoever starts the platform reads why in one line, not in a folder of logs."""
    with pytest.raises(DidNotStart, match=r"broken ended with 1: .*the disk is on fire"):
        supervisor.start(_part("broken", "raise SystemExit('the disk is on fire')", is_ready=lambda: False))


def test_a_part_that_is_never_ready_is_not_waited_for_for_ever(supervisor: Supervisor) -> None:
    """A start that hangs is a start that failed."""
    with pytest.raises(DidNotStart, match=r"slow was not ready within 0\.3 s"):
        supervisor.start(_part("slow", is_ready=lambda: False, ready_within_s=0.3))


def test_what_must_be_done_before_a_start_is_done_before_each(supervisor: Supervisor) -> None:
    """A killed database leaves a lock behind; clearing it once is not enough."""
    done: list[str] = []
    supervisor.start(_part("database", before=lambda: done.append("cleared")))
    supervisor.process("database").kill()

    supervisor.watch(until=lambda: supervisor.restarts("database") == 1)

    assert done == ["cleared", "cleared"]


def test_parts_stop_in_reverse_order(logs: Path, tmp_path: Path) -> None:
    """What rests on the database must be able to write its last words into it."""
    book = tmp_path / "book"
    tells = (
        "import signal, sys\n"
        "def end(*_):\n"
        "    print(NAME, file=open({book!r}, 'a')); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True)\n"
        "while True: signal.pause()\n"
    )
    with Supervisor(logs) as supervisor:
        for name in ("first", "second", "third"):
            code = f"NAME = {name!r}\n" + tells.format(book=str(book))
            supervisor.start(_part(name, code, is_ready=_wrote(logs / f"{name}.log", "up")))

    assert book.read_text().split() == ["third", "second", "first"]


def test_a_part_that_is_held_stays_down_until_it_is_released(supervisor: Supervisor) -> None:
    """A drill that stops the judge must be able to trust that it is stopped."""
    supervisor.start(_part("judge"))

    supervisor.hold("judge")
    ticks = iter(range(5))
    supervisor.watch(until=lambda: next(ticks, None) is None)

    assert supervisor.process("judge").poll() is not None
    supervisor.release("judge")
    assert wait_until(lambda: supervisor.process("judge").poll() is None)


def test_lines_are_shown_after_their_parts_name(logs: Path) -> None:
    """Six processes on one screen are readable only if each line says whose it is."""
    said = io.StringIO()
    with Supervisor(logs, show=said) as supervisor:
        supervisor.start(_part("ingest", is_ready=_wrote(logs / "ingest.log", "up")))

    assert said.getvalue() == "ingest     | up\n"


def test_a_log_does_not_grow_without_end(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk stops the database; the log of a chatty part must not be what fills it."""
    monkeypatch.setattr("deploy.supervise._LOG_BYTES_MAX", 10_000)
    chatty = "import time\nwhile True: print('x' * 1000, flush=True); time.sleep(0.001)"
    log = logs / "chatty.log"
    with Supervisor(logs) as supervisor:
        supervisor.start(_part("chatty", chatty))
        supervisor.watch(until=lambda: log.with_suffix(".log.1").exists())

        assert wait_until(lambda: log.stat().st_size > 0)


_PLATFORM: Final = textwrap.dedent("""
    import sys
    from pathlib import Path
    from deploy.child import Command
    from deploy.supervise import Part, Supervisor

    logs = Path(sys.argv[1])
    with Supervisor(logs, stop_patience_s=1) as supervisor:
        for name, code in zip(("calm", "deaf"), sys.argv[3:]):
            supervisor.start(Part(name, lambda code=code: Command((sys.argv[2], "-c", code)),
                                  is_ready=lambda name=name: "up" in (logs / f"{name}.log").read_text()))
        print("ready", flush=True)
        supervisor.watch()
    print("stopped", flush=True)
""")


@pytest.fixture
def platform(logs: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Run a supervisor with two parts as a program of its own; the second part does not hear SIGTERM."""
    marked = [f"{code}  # {logs}" for code in (_DOES_NOTHING, _DEAF)]
    with subprocess.Popen(
        [sys.executable, "-c", _PLATFORM, str(logs), _PYTHON, *marked],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        numbers = [number for code in marked for number in running(_python(code))]
        assert len(numbers) == 2
        yield program, numbers
        program.kill()


def test_a_supervisor_that_is_killed_leaves_no_orphan(
    platform: tuple[subprocess.Popen[str], list[int]],
) -> None:
    """A second start would find the ports taken, and two judges would tell a carer twice."""
    program, numbers = platform

    program.kill()
    program.wait()

    assert wait_until(lambda: not any(map(_is_alive, numbers)), patience_s=_PATIENCE_S)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_supervisor_that_is_asked_to_stop_leaves_nobody(
    platform: tuple[subprocess.Popen[str], list[int]], asked: signal.Signals
) -> None:
    """Ctrl-C, `systemctl stop` and a closed terminal all mean the same, even to a part that is deaf."""
    program, numbers = platform

    program.send_signal(asked)
    out, _ = program.communicate(timeout=60)

    assert out == "stopped\n"
    assert program.returncode == 0
    assert not any(map(_is_alive, numbers))


def test_ctrl_c_reaches_the_supervisor_and_not_its_parts(
    platform: tuple[subprocess.Popen[str], list[int]],
) -> None:
    """A terminal signals its whole group: the database must not be told to stop before those that use it."""
    program, numbers = platform

    groups = {os.getpgid(number) for number in numbers}

    assert os.getpgid(program.pid) not in groups
    assert len(groups) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a part as another account")
def test_a_part_that_gave_up_root_still_dies_with_us(logs: Path, open_folder: Path) -> None:
    """Linux forgets the wish to die with the parent when a process changes its account; ours asks after."""
    account = machine.account_for(open_folder / "nowhere")
    assert account is not None
    code = f"{_DOES_NOTHING}  # {logs} as another"
    program = textwrap.dedent(f"""
        import pwd, sys
        from pathlib import Path
        from deploy import child
        command = child.Command(({_PYTHON!r}, "-c", sys.argv[1]), account=pwd.getpwnam({account.pw_name!r}))
        child.start(command, log=Path(sys.argv[2]))
        print("started", flush=True)
        sys.stdin.read()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program, code, str(logs / "part.log")],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert wait_until(_wrote(logs / "part.log", "up"))
        (number,) = running(_python(code))
        assert Path("/proc", str(number)).stat().st_uid == account.pw_uid

        parent.kill()
        parent.wait()

        assert wait_until(lambda: not _is_alive(number))
