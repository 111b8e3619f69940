"""What is to become of one document, checked before it is written down. Pure.

Four operations: `insert` makes a document that is not there, `put` makes it be this document, `update` changes fields
of one that is there, `delete` removes it. Values become BSON here, so their types survive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import bson
from bson import Decimal128, Int64
from bson.errors import BSONError

from isthmus.errors import PolyglotError, Where
from isthmus.mapping import mark
from isthmus.polyglot.outbox.key import CODEC, DocumentKey, document_key

Operation = Literal["insert", "put", "update", "delete"]

MARK = mark.MARK

_LARGEST_BYTES = 16 * 1024 * 1024 - 2_048  # of a document, beside its mark and its `_id`


@dataclass(frozen=True)
class Intent:
    """What is to become of one document.

    Attributes:
        key: The document.
        operation: What is done.
        payload: BSON: of `insert` and `put` the document without `_id`; of `update` `{"set": {path: value}, "unset":
            {path: true}, "increment": {path: number}, "pull": {path: condition}, "where": condition, "create": true}`,
            each only where there is something; of `delete` nothing.
    """

    key: DocumentKey
    operation: Operation
    payload: bytes


def insert(collection: str, document_id: object, document: Mapping[str, Any]) -> Intent:
    """Make a document that is not there. One that is there already parks the event.

    Args:
        collection: Its collection.
        document_id: Its `_id`.
        document: The document; an `_id` in it must be the same.

    Raises:
        PolyglotError: It cannot be (codes `outbox-key`, `outbox-document`).
    """
    key = document_key(collection, document_id)
    return Intent(key, "insert", _document(key, document))


def put(collection: str, document_id: object, document: Mapping[str, Any]) -> Intent:
    """Make a document be this one, whether it is there or not. Arguments and errors as of `insert`."""
    key = document_key(collection, document_id)
    return Intent(key, "put", _document(key, document))


def update(
    collection: str,
    document_id: object,
    *,
    set: Mapping[str, Any] | None = None,  # noqa: A002  the word of MongoDB
    unset: Iterable[str] = (),
    increment: Mapping[str, Any] | None = None,
    pull: Mapping[str, Any] | None = None,
    where: Mapping[str, Any] | None = None,
    create: bool = False,
) -> Intent:
    """Change fields of a document, all of them at once. Other fields stay, whoever writes them.

    Args:
        collection: Its collection.
        document_id: Its `_id`.
        set: Path → value.
        unset: Paths that are removed.
        increment: Path → number that is added; applied once, as all else.
        pull: Path of an array → which elements leave it, as MongoDB's `$pull` takes it: a value, `{"$in": values}`, or
            a condition. Others stay, also those that were added meanwhile.
        where: A condition as MongoDB's `find` takes it. Nothing is done where it does not hold when the event is
            applied, nor where there is no document; `{}` asks for the document alone.
        create: Make the document when it is not there. Without it, and without `where`, the event is parked then.

    Paths are MongoDB's: `address.city`, `tags.0`; with `where` also `tags.$.label`, the first element that it found. A
    field whose name holds a dot cannot be named.

    Raises:
        PolyglotError: It cannot be (codes `outbox-key`, `outbox-document`, `outbox-path`).
    """
    key = document_key(collection, document_id)
    gone = (unset,) if isinstance(unset, str) else tuple(unset)
    added, pulled = increment or {}, pull or {}
    _check_paths(key, [*(set or {}), *gone, *added, *pulled], positions=where is not None)
    _check_where(key, where, create=create)
    strange = [path for path, one in added.items() if not _is_number(one)]
    if strange:
        raise _no_document(f"increment of {strange[0]!r} is no number.", key)
    parts: dict[str, Any] = {}
    if set:
        parts["set"] = dict(set)
    if gone:
        parts["unset"] = dict.fromkeys(gone, True)
    if added:
        parts["increment"] = dict(added)
    if pulled:
        parts["pull"] = dict(pulled)
    if where is not None:
        parts["where"] = dict(where)
    if create:
        parts["create"] = True
    return Intent(key, "update", _encoded(key, parts))


def delete(collection: str, document_id: object) -> Intent:
    """Remove a document; one that is not there is none the less done with.

    Raises:
        PolyglotError: There can be no such document (code `outbox-key`).
    """
    return Intent(document_key(collection, document_id), "delete", b"")


def _document(key: DocumentKey, document: Mapping[str, Any]) -> bytes:
    for name in document:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]  who calls may not be typed
            raise _no_document(f"The name of a field is {type(name).__name__}, not text.", key)
        if name.startswith("$"):
            raise _no_document(f"The field {name[:60]!r} begins with $, which MongoDB takes for an operator.", key)
    if MARK in document:
        raise _no_document(f"The field {MARK} belongs to the outbox.", key)
    if "_id" in document and document_key(key.collection, document["_id"]).digest != key.digest:
        raise _no_document("The document holds another _id than the one it is for.", key)
    return _encoded(key, {name: one for name, one in document.items() if name != "_id"})


def _check_paths(key: DocumentKey, paths: list[str], *, positions: bool) -> None:
    """Refuse paths that MongoDB would refuse each time, or that another path goes through.

    Args:
        key: The document.
        paths: All that are changed.
        positions: Whether a step `$` means something.

    Raises:
        PolyglotError: There is one, or there is none at all (code `outbox-path`).
    """
    if not paths:
        raise _no_path("Nothing is set, unset, incremented or pulled.", key)
    seen: set[tuple[str, ...]] = set()
    for path in paths:
        if not isinstance(path, str) or not all(path.split(".")) or "\0" in path:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise _no_path(f"{path!r} is no path.", key)
        steps = tuple(path.split("."))
        named = [step for step in steps[1:] if step != "$"] if positions and steps.count("$") < 2 else steps[1:]
        if any(step.startswith("$") for step in (steps[0], *named)):
            raise _no_path(f"A part of {path[:60]!r} begins with $, which MongoDB takes for an operator.", key)
        if steps[0] in {"_id", MARK}:
            raise _no_path(f"{steps[0]} is not for changing.", key)
        if steps in seen:
            raise _no_path(f"{path[:60]!r} is named twice.", key)
        seen.add(steps)
    for steps in seen:
        for length in range(1, len(steps)):
            if steps[:length] in seen:
                inner, outer = ".".join(steps)[:60], ".".join(steps[:length])[:60]
                raise _no_path(f"{inner!r} lies inside {outer!r}, which is changed too.", key)


def _check_where(key: DocumentKey, where: Mapping[str, Any] | None, *, create: bool) -> None:
    """Refuse a condition that cannot stand beside those of the outbox.

    Raises:
        PolyglotError: It is such a one (code `outbox-document`).
    """
    if where is None:
        return
    if create:
        raise _no_document("An update has a condition, or makes the document: not both.", key)
    for name in where:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]  who calls may not be typed
            raise _no_document(f"The name of a field in its condition is {type(name).__name__}, not text.", key)
        if name.partition(".")[0] in {"_id", MARK}:
            raise _no_document(f"Its condition names {name[:60]!r}, which is asked for anyway.", key)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Int64 | Decimal128) and not isinstance(value, bool)


def _encoded(key: DocumentKey, document: Mapping[str, Any]) -> bytes:
    try:
        data = bson.encode(document, codec_options=CODEC)
    except (BSONError, OverflowError, TypeError, ValueError, RecursionError) as fault:
        words = " ".join(str(fault).split())[:200] if isinstance(fault, BSONError) else type(fault).__name__
        raise _no_document(f"It cannot be written as BSON: {words}.", key) from fault
    if len(data) > _LARGEST_BYTES:
        raise _no_document(f"It has {len(data):,} bytes; MongoDB takes {_LARGEST_BYTES:,} at most.", key)
    return data


def _no_document(words: str, key: DocumentKey) -> PolyglotError:
    hint = "Correct what is enqueued; nothing was written down."
    return PolyglotError(words, code="outbox-document", where=Where(collection=key.collection), hint=hint)


def _no_path(words: str, key: DocumentKey) -> PolyglotError:
    hint = "Name each path once, as MongoDB writes it: address.city. A name with a dot in it goes with its parent."
    return PolyglotError(words, code="outbox-path", where=Where(collection=key.collection), hint=hint)
