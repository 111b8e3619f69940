"""Where the core and the oracle are known to disagree today: what each is, and which values bring it about.

A finding's tests (tests/unit/core/test_findings.py) are expected to fail, strictly, as long as it stands here; values
that bring it about are left out of the other property tests. Whoever mends one deletes its line; then the tests judge.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from isthmus.verify.reference import bson
from isthmus.verify.reference.bson import Document, Value
from tests.generators.values import DAY

OPEN: dict[str, str] = {
    "colliding-keys": "extras keep only the last of keys that become equal when bad UTF-8 is replaced",
    "condition-paths": "an empty document that only a skip condition looks into is lost from extras",
    "symbols": "symbols are taken where the table of conversions says they are refused",
    "end-of-time": "a rounding nobody asked for is judged by the range policy at the last instant",
    "nan-as-text": "NaN and infinities as text are spelled unlike Decimal128's and PostgreSQL's",
    "number-texts": "texts like .5 and 5. are numbers for numeric, not for double",
    "real-rounded-twice": "real with coerce rounds to double first",
    "superseded-damage": "damage inside a value that a duplicate key replaces is not seen",
    "drops-in-arrays": "a dropped field inside an array is counted under its path in the element",
}


def open_finding(name: str) -> Callable[[Any], Any]:
    """Expect a test to fail while the finding is open."""
    if name not in OPEN:
        return lambda test: test
    return pytest.mark.xfail(reason=OPEN[name], strict=True)


def concerns(document: bytes) -> bool:
    """Whether a document brings about an open finding under some mapping; damaged bytes never do."""
    try:
        elements = bson.read_document(document)
    except bson.BsonFault:
        return False
    if "condition-paths" in OPEN and _leads_on(elements):
        return True
    if "drops-in-arrays" in OPEN and any(key == b"steps" for key, _ in elements) and b"old\0" in document:
        return True
    return _level(elements)


def _leads_on(elements: Document) -> bool:
    """The only nested path that generated conditions look at is `sub.one`."""
    return any(key == b"sub" for key, _ in elements) and any(key == b"flag" for key, _ in elements)


def _level(elements: Document) -> bool:
    names = [key.decode("utf-8", "replace") for key in {key for key, _ in elements}]
    if "colliding-keys" in OPEN and len(set(names)) < len(names):
        return True
    return any(_value(value) for _, value in elements)


def _value(value: Value) -> bool:
    if value.type == bson.DOCUMENT:
        return _level(value.data)
    if value.type == bson.ARRAY:
        return any(_value(element) for element in value.data)
    if value.type == bson.SYMBOL:
        return "symbols" in OPEN
    if value.type == bson.DATETIME:
        return "end-of-time" in OPEN and 106_762_940 * DAY - 1000 <= value.data < 106_762_940 * DAY
    if value.type == bson.DOUBLE:
        return "nan-as-text" in OPEN and not math.isfinite(value.data)
    return "number-texts" in OPEN and value.type == bson.STRING and b"." in value.data
