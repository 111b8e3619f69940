"""A person's documents in MongoDB: found here, changed by the outbox, in the transaction that deletes the rows.

Each change is done where the document names the person still when it is applied, and touches nothing else: others may
have written to it, or deleted it, since it was found.

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

from ...service.addresses import fold, folded
from ...service.mentoring.addresses import FORMER
from ...service.mongo import Database
from ...service.profiles.stores import COLLECTION
from .fates import CANCELLED, LEFT, NOBODYS, SITES, TO_COME, Of, Site, co_authors_without, is_lonely
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
    updates: list[Intent] = field(default_factory=list[Intent])


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
            else:
                found += one.updates
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
            if site.do == "delete":
                self._delete(site.collection, one, report)
                continue
            if self._of(site.collection, one).deleted:
                continue
            if site.do != "keep":
                named = {"$in": self._ids["profile" if site.of == "profile" else "user"]}
                if site.do == "pull" and isinstance(one[site.path], list):
                    self._update(site.collection, one, pull={site.path: named}, where={site.path: named})
                else:
                    self._update(site.collection, one, unset=(site.path, *site.names), where={site.path: named})
            report.add(f"{_MONGODB}{site.collection}", "kept" if site.do == "keep" else "signed off", site.why, 1)

    async def _sessions(self, collection: str, report: Report) -> None:
        """Cancel what is still to come, and let the address go. Whose a session is its id says, else the address."""
        found: dict[Any, Document] = {}
        for side, former in FORMER.items():
            address = f"{side}Email"
            mine = {one["_id"]: one for one in await self._with(collection, f"{side}UserId", self._ids["user"])}
            for one in await self._with_email(collection, address):
                if one.get(f"{side}UserId") in (None, ""):
                    mine[one["_id"]] = one
            found |= mine
            for one in mine.values():
                known = one.get(address)
                if not isinstance(known, str) or known == former:
                    continue
                self._update(collection, one, set={address: former}, where={address: known})
                for by in ("cancelledBy", "declinedBy"):
                    if isinstance(one.get(by), str) and fold(one[by]) == fold(known):
                        self._update(collection, one, set={by: former}, where={by: one[by]})
                report.add(f"{_MONGODB}{collection}", "signed off", NOBODYS, 1)
        for one in found.values():
            if one.get("status") in (None, *TO_COME):
                at = datetime.datetime.now(datetime.UTC)
                left = {"status": "cancelled", "cancelledAt": at, "cancelReason": LEFT}
                self._update(collection, one, set=left, where={"status": {"$in": [None, *TO_COME]}})
                report.add(f"{_MONGODB}{collection}", "signed off", CANCELLED, 1)

    async def _articles(self, report: Report) -> None:
        named, place = {"$in": self._ids["user"]}, f"{_MONGODB}articles"
        for one in await self._with("articles", "authorId", self._ids["user"]):
            if is_lonely(one.get("status"), one.get("coAuthors")):
                self._delete("articles", one, report)
            else:
                self._update("articles", one, unset=("authorId",), where={"authorId": named})
                report.add(place, "signed off", "what was published stays, by a Former Member", 1)
        for one in await self._with("articles", "coAuthors.userId", self._ids["user"]):
            if not self._of("articles", one).deleted:
                self._co_authors(one)
                report.add(place, "signed off", "co-authors stay unsigned; invitations go", 1)
        for one in await self._with("articles", "reviewedBy.userId", self._ids["user"]):
            if not isinstance(one["reviewedBy"], dict):
                report.add(place, "kept", "their reviewedBy is no review", 1)
            elif not self._of("articles", one).deleted:
                self._review(one)
                report.add(place, "signed off", "reviews stay unsigned; requests go", 1)

    def _co_authors(self, one: Document) -> None:
        """Sign off what the person wrote and take out the rest, as each of it stands when it is applied."""
        ids, entries = self._ids["user"], one["coAuthors"]
        named = {"coAuthors.userId": {"$in": ids}}
        if not isinstance(entries, list):
            self._update("articles", one, set={"coAuthors": co_authors_without(entries, ids)}, where=named)
            return
        asked = {"userId": {"$in": ids}, "status": {"$ne": "accepted"}}
        self._update("articles", one, pull={"coAuthors": asked}, where=named)
        written = {"coAuthors": {"$elemMatch": {"userId": {"$in": ids}, "status": "accepted"}}}
        for entry in cast("list[Any]", entries):
            if isinstance(entry, dict) and cast("Document", entry).get("userId") in ids:
                self._update("articles", one, set={"coAuthors.$.userId": None}, where=written)

    def _review(self, one: Document) -> None:
        """Sign off a review that was given, and let go of one that was only asked for. There is none before it here."""
        named, waits = {"$in": self._ids["user"]}, {"$in": [None, "pending"]}
        asked = {"reviewedBy.userId": named, "reviewedBy.status": waits}
        self._update("articles", one, set={"status": "draft"}, where={**asked, "status": "pending_review"})
        self._update("articles", one, unset=("reviewedBy",), where=asked)
        self._update("articles", one, set={"reviewedBy.userId": None}, where={"reviewedBy.userId": named})

    def _update(self, collection: str, document: Document, **changes: Any) -> None:
        self._of(collection, document).updates.append(update(collection, document["_id"], **changes))

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
