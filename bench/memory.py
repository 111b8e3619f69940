"""Suite memory: peak resident memory of the isthmus process tree during a copy, without the server's."""

from __future__ import annotations

import json
from pathlib import Path

from bench.data import Data
from bench.load import copy_arguments, observe
from bench.machine import say, write
from bench.process import SAMPLE_SECONDS
from bench.server import Server, server

MAPPINGS = Path(__file__).parent / "mappings"
LIMIT_BYTES = 256 << 20


def measure(datas: list[Data], work: Path, workers: list[int]) -> None:
    """Copy each set with each number of workers; write one line a copy."""
    with server() as on:
        for data in datas:
            for count in workers:
                _measure(on, data, work, count)


def _measure(on: Server, data: Data, work: Path, workers: int) -> None:
    with on.database() as conninfo:
        on.settle()
        arguments = copy_arguments(MAPPINGS / f"{data.kind}.yaml", data, conninfo, work, workers)
        measured, notes = observe(arguments, work / "notes.json", sample_memory=True)
        books = json.loads((work / "copy.json").read_text(encoding="utf-8"))["collections"]
    copied = sum(entry["copied"] for entry in books.values())
    assert copied == data.documents, books
    assert measured.peak_bytes is not None
    assert measured.longest_gap_seconds is not None
    peak = max(measured.peak_bytes, notes["high_water_bytes"])
    say(f"memory: {data.kind}, {workers} workers: {peak / (1 << 20):.0f} MiB in {measured.seconds:.1f} s")
    write(
        "memory",
        {
            "data": data.described(),
            "workers": workers,
            "peak_mib": round(peak / (1 << 20), 1),
            "sampled_peak_mib": round(measured.peak_bytes / (1 << 20), 1),
            "high_water_mib": round(notes["high_water_bytes"] / (1 << 20), 1),
            "within_limit": peak <= LIMIT_BYTES,
            "sample_seconds": SAMPLE_SECONDS,
            "longest_gap_seconds": round(measured.longest_gap_seconds, 3),
            "seconds": round(measured.seconds, 2),
            "cpu_seconds": round(measured.cpu_seconds, 2),
            "mb_per_second": round(data.bytes / measured.seconds / 1e6, 1),
            "postgres": {"version": on.version, "settings": on.settings or "defaults"},
        },
    )
