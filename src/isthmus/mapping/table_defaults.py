"""The defaults that tables themselves have, as SQL. Pure.

They are for rows that others add later. What a document lacks is filled in by the copy (`default`), which names every
column and so never meets them.
"""

from __future__ import annotations

from isthmus.mapping.names import quote_literal
from isthmus.mapping.rules import Default
from isthmus.mapping.types import INTEGER_RANGES, TEXT_KINDS

PLAIN_KINDS = frozenset({*TEXT_KINDS, *INTEGER_RANGES, "real", "double", "numeric", "boolean", "enum"})
"""Kinds of columns whose default may be a literal."""


def default_sql(default: Default) -> str:
    """Write the expression behind DEFAULT; what is quoted the server reads as the column's type.

    Raises:
        ValueError: It is no text, number or boolean, nor `now`.
    """
    if default.kind == "now":
        return "CURRENT_TIMESTAMP"
    value = default.value
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"'{value}'"
    if default.kind == "literal" and isinstance(value, str):
        return quote_literal(value)
    raise ValueError(f"{default!r} cannot be the default of a column.")
