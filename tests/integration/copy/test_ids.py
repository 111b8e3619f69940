"""Every kind of `_id` arrives, every reference to it resolves, and `ids` finds both sides of each.

Oracle: the list of `_id` values; which id belongs to which is checked through a column with the value's number.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import bson
import psycopg
import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp

from isthmus.mapping import parse_mapping
from isthmus.state.ids import export_ids, look_up
from isthmus.state.runs import id_key
from tests.generators import bson_writer as bw
from tests.integration.copy.carrying import World, balanced, oid

IDS: list[Any] = [
    *(ObjectId("0123456789abcdef01234567"), oid(1), oid(2**95)),
    *(0, 5, -1, Int64(2**40), Int64(-(2**63)), 0.5, 1e300, -1.5, float("inf"), float("nan"), Decimal128("1.50")),
    *("5", "", "text", "with space", "ключ", "true", "null", '{"a": 1}', "[1]", "-", "12abc", "x" * 3000, "a'b\"c\\d"),
    *("0123456789abcdef0123456", "0123456789ABCDEF0123456789"),
    *({"a": 1, "b": {"c": "x"}}, {"b": 1}, {}, {"$oid": "looks like one"}, {"list": [1, 2]}),
    *(Binary(b"\x00\x01"), Binary(b"0123456789abcdef", 4), Binary(b"0123456789abcdef", 3), Binary(b"", 0)),
    *(datetime(2020, 1, 1, tzinfo=UTC), datetime(1950, 1, 1, tzinfo=UTC), True, False, None, Timestamp(1, 2)),
    *(MinKey(), MaxKey(), Code("f()")),
]


def raw_document(number: int, value: Any, **rest: Any) -> bytes:
    return bson.encode({"_id": value, "n": number, **rest})


def written_ids() -> list[bytes]:
    """Return one document an `_id`, and some whose `_id` no driver would write."""
    odd = [
        bw.datetime_ms(9_999_999_999_999_999),
        bw.symbol("symbol"),
        bw.string(b"bad \xff utf8"),
        bw.double_bits(1 << 63 | 1),
    ]
    found = [raw_document(number, value) for number, value in enumerate(IDS)]
    for number, value in enumerate(odd, start=len(IDS)):
        found.append(bw.document([("_id", value), ("n", bw.int32(number))]).raw)
    return found


def id_element(document: bytes) -> bw.Value:
    """Return the `_id` of a document whose second element is `n`, as written."""
    end = len(document) - 1 - 1 - 2 - 4
    return bw.Value(document[4], document[9:end])


@pytest.mark.parametrize("scheme", ["uuid", "cuid2"])
def test_mixed_ids_arrive_and_references_and_look_ups_find_them(world: World, scheme: str) -> None:
    mapping = f"""isthmus: 1
ids: {scheme}
collections:
  C: {{fields: {{n: integer}}}}
  R: {{fields: {{n: integer, c: {{references: C}}, more: {{junction: pairs}}}}}}
junctions: {{pairs: {{r_id: R, c_id: C}}}}
"""
    documents = written_ids()
    referring = [
        bw.document(
            [
                ("_id", bw.object_id(oid(5000 + number).binary)),
                ("n", bw.int32(number)),
                ("c", id_element(document)),
                ("more", bw.array([id_element(document)])),
            ]
        ).raw
        for number, document in enumerate(documents)
    ]
    null = IDS.index(None)
    world.write({"C": documents, "R": referring})
    result = world.copy(mapping)
    balanced(result)
    assert world.letters() == []
    assert world.orphans() == []
    assert result.exit_code == 0
    assert world.column("SELECT n FROM c ORDER BY n") == list(range(len(documents)))
    assert world.rows("SELECT r.n, c.n FROM r LEFT JOIN c ON c.id = r.c ORDER BY 1") == [
        (n, None if n == null else n) for n in range(len(documents))
    ]
    assert world.one("SELECT count(*) FROM pairs") == len(documents) - 1
    numbers = dict(world.rows("SELECT id::text, n FROM c"))
    parsed = parse_mapping(mapping, file_name="mapping.yaml")
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        key = id_key(connection, create=False)
        exported = [known for known in export_ids(connection, parsed, key) if known.collection == "C"]
        assert {known.id for known in exported} == set(numbers)
        assert len({known.source_id for known in exported}) == len(exported)
        for known in exported:
            number = numbers[known.id]
            (back,) = [k for k in look_up(connection, parsed, key, known.id) if "c" in k.tables]
            assert back.source_id == known.source_id, number
            if number >= len(IDS) and number != len(IDS) + 1:
                continue  # an `_id` that is not UTF-8, or no driver reads, cannot be typed
            there = [k.id for k in look_up(connection, parsed, key, known.source_id, collection="C")]
            assert known.id in there, (number, known.source_id)


def test_number_is_found_by_any_of_its_types(world: World) -> None:
    mapping = "isthmus: 1\ncollections: {C: {fields: {n: integer}}}\n"
    world.write({"C": [raw_document(1, Int64(5)), raw_document(2, 7.0), raw_document(3, "5")]})
    balanced(world.copy(mapping))
    parsed = parse_mapping(mapping, file_name="mapping.yaml")
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        key = id_key(connection, create=False)
        ids = dict(world.rows("SELECT n, id::text FROM c"))
        assert ids[1] in [k.id for k in look_up(connection, parsed, key, "5")]
        assert ids[3] in [k.id for k in look_up(connection, parsed, key, '"5"')]
        assert ids[2] in [k.id for k in look_up(connection, parsed, key, "7")]
        assert look_up(connection, parsed, key, "8") == []


def test_ids_keep_as_text_and_as_other_types(world: World) -> None:
    mapping = """
    isthmus: 1
    ids: keep
    collections:
      T: {fields: {n: integer, other: {references: T}}}
      B: {fields: {_id: bigint, n: integer, other: {references: B}}}
      U: {fields: {_id: uuid, n: integer, other: {references: U}}}
    """
    uuid = Binary(bytes(range(16)), 4)
    world.write(
        {
            "T": [
                {"_id": "a", "n": 1, "other": oid(0xABCDEF)},
                {"_id": oid(0xABCDEF), "n": 2, "other": "a"},
                {"_id": 5, "n": 3},
                {"_id": str(oid(0xABCDEF)).upper(), "n": 4},
            ],
            "B": [
                {"_id": 1, "n": 1, "other": Int64(2)},
                {"_id": Int64(2), "n": 2, "other": 1.0},
                {"_id": "3", "n": 3},
                {"_id": 1.5, "n": 4},
            ],
            "U": [{"_id": uuid, "n": 1, "other": uuid}, {"_id": Binary(bytes(16), 3), "n": 2}, {"_id": "x", "n": 3}],
        }
    )
    result = world.copy(mapping)
    balanced(result)
    assert world.rows("SELECT id, n, other FROM t ORDER BY n") == [
        ("a", 1, str(oid(0xABCDEF))),
        (str(oid(0xABCDEF)), 2, "a"),
        (str(oid(0xABCDEF)).upper(), 4, None),
    ]
    assert world.rows("SELECT id, n, other FROM b ORDER BY n") == [(1, 1, 2), (2, 2, 1)]
    assert world.rows("SELECT id::text, n, other = id FROM u") == [("00010203-0405-0607-0809-0a0b0c0d0e0f", 1, True)]
    assert world.codes("T") == {'{"$numberInt":"5"}': "type"}
    assert set(world.codes("B").values()) == {"type", "fraction"}
    assert set(world.codes("U").values()) == {"type", "uuid-legacy"}


def test_ids_per_collection_may_differ_and_references_follow(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      A: {ids: cuid2, fields: {b: {references: B}}}
      B: {ids: keep, fields: {c: {references: C}}}
      C: {fields: {a: {references: A}}}
    """
    world.write({"A": [{"_id": oid(1), "b": "b1"}], "B": [{"_id": "b1", "c": 3}], "C": [{"_id": 3, "a": oid(1)}]})
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 0
    assert world.one("SELECT count(*) FROM a JOIN b ON a.b = b.id JOIN c ON b.c = c.id WHERE c.a = a.id") == 1
    assert len(world.one("SELECT id FROM a")) == 24


def test_same_key_gives_the_same_ids_on_another_target(world: World) -> None:
    mapping = "isthmus: 1\ncollections: {C: {fields: {n: integer}}}\n"
    world.write({"C": written_ids()})
    key = bytes(range(32))
    balanced(world.copy(mapping, id_key=key))
    first = set(world.rows("SELECT id::text, n FROM c"))
    balanced(world.copy(mapping, fresh=True))
    assert set(world.rows("SELECT id::text, n FROM c")) == first
