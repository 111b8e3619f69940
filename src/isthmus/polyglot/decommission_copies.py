"""Which run carried each collection last, and whether that is verified: read from the state of the target."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from isthmus.state.statements import statements
from isthmus.state.verifications import Verification, latest, latest_whole
from isthmus.work.amounts import plural


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
    last: dict[str, tuple[int, bool, datetime | None]] = {}
    for run, names, complete, tried_at in connection.execute(statement("runs"), {"schema": schema}).fetchall():
        last |= dict.fromkeys(collections if names is None else names, (int(run), bool(complete), tried_at))
    judged: dict[int, Copy] = {}
    for run, complete, tried_at in last.values():
        if run not in judged:
            why = _why_not(connection, run, layers, tried_at) if complete else "it is not complete"
            judged[run] = Copy(run, complete, not why, why)
    return {name: judged[run] for name, (run, _, _) in last.items()}


def _why_not(connection: psycopg.Connection[Any], run: int, layers: Collection[str], tried_at: datetime | None) -> str:
    """Return why a complete run is not verified; the empty text when it is."""
    whole = latest_whole(connection, run, layers)
    if whole is None:
        newest = latest(connection, run)
        return "it was not verified" if newest is None else "not all layers of it were verified"
    return _judged(whole, tried_at)


def _judged(whole: Verification, tried_at: datetime | None) -> str:
    if whole.verdict == "failed":
        return f"its verification found {plural(whole.found, 'difference')}"
    if whole.verdict != "passed":
        return "its verification could not look at everything"
    if tried_at is not None and tried_at > whole.started_at:
        return "its dead letters were tried again since it was verified"
    return ""
