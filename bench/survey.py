"""Suite survey: BSON surveyed a second by one worker, all passes together, and the peak memory of it."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import Any

from bench.data import Data
from bench.machine import say, write
from bench.process import Measured, run


def _survey(data: Data, work: Path, *more: str) -> Measured:
    command = [str(Path(sys.executable).with_name("isthmus")), "survey", str(data.folder), "--workers", "1", *more]
    measured = run([*command, "--json", str(work / "survey.json")], sample_memory=True)
    if measured.code != 0:
        raise SystemExit(f"{' '.join(command)} ended with {measured.code}:\n{measured.output}")
    return measured


def measure(sets: list[Data], work: Path, rounds: int) -> None:
    """Survey each set with one worker, over and over; write one line a set."""
    for data in sets:
        runs = [_survey(data, work) for _ in range(rounds)]
        seconds = median(one.seconds for one in runs)
        cpu = median(one.cpu_seconds for one in runs)
        say(f"{data.described()['kind']}: {data.bytes / cpu / 1e6:.0f} MB of BSON a second of processor time")
        line: dict[str, Any] = {
            "data": data.described(),
            "workers": 1,
            "seconds": round(seconds, 3),
            "cpu_seconds": round(cpu, 3),
            "mb_per_second": round(data.bytes / seconds / 1e6, 1),
            "mb_per_cpu_second": round(data.bytes / cpu / 1e6, 1),
            "peak_mib": round(max(one.peak_bytes or 0 for one in runs) / 2**20),
            "all_seconds": [round(one.seconds, 3) for one in runs],
        }
        write("survey", line)
