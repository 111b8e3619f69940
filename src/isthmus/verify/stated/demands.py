"""What each column's values must be, as SQL that is true of those that are not. Pure.

A demand is on one value; in an array column on each element. NULL meets every demand but that of a required column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql
from pydantic import JsonValue

from isthmus.mapping.reading.choosing import WHITE_SPACE
from isthmus.mapping.rules import ColumnField
from isthmus.mapping.tables import TargetSchema
from isthmus.mapping.types import INTEGER_RANGES
from isthmus.verify.looking import of_row, owner
from isthmus.verify.stated.literals import comparable, literal
from isthmus.verify.stated.sources import Filled

_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Demand:
    """Something that the values of a column must be.

    Attributes:
        name: What it is, for people.
        expected: What a value must be, for people.
        wrong: SQL that is true of rows `r` with a value that is not.
        of_source: Whether it is the source's to meet it, for the copy carries what does not.
    """

    name: str
    expected: str
    wrong: sql.Composable
    of_source: bool = False


@dataclass(frozen=True)
class LeftOut:
    """Something the mapping states that is not compared, with the reason, a sentence."""

    why: str


def demands(filled: Filled, schema: TargetSchema, *, existing: bool) -> Iterator[Demand | LeftOut]:
    """Yield all that the mapping states about a column's values.

    Args:
        filled: The column.
        schema: Its schema.
        existing: Whether the real column may be wider than the mapping's type.
    """
    value = of_row(filled.column.name)
    if not filled.column.nullable or filled.column.name in filled.table.primary_key:
        # num_nulls: what the catalog says of NULL is not to be believed
        wrong = sql.SQL("num_nulls({}) = 1").format(value)
        if existing and filled.column.reference is not None:
            wrong += _does_not_wait(filled, schema)
        yield Demand("required", "a value", wrong)
    yield from _of_type(filled, schema, existing=existing)
    yield from _of_constants(filled, schema)
    if not filled.rules or filled.column.role != "value":
        return
    if any(rule.flags for rule in filled.rules):
        yield from _of_flags(filled, schema)
        return
    yield from _of_normalise(filled)
    yield from _of_values(filled, schema)


def _does_not_wait(filled: Filled, schema: TargetSchema) -> sql.Composed:
    """Return SQL that is true of references that do not wait for a later copy, behind another condition."""
    return sql.SQL(
        " AND NOT EXISTS (SELECT FROM isthmus.pending_reference w WHERE w.table_schema = {} AND w.table_name = {}"
        " AND w.column_name = {} AND w.row_id = {})"
    ).format(
        sql.Literal(schema.schema),
        sql.Literal(filled.table.name),
        sql.Literal(filled.column.name),
        owner(filled.table),
    )


def each(filled: Filled, wrong: Callable[[sql.Composable], sql.Composable]) -> sql.Composable:
    """Return SQL that is true of rows with a value, or an element, for which something is true."""
    value = of_row(filled.column.name)
    if not filled.column.type.array:
        return wrong(value)
    return sql.SQL("EXISTS (SELECT FROM unnest({}) AS e(v) WHERE {})").format(value, wrong(sql.SQL("e.v")))


def _of_type(filled: Filled, schema: TargetSchema, *, existing: bool) -> Iterator[Demand]:
    kind = filled.column.type.element
    if kind.kind == "enum":
        labels = schema.enums.get(kind.enum or "", [])
        wrong = each(filled, lambda v: sql.SQL("{}::text <> ALL ({}::text[])").format(v, sql.Literal(labels)))
        yield Demand("enum", f"one of {', '.join(labels)}", wrong)
    elif kind.kind == "varchar" and kind.length is not None:
        length = sql.Literal(kind.length)
        wrong = each(filled, lambda v: sql.SQL("char_length({}) > {}").format(v, length))
        yield Demand("length", f"at most {kind.length} characters", wrong)
    elif kind.kind == "numeric" and kind.precision is not None:
        scale = kind.scale or 0
        room = sql.SQL("power(10::numeric, {})").format(sql.Literal(kind.precision - scale))
        wrong = each(
            filled,
            lambda v: sql.SQL(
                "({v}::text IN ('Infinity', '-Infinity') OR {v} <> 'NaN'"
                " AND (abs({v}) >= {room} OR {v} <> round({v}, {scale})))"
            ).format(v=v, room=room, scale=sql.Literal(scale)),
        )
        yield Demand("precision", f"a number of {kind}", wrong)
    elif kind.kind in {"timestamp", "timestamptz"} and kind.precision is not None:
        cast = sql.SQL(kind.sql(schema.schema))  # pyright: ignore[reportArgumentType]  made by the mapping package
        wrong = each(filled, lambda v: sql.SQL("{} <> {}::{}").format(v, v, cast))
        yield Demand("precision", f"an instant of {kind}", wrong)
    elif kind.kind in INTEGER_RANGES and existing:
        low, high = INTEGER_RANGES[kind.kind]
        between = sql.SQL("{} NOT BETWEEN {} AND {}")
        wrong = each(filled, lambda v: between.format(v, sql.Literal(low), sql.Literal(high)))
        yield Demand("range", f"{low} to {high}", wrong)


def _of_constants(filled: Filled, schema: TargetSchema) -> Iterator[Demand | LeftOut]:
    if filled.column.role != "constant":
        return
    stated = [one.constant for one in filled.sources]
    allowed = _literals(filled, schema, stated)
    if allowed is None:
        yield LeftOut("Constants of this type are not compared here.")
        return
    wrong = _not_among(filled, of_row(filled.column.name), allowed)
    if all(one is not None for one in stated) and filled.everywhere:
        wrong = sql.SQL("({} OR num_nulls({}) = 1)").format(wrong, of_row(filled.column.name))
    if allowed:
        yield Demand("constant", f"one of {_told(stated)}", wrong)


def _of_flags(filled: Filled, schema: TargetSchema) -> Iterator[Demand | LeftOut]:
    if not all(rule.flags for rule in filled.rules):
        yield LeftOut("Other fields fill the column too, so its labels were not compared.")
        return
    labels = list(dict.fromkeys(flag.label for rule in filled.rules for flag in rule.flags))
    stated: list[JsonValue] = [*labels, *_defaults(filled.rules)]
    if not filled.column.type.array:
        allowed = _literals(filled, schema, stated)
        if allowed is not None:
            wrong = _not_among(filled, of_row(filled.column.name), allowed)
            yield Demand("flags", f"one of {_told(stated)}", wrong)
        return
    if len({tuple(flag.label for flag in rule.flags) for rule in filled.rules}) > 1 or _defaults(filled.rules):
        yield LeftOut("Several rules or a default fill the column, so the order of its labels was not compared.")
        return
    # each label once, in the order written: its places rise
    places = sql.SQL("array_position({}::text[], e.v::text)").format(sql.Literal(labels))
    wrong = sql.SQL(
        "EXISTS (SELECT FROM (SELECT {p} AS p, lag({p}) OVER (ORDER BY e.n) AS before"
        " FROM unnest({v}) WITH ORDINALITY AS e(v, n)) AS x WHERE x.p IS NULL OR x.p <= x.before)"
    ).format(p=places, v=of_row(filled.column.name))
    yield Demand("flags", f"labels among {', '.join(labels)}, each once, in this order", wrong)


def _of_normalise(filled: Filled) -> Iterator[Demand | LeftOut]:
    steps = [step for step in ("trim", "lower") if all(step in rule.normalise for rule in filled.rules)]
    if not steps:
        if any(rule.normalise for rule in filled.rules):
            yield LeftOut("Only some of the fields that fill the column are normalised, so that was not compared.")
        return
    excepted = _texts([*_defaults(filled.rules), *_becoming(filled.rules)])
    if "trim" in steps and any(rule.policies.nul == "remove" for rule in filled.rules):
        yield LeftOut("NUL characters are removed after the text is trimmed, so white space may be left at its ends.")
    elif "trim" in steps:
        chars = sql.Literal(WHITE_SPACE)
        wrong = each(
            filled, lambda v: _unless(v, excepted, sql.SQL("btrim({0}::text, {1}) <> {0}::text").format(v, chars))
        )
        yield Demand("trim", "no white space at its ends", wrong)
    if "lower" in steps:
        small = sql.Literal(_CAPITALS.lower())
        wrong = each(
            filled,
            lambda v: _unless(
                v,
                excepted,
                sql.SQL("translate({0}::text, {1}, {2}) <> {0}::text").format(v, sql.Literal(_CAPITALS), small),
            ),
        )
        yield Demand("lower", "lower case", wrong)


def _unless(value: sql.Composable, excepted: Sequence[str], wrong: sql.Composable) -> sql.Composable:
    if not excepted:
        return wrong
    return sql.SQL("({} AND {}::text <> ALL ({}::text[]))").format(wrong, value, sql.Literal(list(excepted)))


def excepted_texts(filled: Filled) -> set[str]:
    """Return texts that are written as they stand, whatever `normalise` says: of defaults and replacements."""
    return set(_texts([*_defaults(filled.rules), *_becoming(filled.rules)]))


def _of_values(filled: Filled, schema: TargetSchema) -> Iterator[Demand | LeftOut]:
    rules = filled.rules
    if not any(rule.values or rule.other_values for rule in rules):
        return
    if all(rule.other_values is not None for rule in rules) and all(_is_fixed(rule) for rule in rules):
        stated = [*_becoming(rules), *_defaults(rules)]
        allowed = _literals(filled, schema, stated)
        if allowed is None:
            yield LeftOut("Replaced values of this type are not compared here.")
            return
        told = _told([one for one in stated if one is not None])
        wrong = each(filled, lambda v: _not_among(filled, v, allowed))
        yield Demand("values", f"one of {told}", wrong)
        return
    kept = set(_texts([*_becoming(rules), *_defaults(rules)]))
    every = [set(_texts([one.source for one in rule.values])) for rule in rules]
    replaced = {text for text in every[0] if all(text in own for own in every)}
    changing = any(rule.coerce or rule.policies.nul == "remove" or rule.policies.utf8 == "replace" for rule in rules)
    gone = sorted(replaced - kept)
    if changing or not gone or filled.column.type.kind not in {"text", "varchar", "enum"}:
        yield LeftOut("Values that are not replaced may be any, so which were was not compared.")
        return
    wrong = each(filled, lambda v: sql.SQL("{}::text = ANY ({}::text[])").format(v, sql.Literal(gone)))
    yield Demand("values", f"none of {', '.join(gone)}, which the mapping replaces", wrong)


def _not_among(filled: Filled, value: sql.Composable, allowed: Sequence[sql.Composed]) -> sql.Composed:
    if not allowed:
        return sql.SQL("{} IS NOT NULL").format(value)
    form = comparable(value, filled.column.type)
    return sql.SQL("{} <> ALL (ARRAY[{}])").format(form, sql.SQL(", ").join(allowed))


def _is_fixed(rule: ColumnField) -> bool:
    return rule.default is None or rule.default.kind == "literal"


def _defaults(rules: Sequence[ColumnField]) -> list[JsonValue]:
    found: list[JsonValue] = []
    for rule in rules:
        if rule.default is not None and rule.default.kind == "literal":
            found += rule.default.value if isinstance(rule.default.value, list) else [rule.default.value]
    return found


def _becoming(rules: Sequence[ColumnField]) -> list[JsonValue]:
    found = [one.becomes for rule in rules for one in rule.values]
    return found + [rule.other_values.becomes for rule in rules if rule.other_values is not None]


def _texts(stated: Sequence[JsonValue]) -> list[str]:
    return [one for one in stated if isinstance(one, str)]


def _literals(filled: Filled, schema: TargetSchema, stated: Sequence[JsonValue]) -> list[sql.Composed] | None:
    """Return SQL of stated values, without NULL; None where one cannot be written."""
    found = [literal(one, filled.column.type, schema.schema) for one in stated if one is not None]
    return None if any(one is None for one in found) else [one for one in found if one is not None]


def _told(stated: Sequence[JsonValue]) -> str:
    texts = [one if isinstance(one, str) else str(one).lower() for one in stated if one is not None]
    return ", ".join(dict.fromkeys(texts)) or "NULL"
