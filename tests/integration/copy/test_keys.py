"""Keys that cannot all be in the target: two documents with one value, two with one `_id`, values too long for a key.

Oracle: what each document was written to show; the catalog of the server for keys and indexes.
"""

from __future__ import annotations

import random
import textwrap
from typing import Any

import bson
import psycopg
import pytest
from bson import Decimal128, Int64

from isthmus.mapping import parse_mapping
from isthmus.mapping.ddl import search_query_of
from isthmus.mapping.tables import build_schema
from tests.integration.copy.carrying import World, balanced, oid

LONG = random.Random(1).randbytes(4500).hex()
"""Longer than an index entry even when it is compressed."""


def indexes(world: World) -> set[str]:
    return set(world.column("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"))


def test_duplicate_unique_value_keeps_the_lowest_id_and_takes_the_others_whole(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      Users:
        fields:
          email: {type: text, unique: true}
          n: integer
          phones: {child: user_phones, fields: {number: text}}
          friends: {junction: friends, own: user_id}
    junctions: {friends: {user_id: Users, friend_id: Users}}
    """
    emails = ["a@x", "b@x", "a@x", None, None, "a@x", "c@x"]
    world.write(
        {
            "Users": [
                {"_id": oid(9 - n), "n": n, "email": email, "phones": [{"number": "1"}], "friends": [oid(9), oid(3)]}
                for n, email in enumerate(emails)
            ]
        }
    )
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 1
    # ids 9, 7 and 4 hold a@x: 4 is the lowest
    assert world.codes() == {str(oid(9)): "duplicate-key", str(oid(7)): "duplicate-key"}
    assert world.column("SELECT n FROM users ORDER BY n") == [1, 3, 4, 5, 6]
    assert world.one("SELECT count(*) FROM user_phones") == 5
    assert world.one("SELECT count(*) FROM friends") == 5  # to oid(3); those to oid(9) are orphans now
    assert {(old, action) for _, _, old, action, _ in world.orphans()} == {(str(oid(9)), "drop")}
    assert len(world.orphans()) == 5
    for letter in world.letters():
        cause = letter.causes[0]
        assert (letter.stage, letter.path, cause["value"]) == ("finish", "email", "a@x")
        assert str(oid(4)) in letter.message
        assert bson.decode(letter.document)["email"] == "a@x"


def test_composite_unique_index_and_nulls_in_it(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      C: {fields: {a: text, b: integer, n: integer}, indexes: [{columns: [a, b], unique: true}]}
    """
    rows = [("x", 1), ("x", 2), ("y", 1), ("x", 1), ("x", None), ("x", None), (None, None)]
    world.write({"C": [{"_id": n, "n": n, "a": a, "b": b} for n, (a, b) in enumerate(rows)]})
    result = world.copy(mapping)
    balanced(result)
    (letter,) = world.letters()
    assert (letter.source_id, letter.path, letter.causes[0]["value"]) == ('{"$numberInt":"3"}', "a, b", "x, 1")
    assert world.column("SELECT n FROM c ORDER BY n") == [0, 1, 2, 4, 5, 6]


def test_partial_unique_index_costs_only_documents_it_holds(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      C:
        fields: {slug: text, state: text, n: integer}
        indexes: [{columns: [slug], unique: true, where: "state = 'live' AND slug LIKE '%' -- a comment"}]
    """
    rows = [("a", "live"), ("a", "old"), ("a", "live"), ("b", "old"), ("b", "old"), (LONG, "old"), (LONG, "live")]
    world.write({"C": [{"_id": n, "n": n, "slug": slug, "state": state} for n, (slug, state) in enumerate(rows)]})
    result = world.copy(mapping)
    balanced(result)
    assert {letter.source_id: letter.code for letter in world.letters()} == {
        '{"$numberInt":"2"}': "duplicate-key",
        '{"$numberInt":"6"}': "key-too-long",
    }
    assert world.column("SELECT n FROM c ORDER BY n") == [0, 1, 3, 4, 5]


def test_unique_in_a_child_table_within_and_between_documents(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      C:
        fields:
          n: integer
          steps: {child: c_steps, fields: {code: {type: text, unique: true}, rest: text}}
    """
    steps = [["a", "b"], ["c", "c"], ["c"], ["b", "d"], ["d"], []]
    world.write(
        {"C": [{"_id": n, "n": n, "steps": [{"code": code} for code in codes]} for n, codes in enumerate(steps)]}
    )
    result = world.copy(mapping)
    balanced(result)
    # 1 holds its value twice itself, so it does not stand in the way of 2; 3 leaves for 0, and so not in the way of 4
    letters = {letter.source_id: letter for letter in world.letters()}
    assert set(letters) == {'{"$numberInt":"1"}', '{"$numberInt":"3"}'}
    assert world.column("SELECT n FROM c ORDER BY n") == [0, 2, 4, 5]
    for letter in letters.values():
        assert (letter.code, letter.path) == ("duplicate-key", "steps.[].code")
    assert world.column("SELECT code FROM c_steps ORDER BY 1") == sorted(
        code for n in world.column("SELECT n FROM c") for code in steps[n]
    )


def test_same_id_twice_in_a_dump_keeps_one(world: World) -> None:
    mapping = """
    isthmus: 1
    policies: {nul: remove}
    collections: {C: {fields: {name: text, kids: {child: c_kids, fields: {x: integer}}}}}
    """
    documents: list[dict[str, Any]] = [
        {"_id": oid(1), "name": f"{n}\0", "kids": [{"x": n}], "more": n} for n in range(3)
    ]
    world.write({"C": [*documents, {"_id": oid(2), "name": "other"}]})
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 1
    assert world.codes() == {str(oid(1)): "duplicate-id"}
    letters = world.letters()
    assert len(letters) == 2
    assert [bson.decode(letter.document)["more"] for letter in letters] == [1, 2]
    assert all("C.bson at byte 0" in letter.message for letter in letters)
    assert world.rows("SELECT name FROM c ORDER BY name") == [("0",), ("other",)]
    assert world.column("SELECT x FROM c_kids") == [0]
    # the books of the one that stays are its own, changed values included
    assert world.column("SELECT original FROM isthmus.adjustment") == ["0\\u0000"]
    assert result.balance is not None
    assert result.balance.adjusted == {"c.name:nul_removed": 1}
    assert result.balance.extras == {"C.more": 1}


def test_equal_numbers_of_different_types_are_one_id(world: World) -> None:
    world.write({"C": [{"_id": value, "n": n} for n, value in enumerate([5, Int64(5), 5.0, Decimal128("5.0"), "5"])]})
    result = world.copy("isthmus: 1\ncollections: {C: {fields: {n: integer}}}\n")
    balanced(result)
    assert {letter.code for letter in world.letters()} == {"duplicate-id"}
    assert world.column("SELECT n FROM c ORDER BY n") == [0, 4]


def test_object_id_and_its_own_hex_text_are_a_named_error(world: World) -> None:
    world.write({"C": [{"_id": oid(7), "n": 1}, {"_id": str(oid(7)), "n": 2}, {"_id": oid(8), "n": 3}]})
    result = world.copy("isthmus: 1\ncollections: {C: {fields: {n: integer}}}\n")
    balanced(result)
    assert result.exit_code == 1
    (letter,) = world.letters()
    assert letter.code == "duplicate-id"
    assert "an ObjectId and its own hex text are one id" in letter.message
    # MongoDB sorts strings before ObjectIds, so the text is the lowest
    assert world.column("SELECT n FROM c ORDER BY n") == [2, 3]


@pytest.mark.parametrize("workers", [1, 4])
def test_key_too_long_for_the_primary_key_costs_its_document(world: World, workers: int) -> None:
    mapping = """
    isthmus: 1
    ids: keep
    collections:
      C: {fields: {n: integer, kids: {child: c_kids, fields: {x: integer}}}}
      D: {fields: {c: {references: C, on_orphan: "null"}}}
    """
    squeezed = "z" * 9000  # compresses to an entry that fits: the server's word, not a guess
    world.write(
        {
            "C": [
                {"_id": "short", "n": 1, "kids": [{"x": 1}]},
                {"_id": LONG, "n": 2, "kids": [{"x": 2}]},
                {"_id": squeezed, "n": 3},
            ],
            "D": [{"_id": "d1", "c": LONG}, {"_id": "d2", "c": "short"}],
        }
    )
    result = world.copy(mapping, workers=workers)
    balanced(result)
    (letter,) = world.letters()
    assert (letter.code, letter.path, letter.stage) == ("key-too-long", "_id", "finish")
    assert "index row" in letter.message
    assert letter.causes[0]["value"] == LONG[:80]
    assert world.column("SELECT n FROM c ORDER BY n") == [1, 3]
    assert world.column("SELECT x FROM c_kids") == [1]
    assert world.orphans() == [("d", "c", LONG, "null", False)]


def test_key_too_long_for_a_unique_index_costs_its_document(world: World) -> None:
    mapping = """
    isthmus: 1
    collections: {C: {fields: {name: {type: text, unique: true}, secret: {type: text, unique: true, sensitive: true}}}}
    """
    world.write({"C": [{"_id": 1, "name": LONG}, {"_id": 2, "name": "x"}, {"_id": 3, "name": "z", "secret": LONG}]})
    result = world.copy(mapping)
    balanced(result)
    values = {letter.path: letter.causes[0]["value"] for letter in world.letters()}
    assert values == {"name": LONG[:80], "secret": "(hidden)"}
    assert world.column("SELECT name FROM c") == ["x"]
    assert {"c_name_key", "c_secret_key", "c_pkey"} <= indexes(world)


def test_value_too_long_for_a_plain_index_costs_the_index_not_the_document(world: World) -> None:
    mapping = """
    isthmus: 1
    collections: {C: {fields: {name: {type: text, index: true}, other: {type: text, index: true}}}}
    """
    world.write({"C": [{"_id": 1, "name": LONG, "other": "x"}, {"_id": 2, "name": "x", "other": "y"}]})
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 1
    assert world.letters() == []
    assert world.one("SELECT count(*) FROM c") == 2
    assert result.balance is not None
    assert result.balance.left_out_indexes == ["c_name_idx"]
    assert indexes(world) == {"c_pkey", "c_other_idx"}
    assert any("c_name_idx" in note for note in world.notes)


def test_value_too_long_for_the_index_of_a_reference_costs_the_index(world: World) -> None:
    mapping = """
    isthmus: 1
    ids: keep
    collections:
      C: {fields: {c: {references: C, on_orphan: "null"}, n: integer}}
    """
    squeezed = "z" * 9000
    world.write({"C": [{"_id": squeezed, "n": 1}, {"_id": "a", "c": squeezed, "n": 2}]})
    result = world.copy(mapping)
    balanced(result)
    assert world.one("SELECT count(*) FROM c WHERE c IS NOT NULL") == 1


def test_search_index_is_used_and_rows_beyond_its_limit_are_listed(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      Articles: {fields: {title: text, body: text, tags: "text[]", meta: jsonb}, search: [title, body, tags, meta]}
    """
    words = random.Random(2)
    huge = " ".join(f"w{words.randrange(10**9)}" for _ in range(60_000))
    documents = [
        {"_id": n, "title": f"title {n}", "body": f"common word{n}", "tags": ["red"], "meta": {"k": "blue"}}
        for n in range(300)
    ]
    world.write({"Articles": [*documents, {"_id": 300, "title": "huge", "body": huge}]})
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 0
    assert result.balance is not None
    assert list(result.balance.left_out_rows.values()) == [1]
    assert world.one("SELECT count(*) FROM articles") == 301
    schema = build_schema(parse_mapping(textwrap.dedent(mapping), file_name="m"))
    (index,) = [i for i in schema.tables["articles"].indexes if i.kind == "search"]
    query = search_query_of(schema, index)
    for word, count in (("word7", 1), ("common", 300), ("red", 300), ("blue", 300), ("huge", 0)):
        found = world.rows(query.replace("words to find", word))
        assert len(found) == count, word
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")
        explain = "EXPLAIN " + query.replace("words to find", "word7")
        plan = [line for (line,) in connection.execute(explain.encode()).fetchall()]
    assert any(index.name in line for line in plan), plan
