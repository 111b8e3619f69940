"""Whether values of a mapping's column type go into a column that is there, unchanged. Pure.

What a cast of the server would change in silence (digits cut off, blanks added, a clock moved) is refused here, with
what the mapping should say instead; what may or may not fit is checked value by value while it is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.mapping.names import quote_identifier
from isthmus.mapping.types import INTEGER_RANGES, ColumnType
from isthmus.transfer.existing.catalog import ThereColumn

_KINDS = {
    "text": "text",
    "varchar": "varchar",
    "bpchar": "char",
    "citext": "citext",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double",
    "numeric": "numeric",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "uuid": "uuid",
    "bytea": "bytea",
    "json": "json",
    "jsonb": "jsonb",
}
_TEXTS = frozenset({"text", "varchar", "char", "citext"})
_INTEGERS = ("smallint", "integer", "bigint")
_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}
_UUID_CHARACTERS = 36


@dataclass(frozen=True)
class Fits:
    """The values go in.

    Attributes:
        check: SQL that is true of those that do, over the quoted name of the column; None when all do.
    """

    check: str | None = None


@dataclass(frozen=True)
class Differs:
    """They do not, or not unchanged.

    Attributes:
        reason: Why, as it follows the two types; empty when they say it themselves.
        hint: What the mapping should say.
        missing: Labels of the mapping's enum that the enum there has not.
    """

    reason: str
    hint: str
    missing: tuple[str, ...] = ()


def fit_type(name: str, wanted: ColumnType, there: ThereColumn, labels: Sequence[str], schema: str) -> Fits | Differs:
    """Decide whether a column takes the values of a type.

    Args:
        name: The column's name.
        wanted: What the mapping says.
        there: The column.
        labels: Of the mapping's enum; empty for other types.
        schema: Schema in which the mapping's enums are.
    """
    if wanted.array != there.array:
        return Differs("one is an array and the other is not", "Give the field the array type, or another column.")
    if there.of_domain:
        return Differs(
            "the elements are of a domain, and elements of an array are not converted",
            "Make the column an array of the type that the domain is over (a CHECK constraint may ask what the domain"
            " does), or take the field out of the mapping (`drop`).",
        )
    kind = "enum" if there.enum is not None else _KINDS.get(there.base, there.base)
    fit = _fit(name, wanted, there, kind, labels, schema)
    ids_as_text = wanted.kind == "uuid" and kind == "text"
    if wanted.array and isinstance(fit, Fits) and not ids_as_text and (fit.check is not None or kind != wanted.kind):
        return Differs("elements of an array are not converted", f"Say {there.type} in the mapping.")
    return fit


def _fit(
    name: str, wanted: ColumnType, there: ThereColumn, kind: str, labels: Sequence[str], schema: str
) -> Fits | Differs:
    say = Differs("", f"Say `type: {_as_mapping(there, kind)}` in the mapping.")
    if wanted.kind == "enum" and kind == "enum":
        if there.enum != f"{schema}.{wanted.enum}":
            return Differs("", f"Name the enum of the mapping {there.base}, and keep it in the schema {schema}.")
        missing = tuple(label for label in labels if label not in (there.labels or ()))
        if missing:
            return Differs(
                "it has not all labels of the mapping",
                "Add them there (ALTER TYPE … ADD VALUE), or map these values to others (`values`).",
                missing,
            )
        return Fits()
    if wanted.kind in {"text", "varchar", "enum"} and kind in _TEXTS:
        longest = wanted.length if wanted.kind == "varchar" else max(map(len, labels), default=None)
        return _fit_text(name, there, kind, longest)
    if wanted.kind == "uuid" and kind in _TEXTS:
        if kind == "char" and there.length != _UUID_CHARACTERS:
            return Differs("a shorter text would be padded with blanks", "Make the column text.")
        short = there.length is not None and there.length < _UUID_CHARACTERS
        return Differs("a UUID has 36 characters", "Make the column wider, or uuid.") if short else Fits()
    if wanted.kind in _INTEGERS and kind in _INTEGERS:
        low, high = INTEGER_RANGES[kind]
        narrower = _INTEGERS.index(kind) < _INTEGERS.index(wanted.kind)
        return Fits(f"{quote_identifier(name)} BETWEEN {low} AND {high}" if narrower else None)
    if wanted.kind in _INTEGERS and kind == "numeric":
        room = None if there.precision is None else there.precision - there.scale
        if there.precision is not None and there.scale < 0:
            return Differs("it rounds before the point", "Make the column numeric without a scale below zero.")
        roomy = room is None or room >= _DIGITS[wanted.kind]
        return Fits(None if roomy else f"abs({quote_identifier(name)}::numeric) < 1e{room}")
    if wanted.kind == "numeric" and kind == "numeric":
        return _fit_numeric(wanted, there)
    if wanted.kind in {"timestamp", "timestamptz"} and kind in {"timestamp", "timestamptz"}:
        return _fit_instant(wanted, there, kind)
    if wanted.kind == "real" and kind == "double":
        return Fits()
    if wanted.kind == "jsonb" and kind == "json":
        return Fits()
    return Fits() if wanted.kind == kind else say


def _fit_text(name: str, there: ThereColumn, kind: str, longest: int | None) -> Fits | Differs:
    quoted, length = quote_identifier(name), there.length
    if kind == "char":
        return Fits(f"char_length({quoted}) = {length or 1}")  # a shorter one would be padded with blanks
    if length is None or (longest is not None and longest <= length):
        return Fits()
    return Fits(f"char_length({quoted}) <= {length}")


def _fit_numeric(wanted: ColumnType, there: ThereColumn) -> Fits | Differs:
    if there.precision is None:
        return Fits()
    hint = f"Say `type: numeric({there.precision},{there.scale})` in the mapping; then what to do with more digits is"
    hint += " its own choice (`coerce`)."
    if wanted.precision is None:
        return Differs("it would round in silence", hint)
    fits = (wanted.scale or 0) <= there.scale
    fits = fits and wanted.precision - (wanted.scale or 0) <= there.precision - there.scale
    return Fits() if fits else Differs("it would round in silence, or overflow", hint)


def _fit_instant(wanted: ColumnType, there: ThereColumn, kind: str) -> Fits | Differs:
    precision = 6 if there.precision is None else there.precision
    written = kind if there.precision is None else f"{kind}({there.precision})"
    hint = f"Say `type: {written}` in the mapping."
    if wanted.kind != kind:
        return Differs(
            "timestamptz is an instant, timestamp a date and a time of day somewhere; which zone is meant must be said",
            f"{hint} An instant is then written as its UTC time of day." if kind == "timestamp" else hint,
        )
    if (6 if wanted.precision is None else wanted.precision) > precision:
        return Differs("it would round in silence", hint)
    return Fits()


def _as_mapping(there: ThereColumn, kind: str) -> str:
    name = there.base if kind == "enum" else {"char": "varchar", "citext": "text", "json": "jsonb"}.get(kind, kind)
    return f"{name}[]" if there.array else name
