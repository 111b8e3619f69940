"""Suite references: precision and recall of reference detection on databases with planted truth.

A unit is a path and one collection's key that it points at. Whatever is found and not planted is wrong, also where all
ids of one collection were planted as another's, which in practice is one identity on two places.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.data import Data
from bench.machine import say, write
from isthmus.sources import open_source
from isthmus.sources.reading import Options
from isthmus.survey.references import find_references
from isthmus.survey.scan import scan
from isthmus.work.progress import Progress
from tests.oracle.references import Score, score
from tests.planted import crm, random_database
from tests.planted.database import Database
from tests.planted.planter import Blemishes
from tests.planted.random_database import Settings
from tests.planted.write import write_dump

DOCUMENTS = 1000
CRM_DOCUMENTS = (300, 1000, 10_000)
ORPHANS = 0.05
SEED = 20_260_111


@dataclass
class Measured:
    """What became of several databases."""

    scores: list[Score] = field(default_factory=list[Score])
    identities: int = 0

    def line(self) -> dict[str, Any]:
        """Return the figures: of all units together, and of the worst database."""
        right = sum(len(one.right) for one in self.scores)
        wrong, missed = sum(len(one.wrong) for one in self.scores), sum(len(one.missed) for one in self.scores)
        judged = sum(one.judged for one in self.scores)
        told = [sentence for one in self.scores for sentence in one.told]
        return {
            "databases": len(self.scores),
            "right": right,
            "wrong": wrong,
            "wrong_shared_identities": self.identities,
            "missed": missed,
            "precision": round(right / (right + wrong), 4),
            "recall": round(right / (right + missed), 4),
            "worst_precision": round(min(one.precision for one in self.scores), 4),
            "worst_recall": round(min(one.recall for one in self.scores), 4),
            "compared_closely": judged,
            "wrong_cardinality": sum("cardinality" in sentence for sentence in told),
            "wrong_other_side": sum("other side" in sentence for sentence in told),
            "wrong_counts": sum("values" in sentence for sentence in told),
        }


def measure(data: Data, work: Path, databases: int, rounds: int) -> None:
    """Find the references of so many random databases of each kind, and of some of the CRM; one line each.

    The last line is about time: what finding them costs beside the first pass, which reads the same documents.
    """
    seeds = range(SEED, SEED + databases)
    kinds = {
        "ordinary": Settings(documents=DOCUMENTS, orphan_rate=ORPHANS),
        "small": Settings(documents=DOCUMENTS // 3, orphan_rate=ORPHANS),
        "most ids reused": Settings(documents=DOCUMENTS, orphan_rate=ORPHANS, reuse_rate=0.8),
        "many orphans": Settings(documents=DOCUMENTS, orphan_rate=0.2, stray_rate=0.05),
    }
    for kind, settings in kinds.items():
        _report(f"random, {kind}", {"first_seed": SEED, **asdict(settings)}, _random(seeds, settings), work)
    usual = crm.ORPHANS
    for name, orphans in (("crm", usual), ("crm, more orphans", Blemishes(orphans=ORPHANS))):
        crm.ORPHANS = orphans
        made = [(seed, documents) for seed in range(1, 2 + databases // 10) for documents in CRM_DOCUMENTS]
        _report(name, {"documents": CRM_DOCUMENTS, "orphan_rate": orphans.orphans}, _crm(made), work)
    crm.ORPHANS = usual
    _take_time(data, rounds)


def _random(seeds: Iterable[int], settings: Settings) -> Iterable[Callable[[], Database]]:
    return (lambda seed=seed: random_database.generate(seed=seed, settings=settings) for seed in seeds)


def _crm(made: list[tuple[int, int]]) -> Iterable[Callable[[], Database]]:
    return (
        lambda seed=seed, documents=documents: crm.generate(seed=seed, documents=documents) for seed, documents in made
    )


def _report(kind: str, settings: dict[str, Any], databases: Iterable[Callable[[], Database]], work: Path) -> None:
    measured = Measured()
    for make in databases:
        _find(make(), work / "planted", measured)
    line = measured.line()
    say(f"references: {kind}: precision {line['precision']}, recall {line['recall']} of {line['databases']} databases")
    write("references", {"measured": "precision and recall", "data": {"kind": kind, **settings}, **line})


def _find(database: Database, folder: Path, measured: Measured) -> None:
    source = open_source(str(write_dump(database, folder).dump))
    options, progress, stop = Options(), Progress(), threading.Event()
    try:
        survey, ids = scan(source, options, progress, stop)
        found = find_references(source, survey, ids, options, progress, stop)
    finally:
        source.close()
        shutil.rmtree(folder)
    compared = score(database.truth, found)
    measured.scores.append(compared)
    measured.identities += sum(path == ("_id",) for _, path, _, _ in compared.wrong)


def _take_time(data: Data, rounds: int) -> None:
    source = open_source(data.folder)
    options, progress, stop = Options(workers=1), Progress(), threading.Event()
    passes: list[tuple[float, float]] = []
    references = 0
    try:
        for _ in range(rounds):
            began_at = time.monotonic()
            survey, ids = scan(source, options, progress, stop)
            between = time.monotonic()
            references = len(find_references(source, survey, ids, options, progress, stop))
            passes.append((between - began_at, time.monotonic() - between))
    finally:
        source.close()
    first, second = median(one for one, _ in passes), median(other for _, other in passes)
    say(f"references: pass 1 takes {first:.2f} s, looking up {second:.2f} s")
    write(
        "references",
        {
            "measured": "time",
            "data": data.described(),
            "references": references,
            "pass_1_seconds": round(first, 3),
            "references_seconds": round(second, 3),
            "references_to_pass_1": round(second / first, 2),
            "all_seconds": [[round(one, 3) for one in both] for both in passes],
        },
    )
