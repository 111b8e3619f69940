"""What stands in real rows beside what the mapping fills: SQL that tells whether it was written to. Pure."""

from __future__ import annotations

from psycopg import sql

from isthmus.transfer.existing.fit import FedTable


def beside_text(fed: FedTable, alias: str) -> sql.Composed:
    """Return SQL of the values, as one text, of a real row's columns that the mapping does not fill.

    What is NULL is left out, so that a column which a migration adds changes nothing. Computed columns are left out,
    for they follow the others.
    """
    filled = {column.name for column in fed.columns}
    parts = [
        sql.SQL("coalesce({} || quote_literal({}.{}::text) || ';', '')").format(
            sql.Literal(f"{name}="), sql.Identifier(alias), sql.Identifier(name)
        )
        for name, column in sorted(fed.there.columns.items())
        if name not in filled and not column.generated
    ]
    return sql.SQL(" || ").join(parts) if parts else sql.SQL("{}").format(sql.Literal(""))


def has_beside(fed: FedTable) -> bool:
    """Tell whether a table has columns that the mapping does not fill."""
    filled = {column.name for column in fed.columns}
    return any(name not in filled and not column.generated for name, column in fed.there.columns.items())


def digest_of(text: sql.Composable) -> sql.Composed:
    """Return SQL of the SHA-256 of a text."""
    return sql.SQL("sha256(convert_to({}, 'UTF8'))").format(text)
