"""Canonical forms: one text for every way to hold the same value, from the oracle's side and from the server's.

| column type | canonical form | what it cannot see |
| --- | --- | --- |
| text, varchar, enum | the text itself | nothing |
| smallint, integer, bigint | decimal digits | nothing |
| real, double | hex digits of the bytes; every NaN is `nan` | which NaN |
| numeric | digits with the value's scale, no exponent | minus zero, which numeric does not have |
| boolean | `true`, `false` | nothing |
| date | days since 1970-01-01, or an infinity | nothing |
| timestamp, timestamptz | microseconds since 1970-01-01 UTC, or an infinity | the session's time zone, on purpose |
| uuid | lower-case hyphenated | nothing |
| bytea | hex digits | nothing |
| jsonb | sorted keys, no spaces, numbers as numeric prints them | key order, duplicate keys, minus zero |
| arrays | list of the above, None for NULL; what is no list from 1 on has its bounds first | nothing |
"""

from __future__ import annotations

import json
import math
import re
import struct
from decimal import Decimal
from typing import Any, cast

from isthmus.verify.reference.columns import Json
from isthmus.verify.reference.json_values import canonical_json, canonical_number, parse_json
from isthmus.verify.reference.values import Type

Form = str | list[str | None] | None

FLOAT_BYTES = {"real": ">f", "double": ">d"}
UNIX_EPOCH_JULIAN = 2_440_588
"""The Julian day of 1970-01-01, which PostgreSQL reads behind a J."""


def form_of(value: Any, kind: Type) -> Form:
    """Canonical form of a value the oracle expects."""
    if value is None:
        return None
    if kind.array:
        return [None if element is None else _scalar(element, kind) for element in cast("list[Any]", value)]
    return _scalar(value, kind)


def _scalar(value: Any, kind: Type) -> str:
    if isinstance(value, Json):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind.kind in FLOAT_BYTES:
        return "nan" if math.isnan(value) else struct.pack(FLOAT_BYTES[kind.kind], value).hex()
    if isinstance(value, Decimal):
        return canonical_number(value) if value.is_finite() else str(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def equal_form(form: Form, kind: Type) -> Any:
    """One value for all forms that PostgreSQL's `=` takes for the same: 1.0 and 1.00, minus zero and zero."""
    if isinstance(form, list):
        return tuple(None if element is None else _equal_scalar(element, kind) for element in form)
    return None if form is None else _equal_scalar(form, kind)


def _equal_scalar(form: str, kind: Type) -> Any:
    if kind.kind in FLOAT_BYTES and form != "nan":
        return struct.unpack(FLOAT_BYTES[kind.kind], bytes.fromhex(form))[0]
    if kind.kind == "numeric":
        number = Decimal(form)
        return number if number.is_finite() else form
    if kind.kind == "jsonb":
        return _equal_json(parse_json(form))
    return form


def _equal_json(value: Any) -> Any:
    """A hashable value; numbers compare as numbers, and neither with booleans nor with texts."""
    if isinstance(value, dict):
        return frozenset((key, _equal_json(inner)) for key, inner in cast("dict[str, Any]", value).items())
    if isinstance(value, list):
        return tuple(map(_equal_json, cast("list[Any]", value)))
    return (type(value).__name__, value)


def input_form(form: Form, kind: Type) -> Any:
    """A form as JSON that `jsonb_populate_recordset` reads into a column of the type."""
    if isinstance(form, list):
        return [None if element is None else _input_scalar(element, kind) for element in form]
    return None if form is None else _input_scalar(form, kind)


def _input_scalar(form: str, kind: Type) -> Any:
    if kind.kind in FLOAT_BYTES:
        return "NaN" if form == "nan" else repr(struct.unpack(FLOAT_BYTES[kind.kind], bytes.fromhex(form))[0])
    if kind.kind == "bytea":
        return f"\\x{form}"
    if kind.kind == "jsonb":
        return json.loads(form)
    if not form.lstrip("-").isdigit() or kind.kind not in ("date", "timestamp", "timestamptz"):
        return form
    # As a Julian day, for PostgreSQL has years that Python's dates have not.
    days, micros = (int(form), 0) if kind.kind == "date" else divmod(int(form), 86_400_000_000)
    julian = f"J{days + UNIX_EPOCH_JULIAN}"
    if kind.kind == "date":
        return julian
    seconds, rest = divmod(micros, 1_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:06}"
    return f"{julian} {clock}+00" if kind.kind == "timestamptz" else f"{julian} {clock}"


def sql_form(column: str, kind: Type) -> str:
    """SQL for a text (or array of texts) that `read_form` finishes.

    Args:
        column: The column as quoted SQL.
        kind: Its type.

    Returns:
        An expression of type text or text[]; it depends on no session setting but UTF-8.
    """
    if not kind.array:
        return _sql_scalar(column, kind)
    element = _sql_scalar("u.e", kind)
    listed = f"ARRAY(SELECT {element} FROM unnest({column}) WITH ORDINALITY AS u(e, n) ORDER BY u.n)"
    bounds = f"ARRAY[array_dims({column})]"
    is_list = f"coalesce(array_ndims({column}) = 1 AND array_lower({column}, 1) = 1, true)"
    return f"CASE WHEN {column} IS NULL THEN NULL WHEN {is_list} THEN {listed} ELSE {bounds} || {listed} END"


def _sql_scalar(column: str, kind: Type) -> str:
    if kind.kind in FLOAT_BYTES:
        sender = "float4send" if kind.kind == "real" else "float8send"
        return f"encode({sender}({column}), 'hex')"
    if kind.kind == "bytea":
        return f"encode({column}, 'hex')"
    if kind.kind == "date":
        return f"CASE WHEN isfinite({column}) THEN ({column} - date '1970-01-01')::text ELSE {column}::text END"
    if kind.kind in ("timestamp", "timestamptz"):
        exact = f"trunc(extract(epoch FROM {column}) * 1000000)::text"
        return f"CASE WHEN isfinite({column}) THEN {exact} ELSE {column}::text END"
    return f"{column}::text"


def read_form(fetched: str | list[str | None] | None, kind: Type) -> Form:
    """Canonical form of what `sql_form` gave."""
    if isinstance(fetched, list):
        return [None if element is None else _read_scalar(element, kind) for element in fetched]
    return None if fetched is None else _read_scalar(fetched, kind)


_BOUNDS = re.compile(r"(\[-?\d+:-?\d+\])+")
"""How the server writes the bounds of an array (PostgreSQL: array_dims); no JSON and no hex digits look like it."""


def _read_scalar(text: str, kind: Type) -> str:
    if kind.array and _BOUNDS.fullmatch(text):
        return text
    if kind.kind == "jsonb":
        return canonical_json(parse_json(text))
    if kind.kind in FLOAT_BYTES:
        return "nan" if math.isnan(struct.unpack(FLOAT_BYTES[kind.kind], bytes.fromhex(text))[0]) else text
    return text
