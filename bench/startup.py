"""Suite startup: how long `isthmus --help` takes, from the start of the process to its end."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from bench.machine import say, write
from bench.process import run

LIMIT_SECONDS = 0.3


def measure(rounds: int) -> None:
    """Run it once to warm the caches, then `rounds` times; write one line with the median."""
    command = [str(Path(sys.executable).parent / "isthmus"), "--help"]
    run(command)
    runs = [run(command) for _ in range(rounds)]
    assert all(one.code == 0 for one in runs), runs[0].output
    seconds = median(one.seconds for one in runs)
    say(f"startup: isthmus --help takes {seconds:.3f} s")
    write(
        "startup",
        {
            "measured": "isthmus --help",
            "seconds": round(seconds, 3),
            "cpu_seconds": round(median(one.cpu_seconds for one in runs), 3),
            "within_limit": seconds < LIMIT_SECONDS,
            "all_seconds": [round(one.seconds, 3) for one in runs],
        },
    )
