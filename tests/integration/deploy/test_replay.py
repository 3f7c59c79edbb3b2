"""Is a recording judged by one command, and are real homes' files true to themselves?"""

import gzip
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.unit.alerts.lived import walk

HEADER = "home,observed_at,location\n"


def telecare(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line, and return what it said."""
    return subprocess.run(
        [sys.executable, "-c", "from deploy.cli import main; main()", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def rows(home: str, seed: int, days: int) -> str:
    """Return a made-up home as it would stand in a recording, in winter, when the wall shows UTC."""
    begins = datetime.fromisoformat("2020-01-06T06:00:00+00:00")
    return "".join(f"{home},{one.at:%Y-%m-%d %H:%M:%S},{one.location}\n" for one in walk(seed, days, begins=begins))


def lines(out: Path) -> list[dict[str, object]]:
    """Return what stands in a file."""
    return [json.loads(line) for line in out.read_text().splitlines()]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three homes, packed, with two rows that cannot be used."""
    path = tmp_path_factory.mktemp("recordings") / "homes.csv.gz"
    text = HEADER + rows("b", 1, 20) + "b,yesterday,kitchen\n" + rows("a", 2, 9) + "a\n" + rows("c", 3, 3)
    path.write_bytes(gzip.compress(text.encode()))
    return path


@pytest.fixture(scope="module")
def every(data: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """All three homes judged, and what was said."""
    out = data.parent / "out" / "every.jsonl"
    out.parent.mkdir()
    return out, telecare("replay", "--data", data, "--out", out, "--check")


def test_a_recording_is_judged_into_a_file_that_agrees_with_itself(
    every: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """One command, one file, and a check that anybody can repeat."""
    out, said = every

    assert (said.returncode, said.stdout.splitlines()[-1]) == (0, "The file agrees with itself."), said.stderr
    assert "2 of" in said.stdout
    assert "1 not a wall time, 1 not three columns" in said.stdout
    assert list(dict.fromkeys(line["home"] for line in lines(out))) == ["a", "b", "c"]
    assert {line["kind"] for line in lines(out)} == {"alert", "dial", "unusual"}
    assert [path.name for path in out.parent.iterdir()] == ["every.jsonl"]


@pytest.mark.parametrize("homes", [["--homes", "a", "c"], ["--homes", "a,c"], ["--homes", "a", "--homes", "c"]])
def test_only_the_homes_that_were_named_are_judged_and_alike(
    data: Path, every: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path, homes: list[str]
) -> None:
    """What a home is told must not depend on which others were looked at."""
    some = tmp_path / "some.jsonl"

    telecare("replay", "--data", data, "--out", some, *homes)

    assert lines(some) == [line for line in lines(every[0]) if line["home"] in ("a", "c")]


def test_what_a_person_must_mend_is_said_in_one_sentence(data: Path, tmp_path: Path) -> None:
    """A traceback tells a carer nothing."""
    empty = tmp_path / "empty.csv"
    empty.write_text(HEADER)

    for words, sentence in [
        ((empty,), "has no row that can be used"),
        ((tmp_path / "missing.csv",), "No such file"),
        ((data, "--homes", "d"), "has no row of home d"),
    ]:
        said = telecare("replay", "--out", tmp_path / "out.jsonl", "--data", *words)
        assert said.returncode == 1
        assert sentence in said.stderr
        assert len(said.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "out.jsonl").exists()


def test_two_real_homes_are_judged_and_their_file_agrees_with_itself(tmp_path: Path) -> None:
    """Made-up homes have no weeks in which a location is dead."""
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    recording = Path(os.environ.get("TELECARE_RECORDINGS", beside)) / "tihm" / "activity.csv.gz"
    if not recording.exists():
        pytest.skip(f"The TIHM recording is not at {recording}; set TELECARE_RECORDINGS to the folder of recordings.")
    out = tmp_path / "out.jsonl"

    said = telecare("replay", "--data", recording, "--out", out, "--homes", "561af", "d44d2", "--check")

    assert (said.returncode, said.stdout.splitlines()[-1]) == (0, "The file agrees with itself."), said.stderr
