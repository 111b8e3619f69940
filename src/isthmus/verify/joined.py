"""Documents that the ledgers say were joined into others, and the rows they became part of."""

from __future__ import annotations

from typing import LiteralString

from isthmus._rust import IdCodec
from isthmus.verify.subject import Subject

JOINED: LiteralString = (
    "(SELECT collection, derived_id, id FROM isthmus.id_map WHERE origin = 'merged'"
    # what one ledger has lost the other may still know, so that it is named as lost
    " UNION ALL SELECT c.collection, c.source_row_id, c.row_id FROM isthmus.conflict c WHERE c.action = 'merged'"
    " AND c.source_row_id <> c.row_id"  # of the one that stays only values were lost
    " AND NOT EXISTS (SELECT FROM isthmus.id_map m WHERE m.origin = 'merged' AND m.collection = c.collection"
    " AND m.derived_id = c.source_row_id))"
)
"""A FROM item without alias: collection, id that the document's own row would have (`derived_id`), id of the row."""


def left_together(subject: Subject) -> dict[str, list[tuple[str, str]]]:
    """Return, by root table, the id of each document that left as a part of another's row, and the id of that row.

    References had been made to lead there before.
    """
    mapping, codec = subject.mapping, IdCodec(subject.key)
    found: dict[str, list[tuple[str, str]]] = {}
    for identity in mapping.identities.values() if mapping.things is not None else ():
        names = [member.collection for member in identity.members]
        rows = subject.connection.execute(
            "SELECT collection, source_id, code = 'joined-left' FROM isthmus.dead_letter WHERE stage = 'finish'"
            " AND source_id IS NOT NULL AND collection = ANY(%s) AND run_id = %s ORDER BY id",
            (names, subject.run.id),
        ).fetchall()
        kept: dict[str, str] = {}
        parts: list[tuple[str, str, str]] = []
        for collection, source_id, is_part in rows:
            entry = mapping.collections[mapping.flows_of(collection)[0].entry]
            thing = mapping.things.of.get(collection, {}).get(bytes(source_id)) if mapping.things is not None else None
            if thing is None or entry.ids == "keep":
                continue
            own = codec.derive(collection, bytes(source_id), entry.ids)
            if is_part:
                parts.append((entry.table, own, thing))
            else:
                kept[thing] = own
        for table, own, thing in parts:
            if thing in kept:
                found.setdefault(table, []).append((own, kept[thing]))
    return found
