"""Tables that keep no id, with rows of several shapes: copied rightly they pass, damaged they do not.

Oracle: SQL of the test's own. Cannot see: what `--sample all` is not asked for.
"""

from __future__ import annotations

from tests.integration.copy.carrying import World, balanced, oid


def found(world: World, mapping: str) -> dict[str, int]:
    """The differences of each layer that has some, of every document."""
    return {name: layer.found for name, layer in world.verify(mapping).layers.items() if layer.found}


def test_entries_that_fill_other_columns_of_one_table(world: World) -> None:
    mapping = """
isthmus: 1
collections:
  A: {table: t, key: none, fields: {"x 'y": text, both: text}}
  B: {table: t, key: none, fields: {both: text}}
"""
    world.write({"A": [{"_id": oid(1), "x 'y": "a", "both": "b"}], "B": [{"_id": oid(2), "both": "b"}]})
    balanced(world.copy(mapping))
    assert found(world, mapping) == {}
    world.rows("UPDATE t SET \"both\" = 'c' WHERE x_y IS NULL")
    assert found(world, mapping)["samples"] > 0


def test_rows_that_are_told_apart_by_where_a_route_leads(world: World) -> None:
    mapping = """
isthmus: 1
collections:
  a: {table: t, key: none, fields: {to: {route: {u: to_u, v: to_v}}, name: text}}
  u: {fields: {name: text}}
  v: {fields: {name: text}}
"""
    world.write(
        {
            "a": [{"_id": oid(number), "to": oid(10 + number), "name": "n"} for number in range(4)],
            "u": [{"_id": oid(10)}, {"_id": oid(11)}],
            "v": [{"_id": oid(12)}, {"_id": oid(13)}],
        }
    )
    balanced(world.copy(mapping))
    assert world.rows("SELECT count(to_u), count(to_v) FROM t") == [(2, 2)]
    assert found(world, mapping) == {}
    world.rows("UPDATE t SET to_v = NULL WHERE to_v = (SELECT max(to_v::text)::uuid FROM t)")
    assert found(world, mapping)["samples"] > 0
