"""Which documents are one, and what their row holds; answers written by hand from the page on mappings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bson
import pytest

from isthmus.verify.reference import Reference, Type
from isthmus.verify.reference.accounts import GivenAccounts
from isthmus.verify.reference.finishing import Finishing
from isthmus.verify.reference.forms import Form, equal_form, input_form
from isthmus.verify.reference.joining import Forms
from isthmus.verify.reference.reading import read
from isthmus.verify.reference.shapes import Unique

Plain = dict[str, Any]


class World:
    """Documents under one entry `people` that joins them, and whatever other entries are given."""

    def __init__(
        self,
        fields: Plain,
        people: Sequence[Plain],
        *,
        other: Plain | None = None,
        junctions: Plain | None = None,
        **more: Any,
    ) -> None:
        own = {"_id": {"type": "integer"}, **fields}
        entry = {"on_duplicate": "merge", "ids": "keep", "extras": "dead_letter", "fields": own, **more}
        mapping = {"collections": {"people": entry, **(other or {})}, "junctions": junctions or {}}
        self.reference = Reference(mapping, bytes(32), 0)
        conditions = {"n > 1": lambda row: row["n"] is not None and int(row["n"]) > 1}
        selects = {"people": lambda where, rows: [conditions[where](row) for row in rows]}
        self.finishing = Finishing(self.reference.rules, GivenAccounts(), selects)
        self.people = [bson.encode({"_id": number, **one}) for number, one in enumerate(people, 1)]
        for document in self.people:
            self.learn("people", document)

    def learn(self, collection: str, document: bytes) -> None:
        result = self.reference.expected(collection, document)
        assert result.flow is not None
        assert result.rejected is None, result.rejected
        self.finishing.learn(result.flow, result)

    def rows(self, table: str = "people", collection: str = "people", documents: Sequence[bytes] | None = None) -> Any:
        """Finished rows of one table in the order of the documents."""
        self.finishing.settle()
        found: list[Forms] = []
        for document in self.people if documents is None else documents:
            finished = self.finishing.finished(self.reference.expected(collection, document))
            found += [forms for shape, forms in finished.rows if shape.table == table]
        return found

    def joined(self) -> dict[str, tuple[str, list[str]]]:
        """Each joined document with the one that stays and what it says otherwise."""
        self.finishing.settle()
        return {one.id: (keeper.id, names) for _, one, keeper, names in self.finishing.expected_joined()}


def numbers(*names: str) -> Plain:
    return {name: {"type": "integer", "unique": True} for name in names}


def test_the_lowest_id_stays_and_is_filled_in_the_order_of_ids() -> None:
    people = [{"a": 1}, {"a": 1, "n": 2, "m": 5}, {"a": 1, "n": 3, "k": 7}]
    world = World({**numbers("a"), "n": "integer", "m": "integer", "k": "integer"}, people)
    assert world.rows() == [{"id": "1", "a": "1", "n": "2", "m": "5", "k": "7"}]
    assert world.joined() == {"2": ("1", []), "3": ("1", ["n"])}


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_the_order_of_indexes_means_nothing(names: tuple[str, ...]) -> None:
    people = [{"a": 1, "b": 2}, {"b": 2, "n": 2}, {"a": 1, "n": 3}, {"a": 4, "b": 2}, {"a": 4, "n": 9}, {"a": 5}]
    world = World({**numbers(*names), "n": "integer"}, people)
    assert [(row["id"], row["a"], row["b"], row["n"]) for row in world.rows()] == [
        ("1", "1", "2", "2"),
        ("6", "5", None, None),
    ]
    assert world.joined() == {"2": ("1", []), "3": ("1", ["n"]), "4": ("1", ["a"]), "5": ("1", ["a", "n"])}


def test_nothing_is_one_by_a_null() -> None:
    people: list[Plain] = [{"a": None}, {}, {"a": None, "f": 1}, {"f": 1}]
    world = World(
        {**numbers("a"), "f": "integer", "l": "integer"}, people, indexes=[{"columns": ["f", "l"], "unique": True}]
    )
    assert world.joined() == {}
    assert len(world.rows()) == 4


def test_a_row_joins_what_none_of_its_documents_would() -> None:
    people = [{"a": 1, "f": 1}, {"a": 1, "l": 2}, {"f": 1, "l": 2}]
    world = World(
        {**numbers("a"), "f": "integer", "l": "integer"}, people, indexes=[{"columns": ["f", "l"], "unique": True}]
    )
    assert world.joined() == {"2": ("1", []), "3": ("1", [])}


def test_a_partial_index_joins_the_rows_it_selects() -> None:
    people = [{"a": 1, "n": 1}, {"a": 1, "n": 2}, {"a": 1, "n": 3}, {"a": 1}]
    index = {"columns": ["a"], "unique": True, "where": "n > 1"}
    world = World({"a": "integer", "n": "integer"}, people, indexes=[index])
    assert world.joined() == {"3": ("2", ["n"])}


def test_references_say_the_same_when_what_they_point_at_is_one() -> None:
    fields = {**numbers("a"), "boss": {"references": "people", "unique": True}}
    people = [{"a": 1}, {"a": 1}, {"boss": 1}, {"boss": 2}, {"a": 3, "boss": 4}]
    world = World(fields, people)
    assert world.joined() == {"2": ("1", []), "4": ("3", [])}
    assert [row["boss"] for row in world.rows()] == [None, "1", "3"]


def test_children_stand_behind_those_before_them_and_pairs_fall_together() -> None:
    steps = {"child": "steps", "fields": {"n": "integer", "parts": {"child": "parts", "fields": {"m": "integer"}}}}
    other = {"groups": {"ids": "keep", "fields": {"_id": {"type": "integer"}}}}
    fields = {**numbers("a"), "steps": steps, "groups": {"junction": "members"}}
    people = [
        {"a": 1, "steps": [{"n": 1}, {"n": 2, "parts": [{"m": 1}]}], "groups": [7]},
        {"a": 1},
        {"a": 1, "steps": [{"n": 3, "parts": [{"m": 2}]}], "groups": [7, 8]},
    ]
    junctions = {"members": {"person_id": "people", "group_id": "groups"}}
    world = World(fields, people, other=other, junctions=junctions)
    steps_there = [(row["people_id"], row["position"], row["n"]) for row in world.rows("steps")]
    assert steps_there == [("1", "0", "1"), ("1", "1", "2"), ("1", "2", "3")]
    parts_there = [(row["steps_id"], row["steps_position"], row["position"], row["m"]) for row in world.rows("parts")]
    assert parts_there == [("1", "1", "0", "1"), ("1", "2", "0", "2")]
    pairs = {(row["person_id"], row["group_id"]) for row in world.rows("members")}
    assert pairs == {("1", "7"), ("1", "8")}


def test_whatever_names_a_joined_document_names_its_row() -> None:
    fields = {
        "by": {"references": "people"},
        "kept": {"references": "people.a", "type": "integer"},
        "found": {"references": "people.a"},
        "all": {"type": "integer[]", "references": "people"},
        "data": {"type": "jsonb", "rewrite": {"who": "people"}},
    }
    world = World(
        numbers("a", "b"), [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 3}], other={"notes": {"fields": fields}}
    )
    note = {"_id": 1, "by": 2, "kept": 2, "found": 2, "all": [3, 2], "data": {"who": 2, "n": 2}}
    document = bson.encode(note)
    world.learn("notes", document)
    (row,) = world.rows("notes", "notes", [document])
    wanted = {"by": "1", "kept": "1", "found": "1", "all": ["3", "1"], "data": '{"n":2,"who":1}'}
    assert {name: row[name] for name in wanted} == wanted


def test_extras_are_filled_key_by_key_and_differ_by_key() -> None:
    people = [{"a": 1, "x": 1}, {"a": 1, "x": 1, "y": [1, 2]}, {"a": 1, "y": [2]}]
    world = World(numbers("a"), people, extras="extras")
    assert [row["extras"] for row in world.rows()] == ['{"x":1,"y":[1,2]}']
    assert world.joined() == {"2": ("1", []), "3": ("1", ["extras"])}


def test_keys_and_unique_indexes_of_an_entry_are_read() -> None:
    fields = {
        "_id": {"column": "id"},
        "a": {"type": "text!", "unique": True},
        "b": "text!",
        "c": {"child": "cs", "fields": {"d": {"type": "text", "unique": True}}},
    }
    indexes = [["b"], {"columns": "b", "unique": True, "where": "a <> ''"}, {"columns": ["a", "b"], "unique": True}]
    rules = read(
        {"collections": {"people": {"on_duplicate": "merge", "key": ["b"], "fields": fields, "indexes": indexes}}}
    )
    assert rules.merging == {"people"}
    assert set(rules.shapes["people"].uniques) == {
        Unique(("b",)),
        Unique(("a",)),
        Unique(("b",), "a <> ''"),
        Unique(("a", "b")),
    }
    assert not rules.shapes["cs"].uniques


@pytest.mark.parametrize(
    ("kind", "equal", "other"),
    [
        ("numeric", ["1.0", "1.00"], "1.01"),
        ("numeric", ["NaN"], "0"),
        ("double", ["0000000000000000", "8000000000000000"], "nan"),
        ("jsonb", ['{"a":1.0}', '{"a":1.00}'], '{"a":true}'),
        ("text", ["a"], "A"),
    ],
)
def test_values_that_postgresql_holds_for_equal(kind: str, equal: list[str], other: str) -> None:
    assert len({equal_form(form, Type(kind)) for form in equal}) == 1
    assert equal_form(other, Type(kind)) != equal_form(equal[0], Type(kind))
    many = Type(kind, array=True)
    lists: list[Form] = [[form, None] for form in equal]
    assert len({equal_form(form, many) for form in lists}) == 1


@pytest.mark.parametrize(
    ("kind", "form", "written"),
    [
        ("date", "0", "J2440588"),
        ("timestamptz", "-1", "J2440587 23:59:59.999999+00"),
        ("timestamp", "infinity", "infinity"),
        ("double", "3fb999999999999a", "0.1"),
        ("bytea", "00ff", "\\x00ff"),
        ("jsonb", '{"a":1}', {"a": 1}),
    ],
)
def test_forms_are_written_as_the_server_reads_them(kind: str, form: str, written: Any) -> None:
    assert input_form(form, Type(kind)) == written
