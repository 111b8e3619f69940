"""Where the migrations of a folder stand in a database: applied, pending, changed since, missing, failed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from isthmus.govern.migrations.script import Script
from isthmus.state.schema_history import Applied

Stand = Literal[
    "applied",
    "baseline",
    "pending",
    "changed",
    "missing",
    "failed",
    "half-run",
    "running",
    "settled",
    "out-of-order",
]
THROUGH = frozenset({"applied", "baseline"})
TO_APPLY = frozenset({"pending", "failed", "settled"})

MISFITS: Mapping[str, tuple[str, str]] = {
    "changed": (
        "It was applied with another text.",
        "Put the file back as it was applied, and write the change as a new migration.",
    ),
    "missing": (
        "It was applied, and its file is gone.",
        "Put the file back. Where it is gone for good: isthmus schema resolve NAME --forget",
    ),
    "out-of-order": (
        "It is older than one that is applied.",
        (
            "isthmus schema renumber gives it a new number, where it is neither merged nor applied elsewhere; where it"
            " was applied by hand: isthmus schema resolve NAME --applied"
        ),
    ),
    "half-run": (
        "It was begun, and is not through: it runs without a transaction.",
        "isthmus schema resolve NAME shows how far it is, and how to go on.",
    ),
}
"""Stands in which nothing may be applied → what is wrong, and what to do about the migration NAME."""
_NEVER_THROUGH = (
    "It was begun and did not get through, and its file is gone.",
    (
        "Where it has another name now, or is gone for good, and nothing of it is in the database: isthmus schema"
        " resolve NAME --forget. Else put the file back."
    ),
)


@dataclass(frozen=True)
class Standing:
    """One migration of the folder or of the history.

    Attributes:
        name: Its name.
        stand: `changed`: applied by another text; `missing`: applied and no longer in the folder; `failed`: refused by
            the server, and nothing of it is there; `half-run`: without a transaction, and not through; `running`: the
            same, and a session executes it now; `settled`: a person said behind which statement to go on;
            `out-of-order`: pending, and older than one that is applied.
        script: None where it is missing.
        applied: None where it is not in the history.
    """

    name: str
    stand: Stand
    script: Script | None
    applied: Applied | None

    @property
    def misfit(self) -> tuple[str, str] | None:
        """What is wrong, and what to do; None where nothing is."""
        if self.stand not in MISFITS:
            return None
        message, hint = MISFITS[self.stand]
        if self.stand == "missing" and self.applied is not None and not self.applied.is_through:
            message, hint = _NEVER_THROUGH
        return message, hint.replace("NAME", self.name)

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
            "on_word_of": there.on_word_of if there else None,
            "isthmus_version": there.isthmus_version if there else None,
        }


def standings(scripts: Sequence[Script], history: Mapping[str, Applied], *, at_work: bool = False) -> list[Standing]:
    """Return where each stands: those of the folder in the order in which they are applied, then missing ones.

    Args:
        scripts: The folder.
        history: By name.
        at_work: Whether a session executes a migration now.
    """
    known = {one.name.text: one for one in scripts}
    through = [known[name].name.order for name, one in history.items() if one.is_through and name in known]
    newest = max(through, default=None)
    found = [_standing(one, history.get(one.name.text), newest, at_work) for one in scripts]
    return found + [Standing(name, "missing", None, one) for name, one in history.items() if name not in known]


def _standing(script: Script, there: Applied | None, newest: tuple[int, str] | None, at_work: bool) -> Standing:
    stand: Stand
    if there is None:
        stand = "out-of-order" if newest is not None and script.name.order < newest else "pending"
    elif there.is_through and not script.is_text_of(there.checksum):
        stand = "changed"
    elif there.is_through:
        stand = "baseline" if there.state == "baseline" else "applied"
    elif at_work and there.state == "running":
        stand = "running"
    elif there.state == "settled" and script.is_text_of(there.checksum):
        stand = "settled"
    elif there.state == "failed" and script.in_transaction and newest is not None and script.name.order < newest:
        stand = "out-of-order"
    else:
        # what a statement without a transaction leaves when it fails is for a person to see: an index that is invalid
        as_before = script.in_transaction and there.state == "failed" and there.steps_done == 0
        stand = "failed" if as_before else "half-run"
    return Standing(script.name.text, stand, script, there)
