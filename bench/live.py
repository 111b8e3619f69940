"""Suite live: a copy from a running server, its own processor time against a bare read of the same collections.

What the servers spend on either side is not counted: the MongoDB side is a stand-in, and the PostgreSQL side is what
the suite `load` is about.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench import mongo
from bench.data import Data
from bench.load import MAPPING, copy_arguments, observe
from bench.machine import say, write
from bench.process import run
from bench.server import Server, server


@dataclass(frozen=True)
class Own:
    """Processor time of one `isthmus copy`, without any server's.

    Attributes:
        load: From the open run to the last document carried.
        comparison: From there to the end of the load: the second read, which tells whether the source moved.
        whole: The whole command, from the start of Python to its exit.
    """

    load: float
    comparison: float
    whole: float


def measure(data: Data, work: Path, rounds: int, workers: int) -> None:
    """Read barely and copy, in turn; write one line with all rounds, medians and ratios."""
    names = [file.stem for file in sorted(Path(data.folder).glob("*.bson"))]
    say(f"writing {data.documents:,} documents to the wire server")
    with mongo.serving(Path(data.folder)) as url, server() as on:
        live = replace(data, folder=url)
        say("first copy, not counted: it warms the caches")
        _copy(on, live, work, workers)
        bare: list[dict[str, float]] = []
        ours: list[Own] = []
        for number in range(rounds):
            bare.append(_bare_read(url, names, data.bytes))
            ours.append(_copy(on, live, work, workers))
            say(f"round {number + 1} of {rounds}: bare read {bare[-1]['cpu_seconds']:.2f} s; isthmus {ours[-1]}")
        version = on.version
    floor = median(one["cpu_seconds"] for one in bare)
    line: dict[str, Any] = {
        "data": data.described(),
        "streams": workers,
        "servers": {"mongodb": mongo.version_of_server(), "postgres": version},
        "bare_read": {
            "cpu_seconds": round(floor, 3),
            "mb_per_cpu_second": round(data.bytes / floor / 1e6, 1),
            "seconds": round(median(one["seconds"] for one in bare), 3),
            "all_cpu_seconds": [round(one["cpu_seconds"], 3) for one in bare],
        },
    }
    for phase in ("load", "comparison", "whole"):
        spent = [float(getattr(one, phase)) for one in ours]
        line[phase] = {
            "cpu_seconds": round(median(spent), 3),
            "ratio": round(median(spent) / floor, 2),
            "all_cpu_seconds": [round(one, 3) for one in spent],
        }
    write("live", line)


def _bare_read(url: str, collections: list[str], size: int) -> dict[str, float]:
    measured = run([sys.executable, "-m", "bench.bare_read", url, *collections])
    if measured.code:
        raise SystemExit(f"the bare read ended with {measured.code}:\n{measured.output}")
    spent: dict[str, float] = json.loads(measured.output)
    assert spent["bytes"] == size, spent
    return spent


def _copy(on: Server, live: Data, work: Path, workers: int) -> Own:
    with on.database() as conninfo:
        on.settle()
        measured, notes = observe(copy_arguments(MAPPING, live, conninfo, work, workers), work / "notes.json")
        told = json.loads((work / "copy.json").read_text(encoding="utf-8"))
    assert sum(entry["copied"] for entry in told["collections"].values()) == live.documents, told["collections"]
    assert told["moved"]["changed"] == 0, told["moved"]
    begun, loaded, compared = (
        notes["marks"][mark]["cpu"] for mark in ("begin.after-commit", "copy.partition-done", "copy.complete")
    )
    return Own(loaded - begun, compared - loaded, measured.cpu_seconds)
