"""Statements with parameters whose names or values hold a percent sign, which the driver takes for a parameter."""

from __future__ import annotations

from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.abc import Params, Query
from psycopg.rows import TupleRow


class NamesCursor(psycopg.Cursor[TupleRow]):
    """A cursor that takes percent signs in composed names and literals as what they are.

    psycopg looks for `%s` in the whole text of a statement that has parameters, also inside quoted names
    (psycopg documentation, "Passing parameters to SQL queries").
    """

    def execute(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        """Run one statement; see `psycopg.Cursor.execute`."""
        if params is not None and isinstance(query, sql.Composed):
            query = double_percents(query, self)
        return super().execute(query, params, prepare=prepare, binary=binary)  # pyright: ignore[reportArgumentType]  no Template here


def double_percents(query: sql.Composed, context: psycopg.Cursor[Any] | psycopg.Connection[Any] | None) -> sql.Composed:
    """Return a statement whose names and literals the driver takes for no parameters; the rest is left as it is."""
    return sql.Composed([_part(part, context) for part in query])


def _part(part: sql.Composable, context: psycopg.Cursor[Any] | psycopg.Connection[Any] | None) -> sql.Composable:
    if isinstance(part, sql.Composed):
        return double_percents(part, context)
    if isinstance(part, sql.Identifier | sql.Literal):
        text = part.as_string(context)
        if "%" in text:
            return sql.SQL(text.replace("%", "%%"))  # pyright: ignore[reportArgumentType]  quoted just above
    return part
