"""Suite load: the load phase and the whole copy, each against its floor, in alternating runs on one server."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import floor
from bench.data import Data
from bench.machine import say, write
from bench.process import Measured, run
from bench.server import Server, server

MAPPING = Path(__file__).parent / "mappings" / "small.yaml"
KEY = bytes(range(32))


@dataclass(frozen=True)
class Cost:
    """What one contender spent on one phase.

    Attributes:
        seconds: By the clock.
        cpu_seconds: Processor time of client and server together.
    """

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Copied:
    """One run of `isthmus copy`: its load phase, its finish phase, the whole command, and what finish executed.

    `high_water_bytes` is the kernel's own peak of the resident memory of the process, 0 for the floor.
    """

    load: Cost
    finish: Cost
    whole: Cost
    finish_statements: floor.Finish | None
    high_water_bytes: int


def observe(
    arguments: list[str], notes: Path, *options: str, sample_memory: bool = False, codes: tuple[int, ...] = (0,)
) -> tuple[Measured, dict[str, Any]]:
    """Run `isthmus` with these arguments under `bench.observed`; return what it cost and its notes."""
    command = [sys.executable, "-m", "bench.observed", str(notes), *options, "--", *arguments]
    measured = run(command, sample_memory=sample_memory)
    if measured.code not in codes:
        raise SystemExit(f"{' '.join(command)} ended with {measured.code}:\n{measured.output}")
    return measured, json.loads(notes.read_text(encoding="utf-8"))


def copy_arguments(mapping: Path, data: Data, conninfo: str, work: Path, workers: int) -> list[str]:
    """Return the arguments of the copy that is measured. Its ids are derived with `KEY`."""
    key_file = work / "id.key"
    key_file.write_text(KEY.hex(), encoding="ascii")
    where = ["--source", data.folder, "--target", conninfo, "--id-key", str(key_file)]
    return ["copy", str(mapping), *where, "--workers", str(workers), "--json", str(work / "copy.json")]


def copy_into(
    on: Server,
    conninfo: str,
    mapping: Path,
    data: Data,
    work: Path,
    workers: int,
    *,
    record: bool = False,
    codes: tuple[int, ...] = (0,),
    finished_at: str = "finish.before-complete",
) -> tuple[Copied, dict[str, Any]]:
    """Run one copy and split what it cost; return that and its `--json`. The server settles first.

    The phase of finish lasts until the stage `finished_at`. Before that of the default only the books are left to draw,
    where the copy makes the tables; where they exist, the delivery as well.
    """
    on.settle()
    before = on.cpu_seconds()
    options = ["--server", str(on.pid), *(["--record"] if record else [])]
    command = copy_arguments(mapping, data, conninfo, work, workers)
    measured, notes = observe(command, work / "notes.json", *options, codes=codes)
    whole = Cost(measured.seconds, measured.cpu_seconds + on.cpu_seconds() - before)
    begun, loaded, finished = (notes["marks"][m] for m in ("begin.after-commit", "copy.complete", finished_at))
    told = json.loads((work / "copy.json").read_text(encoding="utf-8"))
    high_water: int = notes["high_water_bytes"]
    return Copied(_between(begun, loaded), _between(loaded, finished), whole, notes["finish"], high_water), told


def _copy(on: Server, data: Data, work: Path, workers: int, *, record: bool) -> Copied:
    with on.database() as conninfo:
        copied, told = copy_into(on, conninfo, MAPPING, data, work, workers, record=record)
    books = told["collections"]
    assert sum(entry["copied"] for entry in books.values()) == data.documents, books
    return copied


def _between(start: dict[str, float], end: dict[str, float]) -> Cost:
    cpu = sum(end[name] - start[name] for name in ("cpu", "server_cpu"))
    return Cost(end["at"] - start["at"], cpu)


def floor_run(
    on: Server,
    mapping: Path,
    data: Data,
    tables: list[floor.Rows],
    record: floor.Finish,
    work: Path,
    workers: int,
    *,
    finished: bool = False,
) -> Copied:
    """Run the floor in tables that the isthmus run itself made: it ends before its first row.

    `finished` says that the rows are those of a finished copy, which has no columns for its own use any more.
    """
    with on.database() as conninfo:
        command = copy_arguments(mapping, data, conninfo, work, workers)
        observe(command, work / "notes.json", "--end-at", "begin.after-commit")
        if finished:
            floor.drop_hidden(conninfo)
        on.settle()
        clock = [(time.process_time() + on.cpu_seconds())]
        load_seconds = floor.load(conninfo, tables, workers)
        clock.append(time.process_time() + on.cpu_seconds())
        finish_seconds = floor.finish(conninfo, record, workers)
        clock.append(time.process_time() + on.cpu_seconds())
    return Copied(
        Cost(load_seconds, clock[1] - clock[0]),
        Cost(finish_seconds, clock[2] - clock[1]),
        Cost(load_seconds + finish_seconds, clock[2] - clock[0]),
        None,
        0,
    )


def measure(data: Data, work: Path, rounds: int, workers: int) -> None:
    """Run both contenders in turn and write one line with all rounds, medians and ratios."""
    say(f"encoding the rows of {data.documents:,} documents for the floor")
    tables = floor.encode(MAPPING, data.folder, KEY)
    rows, row_bytes = sum(table.rows for table in tables), sum(table.bytes for table in tables)
    with server() as on:
        say("first copy, not counted: it warms the caches and records what finish executes")
        record = _copy(on, data, work, workers, record=True).finish_statements
        assert record
        ours: list[Copied] = []
        floors: list[Copied] = []
        for number in range(rounds):
            floors.append(floor_run(on, MAPPING, data, tables, record, work, workers))
            ours.append(_copy(on, data, work, workers, record=False))
            say(f"round {number + 1} of {rounds}: floor {told(floors[-1])}; isthmus {told(ours[-1])}")
        version, settings = on.version, on.settings
    line: dict[str, Any] = {
        "data": data.described(),
        "rows": rows,
        "row_bytes": row_bytes,
        "streams": workers,
        "postgres": {"version": version, "settings": settings or "defaults"},
        "finish_statements": sum(len(work) for group in record for work in group),
    }
    for phase in ("load", "finish", "whole"):
        line[phase] = compared(phase, floors, ours, data, rows)
    write("load", line)


def compared(phase: str, floors: list[Copied], ours: list[Copied], data: Data, rows: int) -> dict[str, Any]:
    """Return medians, single runs and ratios of one phase, `load`, `finish` or `whole`, as JSON values."""
    sides: dict[str, Any] = {}
    for name, runs in (("floor", floors), ("isthmus", ours)):
        costs: list[Cost] = [getattr(one, phase) for one in runs]
        seconds = median(cost.seconds for cost in costs)
        sides[name] = {
            "seconds": round(seconds, 3),
            "best_seconds": round(min(cost.seconds for cost in costs), 3),
            "cpu_seconds": round(median(cost.cpu_seconds for cost in costs), 3),
            "mb_per_second": round(data.bytes / seconds / 1e6, 1),
            "rows_per_second": round(rows / seconds),
            "all_seconds": [round(cost.seconds, 3) for cost in costs],
            "all_cpu_seconds": [round(cost.cpu_seconds, 3) for cost in costs],
        }
    return {
        "ratio": _ratio(sides, "seconds"),
        "best_ratio": _ratio(sides, "best_seconds"),
        "cpu_ratio": _ratio(sides, "cpu_seconds"),
        **sides,
    }


def _ratio(sides: dict[str, Any], figure: str) -> float:
    return round(sides["floor"][figure] / sides["isthmus"][figure], 3)


def told(run: Copied) -> str:
    """Say what a run cost, for a person."""
    return ", ".join(
        f"{phase} {cost.seconds:.2f} s ({cost.cpu_seconds:.2f} s of processors)"
        for phase, cost in (("load", run.load), ("finish", run.finish), ("whole", run.whole))
    )
