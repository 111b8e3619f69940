"""What a JSON document becomes as BSON: the bytes of the document it was exported from, or a reason why not.

Oracles: hand-written bytes and pymongo's encoder for the documents, `json_util` for their JSON. Blind spot: what
`json_util` itself folds when it writes (deprecated types, repeated keys); those are written by hand here, or by the
tests' own writer (`fix_exports`).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp, json_util
from bson.datetime_ms import DatetimeMS
from hypothesis import given
from hypothesis import strategies as st

from isthmus.sources.extended_json.values import Decoder, Unfit
from tests.fix_exports import fits_json, is_lossless, to_json
from tests.generators import bson_writer as bw
from tests.generators import grid

OID = ObjectId("0123456789abcdef01234567")


def decoded(text: str) -> bytes:
    data, end = Decoder().decode(text, 0)
    assert end == len(text)
    return data


def reason(text: str) -> str:
    with pytest.raises(Unfit) as caught:
        Decoder().decode(text, 0)
    return str(caught.value)


def raw(*elements: bytes) -> bytes:
    """Put a BSON document together from its elements."""
    body = b"".join(elements)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


VALUES: dict[str, Any] = {
    "int32-ends": [-(2**31), 2**31 - 1],
    "int64-small": Int64(5),
    "int64-ends": [-(2**63), 2**63 - 1],
    "doubles": [0.1, -0.0, 5.0, 1e300, 5e-324, float("inf"), float("-inf"), float("nan")],
    "decimals": [
        Decimal128(t) for t in ("1.10", "-0E+3", "NaN", "Infinity", "9.999999999999999999999999999999999E+6144")
    ],
    "texts": ["", "NUL \0 inside", "ü 😀 \u2028", '\\" {}[],'],
    "dates": [
        DatetimeMS(n) for n in (0, -1, 1, 999, 253402300799999, 253402300800000, -62135596800001, -(2**63), 2**63 - 1)
    ],
    "object-id": OID,
    "binaries": [Binary(b"\x00\xff", n) for n in (0, 1, 2, 3, 4, 5, 9, 128, 255)] + [b"", Binary(b"", 3)],
    "timestamp": [Timestamp(0, 0), Timestamp(2**32 - 1, 2**32 - 1)],
    "regex": [Regex("a/b", "im"), Regex("", "")],
    "code": [Code("f()"), Code("g()", {}), Code("h()", {"a": [1, {"b": Int64(2)}]})],
    "keys": [MinKey(), MaxKey(), None, True, False],
    "nested": {"a": [[], {}, [{"": {"a.b": 1, "$set": 2, "$": 3}}]]},
    "reference": DBRef("other", OID, "db"),
    "looks-like-a-reference": [{"$ref": 1}, {"$id": OID, "$ref": "x"}, {"x": 1, "$ref": "c", "$id": 2}],
    "looks-like-a-type": [{"$type": 2}, {"$options": "i"}, {"$scope": {}}, {"$regex": "a", "$ne": 1}, {"$regex": 1}],
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_canonical_json_becomes_the_same_bytes(value: Any) -> None:
    document = {"_id": 1, "v": value}
    assert decoded(json_util.dumps(document, json_options=json_util.CANONICAL_JSON_OPTIONS)) == bson.encode(document)


def test_id_that_is_not_first_keeps_its_place() -> None:
    text = '{"b": 1, "_id": {"$oid": "0123456789abcdef01234567"}}'
    assert list(bson.decode(decoded(text))) == ["b", "_id"]
    assert decoded(text) == raw(b"\x10b\0\1\0\0\0", b"\x07_id\0" + OID.binary)


def test_types_that_pymongo_has_no_class_for_keep_their_type() -> None:
    assert decoded('{"v": {"$symbol": "é"}}') == raw(b"\x0ev\0\3\0\0\0\xc3\xa9\0")
    assert decoded('{"v": {"$undefined": true}}') == raw(b"\x06v\0")
    assert decoded('{"v": {"$dbPointer": {"$ref": "c", "$id": {"$oid": "0123456789abcdef01234567"}}}}') == raw(
        b"\x0cv\0\2\0\0\0c\0" + OID.binary
    )
    assert decoded('{"v": {"$regularExpression": {"pattern": "a", "options": "xi"}}}') == raw(b"\x0bv\0a\0xi\0")
    beside = decoded('{"a": {"$numberLong": "1"}, "v": [{"$symbol": "s"}, {"x": {"$undefined": true}}], "z": 0.5}')
    assert beside == raw(
        b"\x12a\0\1\0\0\0\0\0\0\0",
        b"\x04v\0" + raw(b"\x0e0\0\2\0\0\0s\0", b"\x031\0" + raw(b"\x06x\0")),
        b"\x01z\0" + struct.pack("<d", 0.5),
    )


def test_keys_that_stand_twice_both_arrive_for_the_core_to_count() -> None:
    assert decoded('{"a": 1, "a": 2}') == raw(b"\x10a\0\1\0\0\0", b"\x10a\0\2\0\0\0")
    inside = decoded('{"v": {"a": 1, "a": {"$numberLong": "2"}}}')
    assert inside == raw(b"\x03v\0" + raw(b"\x10a\0\1\0\0\0", b"\x12a\0\2\0\0\0\0\0\0\0"))


OLDER = {
    '{"$date": 1500000000123}': DatetimeMS(1500000000123),
    '{"$date": -1}': DatetimeMS(-1),
    '{"$date": "2017-07-14T02:40:00.123Z"}': DatetimeMS(1500000000123),
    '{"$date": "2017-07-14T04:40:00.123+0200"}': DatetimeMS(1500000000123),
    '{"$date": "2017-07-14T01:10:00.1-01:30"}': DatetimeMS(1500000000100),
    '{"$date": "2017-07-14T02:40:00"}': DatetimeMS(1500000000000),
    '{"$binary": "AP8=", "$type": "03"}': Binary(b"\x00\xff", 3),
    '{"$type": 5, "$binary": "AP8="}': Binary(b"\x00\xff", 5),
    '{"$binary": "AP8=", "$type": "ffffff80"}': Binary(b"\x00\xff", 128),
    '{"$regex": "^a", "$options": "im"}': Regex("^a", "im"),
    '{"$regex": "^a"}': Regex("^a", ""),
    '{"$numberLong": 7}': Int64(7),
    '{"$uuid": "00112233445566778899aabbccddeeff"}': Binary(bytes.fromhex("00112233445566778899aabbccddeeff"), 4),
    "NaN": float("nan"),
    "-Infinity": float("-inf"),
    "1E+20": 1e20,
    "-0.0": -0.0,
}


@pytest.mark.parametrize(("text", "value"), OLDER.items(), ids=OLDER.keys())
def test_forms_of_older_exports_are_read_as_pymongo_reads_them(text: str, value: Any) -> None:
    document = f'{{"v": {text}}}'
    assert decoded(document) == bson.encode({"v": value})
    assert decoded(document) == bson.encode(json_util.loads(document))


MILLISECONDS = st.integers(0, 253402300799999)


@given(MILLISECONDS)
def test_relaxed_dates_keep_every_millisecond(value: int) -> None:
    moment = datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)
    text = json_util.dumps({"v": moment}, json_options=json_util.RELAXED_JSON_OPTIONS)
    assert decoded(text) == bson.encode({"v": DatetimeMS(value)})


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.integers(-(2**63), 2**63 - 1).map(Int64)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(min_size=12, max_size=12).map(ObjectId)
    | st.binary(max_size=20)
    | st.integers(-(2**63), 2**63 - 1).map(DatetimeMS)
)
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5).filter(
    lambda k: "$" not in k
)
DOCUMENTS = st.dictionaries(
    KEYS, st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=15)
)


@given(DOCUMENTS)
def test_any_document_comes_back_from_canonical_json(document: Mapping[str, Any]) -> None:
    text = json_util.dumps(document, json_options=json_util.CANONICAL_JSON_OPTIONS)
    # in another key, for pymongo moves an `_id` to the front of the outermost document
    assert decoded(f'{{"v": {text}}}') == bson.encode({"v": document})


@pytest.mark.parametrize("relaxed", [False, True], ids=["canonical", "relaxed"])
def test_every_border_value_comes_back_where_json_says_all_of_it(relaxed: bool) -> None:
    """What JSON folds is known beforehand: `is_lossless` says it from the bytes alone."""
    same = folded = refused = 0
    for value in grid.border_values():
        document = bw.document([("_id", bw.int32(1)), ("v", value)]).raw
        if not fits_json(document):
            continue
        try:
            back, _ = Decoder().decode(to_json(document, relaxed=relaxed), 0)
        except Unfit:
            assert not is_lossless(document, relaxed=relaxed)
            refused += 1
            continue
        assert (back == document) == is_lossless(document, relaxed=relaxed), to_json(document, relaxed=relaxed)
        same, folded = same + (back == document), folded + (back != document)
    assert same > 300
    assert folded > 5
    assert refused > 0


REFUSED = {
    '{"v": 9223372036854775808}': "integer beyond 64 bits in v",
    '{"v": [{"w": -9223372036854775809}]}': "integer beyond 64 bits in v[].w",
    f'{{"v": {"9" * 5000}}}': "integer beyond 64 bits",
    '{"v": 1e999}': "with a number in v, which a double cannot hold",
    '{"v": {"$numberDouble": "1e999"}}': "with a number in v, which a double cannot hold",
    '{"v": {"a\\u0000b": 1}}': "a key that holds a NUL in v",
    '{"v": {"a\\u0000b": {"$symbol": "x"}}}': "NUL",
    '{"v": "\\ud800"}': "half a surrogate pair in v",
    '{"\\udc00": 1}': "half a surrogate pair",
    '{"v": "\\ud800", "w": {"$undefined": true}}': "half a surrogate pair in v",
    '{"v": ' + "[" * 2000 + "]" * 2000 + "}": "nests far deeper",
    '{"v": ' * 100_000: "nests far deeper",
    '{"$oid": "0123456789abcdef01234567"}': "where a document should be",
    '{"v": {"$oid": null}}': "$oid in v, ",  # pymongo would make up a new one
    '{"v": {"$oid": "0123456789abcdef0123456"}}': "$oid in v, ",
    '{"v": {"$oid": "0123456789abcdef01234567", "a": 1}}': "$oid beside a in v, ",
    '{"v": {"a": 1, "$oid": "0123456789abcdef01234567"}}': "$oid beside a in v, ",
    '{"v": {"$oid": "0123456789abcdef01234567", "$oid": "0123456789abcdef01234567"}}': "a key twice in v",
    '{"v": {"$numberInt": "2147483648"}}': "$numberInt in v, ",
    '{"v": {"$numberInt": 1}}': "$numberInt in v, ",
    '{"v": {"$numberInt": "1_0"}}': "$numberInt in v, ",
    '{"v": {"$numberInt": ""}}': "$numberInt in v, ",
    '{"v": {"$numberLong": "9223372036854775808"}}': "$numberLong in v, a text that cannot be one",
    '{"v": {"$numberLong": 1.5}}': "$numberLong in v, a number that cannot be one",
    '{"v": {"$numberLong": true}}': "$numberLong in v, ",
    '{"v": {"$numberDouble": " 1"}}': "$numberDouble in v, ",
    '{"v": {"$numberDecimal": "1_0"}}': "$numberDecimal in v, ",
    '{"v": {"$numberDecimal": "1.00000000000000000000000000000000001"}}': "$numberDecimal in v, ",
    '{"v": {"$date": 1.5}}': "$date in v, ",
    '{"v": {"$date": "2017-07-14"}}': "$date in v, ",
    '{"v": {"$date": "2017-02-30T00:00:00Z"}}': "$date in v, ",
    '{"v": {"$date": "2017-07-14T02:40:00.1234Z"}}': "$date in v, ",
    '{"v": {"$date": "10000-01-01T00:00:00Z"}}': "$date in v, ",
    '{"v": {"$binary": {"base64": "A*==", "subType": "00"}}}': "$binary in v, ",
    '{"v": {"$binary": {"base64": "AA==", "subType": "100"}}}': "$binary in v, ",
    '{"v": {"$binary": {"base64": "AA=="}}}': "$binary in v, ",
    '{"v": {"$uuid": "x"}}': "$uuid in v, ",
    '{"v": {"$timestamp": {"t": -1, "i": 0}}}': "$timestamp in v, ",
    '{"v": {"$timestamp": {"t": 4294967296, "i": 0}}}': "$timestamp in v, ",
    '{"v": {"$regularExpression": {"pattern": "a\\u0000", "options": ""}}}': "$regularExpression that holds a NUL in v",
    '{"v": {"$regularExpression": {"pattern": 1, "options": ""}}}': "$regularExpression in v, ",
    '{"v": {"$code": 1}}': "$code in v, ",
    '{"v": {"$code": "f", "$scope": 1}}': "$scope in v, ",
    '{"v": {"$undefined": false}}': "$undefined in v, ",
    '{"v": {"$minKey": 2}}': "$minKey in v, ",
    '{"v": {"$maxKey": true}}': "$maxKey in v, ",
}


@pytest.mark.parametrize(("text", "words"), REFUSED.items(), ids=[key[:60] for key in REFUSED])
def test_what_bson_cannot_hold_or_would_be_a_guess_is_refused_with_its_reason(text: str, words: str) -> None:
    said = reason(text)
    assert words in said
    assert len(said) < 200


PERSON = "Jane Roe, 078-05-1120"
MALFORMED = [
    *(f'{{"{key}": "{PERSON}"}}' for key in ("$oid", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal")),
    *(f'{{"{key}": "{PERSON}"}}' for key in ("$date", "$binary", "$uuid", "$timestamp", "$regularExpression")),
    *(f'{{"{key}": "{PERSON}"}}' for key in ("$dbPointer", "$undefined", "$minKey", "$maxKey")),
    f'{{"$numberInt": "5", "name": "{PERSON}"}}',
    f'{{"$numberInt": "5", "$numberInt": "{PERSON}"}}',
    f'{{"$code": {{"name": "{PERSON}"}}}}',
    f'{{"$code": "f", "$scope": "{PERSON}"}}',
    f'{{"$timestamp": {{"t": "{PERSON}", "i": 0}}}}',
    f'{{"$binary": {{"base64": "{PERSON}", "subType": "00"}}}}',
    f'{{"$dbPointer": {{"$ref": "c", "$id": "{PERSON}"}}}}',
    f'"{PERSON}\\ud800"',
    "78051120" * 4,
    "78051120e999",
]


@pytest.mark.parametrize("value", MALFORMED)
def test_message_names_type_and_path_and_never_the_value(value: str) -> None:
    said = reason(f'{{"a": 1, "who": [{{"x": true}}, {{"number": {value}}}], "name": "{PERSON}"}}')
    assert "who[].number" in said
    for part in (PERSON, "Roe", "1120"):
        assert part not in said


def test_path_is_left_out_where_half_a_document_is_in_hand() -> None:
    assert reason('{"a": {"$oid": "x"}, "b": ') == "with a $oid, a text that cannot be one"


def test_nesting_that_bson_can_hold_is_left_to_the_core() -> None:
    text = '{"v": ' * 150 + "1" + "}" * 150
    assert decoded(text) == bson.encode(json.loads(text))
