"""What a retry of dead letters is asked for and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from isthmus.transfer.balance import Balance


@dataclass(frozen=True)
class Elsewhere:
    """Dead letters of another run, the last copy of their collection: how many of a collection have a code."""

    run: int
    collection: str
    code: str
    count: int


@dataclass
class RetryResult:
    """What a retry came to.

    Attributes:
        run: Number of the run; None when it was refused before one was found.
        outcome: complete; interrupted (the same command goes on); failed (an error ended it).
        tried: Collection → letters that were looked at by this call.
        untried: Collection → those of them that cannot be retried.
        why_untried: Collection → why (several reasons may hold), and what to do; for people.
        carried: Collection → letters that this call carried.
        skipped: Collection → letters that the mapping leaves behind now.
        restored: Reference → references that this call set again.
        unrestored: Reference → those whose document is there, and that could not be set.
        by_default: References of carried letters that were handled by a default instead of a stated policy.
        kept_by_default: Carried letters whose row was there, says something else, and was kept by a default.
        left: (collection, stage, code, count) of the letters that stay; not those of collections that a later run
            carried again, which are untried.
        elsewhere: Letters of the last copies that are of other runs, and were not tried.
        balance: The books afterwards; None when it did not come that far.
        seconds: How long it took.
    """

    run: int | None = None
    outcome: Literal["complete", "interrupted", "failed"] = "interrupted"
    tried: dict[str, int] = field(default_factory=dict[str, int])
    untried: dict[str, int] = field(default_factory=dict[str, int])
    why_untried: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    carried: dict[str, int] = field(default_factory=dict[str, int])
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    restored: dict[str, int] = field(default_factory=dict[str, int])
    unrestored: dict[str, int] = field(default_factory=dict[str, int])
    by_default: int = 0
    kept_by_default: int = 0
    left: list[tuple[str, str, str, int]] = field(default_factory=list[tuple[str, str, str, int]])
    elsewhere: list[Elsewhere] = field(default_factory=list[Elsewhere])
    balance: Balance | None = None
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 when no letter is left, 1 when one is or something was handled by a default, 130 when it was stopped."""
        if self.outcome != "complete":
            return 130
        wanting = self.balance is None or bool(self.balance.differences)
        by_default = self.by_default or self.kept_by_default
        return 1 if self.left or by_default or self.unrestored or wanting else 0

    def note_untried(self, collection: str, why: str) -> None:
        """Count a letter that cannot be retried."""
        self.untried[collection] = self.untried.get(collection, 0) + 1
        reasons = self.why_untried.setdefault(collection, [])
        if why not in reasons:
            reasons.append(why)


@dataclass(frozen=True)
class Choice:
    """Which letters to try: of one collection, with one code, or all."""

    collection: str | None = None
    code: str | None = None

    def meets(self, collection: str, code: str) -> bool:
        """Tell whether a letter is among them."""
        return self.collection in (None, collection) and self.code in (None, code)
