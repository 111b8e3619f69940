"""Hold what was planted in the sample against what a copy made of it.

Pure: the ledgers come in as plain values. A planted fault is found when the ledger that its fate names holds it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from isthmus.demo import TRUTH

WHERE = {
    "dead_letter": "dead letter, with its bytes",
    "null": "set to NULL, old id in the orphan ledger",
    "pair_dropped": "pair left out, old id in the orphan ledger",
    "adjusted": "changed as the mapping says, and listed",
    "skipped": "left behind, with the reason, as the mapping says",
    "once": "one pair",
    "left_out": "no pair; counted",
    "last_wins": "the last one is kept; counted",
}


@dataclass(frozen=True)
class Chapter:
    """One kind of planted fault.

    Attributes:
        kind: What was planted, for people.
        planted: How many.
        found: How many of them the ledgers hold; None where only a count exists, not a row.
        where: What became of them, for people.
        fate: The same as the truth file names it.
    """

    kind: str
    planted: int
    found: int | None
    where: str
    fate: str = ""

    @property
    def as_planned(self) -> bool:
        """Whether every one of them is where it belongs."""
        return self.found is None or self.found == self.planted


def tell(
    letters: Iterable[tuple[str, str | None, str]],
    orphans: Iterable[tuple[str, str | None, str]],
    adjusted: Iterable[tuple[str, str | None, str]],
    skipped: int,
) -> list[Chapter]:
    """Return what became of every planted fault, by kind, in the order of the truth file.

    Args:
        letters: (collection, `_id` as 24 hex digits, code) of the dead letters.
        orphans: (collection, `_id` of the document that held the reference, action) of the orphan ledger.
        adjusted: (collection, `_id`, kind) of the listed adjustments.
        skipped: Documents that the mapping left behind.
    """
    planted = json.loads(TRUTH.read_text(encoding="utf-8"))["planted"]
    ledgers = {
        "dead_letter": set(letters),
        "adjusted": set(adjusted),
        "null": {(collection, source_id, "null") for collection, source_id, action in orphans if action == "null"},
        "pair_dropped": {(collection, source_id, "") for collection, source_id, _action in orphans},
    }
    grouped: dict[tuple[str, str], list[dict[str, str]]] = {}
    for fault in planted:
        grouped.setdefault((fault["kind"], fault["fate"]), []).append(fault)
    chapters: list[Chapter] = []
    of_skips = sum(len(faults) for (_, fate), faults in grouped.items() if fate == "skipped")
    for (kind, fate), faults in grouped.items():
        found: int | None = None
        if fate in {"dead_letter", "adjusted"}:
            found = sum((f["collection"], f["id"], f["code"]) in ledgers[fate] for f in faults)
        elif fate == "null":
            found = sum((f["collection"], f["id"], "null") in ledgers["null"] for f in faults)
        elif fate == "skipped":
            found = len(faults) if skipped == of_skips else 0
        chapters.append(Chapter(kind, len(faults), found, WHERE.get(fate, fate), fate))
    return chapters


def planted_letters(chapters: Iterable[Chapter]) -> int:
    """Return how many of the planted faults become dead letters."""
    return sum(chapter.planted for chapter in chapters if chapter.fate == "dead_letter")


def verdict(letters: int) -> str:
    """Return what a copy came to whose every planted fault is where it belongs, given its number of dead letters."""
    if not letters:
        return "Nothing was lost: every document and every reference is accounted for."
    kept = "1 document that no table can hold is kept as a dead letter"
    if letters > 1:
        kept = f"{letters:,} documents that no table can hold are kept as dead letters"
    return f"Nothing was lost without a trace: {kept}, every other document and every reference is accounted for."
