"""The ids that both stores take: texts, ObjectIds and UUIDs. Pure.

In PostgreSQL the id is one text column: a text as it is, an ObjectId as 24 hex digits, a UUID in its usual form. Sorted
by bytes that is the order in which MongoDB sorts each kind.
"""

from __future__ import annotations

from uuid import UUID

from bson import ObjectId

from isthmus.polyglot.stores import faults

_LARGEST_BYTES = 1_024


def checked_id(document_id: object, collection: str) -> str | ObjectId | UUID:
    """Return an id, if both stores take it.

    Raises:
        PolyglotError: They do not (code `store-id`).
    """
    if isinstance(document_id, ObjectId | UUID):
        return document_id
    if not isinstance(document_id, str):
        raise faults.no_id(f"it is a {type(document_id).__name__}", collection)
    try:
        size = len(document_id.encode())
    except UnicodeEncodeError:
        raise faults.no_id("it holds half a surrogate pair, which is no character", collection) from None
    if size == 0 or "\0" in document_id:
        raise faults.no_id("it is empty, or holds a NUL", collection)
    if size > _LARGEST_BYTES:
        raise faults.no_id(f"it has {size:,} bytes; {_LARGEST_BYTES:,} is the limit", collection)
    return document_id


def id_text(document_id: str | ObjectId | UUID) -> str:
    """Return what stands in the id column."""
    return str(document_id)


def id_kind(document_id: object) -> str:
    """Return which kind an id is of, for people; `other` is of none that the stores take."""
    if isinstance(document_id, str):
        return "text"
    return type(document_id).__name__ if isinstance(document_id, ObjectId | UUID) else "other"
