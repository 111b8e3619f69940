"""A mapping with what its identities came to: other fingerprint, hidden column, plan, and what it does not change."""

from __future__ import annotations

import json
from typing import Any

import bson
import pytest
from bson import Int64, ObjectId

from isthmus.errors import MappingError
from isthmus.mapping import ddl, parse_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.tables import HIDDEN_THING, build_schema
from isthmus.mapping.things import Things, with_things

TEXT = """
isthmus: 1
ids: cuid2
identities:
  people:
    keys: {email: [trim, lower]}
    members:
      users: {keys: {email: email}}
      "new Users": {keys: {email: email}}
    linked:
      profiles: {keys: {email: email}}
    wins: {image: "new Users"}
collections:
  users:
    rewritten: true
    skip: [{when: {gone: true}, why: gone}]
    fields: {email: text!, image: text, friends: {type: "text[]", references: users}}
  "new Users": {table: users, fields: {email: text!, image: text}}
  guests: {table: users, fields: {email: text!}}
  profiles:
    fields:
      user: {references: users, identity: people}
      by: {references: new Users}
      inside: {type: jsonb, rewrite: {who: users}}
"""
MAPPING = parse_mapping(TEXT)
THING = "z" * 24


def named(identifier: object) -> bytes:
    return bson.encode({"_id": identifier})


THINGS = Things(
    {"users": {named(1): THING}, "new Users": {named(ObjectId(b"2" * 12)): THING}, "profiles": {named("p"): None}},
    {"users": {named(Int64(7)): "test", named("x"): "test", named(8): "other"}, "guests": {}},
    "digest",
)
CARRIED = with_things(MAPPING, THINGS)


def plan(collection: str) -> dict[str, Any]:
    return json.loads(compile_plans(CARRIED)[collection])["shapes"][0]


def columns(collection: str) -> dict[str, Any]:
    return {column["name"]: column for column in plan(collection)["tables"][0]["columns"]}


def test_answers_are_part_of_the_fingerprint_and_the_map_is_not() -> None:
    assert CARRIED.fingerprint != MAPPING.fingerprint
    assert with_things(MAPPING, THINGS).fingerprint == CARRIED.fingerprint
    more = Things({"users": {}}, THINGS.dropped, THINGS.digest)
    assert with_things(CARRIED, more).fingerprint == CARRIED.fingerprint
    for other in (Things(THINGS.of, THINGS.dropped, "other"), Things(THINGS.of, {}, THINGS.digest)):
        assert with_things(MAPPING, other).fingerprint not in {CARRIED.fingerprint, MAPPING.fingerprint}
    assert MAPPING.things is None
    assert "things" not in CARRIED.model_dump()


def test_only_what_is_carried_has_the_hidden_column() -> None:
    assert HIDDEN_THING not in [column.name for column in build_schema(MAPPING).tables["users"].columns]
    schema = build_schema(CARRIED)
    assert schema.tables["users"].column(HIDDEN_THING).hidden
    assert schema.tables["users"].final == build_schema(MAPPING).tables["users"].final
    assert schema.tables["profiles"] == build_schema(MAPPING).tables["profiles"]
    dropped = ddl.drop_hidden(schema, schema.tables["users"])
    assert dropped is not None
    assert HIDDEN_THING in dropped
    assert not CARRIED.joins(["profiles"])
    assert CARRIED.joins(["guests"])  # they share the table
    assert not MAPPING.joins(["users"])
    assert CARRIED.winning("users", "image") == {1}
    assert not CARRIED.winning("users", "email")
    assert not MAPPING.winning("users", "image")


def test_the_plan_knows_things_by_the_bytes_of_ids() -> None:
    thing = columns("users")[HIDDEN_THING]
    assert (thing["role"], thing["things"]) == ("thing", {"of": f"{named(1).hex()} {THING}"})
    assert columns("guests")[HIDDEN_THING]["role"] == "constant"
    assert columns("guests")[HIDDEN_THING]["default"] == {"kind": "literal", "value": None}
    linked = columns("profiles")["user"]["things"]
    assert linked["of"] == named("p").hex()
    assert linked["members"] == {
        "users": f"{named(1).hex()} {THING}",
        "new Users": f"{named(ObjectId(b'2' * 12)).hex()} {THING}",
    }
    assert "things" not in columns("profiles")["by"]


def test_dropped_documents_are_skipped_before_the_rules_of_the_file() -> None:
    skips = [(one["why"], [test["values"] for test in one["all"]]) for one in plan("users")["skip"]]
    assert [why for why, _ in skips] == ["other", "test", "gone"]
    assert skips[0][1] == [[{"$numberInt": "8"}]]
    assert sorted(map(str, skips[1][1][0])) == ["x", "{'$numberLong': '7'}"]
    assert not plan("new Users")["skip"]


def test_rewritten_is_of_the_entry_that_is_referred_to() -> None:
    assert columns("users")["friends"]["reference"]["rewritten"]
    assert columns("profiles")["user"]["reference"]["rewritten"]
    assert columns("profiles")["inside"]["rewrite"][0]["rewritten"]
    assert "rewritten" not in columns("profiles")["by"]["reference"]


@pytest.mark.parametrize("column", ["friends", "inside"])
def test_several_references_cannot_be_won(column: str) -> None:
    text = TEXT.replace("wins: {image:", f"wins: {{{column}:")
    text = text.replace("image: text, friends", "image: text, inside: {type: jsonb, rewrite: {who: users}}, friends", 1)
    with pytest.raises(MappingError) as refused:
        parse_mapping(text)
    assert [problem.code for problem in refused.value.problems] == ["identity-wins"]


def test_a_column_takes_no_thing_whose_ids_are_kept() -> None:
    kept = TEXT.replace("  users:\n    rewritten: true\n", "  users:\n    rewritten: true\n    ids: keep\n")
    with pytest.raises(MappingError) as caught:
        parse_mapping(kept)
    (found,) = [one for one in caught.value.problems if one.code == "identity-column"]
    assert "keeps its ids" in found.message
