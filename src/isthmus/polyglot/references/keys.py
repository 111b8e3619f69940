"""Whether a column is a key: whether its value alone tells which row is meant. Pure."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from isthmus.polyglot.references.columns import Column


def no_key(column: Column) -> str | None:
    """Return why a column is no key, the end of a sentence that begins with its name; None where it is one.

    A key is a primary key, a unique constraint or a unique index, over this column alone and all rows.
    """
    table = column.table
    sets = [tuple(table.primary_key.columns)]
    sets += [tuple(one.columns) for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
    unique = [one for one in table.indexes if one.unique]
    sets += [tuple(one.columns) for one in unique if _plain(one) and _where(one) is None]
    if (column,) in sets:
        return None
    if any(_where(one) is not None and (column,) == tuple(one.columns) for one in unique):
        return "is no key: it is unique among some of the rows only."
    for one in unique:
        if not _plain(one) and len(expressions := _expressions(one)) == 1 and column.name in expressions[0]:
            return f"is no key: what is unique is {expressions[0]}."
    shared = next((columns for columns in sets if column in columns), None)
    if shared is not None:
        names = " and ".join(one.name for one in shared)
        return f"is no key by itself: only {names} together tell which row is meant."
    return "is no key: several rows may have the same value."


def keys_of(table: sa.Table) -> list[str]:
    """Return the columns of a table that are keys."""
    return [one.name for one in table.columns if no_key(one) is None]


def _plain(index: sa.Index) -> bool:
    return all(isinstance(one, sa.Column) for one in index.expressions) and bool(index.expressions)


def _expressions(index: sa.Index) -> list[str]:
    return [str(one) for one in index.expressions]


def _where(index: sa.Index) -> Any:
    return index.dialect_options["postgresql"].get("where")
