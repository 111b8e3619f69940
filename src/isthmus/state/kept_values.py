"""What a copy left as it was in rows that were there before (`isthmus.kept_value`): how its digests are made. SQL only.

A digest is SHA-256 over the target's id key, the value's place and its text: it tells nobody the value, and is good for
no other place.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

ROW = "(row)"
"""Stands for a whole row in the place of a column."""
EXTRAS = "(extras)"
"""Stands for the fields that nobody named."""
NOTED = "kept-values-noted"
"""Tally: root tables of which a delivery noted what it left; there is none where an older version delivered."""
VALUES = "kept-values"
"""Tally: root table → how many such values there are."""

_PLACES = {"id", "root_id", "ancestor_position", "position", "source"}


def is_content(role: str) -> bool:
    """Tell whether a column of a role is part of what a row says, not of which row it is."""
    return role not in _PLACES


def own_text(value: sql.Composable, base: str) -> sql.Composed:
    """Return SQL of a real value as the text that is digested; of JSON what it says, not how it was written."""
    return sql.SQL("({})::jsonb::text" if base == "json" else "({})::text").format(value)


def row_text(values: Iterable[tuple[str, sql.Composable, str]]) -> sql.Composed:
    """Return SQL of a whole row as the text that is digested.

    Args:
        values: Of every column that the mapping fills: its name, SQL of the value, name of its type.
    """
    parts = [own_text(value, base) for _, value, base in sorted(values, key=lambda one: one[0])]
    return sql.SQL("ROW({})::text").format(sql.SQL(", ").join(parts))


def digest(
    text: sql.Composable, *, table: sql.Composable, column: sql.Composable, own: sql.Composable, at: sql.Composable
) -> sql.Composed:
    """Return SQL of a digest.

    Args:
        text: SQL of the value's text.
        table: SQL of the table's name.
        column: SQL of the column's name.
        own: SQL of the document's derived id, as text.
        at: SQL of the row's position.
    """
    return sql.SQL(
        "sha256((SELECT key FROM isthmus.id_key) || convert_to({} || '.' || {} || ' ' || {} || ' ' || ({})::text"
        " || coalesce(E'\\n' || ({}), ''), 'UTF8'))"
    ).format(table, column, own, at, text)
