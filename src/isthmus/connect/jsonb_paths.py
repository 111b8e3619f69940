"""SQL over jsonb at a path as `rewrite` has it, and of the ids there: pure.

As the core reads and rewrites: `[]` goes through an array and through nothing else, a key through a document and
through nothing else; elements without the key are passed over. (A jsonpath does neither: its lax mode unwraps arrays by
itself, its strict mode ends at the first element without the key.)
"""

from __future__ import annotations

from collections.abc import Callable

from psycopg import sql

from isthmus.mapping.model import FieldPath


def values_inside(value: sql.Composable, path: FieldPath) -> tuple[sql.Composed, sql.Composed]:
    """Return what follows the FROM item, and an expression of every value at a path inside jsonb, as text."""
    source = sql.Composed([])
    for number, step in enumerate(path):
        if step == "[]":
            element = sql.Identifier(f"e{number}")
            source += sql.SQL(
                " CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof({value}) = 'array' THEN {value}"
                " ELSE '[]'::jsonb END) AS {element}(v)"
            ).format(value=value, element=element)
            value = sql.SQL("{}.v").format(element)
        else:
            value = sql.SQL("({} -> {})").format(value, sql.Literal(step))
    return source, sql.SQL("({} #>> '{{}}')").format(value)


def ids_only(value: sql.Composable, form: str | None) -> sql.Composable:
    """Return SQL of a text where it has the form of an id, NULL where it has not.

    Args:
        value: SQL of the text.
        form: Regular expression of a whole id; None where every value is one.
    """
    if form is None:
        return value
    return sql.SQL("(CASE WHEN {value} ~ {form} THEN {value} END)").format(value=value, form=sql.Literal(f"^({form})$"))


def changed_inside(
    value: sql.Composable, path: FieldPath, change: Callable[[sql.Composable], sql.Composable]
) -> sql.Composed:
    """Return SQL of a jsonb value in which what stands at a path is changed, and nothing else.

    Args:
        value: SQL of the value.
        path: The path.
        change: SQL of what a value there, given as SQL of jsonb, becomes; aliases `x` and `e` are taken.
    """
    if not path:
        return sql.SQL("(SELECT {} FROM (SELECT {} AS v) AS x)").format(change(sql.SQL("x.v")), value)
    step, rest = path[0], path[1:]
    if step == "[]":
        return sql.SQL(
            "(SELECT CASE WHEN jsonb_typeof(x.v) = 'array' THEN (SELECT coalesce(jsonb_agg({inner} ORDER BY e.n),"
            " '[]'::jsonb) FROM jsonb_array_elements(x.v) WITH ORDINALITY AS e(v, n)) ELSE x.v END"
            " FROM (SELECT {value} AS v) AS x)"
        ).format(inner=changed_inside(sql.SQL("e.v"), rest, change), value=value)
    key = sql.Literal(step)
    return sql.SQL(
        "(SELECT CASE WHEN jsonb_typeof(x.v) = 'object' AND jsonb_exists(x.v, {key})"
        " THEN jsonb_set(x.v, ARRAY[{key}], {inner}) ELSE x.v END FROM (SELECT {value} AS v) AS x)"
    ).format(key=key, inner=changed_inside(sql.SQL("(x.v -> {})").format(key), rest, change), value=value)


def as_id_there(new: sql.Composable, old: sql.Composable) -> sql.Composed:
    """Return SQL of a new id as jsonb, NULL where what stands there is no id of that table: numbers and texts differ.

    Args:
        new: SQL of the new id, of the type of its column, not NULL.
        old: SQL of what stands there, as jsonb.
    """
    return sql.SQL(
        "(CASE WHEN jsonb_typeof({old}) = CASE WHEN pg_typeof({new})::oid = ANY({numbers}::oid[]) THEN 'number'"
        " ELSE 'string' END THEN CASE jsonb_typeof({old}) WHEN 'number' THEN to_jsonb({new})"
        " ELSE to_jsonb({new}::text) END END)"
    ).format(old=old, new=new, numbers=sql.Literal(_NUMBERS))


# Oids of smallint, integer, bigint, real, double precision, numeric (pg_type.dat).
_NUMBERS = [21, 23, 20, 700, 701, 1700]
