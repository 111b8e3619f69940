"""What a copy came to, and its exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from isthmus.errors import SourceError
from isthmus.transfer.balance import Balance
from isthmus.transfer.moving.resume import Changes


@dataclass
class Result:
    """What a copy came to.

    Attributes:
        run: Number of the run; None when it was refused before one began.
        outcome: complete; interrupted (resumable); failed (a collection could not be read to its end, resumable).
        resumed: Whether an earlier session of this run had committed something.
        worked: Whether this call carried or finished anything; a session of it may have lost the server right behind
            the end of the run, and the next one then finds it complete.
        repeated: Whether the run was complete before and this call only compared.
        told: Whether the books of the complete run were printed by an earlier command; see `tell`.
        seconds: How long this call took.
        balance: The books; None unless the run is complete.
        changes: What differs in the source since the run completed; None unless `repeated`.
        moved: How the source differed from what was read of it when the load ended; None of one that stands still.
        broken: Collection → why its reading ended early.
        partial: Collection → books so far, when the run is not complete.
        fresh: Whether it was to start over (--fresh).
        dropped: Number of the run that was dropped first, then.
        delivers: Whether the run fills tables that are not its own.
        skipped_collections: Collections of the source that the mapping leaves behind as a whole → its reason.
        skipped_documents: The same → how many documents they have; None where the source does not tell it cheaply.
    """

    run: int | None = None
    outcome: Literal["complete", "interrupted", "failed"] = "interrupted"
    resumed: bool = False
    worked: bool = False
    repeated: bool = False
    told: bool = False
    seconds: float = 0.0
    balance: Balance | None = None
    changes: Changes | None = None
    moved: Changes | None = None
    broken: dict[str, SourceError] = field(default_factory=dict[str, SourceError])
    partial: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    fresh: bool = False
    dropped: int | None = None
    delivers: bool = False
    skipped_collections: dict[str, str] = field(default_factory=dict[str, str])
    skipped_documents: dict[str, int | None] = field(default_factory=dict[str, "int | None"])

    @property
    def exit_code(self) -> int:
        """The code of DESIGN section 11: the highest cause wins."""
        if self.outcome == "interrupted":
            return 130
        if self.broken or (self.changes and self.changes.broken):
            return 3
        if self.changes or self.balance is None or (self.moved and not self.told):
            return 1
        if self.balance.complete:
            return 0
        return 0 if self.told and not self.balance.differences else 1  # what was told before is no news
