"""Documents that the ledgers say were joined into others, and the rows they became part of."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg

from isthmus.verify.reference import Reference

JOINED: LiteralString = (
    "(SELECT collection, derived_id, id FROM isthmus.id_map WHERE origin = 'merged'"
    # what one ledger has lost the other may still know, so that it is named as lost
    " UNION ALL SELECT c.collection, c.source_row_id, c.row_id FROM isthmus.conflict c WHERE c.action = 'merged'"
    " AND c.source_row_id <> c.row_id"  # of the one that stays only values were lost
    " AND NOT EXISTS (SELECT FROM isthmus.id_map m WHERE m.origin = 'merged' AND m.collection = c.collection"
    " AND m.derived_id = c.source_row_id))"
)
"""A FROM item without alias: collection, id that the document's own row would have (`derived_id`), id of the row."""

_LEFT = """
SELECT collection, source_id, code = 'joined-left' FROM isthmus.dead_letter
WHERE stage = 'finish' AND source_id IS NOT NULL AND collection = ANY(%(members)s)
    AND (%(run)s::bigint IS NULL OR run_id = %(run)s) ORDER BY id
"""


def left_together(
    connection: psycopg.Connection[Any], reference: Reference, run: int | None
) -> dict[str, dict[str, str]]:
    """Return, by root table, the id of each document that left as a part of another's row, and the id of that row.

    References had been made to lead there before.

    Args:
        connection: The target.
        reference: Knows the things, and the ids of their documents.
        run: Whose dead letters; None for those of all runs.
    """
    members = [name for names in reference.rules.members.values() for name in names]
    letters = connection.execute(_LEFT, {"run": run, "members": members}).fetchall() if members else []
    kept: dict[str, str] = {}
    parts: list[tuple[str, str, str]] = []
    for collection, source_id, is_part in letters:
        document = bytes(source_id)
        thing = reference.things.of(collection, document)
        if thing is None:
            continue
        for table, own in reference.row_ids(collection, document)[:1]:
            if is_part:
                parts.append((table, own, thing))
            else:
                kept[thing] = own
    found: dict[str, dict[str, str]] = {}
    for table, own, thing in parts:
        if thing in kept:
            found.setdefault(table, {})[own] = kept[thing]
    return found
