"""Which rows of tables that were there before a copy came with documents, as far as their ids tell.

Blind spots: rows with ids that were kept (`ids: keep`) or with no id, and rows that a document was matched with, count
as not ours, for the target alone does not say whose values they hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from isthmus._rust import IdCodec
from isthmus.verify.subject import Subject

_MAPPED = """
SELECT id FROM isthmus.id_map
WHERE id = ANY(%(ids)s) AND collection = ANY(%(collections)s) AND origin IN ('document', 'merged')
"""
_KEPT = """
SELECT row_id FROM isthmus.conflict WHERE table_name = %(table)s AND row_id = ANY(%(ids)s) AND action = 'kept'
"""


class Ours:
    """Tells rows that came with documents from others.

    Args:
        subject: The target.
        connection: Reads the ledgers.
    """

    def __init__(self, subject: Subject, connection: psycopg.Connection[Any]) -> None:
        self._schema = subject.schema
        self._codec = IdCodec(subject.key)
        self._connection = connection

    def among(self, table: str, ids: Sequence[str | None]) -> set[str]:
        """Return those ids of root documents whose rows in a table are the copy's."""
        root = self._schema.root_of(self._schema.tables[table])
        asked = sorted({one for one in ids if one is not None})
        if root.kind == "junction" or not asked:
            collections = [name for one in self._schema.tables.values() for name in one.collections]
        else:
            collections = list(root.collections)
        given = {"ids": asked, "collections": collections, "table": root.name}
        found = {one for one in asked if self._codec.reverse(one) is not None}
        found |= {str(one) for (one,) in self._connection.execute(_MAPPED, given)}
        return found - {str(one) for (one,) in self._connection.execute(_KEPT, given)}
