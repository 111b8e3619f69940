"""Where the migrations of a folder stand in a database: applied, pending, changed since, missing, failed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from isthmus.govern.migrations.script import Script
from isthmus.state.schema_history import Applied

Stand = Literal["applied", "baseline", "pending", "changed", "missing", "failed", "half-run", "out-of-order"]

MISFITS: Mapping[str, tuple[str, str]] = {
    "changed": (
        "It was applied with another text.",
        "Put the file back as it was applied, and write the change as a new migration.",
    ),
    "missing": ("It was applied, and its file is gone.", "Put the file back."),
    "out-of-order": (
        "It is older than one that is applied.",
        "isthmus schema renumber gives it a new number, where it is neither merged nor applied elsewhere.",
    ),
    "half-run": (
        "It was begun, and is not through: it runs without a transaction.",
        "Look what of it is there, then isthmus schema resolve says how to go on.",
    ),
}
"""Stands in which nothing may be applied → what is wrong, and what to do."""


@dataclass(frozen=True)
class Standing:
    """One migration of the folder or of the history.

    Attributes:
        name: Its name.
        stand: `changed`: applied by another text; `missing`: applied and no longer in the folder; `failed`: refused by
            the server, and nothing of it is there; `half-run`: without a transaction, and not through; `out-of-order`:
            pending, and older than one that is applied.
        script: None where it is missing.
        applied: None where it is not in the history.
    """

    name: str
    stand: Stand
    script: Script | None
    applied: Applied | None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        there = self.applied
        return {
            "name": self.name,
            "state": self.stand,
            "applied_at": there.applied_at.isoformat() if there and there.applied_at else None,
            "seconds": there.seconds if there else None,
            "steps": there.steps if there else len(self.script.statements) if self.script else None,
            "steps_done": there.steps_done if there else 0,
            "fault": there.fault if there else None,
        }


def standings(scripts: Sequence[Script], history: Mapping[str, Applied]) -> list[Standing]:
    """Return where each stands: those of the folder in the order in which they are applied, then missing ones."""
    known = {one.name.text: one for one in scripts}
    through = [known[name].name.order for name, one in history.items() if one.is_through and name in known]
    newest = max(through, default=None)
    found = [_standing(one, history.get(one.name.text), newest) for one in scripts]
    return found + [Standing(name, "missing", None, one) for name, one in history.items() if name not in known]


def _standing(script: Script, there: Applied | None, newest: tuple[int, str] | None) -> Standing:
    stand: Stand
    if there is None:
        stand = "out-of-order" if newest is not None and script.name.order < newest else "pending"
    elif there.is_through and there.checksum != script.checksum:
        stand = "changed"
    elif there.is_through:
        stand = "baseline" if there.state == "baseline" else "applied"
    else:
        # what a statement without a transaction leaves when it fails is for a person to see: an index that is invalid
        stand = "failed" if script.in_transaction else "half-run"
    return Standing(script.name.text, stand, script, there)
