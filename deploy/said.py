"""How is progress told?  Plain lines with the seconds since the start, so that no terminal is needed."""

import sys
import time


class Say:
    """Prints one line a call, after the seconds since it was made."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()

    def __call__(self, *words: str) -> None:
        print(f"[{time.monotonic() - self._began_s:5.1f} s] {' '.join(words)}", file=sys.stdout, flush=True)
