"""Documents with replaced values put back: to the byte, and nothing else.

Oracle: BSON that pymongo encodes, and bytes laid out by hand of what it cannot. Cannot see: whether the log tells the
right steps (`tests/apps/panamia`).
"""

from __future__ import annotations

import random
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


def element(kind: int, name: bytes, value: bytes) -> bytes:
    return bytes([kind]) + name + b"\0" + value


def document(*elements: bytes) -> bytes:
    inner = b"".join(elements) + b"\0"
    return (len(inner) + 4).to_bytes(4, "little") + inner


def text(value: bytes) -> bytes:
    return (len(value) + 1).to_bytes(4, "little") + value + b"\0"


NEW, WAS = element(2, b"a", text(b"new")), element(7, b"a", OLD.binary)
UNLIKE: dict[str, list[bytes]] = {
    "symbol": [element(0x0E, b"s", text(b"x"))],
    "undefined": [element(0x06, b"u", b"")],
    "pointer": [element(0x0C, b"p", text(b"there") + OLD.binary)],
    "DBRef in another order": [
        element(3, b"r", document(element(7, b"$id", OLD.binary), element(2, b"$ref", text(b"x"))))
    ],
    "text that is not UTF-8": [element(2, b"t", text(b"\xff\xfe"))],
    "name that is not UTF-8": [element(2, b"\xff", text(b"x"))],
    "text with NUL": [element(2, b"t", text(b"\0new\0"))],
    "keys that stand twice": [element(16, b"k", b"\1\0\0\0"), element(16, b"k", b"\2\0\0\0")],
    "positions that are no numbers": [element(4, b"l", document(element(16, b"x", bytes(4)), element(10, b"x", b"")))],
    "old binary": [element(5, b"b", b"\x06\0\0\0\2\2\0\0\0xy")],
    "options in another order": [element(11, b"e", b"a\0mi\0")],
    "boolean that is neither": [element(8, b"o", b"\2")],
    "date beyond all years": [element(9, b"d", b"\xff" * 7 + b"\x7f")],
    "code with scope": [element(15, b"c", (4 + 6 + 5).to_bytes(4, "little") + text(b"x") + document())],
    "least and most": [element(0xFF, b"-", b""), element(0x7F, b"+", b"")],
}


@pytest.mark.parametrize("name", UNLIKE)
def test_what_no_driver_writes_back_as_it_was_stays_to_the_byte(name: str) -> None:
    others = UNLIKE[name]
    now, was = document(*others, NEW, *others), document(*others, WAS, *others)
    assert as_before(now, [step("a")]) == was
    deep, before = (
        document(*others, element(4, b"l", document(*others, element(3, b"0", one), *others)), *others)
        for one in (now, was)
    )
    assert as_before(deep, [step("l", len(others), "a")]) == before
    assert as_before(before, [Step(("l", len(others), "a"), held(OLD), text_held("new"))]) == deep


def test_of_keys_that_stand_twice_the_one_that_holds_the_value_is_meant() -> None:
    other = element(16, b"a", bytes(4))
    for place in ((NEW, other), (other, NEW)):
        back = tuple(WAS if one is NEW else one for one in place)
        assert as_before(document(*place), [step("a")]) == document(*back)
        holders = document(element(3, b"h", document(other)), element(3, b"h", document(*place)))
        before = document(element(3, b"h", document(other)), element(3, b"h", document(*back)))
        assert as_before(holders, [step("h", "a")]) == before


def test_a_symbol_is_no_text_that_a_rewrite_wrote() -> None:
    symbol = document(element(0x0E, b"a", text(b"new")))
    assert bson.decode(symbol) == {"a": "new"}
    assert as_before(symbol, [step("a")]) == symbol


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x05\0",
        b"\x05\0\0\0\1",
        document(element(0x20, b"x", b""), NEW),
        document(element(2, b"x", b"\xff\xff\xff\xff"), NEW),
        document(element(3, b"a", b"\xff\0\0\0\0")),
        document(b"\x0aabc"),
        document(element(11, b"x", b"abc")),
    ],
)
def test_what_is_no_document_is_none(broken: bytes) -> None:
    assert as_before(broken, [step("a", "b"), step("a")]) is None


def test_a_walk_agrees_with_pymongo_wherever_that_writes_back_what_it_read() -> None:
    rng = random.Random(5)
    for _ in range(300):
        made = {"x": any_value(rng, 3), "y": any_value(rng, 3)}
        for path in paths(made):
            before = bson.encode(with_value(made, path, OLD))
            assert as_before(bson.encode(with_value(made, path, "néw")), [step(*path, there="néw")]) == before


def any_value(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(4 if depth else 1)
    if kind == 1:
        return {f"k{number}": any_value(rng, depth - 1) for number in range(rng.randrange(4))}
    return (
        [any_value(rng, depth - 1) for _ in range(rng.randrange(4))] if kind == 2 else rng.choice(list(REST.values()))
    )


def paths(there: Any) -> list[tuple[str | int, ...]]:
    steps: list[Any] = list(there) if isinstance(there, dict) else list(range(len(there)))
    deeper = [(one, *more) for one in steps if isinstance(there[one], dict | list) for more in paths(there[one])]
    return [*((one,) for one in steps), *deeper]


def with_value(there: Any, path: tuple[str | int, ...], value: object) -> Any:
    if not path:
        return value
    pairs: Any = there.items() if isinstance(there, dict) else enumerate(there)
    made = {key: with_value(one, path[1:], value) if key == path[0] else one for key, one in pairs}
    return made if isinstance(there, dict) else list(made.values())
