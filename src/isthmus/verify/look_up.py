"""What a reference finally holds, looked up in the target: for layers that do not go through all documents.

A row that is found here is itself compared with its document by the checksum; only who has a value is looked up.
"""

from __future__ import annotations

from functools import lru_cache
from typing import LiteralString, cast

from psycopg import sql

from isthmus.verify.reference.compare import Connection
from isthmus.verify.reference.finishing import ID
from isthmus.verify.reference.forms import read_form, sql_form
from isthmus.verify.reference.shapes import Shape

_KEPT = 100_000
_CAST = {"text", "varchar", "smallint", "integer", "bigint", "numeric", "uuid", "boolean"}
"""Types whose canonical form is what the server reads; values of the others are compared as their form."""


class TargetLookUp:
    """Looks rows up by a value of one of their columns. For one thread.

    Args:
        connection: To the target.
        schema: Of its tables.
        shapes: Its tables.
    """

    def __init__(self, connection: Connection, schema: str, shapes: dict[str, Shape]) -> None:
        self._connection = connection
        self._schema = schema
        self._shapes = shapes
        self.find = lru_cache(maxsize=_KEPT)(self._find)

    def _find(self, place: tuple[str, str], value: str) -> str | None:
        table, column = place
        shape = self._shapes[table]
        held = shape.owner or shape.key[0]
        name = shape.owner if column == ID else column
        if name is None:
            return None
        kind = shape.columns[name]
        identifier = sql.Identifier(name)
        if kind.kind in _CAST:
            wanted = sql.SQL("{} = {}::{}").format(
                identifier, sql.Literal(value), sql.SQL(cast("LiteralString", kind.kind))
            )
        else:
            form = sql_form(identifier.as_string(self._connection), kind)
            wanted = sql.SQL("{} = {}").format(sql.SQL(cast("LiteralString", form)), sql.Literal(value))
        result = shape.columns[held]
        row = self._connection.execute(
            sql.SQL("SELECT {} FROM {} WHERE {} LIMIT 1").format(
                sql.SQL(cast("LiteralString", sql_form(sql.Identifier(held).as_string(self._connection), result))),
                sql.Identifier(self._schema, table),
                wanted,
            )
        ).fetchone()
        return None if row is None else cast("str", read_form(row[0], result))
