"""What a survey advises for a collection, and why. Pure data; `advise` decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["relational", "jsonb", "stay", "undecided"]
"""Rows and columns; a row with the varied part as JSONB; in MongoDB for now; nothing to tell from."""

Side = Literal["relational", "document", "neither"]
"""What a reason speaks for."""


@dataclass(frozen=True)
class Reason:
    """Why: something that was counted.

    Attributes:
        rule: Slug of the question of the decision framework that it answers.
        side: What it speaks for.
        points: How much it weighs.
        text: A clause for people, with the counts.
    """

    rule: str
    side: Side
    points: int
    text: str


@dataclass(frozen=True)
class Advice:
    """Where a collection could go.

    Attributes:
        verdict: In a word.
        reasons: Why; what weighs most comes first.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"verdict": self.verdict, "reasons": [vars(one) for one in self.reasons]}


def read_advice(found: dict[str, Any]) -> Advice:
    """Read advice that was written as JSON.

    Raises:
        KeyError, TypeError: It is none.
    """
    return Advice(found["verdict"], tuple(Reason(**one) for one in found["reasons"]))
