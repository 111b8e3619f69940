"""Which run carried each collection last, and whether that is verified: read from the state of the target."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from isthmus.state.statements import statements
from isthmus.state.verifications import Verification, latest, latest_whole


def statement(name: str) -> bytes:
    """Return one of the statements of a decommissioning."""
    return statements("decommission", "isthmus.polyglot")[name]


@dataclass(frozen=True)
class Copy:
    """The run that carried a collection last.

    Attributes:
        run: Its number.
        complete: Whether it is complete; one that is not goes before an earlier one that is.
        verified: Whether its newest verification of all layers passed, and nothing was written for it since.
        why_not: Why it is not, as the end of a sentence; empty when it is.
    """

    run: int
    complete: bool
    verified: bool
    why_not: str


def copies(
    connection: psycopg.Connection[Any], schema: str, collections: Collection[str], layers: Collection[str]
) -> dict[str, Copy]:
    """Return the last copy of each collection that one carried.

    Args:
        connection: The target, whose state exists.
        schema: Of its tables.
        collections: Those of the mapping: what a run carries that names none.
        layers: All layers of a verification.
    """
    found: dict[str, Copy] = {}
    for run, names, complete, _, tried_at in connection.execute(statement("runs"), {"schema": schema}).fetchall():
        why = _why_not(connection, int(run), layers, tried_at) if complete else "it is not complete"
        copy = Copy(int(run), bool(complete), not why, why)
        found |= dict.fromkeys(collections if names is None else names, copy)
    return found


def _why_not(connection: psycopg.Connection[Any], run: int, layers: Collection[str], tried_at: datetime | None) -> str:
    """Return why a complete run is not verified; the empty text when it is."""
    whole = latest_whole(connection, run, layers)
    if whole is None:
        newest = latest(connection, run)
        return "it was not verified" if newest is None else "not all layers of it were verified"
    return _judged(whole, tried_at)


def _judged(whole: Verification, tried_at: datetime | None) -> str:
    if whole.verdict == "failed":
        return (
            f"its verification found {whole.found:,} differences"
            if whole.found != 1
            else ("its verification found 1 difference")
        )
    if whole.verdict != "passed":
        return "its verification could not look at everything"
    if tried_at is not None and tried_at > whole.started_at:
        return "its dead letters were tried again since it was verified"
    return ""
