"""Documents inside documents: columns, child tables, or JSON, by the rule that the pages state."""

from __future__ import annotations

from pathlib import Path

from isthmus.mapping.model import ChildField
from tests.unit.survey.propose.proposals import line_of, notes_above, proposed


def test_document_of_one_shape_becomes_columns(tmp_path: Path) -> None:
    text, _ = proposed(tmp_path, {"c": [{"_id": n, "address": {"city": "x", "zip": n}} for n in range(5)]})
    assert line_of(text, "address.city:") == "address.city: text!"
    assert line_of(text, "address.zip:") == "address.zip: integer!"


def test_few_values_that_are_no_documents_go_to_extras_with_their_number(tmp_path: Path) -> None:
    documents = [{"_id": n, "address": {"city": "x"} if n else "gone"} for n in range(40)]
    text, _ = proposed(tmp_path, {"c": documents})
    assert line_of(text, "address.city:") == "address.city: text"
    assert (
        "1 of 40 (2.5 %) values of address are no documents and go to extras" in notes_above(text, "address.city:")[0]
    )


def test_keys_that_are_data_and_varied_documents_stay_json(tmp_path: Path) -> None:
    documents = [
        {"_id": n, "days": {f"2024-01-{n + 1:02}": 1}, "bag": {f"k{n}": n}, "mails": {f"a{n % 3}@b.example": 1}}
        for n in range(20)
    ]
    text, _ = proposed(tmp_path, {"c": documents})
    for field in ("days", "bag", "mails"):
        assert line_of(text, f"{field}:") == f"{field}: jsonb!"


def test_array_of_documents_becomes_a_child_table_and_a_mixed_one_json(tmp_path: Path) -> None:
    documents = [{"_id": n, "steps": [{"name": "a", "done": True}], "mixed": [{"a": 1}, 5]} for n in range(3)]
    text, mapping = proposed(tmp_path, {"tasks": documents})
    (child,) = [rule for rule in mapping.collections["tasks"].fields if isinstance(rule, ChildField)]
    assert (child.table, child.path) == ("tasks_steps", ("steps",))
    assert line_of(text, "mixed:") == "mixed: jsonb!"


def test_arrays_inside_arrays_become_children_two_deep_and_json_below(tmp_path: Path) -> None:
    deep = {"a": [{"x": 1, "b": [{"x": 1, "c": [{"x": 1}]}]}]}
    text, _ = proposed(tmp_path, {"t": [{"_id": n, **deep} for n in range(3)]})
    assert "child: t_a_b" in text
    assert line_of(text, "c:") == "c: jsonb!"


def test_geojson_and_foreign_dbrefs_stay_whole(tmp_path: Path) -> None:
    place = {"type": "Point", "coordinates": [1.5, 2.5]}
    text, _ = proposed(tmp_path, {"c": [{"_id": 1, "at": place, "ref": {"$ref": "elsewhere", "$id": 5}}]})
    assert line_of(text, "at:") == "at: jsonb!"
    assert line_of(text, "ref:") == "ref: jsonb!"


def test_more_fields_than_a_table_has_room_for_go_to_extras(tmp_path: Path) -> None:
    document = {f"f{n}": n for n in range(250)}
    text, mapping = proposed(tmp_path, {"c": [{"_id": 1, **document}]})
    assert len(mapping.collections["c"].fields) <= 201
    assert "rarer fields go to extras" in text
