"""Documents with replaced values put back: to the byte, and nothing else.

Oracle: BSON that pymongo encodes. Cannot see: whether the log tells the right steps (`tests/apps/panamia`).
"""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, ObjectId, Regex, Timestamp

from isthmus.state.as_before import Step, as_before, text_held

OLD = ObjectId("65f0c1a2b3c4d5e6f7a8b9c1")
REST: dict[str, Any] = {
    "long": Int64(1),
    "int": 1,
    "double": 1.0,
    "decimal": Decimal128("1.50"),
    "binary": Binary(b"\0\1", 4),
    "regex": Regex("a", "im"),
    "code": Code("x", {"a": 1}),
    "at": Timestamp(1, 2),
    "end": MaxKey(),
    "ü 'quoted\"": [None, {}, []],
}


def held(value: object) -> bytes:
    return bson.encode({"": value})


def step(*path: str | int, there: str = "new", becomes: object = OLD) -> Step:
    return Step(path, text_held(there), held(becomes))


def test_a_value_goes_back_and_every_other_byte_stays() -> None:
    now = bson.encode({"a": 1, "by": {"list": [{"id": "new"}, "new"]}, **REST})
    before = bson.encode({"a": 1, "by": {"list": [{"id": OLD}, "new"]}, **REST})
    assert as_before(now, [step("by", "list", 0, "id")]) == before


def test_steps_are_taken_one_behind_the_other() -> None:
    steps = [step("a", there="newest", becomes="new"), step("a")]
    assert as_before(bson.encode({"a": "newest"}), steps) == bson.encode({"a": OLD})
    forward = Step(("a",), held(OLD), text_held("new"))
    assert as_before(bson.encode({"a": OLD}), [forward]) == bson.encode({"a": "new"})


@pytest.mark.parametrize(
    "document", [{"a": "other"}, {"a": None}, {}, {"a": {"b": "new"}}, {"a": ["new"]}, {"a": OLD}, {"b": "new"}]
)
def test_what_others_wrote_there_stays(document: dict[str, Any]) -> None:
    raw = bson.encode(document)
    for one in (step("a"), step("a", 1), step("a", "c"), step("a", 0, "b")):
        assert as_before(raw, [one]) == raw


def test_equal_is_what_has_the_same_type() -> None:
    raw = bson.encode({"a": 1})
    for value in (True, 1.0, Int64(1)):
        assert as_before(raw, [Step(("a",), held(value), held("x"))]) == raw
    assert as_before(raw, [Step(("a",), held(1), held("x"))]) == bson.encode({"a": "x"})


def test_a_document_that_would_not_be_written_as_it_was_read_is_none() -> None:
    symbol = b"\x12\x00\x00\x00\x0ea\x00\x04\x00\x00\x00new\x00\x00"  # of a deprecated type, which reads as a text
    symbol = len(symbol).to_bytes(4, "little") + symbol[4:]
    assert bson.decode(symbol) == {"a": "new"}
    assert as_before(symbol, [step("a")]) is None
    bad = bson.encode({"a": "new", "b": "xy"}).replace(b"xy", b"\xff\xfe")
    assert as_before(bad, [step("a")]) is None
    assert as_before(b"\x05\x00", [step("a")]) is None
