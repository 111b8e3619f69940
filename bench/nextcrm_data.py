"""The NextCRM of the benchmarks: its busy database as a dump, written by the application's own generator."""

from __future__ import annotations

from pathlib import Path

from apps.generating.sinks import DumpFolder
from apps.nextcrm.generator.build import generate, profile_of
from bench.data import SEED, Data, found, keep
from bench.machine import say

DOCUMENTS = 1_000_000


def busy(folder: Path, documents: int = DOCUMENTS) -> Data:
    """Make the database below `folder`, or find the one of this size and seed that was made before.

    `documents` of the result are those that are copied: of the 29 collections, and a few of one that has another name
    now. The dump has six more, of collections that are skipped.
    """
    root = folder / f"nextcrm-{documents}-{SEED}"
    known = found(root)
    if known is not None:
        return known
    say(f"writing the busy NextCRM, {documents:,} documents")
    dump = root / "nextcrm"
    truth = generate(profile_of("busy", documents), SEED, DumpFolder(dump))
    size = sum(file.stat().st_size for file in dump.glob("*.bson"))
    carried = sum(truth.read.values()) + sum(truth.renamed.values())
    return keep(root, Data(str(dump), "nextcrm", carried, size, SEED))
