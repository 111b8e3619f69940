"""Documents that left the source of a finished run are named by what the target holds of their ids.

Oracle: the documents that the test itself took away.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from bson import Binary, Int64

from isthmus.transfer.result import Result
from tests.integration.copy.carrying import World, balanced, oid

PLAIN = "isthmus: 1\ncollections:\n  orders: {fields: {n: integer}}\n"
KEEP = "isthmus: 1\ncollections:\n  orders: {ids: keep, fields: {_id: %s, n: integer}}\n"
U = uuid.UUID(int=7)


def taken_away(world: World, mapping: str, documents: list[dict[str, Any]], which: set[int]) -> Result:
    world.write({"orders": documents})
    world.copy(mapping)
    world.write({"orders": [one for number, one in enumerate(documents) if number not in which]})
    return world.copy(mapping)


@pytest.mark.parametrize(
    ("mapping", "ids", "named"),
    [
        (PLAIN, [oid(1), oid(2)], str(oid(2))),
        (PLAIN, [Int64(1), Int64(2)], '{"$numberLong":"2"}'),
        (PLAIN, ["one", "two"], "two"),
        (KEEP % "bigint", [Int64(1), Int64(2)], "2"),
        (KEEP % "text", ["one", "two"], "two"),
        (KEEP % "text", [oid(1), oid(2)], str(oid(2))),
        (KEEP % "uuid", [Binary.from_uuid(uuid.UUID(int=1)), Binary.from_uuid(U)], str(U)),
    ],
)
def test_gone_document_is_named_by_its_id_whatever_it_became(
    world: World, mapping: str, ids: list[object], named: str
) -> None:
    result = taken_away(world, mapping, [{"_id": one, "n": 1} for one in ids], {1})
    assert result.changes is not None
    assert (result.changes.gone, result.changes.gone_ids) == (1, {"orders": [named]})


def test_each_document_is_told_as_new_changed_or_gone(world: World) -> None:
    world.write({"orders": [{"_id": n, "n": n} for n in range(4)]})
    balanced(world.copy(PLAIN))
    world.write({"orders": [{"_id": 0, "n": 0}, {"_id": 2, "n": 20}, {"_id": 3, "n": 3}, {"_id": 9, "n": 9}]})
    changes = world.copy(PLAIN).changes
    assert changes is not None
    assert changes.new_ids == {"orders": ['{"$numberInt":"9"}']}
    assert changes.changed_ids == {"orders": ['{"$numberInt":"2"}']}
    assert changes.gone_ids == {"orders": ['{"$numberInt":"1"}']}


def test_dead_letter_that_is_gone_is_named(world: World) -> None:
    result = taken_away(world, PLAIN, [{"_id": oid(1), "n": 1}, {"_id": oid(2), "n": "no number"}], {1})
    assert result.changes is not None
    assert result.changes.gone_ids == {"orders": [str(oid(2))]}


def test_document_that_a_rule_left_behind_is_counted_and_not_named(world: World) -> None:
    mapping = PLAIN.replace("{fields:", "{skip: [{when: {kind: note}, why: notes}], fields:")
    documents = [{"_id": oid(n), "kind": kind, "n": n} for n, kind in enumerate(["order", "note", "order"], 1)]
    result = taken_away(world, mapping, documents, {0, 1})
    assert result.changes is not None
    assert (result.changes.gone, result.changes.gone_ids) == (2, {"orders": [str(oid(1))]})


def test_many_that_are_gone_are_named_up_to_a_hundred(world: World) -> None:
    result = taken_away(world, PLAIN, [{"_id": oid(n), "n": n} for n in range(130)], set(range(120)))
    assert result.changes is not None
    assert result.changes.gone == 120
    assert len(result.changes.gone_ids["orders"]) == 100
    assert set(result.changes.gone_ids["orders"]) <= {str(oid(n)) for n in range(120)}


def test_gone_document_of_a_table_that_was_there_before_is_named(world: World) -> None:
    world.rows("CREATE TABLE orders (id uuid PRIMARY KEY, n integer)")
    mapping = PLAIN.replace("isthmus: 1", "isthmus: 1\ntarget: {tables: existing}")
    result = taken_away(world, mapping, [{"_id": oid(1), "n": 1}, {"_id": oid(2), "n": 2}], {0})
    assert result.changes is not None
    assert result.changes.gone_ids == {"orders": [str(oid(1))]}
