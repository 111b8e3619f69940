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


def known_elsewhere(collections: Iterable[str]) -> sql.Composed:
    """Return SQL, a FROM item without alias, of the documents of some collections that are rows with another id.

    It has `derived_id`, the id that a document's own row would have, `id`, as text, and `origin`: of a document that
    was joined into another one, the id is that of the row which the other one is.
    """
    return sql.SQL(
        "(SELECT j.origin, j.derived_id, coalesce(k.id, j.id) AS id FROM isthmus.id_map j LEFT JOIN isthmus.id_map k"
        " ON j.origin = 'merged' AND k.origin = 'matched' AND k.collection = ANY({names}) AND k.derived_id = j.id"
        " WHERE j.origin IN ('matched', 'merged') AND j.collection = ANY({names}))"
    ).format(names=sql.Literal(list(collections)))


def key_text(values: Iterable[sql.Composable]) -> sql.Composed:
    """Return SQL of what a row without id is known by: the values of its key as the text of a JSON array of texts."""
    texts = sql.SQL(", ").join(sql.SQL("({})::text").format(value) for value in values)
    return sql.SQL("to_jsonb(ARRAY[{}]::text[])::text").format(texts)
