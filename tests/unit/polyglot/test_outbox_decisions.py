"""What a relay decides without a server: waits, what a mark that is met means, what an error says of an event.

Oracle: the table of docs/explanation/outbox.md, by hand.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.errors import (
    AutoReconnect,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
    WriteError,
    WTimeoutError,
)

from isthmus.polyglot.outbox import delete, insert, put, update
from isthmus.polyglot.outbox.backoff import Patience
from isthmus.polyglot.outbox.event import Event
from isthmus.polyglot.outbox.faults import Refusal, is_trouble, refusal
from isthmus.polyglot.outbox.intent import Intent
from isthmus.polyglot.outbox.writes import Later, Met, changes, condition, judge, met, own_condition, whole_document

TOKEN, ANOTHER = UUID(int=7), UUID(int=8)
INTENTS = {
    one.operation: one for one in (insert("c", 1, {}), put("c", 1, {}), update("c", 1, set={"a": 1}), delete("c", 1))
}
DUPLICATE = Refusal("duplicate-key", "of another document")


def event(intent: Intent, number: int = 5) -> Event:
    return Event(number, 1, "c", intent.key.document_id, TOKEN, intent.operation, intent.payload, 0)


@pytest.mark.parametrize("operation", INTENTS)
@pytest.mark.parametrize("refused", [None, DUPLICATE])
def test_marks_that_are_met(operation: str, refused: Refusal | None) -> None:
    one = event(INTENTS[operation])
    assert judge(one, Met(5, TOKEN.bytes), refused) == "already"
    assert judge(one, Met(5, ANOTHER.bytes), refused) == Later(5, ANOTHER)
    assert judge(one, Met(9, ANOTHER.bytes), refused) == Later(9, ANOTHER)
    assert judge(one, Met(9, b"strange"), refused) == Later(9, None)
    for lower in (Met(4, ANOTHER.bytes), Met(None, None)):
        found = judge(one, lower, refused)
        assert found.fault == "already-there" if isinstance(found, Refusal) else found == "again"
        assert isinstance(found, Refusal) == (operation == "insert")


def test_no_document_is_met() -> None:
    found = {name: judge(event(one), None, DUPLICATE) for name, one in INTENTS.items()}
    assert found == {"insert": DUPLICATE, "put": DUPLICATE, "update": DUPLICATE, "delete": "already"}
    missing = judge(event(INTENTS["update"]), None, None)
    assert isinstance(missing, Refusal)
    assert missing.fault == "no-document"
    conditional = event(update("c", 1, set={"a": 1}, where={}))
    assert judge(conditional, None, None) == "already"
    assert judge(conditional, Met(9, ANOTHER.bytes), None) == Later(9, ANOTHER)
    assert judge(conditional, Met(4, ANOTHER.bytes), None) == "again"


@pytest.mark.parametrize(
    ("document", "mark"),
    [
        (None, None),
        ({}, Met(None, None)),
        ({"_isthmus": 5}, Met(None, None)),
        ({"_isthmus": {"v": "5", "e": 5}}, Met(None, None)),
        ({"_isthmus": {"v": 5}}, Met(5, None)),
    ],
)
def test_marks_are_read_whatever_stands_there(document: Any, mark: Met | None) -> None:
    assert met(document) == mark


def test_writes_hold_the_bytes_as_they_were_given() -> None:
    payload = {"b": 1.0, "a": {"$x": [None]}}
    whole = whole_document(event(put("c", {"k": 1}, payload)))
    assert list(whole) == ["_id", "b", "a", "_isthmus"]
    update_of = changes(event(update("c", 1, set={"x.y": {"$z": 1}}, unset=["u"], increment={"n": 2})))
    assert bson.decode(bson.encode({**update_of})) == {
        "$set": {"x.y": {"$z": 1}, "_isthmus": {"v": 5, "e": bson.Binary(TOKEN.bytes, 4)}},
        "$unset": {"u": True},
        "$inc": {"n": 2},
    }
    assert isinstance(update_of["$set"], RawBSONDocument)
    given = event(update("c", {"k": 1}, pull={"l": 1.0}, where={"b": 1.0, "$or": [{"a": None}]}))
    assert bson.decode(bson.encode({**changes(given)}))["$pull"] == {"l": 1.0}
    asked = {"_id": {"$eq": {"k": 1}}, "_isthmus.v": {"$not": {"$gte": 5}}, "b": 1.0, "$or": [{"a": None}]}
    assert bson.decode(bson.encode(condition(given))) == asked
    del asked["_isthmus.v"]
    assert bson.decode(bson.encode(own_condition(given) or {})) == asked
    assert own_condition(event(update("c", 1, set={"where": 1}))) is None


def test_waits_double_up_to_the_longest_and_end() -> None:
    patience = Patience(attempts=4, first_seconds=0.5, longest_seconds=3.0)
    assert [patience.wait_seconds(n) for n in (1, 2, 3, 4, 10_000)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert [patience.parks(n) for n in (1, 3, 4, 5)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("error", "passes", "trouble"),
    [
        (AutoReconnect("x"), True, True),
        (WTimeoutError("x", 64, {}), False, True),
        (WriteConcernError("x", 64, {}), False, True),
        (OperationFailure("x", 18), False, True),
        (OperationFailure("x", 14031), False, True),
        (WriteError("x", 121, {}), False, False),
        (DuplicateKeyError("x", 11000, {}), False, False),
        (OperationFailure("x", 13), False, False),
    ],
)
def test_trouble_is_told_from_refusals(error: PyMongoError, passes: bool, trouble: bool) -> None:
    assert is_trouble(error, passes=passes) == trouble


def test_words_of_a_refusal_hold_no_values() -> None:
    error = DuplicateKeyError("x", 11000, {})
    words = 'E11000 duplicate key error collection: app.people index: mail_1 dup key: { mail: "ann@example.org" }'
    found = refusal(error, words)
    assert (found.fault, "mail_1" in found.words, "ann" in found.words) == ("duplicate-key", True, False)
    assert refusal(OperationFailure("x", 99), "w").fault == "code-99"
