"""Documents whose secrets are taken out: what goes, what stays, and that nothing else changes.

Oracle: the driver's decoder, and documents by hand. Cannot see: secrets under names that say nothing of them.
"""

from __future__ import annotations

import datetime
from typing import Any

import bson
import pytest
from bson import Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from apps.panamia.moving.leaving_out import BEGINS, LeavingOut, left_out
from isthmus.errors import SourceError
from isthmus.mapping import load_mapping, parse_mapping
from tests.apps.panamia.conftest import MAPPING

KINDS: dict[str, Any] = {
    "text": "f()",
    "number": 1.5,
    "whole": 7,
    "long": Int64(1 << 40),
    "decimal": Decimal128("1.20"),
    "bytes": b"\x00\x01",
    "old bytes": bson.Binary(b"abc", 2),
    "id": ObjectId(),
    "regex": Regex("a|b", "i"),
    "code": Code("f()"),
    "scoped": Code("f()", {"a": 1}),
    "ref": DBRef("users", ObjectId()),
    "at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    "stamp": Timestamp(1, 2),
    "least": MinKey(),
    "most": MaxKey(),
    "none": None,
    "yes": True,
    "empty": "",
    "list": [],
}


@pytest.fixture(scope="module")
def leaving() -> LeavingOut:
    return LeavingOut(load_mapping(MAPPING), b"k" * 32)


def through(leaving: LeavingOut, collection: str, document: dict[str, Any]) -> dict[str, Any]:
    raw = bson.encode(document)
    new = leaving.of(collection)(raw)
    assert leaving.of(collection)(raw) == new, "the same twice"
    found: dict[str, Any] = bson.decode(new)
    assert left_out(new) == str(found).count(BEGINS)
    return found


def is_left_out(value: object) -> bool:
    return isinstance(value, str) and value.startswith(BEGINS) and len(value) == len(BEGINS) + 64


def test_documents_without_secrets_are_the_same_bytes(leaving: LeavingOut) -> None:
    document = {"_id": 1, **KINDS, "in": dict(KINDS), "all": list(KINDS.values()), "token_type": "bearer"}
    raw = bson.encode(document)
    assert leaving.of("events")(raw) == raw
    twice = raw[:4] + raw[4:-1] + b"\x0a_\xff\x00" + raw[4:]  # a key that is no text, and every key a second time
    twice = len(twice).to_bytes(4, "little") + twice[4:]
    assert leaving.of("events")(twice) == twice
    named = bson.encode({"emailPreferenceKey": "like", "_id": {"token": None}})
    assert leaving.of("notifications")(named) == named, "a column that the mapping does not call sensitive"


def test_what_mapping_or_name_calls_secret_is_left_out_and_nothing_else(leaving: LeavingOut) -> None:
    account = {"_id": 7, "provider": "x", "access_token": "at-1", "refresh_token": None, "id_token": "", "n": 1}
    found = through(leaving, "nextauth_accounts", account)
    assert is_left_out(found["access_token"])
    assert found == {**account, "access_token": found["access_token"]}
    profile = {"status": {"access": "s3cr3t", "approved": KINDS["at"], "notes": "n"}, "locally_based": "yes"}
    found = through(leaving, "profiles", profile)
    assert is_left_out(found["status"]["access"])
    assert (found["status"]["approved"], found["locally_based"]) == (KINDS["at"].replace(tzinfo=None), "yes")
    # no rule names them: the dropped options of a call, and what nobody declared, in whatever it lies
    stray = {"session": {"a": [{"sessionToken": "st"}, {"b": [["x"]]}]}, "apiKeys": ["k1", 2, {"of": b"3"}]}
    found = through(leaving, "nextauth_accounts", stray)
    assert is_left_out(found["session"]["a"][0]["sessionToken"])
    assert found["session"]["a"][1] == {"b": [["x"]]}
    assert all(is_left_out(one) for one in [*found["apiKeys"][:2], found["apiKeys"][2]["of"]])


def test_a_secret_of_a_child_row_is_left_out_of_each_element() -> None:
    fields = "{steps: {child: task_steps, fields: {name: text!, word: {type: text, sensitive: true}}}}"
    leaving = LeavingOut(parse_mapping(f"isthmus: 1\ncollections:\n  tasks: {{fields: {fields}}}\n"), b"k" * 32)
    found = through(leaving, "tasks", {"steps": [{"name": "a", "word": "x"}, {"word": "y"}], "word": "z"})
    assert [is_left_out(one["word"]) for one in found["steps"]] == [True, True]
    assert (found["steps"][0]["name"], found["word"]) == ("a", "z")


def test_every_type_that_can_hold_a_secret_is_left_out(leaving: LeavingOut) -> None:
    found = through(leaving, "signups", {"password": KINDS})["password"]
    kept = {"at", "least", "most", "none", "yes", "empty", "list", "ref"}
    assert {name for name, value in found.items() if not is_left_out(value)} == kept
    assert is_left_out(found["ref"].id)
    assert len({value for value in found.values() if is_left_out(value)}) == len(found) - len(kept)


def test_who_has_the_export_alone_cannot_try_values_out(leaving: LeavingOut) -> None:
    other = LeavingOut(load_mapping(MAPPING), b"l" * 32)
    pin = {"pin": 1234}
    assert through(leaving, "users", pin) != through(other, "users", pin)
    assert through(leaving, "users", pin) == through(leaving, "images", pin)


@pytest.mark.parametrize(
    "raw", [b"\x09\x00\x00\x00\x02a\x00\xff\x00", b"\x08\x00\x00\x00\x44a\x00\x00", b"\x07\x00\x00\x00\x02aa\x00"]
)
def test_what_is_no_document_is_said(leaving: LeavingOut, raw: bytes) -> None:
    with pytest.raises(SourceError) as fault:
        leaving.of("users")(raw)
    assert fault.value.code == "broken-document"
