"""The core's profile of documents against one that is counted slowly, in Python, from what pymongo decodes.

Blind spots, which the core's own tests look at: duplicate keys and bytes that are not UTF-8, which pymongo does not
show; deprecated types, which it reads as others; sketches that are full; limits.
"""

from __future__ import annotations

import json
import math
import random
import re
import struct
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import bson
import pytest
from bson.binary import Binary
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from isthmus._rust import Profiler
from isthmus.errors import SourceError
from tests.generators import bson_writer as bw
from tests.generators import values
from tests.oracle.effort import say_seed, tries

OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
DAY = 86_400_000
POSTGRES = range(-210_866_803_200_000, 9_224_318_016_000_000)
"""Milliseconds since 1970 that a timestamp of PostgreSQL holds: 4714-11-24 BC to the end of 294276."""
TYPES: list[tuple[type, str]] = [
    (bool, "bool"),
    (Int64, "long"),
    (int, "int"),
    (float, "double"),
    (Code, "javascript"),
    (str, "string"),
    (bytes, "binData"),
    (ObjectId, "objectId"),
    (DatetimeMS, "date"),
    (Decimal128, "decimal"),
    (Timestamp, "timestamp"),
    (Regex, "regex"),
    (MinKey, "minKey"),
    (MaxKey, "maxKey"),
    (list, "array"),
    (dict, "object"),
    (type(None), "null"),
]


def type_of(value: Any) -> str:
    if isinstance(value, Code) and value.scope is not None:
        return "javascriptWithScope"
    return next(name for kind, name in TYPES if isinstance(value, kind))


@dataclass
class Place:
    """What was met at one path."""

    parents: int = 0
    holders: int = 0
    met: list[Any] = field(default_factory=list)
    fields: dict[str, Place] = field(default_factory=dict)
    elements: Place | None = None

    def add(self, value: Any) -> None:
        self.met.append(value)
        if isinstance(value, dict):
            for key, inner in value.items():
                place = self.fields.setdefault(key, Place())
                place.holders += 1
                place.add(inner)
        elif isinstance(value, list) and value:
            self.elements = self.elements or Place()
            self.elements.holders += 1
            for inner in value:
                self.elements.add(inner)

    def of(self, kind: type) -> list[Any]:
        return [value for value in self.met if isinstance(value, kind) and (kind is not int or value is not True)]


def some(**counts: Any) -> dict[str, Any]:
    """A part of a node as the core writes it: what is zero is left out."""
    return {name: value for name, value in counts.items() if value not in (0, None)}


def span(found: Iterable[Any]) -> list[Any] | None:
    ordered = sorted(found)
    return [ordered[0], ordered[-1]] if ordered else None


def texts_of(texts: list[str]) -> dict[str, Any]:
    return some(
        length=span(map(len, texts)),
        bytes_max=max(len(text.encode()) for text in texts),
        hex24=sum(bool(re.fullmatch("[0-9a-fA-F]{24}", text)) for text in texts),
        empty=texts.count(""),
        padded=sum(text != text.strip(SPACES) for text in texts),
        nul=sum("\0" in text for text in texts),
        lines=sum("\n" in text for text in texts),
        html=sum(text.lstrip(" \t\n\r\f").startswith("<") and ">" in text for text in texts),
        number=sum(bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII)) for text in texts),
    )


SPACES = "".join(map(chr, [*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029]))
SPACES += "\u202f\u205f\u3000"
"""Unicode's White_Space; Python's own `strip` takes four control characters more."""


def doubles_of(doubles: list[float]) -> dict[str, Any]:
    finite = [number for number in doubles if math.isfinite(number)]
    digits = [-int(Decimal(repr(number)).as_tuple().exponent) for number in finite if not number.is_integer()]
    return some(
        range=span(finite),
        nan=sum(map(math.isnan, doubles)),
        infinite=sum(map(math.isinf, doubles)),
        whole=sum(number.is_integer() and abs(number) <= 2**53 for number in finite),
        fraction_digits=min(17, max(digits, default=0)),
    )


def decimals_of(decimals: list[Decimal]) -> dict[str, Any]:
    finite = [number.as_tuple() for number in decimals if number.is_finite()]
    digits = [(len(number.digits) if any(number.digits) else 0, int(number.exponent)) for number in finite]
    return some(
        range=span(number for number in decimals if number.is_finite()),
        digits_before=max((max(0, count + exponent) for count, exponent in digits if count), default=0),
        digits_after=max((max(0, -exponent) for _, exponent in digits), default=0),
        nan=sum(number.is_nan() for number in decimals),
        infinite=sum(number.is_infinite() for number in decimals),
    )


def arrays_of(arrays: list[list[Any]]) -> dict[str, Any]:
    kinds = [{type_of(value) for value in array} - {"null"} for array in arrays]
    sorts = [{kind if kind in {"array", "object"} else "scalar" for kind in found} for found in kinds]
    return some(
        length=span(map(len, arrays)),
        total=sum(map(len, arrays)),
        empty=arrays.count([]),
        nested=sum("array" in found for found in kinds),
        mixed=sum(len(found) > 1 for found in sorts),
    )


def meaning(value: Any) -> tuple[str, Any] | None:
    """What makes two hashed values one; None for those that are not hashed."""
    match value:
        case bool():
            return None
        case int():
            return "number", Fraction(value)
        case float():
            return "number", Fraction(value) if math.isfinite(value) else str(value)
        case Decimal128():
            number = value.to_decimal()
            return "number", Fraction(number) if number.is_finite() else str(
                float("nan" if number.is_nan() else number)
            )
        case Code():
            return None
        case str():
            return "text", value
        case ObjectId() | DatetimeMS():
            return type(value).__name__, value
        case Binary() if value.subtype in {3, 4} and len(value) == 16:
            return "uuid", (value.subtype, bytes(value))
        case _:
            return None


def kept(value: Any) -> str | None:
    """The value as the core writes it among the few; None for kinds that are not kept."""
    match value:
        case bool():
            found: dict[str, Any] = {"b": value}
        case int():
            found = {"i": int(value)}
        case float():
            found = {
                "d": value + 0.0
                if math.isfinite(value)
                else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
            }
        case Code():
            return None
        case str():
            found = {"s": value}
        case ObjectId():
            found = {"o": str(value)}
        case _:
            return None
    return json.dumps(found)


def expect(place: Place, node: dict[str, Any], where: str) -> None:
    """Compare a node with what was counted, and all nodes below."""
    assert node["present"] == len(place.met), where
    assert node["types"] == Counter(map(type_of, place.met)), where
    if where != "":
        assert (node["parents"], node["with"]) == (place.parents, place.holders), where
    assert (node.get("true", 0), node.get("false", 0)) == tuple(
        sum(value is flag for value in place.met) for flag in (True, False)
    ), where
    integers = [value for value in place.of(int) if value is not False]
    assert node.get("integer") == ({"range": span(map(int, integers))} if integers else None), where
    texts = [value for value in place.of(str) if not isinstance(value, Code)]
    if texts:
        expected = texts_of(texts)
        assert {name: node["string"].get(name) for name in expected} == expected, where
        assert (
            not {"hex24", "empty", "padded", "nul", "lines", "html", "number"} & node["string"].keys() - expected.keys()
        )
    else:
        assert "string" not in node, where
    doubles = place.of(float)
    assert node.get("double") == (doubles_of(doubles) if doubles else None), where
    decimals = [value.to_decimal() for value in place.of(Decimal128)]
    found = dict(node.get("decimal", {}))
    if "range" in found:
        found["range"] = [Decimal(text) for text in found["range"]]
    assert found == (decimals_of(decimals) if decimals else {}), where
    dates = [int(value) for value in place.of(DatetimeMS)]
    expected_dates = some(
        range=span(dates),
        out_of_range=sum(millis not in POSTGRES for millis in dates),
        midnight=sum(millis % DAY == 0 and POSTGRES.start <= millis < 185_331_707_078_400_000 for millis in dates),
    )
    assert node.get("date", {}) == expected_dates, where
    binaries = [(getattr(value, "subtype", 0), len(value)) for value in place.of(bytes)]
    subtypes = {str(subtype): count for subtype, count in Counter(subtype for subtype, _ in binaries).items()}
    assert node.get("binary", {}) == some(length=span(size for _, size in binaries), subtypes=subtypes or None), where
    assert node.get("array", {}) == arrays_of(place.of(list)), where
    documents = place.of(dict)
    expected_documents = some(
        keys=span(map(len, documents)),
        empty=documents.count({}),
        extended=sum(any(key.startswith("$") for key in document) for document in documents),
    )
    assert node.get("document", {}) == expected_documents, where
    expect_values(place, node, where)
    assert list(node.get("fields", {})) == list(place.fields), where
    for key, below in place.fields.items():
        below.parents = len(documents)
        expect(below, node["fields"][key], f"{where}/{key}")
    assert ("elements" in node) == (place.elements is not None), where
    if place.elements is not None:
        place.elements.parents = len(place.of(list))
        expect(place.elements, node["elements"], f"{where}/[]")


def expect_values(place: Place, node: dict[str, Any], where: str) -> None:
    meanings = {found for value in place.met if (found := meaning(value)) is not None}
    assert (node.get("distinct", 0), len(node.get("sketch", ()))) == (len(meanings), len(meanings)), where
    assert node.get("sketch", []) == sorted(node.get("sketch", [])), where
    filled = [value for value in place.met if value is not None]
    few = Counter(map(kept, filled))
    short = all(len(value.encode()) <= 80 for value in filled if isinstance(value, str))
    if filled and short and None not in few and len(few) <= 64:
        written = [(json.dumps(value), count) for value, count in node["values"]]
        assert dict(written) == few, where
        assert [count for _, count in written] == sorted(few.values(), reverse=True), where
        assert "many" not in node, where
    else:
        assert "values" not in node, where
        kinds = (bool, int, float, str, ObjectId)
        some_kept = any(isinstance(value, kinds) and not isinstance(value, Code) for value in filled)
        assert node.get("many", False) is some_kept, where


def unicode_text(text: str | bytes) -> bool:
    try:
        content = text if isinstance(text, bytes) else text.encode()
        content.decode()
    except UnicodeError:
        return False
    return True


def scalars() -> SearchStrategy[bw.Value]:
    """Every type that pymongo shows as it is."""
    texts = values.texts().filter(unicode_text)
    sample = st.sampled_from(["5f1e2d3c4b5a69788796a5b4", " x", "1\n2", "<p> </p>", "12.50", "-3e4", "x" * 81])
    return st.one_of(
        values.doubles(),
        st.one_of(texts, sample).map(bw.string),
        values.int32s(),
        st.integers(0, 3).map(bw.int32),
        values.int64s(),
        values.decimals(),
        values.datetimes(),
        values.object_ids(),
        values.binaries(),
        st.booleans().map(lambda flag: bw.boolean(true=flag)),
        st.just(bw.null()),
        st.sampled_from([bw.min_key(), bw.max_key(), bw.timestamp(1, 2), bw.regex("a", "i"), bw.code("f()")]),
    )


def documents(children: SearchStrategy[bw.Value]) -> SearchStrategy[bw.Value]:
    keys = values.keys().filter(lambda key: unicode_text(key) and key != "$ref")
    names = st.one_of(keys, st.sampled_from(["name", "tags", "in"]))
    return st.lists(st.tuples(names, children), max_size=6, unique_by=lambda pair: pair[0]).map(bw.document)


def anything() -> SearchStrategy[bw.Value]:
    return st.recursive(
        scalars(), lambda inner: st.one_of(documents(inner), st.lists(inner).map(bw.array)), max_leaves=6
    )


COLLECTIONS = st.lists(documents(anything()).map(lambda document: document.raw), max_size=12)


@tries(150)
@given(COLLECTIONS)
def test_profile_of_generated_documents_is_what_counting_them_gives(collection: list[bytes]) -> None:
    say_seed()
    profiler = Profiler()
    assert profiler.read(b"".join(collection)) == len(collection)
    found = json.loads(profiler.result())
    root = Place()
    for raw in collection:
        root.add(bson.decode(raw, OPTIONS))
    sizes = [len(raw) for raw in collection]
    assert (found["documents"], found["bytes"]) == (len(collection), sum(sizes))
    if sizes:
        assert found["sizes"] == {"min": min(sizes), "max": max(sizes), "total": sum(sizes)}
        expect(root, found["root"], "")
    identifiers = root.fields.get("_id", Place()).met
    expected_id = {"types": Counter(map(type_of, identifiers))} if identifiers else {}
    assert found["id"] == expected_id | some(missing=len(collection) - len(identifiers))
    ids = profiler.ids()
    assert json.loads(ids.describe())["exact"]
    for raw in collection:
        element = bson.decode(raw, OPTIONS).get("_id", Ellipsis)
        if element is not Ellipsis:
            assert ids.contains(bson.encode({"_id": element}, codec_options=OPTIONS))


@tries(60)
@given(COLLECTIONS, st.integers(0, 1 << 30))
def test_profiles_of_parts_merge_into_that_of_the_whole_in_any_order(collection: list[bytes], seed: int) -> None:
    say_seed()
    chance = random.Random(seed)
    limits = chance.choice(["{}", json.dumps({"keys": 3, "values": 2, "sketch": 16, "value_bytes": 4})])
    whole = Profiler(limits)
    whole.read(b"".join(collection))
    shuffled = list(collection)
    chance.shuffle(shuffled)
    cut = chance.randint(0, len(collection))
    parts = [Profiler(limits), Profiler(limits)]
    for part, documents in zip(parts, (shuffled[:cut], shuffled[cut:]), strict=True):
        part.read(bytearray(b"".join(documents)))
    parts[0].merge(parts[1])
    assert json.loads(parts[0].result()) == json.loads(whole.result())
    assert json.loads(parts[1].result())["documents"] == 0
    assert len(parts[0].ids()) == len(whole.ids())


@tries(100)
@given(st.lists(st.binary(max_size=120), max_size=6))
def test_any_bytes_as_documents_are_counted_as_readable_or_broken(contents: list[bytes]) -> None:
    say_seed()
    profiler = Profiler()
    documents = [struct.pack("<i", len(content) + 5) + content + b"\0" for content in contents]
    assert profiler.read(b"".join(documents)) == len(documents)
    found = json.loads(profiler.result())
    assert found["documents"] + sum(found.get("broken", {}).values()) == len(documents)
    assert found["root"]["present"] == found["documents"]


def test_read_of_a_block_that_is_cut_off_counts_what_stands_before() -> None:
    document = bson.encode({"_id": 1})
    profiler = Profiler()
    with pytest.raises(SourceError) as raised:
        profiler.read(document * 2 + document[:9])
    assert (raised.value.code, raised.value.context["offset"]) == ("broken-framing", 2 * len(document))
    assert json.loads(profiler.result())["documents"] == 2


def test_limits_that_cannot_be_read_are_refused_in_words() -> None:
    for limits in ("", "[]", '{"kyes": 1}', '{"keys": "1"}'):
        with pytest.raises(ValueError, match="The limits cannot be read"):
            Profiler(limits)
    with pytest.raises(ValueError, match="different limits"):
        Profiler().merge(Profiler('{"keys": 9}'))


def test_threads_that_fill_their_own_profilers_run_side_by_side_and_merge() -> None:
    block = b"".join(bson.encode({"_id": number, "text": "x" * (number % 90)}) for number in range(5000))
    profilers = [Profiler() for _ in range(4)]
    threads = [threading.Thread(target=profiler.read, args=(block,)) for profiler in profilers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in profilers[1:]:
        profilers[0].merge(other)
    found = json.loads(profilers[0].result())
    assert found["documents"] == 20_000
    assert found["root"]["fields"]["text"]["string"] == {"length": [0, 89], "bytes_max": 89, "empty": 224}
    distinct = found["root"]["fields"]["_id"]["distinct"]
    assert 4000 < distinct < 6000
    assert len(profilers[0].ids()) == 5000


def test_decimals_beyond_pythons_context_compare_by_value() -> None:
    low, high = Decimal128("-9.9E+6112"), Decimal128("1E-6176")
    profiler = Profiler()
    profiler.read(bson.encode({"v": [high, low]}))
    element = json.loads(profiler.result())["root"]["fields"]["v"]["elements"]
    assert element["decimal"] == {"range": ["-9.9E+6112", "1E-6176"], "digits_before": 6113, "digits_after": 6176}
