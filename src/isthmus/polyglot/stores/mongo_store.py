"""The documents of one collection in MongoDB.

A revision is Isthmus's mark in the document, `_isthmus`: each write sets a new token in it, and the outbox's relay sets
the mark anew. A write on condition of a revision is one write of MongoDB with that mark as its condition. A document
that no store has written has no mark yet. Its revision is a digest of all its fields, and the first write on condition
of that puts a mark there before, so that it has one to go by. Who writes a document with a mark by other means leaves
the revision as it was, and is not noticed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast
from uuid import UUID, uuid4

import bson
import pymongo
from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from isthmus.polyglot.mark import FENCE_WORDS
from isthmus.polyglot.outbox.intent import MARK
from isthmus.polyglot.stores import faults
from isthmus.polyglot.stores.asked import checked_limit, mongo_filter
from isthmus.polyglot.stores.changes import Changes
from isthmus.polyglot.stores.form import CODEC, from_bson, to_bson
from isthmus.polyglot.stores.ids import checked_id
from isthmus.polyglot.stores.protocol import Stored

_TRIES = 20
"""How often a whole document is written while others write it each time between a look and the write."""
_DIGEST = "-"
"""Begins the revision of a document without a mark, and no other."""
_NEVER: dict[str, Any] = {MARK: {"r": UUID(int=0)}}
"""A condition that no document meets."""
_NOT_VIABLE = 28
_NOT_VALID = 121
_TOO_LARGE = frozenset({10334, 17419, 17420})
"""Codes of errors (MongoDB, `src/mongo/base/error_codes.yml`)."""


class MongoStore:
    """A `DocumentStore` in MongoDB. Writes are acknowledged by a majority; reads ask the primary.

    Args:
        collection: pymongo's asynchronous collection; its options for values and concerns are replaced by the store's.
        write_seconds: How long one write may take; the server is told. Then its outcome is unknown (pymongo raises).
    """

    def __init__(self, collection: AsyncCollection[Any], *, write_seconds: float = 10.0) -> None:
        self._name = collection.name
        self._seconds = write_seconds
        self._collection: AsyncCollection[dict[str, Any]] = collection.with_options(
            codec_options=CODEC,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority", j=True),
        )

    async def get(self, document_id: object) -> Stored | None:
        """As `DocumentStore.get`."""
        found = await self._collection.find_one({"_id": checked_id(document_id, self._name)})
        return None if found is None else _stored(found)

    async def find(self, fields: Mapping[str, object], *, limit: int = 100, after: object = None) -> list[Stored]:
        """As `DocumentStore.find`."""
        wanted = mongo_filter(fields, self._name)
        if after is not None:
            wanted["_id"] = {**wanted.get("_id", {}), "$gt": checked_id(after, self._name)}
        cursor = self._collection.find(wanted).sort("_id", 1).limit(checked_limit(limit, self._name))
        return [_stored(one) async for one in cursor]

    async def insert(self, document: Mapping[str, Any]) -> Stored:
        """As `DocumentStore.insert`."""
        whole = self._whole({"_id": ObjectId(), **document})
        marked = {**whole, MARK: {"r": uuid4()}}
        try:
            with pymongo.timeout(self._seconds):
                await self._collection.insert_one(marked)
        except OperationFailure as fault:
            raise await self._told(fault) from fault
        return _stored(marked)

    async def put(self, document: Mapping[str, Any]) -> Stored:
        """As `DocumentStore.put`."""
        whole = self._whole(document)
        for _ in range(_TRIES):
            found = await self._mark_of(whole["_id"])
            try:
                stored = await self._exchanged(whole, found, upsert=found is None)
            except DuplicateKeyError as fault:
                if found is None and await self._mark_of(whole["_id"]) is not None:
                    continue  # somebody else made it between the look and the write
                raise await self._told(fault) from fault
            except OperationFailure as fault:
                raise await self._told(fault) from fault
            if stored is not None:
                return stored
        raise faults.conflict(self._name)

    async def replace(self, document: Mapping[str, Any], *, revision: str | None = None) -> Stored:
        """As `DocumentStore.replace`."""
        whole = self._whole(document)
        revision = await self._marked(whole["_id"], revision)
        for _ in range(_TRIES):
            found = await self._mark_of(whole["_id"])
            if found is None:
                raise faults.absent(self._name)
            if revision is not None and _revision(found) != revision:
                break
            try:
                stored = await self._exchanged(whole, found, upsert=False)
            except OperationFailure as fault:
                raise await self._told(fault) from fault
            if stored is not None:
                return stored
        raise faults.conflict(self._name)

    async def update(
        self,
        document_id: object,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002  the word of MongoDB
        unset: Iterable[str] = (),
        revision: str | None = None,
    ) -> Stored:
        """As `DocumentStore.update`."""
        checked = checked_id(document_id, self._name)
        changes = Changes(set, unset, self._name)
        update: dict[str, Any] = {"$set": {**changes.set, f"{MARK}.r": uuid4()}}
        if changes.unset:
            update["$unset"] = dict.fromkeys(changes.unset, "")
        wanted = {"_id": checked, **_has(await self._marked(checked, revision))}
        try:
            with pymongo.timeout(self._seconds):
                found = await self._collection.find_one_and_update(wanted, update, return_document=ReturnDocument.AFTER)
        except OperationFailure as fault:
            if fault.code == _NOT_VIABLE:
                raise changes.not_viable(next(iter(changes.set), "")) from fault
            raise await self._told(fault) from fault
        if found is not None:
            return _stored(found)
        raise faults.absent(self._name) if await self._mark_of(checked) is None else faults.conflict(self._name)

    async def delete(self, document_id: object, *, revision: str | None = None) -> bool:
        """As `DocumentStore.delete`."""
        checked = checked_id(document_id, self._name)
        wanted = {"_id": checked, **_has(await self._marked(checked, revision))}
        with pymongo.timeout(self._seconds):
            done = await self._collection.delete_one(wanted)
        if not done.deleted_count and revision is not None and await self._mark_of(checked) is not None:
            raise faults.conflict(self._name)
        return done.deleted_count > 0

    def _whole(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a document as it will be read, with an `_id`.

        Raises:
            PolyglotError: It cannot be (codes `store-document`, `store-id`).
        """
        checked_id(document.get("_id"), self._name)
        return from_bson(to_bson(document, self._name))

    async def _marked(self, document_id: object, revision: str | None) -> str | None:
        """Return a revision that can be the condition of one write: in the place of a digest, that of a new mark.

        Raises:
            PolyglotError: The validator refuses a mark (code `store-refused`), or it is a fence (`switch-frozen`).
        """
        if revision is None or not revision.startswith(_DIGEST):
            return revision
        given = {MARK: {"r": uuid4()}}
        without = {"_id": document_id, **_is_marked(None)}
        try:
            with pymongo.timeout(self._seconds):
                before = await self._collection.find_one_and_update(without, {"$set": given})
        except OperationFailure as fault:
            raise await self._told(fault) from fault
        return _revision(given) if before is not None and _revision(before) == revision else revision

    async def _mark_of(self, document_id: object) -> dict[str, Any] | None:
        """Return a document that has nothing but the mark; None where there is no document."""
        return await self._collection.find_one({"_id": document_id}, {"_id": 0, MARK: 1})

    async def _exchanged(self, whole: dict[str, Any], before: dict[str, Any] | None, *, upsert: bool) -> Stored | None:
        """Write a whole document if the one that is there has still that mark; what the outbox noted in it stays."""
        kept = (before or {}).get(MARK)
        mark = {**(cast("dict[str, Any]", kept) if isinstance(kept, dict) else {}), "r": uuid4()}
        marked = {**whole, MARK: mark}
        with pymongo.timeout(self._seconds):
            if upsert:
                await self._collection.insert_one(marked)
                return _stored(marked)
            done = await self._collection.replace_one({"_id": whole["_id"], **_is_marked(before)}, marked)
        return _stored(marked) if done.matched_count else None

    async def _told(self, fault: OperationFailure) -> BaseException:
        if isinstance(fault, DuplicateKeyError):
            pattern: Any = (fault.details or {}).get("keyPattern")
            names = ", ".join(cast("dict[str, Any]", pattern)) if isinstance(pattern, dict) else ""
            unique = names not in {"", "_id"}
            return faults.exists(self._name, f"with the same value of {names}" if unique else "with this _id")
        if fault.code == _NOT_VALID:
            fenced = await self._is_fenced(fault)
            return faults.fenced(self._name) if fenced else faults.refused(self._name, "its validator does")
        return faults.refused(self._name, "it is too large") if fault.code in _TOO_LARGE else fault

    async def _is_fenced(self, fault: OperationFailure) -> bool:
        """Tell whether the validator that refused a document is the fence of a switch.

        Servers from 5.0 on say in the error what was not met. Of others the collection is asked, as it is a moment
        later; where it does not tell, it is taken for a validator.
        """
        if FENCE_WORDS in str(fault.details):
            return True
        with suppress(PyMongoError), pymongo.timeout(self._seconds):
            return FENCE_WORDS in str((await self._collection.options()).get("validator"))
        return False


def _stored(document: dict[str, Any]) -> Stored:
    return Stored(document["_id"], {name: one for name, one in document.items() if name != MARK}, _revision(document))


def _revision(document: Mapping[str, Any]) -> str:
    if MARK not in document:
        return _DIGEST + hashlib.sha256(bson.encode(document, codec_options=CODEC)).hexdigest()
    mark = bson.encode({MARK: document[MARK]}, codec_options=CODEC)
    return base64.urlsafe_b64encode(mark[4:-1]).decode("ascii")


def _has(revision: str | None) -> dict[str, Any]:
    """Return the condition that a document has a revision; one that is no mark fits no document."""
    if revision is None:
        return {}
    try:
        inner = base64.b64decode(revision.encode("ascii"), altchars=b"-_", validate=True)
        size = (len(inner) + 5).to_bytes(4, "little")
        found = from_bson(size + inner + b"\0")
    except Exception:  # noqa: BLE001  a digest, a revision of another store, or of nobody
        found = {}
    return _is_marked(found) if MARK in found else _NEVER


def _is_marked(document: Mapping[str, Any] | None) -> dict[str, Any]:
    found = document or {}
    return {MARK: {"$eq": found[MARK]}} if MARK in found else {MARK: {"$exists": False}}
