"""Measure speed and memory: `python -m bench.run [SUITE…] [--quick]`. Prints one JSON line a result.

Suites: startup, check, transcode, survey, references, load, verify, live, memory, nextcrm, nextcrm_verify,
nextcrm_queries, service, petsitting. Lines go to bench/results/SUITE.jsonl, unless --quick asks for sizes that are good
for a look only.
What is compared, and why that is fair, stands in bench/README.md.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import (
    check,
    live,
    load,
    machine,
    memory,
    nextcrm,
    nextcrm_data,
    nextcrm_queries,
    nextcrm_verify,
    petsitting,
    references,
    service,
    startup,
    survey,
    transcode,
    verify,
)
from bench import data as make

SUITES = (
    "startup",
    "check",
    "transcode",
    "survey",
    "references",
    "load",
    "verify",
    "live",
    "memory",
    "nextcrm",
    "nextcrm_verify",
    "nextcrm_queries",
    "service",
    "petsitting",
)
_CRM = {"nextcrm", "nextcrm_verify", "nextcrm_queries"}
_WITHOUT_SMALL = {"startup", "check", "live", "service", "petsitting", *_CRM}
"""Suites that do not need the small set."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    small_documents: int
    live_documents: int
    large_documents: int
    planted_databases: int
    rounds: int
    migrations: int
    nextcrm_documents: int
    service_users: int
    service_requests: int
    petsitting_listings: int
    petsitting_requests: int


FULL = Sizes(
    make.SMALL_DOCUMENTS, 60_000, make.LARGE_DOCUMENTS, 60, 5, 500, nextcrm_data.DOCUMENTS, 100_000, 2_000, 100_000, 400
)
QUICK = Sizes(50_000, 10_000, 16, 5, 2, 50, 50_000, 2_000, 400, 5_000, 100)


def main() -> None:
    """Run the chosen suites."""
    parser = _parser()
    arguments = parser.parse_args()
    unknown = set(arguments.suites) - set(SUITES)
    if unknown:
        parser.error(f"no suite is called {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    chosen = [suite for suite in SUITES if suite in (arguments.suites or SUITES)]
    sizes = QUICK if arguments.quick else FULL
    rounds = arguments.rounds or sizes.rounds
    machine.keep_results = not arguments.quick
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="isthmus-bench-"))
    try:
        work = folder / "work"
        work.mkdir(parents=True, exist_ok=True)
        if "startup" in chosen:
            startup.measure(10)
        if "check" in chosen:
            check.measure(work, sizes.migrations, 10)
        small = _data(folder, "small", sizes.small_documents) if set(chosen) - _WITHOUT_SMALL else None
        if "transcode" in chosen and small:
            transcode.measure(small, max(rounds, 5))
        if "survey" in chosen and small:
            survey.measure([small, _data(folder, "large", sizes.large_documents)], work, rounds)
        if "references" in chosen and small:
            references.measure(small, work, sizes.planted_databases, rounds)
        if "load" in chosen and small:
            load.measure(small, work, rounds, arguments.streams)
        if "verify" in chosen and small:
            verify.measure(small, work, rounds, arguments.streams)
            verify.measure_shapes(work, rounds, arguments.streams)
        if "live" in chosen:
            live.measure(_data(folder, "small", sizes.live_documents), work, rounds, arguments.streams)
        if "memory" in chosen and small:
            large = _data(folder, "large", sizes.large_documents)
            memory.measure([small, large], work, arguments.workers)
        if _CRM & set(chosen):
            crm = nextcrm_data.busy(folder, arguments.documents or sizes.nextcrm_documents)
            _measure_crm(crm, chosen, work, min(rounds, 3), arguments.streams)
        if "service" in chosen:
            service.measure(work, sizes.service_users, 10 * sizes.service_users, rounds, sizes.service_requests)
        if "petsitting" in chosen:
            petsitting.measure(work, sizes.petsitting_listings, min(rounds, 3), sizes.petsitting_requests)
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure speed and memory; prints JSON lines.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="small sizes, results printed only: a minute or two")
    parser.add_argument("--rounds", type=int, help="runs of each contender")
    parser.add_argument("--streams", type=int, default=2, help="workers of the copy and streams of the floor (2)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 16], help="for memory (1 4 16)")
    parser.add_argument("--documents", type=int, help="of the CRM in all, instead of a million")
    parser.add_argument("--folder", type=Path, help="keep the data here and use it again; temporary by default")
    return parser


def _measure_crm(crm: make.Data, chosen: list[str], work: Path, rounds: int, streams: int) -> None:
    if "nextcrm" in chosen:
        nextcrm.measure(crm, work, rounds, streams)
    if "nextcrm_verify" in chosen:
        nextcrm_verify.measure(crm, work, streams)
    if "nextcrm_queries" in chosen:
        nextcrm_queries.measure(crm, work, streams)


def _data(folder: Path, kind: str, documents: int) -> make.Data:
    """Make a set, or find the one of this size and seed that was made before."""
    root = folder / f"{kind}-{documents}-{make.SEED}"
    known = make.found(root)
    if known is not None:
        return known
    machine.say(f"writing the {kind} set, {documents:,} documents")
    return (make.small if kind == "small" else make.large)(root, documents)


if __name__ == "__main__":
    main()
