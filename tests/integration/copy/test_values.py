"""Values that do not fit: exactly their document is a dead letter, or the policy the mapping states applies.

Oracle: what each document was written to show. Blind spot: conversions of values that do fit (the core's own tests).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Decimal128, Int64

from isthmus.work.stages import listeners
from tests.generators import bson_writer as bw
from tests.integration.copy.carrying import World, balanced, oid

MAPPING = """
isthmus: 1
enums: {status: [ACTIVE, PENDING]}
collections:
  Things:
    fields:
      name: text!
      small: smallint
      count: integer
      big: bigint
      ratio: real
      price: "numeric(6,2)"
      short: "varchar(5)"
      at: timestamptz
      day: date
      key: uuid
      status: status
      data: jsonb
      tags: "text[]"
      numbers: "integer[]"
      flag: boolean
      steps: {child: thing_steps, fields: {label: text!, done: boolean}}
      others: {junction: things_to_others}
  Others:
    fields:
      name: text
      things: {junction: things_to_others}
junctions:
  things_to_others: {thing_id: Things, other_id: Others}
"""

FAR = bw.datetime_ms(9_000_000_000_000_000)  # in the year 287,168; PostgreSQL ends in 294,276
YEAR_300000 = bw.datetime_ms(9_404_985_600_000_000)

# name: (fields, code, path, what the shortened value holds)
REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "int64-in-int4": ({"count": Int64(2**31)}, "out-of-range", "count", "2147483648"),
    "int32-in-int2": ({"small": 40_000}, "out-of-range", "small", "40000"),
    "double-in-int8": ({"big": 1e19}, "out-of-range", "big", "1"),
    "fraction-in-integer": ({"count": 1.5}, "fraction", "count", "1.5"),
    "decimal-fraction-in-integer": ({"count": Decimal128("2.50")}, "fraction", "count", "2.5"),
    "nan-in-integer": ({"count": math.nan}, "out-of-range", "count", "NaN"),
    "double-in-real": ({"ratio": 0.1}, "inexact", "ratio", "0.1"),
    "scale": ({"price": Decimal128("1.234")}, "scale", "price", "1.234"),
    "precision": ({"price": Decimal128("12345.5")}, "out-of-range", "price", "12345.5"),
    "infinity-in-numeric": ({"price": Decimal128("Infinity")}, "out-of-range", "price", "Inf"),
    "too-long": ({"short": "sixsix"}, "too-long", "short", "sixsix"),
    "nul-in-text": ({"name": "a\0b"}, "nul", "name", "a"),
    "nul-in-array": ({"tags": ["x", "y\0"]}, "nul", "tags.1", "y"),
    "nul-in-jsonb": ({"data": {"deep": ["\0"]}}, "nul", "data.deep.0", ""),
    "nul-in-extras": ({"unnamed": "\0"}, "nul", "unnamed", ""),
    "nan-in-jsonb": ({"data": {"x": math.nan}}, "nan", "data.x", "NaN"),
    "infinity-in-jsonb": ({"data": [math.inf]}, "nan", "data.0", "Inf"),
    "bad-enum": ({"status": "DONE"}, "enum", "status", "DONE"),
    "enum-case": ({"status": "active"}, "enum", "status", "active"),
    "missing-required": ({"name": None}, "required", "name", ""),
    "text-in-integer": ({"count": "7"}, "type", "count", "7"),
    "text-in-boolean": ({"flag": "yes"}, "type", "flag", "yes"),
    "text-in-uuid": ({"key": "no uuid"}, "type", "key", "no uuid"),
    "time-in-date": ({"day": datetime(2021, 1, 1, 12, tzinfo=UTC)}, "time-of-day", "day", "2021"),
    "scalar-for-array": ({"tags": "x"}, "type", "tags", "x"),
    "bad-array-element": ({"numbers": [1, "two"]}, "type", "numbers.1", "two"),
    "children-no-array": ({"steps": {"label": "x"}}, "not-an-array", "steps", ""),
    "child-no-document": ({"steps": [{"label": "x"}, 7]}, "not-a-document", "steps.1", "7"),
    "child-required": ({"steps": [{"label": "x"}, {"done": True}]}, "required", "steps.1.label", ""),
    "long-value-shortened": ({"short": "long " * 1000}, "too-long", "short", "long long"),
}


def things() -> list[bytes]:
    """Return the refused documents, a good neighbour behind each."""
    found: list[bytes] = []
    for number, (fields, *_) in enumerate(REFUSED.values()):
        full = {"_id": oid(number), "name": "n", "steps": [{"label": "a"}], "others": [oid(500)], **fields}
        found.append(bson.encode(full))
        good = {"_id": oid(1000 + number), "name": "good", "steps": [{"label": "b"}], "others": [oid(500)]}
        found.append(bson.encode(good))
    return found


def test_refused_document_goes_whole_with_code_path_and_value_and_neighbours_arrive(world: World) -> None:
    written = things()
    world.write({"Things": written, "Others": [{"_id": oid(500), "name": "o", "things": [oid(0), oid(1000)]}]})
    result = world.copy(MAPPING)
    balanced(result)
    assert result.exit_code == 1
    letters = {letter.source_id: letter for letter in world.letters()}
    assert len(letters) == len(REFUSED)
    for number, (name, (_, code, path, value)) in enumerate(REFUSED.items()):
        letter = letters[str(oid(number))]
        cause = letter.causes[0]
        assert (letter.code, letter.path, letter.stage) == (code, path, "convert"), name
        assert letter.document == written[2 * number], name
        assert value in cause["value"], (name, cause)
        assert len(cause["value"]) <= 80, name
        assert (cause["code"], cause["path"], cause["message"]) == (code, path, letter.message)
        assert len(letter.message) < 400, name
    count = len(REFUSED)
    assert world.column("SELECT DISTINCT name FROM things") == ["good"]
    assert world.one("SELECT count(*) FROM things") == count
    assert world.one("SELECT count(*) FROM thing_steps") == count
    # pairs of refused documents are gone with them; the other side's pair to one of them is an orphan in the ledger
    assert world.one("SELECT count(*) FROM things_to_others") == count
    assert world.orphans() == [("things_to_others", "thing_id", str(oid(0)), "drop", True)]
    assert result.balance is not None
    assert result.balance.merged_pairs == {"things_to_others": 1}
    assert result.balance.junctions == {"things_to_others": count}


def test_every_cause_of_a_document_is_told(world: World) -> None:
    world.write({"Things": [{"_id": 1, "name": None, "count": 1.5, "status": "X", "short": "sixsix"}], "Others": []})
    balanced(world.copy(MAPPING))
    (letter,) = world.letters()
    assert {cause["code"] for cause in letter.causes} == {"required", "fraction", "enum", "too-long"}


def test_instants_outside_postgresql_are_refused_or_follow_the_policy(world: World) -> None:
    def written(value: bw.Value) -> bytes:
        return bw.document([("_id", bw.int32(1)), ("at", value)]).raw

    for policy, expected in (("dead_letter", None), ("null", [None]), ("infinity", ["infinity"])):
        world.write({"C": [written(YEAR_300000)]})
        column = f"{{type: timestamptz, policies: {{range: '{policy}'}}}}"
        mapping = f"isthmus: 1\ncollections:\n  C:\n    fields:\n      at: {column}\n"
        result = world.copy(mapping, fresh=True)
        balanced(result)
        assert result.balance is not None
        if expected is None:
            assert world.codes() == {'{"$numberInt":"1"}': "range"}
        else:
            assert world.column("SELECT at::text FROM c") == expected
            assert world.rows("SELECT kind, original FROM isthmus.adjustment") == [
                (f"range_{policy}", str(world.rows("SELECT original FROM isthmus.adjustment")[0][0]))
            ]
            assert result.balance.adjusted == {f"c.at:range_{policy}": 1}
            assert result.exit_code == 0
    world.write({"C": [written(FAR)]})
    balanced(world.copy("isthmus: 1\ncollections:\n  C: {fields: {at: timestamptz}}\n", fresh=True))
    assert world.one("SELECT extract(year FROM at)::integer FROM c") == 287168


def test_stated_policies_change_the_value_count_it_and_list_it(world: World) -> None:
    mapping = """
    isthmus: 1
    policies: {nul: remove, utf8: replace, nan: "null"}
    collections:
      C: {fields: {name: text, data: jsonb, tags: "text[]"}}
    """
    world.write(
        {
            "C": [
                bson.encode({"_id": 1, "name": "a\0b\0", "tags": ["x\0"], "extra": "y\0"}),
                bw.document([("_id", bw.int32(2)), ("name", bw.string(b"a\xffb"))]).raw,
                bson.encode({"_id": 3, "data": {"x": math.nan, "y": [-math.inf]}}),
            ]
        }
    )
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 0
    assert world.letters() == []
    assert world.rows("SELECT name, data, tags, extras FROM c ORDER BY name NULLS LAST") == [
        ("ab", None, ["x"], {"extra": "y"}),
        ("a\N{REPLACEMENT CHARACTER}b", None, None, None),
        (None, {"x": None, "y": [None]}, None, None),
    ]
    assert result.balance is not None
    assert result.balance.adjusted == {
        "c.name:nul_removed": 1,
        "c.tags:nul_removed": 1,
        "c.extras:nul_removed": 1,
        "c.name:utf8_replaced": 1,
        "c.data:nan_null": 2,
    }
    listed = world.rows("SELECT table_name, column_name, kind, original FROM isthmus.adjustment ORDER BY id")
    assert len(listed) == 6
    assert ("c", "name", "nul_removed", "a\\u0000b\\u0000") in listed


def test_defaults_and_coercions_are_counted(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      C:
        fields:
          n: {type: integer, coerce: true}
          made: {type: timestamptz, default: id_time}
          loaded: {type: timestamptz, default: now}
          kind: {type: text!, default: plain, default_for: [missing, "null"]}
          v: {type: integer, default: 0}
    """
    ids = [bson.ObjectId.from_datetime(datetime(2020, 5, 6, tzinfo=UTC))]
    world.write({"C": [{"_id": ids[0], "n": "41", "kind": None, "v": None}]})
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 0
    started = world.one("SELECT started_at FROM isthmus.run")
    assert world.rows("SELECT n, made, loaded, kind, v FROM c") == [
        (41, datetime(2020, 5, 6, tzinfo=UTC), started, "plain", None)
    ]
    assert result.balance is not None
    assert result.balance.adjusted["c.n:coerced"] == 1
    assert {name for name in result.balance.adjusted if "default" in name} == {
        "c.made:default",
        "c.loaded:default",
        "c.kind:default",
    }


def test_unknown_field_is_kept_in_extras_or_refused_as_the_mapping_says(world: World) -> None:
    world.write({"C": [{"_id": 1, "a": "x", "b": {"c": 1}}, {"_id": 2, "a": "y"}]})
    balanced(world.copy("isthmus: 1\ncollections: {C: {fields: {a: text}}}\n"))
    assert world.rows("SELECT a, extras FROM c ORDER BY a") == [("x", {"b": {"c": 1}}), ("y", None)]
    result = world.copy("isthmus: 1\nextras: dead_letter\ncollections: {C: {fields: {a: text}}}\n", fresh=True)
    balanced(result)
    assert world.codes() == {'{"$numberInt":"1"}': "unknown-field"}
    assert world.column("SELECT a FROM c") == ["y"]


def test_dropped_fields_and_skipped_documents_are_counted_by_name_and_reason(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      C:
        skip: [{when: {deleted: true}, why: "marked as deleted"}]
        fields: {a: text, legacy: {drop: "superseded"}, deleted: {drop: "only true where skipped"}}
    """
    world.write({"C": [{"_id": n, "a": "x", "legacy": n, "deleted": n % 2 == 0} for n in range(10)]})
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 0
    assert result.balance is not None
    assert result.balance.skips == {"marked as deleted": 5}
    assert result.balance.dropped == {"C.legacy": 5, "C.deleted": 5}
    assert (result.balance.collections["C"].skipped, result.balance.collections["C"].copied) == (5, 5)
    assert world.one("SELECT count(extras) FROM c") == 0


@pytest.mark.parametrize("unknown", ["extras", "dead_letter"])
def test_mark_of_isthmus_is_no_part_of_a_document_unless_a_rule_names_it(world: World, unknown: str) -> None:
    """What the outbox and the stores note in documents, which they do in those of any application that uses them."""
    world.write({"C": [{"_id": 1, "a": "x", "_isthmus": {"v": 7, "r": b"token"}, "in": {"_isthmus": 1}}, {"_id": 2}]})
    mapping = f"isthmus: 1\nextras: {unknown}\ncollections: {{C: {{fields: {{a: text, in: jsonb%s}}}}}}\n"
    result = world.copy(mapping % "")
    balanced(result)
    assert result.balance is not None
    assert (result.exit_code, result.balance.extras, result.balance.dropped) == (0, {}, {"C._isthmus": 1})
    assert world.rows('SELECT a, "in" FROM c ORDER BY a') == [("x", {"_isthmus": 1}), (None, None)]
    assert world.verify(mapping % "").passed
    balanced(world.copy(mapping % ", _isthmus.v: {column: v, type: integer}", fresh=True))
    assert world.column("SELECT v FROM c ORDER BY v") == ([7, None] if unknown == "extras" else [None])


@pytest.mark.parametrize("workers", [1, 3])
def test_document_only_the_server_refuses_is_found_by_halving(world: World, workers: int) -> None:
    # Six hundred long texts: each becomes a pointer of 18 bytes, together more than a page holds. No check of a
    # single value can see that, so the whole batch is refused by the server.
    columns = [f"c{number:03}" for number in range(600)]
    mapping = "isthmus: 1\ncollections:\n  Wide: {fields: {n: integer, " + ", ".join(f"{c}: text" for c in columns)
    mapping += ", kids: {child: wide_kids, fields: {x: integer}}}}\n"
    bad = {17, 18, 59}
    documents: list[dict[str, Any]] = []
    for n in range(60):
        text = f"{n:04}" * 700
        filled = {c: text[: 2500 + i] for i, c in enumerate(columns)} if n in bad else {}
        documents.append({"_id": oid(n), "n": n, "kids": [{"x": n}], **filled})
    world.write({"Wide": documents})
    result = world.copy(mapping, workers=workers)
    balanced(result)
    assert result.exit_code == 1
    assert {letter.source_id for letter in world.letters()} == {str(oid(n)) for n in bad}
    for letter in world.letters():
        assert (letter.code, letter.stage) == ("target-refused", "load")
        assert "row is too big" in letter.message
        assert bson.decode(letter.document)["_id"] == bson.ObjectId(letter.source_id)
    assert world.column("SELECT n FROM wide ORDER BY 1") == [n for n in range(60) if n not in bad]
    assert world.column("SELECT x FROM wide_kids ORDER BY 1") == [n for n in range(60) if n not in bad]


def test_largest_document_arrives_and_one_byte_more_is_a_break(world: World) -> None:
    def of_length(number: int, length: int) -> bytes:
        empty = len(document(number, ""))
        return document(number, "x" * (length - empty))

    def document(number: int, text: str) -> bytes:
        return bson.encode({"_id": oid(number), "n": number, "text": text})

    largest = 16 * 1024 * 1024 + 16 * 1024
    mapping = "isthmus: 1\ncollections: {C: {fields: {n: integer, text: text}}}\n"
    world.write({"C": [document(1, "small"), of_length(2, largest), document(3, "small"), of_length(4, largest + 1)]})
    result = world.copy(mapping, memory_bytes=8 << 20, workers=4)
    assert result.exit_code == 3
    assert result.broken["C"].code == "broken-framing"
    assert world.rows("SELECT n, length(text) > 16000000 FROM c ORDER BY n") == [(1, False), (2, True), (3, False)]


@pytest.mark.parametrize("sensitive", [False, True])
def test_servers_detail_quotes_a_row_only_where_nothing_is_sensitive(world: World, sensitive: bool) -> None:
    def forbid(stage: str) -> None:
        if stage == "begin.after-commit":
            world.rows("ALTER TABLE c ADD CONSTRAINT no_seven CHECK (n <> 7)")

    listeners.append(forbid)
    try:
        world.write({"C": [{"_id": oid(n), "n": n, "pin": f"secret {n}"} for n in range(10)]})
        secret = "{type: text, sensitive: true}" if sensitive else "text"
        result = world.copy(f"isthmus: 1\ncollections: {{C: {{fields: {{n: integer, pin: {secret}}}}}}}\n")
    finally:
        listeners.remove(forbid)
    balanced(result)
    (letter,) = world.letters()
    assert (letter.code, letter.source_id) == ("target-refused", str(oid(7)))
    assert "no_seven" in letter.message
    assert ("secret 7" in letter.message) is not sensitive
