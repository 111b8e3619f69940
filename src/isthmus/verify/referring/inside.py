"""SQL of values inside jsonb, at a path as `rewrite` has it.

`[]` goes through an array and through nothing else, a key through a document and through nothing else. (A jsonpath does
neither: its lax mode unwraps arrays by itself, its strict mode ends at the first element without the key.)
"""

from __future__ import annotations

from psycopg import sql

from isthmus.mapping.model import FieldPath


def values_inside(value: sql.Composable, path: FieldPath) -> tuple[sql.Composed, sql.Composed]:
    """Return what follows the FROM item, and SQL of every value at a path inside a jsonb value, as text."""
    source = sql.Composed([])
    for number, step in enumerate(path):
        if step == "[]":
            element = sql.Identifier(f"e{number}")
            source += sql.SQL(
                " CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof({value}) WHEN 'array' THEN {value} END)"
                " AS {element}(v)"
            ).format(value=value, element=element)
            value = sql.SQL("{}.v").format(element)
        else:
            value = sql.SQL("({} -> {})").format(value, sql.Literal(step))
    return source, sql.SQL("({} #>> '{{}}')").format(value)
