"""Documents that the ledgers say were joined into others, and the rows they became part of."""

from __future__ import annotations

from typing import LiteralString

JOINED: LiteralString = (
    "(SELECT collection, derived_id, id FROM isthmus.id_map WHERE origin = 'merged'"
    # what one ledger has lost the other may still know, so that it is named as lost
    " UNION ALL SELECT c.collection, c.source_row_id, c.row_id FROM isthmus.conflict c WHERE c.action = 'merged'"
    " AND NOT EXISTS (SELECT FROM isthmus.id_map m WHERE m.origin = 'merged' AND m.collection = c.collection"
    " AND m.derived_id = c.source_row_id))"
)
"""A FROM item without alias: collection, id that the document's own row would have (`derived_id`), id of the row."""
