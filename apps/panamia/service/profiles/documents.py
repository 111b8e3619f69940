"""Profiles as documents in MongoDB: the library's store, and what only profiles are asked for."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar, cast

from bson import ObjectId
from bson.errors import InvalidId
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import NetworkTimeout, OperationFailure

from isthmus.errors import Problem, SourceError
from isthmus.polyglot.ensure import Belonging, Ensured, check_indexes_async, ensure_async, ensure_indexes_async
from isthmus.polyglot.stores import MongoStore, Stored
from isthmus.polyglot.switch import Home

from ..mongo import Database, Mongo
from .document import UserId
from .stores import COLLECTION, SEARCHED, Claim, Wanted

_NO_RIGHT = 13
"""MongoDB's Unauthorized."""
_INDEX_SECONDS = 600.0
"""How long making indexes may take, or reading all profiles."""

_BELONGING = Belonging(reference="userId", holds=UserId, email="email")
_LISTED = (
    *SEARCHED,
    "slug",
    "locally_based",
    "categories",
    "counties",
    "pronouns",
    "images",
    "primary_address",
    "mentoring.enabled",
    "verification.panaVerified",
)

T = TypeVar("T")
Collection = AsyncCollection[dict[str, Any]]


class DocumentProfiles:
    """`Profiles` in MongoDB. Every call raises MongoAwayError where it does not answer.

    Args:
        mongo: The service's.
        seconds: How long a claim may take.

    Attributes:
        has_written: Whether a document was written, or may have been. A claim does not count: again it is the same.
    """

    home: Home = "mongodb"

    def __init__(self, mongo: Mongo, seconds: float) -> None:
        self._mongo, self._seconds = mongo, seconds
        self.has_written = False

    async def get(self, document_id: object) -> Stored | None:
        """As `DocumentStore.get`."""
        return await self._ask(lambda store: store.get(document_id))

    async def find(self, fields: Mapping[str, object], *, limit: int = 100, after: object = None) -> list[Stored]:
        """As `DocumentStore.find`."""
        return await self._ask(lambda store: store.find(fields, limit=limit, after=after))

    async def insert(self, document: Mapping[str, Any]) -> Stored:
        """As `DocumentStore.insert`."""
        return await self._write(lambda store: store.insert(document))

    async def put(self, document: Mapping[str, Any]) -> Stored:
        """As `DocumentStore.put`."""
        return await self._write(lambda store: store.put(document))

    async def replace(self, document: Mapping[str, Any], *, revision: str | None = None) -> Stored:
        """As `DocumentStore.replace`."""
        return await self._write(lambda store: store.replace(document, revision=revision))

    async def update(
        self,
        document_id: object,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002  the word of MongoDB
        unset: Iterable[str] = (),
        revision: str | None = None,
    ) -> Stored:
        """As `DocumentStore.update`."""
        return await self._write(lambda store: store.update(document_id, set=set, unset=unset, revision=revision))

    async def delete(self, document_id: object, *, revision: str | None = None) -> bool:
        """As `DocumentStore.delete`."""
        return await self._write(lambda store: store.delete(document_id, revision=revision))

    async def of_user(self, user_id: str) -> Stored | None:
        """As `Profiles.of_user`; of several that hold the user the first by id."""
        return next(iter(await self.find({"userId": user_id}, limit=1)), None)

    async def public(self, fields: Mapping[str, object]) -> Stored | None:
        """As `Profiles.public`."""
        return next(iter(await self.find({**fields, "active": True}, limit=1)), None)

    async def claim(self, user_id: str, email: str) -> tuple[Claim, Stored | None]:
        """As `Profiles.claim`, with the indexes that `prepare` makes."""

        async def claimed(collection: Collection) -> Ensured[dict[str, Any]]:
            return await ensure_async(collection, _BELONGING, user_id, email=email, timeout_seconds=self._seconds)

        ensured = await self._mongo.ask(_in_words_of_the_driver(claimed))
        found = None if ensured.document is None else await self.get(ensured.document["_id"])
        return cast("Claim", ensured.how), found

    async def page(self, wanted: Wanted) -> list[dict[str, Any]]:
        """As `Profiles.page`."""
        conditions: list[dict[str, Any]] = []
        for word in wanted.words:
            sought = {"$regex": re.escape(word), "$options": "i"}
            conditions.append({"$or": [{field: sought} for field in SEARCHED]})
        conditions += [{"$or": [{flag: True} for flag in group]} for group in wanted.flags]
        if wanted.behind is not None:
            conditions.append(_behind(*wanted.behind))
        least = "" if wanted.behind is None else wanted.behind[0]
        # by the index of slugs; what stands at the very slug is looked at by its id
        asked: dict[str, Any] = {"slug": {"$gte" if least else "$gt": least}, "active": True}
        if conditions:
            asked["$and"] = conditions

        async def listed(database: Database) -> list[dict[str, Any]]:
            found = database[COLLECTION].find(asked, dict.fromkeys(_LISTED, 1))
            return await found.sort([("slug", 1), ("_id", 1)]).limit(wanted.limit).to_list()

        return await self._mongo.ask(listed)

    async def slugs(self, beginning: str) -> set[str]:
        """As `Profiles.slugs`."""
        sought = {"slug": {"$regex": f"^{re.escape(beginning)}(-[0-9]+)?$"}}

        async def found(database: Database) -> set[str]:
            return {str(one["slug"]) async for one in database[COLLECTION].find(sought, {"_id": 0, "slug": 1})}

        return await self._mongo.ask(found)

    async def _ask(self, work: Callable[[MongoStore], Awaitable[T]]) -> T:
        return await self._mongo.ask(lambda database: work(MongoStore(database[COLLECTION])))

    async def _write(self, work: Callable[[MongoStore], Awaitable[T]]) -> T:
        self.has_written = True
        return await self._ask(work)

    async def prepare(self) -> list[str]:
        """Make the indexes that are missing, and return the names of those that were made; safe to repeat.

        Users that several profiles hold are left out, and `faults` tells of them.

        Raises:
            PolyglotError: The indexes cannot be made.
        """

        async def made(collection: Collection) -> list[str]:
            names = await ensure_indexes_async(collection, _BELONGING, leave_out="duplicates")
            there = {str(one["name"]) async for one in await collection.list_indexes()}
            # by which pages are found, and listed
            by_slug = await collection.create_index([("slug", 1), ("_id", 1)])
            return names if by_slug in there else [*names, by_slug]

        await self._mongo.ping()  # else it would be waited for
        return await self._mongo.ask_apart(_in_words_of_the_driver(made), _INDEX_SECONDS)

    async def faults(self) -> tuple[Problem, ...]:
        """Return what keeps profiles from being claimed. Reads all of them."""

        async def found(collection: Collection) -> tuple[Problem, ...]:
            return await check_indexes_async(collection, _BELONGING)

        return await self._mongo.ask_apart(_in_words_of_the_driver(found), _INDEX_SECONDS)


def _in_words_of_the_driver(work: Callable[[Collection], Awaitable[T]]) -> Callable[[Database], Awaitable[T]]:
    """Let the library work with profiles, and tell of trouble in words that `Mongo` knows."""

    async def worked(database: Database) -> T:
        try:
            return await work(database[COLLECTION])
        except SourceError as fault:
            if fault.retryable:  # it has asked again and again, for as long as it may take
                raise NetworkTimeout(fault.code) from fault
            raise OperationFailure(fault.code, _NO_RIGHT) from fault

    return worked


def _behind(slug: str, document_id: str) -> dict[str, Any]:
    """Return what stands behind a profile; its id is another one where it was listed from PostgreSQL."""
    later: list[dict[str, Any]] = [{"slug": {"$gt": slug}}]
    with suppress(InvalidId):
        later.append({"slug": slug, "_id": {"$gt": ObjectId(document_id)}})
    return {"$or": later}
