"""Which rows of tables that were there before a copy hold what documents say, as far as ids and ledgers tell.

Rows with ids of Isthmus's making, and those that a document was matched with and of which the last copy left nothing as
it was.

Blind spots: rows with ids that were kept (`ids: keep`) or with no id, and rows of which something was left as it was,
count as not ours, for the target alone does not say whose values they hold; so do matched rows of tables that the last
copy did not deliver to, or that an older version did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from isthmus._rust import IdCodec
from isthmus.state.checkpoints import read_tallies
from isthmus.state.kept_values import NOTED
from isthmus.verify.subject import Subject

_MAPPED = """
SELECT id FROM isthmus.id_map
WHERE id = ANY(%(ids)s) AND collection = ANY(%(collections)s) AND origin IN ('document', 'merged')
"""
_KEPT = """
SELECT row_id FROM isthmus.conflict WHERE table_name = %(table)s AND row_id = ANY(%(ids)s) AND action = 'kept'
"""
_MATCHED = """
SELECT m.id FROM isthmus.id_map m
WHERE m.id = ANY(%(ids)s) AND m.collection = ANY(%(collections)s) AND m.origin = 'matched'
  AND NOT EXISTS (SELECT FROM isthmus.kept_value k WHERE k.root_table = %(table)s AND k.row_id = m.id)
"""


class Ours:
    """Tells rows that hold what documents say from others.

    Args:
        subject: The target.
        connection: Reads the ledgers.
    """

    def __init__(self, subject: Subject, connection: psycopg.Connection[Any]) -> None:
        self._schema = subject.schema
        self._codec = IdCodec(subject.key)
        self._connection = connection
        self._noted = set(read_tallies(connection, subject.run.id).get(NOTED, {}))

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
        if root.name in self._noted:
            found |= {str(one) for (one,) in self._connection.execute(_MATCHED, given)}
        return found - {str(one) for (one,) in self._connection.execute(_KEPT, given)}
