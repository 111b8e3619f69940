"""What Isthmus wrote into its own state about departures, as accounts for the oracle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

from isthmus.verify.joined import left_together
from isthmus.verify.orphans import Orphan
from isthmus.verify.reference import Reference
from isthmus.verify.reference.accounts import GivenAccounts, digest_of

Connection = psycopg.Connection[Any]
_AS_TEXT = {"text", "varchar", "uuid", "smallint", "integer", "bigint"}
"""Types whose values the ledger has as the oracle has them."""


def accounts_of(
    connection: Connection,
    reference: Reference,
    orphans: Iterable[Orphan] | None = None,
    run: int | None = None,
) -> GivenAccounts:
    """Read the dead letters of load and finish, orphans that were nulled or whose pair or element was left out, and
    which documents were joined into which.

    Args:
        connection: To the target.
        reference: Knows its tables.
        orphans: Those to believe; None believes all that the ledger has.
        run: Whose dead letters; None for those of all runs.
    """
    accounts = GivenAccounts()
    letters = "SELECT collection, document FROM isthmus.dead_letter WHERE stage IN ('load', 'finish')"
    letters += " AND (%(run)s::bigint IS NULL OR run_id = %(run)s)"
    for collection, document in connection.execute(letters, {"run": run}):
        accounts.dead_documents.add((collection, digest_of(bytes(document))))
    for one in _all_orphans(connection) if orphans is None else orphans:
        shape = reference.shapes[one.table]
        above = [one.row_id, *map(str, one.positions)]
        if one.column in shape.columns and shape.columns[one.column].array:
            # The last position is that of the element.
            accounts.elements[one.table, "/".join(above[:-1]), one.column, one.positions[-1]] = one.action
        elif one.action == "null":
            place = (one.table, "/".join(above), one.column)
            accounts.nulls.add(place)
            if one.column in shape.columns and shape.columns[one.column].kind in _AS_TEXT:
                accounts.held.setdefault(place, set()).add(one.target_id)
        else:
            first, _ = shape.key
            pair = (one.target_id, one.row_id) if one.column == first else (one.row_id, one.target_id)
            accounts.pairs.add((one.table, *pair))
    joined = "SELECT collection, derived_id, id FROM isthmus.id_map WHERE origin = 'merged'"
    accounts.joined_into = {(collection, own): row_id for collection, own, row_id in connection.execute(joined)}
    said = "SELECT collection, source_row_id, differing FROM isthmus.conflict WHERE action = 'merged'"
    accounts.conflicts = {(name, own): frozenset(differing) for name, own, differing in connection.execute(said)}
    accounts.left_with = left_together(connection, reference, run)
    return accounts


def _all_orphans(connection: Connection) -> Iterator[Orphan]:
    query = (
        "SELECT table_name, column_name, row_id, row_position, target_id, action FROM isthmus.orphan"
        " WHERE action IN ('null', 'drop')"
    )
    for table, column, row_id, positions, target_id, action in connection.execute(query):
        yield Orphan(table, column, row_id, tuple(positions or ()), target_id, action)
