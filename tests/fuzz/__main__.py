"""Try a door with millions of inputs, led by which lines of our code they reach.

    python -m tests.fuzz TARGET [--tries N] [--seconds S] [--seed N]

Needs `atheris` (the extra `fuzz`).  What a target fails on is kept in `found/TARGET/`, where the tests find it.
"""

import argparse
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway", "ingest", "alerts", "api", "deploy"]):
    from tests.fuzz.targets import DOORS

FOUND = Path(__file__).parent / "found"


def main() -> None:
    """Run one target until the tries or the seconds are over, or it fails."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("target", choices=sorted(DOORS))
    asked.add_argument("--tries", type=int, default=1_000_000)
    asked.add_argument("--seconds", type=int, default=3_600)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--corpus", type=Path, help="a folder to go on from, and to keep what reached something new")
    options = asked.parse_args()
    found = FOUND / options.target
    found.mkdir(parents=True, exist_ok=True)
    corpus = options.corpus or Path("build") / "fuzz" / options.target
    corpus.mkdir(parents=True, exist_ok=True)
    target, seeds = DOORS[options.target]
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    began_s, tries = time.monotonic(), 0

    def counted(data: bytes) -> None:
        nonlocal tries
        tries += 1
        if tries % 100_000 == 0:
            sys.stderr.write(f"{options.target}: {tries:,} tries in {time.monotonic() - began_s:.0f} s\n")
        target(data)

    libfuzzer = [
        f"-runs={options.tries}",
        f"-max_total_time={options.seconds}",
        f"-seed={options.seed}",
        f"-artifact_prefix={found}/",
        "-max_len=8192",
        "-print_final_stats=1",
        "-verbosity=0",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *libfuzzer], counted)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
