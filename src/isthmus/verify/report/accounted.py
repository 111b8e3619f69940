"""What differs rightly between source and target, as the run's ledgers and books say: numbers, and what shows them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg

from isthmus.state.orphans import count_orphans
from isthmus.state.reports import count_conflicts, count_letters
from isthmus.state.runs import Run
from isthmus.state.waiting import waiting_references


@dataclass(frozen=True)
class Account:
    """One kind of departure.

    Attributes:
        kind: Its name in JSON.
        word: What they are, for one of them; `words` for several.
        words: Plural of it.
        count: How many.
        command: Words of the command that lists them, without the target; empty where none does.
        became: Of changed values: `table.column:kind` → `WAS → BECAME` → how many, where the mapping names it.
    """

    kind: str
    word: str
    words: str
    count: int
    command: str
    became: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])


def accounts_of(connection: psycopg.Connection[Any], run: Run) -> list[Account]:
    """Return every kind of departure of a run, also those that did not occur. Reads the target's state only."""
    books: dict[str, Any] = run.balance or {}
    collections: dict[str, dict[str, int]] = books.get("collections", {})
    skipped = sum(one.get("skipped", 0) for one in collections.values())
    adjusted: dict[str, int] = books.get("adjusted", {})
    waiting = Counter[bool]()
    for one in waiting_references(connection, run):
        waiting[one.lead_nowhere] += one.count
    return [
        Account(
            "dead_letters", "dead letter", "dead letters", count_letters(connection, [(run.id, None)]), "letters list"
        ),
        Account("orphans", "orphan", "orphans", count_orphans(connection, [(run.id, None)]), "orphans list"),
        Account("waiting", "reference that waits", "references that wait", waiting[False], "orphans list"),
        Account(
            "nowhere", "reference that leads nowhere", "references that lead nowhere", waiting[True], "orphans list"
        ),
        Account(
            "conflicts",
            "row kept, changed or joined",
            "rows kept, changed or joined",
            _conflicts(connection, run.id),
            "conflicts list",
        ),
        Account("skipped", "document left behind by a rule", "documents left behind by a rule", skipped, "status"),
        Account(
            "adjusted",
            "value changed on the way",
            "values changed on the way",
            sum(adjusted.values()),
            "status",
            books.get("became", {}),
        ),
    ]


def accounts_json(accounts: list[Account]) -> dict[str, int]:
    """Return kind → how many."""
    return {one.kind: one.count for one in accounts}


def became_json(accounts: list[Account]) -> dict[str, dict[str, int]]:
    """Return what values became that the mapping replaces or fills in, as `Account.became` has it."""
    return {name: pairs for one in accounts for name, pairs in one.became.items()}


def most_became(account: Account, most: int) -> list[tuple[str, int]]:
    """Return what the most of its values became, as `table.column: WAS → BECAME` with how many."""
    found = [
        (f"{name.rpartition(':')[0]}: {pair}", count)
        for name, pairs in account.became.items()
        for pair, count in pairs.items()
    ]
    return sorted(found, key=lambda one: -one[1])[:most]


def _conflicts(connection: psycopg.Connection[Any], run: int) -> int:
    row = connection.execute("SELECT to_regclass('isthmus.conflict') IS NOT NULL").fetchone()
    return count_conflicts(connection, [(run, None)]) if row and row[0] else 0  # an older version has no such ledger
