"""Suite nextcrm: the whole CRM from a dump to PostgreSQL with all keys and indexes, against the floor.

Two ways, in turn with the floor: into tables that the copy makes, and the cutover, into tables that the migrations
made. Both have the same floor: the rows that a copy left, into tables without keys, and what finish defines there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ruamel.yaml import YAML

from bench import floor
from bench.data import Data
from bench.load import Copied, compared, copy_into, floor_run, told
from bench.machine import say, write
from bench.process import run
from bench.server import Server, server

HOME = Path(__file__).parents[1] / "apps" / "nextcrm"
MAPPING = HOME / "mapping.yaml"
ESTIMATE_HOURS = (3, 8)
"""What the project's own papers expected a million documents to take (facts, 4.9)."""
LIMIT_BYTES = 256 << 20
_CODES = (0, 1)
"""A database with planted faults has dead letters, so a copy ends with 1."""
_END = "complete.after-commit"
"""Where finish ends in both ways: delivery and books are part of it."""


@dataclass(frozen=True)
class Way:
    """One way of copying.

    Attributes:
        name: As the results call it.
        mapping: The mapping file.
        deploys: Whether the migrations make the tables first.
    """

    name: str
    mapping: Path
    deploys: bool


def ways(work: Path) -> tuple[Way, Way]:
    """Return both: tables of the copy's own, whose mapping is written into `work`, and the cutover."""
    own = Way("tables made by the copy", _mapping_of_own_tables(work), deploys=False)
    return own, Way("cutover: tables made by the migrations", MAPPING, deploys=True)


def _mapping_of_own_tables(work: Path) -> Path:
    yaml = YAML()
    mapping = yaml.load(MAPPING.read_text(encoding="utf-8"))
    del mapping["target"]["tables"]
    for rules in mapping["collections"].values():
        for word in ("match", "on_conflict"):
            rules.pop(word, None)
    file = work / "nextcrm-own-tables.yaml"
    with file.open("w", encoding="utf-8") as out:
        yaml.dump(mapping, out)
    return file


@contextmanager
def database_of(on: Server, way: Way) -> Iterator[tuple[str, float | None]]:
    """Give an empty database, deployed where the way says so, and the seconds that took."""
    with on.database() as conninfo:
        yield conninfo, _deploy(conninfo) if way.deploys else None


def _deploy(conninfo: str) -> float:
    command = [str(Path(sys.executable).with_name("isthmus")), "schema", "deploy", "--target", conninfo]
    deployed = run(command, folder=HOME)
    if deployed.code != 0:
        raise SystemExit(f"isthmus schema deploy ended with {deployed.code}:\n{deployed.output}")
    return deployed.seconds


def carry(
    on: Server, way: Way, conninfo: str, data: Data, work: Path, workers: int, *, record: bool = False
) -> tuple[Copied, dict[str, int]]:
    """Copy once; return what it cost and the books, summed over the collections. They must balance."""
    copied, result = copy_into(
        on, conninfo, way.mapping, data, work, workers, record=record, codes=_CODES, finished_at=_END
    )
    ends = ("copied", "merged", "kept", "skipped", "dead_letters")
    books = {name: sum(entry.get(name, 0) for entry in result["collections"].values()) for name in ("read", *ends)}
    assert books["read"] == sum(books[name] for name in ends), books
    assert books["read"] == data.documents, books
    return copied, books


def measure(data: Data, work: Path, rounds: int, workers: int) -> None:
    """Run the floor and both ways in turn; write a line for each way."""
    both = ways(work)
    with server() as on:
        say(f"first copy of {data.documents:,} documents, not counted: its rows and statements are the floor's")
        with database_of(on, both[0]) as (conninfo, _):
            first, _ = carry(on, both[0], conninfo, data, work, workers, record=True)
            tables = floor.read_back(conninfo)
        say(f"it took {told(first)}")
        assert first.finish_statements
        record = floor.definitions(first.finish_statements)
        floors: list[Copied] = []
        runs: dict[str, list[Copied]] = {way.name: [] for way in both}
        books: dict[str, dict[str, int]] = {}
        deploys: list[float] = []
        for number in range(rounds):
            floors.append(floor_run(on, both[0].mapping, data, tables, record, work, workers, finished=True))
            say(f"round {number + 1} of {rounds}: floor: {told(floors[-1])}")
            for way in both:
                with database_of(on, way) as (conninfo, deploy_seconds):
                    copied, books[way.name] = carry(on, way, conninfo, data, work, workers)
                runs[way.name].append(copied)
                deploys += [deploy_seconds] if deploy_seconds is not None else []
                say(f"round {number + 1} of {rounds}: {way.name}: {told(copied)}")
        version, settings = on.version, on.settings
    about: dict[str, Any] = {
        "data": data.described(),
        "tables": len(tables),
        "rows": sum(table.rows for table in tables),
        "row_bytes": sum(table.bytes for table in tables),
        "streams": workers,
        "postgres": {"version": version, "settings": settings or "defaults"},
        "finish_statements": sum(len(work) for group in record for work in group),
        "estimate_of_the_papers_hours": ESTIMATE_HOURS,
    }
    for way in both:
        mine = runs[way.name]
        peak = max(one.high_water_bytes for one in mine)
        line = {
            "way": way.name,
            **about,
            "books": books[way.name],
            "documents_per_second": round(data.documents / median(one.whole.seconds for one in mine)),
            "deploy_seconds": round(median(deploys), 3) if way.deploys else None,
            "peak_mib": round(peak / 2**20, 1),
            "within_limit": peak <= LIMIT_BYTES,
        }
        line |= {phase: compared(phase, floors, mine, data, about["rows"]) for phase in ("load", "finish", "whole")}
        write("nextcrm", line)
