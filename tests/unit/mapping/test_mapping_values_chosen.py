"""Good mappings that choose and change values: `first_of`, `element`, `values`, `normalise`, `flags`, `to_flags`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from isthmus.mapping import parse_mapping
from isthmus.mapping.model import ColumnField, Flag, FlagColumn, OtherValues, Part, ToFlagsField, ValueRule
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.tables import build_schema
from isthmus.mapping.types import ColumnType


def text_of(rules: str, *, head: str = "") -> str:
    return f"isthmus: 1\n{head}\ncollections:\n  U: {{}}\n  A:\n    fields:\n      {rules}\n"


def rule_of(rules: str, *, head: str = "") -> ColumnField:
    rule = parse_mapping(text_of(rules, head=head)).collections["A"].fields[0]
    assert isinstance(rule, ColumnField)
    return rule


def shape_of(rules: str, *, head: str = "") -> dict[str, Any]:
    shape = json.loads(compile_plans(parse_mapping(text_of(rules, head=head)))["A"])["shapes"][0]
    assert shape["fields"].pop() == {"path": ["_isthmus"], "do": "drop"}, "Isthmus's own mark, behind all rules"
    return shape


def column_of(shape: dict[str, Any], name: str) -> dict[str, Any]:
    return next(column for column in shape["tables"][0]["columns"] if column["name"] == name)


def test_first_of_is_named_by_its_key_and_claims_every_path() -> None:
    rule = rule_of('fullName: {first_of: [name, profile.name, [x, ""]], type: text!}')
    assert rule.column == "full_name"
    assert rule.paths == (("name",), ("profile", "name"), ("x", ""))
    (field,) = shape_of('fullName: {first_of: [name, profile.name, [x, ""]], type: text!}')["fields"]
    assert field == {"first_of": [["name"], ["profile", "name"], ["x", ""]], "do": "column", "table": 0, "column": 1}


def test_elements_of_one_array_are_several_rules() -> None:
    text = """accounts: {element: 0, type: integer, others: unused}
      lastAccount: {path: accounts, element: -1, of: meta.number, type: integer, coerce: true, others: unused}"""
    first, last = shape_of(text)["fields"]
    assert first == {
        "path": ["accounts"],
        "element": 0,
        "of": [],
        "others": "drop",
        "coerce": False,
        "do": "column",
        "table": 0,
        "column": 1,
    }
    assert (last["element"], last["of"], last["coerce"], last["column"]) == (-1, ["meta", "number"], True, 2)
    schema = build_schema(parse_mapping(text_of(text)))
    assert [column.name for column in schema.tables["a"].columns] == ["id", "accounts", "last_account", "extras"]


def test_others_of_an_array_go_to_extras_unless_dropped() -> None:
    (field,) = shape_of("a: {element: 1, type: text}")["fields"]
    assert field["others"] == "extras"


def test_values_keep_the_types_of_their_keys() -> None:
    rule = rule_of(
        'a: {type: boolean, values: {Inactive: false, 1: true, "1": false, 1.5: null, true: true, "*": null}}'
    )
    assert {(type(one.source), str(one.source), one.becomes) for one in rule.values} == {
        (str, "Inactive", False),
        (int, "1", True),
        (str, "1", False),
        (dict, "{'$numberDouble': '1.5'}", None),
        (bool, "True", True),
    }
    assert rule.other_values == OtherValues(becomes=None)
    assert rule_of("a: {type: boolean, values: {x: true}}").other_values is None


def test_an_element_of_an_array_of_references_takes_a_single_one_too() -> None:
    shape = shape_of("accountsIDs: {references: U, element: 0, coerce: true, column: account}")
    (field,) = shape["fields"]
    assert (field["element"], field["coerce"]) == (0, True)
    assert column_of(shape, "account")["reference"] == {"collection": "U", "ids": "uuid", "by": None}


def test_values_of_an_array_replace_its_elements() -> None:
    rule = rule_of('a: {type: "s[]", values: {old: new, 5: old}}', head="enums: {s: [new, old]}")
    assert rule.values == (ValueRule(source=5, becomes="old"), ValueRule(source="old", becomes="new"))


def test_replaced_values_are_literals_of_the_type() -> None:
    rule = rule_of('a: {type: "numeric(4,1)", values: {none: 0, half: 0.5}}')
    assert [one.becomes for one in rule.values] == [{"$numberDecimal": "0.5"}, {"$numberDecimal": "0"}]
    column = column_of(shape_of('a: {type: text, values: {x: y, "*": z}, normalise: lower}'), "a")
    assert column["values"] == [{"from": "x", "to": "y"}]
    assert (column["others"], column["normalise"]) == ({"value": "z"}, ["lower"])


def test_order_of_values_does_not_change_the_fingerprint() -> None:
    one, other = (text_of(f"a: {{type: text, values: {{{v}}}}}") for v in ("x: y, 1: z", "1: z, x: y"))
    assert parse_mapping(one).fingerprint == parse_mapping(other).fingerprint


@pytest.mark.parametrize("written", ["[trim, lower]", "[lower, trim]", "[lower, trim, lower]"])
def test_steps_of_normalise_are_always_done_in_one_order(written: str) -> None:
    assert rule_of(f"a: {{type: varchar(9), normalise: {written}}}").normalise == ("trim", "lower")


def test_flags_become_one_column_of_labels() -> None:
    rules = "kinds: {flags: {isHome: home, meta.isWork: work}, type: 's[]', default: [home], coerce: true}"
    head = "enums: {s: [home, work]}"
    rule = rule_of(rules, head=head)
    assert rule.flags == (Flag(path=("isHome",), label="home"), Flag(path=("meta", "isWork"), label="work"))
    assert rule.paths == (("isHome",), ("meta", "isWork"))
    assert (rule.column, rule.type) == ("kinds", ColumnType("enum", enum="s", array=True))
    (field,) = shape_of(rules, head=head)["fields"]
    assert field == {
        "do": "flags",
        "table": 0,
        "column": 1,
        "flags": [{"path": ["isHome"], "label": "home"}, {"path": ["meta", "isWork"], "label": "work"}],
        "coerce": True,
    }


def test_several_fields_become_one_object() -> None:
    rules = "about: {type: jsonb, object: {details: details, 'five words': [meta, five.words]}}"
    rule = rule_of(rules)
    assert rule.object == (
        Part(key="details", path=("details",)),
        Part(key="five words", path=("meta", "five.words")),
    )
    assert (rule.paths, rule.column) == ((("details",), ("meta", "five.words")), "about")
    (field,) = shape_of(rules)["fields"]
    assert field == {
        "do": "object",
        "table": 0,
        "column": 1,
        "parts": [{"key": "details", "path": ["details"]}, {"key": "five words", "path": ["meta", "five.words"]}],
    }
    listed = rule_of("about: {type: jsonb, object: [details, address.city]}")
    assert [part.key for part in listed.object] == ["details", "city"]


def test_labels_become_boolean_columns() -> None:
    rules = (
        "roles: {to_flags: {canEdit: , admin: is_admin, x: {column: y, required: true, default: false, index: true}}}"
    )
    (rule,) = parse_mapping(text_of(rules)).collections["A"].fields
    assert isinstance(rule, ToFlagsField)
    assert rule.flags[:2] == (
        FlagColumn(label="canEdit", column="can_edit"),
        FlagColumn(label="admin", column="is_admin"),
    )
    shape = shape_of(rules)
    assert shape["fields"] == [
        {
            "path": ["roles"],
            "do": "to_flags",
            "table": 0,
            "flags": [{"label": "canEdit", "column": 1}, {"label": "admin", "column": 2}, {"label": "x", "column": 3}],
        }
    ]
    y = column_of(shape, "y")
    assert (y["type"], y["required"], y["default"]) == (
        {"kind": "boolean", "array": False},
        True,
        {"kind": "literal", "value": False},
    )
    table = build_schema(parse_mapping(text_of(rules))).tables["a"]
    assert [(str(c.type), c.nullable) for c in table.columns[1:4]] == [
        ("boolean", True),
        ("boolean", True),
        ("boolean", False),
    ]
    assert [index.columns for index in table.indexes] == [("y",)]


def test_chosen_values_work_inside_child_tables() -> None:
    rules = (
        "c: {child: cs, fields: {x: {first_of: [a, b], type: text}, t: {to_flags: {k: }}, e: {element: 0, type: text}}}"
    )
    (field,) = shape_of(rules)["fields"]
    assert [(inner["do"], inner["table"]) for inner in field["fields"]] == [
        ("column", 1),
        ("to_flags", 1),
        ("column", 1),
    ]
