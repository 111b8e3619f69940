"""The form of documents in JSONB: that of the engine's extras, and turned back into the same values.

Oracle: `verify.reference`, which says what extras are and shares no conversion with this; pymongo's encoder. Cannot
see: what PostgreSQL makes of the text, which `integration/switch` looks at.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import bson
import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from hypothesis import given
from hypothesis import strategies as st

from isthmus.errors import PolyglotError
from isthmus.polyglot.stores.asked import conditions
from isthmus.polyglot.stores.changes import Changes
from isthmus.polyglot.stores.form import to_bson, to_bytes, to_json, unfit, written
from isthmus.verify.reference import bson as plain
from isthmus.verify.reference.json_values import Policies, extended_json

VALUES: list[Any] = [
    *("", "Zoë \u2028 🐘", True, False, None, 0, 1, -(2**31), 2**31 - 1, 2**31, Int64(0), Int64(-(2**63))),
    *(0.0, -0.0, 1.0, 1.5, 0.1, 1e-5, 9.9e-6, 5e-324, 999999999999999.9, 1e15, 1.7976931348623157e308),
    *(float("nan"), float("inf"), float("-inf"), Decimal128("1.50"), Decimal128("NaN"), Decimal128("-0E+6111")),
    *(ObjectId("64b7f0a1c2d3e4f5a6b7c8d9"), uuid.UUID(int=5), Binary(b"\0", 0), Binary(b"x" * 16, 3), Binary(b"", 128)),
    *(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=dt.UTC)),
    *(DatetimeMS(-1), DatetimeMS(253402300800000), DatetimeMS(-(2**63)), Timestamp(0, 0), Timestamp(2**32 - 1, 1)),
    *(Regex("^a", "i"), Code("x"), Code("x", {"a": Int64(1), "b": 1.0}), MinKey(), MaxKey(), DBRef("c", 1, "d")),
    *([], {}, [[]], [{}], {"a": {"b": [1, Int64(1), 1.0, {"c": None}]}}, {"": {"": 1}}, {"a.b": 1, "a\\b": 2}),
]
SYMBOL = b"\x0e\0\0\0\x0ea\0\x02\0\0\0x\0\0"
UNDEFINED = b"\x08\0\0\0\x06a\0\0"

any_value = st.recursive(
    st.sampled_from(VALUES)
    | st.floats()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text().filter(lambda t: "\0" not in t),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text().filter(lambda t: "\0" not in t and not t.startswith("$")), inner, max_size=3)
    ),
    max_leaves=8,
)


def as_numbers(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def check(data: bytes) -> None:
    """Hold a document against the oracle, and turn it back."""
    text = written(to_json(data))
    whole = plain.Value(plain.DOCUMENT, plain.read_document(data), data)
    assert as_numbers(text) == extended_json(whole, Policies(), lambda _: None)
    assert written(to_json(to_bytes(text))) == text


@pytest.mark.parametrize("value", VALUES, ids=lambda one: repr(one)[:30])
def test_value_is_written_as_the_engine_writes_extras_and_read_back(value: Any) -> None:
    check(to_bson({"a": value, "l": [value]}, "c"))
    data = to_bson({"a": value}, "c")
    assert to_bytes(written(to_json(data))) == data


@pytest.mark.parametrize("data", [SYMBOL, UNDEFINED], ids=["symbol", "undefined"])
def test_types_that_pymongo_has_no_class_for_survive(data: bytes) -> None:
    assert to_bytes(written(to_json(data))) == data


@given(value=any_value)
def test_any_document_comes_back_as_the_same_bytes_but_for_order(value: Any) -> None:
    data = to_bson({"a": value}, "c")
    assert list(unfit(data)) == []
    text = written(to_json(data))
    assert written(to_json(to_bytes(text))) == text
    assert len(to_bytes(text)) == len(data)


def test_the_mark_is_left_out_and_nothing_else() -> None:
    data = bson.encode({"_id": 1, "_isthmus": {"v": 1}, "a": {"_isthmus": 2}})
    assert to_json(data) == {"_id": 1, "a": {"_isthmus": 2}}


def test_all_that_does_not_fit_is_named_with_its_path() -> None:
    scope = Code("x", {"s": "\0"})
    data = bson.encode({"a": "\0", "b": [{"$oid": "x"}], "c": scope, "d": DBRef("c\0", 1), "e": Regex("ok")})
    assert [path for path, _ in unfit(data)] == ["a", "b.0.$oid", "c.s", "d.$ref"]


def test_changes_are_made_as_mongodb_makes_them() -> None:
    document: dict[str, Any] = {"a": {"b": 1}, "o": {"$oid": "x"}, "n": None}
    Changes({"a.c.d": Int64(1), "x": [1.5]}, ["a.b", "n.y", "o.z", "nothing"], "c").applied_to(document)
    assert document == {"a": {"c": {"d": {"$numberLong": "1"}}}, "x": [1.5], "o": {"$oid": "x"}, "n": None}
    for path in ("n.x", "o.x", "x.y"):
        with pytest.raises(PolyglotError) as caught:
            Changes({path: 1}, (), "c").applied_to(document)
        assert caught.value.code == "store-path"


@pytest.mark.parametrize("name", ['"', "\\", "a'b", "ü", "%s", ":x", "?", "@", "[*]"])
def test_names_in_questions_are_quoted(name: str) -> None:
    _, values = conditions({name: "x"}, "c")
    assert str(values["p0_0"]).startswith(f"$.{json.dumps(name)} ? ")
