"""The one write that an event becomes, conditional on the document's own mark; what marks that are met mean. Pure.

Every write sets the mark: `_isthmus: {v: NUMBER, e: TOKEN}`. Its condition is that the document's mark is lower, or
that there is none. So a write that is sent again, or late, finds its own mark or a higher one, and changes nothing. Why
that is enough is worked out in docs/explanation/outbox.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

import bson
from bson import Binary, Int64
from bson.raw_bson import RawBSONDocument

from isthmus.polyglot.outbox.event import Event
from isthmus.polyglot.outbox.faults import Refusal
from isthmus.polyglot.outbox.intent import MARK
from isthmus.sources.live.positions import equals


@dataclass(frozen=True)
class Later:
    """The mark of another event, which stands in a document though its version is later.

    Attributes:
        version: Of that event.
        token: Of that event.
    """

    version: int
    token: UUID | None


Verdict = Literal["already", "again"] | Later | Refusal
"""What is to be done about a write that matched nothing: it was applied before, or nothing is to be done; try again;
look for a later event; it is refused."""

_OPERATORS = {"set": "$set", "unset": "$unset", "increment": "$inc", "pull": "$pull"}


def by_id(event: Event) -> dict[str, Any]:
    """Return what finds the document, whatever type its `_id` has."""
    return {"_id": RawBSONDocument(equals(event.document_id))["_id"]}


def still_before(event: Event) -> dict[str, Any]:
    """Return the condition: no mark, or a lower one."""
    return {**by_id(event), f"{MARK}.v": {"$not": {"$gte": Int64(event.id)}}}


def marked_before(event: Event) -> dict[str, Any]:
    """Return the condition: a mark that is lower."""
    return {**by_id(event), f"{MARK}.v": {"$lt": Int64(event.id)}}


def whole_document(event: Event) -> RawBSONDocument:
    """Return the document of an `insert` or a `put`, with its `_id` first and its mark last; its bytes as they are."""
    return RawBSONDocument(_document(_elements(event.document_id) + _elements(event.payload) + _elements(_mark(event))))


def changes(event: Event) -> dict[str, Any]:
    """Return the update of an `update`."""
    parts = RawBSONDocument(event.payload)
    update: dict[str, Any] = {"$set": {}}
    for name, operator in _OPERATORS.items():
        if name in parts:
            update[operator] = parts[name]
    own = update["$set"]
    fields = _elements(bytes(own.raw)) if isinstance(own, RawBSONDocument) else b""
    return {**update, "$set": RawBSONDocument(_document(fields + _elements(_mark(event))))}


def condition(event: Event) -> Mapping[str, Any]:
    """Return the condition under which an `update` is done: `still_before`, and its own where it has one."""
    return _with_own(event, still_before(event))


def own_condition(event: Event) -> Mapping[str, Any] | None:
    """Return its own condition, of its document; None where it has none, so that the document must be there."""
    return _with_own(event, by_id(event)) if has_condition(event) else None


def has_condition(event: Event) -> bool:
    """Tell whether an event is an `update` with a condition of its own."""
    return event.operation == "update" and "where" in RawBSONDocument(event.payload)


def may_create(event: Event) -> bool:
    """Tell whether an `update` makes the document when it is not there."""
    return "create" in RawBSONDocument(event.payload)


@dataclass(frozen=True)
class Met:
    """A document that stands where a write matched nothing.

    Attributes:
        version: Of its mark; None without one.
        token: Of its mark, as it stands there.
    """

    version: int | None
    token: bytes | None


def met(document: dict[str, Any] | None) -> Met | None:
    """Return the mark of a document that was found; None where none was."""
    if document is None:
        return None
    mark = document.get(MARK)
    found = cast("dict[str, Any]", mark) if isinstance(mark, dict) else {}
    version, token = found.get("v"), found.get("e")
    return Met(int(version) if isinstance(version, int) else None, bytes(token) if isinstance(token, bytes) else None)


def judge(event: Event, there: Met | None, refused: Refusal | None) -> Verdict:
    """Say what it means that a write matched nothing.

    Args:
        event: The event, whose key nobody else holds.
        there: The document as it stands; None where there is none.
        refused: What MongoDB said, where it did not just match nothing.
    """
    if there is not None and there.token == event.token.bytes:
        return "already"
    if there is None and (event.operation == "delete" or has_condition(event)):
        return "already"
    if there is not None and there.version is not None and there.version >= event.id:
        return Later(there.version, UUID(bytes=there.token) if there.token and len(there.token) == 16 else None)
    if event.operation == "insert" and there is not None:
        return Refusal("already-there", "There is a document with this _id already.")
    if refused is not None and there is None:
        return refused
    if event.operation == "update" and there is None:
        return Refusal("no-document", "There is no document with this _id to update.")
    return "again"  # somebody else wrote between the write and the look, or its own condition does not hold


def strange(mark: Later) -> Refusal:
    """Return what it means that a later mark is of no event of this key."""
    words = (
        f"The document was written by event {mark.version}, later than this one, which this database does not have: it"
        " was restored from a backup, or another one writes to the same documents."
    )
    return Refusal("newer-version", words)


def _mark(event: Event) -> bytes:
    return bson.encode({MARK: {"v": Int64(event.id), "e": Binary(event.token.bytes, 4)}})


def _with_own(event: Event, asked: dict[str, Any]) -> Mapping[str, Any]:
    parts = RawBSONDocument(event.payload)
    if "where" not in parts:
        return asked
    own = parts["where"]
    if not isinstance(own, RawBSONDocument):
        raise TypeError("A condition is no document.")
    return RawBSONDocument(_document(_elements(bson.encode(asked)) + _elements(bytes(own.raw))))


def _elements(document: bytes) -> bytes:
    return document[4:-1]


def _document(elements: bytes) -> bytes:
    return (len(elements) + 5).to_bytes(4, "little") + elements + b"\0"
