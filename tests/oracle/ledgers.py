"""What isthmus wrote into its own state about departures, read with plain SQL for the comparison of rows.

Blind spot: a comparison that takes its accounts from these ledgers believes them; tests that know the truth (planted
data) give their own accounts instead, or compare the ledgers with the truth first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from isthmus.verify.reference import Reference
from isthmus.verify.reference.compare import GivenAccounts, digest_of

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class RunFacts:
    """What the oracle needs to know of a run: the id key and what `now` was."""

    key: bytes
    now_us: int


def run_facts(connection: Connection) -> RunFacts:
    """Key and start of the latest run of a target."""
    row = connection.execute(
        "SELECT (SELECT key FROM isthmus.id_key), trunc(extract(epoch FROM started_at) * 1000000)::bigint"
        " FROM isthmus.run ORDER BY id DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    return RunFacts(bytes(row[0]), row[1])


def accounts_of(connection: Connection, reference: Reference) -> GivenAccounts:
    """Dead letters of load and finish, orphans that were nulled or whose pair or element was left out, and joins."""
    accounts = GivenAccounts()
    letters = "SELECT collection, document FROM isthmus.dead_letter WHERE stage IN ('load', 'finish')"
    for collection, document in connection.execute(letters):
        accounts.dead_documents.add((collection, digest_of(bytes(document))))
    orphans = "SELECT table_name, column_name, row_id, row_position, target_id, action FROM isthmus.orphan"
    for table, column, row_id, position, target_id, action in connection.execute(orphans):
        shape = reference.shapes[table]
        above = [row_id, *map(str, position or ())]
        if column in shape.columns and shape.columns[column].array:
            # The last position is that of the element.
            if action in ("null", "drop"):
                accounts.elements[table, "/".join(above[:-1]), column, position[-1]] = action
        elif action == "null":
            accounts.nulls.add((table, "/".join(above), column))
        elif action == "drop":
            first, second = shape.key
            pair = (target_id, row_id) if column == first else (row_id, target_id)
            accounts.pairs.add((table, *pair))
            assert second
    joined = "SELECT collection, derived_id, id FROM isthmus.id_map WHERE origin = 'merged'"
    accounts.joined_into = {(collection, own): row_id for collection, own, row_id in connection.execute(joined)}
    said = "SELECT collection, source_row_id, differing FROM isthmus.conflict WHERE action = 'merged'"
    accounts.conflicts = {(name, own): frozenset(differing) for name, own, differing in connection.execute(said)}
    return accounts
