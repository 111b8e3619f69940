"""How the oracle reads the mapping language: forms, names, defaults, tables that follow."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import bson
import pytest

from isthmus.verify.reference import Json, Reference, Type
from isthmus.verify.reference.reading import MARK, fold, load, parse, parse_type, rewrite_path, split_path
from isthmus.verify.reference.rules import Child, Column, Default, Drop, Field, Fields, Junction


def reference(fields: dict[str, Any], **more: Any) -> Reference:
    mapping = {"isthmus": 1, "collections": {"Main": {"table": "main", "fields": fields}, "Users": {}}, **more}
    return Reference(mapping, bytes(32), 0)


def columns(fields: dict[str, Any], **more: Any) -> dict[str, Column]:
    rules = [field.rule for field in fields_of(reference(fields, **more))]
    return {rule.name: rule for rule in rules if isinstance(rule, Column)}


def fields_of(found: Reference) -> Fields:
    (flow,) = found.rules.collections["Main"]
    *stated, own = flow.fields
    assert own == Field(((MARK,),), Drop()), "Isthmus's own mark, behind all rules"
    return stated


def only_rule(found: Reference) -> Any:
    (field,) = fields_of(found)
    return field.rule


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("title", "title"),
        ("dueDateAt", "due_date_at"),
        ("documentIDs", "document_ids"),
        ("ABCThing", "abc_thing"),
        ("__v", "v"),
        ("line2Text", "line2_text"),
        ("a.b c", "a_b_c"),
        ("ÉCOLEx", "écol_ex"),
    ],
)
def test_fold(name: str, folded: str) -> None:
    assert fold(name) == folded


@pytest.mark.parametrize(
    ("text", "path"),
    [("a", ("a",)), ("a.b", ("a", "b")), (r"a\.b.c", ("a.b", "c")), (r"a\\b", (r"a\b",)), (r"a\b", (r"a\b",))],
)
def test_split_path(text: str, path: tuple[str, ...]) -> None:
    assert split_path(text) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[].userId", ("[]", "userId")),
        ("a.b[].c", ("a", "b", "[]", "c")),
        ("[]", ("[]",)),
        ("a[][]", ("a", "[]", "[]")),
    ],
)
def test_rewrite_path(text: str, path: tuple[str, ...]) -> None:
    assert rewrite_path(text) == path


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("text", Type("text")),
        ("int8", Type("bigint")),
        ("double precision[]", Type("double", array=True)),
        ("VARCHAR(40)", Type("varchar", length=40)),
        ("numeric(10,2)", Type("numeric", precision=10, scale=2)),
        ("numeric(10)", Type("numeric", precision=10, scale=0)),
        ("timestamp(3) with time zone", Type("timestamptz", precision=3)),
        ("status[]", Type("enum", values=("A",), array=True)),
    ],
)
def test_parse_type(text: str, kind: Type) -> None:
    assert parse_type(text, {"status": ("A",)}) == kind


def test_short_and_long_form_say_the_same() -> None:
    short = columns({"dueDate": "timestamptz!"})["due_date"]
    long = columns({"x": {"path": "dueDate", "column": "due_date", "type": "timestamptz", "required": True}})[
        "due_date"
    ]
    assert short == long


def test_path_may_be_a_list_of_keys() -> None:
    (field,) = fields_of(reference({"x": {"path": ["a.b", ""], "column": "x", "type": "text"}}))
    assert field.paths == (("a.b", ""),)


def test_policies_of_a_column_override_those_of_the_mapping() -> None:
    found = columns(
        {"a": "text", "b": {"type": "text", "policies": {"nul": "dead_letter"}}},
        policies={"nul": "remove", "range": None},
    )
    assert (found["a"].setting.policies.nul, found["a"].setting.policies.range) == ("remove", "null")
    assert (found["b"].setting.policies.nul, found["b"].setting.policies.range) == ("dead_letter", "null")


@pytest.mark.parametrize(
    ("type_text", "said", "default"),
    [
        ("integer", 0, Default("literal", 0)),
        ("double", 1, Default("literal", 1.0)),
        ("numeric(5,2)", 1, Default("literal", Decimal("1.00"))),
        ("text", "now", Default("literal", "now")),
        ("text", {"literal": "now"}, Default("literal", "now")),
        ("timestamptz", "now", Default("now")),
        ("date", "id_time", Default("id_time")),
        ("timestamptz", "1970-01-01T00:00:01Z", Default("literal", 1_000_000)),
        ("date", "1970-01-02", Default("literal", 1)),
        ("bytea", "\\x00ff", Default("literal", b"\0\xff")),
        ("jsonb", {"a": [1, None]}, Default("literal", Json({"a": [Decimal(1), None]}))),
        ("text[]", ["a"], Default("literal", ["a"])),
    ],
)
def test_defaults(type_text: str, said: Any, default: Default) -> None:
    assert columns({"x": {"type": type_text, "default": said}})["x"].default == default


@pytest.mark.parametrize(("said", "for_null"), [(["missing", "null"], True), (None, True), (["missing"], False)])
def test_default_for_null(said: Any, *, for_null: bool) -> None:
    found = columns({"x": {"type": "integer", "default": 0, "default_for": said}})
    assert found["x"].default_for_null is for_null


def test_reference_has_the_type_of_the_other_collections_ids() -> None:
    for ids, kind in [("uuid", "uuid"), ("cuid2", "text"), ("keep", "text")]:
        mapping = {"collections": {"A": {"fields": {"b": {"references": "B"}}}, "B": {"ids": ids}}}
        shape = Reference(mapping, bytes(32), 0).shapes["a"]
        assert shape.columns["b"] == Type(kind)
        assert {column: reference.entry for column, reference in shape.references.items()} == {"b": "B"}


def test_child_tables_have_the_roots_key_and_a_position_for_each_level() -> None:
    parts = {"child": "parts", "fields": {"z": "text"}}
    found = reference({"steps": {"child": "steps", "fields": {"parts": parts}, "extras": "dead_letter"}})
    assert list(found.shapes["steps"].columns) == ["main_id", "position"]
    assert list(found.shapes["parts"].columns) == ["steps_id", "steps_position", "position", "z", "extras"]
    assert found.shapes["parts"].key == ("steps_id", "steps_position", "position")
    rule = only_rule(found)
    assert isinstance(rule, Child)
    assert rule.extras is None


def test_junction_finds_its_own_side() -> None:
    found = reference({"users": {"junction": "j"}}, junctions={"j": {"m": "Main", "u": "Users"}})
    rule = only_rule(found)
    assert isinstance(rule, Junction)
    assert (rule.own, rule.other.name, rule.reference.entry) == ("m", "u", "Users")


def test_junction_of_a_collection_with_itself_is_told_its_own_side() -> None:
    junctions = {"j": {"columns": {"a": "Main", "b": "Main"}, "on_orphan": "drop"}}
    found = reference({"friends": {"junction": "j", "own": "b"}}, junctions=junctions)
    rule = only_rule(found)
    assert isinstance(rule, Junction)
    assert (rule.own, rule.other.name) == ("b", "a")


def test_collections_skipped_as_a_whole_have_no_table() -> None:
    mapping = {"collections": {"A": {"fields": {}}, "B": {"skip": "empty since 2019"}, "*": {"skip": "not ours"}}}
    assert set(Reference(mapping, bytes(32), 0).shapes) == {"a"}


WORDS: dict[str, Any] = {
    "1": 1,
    "-07": -7,
    "0x1F": 31,
    "0o17": 15,
    "1_000": "1_000",
    "1:30": "1:30",
    "1.50": 1.5,
    "1e3": 1000.0,
    ".inf": float("inf"),
    "true": True,
    "FALSE": False,
    "yes": "yes",
    "~": None,
    "null": None,
    "2020-01-02": "2020-01-02",
    "'1'": "1",
    "!!str 1": "1",
    "[1, 1_0]": [1, "1_0"],
}


@pytest.mark.parametrize(("text", "value"), WORDS.items(), ids=WORDS.keys())
def test_words_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    found = parse(f"x: {text}\n")["x"]
    assert (type(found), found) == (type(value), value)


def test_words_that_python_takes_for_one_key_are_several(tmp_path: Path) -> None:
    text = "{1: one, true: yes, 0: zero, false: no, 1_000: text, 1000: number, '1': quoted}"
    (tmp_path / "mapping.yaml").write_text(
        f"isthmus: 1\ncollections: {{Main: {{table: main, fields: {{v: {{type: text, values: {text}}}}}}}}}\n"
    )
    found = Reference(load(tmp_path / "mapping.yaml"), bytes(32), 0)
    for value, becomes in (
        (1, "one"),
        (True, "yes"),
        (0, "zero"),
        (False, "no"),
        ("1_000", "text"),
        (1000, "number"),
        ("1", "quoted"),
    ):
        result = found.expected("Main", bson.encode({"_id": 1, "v": value}))
        assert result.rows["main"][0]["v"] == becomes


def test_anchors_and_merged_maps_are_followed() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [{x: 4}, *a]}\n"
    assert parse(text) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2},
        "d": {"x": 4, "y": 2},
    }
