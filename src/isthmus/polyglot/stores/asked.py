"""Fields that must equal values, as a filter of MongoDB and as conditions of PostgreSQL that find the same. Pure.

In PostgreSQL a condition is a `jsonpath` in its lax mode, which looks through arrays as MongoDB does. Elements of an
array that are arrays themselves are left out, as there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from bson import Int64, ObjectId

from isthmus.polyglot.outbox.intent import MARK
from isthmus.polyglot.stores import faults
from isthmus.polyglot.stores.changes import checked_steps
from isthmus.polyglot.stores.form import value_to_json

MOST = 10_000
_INT64 = (-(1 << 63), (1 << 63) - 1)


def mongo_filter(fields: Mapping[str, object], collection: str) -> dict[str, Any]:
    """Return the filter of MongoDB.

    Raises:
        PolyglotError: One of the fields or values cannot be asked for (codes `store-path`, `store-query`).
    """
    for path, value in fields.items():
        _checked(path, value, collection)
    return {path: {"$eq": value} for path, value in fields.items()}


def conditions(fields: Mapping[str, object], collection: str) -> tuple[list[str], dict[str, object]]:
    """Return conditions on the column `document`, all of which must hold, and their parameters.

    Raises:
        PolyglotError: As `mongo_filter`.
    """
    found: list[str] = []
    values: dict[str, object] = {}
    for number, (path, value) in enumerate(fields.items()):
        steps = _checked(path, value, collection)
        place = "$" + "".join(f".{_quoted(step)}" for step in steps)
        paths = _paths(place, value)
        names = [f"p{number}_{turn}" for turn in range(len(paths))]
        values.update(zip(names, paths, strict=True))
        terms = [f"document @? CAST(%({name})s AS jsonpath)" for name in names]
        if value is None:
            terms[0] = f"NOT {terms[0]}"
        if _is_integer(value):
            values |= {f"d{number}": f'{place}."$numberDecimal"', f"n{number}": str(value)}
            terms.append(_equals_decimal(f"d{number}", f"n{number}"))
        found.append(f"({' OR '.join(terms)})")
    return found, values


def checked_limit(limit: object, collection: str) -> int:
    """Return a number of documents.

    Raises:
        PolyglotError: It is none (code `store-query`).
    """
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST:
        raise faults.no_query(f"the limit is a number from 1 to {MOST:,}", collection)
    return limit


def _checked(path: object, value: object, collection: str) -> tuple[str, ...]:
    steps = checked_steps(path, collection)
    if steps[0] == MARK:
        raise faults.no_query(f"the field {MARK} is Isthmus's own", collection)
    if value is None:
        if len(steps) > 1:
            raise faults.no_query("None goes with a name without dots only", collection)
    elif not isinstance(value, str | int | ObjectId | UUID | datetime | bytes):
        raise faults.no_query(f"the value of a field is a {type(value).__name__}", collection)
    elif isinstance(value, int) and not _INT64[0] <= value <= _INT64[1]:
        raise faults.no_query("the value of a field is an integer beyond 64 bits", collection)
    elif isinstance(value, str) and ("\0" in value or _is_half(value)):
        raise faults.no_query("the value of a field is a text with a NUL, or with half a surrogate pair", collection)
    return steps


def _is_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _paths(place: str, value: object) -> list[str]:
    """Return the ways a value may stand in the form. Of None the first is of what must not be there."""
    if value is None:
        return [place, f"{place} ? (@ == null)"]
    if _is_integer(value):
        number = int(value)  # pyright: ignore[reportArgumentType]  it is one
        typed = [f"{place}.{_quoted('$numberLong')} ? (@ == {_quoted(str(number))})"]
        if float(number) == number:
            form: Any = value_to_json(float(number))
            words: list[str] = ["-0.0"] if number == 0 else []
            words += [cast("dict[str, str]", form)["$numberDouble"]] if isinstance(form, dict) else []
            typed += [f"{place}.{_quoted('$numberDouble')} ? (@ == {_quoted(one)})" for one in words]
        return [f"{place} ? (@.type() == {_quoted('number')} && @ == {number})", *typed]
    plain: Any = value_to_json(value)
    if not isinstance(plain, dict):
        return [f"{place} ? (@.type() != {_quoted('array')} && @ == {json.dumps(plain)})"]
    ((name, inner),) = cast("dict[str, Any]", plain).items()
    if not isinstance(inner, dict):
        return [f"{place}.{_quoted(name)} ? (@ == {_quoted(inner)})"]
    equal = " && ".join(f"@.{_quoted(key)} == {_quoted(one)}" for key, one in cast("dict[str, str]", inner).items())
    return [f"{place}.{_quoted(name)} ? ({equal})"]


def _equals_decimal(place: str, number: str) -> str:
    text = "found.value #>> '{}'"
    return (
        f"EXISTS (SELECT FROM jsonb_path_query(document, CAST(%({place})s AS jsonpath)) AS found (value)"
        f" WHERE CASE WHEN {text} ~ '^-?[0-9]' THEN CAST({text} AS numeric) = CAST(%({number})s AS numeric)"
        " ELSE false END)"
    )


def _is_integer(value: object) -> bool:
    return isinstance(value, int | Int64) and not isinstance(value, bool)


def _quoted(text: str) -> str:
    return json.dumps(text)
