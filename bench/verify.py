"""Suite verify: the checksum of a target, and all layers, each against the copy that made it, in alternating runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import bson
from bson import ObjectId

from bench.data import Data
from bench.load import MAPPING, copy_arguments, observe
from bench.machine import say, write
from bench.server import Server, server


@dataclass(frozen=True)
class _Cost:
    """What one command spent: by the clock, and processor time of client and server together."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def _run(on: Server, arguments: list[str], work: Path) -> _Cost:
    on.settle()
    before = on.cpu_seconds()
    measured, _ = observe(arguments, work / "notes.json", "--server", str(on.pid), sample_memory=True)
    return _Cost(measured.seconds, measured.cpu_seconds + on.cpu_seconds() - before, measured.peak_bytes or 0)


_SHAPES_DOCUMENTS = 60_000
_SHAPES = {
    "merge": """isthmus: 1
collections:
  a: {on_duplicate: merge, fields: {n: {type: integer!, unique: true}, t: text, r: {references: a, column: r_id}}}
""",
    "orphans": """isthmus: 1
collections:
  a: {fields: {n: integer, t: text, r: {references: a, column: r_ids, type: "uuid[]", on_orphan: drop}}}
""",
}
"""Mappings under which rows depend on other documents. In `merge` none is joined; in `orphans` one array in twenty has
an element that points at nothing."""


def _write_shape(name: str, folder: Path) -> Data:
    folder.mkdir(parents=True)
    size = 0
    with (folder / "a.bson").open("wb") as file:
        for number in range(_SHAPES_DOCUMENTS):
            near, lost = _id(number * 7 % _SHAPES_DOCUMENTS), _id(_SHAPES_DOCUMENTS + number)
            lists = [near, lost] if number % 20 == 0 else [near]
            value = near if name == "merge" else lists
            size += file.write(bson.encode({"_id": _id(number), "n": number, "t": "x" * 400, "r": value}))
    return Data(str(folder), name, _SHAPES_DOCUMENTS, size, 0)


def _id(number: int) -> ObjectId:
    return ObjectId(number.to_bytes(12, "big"))


def measure_shapes(work: Path, rounds: int, workers: int) -> None:
    """Copy and verify the checksum of what is harder to compare; write a line for each, memory in it."""
    for name, mapping in _SHAPES.items():
        folder = work / f"shape_{name}"
        data = _write_shape(name, folder / "bench")
        (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
        runs: dict[str, list[_Cost]] = {"copy": [], "checksum": []}
        with server() as on:
            for _ in range(rounds):
                with on.database() as conninfo:
                    copy = copy_arguments(folder / "mapping.yaml", data, conninfo, work, workers)
                    runs["copy"].append(_run(on, copy, work))
                    verify = ["verify", str(folder / "mapping.yaml"), "--target", conninfo, "--source", data.folder]
                    runs["checksum"].append(_run(on, [*verify, "--layers", "checksum"], work))
            version = on.version
        line: dict[str, Any] = {"data": data.described(), "streams": workers, "postgres": {"version": version}}
        write("verify", {**line, **_medians(runs), "checksum_to_copy": _ratio(runs)})


def _medians(runs: dict[str, list[_Cost]]) -> dict[str, Any]:
    return {
        name: {
            "seconds": round(median(cost.seconds for cost in costs), 3),
            "cpu_seconds": round(median(cost.cpu_seconds for cost in costs), 3),
            "peak_mib": round(max(cost.peak_bytes for cost in costs) / 2**20),
            "all_seconds": [round(cost.seconds, 3) for cost in costs],
        }
        for name, costs in runs.items()
    }


def _ratio(runs: dict[str, list[_Cost]]) -> float:
    checksum, copy = (median(cost.seconds for cost in runs[name]) for name in ("checksum", "copy"))
    return round(checksum / copy, 3)


def measure(data: Data, work: Path, rounds: int, workers: int) -> None:
    """Copy, verify the checksum alone, and verify all layers, in turn; write one line with medians and ratios."""
    runs: dict[str, list[_Cost]] = {"copy": [], "checksum": [], "all": []}
    where = ["--source", str(data.folder), "--workers", str(workers), "--json", str(work / "verify.json")]
    checked = 0
    with server() as on:
        for number in range(rounds):
            with on.database() as conninfo:
                runs["copy"].append(_run(on, copy_arguments(MAPPING, data, conninfo, work, workers), work))
                verify = ["verify", str(MAPPING), "--target", conninfo, *where]
                runs["checksum"].append(_run(on, [*verify, "--layers", "checksum"], work))
                runs["all"].append(_run(on, verify, work))
            told = json.loads((work / "verify.json").read_text(encoding="utf-8"))
            assert told["outcome"] == "passed", told["differences"]
            checked = told["layers"]["checksum"]["checked"]
            words = (f"{name} {costs[-1].seconds:.2f} s" for name, costs in runs.items())
            say(f"round {number + 1} of {rounds}: {', '.join(words)}")
        version = on.version
    line: dict[str, Any] = {
        "data": data.described(),
        "streams": workers,
        "postgres": {"version": version},
        "rows": checked,
    }
    line |= _medians(runs)
    for name in ("checksum", "all"):
        line[f"{name}_to_copy"] = round(line[name]["seconds"] / line["copy"]["seconds"], 3)
        line[f"{name}_to_copy_cpu"] = round(line[name]["cpu_seconds"] / line["copy"]["cpu_seconds"], 3)
    write("verify", line)
