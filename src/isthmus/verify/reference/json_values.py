"""Two ways to write BSON as JSON: plain JSON for `jsonb` columns, Extended JSON for extras.

Plain JSON has numbers as numbers and dates and ObjectIds as text, and falls back to Extended JSON v2
(https://github.com/mongodb/specifications, extended-json) where JSON has no word. Extras use Extended JSON throughout,
so that they can be turned back into BSON. Results are Python values: dict, list, str, bool, None and Decimal for every
number; `canonical_json` gives one text for all spellings that PostgreSQL's jsonb holds as the same value.

Blind spots: key order and all but the last of duplicate keys are not compared, jsonb keeps neither; minus zero equals
zero, for the same reason; the text inside `$numberDouble` is compared as a number.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from isthmus.verify.reference import bson
from isthmus.verify.reference.bson import Decimal128, Value
from isthmus.verify.reference.journal import Refusal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR_1_MS = -62_135_596_800_000
YEAR_10000_MS = 253_402_300_800_000

Noted = Callable[[str], None]
"""Takes the kind of one change made on the way."""


@dataclass(frozen=True)
class Policies:
    """What to do with values the target cannot hold; the first word of each is to refuse the document.

    Attributes:
        nul: `dead_letter` or `remove`.
        utf8: `dead_letter` or `replace`.
        nan: `dead_letter` or `null` (jsonb only).
        range: `dead_letter`, `null` or `infinity` (dates and timestamps only).
    """

    nul: str = "dead_letter"
    utf8: str = "dead_letter"
    nan: str = "dead_letter"
    range: str = "dead_letter"


def text_of(data: bytes, policies: Policies, note: Noted) -> str:
    """Stored bytes as text that PostgreSQL takes.

    Bad UTF-8 is refused (`utf8`) or each maximal bad part becomes U+FFFD; NUL is refused (`nul`) or removed.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        if policies.utf8 == "dead_letter":
            raise Refusal("utf8") from None
        text = data.decode("utf-8", "replace")
        note("utf8_replaced")
    if "\0" in text:
        if policies.nul == "dead_letter":
            raise Refusal("nul")
        text = text.replace("\0", "")
        note("nul_removed")
    return text


def iso_text(milliseconds: int) -> str | None:
    """`2021-03-04T05:06:07.089Z` for the years 0001 to 9999, else None."""
    if not YEAR_1_MS <= milliseconds < YEAR_10000_MS:
        return None
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment:%Y}".rjust(4, "0") + f"{moment:-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def decimal_text(stored: Decimal128) -> str:
    """The text form of the Decimal128 specification, which is that of the General Decimal Arithmetic."""
    if stored.kind == "nan":
        return "NaN"
    sign = "-" if stored.sign else ""
    if stored.kind == "infinity":
        return sign + "Infinity"
    digits = str(stored.coefficient)
    adjusted = stored.exponent + len(digits) - 1
    if stored.exponent <= 0 and adjusted >= -6:
        if stored.exponent == 0:
            return sign + digits
        padded = digits.rjust(1 - stored.exponent, "0")
        return f"{sign}{padded[: stored.exponent]}.{padded[stored.exponent :]}"
    point = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{point}E{adjusted:+d}"


def decimal_value(stored: Decimal128) -> Decimal:
    """A finite Decimal128 as Decimal, coefficient and exponent kept."""
    return Decimal((stored.sign, tuple(map(int, str(stored.coefficient))), stored.exponent))


Rewrite = tuple[tuple[str, ...], Callable[[Value], Any]]
"""Inside a jsonb value: a path (`[]` is every element) and what to write for the value found there."""


Renamed = tuple[tuple[str, ...], str]
"""Inside a jsonb value: a path (`[]` is every element) and what its last key is written as."""


def plain_json(
    value: Value,
    policies: Policies,
    note: Noted,
    rewrites: Sequence[Rewrite] = (),
    renames: Sequence[Renamed] = (),
) -> Any:
    """A value as it stands in a `jsonb` column; a refusal's path is relative to the value."""

    def text(data: bytes) -> str:
        return text_of(data, policies, note)

    for path, write in rewrites:
        if not path:
            return write(value)
    if value.type in (bson.DOCUMENT, bson.ARRAY):

        def below(child: Value, step: str) -> Any:
            inner = [(path[1:], write) for path, write in rewrites if path[0] == step]
            keys = [(path[1:], to) for path, to in renames if path[0] == step and len(path) > 1]
            return plain_json(child, policies, note, inner, keys)

        own = {path[0].encode("utf-8"): to.encode("utf-8") for path, to in renames if len(path) == 1}
        return _container(value, text, note, below, own)
    if value.type in (bson.STRING, bson.SYMBOL):
        return text(value.data)
    if value.type in (bson.BOOL, bson.NULL):
        return value.data
    if value.type in (bson.INT32, bson.INT64):
        return Decimal(value.data)
    if value.type == bson.DOUBLE:
        return Decimal(repr(value.data)) if math.isfinite(value.data) else _no_number(policies, note)
    if value.type == bson.DECIMAL128:
        return decimal_value(value.data) if value.data.kind == "finite" else _no_number(policies, note)
    if value.type == bson.OBJECT_ID:
        return value.data.hex()
    if value.type == bson.DATETIME:
        return iso_text(value.data) or {"$date": {"$numberLong": str(value.data)}}
    if value.type == bson.CODE_WITH_SCOPE:
        code, scope = value.data
        return {"$code": text(code), "$scope": plain_json(Value(bson.DOCUMENT, scope, b""), policies, note)}
    return _words_json_lacks(value, text)


def _container(
    value: Value,
    text: Callable[[bytes], str],
    note: Noted,
    below: Callable[[Value, str], Any],
    renames: Mapping[bytes, bytes] | None = None,
) -> dict[str, Any] | list[Any]:
    """A document or array; `below` writes a child, given the key or `[]`. Of duplicate keys the last, counted.

    Keys that become equal because bad UTF-8 was replaced are refused (`utf8`), and so are those that become equal
    because one is written as another (`key-taken`): one of them would be lost.
    """
    renames = renames or {}
    if value.type == bson.ARRAY:
        return [_inside(str(at), below, child, "[]") for at, child in enumerate(value.data)]
    elements, dropped = bson.last_wins(value.data)
    for _ in range(dropped):
        note("duplicate_key")
    taken: dict[bytes, bytes] = {}
    for key, _ in elements if renames else ():
        other = taken.setdefault(renames.get(key, key), key)
        if other != key:
            raise Refusal("key-taken", ((key if key in renames else other).decode("utf-8", "replace"),))
    content: dict[str, Any] = {}
    for key, child in elements:
        step = key.decode("utf-8", "replace")
        name = _inside(step, text, renames.get(key, key))
        if name in content:
            raise Refusal("utf8", (step,))
        content[name] = _inside(step, below, child, step if step.encode("utf-8") == key else "")
    return content


def _inside(step: str, convert: Callable[..., Any], *given: Any) -> Any:
    try:
        return convert(*given)
    except Refusal as refusal:
        raise Refusal(refusal.code, (step, *refusal.path)) from None


def _no_number(policies: Policies, note: Noted) -> None:
    if policies.nan == "dead_letter":
        raise Refusal("nan")
    note("nan_null")


def extended_json(value: Value, policies: Policies, note: Noted) -> Any:
    """A value as it stands in extras."""

    def text(data: bytes) -> str:
        return text_of(data, policies, note)

    if value.type in (bson.DOCUMENT, bson.ARRAY):
        return _container(value, text, note, lambda child, _: extended_json(child, policies, note))
    if value.type == bson.STRING:
        return text(value.data)
    if value.type == bson.SYMBOL:
        return {"$symbol": text(value.data)}
    if value.type in (bson.BOOL, bson.NULL):
        return value.data
    if value.type == bson.INT32:
        return Decimal(value.data)
    if value.type == bson.INT64:
        return {"$numberLong": str(value.data)}
    if value.type == bson.DOUBLE:
        return _extended_double(value.data)
    if value.type == bson.DECIMAL128:
        return {"$numberDecimal": decimal_text(value.data)}
    if value.type == bson.OBJECT_ID:
        return {"$oid": value.data.hex()}
    if value.type == bson.DATETIME:
        iso = iso_text(value.data) if value.data >= 0 else None
        return {"$date": iso or {"$numberLong": str(value.data)}}
    if value.type == bson.CODE_WITH_SCOPE:
        code, scope = value.data
        return {"$code": text(code), "$scope": extended_json(Value(bson.DOCUMENT, scope, b""), policies, note)}
    return _words_json_lacks(value, text)


def _extended_double(number: float) -> Any:
    plain = math.isfinite(number) and (1e-5 <= abs(number) < 1e15 or (number == 0 and math.copysign(1, number) > 0))
    if plain:
        return Decimal(repr(number))
    if math.isnan(number):
        return {"$numberDouble": "NaN"}
    if math.isinf(number):
        return {"$numberDouble": "Infinity" if number > 0 else "-Infinity"}
    return {"$numberDouble": repr(number)}


def _words_json_lacks(value: Value, text: Callable[[bytes], str]) -> Any:
    """Canonical Extended JSON v2 of the types that both forms write alike."""
    if value.type == bson.BINARY:
        subtype, payload = value.data
        return {"$binary": {"base64": base64.b64encode(payload).decode("ascii"), "subType": f"{subtype:02x}"}}
    if value.type == bson.TIMESTAMP:
        seconds, ordinal = value.data
        return {"$timestamp": {"t": Decimal(seconds), "i": Decimal(ordinal)}}
    if value.type == bson.REGEX:
        pattern, options = value.data
        return {"$regularExpression": {"pattern": text(pattern), "options": text(options)}}
    if value.type == bson.CODE:
        return {"$code": text(value.data)}
    if value.type == bson.UNDEFINED:
        return {"$undefined": True}
    if value.type == bson.DB_POINTER:
        namespace, object_id = value.data
        return {"$dbPointer": {"$ref": text(namespace), "$id": {"$oid": object_id.hex()}}}
    return {"$minKey": Decimal(1)} if value.type == bson.MIN_KEY else {"$maxKey": Decimal(1)}


def parse_json(text: str) -> Any:
    """JSON text to the values this module makes: every number a Decimal, of duplicate keys the last."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def canonical_json(value: Any) -> str:
    """One text per value that jsonb tells apart: sorted keys, numbers as `numeric` prints them, no spaces."""
    if isinstance(value, dict):
        content = cast("dict[str, Any]", value)
        if list(content) == ["$numberDouble"] and isinstance(content["$numberDouble"], str):
            return '{"$numberDouble":"' + repr(float(content["$numberDouble"])) + '"}'
        parts = (f"{json.dumps(key)}:{canonical_json(content[key])}" for key in sorted(content))
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical_json, cast("list[Any]", value))) + "]"
    if isinstance(value, Decimal):
        return canonical_number(value)
    return json.dumps(value)


def canonical_number(number: Decimal) -> str:
    """A finite number as PostgreSQL's numeric prints it: no exponent, trailing zeros kept, no minus zero."""
    text = format(number, "f")
    return text.lstrip("-") if number == 0 else text
