"""Where documents come from and where they go: `from`, constants, `when`, shared tables, other keys."""

from __future__ import annotations

import json
from typing import Any

from isthmus.mapping import ddl, parse_mapping
from isthmus.mapping.model import Condition, Flow, SourceRule
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.tables import build_schema

PEOPLE = """
isthmus: 1
collections:
  people:
    from:
      People2020: {year: 2020}
      People2021: {year: 2021}
    constants: {year: integer!, origin: {type: text, value: crm, index: true}}
    when: {kind: person}
    fields:
      name: text!
      visits: {child: visits, fields: {place: text}}
  firms:
    from: [People2020, People2021]
    table: people
    constants: {year: {type: integer!, value: 1}}
    fields:
      name: text!
      visits: {child: visits, fields: {place: text}}
      tax: {type: text, unique: true}
  other: {table: others, when: {x: 1}}
  rest: {from: other, table: others, fields: {y: text}}
  alone: {}
"""


def shapes_of(text: str) -> dict[str, list[dict[str, Any]]]:
    return {name: json.loads(plan)["shapes"] for name, plan in compile_plans(parse_mapping(text)).items()}


def test_flows_are_pairs_of_entry_and_source_in_the_order_of_the_file() -> None:
    mapping = parse_mapping(PEOPLE)
    pairs = [(flow.number, flow.entry, flow.collection) for flow in mapping.flows]
    assert pairs == [
        (0, "people", "People2020"),
        (1, "people", "People2021"),
        (2, "firms", "People2020"),
        (3, "firms", "People2021"),
        (4, "other", "other"),
        (5, "rest", "other"),
        (6, "alone", "alone"),
    ]
    assert mapping.source_collections == ("People2020", "People2021", "other", "alone")
    assert mapping.flows_of("other") == (Flow(4, "other", "other"), Flow(5, "rest", "other"))
    assert mapping.flows_of("people") == ()
    assert mapping.collections["people"].sources == (
        SourceRule(collection="People2020", constants={"year": 2020}),
        SourceRule(collection="People2021", constants={"year": 2021}),
    )
    assert mapping.collections["people"].when == (Condition(path=("kind",), op="eq", values=("person",)),)


def test_source_read_by_an_entry_of_another_name_is_not_skipped() -> None:
    mapping = parse_mapping('isthmus: 1\ncollections:\n  A: {from: X}\n  "*": {skip: rest}\n')
    assert mapping.why_skipped("X") is None
    assert mapping.why_skipped("A") == "rest"


def test_plan_has_a_shape_for_each_flow_of_its_source() -> None:
    shapes = shapes_of(PEOPLE)
    assert {name: [shape["entry"] for shape in plan] for name, plan in shapes.items()} == {
        "People2020": ["people", "firms"],
        "People2021": ["people", "firms"],
        "other": ["other", "rest"],
        "alone": ["alone"],
    }
    first, second = shapes["People2021"]
    assert first["when"] == [{"path": ["kind"], "op": "eq", "values": ["person"]}]
    assert second["when"] == []
    for shape, number, year in ((first, 1, 2021), (second, 3, 1)):
        columns = {column["name"]: column for column in shape["tables"][0]["columns"]}
        assert columns["year"]["default"] == {"kind": "literal", "value": year}
        assert (columns["year"]["role"], columns["year"]["required"]) == ("constant", True)
        assert columns["_isthmus_source"]["default"] == {"kind": "literal", "value": number}
        assert [c["name"] for c in shape["tables"][1]["columns"]][2] == "_isthmus_source"
    assert [c["name"] for c in shapes["alone"][0]["tables"][0]["columns"]] == ["id", "extras"]


def test_shared_table_has_the_columns_of_all_its_entries() -> None:
    schema = build_schema(parse_mapping(PEOPLE))
    people = schema.tables["people"]
    assert [(c.name, c.nullable, c.hidden) for c in people.columns] == [
        ("id", False, False),
        ("_isthmus_source", False, True),
        ("year", False, False),
        ("origin", True, False),
        ("name", False, False),
        ("tax", True, False),
        ("extras", True, False),
    ]
    assert people.entries == ("people", "firms")
    assert [flow.number for flow in people.flows] == [0, 1, 2, 3]
    assert [(index.columns, index.unique) for index in people.indexes] == [(("origin",), False), (("tax",), True)]
    assert [c.name for c in schema.tables["visits"].columns] == [
        "people_id",
        "position",
        "_isthmus_source",
        "place",
        "extras",
    ]
    assert list(schema.tables) == ["people", "visits", "others", "alone"]
    assert "_isthmus" not in ddl.render(schema)
    assert "_isthmus" not in ddl.render(schema, format="sqlalchemy")
    assert '"_isthmus_source" smallint NOT NULL' in ddl.create_table(schema, people)


def test_index_that_two_entries_want_is_there_once() -> None:
    text = """
isthmus: 1
collections:
  A: {table: t, fields: {a: {type: text, index: true}, b: text}, indexes: [[a, b], {columns: b, where: "a > 'x'"}]}
  B: {table: t, fields: {a: {type: text, index: true}, b: text}, indexes: [[a, b], b], search: [a]}
"""
    indexes = build_schema(parse_mapping(text)).tables["t"].indexes
    assert [(index.columns, index.where is None) for index in indexes] == [
        (("a",), True),
        (("a", "b"), True),
        (("b",), False),
        (("b",), True),
        (("a",), False),
    ]
    assert len({index.name for index in indexes}) == len(indexes)


KEYS = """
isthmus: 1
collections:
  countries: {key: code, fields: {code: text!, name: text}}
  rates: {key: [country, year], constants: {year: {type: integer!, value: 2020}}, fields: {country: {type: text!}}}
  notes: {key: none, fields: {text: text}}
  people:
    key: [email]
    fields:
      _id: {column: person_id}
      email: text!
      phones: {child: phones, fields: {number: text}}
  same: {key: id, fields: {_id: {column: id}}}
"""


def test_key_takes_the_place_of_the_id() -> None:
    tables = build_schema(parse_mapping(KEYS)).tables
    assert {name: table.primary_key for name, table in tables.items()} == {
        "countries": ("code",),
        "rates": ("country", "year"),
        "notes": (),
        "people": ("email",),
        "phones": ("people_id", "position"),
        "same": ("id",),
    }
    hidden = {name: [c.name for c in table.columns if c.hidden] for name, table in tables.items()}
    assert hidden["countries"] == hidden["rates"] == hidden["notes"] == ["_isthmus_id"]
    assert hidden["people"] == hidden["same"] == []


def test_id_beside_a_key_is_unique_and_children_point_at_it() -> None:
    tables = build_schema(parse_mapping(KEYS)).tables
    assert [(index.columns, index.unique) for index in tables["people"].indexes] == [(("person_id",), True)]
    (key,) = tables["phones"].foreign_keys
    assert (key.target_table, key.target_columns) == ("people", ("person_id",))
    assert tables["same"].indexes == ()


def test_key_of_the_id_itself_is_no_other_key() -> None:
    plain = parse_mapping("isthmus: 1\ncollections: {same: {fields: {_id: {column: id}}}}\n")
    assert parse_mapping("isthmus: 1\ncollections: {same: {key: id, fields: {_id: {column: id}}}}\n").fingerprint == (
        plain.fingerprint
    )


def test_rules_for_existing_tables_are_read_with_their_defaults() -> None:
    mapping = parse_mapping("""
isthmus: 1
target: {tables: existing, on_conflict: overwrite, rerun: tracked}
collections:
  A: {match: [[email], [name, born]], fields: {email: text, name: text, born: date}}
  B: {on_conflict: dead_letter, on_duplicate: merge, fields: {a: {type: text, unique: true}}}
""")
    first, second = mapping.collections.values()
    assert first.match == (("email",), ("name", "born"))
    assert (first.on_conflict, first.rerun, first.on_duplicate) == ("overwrite", "tracked", "dead_letter")
    assert (second.on_conflict, second.rerun, second.on_duplicate) == ("dead_letter", "tracked", "merge")


def test_order_of_entries_matters_only_where_they_share_something() -> None:
    def same(one: str, other: str) -> bool:
        fingerprints = [
            parse_mapping(f"isthmus: 1\ncollections:\n  {a}\n  {b}\n").fingerprint
            for a, b in ((one, other), (other, one))
        ]
        return fingerprints[0] == fingerprints[1]

    assert same("A: {}", "B: {fields: {a: {references: A}}}")
    assert not same("A: {from: X, when: {a: 1}}", "B: {from: X, when: {b: 1}}")
    assert not same("A: {table: t}", "B: {table: t}")
    assert not same("A: {fields: {n: {type: text, unique: true}}}", "B: {fields: {a: {references: A.n}}}")


def test_stating_the_own_name_as_source_changes_nothing() -> None:
    one, other = (f"isthmus: 1\ncollections: {{A: {{{part}}}}}\n" for part in ("", "from: A"))
    assert parse_mapping(one).fingerprint == parse_mapping(other).fingerprint
