"""References, junctions and ids of a proposal: written only where every value goes through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bson import DBRef, ObjectId

from isthmus.mapping.model import JunctionField
from tests.unit.survey.propose.proposals import line_of, notes_above, proposed


def oid(number: int) -> ObjectId:
    return ObjectId(f"{number:024x}")


USERS: list[dict[str, Any]] = [{"_id": oid(n), "email": f"u{n}@example.com"} for n in range(1, 31)]


def test_reference_without_orphans_is_required_and_states_its_policy(tmp_path: Path) -> None:
    posts = [{"_id": oid(100 + n), "user": oid(n)} for n in range(1, 31)]
    text, _ = proposed(tmp_path, {"users": USERS, "posts": posts})
    line = line_of(text, "user:")
    assert line == "user: {column: user_id, references: users, required: true, on_orphan: dead_letter, index: true}"
    assert notes_above(text, "user:") == ["# all 30 values are found in users"]


def test_reference_with_orphans_is_set_to_null_by_a_stated_policy(tmp_path: Path) -> None:
    posts = [{"_id": oid(100 + n), "user": oid(n)} for n in range(1, 33)]
    text, _ = proposed(tmp_path, {"users": USERS, "posts": posts})
    assert line_of(text, "user:") == 'user: {column: user_id, references: users, on_orphan: "null", index: true}'
    assert notes_above(text, "user:")[0] == "# check: 30 of 32 (93.8 %) values are found in users, 2 nowhere"


def test_natural_key_is_referred_to_only_where_it_is_unique(tmp_path: Path) -> None:
    posts = [{"_id": oid(100 + n), "by": f"u{n % 30 + 1}@example.com"} for n in range(60)]
    text, mapping = proposed(tmp_path / "unique", {"users": USERS, "posts": posts})
    assert (
        line_of(text, "by:")
        == "by: {type: text, references: users.email, required: true, on_orphan: dead_letter, index: true}"
    )
    assert line_of(text, "email:") == "email: {type: text!, unique: true}"
    twice = [*USERS, {"_id": oid(99), "email": "u1@example.com"}]
    text, mapping = proposed(tmp_path / "twice", {"users": twice, "posts": posts})
    assert line_of(text, "by:") == "by: text!"
    assert not any(getattr(rule, "unique", False) for rule in mapping.collections["users"].fields)


def test_arrays_on_both_sides_become_one_junction(tmp_path: Path) -> None:
    left = [{"_id": oid(100 + n), "bs": [oid(200 + n), oid(201 + n)]} for n in range(20)]
    right = [{"_id": oid(200 + n), "as": [oid(100 + m) for m in (n - 1, n) if 0 <= m < 20]} for n in range(21)]
    _, mapping = proposed(tmp_path, {"as": left, "bs": right})
    assert len(mapping.junctions) == 1
    fields = [rule for entry in mapping.collections.values() for rule in entry.fields]
    assert sum(isinstance(rule, JunctionField) for rule in fields) == 2
    assert all(junction.on_orphan == "drop" for junction in mapping.junctions.values())


def test_array_of_references_to_its_own_collection_says_which_side_it_is(tmp_path: Path) -> None:
    people = [{"_id": oid(n), "friends": [oid(n % 20 + 1)]} for n in range(1, 21)]
    _, mapping = proposed(tmp_path, {"people": people})
    (rule,) = mapping.collections["people"].fields
    assert isinstance(rule, JunctionField)
    assert rule.own == "people_id"


def test_reference_that_may_lead_to_two_collections_is_routed(tmp_path: Path) -> None:
    cats = [{"_id": oid(100 + n)} for n in range(20)]
    dogs = [{"_id": oid(200 + n)} for n in range(20)]
    notes = [{"_id": oid(300 + n), "about": oid((100 if n % 2 else 200) + n)} for n in range(20)]
    text, _ = proposed(tmp_path, {"cats": cats, "dogs": dogs, "notes": notes})
    assert "route: {cats: {column: about_cats_id, index: true}, dogs: {column: about_dogs_id, index: true}}" in line_of(
        text, "about:"
    )


def test_dbrefs_into_another_collection_than_it_is_found_in_are_no_reference(tmp_path: Path) -> None:
    posts = [{"_id": oid(100 + n), "user": DBRef("people", oid(n))} for n in range(1, 31)]
    text, _ = proposed(tmp_path, {"users": USERS, "posts": posts})
    assert line_of(text, "user:") == "user: jsonb!"


def test_ids_inside_json_are_replaced(tmp_path: Path) -> None:
    posts = [{"_id": oid(100 + n), "log": [{"user": oid(n)}, 5]} for n in range(1, 31)]
    text, _ = proposed(tmp_path, {"users": USERS, "posts": posts})
    assert line_of(text, "log:") == 'log: {type: jsonb!, rewrite: {"[].user": users}}'


def test_natural_ids_stay_and_other_ids_keep_their_value_beside(tmp_path: Path) -> None:
    text, mapping = proposed(
        tmp_path,
        {
            "texts": [{"_id": "a"}, {"_id": "b"}],
            "numbers": [{"_id": 1}, {"_id": 2}],
            "pairs": [{"_id": {"a": 1}}, {"_id": {"a": 2}}],
            "mixed": [{"_id": 1}, {"_id": "b"}, {"_id": oid(5)}],
            "wide": [{"_id": "w" * 3000}],
        },
    )
    kept = {name: (entry.ids, str(entry.id.type)) for name, entry in mapping.collections.items()}
    assert kept["texts"] == ("keep", "text")
    assert kept["numbers"] == ("keep", "integer")
    assert kept["pairs"] == kept["mixed"] == kept["wide"] == ("uuid", "uuid")
    assert text.count("source_id: {path: [_id], column: source_id") == 3


def test_kept_ids_give_way_to_references_of_other_types(tmp_path: Path) -> None:
    numbers = [{"_id": n} for n in range(100, 140)]
    users = [{"_id": oid(n), "no": n if n < 138 else "none"} for n in range(100, 140)]
    _, mapping = proposed(tmp_path, {"numbers": numbers, "users": users})
    assert mapping.collections["numbers"].ids == "uuid"


def test_what_may_be_found_by_chance_stays_a_value_and_is_told(tmp_path: Path) -> None:
    customers: list[dict[str, Any]] = [{"_id": n} for n in range(1, 301)]
    things: list[dict[str, Any]] = [{"_id": oid(n), "weight": 1 + n * 7919 % 320} for n in range(1, 2001)]
    text, _ = proposed(tmp_path, {"customers": customers, "things": things})
    assert line_of(text, "weight:") == "weight: integer!"
    (note,) = notes_above(text, "weight:")
    assert note.startswith("# check: ")
    assert "found in customers, perhaps by chance: they are small numbers" in note
    assert note.endswith("if they refer to it, write references: customers")


def test_ids_of_which_most_lead_nowhere_stay_values(tmp_path: Path) -> None:
    posts = [{"_id": oid(100 + n), "user": oid(n)} for n in range(1, 81)]
    text, _ = proposed(tmp_path, {"users": USERS, "posts": posts})
    assert "references: users" not in text
    assert "only 30 of 80 (37.5 %) values are found in users: too few" in notes_above(text, "user:")[0]


def test_dbrefs_into_another_database_are_no_references(tmp_path: Path) -> None:
    posts = [{"_id": oid(100 + n), "user": DBRef("users", oid(n), "elsewhere")} for n in range(1, 31)]
    text, _ = proposed(tmp_path, {"users": USERS, "posts": posts})
    assert "references: users" not in text
    assert any("its DBRefs name another database" in note for note in notes_above(text, "user:"))


def test_ids_that_may_be_the_same_digits_are_warned_of(tmp_path: Path) -> None:
    low, high = "abcdef0123456789abcdef01", "ABCDEF0123456789ABCDEF01"
    warning = "ids of the same digits, in upper or lower case, are one id"
    derived = [{"_id": low}, {"_id": high}, {"_id": "w" * 3000}]
    for number, ids in enumerate((derived, [{"_id": low}, {"_id": high}, {"_id": oid(5)}])):
        text, _ = proposed(tmp_path / f"said{number}", {"c": ids})
        assert warning in text
    for number, ids in enumerate(([{"_id": low}, {"_id": "w" * 3000}], [{"_id": low}, {"_id": high}])):
        text, _ = proposed(tmp_path / f"silent{number}", {"c": ids})
        assert warning not in text


@pytest.mark.parametrize("number", [20, 900])
def test_ids_that_stand_twice_in_a_damaged_dump_are_named(number: int, tmp_path: Path) -> None:
    documents = [{"_id": oid(n)} for n in range(number)]
    text, _ = proposed(tmp_path / "whole", {"c": documents})
    assert "another one has" not in text
    text, _ = proposed(tmp_path / "twice", {"c": [*documents, *documents[:2]]})
    assert f"# check: 2 documents of {number + 2} with an _id that another one has, too" in text


def test_field_that_refers_to_a_secret_is_one(tmp_path: Path) -> None:
    secrets = [f"geheim-{n:05}-x" for n in range(60)]
    tokens = [{"_id": oid(n), "token": secret} for n, secret in enumerate(secrets)]
    uses = [
        {"_id": oid(100 + n), "x": one, "xs": [one], "o": {"t": one}, "j": [{"t": one}, 1]}
        for n, one in enumerate(secrets * 2)
    ]
    text, _ = proposed(tmp_path / "unique", {"tok": tokens, "use": uses})
    for field in ("x", "xs", "o.t", "j"):
        assert "sensitive: true" in line_of(text, f"{field}:")
    uses[0]["x"] = 5
    text, _ = proposed(tmp_path / "mixed", {"tok": tokens, "use": uses})  # what cannot be written as a reference
    assert line_of(text, "x:") == "x: {type: jsonb!, sensitive: true}"
