"""What a deletion came to: of each place how much, what became of it, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Fate = Literal["removed", "signed off", "kept"]
"""`signed off`: it stays, and no longer says who it is of."""
_ORDER: tuple[Fate, ...] = ("removed", "signed off", "kept")


@dataclass(frozen=True)
class Line:
    """One place.

    Attributes:
        place: A table, or a collection of MongoDB.
        fate: What became of it.
        why: In words; empty where it goes without saying.
    """

    place: str
    fate: Fate
    why: str


@dataclass
class Report:
    """How much of each; None: nobody may count it."""

    counts: dict[Line, int | None] = field(default_factory=dict[Line, "int | None"])

    def add(self, place: str, fate: Fate, why: str, count: int | None) -> None:
        """Add what was found; nothing adds nothing."""
        line = Line(place, fate, why)
        if count is None:
            self.counts[line] = None
        elif count:
            self.counts[line] = (self.counts.get(line) or 0) + count

    @property
    def changes(self) -> bool:
        """Whether anything is removed or signed off."""
        return any(line.fate != "kept" for line in self.counts)

    def lines(self) -> Iterable[str]:
        """Return it for people, a line each."""
        shown = sorted(self.counts.items(), key=lambda one: (_ORDER.index(one[0].fate), one[0].place))
        width = max((len(line.place) for line, _ in shown), default=0)
        for line, count in shown:
            number = "?" if count is None else f"{count:,}"
            yield f"{line.fate:10}  {line.place:{width}}  {number:>6}  {line.why}".rstrip()
