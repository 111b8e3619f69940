"""What a store of documents does, whichever database keeps them. Pure: the Protocol and what it gives back.

Two implementations answer the same to the same calls: `MongoStore` and `JsonbStore`. An application may bring its own
for PostgreSQL, with columns in place of one JSONB; whatever holds this Protocol can be switched to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Stored:
    """A document as it stands in a store.

    Attributes:
        id: Its `_id`: text, ObjectId or UUID.
        document: All its fields, `_id` among them. Dates have a time zone, which is UTC; the order of fields says
            nothing. A dict of its own: it may be changed.
        revision: Opaque; another one after each write of a store, of the outbox's relay, of `ensure` and of `isthmus
            refs rewrite`. Equal only if none of these wrote in between; who writes past all of them is noticed only
            where the document had no mark of theirs yet. Of one store alone: what was read before a switch conflicts
            behind it, and is read again.
    """

    id: Any
    document: dict[str, Any]
    revision: str


class DocumentStore(Protocol):
    """The documents of one collection.

    Ids are texts, ObjectIds or UUIDs, of one kind in a collection. Documents hold what BSON holds, but no text with a
    NUL, no field whose name begins with `$`, and no field `_isthmus`, which is Isthmus's own and never shown.

    Errors of the driver (a server that is away) are passed on as they are. All others are `PolyglotError` with a code:

    | code | what it says |
    | --- | --- |
    | `store-id`, `store-document`, `store-query`, `store-path` | what was given cannot be; nothing was written |
    | `store-absent` | there is no document with this `_id` |
    | `store-conflict` | the document has another revision than the one given; read it again |
    | `store-exists` | there is one with this `_id`, or with a value that is unique |
    | `store-refused` | the database refuses the document: a validator, a CHECK, its size |
    | `switch-frozen` | the collection is being switched, or lives elsewhere: nothing was written; ask the switch |
    """

    async def get(self, document_id: object) -> Stored | None:
        """Return the document with this `_id`; None where there is none. An ObjectId and its hex text are two ids."""
        ...

    async def find(self, fields: Mapping[str, object], *, limit: int = 100, after: object = None) -> list[Stored]:
        """Return documents in which every field named equals its value, by `_id`: the same order at each call.

        Args:
            fields: Path (`address.city`) → value: a text, integer, boolean, ObjectId, UUID, datetime, bytes; or None,
                of a name without dots, for null or missing. An array fits when it holds the value; arrays on the way
                are looked through. Numbers are equal whatever their types. Empty: all documents.
            limit: Most documents, from 1 to 10,000.
            after: Only behind this `_id`: the last one of the page before. It need not be there any more, and stays
                good over a switch.
        """
        ...

    async def insert(self, document: Mapping[str, Any]) -> Stored:
        """Make a document that is not there. Without `_id` it gets an ObjectId.

        Raises:
            PolyglotError: `store-exists`, `store-document`, `store-id`, `store-refused`.
        """
        ...

    async def put(self, document: Mapping[str, Any]) -> Stored:
        """Make the document with this `_id` be this one, whether it is there or not.

        Raises:
            PolyglotError: `store-exists` (a unique value), `store-document`, `store-id`, `store-refused`.
        """
        ...

    async def replace(self, document: Mapping[str, Any], *, revision: str | None = None) -> Stored:
        """Make the document with this `_id`, which is there, be this one.

        Args:
            document: With its `_id`.
            revision: Only if it has this revision; None: whatever it has.

        Raises:
            PolyglotError: `store-absent`, `store-conflict`, and as `put`.
        """
        ...

    async def update(
        self,
        document_id: object,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002  the word of MongoDB
        unset: Iterable[str] = (),
        revision: str | None = None,
    ) -> Stored:
        """Change some fields of a document that is there, all at once; the others stay.

        Args:
            document_id: Its `_id`.
            set: Path → value. Documents on the way are made where they are missing.
            unset: Paths that are removed; one that is missing is none the less done with.
            revision: Only if it has this revision; None: whatever it has.

        Raises:
            PolyglotError: `store-absent`, `store-conflict`, `store-path` (no path, one named twice, or something on the
                way that is no document, such as an array), `store-exists`, `store-document`, `store-refused`.
        """
        ...

    async def delete(self, document_id: object, *, revision: str | None = None) -> bool:
        """Remove a document.

        Returns:
            Whether it was there.

        Raises:
            PolyglotError: `store-conflict`: it is there with another revision.
        """
        ...
