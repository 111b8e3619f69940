"""What a reference finally holds, looked up in the target: for layers that do not go through all documents.

A row that is found here is itself compared with its document by the checksum; only who has a value is looked up.
"""

from __future__ import annotations

from typing import LiteralString, cast

from psycopg import sql

from isthmus.verify.reference.compare import Connection
from isthmus.verify.reference.finishing import ID
from isthmus.verify.reference.forms import read_form, sql_form
from isthmus.verify.reference.shapes import Shape
from isthmus.verify.reference.values import Type
from isthmus.verify.remembered import Remembered

_KEPT = 200_000
_ROW = "- row"
_VALUE, _NUMBER = sql.Identifier("- given", "value"), sql.Identifier("- given", "number")
_GIVEN = sql.SQL('"- given"(value, number)')
_CAST = {"text", "varchar", "smallint", "integer", "bigint", "numeric", "uuid", "boolean"}
"""Types whose canonical form is what the server reads; values of the others are compared as their form."""


class TargetLookUp:
    """Looks rows up by a value of one of their columns, and remembers them; see `finishing.LookUp`. For one thread.

    Args:
        connection: To the target.
        schema: Of its tables.
        shapes: Its tables.
    """

    def __init__(self, connection: Connection, schema: str, shapes: dict[str, Shape]) -> None:
        self._connection = connection
        self._schema = schema
        self._shapes = shapes
        found = Remembered(self._look_up, _KEPT)
        self.find, self.prepare = found.find, found.prepare

    def _look_up(self, place: tuple[str, str], values: list[str]) -> list[str | None]:
        """What references to the rows with these values hold, in their order."""
        table, column = place
        shape = self._shapes[table]
        held = shape.owner or shape.key[0]
        name = shape.owner if column == ID else column
        if name is None:
            return [None] * len(values)
        kind, result = shape.columns[name], shape.columns[held]
        own = sql.Identifier(_ROW, name)
        if kind.kind in _CAST:
            wanted = sql.SQL("{}::{}").format(_VALUE, sql.SQL(cast("LiteralString", kind.kind)))
        else:
            own, wanted = self._form(own, kind), _VALUE
        rows = self._connection.execute(
            sql.SQL(
                "SELECT DISTINCT ON ({number}) {held} FROM unnest({values}::text[]) WITH ORDINALITY AS {given}"
                " LEFT JOIN {table} {row} ON {own} = {wanted} ORDER BY {number}"
            ).format(
                number=_NUMBER,
                held=self._form(sql.Identifier(_ROW, held), result),
                values=sql.Literal(values),
                given=_GIVEN,
                table=sql.Identifier(self._schema, table),
                row=sql.Identifier(_ROW),
                own=own,
                wanted=wanted,
            )
        )
        return [cast("str | None", read_form(found, result)) for (found,) in rows]

    def _form(self, column: sql.Identifier, kind: Type) -> sql.SQL:
        return sql.SQL(cast("LiteralString", sql_form(column.as_string(self._connection), kind)))
