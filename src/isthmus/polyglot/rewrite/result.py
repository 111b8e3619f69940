"""What a rewrite came to: counts of each place, the first values of each outcome, and the exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["dry-run", "live", "undo-dry-run", "undo"]
End = Literal["complete", "interrupted", "failed"]

CHANGES = frozenset({"would_change", "changed", "would_restore", "restored"})
"""Outcomes of values that are, or would be, replaced."""

FINE = CHANGES | {"canonical", "elsewhere", "gone", "left_before", "would_leave_id", "id_left"}
"""Outcomes that ask nobody to do anything; all others make the exit code 1."""


@dataclass(frozen=True)
class OtherId:
    """The id of a row that others put in the place of what was written.

    Attributes:
        id: What stands there now.
        table: The table of its row; None where no copy's row has it any more.
        documents: Which documents that row is, each as its collection and `_id`.
    """

    id: str
    table: str | None
    documents: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """One value that is told by name.

    Attributes:
        collection: The collection.
        source_id: `{"_id": value}` as BSON.
        path: Where in the document, for people.
        old: `{"": value}` as BSON: what stands there, of an undo what stood there.
        becomes: The text that replaces it; of an undo the text that was written; None where there is none.
        outcome: What became of it.
        reason: Why, where the outcome has reasons; None otherwise.
        sensitive: Whether its values must not be shown.
        stands: Of an undo the id of a row that others put there; None for anything else.
    """

    collection: str
    source_id: bytes
    path: str
    old: bytes
    becomes: str | None
    outcome: str
    reason: str | None
    sensitive: bool
    stands: OtherId | None = None


@dataclass
class PlaceBooks:
    """The values of one path of one collection.

    Attributes:
        leads_to: Tables whose ids may stand there.
        counts: Outcome → values; of `cannot` also by reason, as `cannot:reason`.
    """

    leads_to: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter[str])

    @property
    def values(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    def of(self, outcome: str) -> int:
        """Return how many came to an outcome, for whatever reason."""
        return sum(count for name, count in self.counts.items() if name.partition(":")[0] == outcome)

    def reasons(self, outcome: str) -> dict[str, int]:
        """Return reason → values of an outcome that has reasons."""
        split = ((name.partition(":"), count) for name, count in self.counts.items())
        return {reason: count for (name, _, reason), count in split if name == outcome and reason and count}


@dataclass
class RewriteResult:
    """What a rewrite, or its undoing, came to so far.

    Attributes:
        mode: What was asked for.
        outcome: How it ended.
        rewrite: Its number in the target; None where nothing was written, or several were undone.
        resumed: Whether it went on with one that had been ended.
        seconds: How long it took, this time.
        documents: Collection → documents read, also in earlier sessions.
        changed: In how many of them a value is, or would be, replaced.
        missing: Collections of the mapping that the source does not have.
        places: (collection, path) → its books, in the mapping's order.
        listed: The first values of each place and outcome.
        limit: Most of these for each.
        left_out: (collection, path, why) of places that nothing is done at.
    """

    mode: Mode = "dry-run"
    outcome: End = "interrupted"
    rewrite: int | None = None
    resumed: bool = False
    seconds: float = 0.0
    documents: dict[str, int] = field(default_factory=dict[str, int])
    changed: int = 0
    missing: list[str] = field(default_factory=list[str])
    places: dict[tuple[str, str], PlaceBooks] = field(default_factory=dict[tuple[str, str], PlaceBooks])
    listed: list[Listed] = field(default_factory=list[Listed])
    limit: int = 0
    left_out: tuple[tuple[str, str, str], ...] = ()

    def count(self, collection: str, path: str, name: str) -> int:
        """Count one more value of a place by its outcome, of `cannot` as `cannot:reason`; return how many there are."""
        counts = self.places.setdefault((collection, path), PlaceBooks()).counts
        counts[name] += 1
        return counts[name]

    def total(self, *outcomes: str) -> int:
        """Return how many values came to any of some outcomes."""
        return sum(books.of(outcome) for books in self.places.values() for outcome in outcomes)

    @property
    def open(self) -> int:
        """Values that somebody must look at."""
        return sum(
            count
            for books in self.places.values()
            for name, count in books.counts.items()
            if name.partition(":")[0] not in FINE
        )

    @property
    def exit_code(self) -> int:
        """0 nothing is left to look at, 1 something is, 130 stopped before the end; an error has its own."""
        if self.outcome == "interrupted":
            return 130
        return 1 if self.open else 0

    def summary(self) -> dict[str, Any]:
        """Return the facts without the values: mode, outcome, rewrite, resumed, documents that are changed, seconds."""
        return {
            "mode": self.mode,
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "rewrite": self.rewrite,
            "resumed": self.resumed,
            "documents_changed": self.changed,
            "seconds": round(self.seconds, 3),
        }
