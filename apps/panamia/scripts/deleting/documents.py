"""A person's documents in MongoDB: found here, changed by the outbox, in the transaction that deletes the rows.

Where profiles live in PostgreSQL, MongoDB has what they were when they were switched over. The outbox writes nothing
there any more, and a fence refuses changes, but no deletion: so the person's old copies are deleted at once.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pymongo import WriteConcern

from isthmus.polyglot.ensure.filters import AROUND, COLLATION
from isthmus.polyglot.outbox import Intent, delete, update
from isthmus.polyglot.switch import Home

from ...service.addresses import folded
from ...service.mongo import Database
from ...service.profiles.stores import COLLECTION
from .fates import CANCELLED, LEFT, SITES, TO_COME, Of, Site, co_authors_without, is_lonely, review_without
from .report import Report

_USERS = ("users", "nextauth_users")
_MONGODB = "MongoDB "
_OLD = "the old copy: profiles live in PostgreSQL"
_NAMED = "old copies of other members' name it; nobody reads them"

Document = Mapping[str, Any]


@dataclass
class _Change:
    """What is to become of one document."""

    deleted: bool = False
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    unset: set[str] = field(default_factory=set[str])


class Documents:
    """What MongoDB holds of a person.

    Args:
        database: MongoDB.
        user_id: None for nobody's address.
        email: Folded.
        home: Where profiles live.
        copies: `_id`s of the person's profiles there, whatever they say; of those that live in PostgreSQL.

    Attributes:
        home: As it was given.
        changes: What is to become of each document, by collection and `_id`.
    """

    def __init__(self, database: Database, user_id: str | None, email: str, home: Home, copies: Sequence[Any]) -> None:
        self._database, self._email, self._copies = database, email, copies
        self.home: Home = home
        self._ids: dict[Of, list[Any]] = {"user": [] if user_id is None else [user_id], "profile": []}
        self._there: set[str] = set()
        self.changes: dict[tuple[str, Any], _Change] = {}

    @property
    def profiles(self) -> list[Any]:
        """The `_id`s of the profiles that go."""
        return [key for (collection, key), one in self.changes.items() if collection == COLLECTION and one.deleted]

    async def look(self, report: Report) -> None:
        """Find all of it, and add to the report what is to become of it."""
        self._there = set(await self._database.list_collection_names())
        for name in _USERS:  # their old ids stand in documents that were not rewritten
            for one in await self._with_email(name, "email"):
                self._ids["user"] += [one["_id"], str(one["_id"])]
        await self._profiles(report)
        for site in SITES:
            await self._site(site, report)
        for collection in ("mentorSessions", "mentorsessions"):
            await self._sessions(collection, report)
        await self._articles(report)

    def intents(self) -> list[Intent]:
        """Return what to enqueue."""
        found: list[Intent] = []
        for (collection, key), one in self.changes.items():
            if self._is_old(collection):
                continue
            if one.deleted:
                found.append(delete(collection, key))
            elif one.values or one.unset:
                found.append(update(collection, key, set=one.values, unset=sorted(one.unset - one.values.keys())))
        return found

    def forget(self, before: Documents) -> None:
        """Leave out what an earlier look has found, and enqueued."""
        for collection, key in before.changes:
            if not self._is_old(collection):
                self.changes.pop((collection, key), None)

    async def delete_old(self) -> int:
        """Delete the old copies of profiles now, and return how many; nobody reads them. Safe to repeat."""
        if not self._is_old(COLLECTION) or not self.profiles:
            return 0
        acknowledged = self._database.get_collection(COLLECTION, write_concern=WriteConcern("majority", j=True))
        return (await acknowledged.delete_many({"_id": {"$in": self.profiles}})).deleted_count

    def _is_old(self, collection: str) -> bool:
        return collection == COLLECTION and self.home == "postgres"

    async def _profiles(self, report: Report) -> None:
        mine = {str(one["_id"]): one for one in await self._with(COLLECTION, "userId", self._ids["user"])}
        mine |= {str(one["_id"]): one for one in await self._with(COLLECTION, "_id", self._copies)}
        for one in await self._with_email(COLLECTION, "email"):
            if str(one["_id"]) in mine:
                continue
            if one.get("userId") in (None, ""):
                mine[str(one["_id"])] = one
            else:
                report.add(f"{_MONGODB}{COLLECTION}", "kept", "another member's, with this address", 1)
        for one in mine.values():
            self._delete(COLLECTION, one, report)
            self._ids["profile"] += [one["_id"], str(one["_id"])]

    async def _site(self, site: Site, report: Report) -> None:
        if site.of == "email":
            found = await self._with_email(site.collection, site.path)
        else:
            found = await self._with(site.collection, site.path, self._ids[site.of])
        if self._is_old(site.collection):
            left = [one for one in found if (site.collection, one["_id"]) not in self.changes]
            report.add(f"{_MONGODB}{site.collection}", "kept", _NAMED, len(left))
            return
        for one in found:
            change = self._of(site.collection, one)
            if change.deleted and site.do != "delete":
                continue
            if site.do == "delete":
                self._delete(site.collection, one, report)
                continue
            if site.do == "unset":
                change.unset |= {site.path, *site.names}
            elif site.do == "pull" and isinstance(one[site.path], list):
                gone = self._ids[site.of]
                change.values[site.path] = [each for each in cast("list[Any]", one[site.path]) if each not in gone]
            report.add(f"{_MONGODB}{site.collection}", "kept" if site.do == "keep" else "signed off", site.why, 1)

    async def _sessions(self, collection: str, report: Report) -> None:
        """Cancel what is still to come. Whose a session is its id says, else the address."""
        found: dict[Any, Document] = {}
        for side in ("mentor", "mentee"):
            for one in await self._with(collection, f"{side}UserId", self._ids["user"]):
                found[one["_id"]] = one
            for one in await self._with_email(collection, f"{side}Email"):
                if one.get(f"{side}UserId") in (None, ""):
                    found[one["_id"]] = one
        for one in found.values():
            if one.get("status") in (None, *TO_COME):
                at = datetime.datetime.now(datetime.UTC)
                self._of(collection, one).values |= {"status": "cancelled", "cancelledAt": at, "cancelReason": LEFT}
                report.add(f"{_MONGODB}{collection}", "signed off", CANCELLED, 1)

    async def _articles(self, report: Report) -> None:
        ids, place = self._ids["user"], f"{_MONGODB}articles"
        for one in await self._with("articles", "authorId", ids):
            if is_lonely(one.get("status"), one.get("coAuthors")):
                self._delete("articles", one, report)
            else:
                self._of("articles", one).unset.add("authorId")
                report.add(place, "signed off", "what was published stays, by a Former Member", 1)
        for one in await self._with("articles", "coAuthors.userId", ids):
            change = self._of("articles", one)
            if not change.deleted:
                change.values["coAuthors"] = co_authors_without(one["coAuthors"], ids)
                report.add(place, "signed off", "co-authors stay unsigned; invitations go", 1)
        for one in await self._with("articles", "reviewedBy.userId", ids):
            change = self._of("articles", one)
            if change.deleted:
                continue
            review = review_without(one["reviewedBy"])
            if review is None:
                change.unset.add("reviewedBy")
                if one.get("status") == "pending_review":
                    change.values["status"] = "draft"
            else:
                change.values["reviewedBy"] = review
            report.add(place, "signed off", "reviews stay unsigned; requests go", 1)

    def _of(self, collection: str, document: Document) -> _Change:
        return self.changes.setdefault((collection, document["_id"]), _Change())

    def _delete(self, collection: str, document: Document, report: Report) -> None:
        change = self._of(collection, document)
        if not change.deleted:
            change.deleted = True
            report.add(f"{_MONGODB}{collection}", "removed", _OLD if self._is_old(collection) else "", 1)

    async def _with(self, collection: str, path: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        if collection not in self._there or not values:
            return []
        return await self._database[collection].find({path: {"$in": list(values)}}).to_list()

    async def _with_email(self, collection: str, path: str) -> list[dict[str, Any]]:
        """Return documents with the address, in any case, and nothing but it."""
        if collection not in self._there:
            return []
        forms = [f"{before}{self._email}{behind}" for before in AROUND for behind in AROUND]
        found = await self._database[collection].find({path: {"$in": forms}}, collation=COLLATION).to_list()
        return [one for one in found if isinstance(one.get(path), str) and folded(one[path]) == self._email]
