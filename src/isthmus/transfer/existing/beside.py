"""What stands in real rows beside what the mapping fills: SQL that tells whether it was written to. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from isthmus.transfer.existing.fit import FedTable


def beside_columns(fed: FedTable) -> list[str]:
    """Return the columns that the mapping does not fill, by name; computed ones follow the others, and are left out."""
    filled = {column.name for column in fed.columns}
    return sorted(name for name, column in fed.there.columns.items() if name not in filled and not column.generated)


def beside_text(fed: FedTable, alias: str, instead: Mapping[str, str | None] | None = None) -> sql.Composed:
    """Return SQL of the values, as one text, of a real row's columns that the mapping does not fill.

    What is NULL is left out, so that a column which a migration adds changes nothing.

    Args:
        fed: The table.
        alias: Of the row.
        instead: Column → text to take in the place of what stands there.
    """
    parts: list[sql.Composed] = []
    for name in beside_columns(fed):
        value: sql.Composable = sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name))
        if instead is not None and name in instead:
            value = sql.Literal(instead[name])
        parts.append(
            sql.SQL("coalesce({} || quote_literal({}::text) || ';', '')").format(sql.Literal(f"{name}="), value)
        )
    return sql.SQL(" || ").join(parts) if parts else sql.SQL("{}").format(sql.Literal(""))


def has_beside(fed: FedTable) -> bool:
    """Tell whether a table has columns that the mapping does not fill."""
    return bool(beside_columns(fed))


def digest_of(text: sql.Composable) -> sql.Composed:
    """Return SQL of the SHA-256 of a text."""
    return sql.SQL("sha256(convert_to({}, 'UTF8'))").format(text)
