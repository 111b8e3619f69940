"""One document on both sides of a switch: what differs, what cannot be carried, what is written into MongoDB. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast
from uuid import uuid4

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import ReplaceOne

from isthmus._rust import extended_json
from isthmus.errors import PolyglotError, Problem, Where
from isthmus.polyglot.outbox.intent import MARK
from isthmus.polyglot.stores.form import CODEC, LARGEST_BYTES, from_bson, to_bytes, unfit
from isthmus.polyglot.stores.ids import checked_id, id_kind
from isthmus.polyglot.switch.sides import Pair, no_ids
from isthmus.sources.extended_json.values import Unfit

_BATCH = 500
_BATCH_BYTES = 16 * 1024 * 1024


def batches(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    """Yield pairs in lists: not too many, and not too large, but for one that is so by itself."""
    batch: list[Pair] = []
    size = 0
    for pair in pairs:
        batch.append(pair)
        size += len(pair.source or b"") + len(pair.row or "")
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def difference(pair: Pair) -> str | None:
    """Return what differs between both sides of a document, by the names of its fields; None: nothing."""
    if pair.source is None:
        return "is in PostgreSQL only"
    if pair.row is None:
        return "is in MongoDB only"
    try:
        row = _typed(to_bytes(pair.row))
    except Unfit as fault:
        return f"its row is no document in Isthmus's form: {fault}"
    source = _typed(pair.source)
    if row == source:
        return None
    names = sorted(name for name in {*row, *source} if row.get(name, ...) != source.get(name, ...))
    return f"differs in {', '.join(names[:5])}{' and more' if len(names) > 5 else ''}"


def source_problems(collection: str, document_id: str, source: bytes) -> Iterator[Problem]:
    """Yield what a table cannot keep of a document in MongoDB.

    Args:
        collection: Its name.
        document_id: The text of its `_id`.
        source: BSON.
    """
    where = Where(collection=collection, source_id=document_id[:80])
    try:
        checked_id(document_id, collection)
        for path, what in unfit(source):
            yield _no_document(collection, document_id, what, path)
        extended_json(source)
    except PolyglotError as fault:
        yield Problem(fault.code, fault.message, where)
    except (BSONError, ValueError) as fault:
        yield _no_document(collection, document_id, f"it cannot be read: {type(fault).__name__}")


def row_problems(collection: str, row_id: str, row: str) -> Iterator[Problem]:
    """Yield why a row of the table is no document that could go into MongoDB.

    Args:
        collection: Its name.
        row_id: The row's id.
        row: The text of its document.
    """
    try:
        data = to_bytes(row)
        document = from_bson(data)
    except (Unfit, BSONError) as fault:
        yield _no_document(collection, row_id, f"its row is no document in Isthmus's form: {fault}")
        return
    if "_id" not in document or str(document["_id"]) != row_id:
        yield _no_document(collection, row_id, "the id of its row is not the _id in it", "_id")
        return
    try:
        checked_id(document["_id"], collection)
    except PolyglotError as fault:
        yield Problem(fault.code, fault.message, Where(collection=collection, source_id=row_id[:80]))
    if MARK in document:
        yield _no_document(collection, row_id, f"the field {MARK} is Isthmus's own", MARK)
    if len(data) > LARGEST_BYTES:
        words = f"it has {len(data):,} bytes; MongoDB takes {LARGEST_BYTES:,} at most"
        yield _no_document(collection, row_id, words)
    for path, what in unfit(data):
        yield _no_document(collection, row_id, what, path)


def problems_of_rows(collection: str, rows: Iterable[tuple[str, str]], most: int) -> list[Problem]:
    """Return why rows of the table are no documents that could go into MongoDB, and about so many at most.

    Args:
        collection: Its name.
        rows: Id and document.
        most: How many.

    Raises:
        PolyglotError: Their ids are of more than one kind (code `switch-ids`).
    """
    kind = ""
    problems: list[Problem] = []
    for name, row in rows:
        found = list(row_problems(collection, name, row))
        problems += found
        if len(problems) >= most:
            break
        if not found:
            own = id_kind(from_bson(to_bytes(row))["_id"])
            if kind not in {"", own}:
                raise no_ids(collection, f"the _id {name[:80]} is a {own}", kind)
            kind = own
    return problems


def replacement(pair: Pair) -> ReplaceOne[RawBSONDocument]:
    """Return the write of a row's document into MongoDB: what the outbox noted in the one that is there stays.

    Of a document that a store has written since it was read here it fails: this process is not the only one any more.
    """
    before: Any = from_bson(pair.source).get(MARK) if pair.source is not None else None
    mark = {**(cast("dict[str, Any]", before) if isinstance(before, dict) else {}), "r": uuid4()}
    elements = to_bytes(pair.row or "")[4:-1] + bson.encode({MARK: mark}, codec_options=CODEC)[4:-1]
    whole = RawBSONDocument((len(elements) + 5).to_bytes(4, "little") + elements + b"\0")
    return ReplaceOne({**as_read(pair), "_id": whole["_id"]}, whole, upsert=True)


def as_read(pair: Pair) -> dict[str, Any]:
    """Return the condition that a document has still the mark with which it was read, or is still not there."""
    if pair.source is None:
        return {MARK: {"$exists": False}}
    found = RawBSONDocument(pair.source)
    return {"_id": found["_id"], MARK: {"$eq": found[MARK]} if MARK in found else {"$exists": False}}


def _typed(data: bytes) -> dict[str, Any]:
    """Return a document without Isthmus's mark as values that are equal where types and values are."""
    found: dict[str, Any] = json.loads(extended_json(data))
    found.pop(MARK, None)
    return found


def _no_document(collection: str, document_id: str, what: str, path: str | None = None) -> Problem:
    where = Where(collection=collection, source_id=document_id[:80], path=path)
    return Problem("store-document", f"This document cannot be in a store: {what}.", where)
