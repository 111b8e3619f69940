"""Canonical forms as PostgreSQL prints the values, for people who read a difference. Pure.

Instants are in UTC, as a session with that time zone prints them. Blind spot: jsonb keeps its canonical form, which has
no blanks and other numbers than the server would print.
"""

from __future__ import annotations

import struct

from isthmus.verify.reference.forms import FLOAT_BYTES, Form
from isthmus.verify.reference.values import Type

_DAY_MICROS = 86_400_000_000
_MOST_PLAIN = {"real": 6, "double": 15}
"""Digits in front of the point from which on the server writes an exponent (PostgreSQL: Ryu's output)."""
_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def printed(form: Form, kind: Type | None) -> str:
    """Return a canonical form of a type as the server prints the value; `NULL` for none, an array in braces.

    Args:
        form: The canonical form.
        kind: The column's type; None leaves texts as they are.
    """
    if form is None:
        return "NULL"
    if isinstance(form, list):
        return f"{{{','.join(printed(one, kind) for one in form)}}}"
    if kind is None:
        return form
    try:
        return _scalar(form, kind.kind)
    except (ValueError, struct.error):  # infinities of instants, bounds of arrays: they are words already
        return form


def _scalar(form: str, kind: str) -> str:
    if kind in FLOAT_BYTES:
        return printed_float(float("nan") if form == "nan" else _unpacked(form, kind), kind)
    if kind == "bytea":
        return f"\\x{form}"
    if kind == "date":
        return printed_date(int(form))
    if kind in {"timestamp", "timestamptz"}:
        return printed_instant(int(form), zone=kind == "timestamptz")
    return form


def _unpacked(form: str, kind: str) -> float:
    (value,) = struct.unpack(FLOAT_BYTES[kind], bytes.fromhex(form))
    return float(value)


def printed_float(value: float, kind: str = "double") -> str:
    """Return the fewest digits that are read back as the same number of that width: `1.5`, `1e+20`, `NaN`."""
    name = repr(value)
    if name in _NAMES:
        return _NAMES[name]
    digits = 17
    for count in range(1, 18):
        width = FLOAT_BYTES[kind]
        if struct.pack(width, float(f"{value:.{count - 1}e}")) == struct.pack(width, value):
            digits = count
            break
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    if -5 < int(exponent) < _MOST_PLAIN[kind]:
        return f"{value:.{max(0, digits - 1 - int(exponent))}f}"
    return f"{mantissa}e{int(exponent):+03d}"


def printed_date(days: int) -> str:
    """Return a day, counted from 1970-01-01, in the Gregorian calendar of all times: `2026-01-31`, `0044-03-15 BC`."""
    return _dated(days, "")


def printed_instant(micros: int, *, zone: bool) -> str:
    """Return an instant in UTC, in microseconds since 1970-01-01; with `+00` where `zone`."""
    days, rest = divmod(micros, _DAY_MICROS)
    seconds, fraction = divmod(rest, 1_000_000)
    clock = f" {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    clock += f".{fraction:06}".rstrip("0") if fraction else ""
    return _dated(days, clock + ("+00" if zone else ""))


def _dated(days: int, clock: str) -> str:
    """Put day and clock together; years before the first are counted backwards."""
    # Years that begin in March have their leap day at the end; 400 of them have 146,097 days.
    eras, day = divmod(days + 719_468, 146_097)
    year_of_era = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day_of_year = day - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = eras * 400 + year_of_era + (month <= 2)
    shown = f"{year if year > 0 else 1 - year:04}-{month:02}-{day_of_year - (153 * shifted + 2) // 5 + 1:02}{clock}"
    return shown if year > 0 else f"{shown} BC"
