"""What a value of a document may mean: which `_id` it writes, and whether it is an id of the target as it stands.

Oracle: `IdCodec` for what ids are derived to; the meaning of BSON types stated here.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import bson
import pytest
from bson import Binary, DBRef, Decimal128, Int64, ObjectId

from isthmus._rust import IdCodec
from isthmus.mapping import parse_mapping
from isthmus.polyglot.audit_goals import Goal, Goals, form_of, text_of
from isthmus.polyglot.sites import sites

KEY = bytes(range(32))
HEX = "65f0c1a2b3c4d5e6f7a8b9c0"
MAPPING = """
isthmus: 1
collections:
  users: {ids: cuid2, fields: {e-mail: {column: mail, type: text, unique: true, normalise: [trim, lower]}}}
  legacy: {ids: keep, fields: {n: integer}}
  both: {ids: uuid, from: [left, right], fields: {n: integer}}
  posts:
    fields:
      author: {references: users}
      mail: {column: by_mail, references: users.e-mail}
      old: {references: legacy}
      of: {references: both}
"""


@pytest.fixture(scope="module")
def goals() -> Goals:
    mapping = parse_mapping(MAPPING)
    return Goals(mapping, [one for site in sites(mapping) for one in site.pointers], KEY)


def goal(goals: Goals, entry: str, field: str | None = None) -> Goal:
    return next(one for one in goals.all if one.entry == entry and one.field == ((field,) if field else None))


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (ObjectId(HEX), "object_id"),
        (HEX, "hex"),
        (HEX.upper(), "hex"),
        (DBRef("users", ObjectId(HEX)), "object_id"),
        (DBRef("users", HEX), "hex"),
        ("0f8fad5b-d9cb-469f-a165-70867728950e", "id"),
        ("0F8FAD5B-D9CB-469F-A165-70867728950E", "other"),  # the target writes them in lower case
        ("tz4a98xxat96iws9zmbrgj3a", "id"),
        ("1z4a98xxat96iws9zmbrgj3a", "other"),  # a letter stands first
        (HEX + "0", "other"),
        ("", "other"),
        (7, "other"),
        (None, "other"),
    ],
)
def test_how_a_value_is_written(value: object, form: str) -> None:
    assert form_of(value) == form


def test_object_id_and_its_digits_mean_one_document(goals: Goals) -> None:
    users = goal(goals, "users")
    key = IdCodec(KEY).derive("users", bson.encode({"_id": ObjectId(HEX)}), "cuid2")
    for value in (ObjectId(HEX), HEX, HEX.upper(), DBRef("users", ObjectId(HEX))):
        assert goals.meaning(users, value).key == key
    assert goals.meaning(users, ObjectId(HEX)).literal is None
    assert goals.meaning(users, HEX).literal == HEX


@pytest.mark.parametrize("same", [[5, Int64(5), 5.0, Decimal128("5"), Decimal128("5.0")]])
def test_equal_numbers_mean_one_document_and_texts_and_truth_values_another(goals: Goals, same: list[Any]) -> None:
    users = goal(goals, "users")
    assert len({goals.meaning(users, value).key for value in same}) == 1
    assert goals.meaning(users, "5").key != goals.meaning(users, 5).key
    assert goals.meaning(users, True).key != goals.meaning(users, 1).key


def test_dbref_into_another_collection_means_nothing(goals: Goals) -> None:
    meaning = goals.meaning(goal(goals, "users"), DBRef("posts", ObjectId(HEX)))
    assert (meaning.key, meaning.literal, meaning.id_document) == (None, None, None)


def test_id_that_this_target_made_is_known_as_one(goals: Goals) -> None:
    users = goal(goals, "users")
    made = IdCodec(KEY).derive("users", bson.encode({"_id": ObjectId(HEX)}), "cuid2")
    of_another = IdCodec(bytes(32)).derive("users", bson.encode({"_id": ObjectId(HEX)}), "cuid2")
    assert goals.meaning(users, made).made
    assert goals.meaning(users, made).literal == made
    assert not goals.meaning(users, of_another).made
    assert not goals.meaning(users, HEX).made


def test_ids_that_are_kept_are_compared_as_text(goals: Goals) -> None:
    legacy = goal(goals, "legacy")
    assert [goals.meaning(legacy, value).key for value in (7, Int64(7), "7", ObjectId(HEX), HEX)] == [
        "7",
        "7",
        "7",
        HEX,
        HEX,
    ]
    assert goals.meaning(legacy, {"a": 1}).key is None
    assert goals.meaning(legacy, True).key is None


def test_field_is_compared_after_what_is_done_to_it(goals: Goals) -> None:
    by_mail = goal(goals, "users", "e-mail")
    assert goals.meaning(by_mail, " Ann@Example.org ").key == "ann@example.org"
    assert goals.meaning(by_mail, ObjectId(HEX)).key == HEX
    assert goals.meaning(by_mail, "a\0b").key is None
    assert (by_mail.column, by_mail.held) == ("mail", "id")


def test_entry_of_several_collections_is_known_by_all_their_names(goals: Goals) -> None:
    both = goal(goals, "both")
    assert both.names == ["left", "right", "both"]
    assert both.hashed_as == "both"


def test_entries_of_one_table_are_one_goal_by_id_but_not_by_field() -> None:
    mapping = parse_mapping(
        """
        isthmus: 1
        collections:
          users: {table: people, on_duplicate: merge, fields: {mail: {type: text, unique: true}}}
          auth: {table: people, on_duplicate: merge, fields: {mail: {type: text, unique: true}}}
          posts: {fields: {author: {references: users}, mail: {references: auth.mail}}}
        """
    )
    goals = Goals(mapping, [one for site in sites(mapping) for one in site.pointers], KEY)
    assert [(one.entry, one.sources) for one in goals.all] == [("users", ("users", "auth")), ("auth", ("auth",))]


def test_row_of_a_document_has_the_id_of_its_own_collection(goals: Goals) -> None:
    document = bson.encode({"_id": "x"})
    assert goals.row_id("left", document, "uuid") == IdCodec(KEY).derive("left", document, "uuid")
    assert goals.row_id("left", document, "keep") == "x"
    broken = bson.encode({"_id": "xy"}).replace(b"xy", b"\xff\xfe")
    assert goals.row_id("left", broken, "keep") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Binary.from_uuid(UUID(int=1)), "00000000-0000-0000-0000-000000000001"),
        (Binary(b"abc"), None),
        (Binary(b"abc", 4), None),
        (bson.Code("abc"), None),
        (7.0, "7"),
        (7.5, "7.5"),
        (Int64(-7), "-7"),
        (Decimal128("1.50"), "1.50"),
        (True, None),
        ({"a": 1}, None),
        ("ü", "ü"),
    ],
)
def test_text_of_a_value(value: object, text: str | None) -> None:
    assert text_of(value) == text
