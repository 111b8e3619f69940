"""Whole documents through the oracle, each answer written by hand from the rules."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from isthmus.verify.reference import Json, Reference
from tests.generators import bson_writer as bw

OID = bw.object_id(bytes(range(12)))
USER = bw.object_id(bytes([7]) * 12)


def run(fields: dict[str, Any], elements: Sequence[tuple[Any, bw.Value]], **more: Any) -> Any:
    """Expected of one document; keyword `main` adds to the collection's rules."""
    main = {"table": "main", "fields": fields, **more.pop("main", {})}
    mapping = {"collections": {"Main": main, "Users": {"table": "users"}}, **more}
    reference = Reference(mapping, bytes(32), 1_700_000_000_000_000)
    return reference.expected("Main", bw.document([("_id", OID), *elements]).raw)


def row(result: Any, table: str = "main", number: int = 0) -> dict[str, Any]:
    assert result.rejected is None
    return {name: value for name, value in result.rows[table][number].items() if name != "id"}


def test_mapped_and_unmapped_fields() -> None:
    result = run({"a": "integer"}, [("a", bw.int32(1)), ("b", bw.int64(2))])
    assert row(result) == {"a": 1, "extras": Json({"b": {"$numberLong": "2"}})}
    assert result.journal.extras == {"b": 1}


def test_nothing_left_over_is_null() -> None:
    assert row(run({"a": "integer"}, [("a", bw.int32(1))])) == {"a": 1, "extras": None}


def test_path_through_a_document_keeps_what_it_does_not_take() -> None:
    address = bw.document([("city", bw.string("B")), ("zip", bw.int32(5))])
    result = run({"address.city": {"column": "city", "type": "text"}}, [("address", address)])
    assert row(result) == {"city": "B", "extras": Json({"address": {"zip": Decimal(5)}})}
    assert result.journal.extras == {"address.zip": 1}


@pytest.mark.parametrize(
    ("value", "kept"), [(bw.string("B"), "B"), (bw.null(), None), (bw.array([bw.document([])]), [{}])]
)
def test_path_through_something_else_keeps_it_whole(value: bw.Value, kept: Any) -> None:
    result = run({"address.city": {"column": "city", "type": "text"}}, [("address", value)])
    assert row(result) == {"city": None, "extras": Json({"address": kept})}


def test_empty_document_on_the_way_leaves_nothing_and_is_counted() -> None:
    result = run({"address.city": {"column": "city", "type": "text"}}, [("address", bw.document([]))])
    assert row(result) == {"city": None, "extras": None}
    assert result.adjustments == {"main:empty_document": 1}


def test_a_condition_is_no_rule_so_what_it_looks_at_is_kept() -> None:
    skip = [{"when": {"x.y": 5}, "why": "w"}]
    result = run({"a": "text"}, [("x", bw.document([]))], main={"skip": skip})
    assert row(result) == {"a": None, "extras": Json({"x": {}})}


def test_unknown_fields_can_be_refused() -> None:
    result = run(
        {"a.b": "text"}, [("a", bw.document([("c", bw.null())])), ("d", bw.null())], main={"extras": "dead_letter"}
    )
    assert result.rejected == [("unknown-field", "a.c"), ("unknown-field", "d")]


def test_missing_null_and_present_are_three_states() -> None:
    fields = {
        "a": {"type": "integer", "default": 5},
        "b": {"type": "integer", "default": 5, "default_for": ["missing", "null"]},
    }
    assert row(run(fields, [])) == {"a": 5, "b": 5, "extras": None}
    assert row(run(fields, [("a", bw.null()), ("b", bw.undefined())])) == {"a": None, "b": 5, "extras": None}
    assert row(run(fields, [("a", bw.int32(1)), ("b", bw.int32(2))])) == {"a": 1, "b": 2, "extras": None}


def test_required_and_null_is_refused_and_all_causes_are_named() -> None:
    result = run({"a": "integer!", "b": "integer!", "c": "boolean"}, [("b", bw.null()), ("c", bw.int32(1))])
    assert result.rejected == [("required", "a"), ("required", "b"), ("type", "c")]
    assert result.rows == {}


def test_now_and_the_time_inside_the_id() -> None:
    fields = {"a": {"type": "timestamptz", "default": "now"}, "b": {"type": "timestamptz", "default": "id_time"}}
    assert row(run(fields, [])) == {"a": 1_700_000_000_000_000, "b": 0x00010203 * 1_000_000, "extras": None}


def test_of_duplicate_keys_the_last_wins_and_is_counted() -> None:
    result = run({"a": "integer"}, [("a", bw.string("x")), ("a", bw.int32(2))])
    assert row(result) == {"a": 2, "extras": None}
    assert result.adjustments == {"main:duplicate_key": 1}


def test_child_rows_with_their_own_extras() -> None:
    steps = bw.array([bw.document([("name", bw.string("x"))]), bw.document([("more", bw.int32(1))])])
    result = run({"steps": {"child": "steps", "fields": {"name": "text"}}}, [("steps", steps)])
    assert [row(result, "steps", n) for n in (0, 1)] == [
        {"main_id": result.id, "position": 0, "name": "x", "extras": None},
        {"main_id": result.id, "position": 1, "name": None, "extras": Json({"more": Decimal(1)})},
    ]
    assert result.journal.extras == {"steps.more": 1}


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (bw.document([]), ("not-an-array", "steps")),
        (bw.array([bw.document([]), bw.null()]), ("not-a-document", "steps.1")),
        (bw.array([bw.document([("name", bw.int32(1))])]), ("type", "steps.0.name")),
    ],
)
def test_child_of_the_wrong_shape(value: bw.Value, cause: tuple[str, str]) -> None:
    result = run({"steps": {"child": "steps", "fields": {"name": "text"}}}, [("steps", value)])
    assert result.rejected == [cause]


def test_junction_pairs_without_nulls_and_duplicates() -> None:
    users = bw.array([USER, bw.null(), bw.string(USER.raw.hex()), bw.dbref("Users", USER), bw.int32(5)])
    junctions = {"j": {"main_id": "Main", "user_id": "Users"}}
    result = run({"users": {"junction": "j"}}, [("users", users)], junctions=junctions)
    assert len(result.rows["j"]) == 2
    assert {pair["main_id"] for pair in result.rows["j"]} == {result.id}
    assert result.references == {"j.user_id": 2}
    assert result.adjustments == {"j.user_id:null_element": 1, "j.user_id:duplicate_pair": 2}
    assert [(entry[0], entry[3]) for entry in result.journal.id_map] == [("Users", "reference")]


@pytest.mark.parametrize(("value", "code"), [(bw.dbref("Other", USER), "wrong-collection"), (bw.array([USER]), "type")])
def test_references_that_are_none(value: bw.Value, code: str) -> None:
    assert run({"user": {"references": "Users"}}, [("user", value)]).rejected == [(code, "user")]


def test_reference_to_kept_ids_is_the_id_itself() -> None:
    mapping = {
        "collections": {
            "Main": {"table": "main", "fields": {"user": {"references": "Users"}}},
            "Users": {"ids": "keep"},
        }
    }
    document = bw.document([("_id", OID), ("user", bw.string("ann"))]).raw
    assert row(Reference(mapping, bytes(32), 0).expected("Main", document))["user"] == "ann"


def test_rewrite_inside_jsonb() -> None:
    reviews = bw.array([bw.document([("userId", USER), ("note", USER)]), bw.document([("userId", bw.null())])])
    result = run({"reviews": {"type": "jsonb", "rewrite": {"[].userId": "Users"}}}, [("reviews", reviews)])
    plain_id = run({"user": {"references": "Users"}}, [("user", USER)])
    assert row(result)["reviews"] == Json([{"userId": row(plain_id)["user"], "note": USER.raw.hex()}, {"userId": None}])
    assert result.references == {"main.reviews.[].userId": 1}


def test_keys_that_become_equal_when_replaced_are_refused() -> None:
    both = [(b"\xff", bw.int32(1)), (b"\xfe", bw.int32(2))]
    assert run({"a": "text"}, both, policies={"utf8": "replace"}).rejected == [("utf8", "\ufffd")]
    inside = run({"a": "jsonb"}, [("a", bw.document(both))], policies={"utf8": "replace"})
    assert inside.rejected == [("utf8", "a.\ufffd")]


@pytest.mark.parametrize("identifier", [bw.array([]), bw.regex("a", ""), bw.undefined()])
def test_ids_that_none_can_have(identifier: bw.Value) -> None:
    mapping = {"collections": {"Main": {"table": "main", "fields": {}}}}
    result = Reference(mapping, bytes(32), 0).expected("Main", bw.document([("_id", identifier)]).raw)
    assert result.rejected == [("bad-id", "_id")]


def test_skipped_documents_have_a_reason_and_no_rows() -> None:
    skip = [{"when": {"deleted": True, "kind": ["a", "b"]}, "why": "gone"}]
    elements = [("deleted", bw.boolean(true=True)), ("kind", bw.string("b"))]
    result = run({"a": "integer!"}, elements, main={"skip": skip})
    assert (result.skipped, result.rows, result.rejected) == ("gone", {}, None)


@pytest.mark.parametrize(
    ("when", "value", "holds"),
    [
        (5, bw.double(5.0), True),
        (5, bw.decimal128(0, 50, -1), True),
        (5, bw.string("5"), False),
        ([5, None], bw.null(), True),
        ({"not": 5}, bw.int32(6), True),
        ({"not": 5}, None, True),
        ({"missing": True}, None, True),
        ({"missing": True}, bw.null(), False),
        ({None: True}, bw.null(), True),
        ({"null": True}, None, False),
        ({"present": True}, bw.null(), False),
        ({"present": True}, bw.int32(0), True),
        ({"$oid": "00" * 12}, bw.object_id(bytes(12)), True),
    ],
)
def test_conditions(when: Any, value: bw.Value | None, *, holds: bool) -> None:
    elements = [] if value is None else [("k", value)]
    result = run({}, elements, main={"skip": [{"when": {"k": when}, "why": "w"}]})
    assert (result.skipped == "w") is holds


def test_damaged_bytes_have_one_cause() -> None:
    mapping = {"collections": {"Main": {"table": "main", "fields": {"a": "text!"}}}}
    result = Reference(mapping, bytes(32), 0).expected("Main", b"\x08\0\0\0\x14a\0\0")
    assert result.rejected == [("bson-type", "a")]
