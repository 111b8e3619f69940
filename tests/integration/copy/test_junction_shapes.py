"""Junctions that more than one array of a document feeds, and ids at every place inside jsonb.

Oracle: the pairs and ids planted in the documents, counted by hand.
"""

from __future__ import annotations

import pytest

from tests.integration.copy.carrying import World, balanced, oid

TWO_FIELDS = """
isthmus: 1
collections:
  A: {fields: {b1: {junction: a_to_b}, b2: {junction: a_to_b}}}
  B: {fields: {}}
junctions: {a_to_b: {columns: {a_id: A, b_id: B}, on_orphan: drop}}
"""
IN_CHILD = """
isthmus: 1
collections:
  A: {fields: {steps: {child: a_steps, fields: {bs: {junction: a_to_b}}}}}
  B: {fields: {}}
junctions: {a_to_b: {columns: {a_id: A, b_id: B}, on_orphan: drop}}
"""


@pytest.mark.parametrize(
    ("mapping", "document"),
    [
        (TWO_FIELDS, {"b1": [oid(10), oid(11)], "b2": [oid(11), oid(99)]}),
        (IN_CHILD, {"steps": [{"bs": [oid(10), oid(11)]}, {"bs": [oid(11), oid(99)]}]}),
    ],
    ids=["two fields of one document", "an array inside a child table"],
)
def test_one_side_that_names_a_pair_twice_makes_it_once(
    world: World, mapping: str, document: dict[str, object]
) -> None:
    world.write({"A": [{"_id": oid(1), **document}], "B": [{"_id": oid(10)}, {"_id": oid(11)}]})
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 0
    assert result.balance is not None
    assert result.balance.junctions == {"a_to_b": 2}
    assert result.balance.merged_pairs == {"a_to_b": 1}
    assert len(world.rows("SELECT a_id, b_id FROM a_to_b")) == 2
    assert world.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'isthmus' AND tablename LIKE 'pairs%'") == [
        (0,)
    ]


def test_ids_inside_jsonb_are_found_behind_elements_without_them_and_under_hostile_keys(world: World) -> None:
    world.write(
        {
            "A": [
                {
                    "_id": oid(1),
                    "r": [{}, {"u": oid(10)}, 5, [{"u": oid(12)}], {"u": None}, {"u": oid(99)}],
                    "x": {"a.b": oid(10)},
                },
                {"_id": oid(2), "r": {"u": oid(10)}, "x": [{"a.b": oid(10)}]},
            ],
            "B": [{"_id": oid(10)}],
        }
    )
    result = world.copy(
        """
        isthmus: 1
        collections:
          A: {fields: {r: {type: jsonb, rewrite: {"[].u": B}}, x: {type: jsonb, rewrite: {"a\\\\.b": B}}}}
          B: {fields: {}}
        """
    )
    balanced(result)
    assert result.balance is not None
    books = result.balance.references
    assert (books["a.r.[].u"].values, books["a.r.[].u"].resolved, books["a.r.[].u"].orphans) == (2, 1, 1)
    assert (books["a.x.a\\.b"].values, books["a.x.a\\.b"].resolved) == (1, 1)
    assert world.orphans() == [("a", "r.[].u", str(oid(99)), "kept", False)]


def test_a_document_that_cannot_be_read_at_all_does_not_take_the_id_of_the_one_before(world: World) -> None:
    import bson

    unended = bytearray(bson.encode({"_id": oid(2), "n": 2}))
    unended[-1] = 7
    world.write({"A": [bson.encode({"_id": oid(1), "n": 1}), bytes(unended), bson.encode({"_id": oid(3), "n": 3})]})
    result = world.copy("isthmus: 1\ncollections: {A: {fields: {n: integer}}}\n")
    balanced(result)
    (letter,) = world.letters()
    assert letter.source_id is None
    assert letter.document == bytes(unended)
    assert world.rows("SELECT n FROM a ORDER BY n") == [(1,), (3,)]


def test_a_second_copy_of_books_that_do_not_balance_is_no_success(world: World) -> None:
    world.write({"A": [{"_id": oid(1), "n": 1}]})
    mapping = "isthmus: 1\ncollections: {A: {fields: {n: integer}}}\n"
    balanced(world.copy(mapping))
    world.rows(
        "UPDATE isthmus.run SET balance = jsonb_set(balance, '{differences}', '[\"a: 2 rows expected.\"]') RETURNING 1"
    )
    again = world.copy(mapping)
    assert again.repeated
    assert again.exit_code == 1
