"""What stands between an application and switching MongoDB off in the ledgers: dead letters, conflicts. Reads only.

What somebody has acknowledged is told apart and is not in the way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as ReadOnly
from typing import Any

import psycopg

from isthmus.mapping import Mapping
from isthmus.polyglot.decommission_checks import Check
from isthmus.polyglot.decommission_copies import statement
from isthmus.state.acknowledgements import Item, Kind, read_items
from isthmus.work.amounts import plural

Counts = list[tuple[str, str, int, int]]
"""Collection, code (empty of conflicts), how many, how many of them somebody has acknowledged."""


def letters_check(connection: psycopg.Connection[Any], runs: ReadOnly[str, int]) -> Check:
    """Say which dead letters nobody has answered or acknowledged.

    Args:
        connection: To the target.
        runs: By collection, the run that carried it last.
    """
    given = {"runs": list(runs.values()), "collections": list(runs)}
    done = Counter((item.collection, item.place) for item in _acknowledged(connection, "letter", runs))
    rows = [
        (str(collection), str(code), int(count), done[str(collection), str(code)])
        for collection, code, count in connection.execute(statement("letters"), given).fetchall()
    ]
    left, known = _sums(rows)
    told = f"{plural(left, 'dead letter')} unanswered" if left else "No dead letter is unanswered"
    return Check(
        "letters",
        bool(left),
        _and_acknowledged(told, known),
        _lines(rows),
        [
            {"collection": collection, "code": code, "count": count - known, "acknowledged": known}
            for collection, code, count, known in rows
        ],
        known,
    )


def conflicts_check(connection: psycopg.Connection[Any], mapping: Mapping, runs: ReadOnly[str, int]) -> Check:
    """Say which rows were kept by a default, and which documents may be one thing and nobody has said so.

    A policy that the mapping states is an answer. What may be one thing is decided, never acknowledged.

    Args:
        connection: To the target.
        mapping: States the policies.
        runs: By collection, the run that carried it last.
    """
    open_ones = {
        name: run
        for name, run in runs.items()
        if not all(mapping.collections[flow.entry].conflict_stated for flow in mapping.flows_of(name))
    }
    given = {"runs": list(open_ones.values()), "collections": list(open_ones)}
    found = _acknowledged(connection, "conflict", open_ones)
    done = Counter(item.collection for item in found if item.how == "kept")
    rows = [
        (str(name), "", int(count), done[str(name)])
        for name, count in connection.execute(statement("conflicts"), given).fetchall()
    ]
    row = connection.execute(statement("knows_identities")).fetchone()
    if row and row[0]:
        asked = connection.execute(statement("identity_conflicts")).fetchall()
        rows += [(f"identity {name}", "", int(count), 0) for name, count in asked]
    left, known = _sums(rows)
    told = "No conflict is unanswered"
    if left:
        told = f"{plural(left, 'conflict')} unanswered: rows kept by a default, or documents that may be one thing"
    return Check(
        "conflicts",
        bool(left),
        _and_acknowledged(told, known),
        _lines(rows),
        {name: count - known for name, _, count, known in rows if count > known},
        known,
    )


def _acknowledged(connection: psycopg.Connection[Any], kind: Kind, runs: ReadOnly[str, int]) -> list[Item]:
    return read_items(connection, kind, [(run, name) for name, run in runs.items()], open_too=False)


def _sums(rows: Counts) -> tuple[int, int]:
    """Return how many nobody has acknowledged, and how many somebody has."""
    known = sum(one for *_, one in rows)
    return sum(count for _, _, count, _ in rows) - known, known


def _and_acknowledged(told: str, known: int) -> str:
    return f"{told}; {known:,} acknowledged." if known else f"{told}."


def _lines(rows: Counts) -> list[str]:
    """Return a line for each: how many are open, and how many are not."""
    found: list[str] = []
    for name, code, count, known in rows:
        parts = [(count - known, code), (known, f"{code} acknowledged".strip())]
        found.append(f"{name}: " + ", ".join(f"{number:,} {word}".strip() for number, word in parts if number))
    return found
