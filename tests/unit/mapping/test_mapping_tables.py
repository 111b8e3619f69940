"""Tables and plans that follow from a mapping."""

from __future__ import annotations

import json
from typing import Any

from isthmus.mapping import parse_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.tables import ForeignKey, build_schema

NESTED = """
isthmus: 1
collections:
  Orders:
    fields:
      lines:
        child: order_lines
        own: order_id
        fields:
          sku: text!
          product: {references: Products, on_orphan: dead_letter}
          parts:
            child: line_parts
            fields:
              name: text
              bolts: {child: bolts, extras: dead_letter, fields: {size: integer}}
              watchers: {junction: watchers}
      payment.cards: {child: cards, fields: {number: {type: text, sensitive: true}}}
  Products: {ids: keep, fields: {_id: bigint}}
  Users: {ids: cuid2, fields: {friends: {junction: friends, own: a_id}, fans: {junction: friends, own: b_id}}}
junctions:
  friends: {columns: {a_id: Users, b_id: Users}, on_orphan: dead_letter}
  watchers: {user_id: Users, order_id: Orders}
"""


def plans_of(text: str) -> dict[str, Any]:
    """The only shape of each plan, with the version and the source collection."""
    found: dict[str, Any] = {}
    for name, plan in compile_plans(parse_mapping(text)).items():
        read = json.loads(plan)
        (shape,) = read.pop("shapes")
        found[name] = {**read, **shape}
    return found


def test_fingerprint_of_nested_tables_stays_what_it_was() -> None:
    """Runs in targets know their mapping by it: one that changes refuses to go on."""
    assert parse_mapping(NESTED).fingerprint == "67a03e754cbcf901169ea034a3be6abaaaaa4f563b8c9d4fb61c28d44c73f3d6"


def test_nested_children_are_keyed_by_root_and_positions() -> None:
    tables = build_schema(parse_mapping(NESTED)).tables
    assert tables["order_lines"].primary_key == ("order_id", "position")
    assert tables["line_parts"].primary_key == ("order_lines_id", "order_lines_position", "position")
    assert tables["bolts"].primary_key == ("line_parts_id", "order_lines_position", "line_parts_position", "position")
    assert [c.role for c in tables["bolts"].columns] == [
        "root_id",
        "ancestor_position",
        "ancestor_position",
        "position",
        "value",
    ]
    (key,) = tables["bolts"].foreign_keys
    assert key == ForeignKey(
        "bolts_line_parts_id_order_lines_position_line_par_2ffe6573_fkey",
        "bolts",
        ("line_parts_id", "order_lines_position", "line_parts_position"),
        "line_parts",
        ("order_lines_id", "order_lines_position", "position"),
        "cascade",
    )
    assert tables["order_lines"].parent == "orders"
    assert [flow.collection for flow in tables["bolts"].flows] == ["Orders"]


def test_references_take_the_type_of_the_ids_they_point_at() -> None:
    schema = build_schema(parse_mapping(NESTED))
    product = schema.tables["order_lines"].column("product")
    assert str(product.type) == "bigint"
    assert product.reference is not None
    assert (product.reference.table, product.reference.on_orphan, product.reference.stated) == (
        "products",
        "dead_letter",
        True,
    )
    friends = schema.tables["friends"]
    assert [str(column.type) for column in friends.columns] == ["text", "text"]
    assert all(c.reference is not None and c.reference.on_orphan == "dead_letter" for c in friends.columns)
    watchers = schema.tables["watchers"].columns[0].reference
    assert watchers is not None
    assert (watchers.on_orphan, watchers.stated) == ("drop", False)


def test_default_orphan_policy_follows_required() -> None:
    schema = build_schema(
        parse_mapping(
            "isthmus: 1\ncollections:\n  U: {}\n  A:\n    fields:\n      a: {references: U}\n"
            "      b: {references: U, required: true}\n"
        )
    )
    actions = {c.name: c.reference for c in schema.tables["a"].columns if c.reference is not None}
    assert (actions["a"].on_orphan, actions["a"].stated) == ("null", False)
    assert (actions["b"].on_orphan, actions["b"].stated) == ("dead_letter", False)


def test_indexes_have_kind_and_method_of_their_columns() -> None:
    schema = build_schema(
        parse_mapping("""
isthmus: 1
collections:
  U: {}
  A:
    fields:
      a: {type: text, index: true}
      b: {type: jsonb, index: true}
      c: {type: "text[]", index: true}
      u: {references: U, index: true}
      e: {type: text, unique: true}
    indexes:
      - [a, e]
      - {columns: [a], where: "e = 'x'"}
      - {columns: [a], where: "e = 'y'"}
      - {columns: b, method: gin, name: my idx}
    search: {columns: [a, b, c], language: german}
""")
    )
    found = [(i.kind, i.method, i.unique, i.columns) for i in schema.tables["a"].indexes]
    assert found == [
        ("filter", "btree", False, ("a",)),
        ("gin", "gin", False, ("b",)),
        ("gin", "gin", False, ("c",)),
        ("reference", "btree", False, ("u",)),
        ("unique", "btree", True, ("e",)),
        ("filter", "btree", False, ("a", "e")),
        ("filter", "btree", False, ("a",)),
        ("filter", "btree", False, ("a",)),
        ("gin", "gin", False, ("b",)),
        ("search", "gin", False, ("a", "b", "c")),
    ]
    names = [index.name for index in schema.tables["a"].indexes]
    assert len(set(names)) == len(names)
    assert "my idx" in names
    assert schema.functions


def test_names_of_keys_and_indexes_avoid_those_of_tables() -> None:
    schema = build_schema(
        parse_mapping(
            "isthmus: 1\ncollections:\n  A: {fields: {b: {type: text, index: true}}}\n"
            "  B: {table: a_pkey}\n  C: {table: a_b_idx}\n"
        )
    )
    names = [
        name for t in schema.tables.values() for name in (t.name, t.primary_key_name, *(i.name for i in t.indexes))
    ]
    assert len(set(names)) == len(names)


def test_names_of_foreign_keys_of_one_table_differ() -> None:
    """The key to the parent, over `a` and `k_position`, and a reference `a_k_position` would share one name."""
    text = """
isthmus: 1
collections:
  U: {}
  A:
    fields:
      k:
        child: k
        own: a
        fields: {d: {child: d, own: a, fields: {u: {column: a_k_position, references: U}}}}
"""
    names = [key.name for key in build_schema(parse_mapping(text)).tables["d"].foreign_keys]
    assert len(set(names)) == len(names) == 2


def test_plan_has_tables_fields_and_positions() -> None:
    plan = plans_of(NESTED)["Orders"]
    assert [(t["name"], t["kind"], t.get("parent")) for t in plan["tables"]] == [
        ("orders", "root", None),
        ("order_lines", "child", 0),
        ("line_parts", "child", 1),
        ("bolts", "child", 2),
        ("cards", "child", 0),
        ("watchers", "junction", None),
    ]
    lines = plan["fields"][0]
    assert (lines["path"], lines["do"], lines["table"]) == (["lines"], "child", 1)
    parts = lines["fields"][2]
    assert (parts["table"], parts["fields"][1]["table"], parts["fields"][2]) == (
        2,
        3,
        {"path": ["watchers"], "do": "junction", "table": 5},
    )
    assert plan["fields"][1]["path"] == ["payment", "cards"]
    sku = plan["tables"][1]["columns"][lines["fields"][0]["column"]]
    assert (sku["name"], sku["role"], sku["required"]) == ("sku", "value", True)
    product = plan["tables"][1]["columns"][lines["fields"][1]["column"]]
    assert product["reference"] == {"collection": "Products", "ids": "keep", "by": None}
    assert plan["tables"][4]["columns"][2]["sensitive"] is True


def test_plan_of_a_self_junction_has_one_table_for_each_side() -> None:
    tables = plans_of(NESTED)["Users"]["tables"]
    roles = [[(c["name"], c["role"]) for c in t["columns"]] for t in tables if t["kind"] == "junction"]
    assert roles == [[("a_id", "own"), ("b_id", "other")], [("a_id", "other"), ("b_id", "own")]]


def test_plan_columns_are_complete() -> None:
    plan = plans_of("""
isthmus: 1
target: {schema: app}
extras: dead_letter
policies: {nul: remove, range: infinity}
enums: {s: [x, y]}
collections:
  U: {}
  A:
    skip: [{when: {gone: true}, why: bin}]
    fields:
      s: {type: "s[]", default: [x], default_for: [missing, null]}
      n: {type: "numeric(4,2)", default: 1.50, coerce: true, sensitive: true}
      t: {type: timestamptz(0), default: now}
      j: {type: jsonb, rewrite: {"[].u": U}, policies: {nan: null}}
      v: varchar(3)
""")["A"]
    assert (plan["version"], plan["collection"], plan["ids"], plan["unknown"]) == (2, "A", "uuid", "dead_letter")
    assert plan["skip"] == [{"all": [{"path": ["gone"], "op": "eq", "values": [True]}], "why": "bin"}]
    columns = {column["name"]: column for column in plan["tables"][0]["columns"]}
    assert list(columns) == ["id", "s", "n", "t", "j", "v"]
    assert columns["s"]["type"] == {"kind": "enum", "values": ["x", "y"], "name": "app.s", "array": True}
    assert columns["s"]["default"] == {"kind": "literal", "value": ["x"]}
    assert columns["s"]["default_for"] == ["missing", "null"]
    assert columns["n"] == {
        "name": "n",
        "role": "value",
        "type": {"kind": "numeric", "precision": 4, "scale": 2, "array": False},
        "required": False,
        "default": {"kind": "literal", "value": {"$numberDecimal": "1.50"}},
        "default_for": ["missing"],
        "coerce": True,
        "sensitive": True,
        "policies": {"nul": "remove", "utf8": "dead_letter", "nan": "dead_letter", "range": "infinity"},
        "reference": None,
        "rewrite": [],
        "normalise": [],
        "values": [],
        "others": None,
    }
    assert columns["t"]["default"] == {"kind": "now"}
    assert columns["t"]["type"] == {"kind": "timestamptz", "precision": 0, "array": False}
    assert columns["j"]["policies"]["nan"] == "null"
    assert columns["j"]["rewrite"] == [{"path": ["[]", "u"], "collection": "U", "ids": "uuid"}]
    assert columns["v"]["type"] == {"kind": "varchar", "length": 3, "array": False}


def test_skipped_collections_have_neither_plan_nor_table() -> None:
    mapping = parse_mapping('isthmus: 1\ncollections:\n  A: {}\n  B: {skip: old}\n  "*": {skip: rest}\n')
    assert list(compile_plans(mapping)) == ["A"]
    assert list(build_schema(mapping).tables) == ["a"]
