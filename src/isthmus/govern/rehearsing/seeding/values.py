"""A value for a column of a type: texts as the server reads them. Pure.

Values are wide where the type is: fractions, upper case, letters beyond ASCII, numbers over 32 bits, long texts. What a
migration cuts off or rounds is seen by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count, product

from isthmus.govern.rehearsing.seeding.shape import Column

_HEADER = 4
"""What the catalog adds to the length of a text (VARHDRSZ)."""
_LONGEST = 300
_PLAIN: dict[str, str] = {
    "boolean": "",
    "date": "2024-01-{day:02}",
    "timestamp without time zone": "2024-01-{day:02} 03:04:05.678901",
    "timestamp with time zone": "2024-01-{day:02} 03:04:05.678901+00",
    "time without time zone": "03:04:{day:02}.678901",
    "time with time zone": "03:04:{day:02}.678901+00",
    "interval": "{n} days 01:02:03.456",
    "uuid": "{n:08x}-0000-4000-8000-0123456789ab",
    "json": '{{"n": {n}, "Ü": [1.50, null]}}',
    "jsonb": '{{"n": {n}, "Ü": [1.50, null]}}',
    "bytea": "\\x00ff{n:08x}",
    "inet": "10.0.{high}.{low}",
    "cidr": "10.0.{high}.{low}/32",
    "macaddr": "08:00:2b:01:{high:02x}:{low:02x}",
    "macaddr8": "08:00:2b:01:02:03:{high:02x}:{low:02x}",
    "xml": "<n>{n}</n>",
    "tsvector": "word{n}",
    "tsquery": "word{n}",
    "point": "({n},2)",
    "line": "{{1,2,{n}}}",
    "lseg": "[({n},2),(3,4)]",
    "box": "({n},2),(0,0)",
    "path": "(({n},2),(3,4))",
    "polygon": "(({n},2),(3,4),(5,6))",
    "circle": "<({n},2),3>",
    "pg_lsn": "0/{n:X}",
    "xid": "{n}",
    "xid8": "{n}",
    "oid": "{n}",
    "regclass": "pg_class",
    "regtype": "integer",
    "regproc": "now",
    "jsonpath": "$.a{n}",
    '"char"': "{letter}",
    "money": "{n}.25",
    "smallint": "{n}",
    "real": "{n}.25",
    "double precision": "{n}.123456789",
    "hstore": "n=>{n}",
    "ltree": "n.{n}",
    "citext": "Text {n}",
    "geometry": "POINT({n} 2)",
    "geography": "POINT({low} 2)",
}
_WIDE: dict[str, int] = {"integer": 100_000, "bigint": 3_000_000_000}
WHOLE = frozenset({"smallint", "integer", "bigint"})
"""Types of whole numbers."""
_LENGTHS = frozenset({"character varying", "character", "text", "name"})
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_SHAPES = (
    "a1@example.org",
    "https://example.org/1",
    "+15551234567",
    "abc",
    "ABC",
    "ab",
    "AB",
    "a",
    "A",
    "a-1",
    "a_1",
    "1",
    "0123456789",
    "#aabbcc",
    "2024-01-02",
    "12:34",
    "1.0.0",
    "00000000-0000-4000-8000-000000000001",
    "/a",
    "{}",
    "[]",
    "x" * 12,
    "x" * 40,
    "",
)
_MOST = 400


def value(column: Column, n: int, *, wide: bool) -> str | None:
    """Return the n-th value of a column, another one for each n as far as its type has so many.

    Args:
        column: The column.
        n: From 1.
        wide: Whether it is one that a narrower type would not hold.

    Returns:
        As the server reads it; None where nothing is known of the type.
    """
    if column.values and column.element is None:
        return column.values[(n - 1) % len(column.values)]
    if column.element is not None:
        element = column.values[(n - 1) % len(column.values)] if column.values else _of(column.element, -1, n, wide)
        return None if element is None else "{" + _in_quotes(element) + "}"
    if column.subtype is not None:
        return _range(column, n)
    if column.attributes:
        parts = [_of(one, -1, n, wide) for one in column.attributes]
        return "(" + ",".join("" if one is None else _in_quotes(one) for one in parts) + ")"
    return _of(column.type, column.modifier, n, wide)


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _of(kind: str, modifier: int, n: int, wide: bool) -> str | None:
    if kind == "boolean":
        return "true" if n % 2 else "false"
    if kind in _WIDE:
        return str(n + (_WIDE[kind] if wide else 0))
    if kind == "numeric":
        return _numeric(modifier, n, wide)
    if kind in _LENGTHS:
        return _text(kind, modifier, n, wide)
    if kind in {"bit", "bit varying"}:
        width = modifier if modifier > 0 else 1 if kind == "bit" else 8
        return f"{n:0{width}b}"[-width:]
    if kind.rpartition(".")[2] in {"vector", "halfvec"}:
        return f"[{','.join([f'{n}.5'] * (modifier if modifier > 0 else 3))}]"
    form = _PLAIN.get(kind.rpartition(".")[2] if kind not in _PLAIN else kind)
    if form is None:
        return None
    return form.format(n=n, day=(n - 1) % 28 + 1, high=n // 256 % 256, low=n % 256, letter=chr(96 + (n - 1) % 26 + 1))


def _numeric(modifier: int, n: int, wide: bool) -> str:
    if modifier < _HEADER:
        return f"{n + (12_345_678_901 if wide else 0)}.123456"
    # numeric.c: precision in the upper half, a scale of eleven bits with a sign in the lower
    precision, scale = (modifier - _HEADER) >> 16, ((modifier - _HEADER) & 0x7FF ^ 1024) - 1024
    whole = precision - scale
    digits = str(n % 10**whole if whole > 0 else 0)
    if scale <= 0:
        return digits + "0" * -scale if n % 10 ** max(whole + scale, 1) else "0"
    fraction = (str(n) if whole <= 0 else "").rjust(min(scale, max(scale + min(whole, 0), 1)), "1")[-scale:]
    if wide and whole > len(digits):
        digits = "1" + digits.rjust(whole - 1, "0")
    return f"{digits}.{fraction.rjust(scale, '0') if whole <= 0 else fraction}"


def _text(kind: str, modifier: int, n: int, wide: bool) -> str:
    most = 63 if kind == "name" else modifier - _HEADER if modifier >= _HEADER else None
    if kind == "character" and most is None:
        most = 1
    text = f"Text {n} Ü"
    if most is None:
        return text + (" long" * (_LONGEST // 5) if wide else "")
    if most < len(text):
        return _short(n, most)
    return text.ljust(min(most, _LONGEST), "x") if wide else text


def _short(n: int, most: int) -> str:
    letters = ""
    while n > 0 or not letters:
        n, digit = divmod(n, 26)
        letters = chr(65 + digit) + letters
    return letters[-most:].rjust(most, "A")


def _range(column: Column, n: int) -> str | None:
    low, high = (_of(column.subtype or "", -1, one, wide=False) for one in (2 * n - 1, 2 * n))
    if low is None or high is None:
        return None
    text = f'["{low}","{high}")'
    return "{" + text + "}" if column.form == "m" else text


def candidates(definition: str, columns: Sequence[Column], n: int = 1) -> Iterator[tuple[str | None, ...]]:
    """Yield values for the columns that a CHECK names, those first that its definition holds itself.

    Args:
        definition: As the server prints it.
        columns: The columns that it names.
        n: Which row it is for, from 1: some values are others for each.
    """
    choices = [list(dict.fromkeys(_choices(definition, one, n))) for one in columns]
    for number, found in zip(count(), product(*choices)):
        if number >= _MOST:
            return
        yield found


def _choices(definition: str, column: Column, n: int) -> Iterator[str | None]:
    numeric = column.category == "N"
    yield from column.values
    if not numeric:
        for found in _TEXT.finditer(definition):
            yield found[1].replace("''", "'")
    for found in _NUMBER.finditer(_TEXT.sub("", definition)):
        if numeric:
            number = float(found[0]) if "." in found[0] and column.type not in WHOLE else int(float(found[0]))
            yield from (str(one) for one in (number, number + 1, number - 1))
        else:
            yield from ("x" * size for one in (0, 1, -1) if 0 < (size := int(float(found[0])) + one) <= 10_000)
    if numeric:
        yield from ("0", "1", "-1", "10", "100")
        yield from () if column.type in WHOLE else ("0.5",)
    elif column.category == "S":
        yield from (one.replace("1", str(n), 1) for one in _SHAPES)
    elif column.category == "B":
        yield from ("true", "false")
    yield from (value(column, number, wide=False) for number in (n, n + 1))
    if column.nullable:
        yield None
