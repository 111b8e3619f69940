"""One BSON value for one column type: taken as it is, changed because the mapping asks for it, or refused.

One function a column type, each stating its whole rule. The Python value of a column is the least clever one: str for
text, varchar, enum and uuid; int for the integers, dates (days since 1970-01-01) and timestamps (microseconds since
1970-01-01 UTC); float; Decimal with its scale for numeric; bool; bytes; for jsonb what `json_values` makes; a list with
None for NULL elements for arrays. The two infinite dates are the texts `infinity` and `-infinity`.

Blind spots: a rule that the contract states wrongly is wrong here too; the spelling of a number turned into text
(coercion to text) is a convention shared with the core.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from isthmus.verify.reference import bson
from isthmus.verify.reference.bson import Decimal128, Value
from isthmus.verify.reference.journal import Refusal
from isthmus.verify.reference.json_values import (
    EPOCH,
    Noted,
    Policies,
    decimal_text,
    decimal_value,
    iso_text,
    text_of,
)

INTEGER_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
DAY_MS = 86_400_000
FIRST_DAY = -2_440_588
"""4714-11-24 BC, Julian day 0, in days since 1970-01-01 (PostgreSQL documentation, date/time types)."""
END_OF_DATES = 2_145_042_906
"""The day after 5874897-12-31."""
END_OF_TIMESTAMPS = 106_762_940
"""The day after 294276-12-31, in days since 1970-01-01; checked against a server by the tests."""


YEAR_2000 = 946_684_800_000_000
"""2000-01-01 in microseconds since 1970-01-01."""


@dataclass(frozen=True)
class Type:
    """A column type; `array` makes it a one-dimensional array of it."""

    kind: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    values: tuple[str, ...] = ()
    array: bool = False


@dataclass(frozen=True)
class Setting:
    """What a column asks for beside its type."""

    coerce: bool = False
    policies: Policies = field(default_factory=Policies)


def convert(value: Value, kind: Type, setting: Setting, note: Noted) -> Any:
    """A value that is not null, as one scalar of type `kind` (not jsonb, not an array).

    A symbol, MongoDB's deprecated second kind of text, is taken as the string it spells.

    Returns:
        The column's value, or None where a policy says null.

    Raises:
        Refusal: It does not fit.
    """
    if value.type == bson.SYMBOL:
        value = Value(bson.STRING, value.data, value.raw)
    rule: Callable[[Value, Type, Setting, Noted], Any] = RULES[kind.kind]
    return rule(value, kind, setting, note)


def asked_for(setting: Setting, note: Noted, code: str = "type", kind: str = "coerced") -> None:
    """Let a change pass if the mapping says `coerce`, counting it, else refuse with `code`."""
    if not setting.coerce:
        raise Refusal(code)
    note(kind)


def to_text(value: Value, kind: Type, setting: Setting, note: Noted) -> str | None:
    """Strings and ObjectIds as they are; numbers, booleans, dates and code when asked for.

    At most `length` characters, where there is a length. Dates outside the years 1 to 9999 have no text: refused
    (`range`), or null where that policy says so.
    """
    if value.type == bson.STRING:
        text = text_of(value.data, setting.policies, note)
    elif value.type == bson.OBJECT_ID:
        text = value.data.hex()
    elif value.type in (bson.INT32, bson.INT64, bson.BOOL, bson.DOUBLE, bson.DECIMAL128, bson.DATETIME, bson.CODE):
        if not setting.coerce:
            raise Refusal("type")
        text = _spelled(value, setting, note)
        if text is None:
            return None
        note("coerced")
    else:
        raise Refusal("type")
    if kind.length is not None and len(text) > kind.length:
        raise Refusal("too-long")
    return text


def _spelled(value: Value, setting: Setting, note: Noted) -> str | None:
    if value.type == bson.BOOL:
        return "true" if value.data else "false"
    if value.type == bson.DOUBLE:
        return double_text(value.data)
    if value.type == bson.DECIMAL128:
        return decimal_text(value.data)
    if value.type == bson.DATETIME:
        iso = iso_text(value.data)
        if iso is None and setting.policies.range == "null":
            return _beyond(value.data < 0, setting, note)
        if iso is None:
            raise Refusal("range")
        return iso
    if value.type == bson.CODE:
        return text_of(value.data, setting.policies, note)
    return str(value.data)


def double_text(number: float) -> str:
    """The shortest digits that read back as the same double."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return repr(number)


def to_integer(value: Value, kind: Type, setting: Setting, note: Noted) -> int:
    """Integers, and whole doubles and decimals, in range; booleans and whole-number texts when asked for."""
    if value.type in (bson.INT32, bson.INT64):
        number = value.data
    elif value.type == bson.DOUBLE:
        if not math.isfinite(value.data):
            raise Refusal("out-of-range")
        if value.data != int(value.data):
            raise Refusal("fraction")
        number = int(value.data)
        if str(value.data) == "-0.0":
            note("negative_zero")
    elif value.type == bson.DECIMAL128:
        number = _whole(value.data)
        if number == 0 and value.data.sign:
            note("negative_zero")
    elif value.type == bson.BOOL:
        asked_for(setting, note)
        number = int(value.data)
    elif value.type == bson.STRING and setting.coerce and re.fullmatch(rb"[+-]?[0-9]+", value.data):
        note("coerced")
        number = int(value.data)
    else:
        raise Refusal("type")
    limit = 1 << (INTEGER_BITS[kind.kind] - 1)
    if not -limit <= number < limit:
        raise Refusal("out-of-range")
    return number


def _whole(stored: Decimal128) -> int:
    if stored.kind != "finite" or (stored.exponent > 40 and stored.coefficient):
        raise Refusal("out-of-range")
    exact = Fraction(stored.coefficient) * Fraction(10) ** stored.exponent
    if exact.denominator != 1:
        raise Refusal("fraction")
    return -int(exact) if stored.sign else int(exact)


def to_double(value: Value, _kind: Type, setting: Setting, note: Noted) -> float:
    """Doubles and int32 as they are; int64 and decimals that a double holds exactly, others rounded when asked for."""
    if value.type in (bson.DOUBLE, bson.INT32):
        return float(value.data)
    exact = _exact_number(value, setting, note)
    try:
        nearest = float(exact)
    except OverflowError:
        nearest = math.inf
    if isinstance(exact, Decimal) and not exact.is_finite():
        return nearest
    if math.isinf(nearest):
        raise Refusal("out-of-range")
    if Fraction(nearest) != Fraction(exact) and value.type != bson.STRING:
        asked_for(setting, note, "inexact", "rounded")
    return nearest


def to_real(value: Value, _kind: Type, setting: Setting, note: Noted) -> float:
    """As `to_double`, for single precision: what does not survive is refused (`inexact`) or rounded when asked for."""
    exact: float | int | Decimal = value.data if value.type == bson.DOUBLE else _exact_number(value, setting, note)
    if not Decimal(exact).is_finite():
        return float(exact)
    nearest = nearest_real(exact)
    if math.isinf(nearest):
        raise Refusal("out-of-range")
    if Fraction(nearest) != Fraction(exact) and value.type != bson.STRING:
        asked_for(setting, note, "inexact", "rounded")
    # A negative number that rounds to zero, and minus zero itself, stay negative.
    return -0.0 if nearest == 0 and str(exact).startswith("-") else nearest


def nearest_real(exact: float | int | Decimal) -> float:
    """The single-precision number nearest to a finite number, ties to even; infinity well past the largest."""
    wanted = Fraction(exact)
    if wanted == 0:
        return 0.0
    exponent = -149
    while abs(wanted) >= Fraction(2) ** (exponent + 24):
        exponent += 1
    steps = round(wanted / Fraction(2) ** exponent)  # Fraction rounds halves to even
    nearest = Fraction(steps) * Fraction(2) ** exponent
    if abs(nearest) >= Fraction(2) ** 128:
        return -math.inf if wanted < 0 else math.inf
    return float(nearest)


def _exact_number(value: Value, setting: Setting, note: Noted) -> int | Decimal:
    if value.type in (bson.INT32, bson.INT64):
        return value.data
    if value.type == bson.DECIMAL128:
        stored: Decimal128 = value.data
        if stored.kind == "finite":
            return decimal_value(stored)
        return Decimal("NaN" if stored.kind == "nan" else "-Infinity" if stored.sign else "Infinity")
    if value.type == bson.STRING and setting.coerce and (number := number_in(value.data)) is not None:
        note("coerced")
        return number
    raise Refusal("type")


def number_in(text: bytes) -> Decimal | None:
    """A number as `[+-]digits[.digits][e[+-]digits]`, or NaN, Infinity, -Infinity; no spaces, no underscores.

    The digits before the point or those behind it may be missing, not both.
    """
    if re.fullmatch(rb"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,5})?|NaN|-?Infinity", text):
        return Decimal(text.decode("ascii"))
    return None


def to_numeric(value: Value, kind: Type, setting: Setting, note: Noted) -> Decimal:
    """Every number exactly; doubles through their shortest digits.

    Without precision the scale is the value's own (trailing zeros kept); with precision and scale a digit that would be
    lost is refused (`scale`) or rounded half to even when asked for, and too many digits before the point are
    `out-of-range`. There is no minus zero.
    """
    if value.type == bson.DOUBLE:
        number = Decimal(double_text(value.data))
        if number.is_finite():
            number = _without_trailing_zeros(number)
    else:
        number = Decimal(_exact_number(value, setting, note))
    if number.is_nan():
        return Decimal("NaN")
    if number.is_infinite():
        if kind.precision is not None:
            raise Refusal("out-of-range")
        return number
    if number == 0 and number.is_signed():
        if value.type != bson.STRING:
            note("negative_zero")
        number = number.copy_abs()
    if kind.precision is None:
        return _with_scale(number, max(0, -_exponent(number)))
    scale = kind.scale or 0
    exact = Fraction(number) * 10**scale
    steps = int(exact)
    if exact.denominator != 1:
        asked_for(setting, note, "scale", "rounded")
        steps = round(exact)
    if abs(steps) >= 10**kind.precision:
        raise Refusal("out-of-range")
    return Decimal((int(steps < 0), tuple(map(int, str(abs(steps)))), -scale))


def _exponent(number: Decimal) -> int:
    return int(number.as_tuple().exponent)


def _without_trailing_zeros(number: Decimal) -> Decimal:
    sign, digits, _ = number.as_tuple()
    exponent = 0 if number == 0 else _exponent(number)
    while len(digits) > 1 and digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    return Decimal((sign, digits, exponent))


def _with_scale(number: Decimal, scale: int) -> Decimal:
    """The same value with exactly `scale` digits after the point, which are at least as many as it has."""
    sign, digits, exponent = number.as_tuple()
    zeros = (0,) * (int(exponent) + scale)
    return Decimal((sign, digits + zeros if number else (0,), -scale))


def to_boolean(value: Value, _kind: Type, setting: Setting, note: Noted) -> bool:
    """Booleans; exactly 0 or 1, and the texts `true` and `false`, when asked for."""
    if value.type == bson.BOOL:
        return value.data
    if setting.coerce:
        if value.type in (bson.INT32, bson.INT64, bson.DOUBLE) and value.data in (0, 1):
            note("coerced")
            return value.data == 1
        if value.type == bson.STRING and value.data in (b"true", b"false"):
            note("coerced")
            return value.data == b"true"
    raise Refusal("type")


def to_date(value: Value, _kind: Type, setting: Setting, note: Noted) -> int | str | None:
    """Dates at midnight UTC; with a time of day only when asked for (floored); the text YYYY-MM-DD when asked for."""
    if value.type == bson.DATETIME:
        days, rest = divmod(value.data, DAY_MS)
        if not FIRST_DAY <= days < END_OF_DATES:
            return _beyond(days < 0, setting, note)
        if rest:
            asked_for(setting, note, "time-of-day", "rounded")
        return days
    if value.type == bson.STRING and setting.coerce and re.fullmatch(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.data):
        try:
            day = date.fromisoformat(value.data.decode("ascii"))
        except ValueError:
            raise Refusal("type") from None
        note("coerced")
        return (day - EPOCH.date()).days
    raise Refusal("type")


def to_timestamp(value: Value, kind: Type, setting: Setting, note: Noted) -> int | str | None:
    """Dates exactly; BSON timestamps and ISO 8601 texts when asked for.

    Digits of seconds the column has no room for go only when asked for, rounded half away from 2000-01-01, which is
    where PostgreSQL's own rounding has its zero.
    """
    if value.type == bson.DATETIME:
        microseconds = value.data * 1000
    elif value.type == bson.TIMESTAMP:
        asked_for(setting, note)
        microseconds = value.data[0] * 1_000_000
    elif value.type == bson.STRING and setting.coerce and (found := moment_in(value.data, note)) is not None:
        note("coerced")
        microseconds = found
    else:
        raise Refusal("type")
    if not FIRST_DAY * DAY_MS * 1000 <= microseconds < END_OF_TIMESTAMPS * DAY_MS * 1000:
        return _beyond(microseconds < 0, setting, note)
    rounded = rounded_to(microseconds, kind.precision)
    if rounded != microseconds:
        if not setting.coerce:
            raise Refusal("precision")
        if rounded >= END_OF_TIMESTAMPS * DAY_MS * 1000:
            return _beyond(before=False, setting=setting, note=note)
        note("rounded")
    return rounded


def rounded_to(microseconds: int, precision: int | None) -> int:
    """A moment with at most that many digits of a second, half away from 2000-01-01; None is all six."""
    unit = 10 ** (6 - (6 if precision is None else precision))
    since_2000 = microseconds - YEAR_2000
    away = (abs(since_2000) + unit // 2) // unit * unit
    return YEAR_2000 + (away if since_2000 >= 0 else -away)


MOMENT = re.compile(
    rb"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    rb"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?(?:Z|([+-])([0-9]{2}):?([0-9]{2})?))?"
)


def moment_in(text: bytes, note: Noted) -> int | None:
    """Microseconds since 1970 of an ISO 8601 moment, or None.

    A date alone is midnight UTC; a time needs a zone (`Z`, `+02`, `+0200`, `+02:00`), its seconds and their fraction
    may be missing. Digits after the sixth are rounded half up, noted.
    """
    found = MOMENT.fullmatch(text)
    if found is None:
        return None
    try:
        day = date.fromisoformat(found[1].decode("ascii"))
    except ValueError:
        return None
    hour, minute, second, zone_hour, zone_minute = (int(found[n] or 0) for n in (2, 3, 4, 7, 8))
    if hour > 23 or minute > 59 or second > 59 or zone_hour > 23 or zone_minute > 59 or text.endswith(b":"):
        return None
    digits = (found[5] or b"").decode("ascii").ljust(6, "0")
    micros = int(digits[:6])
    if digits[6:].strip("0"):
        note("rounded")
        micros += digits[6] >= "5"
    zone = (zone_hour * 60 + zone_minute) * (-60 if found[6] == b"-" else 60)
    seconds = (day - EPOCH.date()).days * 86_400 + hour * 3600 + minute * 60 + second - zone
    return seconds * 1_000_000 + micros


def _beyond(before: bool, setting: Setting, note: Noted) -> str | None:
    """A date PostgreSQL cannot hold: by policy refused, null, or the infinity on its side."""
    if setting.policies.range == "dead_letter":
        raise Refusal("range")
    if setting.policies.range == "null":
        note("range_null")
        return None
    note("range_infinity")
    return "-infinity" if before else "infinity"


def to_uuid(value: Value, _kind: Type, setting: Setting, note: Noted) -> str:
    """Binary subtype 4 of 16 bytes; the hyphenated text when asked for; subtype 3 never (its byte order is unknown)."""
    if value.type == bson.BINARY:
        subtype, payload = value.data
        if subtype == 3:
            raise Refusal("uuid-legacy")
        if subtype == 4 and len(payload) == 16:
            return str(UUID(bytes=payload))
    shape = rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    if value.type == bson.STRING and setting.coerce and re.fullmatch(shape, value.data):
        note("coerced")
        return value.data.decode("ascii").lower()
    raise Refusal("type")


def to_bytea(value: Value, _kind: Type, setting: Setting, note: Noted) -> bytes:
    """Binary subtype 0; other subtypes, which are lost, when asked for."""
    if value.type != bson.BINARY:
        raise Refusal("type")
    subtype, payload = value.data
    if subtype != 0:
        asked_for(setting, note)
    return payload


def to_enum(value: Value, kind: Type, setting: Setting, note: Noted) -> str:
    """A string that is one of the values."""
    if value.type != bson.STRING:
        raise Refusal("type")
    text = text_of(value.data, setting.policies, note)
    if text not in kind.values:
        raise Refusal("enum")
    return text


RULES: dict[str, Callable[[Value, Type, Setting, Noted], Any]] = {
    "text": to_text,
    "varchar": to_text,
    "smallint": to_integer,
    "integer": to_integer,
    "bigint": to_integer,
    "real": to_real,
    "double": to_double,
    "numeric": to_numeric,
    "boolean": to_boolean,
    "date": to_date,
    "timestamp": to_timestamp,
    "timestamptz": to_timestamp,
    "uuid": to_uuid,
    "bytea": to_bytea,
    "enum": to_enum,
}
