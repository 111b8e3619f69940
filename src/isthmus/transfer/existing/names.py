"""Names of what a run makes for itself when the tables belong to somebody else, and of rows without id."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from isthmus.mapping.names import object_name

STAGE = "isthmus_stage"
"""Schema of the tables that are loaded."""


RANK = "_isthmus_rank"
"""Column of such a view: of several rows with a value the lowest is meant; one that is there goes before a loaded."""


def view_name(table: str) -> str:
    """Name the view of all ids of a root table."""
    return object_name((table,), "ids", detail="view of ids")


def key_text(values: Iterable[sql.Composable]) -> sql.Composed:
    """Return SQL of what a row without id is known by: the values of its key as the text of a JSON array of texts."""
    texts = sql.SQL(", ").join(sql.SQL("({})::text").format(value) for value in values)
    return sql.SQL("to_jsonb(ARRAY[{}]::text[])::text").format(texts)
