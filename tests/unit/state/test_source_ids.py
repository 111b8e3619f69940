"""What people see of an `_id` is what they can type to find it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp
from hypothesis import given
from hypothesis import strategies as st

from isthmus.state.source_ids import parse, show, value_of
from tests.generators import bson_writer as bw

VALUES: list[Any] = [
    *("plain", "5", "-1", "true", "null", "NaN", "", " ", "a\nb", '"quoted"', "{", "[1]", '{"a": 1}', "ключ", "0" * 24),
    *(5, Int64(5), 5.0, float("inf"), Decimal128("1.50"), True, None, b"abc", Binary(bytes(16), 4), Code("f()")),
    *(datetime(1900, 1, 1, tzinfo=UTC), Timestamp(1, 2), {"a": {"b": 1}}, {}, MinKey(), MaxKey(), ObjectId(b"x" * 12)),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_shown_id_is_parsed_back(value: Any) -> None:
    document = bson.encode({"_id": value})
    meanings = parse(show(document, shorten=False))
    assert show(document, shorten=False) in {show(meaning, shorten=False) for meaning in meanings}
    assert value_of(meanings[0]) == value_of(document)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_string_is_parsed_back(text: str) -> None:
    document = bson.encode({"_id": text})
    assert document in parse(show(document, shorten=False))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_has_a_meaning(text: str) -> None:
    assert all(show(meaning) for meaning in parse(text))


def test_ids_no_driver_reads_are_shown() -> None:
    odd = [bw.string(b"\xff"), bw.datetime_ms(2**60), bw.symbol("s"), bw.undefined(), bw.db_pointer("a.b", b"x" * 12)]
    for value in odd:
        assert show(bw.document([("_id", value)]).raw)


def test_long_ids_are_shortened_for_people_only() -> None:
    document = bson.encode({"_id": "x" * 1000})
    assert len(show(document)) == 200
    assert show(document, shorten=False) == "x" * 1000
