"""Numbers, values, dates and paths of a survey in words for people. Pure."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from isthmus.sources.shown import shown
from isthmus.survey.profile import ELEMENT, Path, Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_MS = 31_556_952_000
_DAY_MS = 86_400_000
_OTHERWISE = re.compile(r"[-+.,0-9]*|true|false|null", re.IGNORECASE)
"""Texts that could be taken for a value of another type."""


def short(text: str, most: int) -> str:
    """Return a text of others without control characters, and not longer than that."""
    plain = shown(text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def path_text(path: Path) -> str:
    """Return a path for people: `steps[].name`; keys that are no plain names in quotes."""
    text = ""
    for key in path:
        if key == ELEMENT:
            text += ELEMENT
        else:
            text += f".{key_text(key)}" if text else key_text(key)
    return text


def key_text(key: str, most: int = 80) -> str:
    """Return a key for people: in quotes where it could be taken for something else."""
    plain = short(key, most)
    odd = not key or plain != key or key != key.strip() or "." in key or '"' in key
    return f'"{plain}"' if odd else plain


def date_text(instant_ms: int) -> str:
    """Return a date for people: by its day, with the time where it has one; far ones by their year."""
    try:
        instant = _EPOCH + timedelta(milliseconds=instant_ms)
    except OverflowError:
        return f"year {1970 + instant_ms // _YEAR_MS:,}"
    day = f"{instant.year:04}-{instant.month:02}-{instant.day:02}"
    return day if instant_ms % _DAY_MS == 0 else f"{day} {instant.hour:02}:{instant.minute:02}"


def number_text(number: float | str) -> str:
    """Return a number for people; whole ones with their thousands apart."""
    if isinstance(number, str):
        return short(number, 24)
    if isinstance(number, int) or (number.is_integer() and abs(number) < 1e15):
        return f"{int(number):,}" if abs(number) >= 10_000 else str(int(number))  # years stay as they are written
    return f"{number:.6g}"


def range_text(low: str, high: str) -> str:
    """Return a range, or its one value."""
    return low if low == high else f"{low} … {high}"


def value_text(value: Value, most: int = 32) -> str:
    """Return a distinct value for people."""
    kind, content = value
    if kind == "s":
        text = str(content)
        plain = short(text, most)
        return plain if text == text.strip() and not _OTHERWISE.fullmatch(text) else f'"{plain}"'
    if kind == "b":
        return "true" if content else "false"
    if kind in {"i", "d"}:
        return number_text(content)
    return str(content)


def example_text(extended_json: str) -> str:
    """Return a value, given as Extended JSON, for people: an ObjectId by its digits, a number as a number."""
    try:
        found: Any = json.loads(extended_json)
    except ValueError:
        return short(extended_json, 48)
    return short(_plain(found), 48)


def _plain(found: Any) -> str:
    if isinstance(found, dict):
        members = cast("dict[str, Any]", found)
        if "$ref" in members and "$id" in members:
            return f"{members['$ref']} {_plain(members['$id'])}"
        if "$binary" in members:
            return _binary(members["$binary"])
        if len(members) == 1:
            ((name, inner),) = members.items()
            if name in {"$oid", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal"}:
                return str(inner)
        return "{" + ", ".join(f"{name}: {_plain(inner)}" for name, inner in members.items()) + "}"
    return json.dumps(found, ensure_ascii=False)


def _binary(found: Any) -> str:
    data = base64.b64decode(str(found.get("base64", "")))
    return str(UUID(bytes=data)) if len(data) == 16 else f"{len(data):,} bytes"
