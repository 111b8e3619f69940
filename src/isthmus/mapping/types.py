"""Column types, and the one table of BSON type by PostgreSQL type.

Decides how a type is written in a mapping and in SQL, and which BSON values a column of it takes: exactly, only with
`coerce: true`, or not at all. The conversions themselves are the core's; the oracle in `verify` shares nothing of this.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

from isthmus.mapping.names import quote_identifier

Kind = Literal[
    "text",
    "varchar",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double",
    "numeric",
    "boolean",
    "date",
    "timestamp",
    "timestamptz",
    "uuid",
    "bytea",
    "jsonb",
    "enum",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

UUID_TEXT = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""Regular expression, for Python and PostgreSQL, of a whole uuid as PostgreSQL writes it."""
CUID2_TEXT = "[a-z][0-9a-z]{23}"
"""The same of a text as cuid2 makes it."""
ID_FORMS = {"uuid": UUID_TEXT, "cuid2": CUID2_TEXT}
"""The same of an id, by the scheme that makes it; ids that are kept have no form."""

INTEGER_RANGES: dict[str, tuple[int, int]] = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
TEXT_KINDS = frozenset({"text", "varchar"})
INSTANT_KINDS = frozenset({"date", "timestamp", "timestamptz"})

VARCHAR_LENGTH = 10_485_760
"""Longest `varchar(n)` (PostgreSQL: character type, MaxAttrSize)."""
NUMERIC_PRECISION = 1000
"""Largest declared precision of `numeric` (PostgreSQL documentation: Arbitrary Precision Numbers)."""

_ALIASES: dict[str, Kind] = {
    "character varying": "varchar",
    "int2": "smallint",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double",
    "double precision": "double",
    "float": "double",
    "decimal": "numeric",
    "bool": "boolean",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}
_SQL_NAMES: dict[str, str] = {"double": "double precision"}
_ELSEWHERE: dict[str, str] = {
    "json": "jsonb",
    "char": "text",
    "character": "text",
    "string": "text",
    "str": "text",
    "number": "numeric",
    "objectid": "text",
    "object": "jsonb",
    "document": "jsonb",
    "array": "text[]",
    "datetime": "timestamptz",
    "serial": "integer",
    "bigserial": "bigint",
    "money": "numeric(19,4)",
    "blob": "bytea",
    "binary": "bytea",
    "long": "bigint",
    "time": "text",
    "interval": "text",
}
_FORM = re.compile(
    r"\s*(?P<name>[^()\[\]]*?)\s*(?:\((?P<args>[^()]*)\))?\s*(?P<rest>[^()\[\]]*?)\s*(?P<array>(?:\[\])*)\s*"
)


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type of a column.

    Attributes:
        kind: What it is; `enum` for a type of the mapping's `enums`.
        length: Characters of `varchar(n)`; None without limit.
        precision: Digits of `numeric(p,s)`, or fraction digits of seconds (0 to 6); None when unconstrained.
        scale: Digits after the point of `numeric(p,s)`; None when unconstrained.
        enum: Name of the enum, without schema.
        array: Whether the column is a one-dimensional array of this.
    """

    kind: Kind
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    enum: str | None = None
    array: bool = False

    @property
    def element(self) -> ColumnType:
        """The type of one element of an array; the type itself when it is none."""
        return replace(self, array=False)

    def __str__(self) -> str:
        """The type as a mapping writes it."""
        name = self.enum if self.kind == "enum" and self.enum is not None else self.kind
        return f"{name}{self._modifier()}{'[]' if self.array else ''}"

    def sql(self, schema: str) -> str:
        """The type as SQL; an enum is qualified with `schema`, where the mapping makes it."""
        if self.kind == "enum":
            name = f"{quote_identifier(schema)}.{quote_identifier(self.enum or '')}"
        else:
            name = _SQL_NAMES.get(self.kind, self.kind)
        return f"{name}{self._modifier()}{'[]' if self.array else ''}"

    def _modifier(self) -> str:
        if self.kind == "numeric" and self.precision is not None:
            return f"({self.precision},{self.scale or 0})"
        if self.kind == "varchar" and self.length is not None:
            return f"({self.length})"
        if self.kind in ("timestamp", "timestamptz") and self.precision is not None:
            return f"({self.precision})"
        return ""


class TypeFault(ValueError):  # noqa: N818 - it becomes a Problem, not an error of its own
    """A type that cannot be read.

    Attributes:
        message: Whole sentence.
        hint: What would be right.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def parse_type(text: str, enums: Collection[str]) -> ColumnType:
    """Read a type as a mapping writes it: `text`, `varchar(40)`, `numeric(10,2)`, `timestamp(3)`, `uuid[]`, an enum.

    Names of PostgreSQL that mean the same (`int8`, `double precision`) are understood; an enum's name is matched
    exactly, all others in any case.

    Raises:
        TypeFault: The type is unknown, misspelt, or its numbers are out of bounds.
    """
    stripped = text.strip()
    array = stripped.endswith("[]")
    base = stripped[:-2].rstrip() if array else stripped
    if base in enums:
        return ColumnType("enum", enum=base, array=array)
    match = _FORM.fullmatch(stripped)
    if match is None:
        raise TypeFault(f"`{text}` is not a column type.", "A type looks like `text`, `numeric(10,2)` or `uuid[]`.")
    if match["array"].count("[]") > 1:
        raise TypeFault(f"`{text}` has more than one dimension.", "Use a one-dimensional array, or `jsonb`.")
    name = " ".join(f"{match['name']} {match['rest']}".lower().split())
    kind: Kind | None = _ALIASES.get(name)
    if kind is None and name != "enum":
        kind = next((known for known in KINDS if known == name), None)
    if kind is None:
        raise TypeFault(f"`{text}` is not a column type.", _suggest(name, text, enums))
    if array and kind == "jsonb":
        raise TypeFault("An array of `jsonb` is not carried.", "Use `jsonb`, which holds arrays itself.")
    return _with_numbers(kind, text, match["args"], array=array)


def _suggest(name: str, text: str, enums: Collection[str]) -> str:
    bare = name.removesuffix("!").strip()
    if bare in _ELSEWHERE:
        return f"Use `{_ELSEWHERE[bare]}`."
    known = [*(kind for kind in KINDS if kind != "enum"), *enums]
    by_folded = {word.lower(): word for word in known}
    close = difflib.get_close_matches(text.strip().lower(), by_folded, 1, 0.6)
    close = close or difflib.get_close_matches(bare, by_folded, 1, 0.6)
    if close:
        return f"Did you mean `{by_folded[close[0]]}`?"
    foreign = difflib.get_close_matches(bare, _ELSEWHERE, 1, 0.75)
    if foreign:
        return f"Use `{_ELSEWHERE[foreign[0]]}`."
    return f"Known types: {', '.join(known)}."


def _with_numbers(kind: Kind, text: str, args: str | None, *, array: bool) -> ColumnType:
    if args is None:
        return ColumnType(kind, array=array)
    try:
        numbers = [int(part) for part in args.split(",")]
    except ValueError:
        raise TypeFault(f"`{text}` needs whole numbers in its parentheses.") from None
    if kind == "varchar" and len(numbers) == 1:
        if not 1 <= numbers[0] <= VARCHAR_LENGTH:
            raise TypeFault(
                f"The length in `{text}` must be between 1 and {VARCHAR_LENGTH}.", "Use `text` for no limit."
            )
        return ColumnType(kind, length=numbers[0], array=array)
    if kind == "numeric" and len(numbers) in (1, 2):
        precision, scale = numbers[0], numbers[1] if len(numbers) == 2 else 0
        if not 1 <= precision <= NUMERIC_PRECISION:
            raise TypeFault(f"The precision in `{text}` must be between 1 and {NUMERIC_PRECISION}.")
        if not 0 <= scale <= precision:
            raise TypeFault(f"The scale in `{text}` must be between 0 and the precision, {precision}.")
        return ColumnType(kind, precision=precision, scale=scale, array=array)
    if kind in ("timestamp", "timestamptz") and len(numbers) == 1:
        if not 0 <= numbers[0] <= 6:
            raise TypeFault(f"The precision in `{text}` must be between 0 and 6 digits.")
        return ColumnType(kind, precision=numbers[0], array=array)
    raise TypeFault(f"`{text}` has numbers that `{kind}` does not take.", f"Write `{kind}` without them.")


Outcome = Literal["exact", "coerced", "refused"]

BSON_TYPES: tuple[str, ...] = (
    "double",
    "string",
    "document",
    "array",
    "binary",
    "undefined",
    "objectId",
    "bool",
    "date",
    "null",
    "regex",
    "dbPointer",
    "code",
    "symbol",
    "codeWithScope",
    "int32",
    "timestamp",
    "int64",
    "decimal128",
    "minKey",
    "maxKey",
)
"""The 21 storage types of BSON (bsonspec.org, version 1.1), by the names this page uses."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a column of one kind does with values of one BSON type.

    Attributes:
        outcome: `exact`: carried, nothing lost; `coerced`: carried only with `coerce: true`, and counted; `refused`:
            the document is a dead letter.
        note: Form of the result, and what else is refused (with the reject code in backquotes).
    """

    outcome: Outcome
    note: str = ""


_REFUSED = Conversion("refused")
_NULL = Conversion("exact", "NULL, or the default with `default_for: [missing, null]`")


def _exact(note: str = "") -> Conversion:
    return Conversion("exact", note)


def _coerced(note: str = "") -> Conversion:
    return Conversion("coerced", note)


_NUMBER = "a decimal number such as `-5`, `.5` or `1.5e3`; `NaN`, `Infinity`, `-Infinity`"
_TEXT = {
    "string": _exact("NUL and invalid UTF-8 follow the policies `nul` and `utf8`"),
    "symbol": _exact("as string"),
    "objectId": _exact("24 lower-case hex digits"),
    "int32": _coerced("decimal digits"),
    "int64": _coerced("decimal digits"),
    "bool": _coerced("`true` or `false`"),
    "double": _coerced("shortest digits that read back the same; `NaN`, `Infinity`, `-Infinity`"),
    "decimal128": _coerced("its digits"),
    "date": _coerced("ISO 8601, UTC, milliseconds, `Z`"),
    "code": _coerced("its source text"),
}
_INTEGER = {
    "int32": _exact("in range, else `out-of-range`"),
    "int64": _exact("in range, else `out-of-range`"),
    "double": _exact("when integral and in range, else `fraction` or `out-of-range`"),
    "decimal128": _exact("when integral and in range, else `fraction` or `out-of-range`"),
    "bool": _coerced("0 or 1"),
    "string": _coerced("a whole decimal integer"),
    "symbol": _coerced("as string"),
}
_INSTANT = {
    "date": _exact("fewer than 3 digits: `precision` when digits are lost (`coerce` rounds); policy `range`"),
    "timestamp": _coerced("its seconds; the ordinal is lost"),
    "string": _coerced("ISO 8601"),
    "symbol": _coerced("as string"),
}

CONVERSIONS: dict[Kind, dict[str, Conversion]] = {
    "text": _TEXT,
    "varchar": {**_TEXT, "string": _exact("longer than the length: `too-long`; policies `nul` and `utf8`")},
    "smallint": _INTEGER,
    "integer": _INTEGER,
    "bigint": _INTEGER,
    "real": {
        "double": _exact("when it survives 4 bytes, NaN and infinities too, else `inexact` (`coerce` rounds)"),
        "int32": _exact("when representable, else `inexact` (`coerce` rounds)"),
        "int64": _exact("when representable, else `inexact` (`coerce` rounds)"),
        "decimal128": _exact("when representable, else `inexact` (`coerce` rounds) or `out-of-range`"),
        "string": _coerced(_NUMBER),
        "symbol": _coerced("as string"),
    },
    "double": {
        "double": _exact("NaN and infinities too"),
        "int32": _exact(),
        "int64": _exact("when representable, else `inexact` (`coerce` rounds)"),
        "decimal128": _exact("when representable, else `inexact` (`coerce` rounds)"),
        "string": _coerced(_NUMBER),
        "symbol": _coerced("as string"),
    },
    "numeric": {
        "int32": _exact("precision exceeded: `out-of-range`"),
        "int64": _exact("precision exceeded: `out-of-range`"),
        "decimal128": _exact(
            "trailing zeros stay without a declared scale; else `scale` (`coerce` rounds half to even)"
        ),
        "double": _exact("through its shortest digits; else `scale` (`coerce` rounds half to even)"),
        "string": _coerced(_NUMBER),
        "symbol": _coerced("as string"),
    },
    "boolean": {
        "bool": _exact(),
        "int32": _coerced("exactly 0 or 1"),
        "int64": _coerced("exactly 0 or 1"),
        "double": _coerced("exactly 0 or 1"),
        "string": _coerced("`true` or `false`"),
        "symbol": _coerced("as string"),
    },
    "date": {
        "date": _exact("at midnight UTC, else `time-of-day` (`coerce` takes the day); policy `range`"),
        "string": _coerced("YYYY-MM-DD"),
        "symbol": _coerced("as string"),
    },
    "timestamp": _INSTANT,
    "timestamptz": _INSTANT,
    "uuid": {
        "binary": _exact("subtype 4 of 16 bytes; subtype 3 is `uuid-legacy`, its byte order is not known"),
        "string": _coerced("the form 8-4-4-4-12"),
        "symbol": _coerced("as string"),
    },
    "bytea": {
        "binary": _exact("subtype 0; other subtypes need `coerce`, the subtype is lost"),
    },
    "jsonb": {
        "double": _exact("a number; NaN and infinities follow the policy `nan`"),
        "string": _exact("policies `nul` and `utf8`"),
        "document": _exact("of duplicate keys the last; jsonb keeps no key order"),
        "array": _exact(),
        "binary": _exact("`$binary`"),
        "objectId": _exact("24 lower-case hex digits, or the new id under `rewrite`"),
        "bool": _exact(),
        "date": _exact("ISO 8601 text; outside the years 1 to 9999 `$date`"),
        "regex": _exact("`$regularExpression`"),
        "dbPointer": _exact("`$dbPointer`"),
        "code": _exact("`$code`"),
        "symbol": _exact("as string"),
        "codeWithScope": _exact("`$code` with `$scope`"),
        "int32": _exact("a number"),
        "timestamp": _exact("`$timestamp`"),
        "int64": _exact("a number, all digits"),
        "decimal128": _exact("a number, all digits; NaN and infinities follow the policy `nan`"),
        "minKey": _exact("`$minKey`"),
        "maxKey": _exact("`$maxKey`"),
    },
    "enum": {
        "string": _exact("one of the values, else `enum`; policies `nul` and `utf8`"),
        "symbol": _exact("as string"),
    },
}


def conversion(bson_type: str, column_type: ColumnType) -> Conversion:
    """Look one pair up.

    Args:
        bson_type: One of `BSON_TYPES`.
        column_type: The column's type; of an array column, what the whole value does (elements follow the kind).

    Returns:
        The outcome; `refused` for every pair the table does not name.

    Raises:
        KeyError: `bson_type` is no BSON type.
    """
    if bson_type not in BSON_TYPES:
        raise KeyError(bson_type)
    if bson_type in ("null", "undefined"):
        return _NULL
    if column_type.array:
        if bson_type == "array":
            return _exact("element by element; null elements stay NULL, a nested array is refused")
        element = conversion(bson_type, ColumnType(column_type.kind, enum=column_type.enum))
        return _REFUSED if element.outcome == "refused" else _coerced("an array of one element")
    return CONVERSIONS[column_type.kind].get(bson_type, _REFUSED)


def markdown() -> str:
    """Render the table for the reference: an overview, then one section a column type, under third-level headings."""
    marks = {"exact": "=", "coerced": "c", "refused": "·"}
    kinds = list(KINDS)
    lines = [
        "`=` exact, `c` only with `coerce: true`, `·` refused (the document becomes a dead letter with code `type`).",
        "",
        f"| BSON type | {' | '.join(kinds)} |",
        f"| --- |{' :-: |' * len(kinds)}",
    ]
    for bson_type in BSON_TYPES:
        cells = [marks[conversion(bson_type, ColumnType(kind)).outcome] for kind in kinds]
        lines.append(f"| {bson_type} | {' | '.join(cells)} |")
    lines += [
        "",
        "`null` and `undefined` become NULL in every column, unless a default or `required` says otherwise.",
        "An array column (`text[]`) takes an array and applies these rules to each element; with `coerce: true` also a",
        "single value, as an array of one. An array inside the array is refused.",
    ]
    for kind in kinds:
        lines += ["", f"### {kind}", "", "| BSON type | outcome | note |", "| --- | --- | --- |"]
        for bson_type in BSON_TYPES:
            found = CONVERSIONS[kind].get(bson_type)
            if found is not None:
                lines.append(f"| {bson_type} | {found.outcome} | {found.note} |")
    return "\n".join(lines) + "\n"
