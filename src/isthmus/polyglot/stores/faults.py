"""What a store refuses, as errors with their codes. Pure."""

from __future__ import annotations

from isthmus.errors import PolyglotError, Where


def no_id(words: str, collection: str) -> PolyglotError:
    """Return the error for an `_id` that no store takes."""
    hint = "Give a text, an ObjectId or a UUID; other ids need a mapping (isthmus switch run --mapping)."
    message = f"This _id cannot be in a store: {words}."
    return PolyglotError(message, code="store-id", where=Where(collection=collection), hint=hint)


def no_document(words: str, collection: str, path: str | None = None) -> PolyglotError:
    """Return the error for a document that one of the stores could not keep as it is."""
    hint = "Correct what is written; nothing was written."
    message = f"This document cannot be in a store: {words}."
    return PolyglotError(message, code="store-document", where=Where(collection=collection, path=path), hint=hint)


def no_query(words: str, collection: str) -> PolyglotError:
    """Return the error for a question that the stores would answer differently."""
    hint = "Ask for equal values of fields: texts, integers, booleans, ObjectIds, UUIDs, dates, bytes, None."
    message = f"This cannot be asked of a store: {words}."
    return PolyglotError(message, code="store-query", where=Where(collection=collection), hint=hint)


def no_path(words: str, collection: str, path: str) -> PolyglotError:
    """Return the error for a path that cannot be set or removed."""
    hint = "Name each path once, through documents only: address.city. An array is set as a whole."
    message = f"This is no path that a store takes: {words}."
    return PolyglotError(message, code="store-path", where=Where(collection=collection, path=path[:60]), hint=hint)


def absent(collection: str) -> PolyglotError:
    """Return the error for a document that is not there."""
    return PolyglotError(
        "There is no document with this _id.",
        code="store-absent",
        where=Where(collection=collection),
        hint="It was removed, or never there: insert it, or tell who asks.",
    )


def conflict(collection: str) -> PolyglotError:
    """Return the error for a document that somebody else wrote meanwhile."""
    return PolyglotError(
        "The document has another revision: it was written since it was read.",
        code="store-conflict",
        where=Where(collection=collection),
        hint="Read it again, make the change again, and write it with the new revision.",
    )


def exists(collection: str, what: str = "with this _id") -> PolyglotError:
    """Return the error for a document that another one is in the way of."""
    return PolyglotError(
        f"There is a document {what} already.",
        code="store-exists",
        where=Where(collection=collection),
        hint="Change the one that is there (update), or put it, or give another value.",
    )


def refused(collection: str, words: str) -> PolyglotError:
    """Return the error for a document that the database refuses.

    Args:
        collection: Its collection.
        words: What the database says, without values.
    """
    return PolyglotError(
        f"The database refuses the document: {words}.",
        code="store-refused",
        where=Where(collection=collection),
        hint="Correct the document, or the validator or constraint.",
    )


def fenced(collection: str) -> PolyglotError:
    """Return the error for a collection whose fence in MongoDB refused a write, so that it came past the guard."""
    return PolyglotError(
        f"The collection {collection[:60]} is fenced in MongoDB: it is being switched to PostgreSQL, or lives there.",
        code="switch-frozen",
        where=Where(collection=collection),
        hint="Nothing was written. Ask the switch for the store (switch.writing); isthmus switch status tells where.",
        retryable=True,
    )
