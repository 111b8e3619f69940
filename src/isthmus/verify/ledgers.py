"""What Isthmus wrote into its own state about departures, read with plain SQL.

Blind spot: what takes its accounts from these ledgers believes them as far as what they say could have happened: an
orphan that points at a row, or a dead letter that is no document of the source, is a difference.
"""

from __future__ import annotations

from typing import Any

import psycopg

from isthmus.verify.reference import Reference
from isthmus.verify.reference.accounts import GivenAccounts, digest_of

Connection = psycopg.Connection[Any]


def accounts_of(connection: Connection, reference: Reference) -> GivenAccounts:
    """Read the dead letters of load and finish, orphans that were nulled or whose pair or element was left out, and
    which documents were joined into which."""
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
            first, _ = shape.key
            pair = (target_id, row_id) if column == first else (row_id, target_id)
            accounts.pairs.add((table, *pair))
    joined = "SELECT collection, derived_id, id FROM isthmus.id_map WHERE origin = 'merged'"
    accounts.joined_into = {(collection, own): row_id for collection, own, row_id in connection.execute(joined)}
    said = "SELECT collection, source_row_id, differing FROM isthmus.conflict WHERE action = 'merged'"
    accounts.conflicts = {(name, own): frozenset(differing) for name, own, differing in connection.execute(said)}
    return accounts
