"""The document that is created: what the caller's factory gives, with the reference in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import bson
from bson import CodecOptions, ObjectId, Regex
from bson.errors import BSONError

from isthmus.errors import PolyglotError, Where
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.filters import value_at

_LARGEST_BYTES = 16 * 1024 * 1024
_HINT = "Correct what the factory returns; nothing was written."


def made_document(
    given: object, belonging: Belonging, value: object, collection: str, options: CodecOptions[Any]
) -> bytes:
    """Return the document to insert as BSON: an `_id` first, the reference in it.

    Args:
        given: What the factory returned. It is not changed.
        belonging: Where the reference stands.
        value: The key, as the driver writes it.
        collection: For errors.
        options: Of the collection.

    Raises:
        PolyglotError: It is no document, belongs to another row, or cannot be written (code `ensure-factory`).
    """
    if not isinstance(given, Mapping):
        raise _wrong(f"The factory gave no document but {type(given).__name__}.", collection)
    document = dict(cast("Mapping[Any, Any]", given))
    for name in document:
        if not isinstance(name, str):
            raise _wrong(f"The factory gave a field whose name is {type(name).__name__}, not text.", collection)
        if name.startswith("$"):
            raise _wrong(f"The factory gave the field {name[:60]!r}; MongoDB takes $ for an operator.", collection)
    identifier = document.pop("_id") if "_id" in document else ObjectId()
    if identifier is None or isinstance(identifier, list | Regex | re.Pattern):
        raise _wrong(f"The factory gave an _id of type {type(cast('object', identifier)).__name__}.", collection)
    whole = {"_id": identifier, **_belonging_to(document, belonging, value, collection)}
    try:
        data = bson.encode(whole, codec_options=options)
    except (BSONError, OverflowError, TypeError, ValueError, RecursionError) as fault:
        words = " ".join(str(fault).split())[:200] if isinstance(fault, BSONError) else type(fault).__name__
        raise _wrong(f"What the factory gave cannot be written as BSON: {words}.", collection) from fault
    if len(data) > _LARGEST_BYTES:
        message = f"The factory gave a document of {len(data):,} bytes; MongoDB takes {_LARGEST_BYTES:,} at most."
        raise _wrong(message, collection)
    return data


def _belonging_to(document: dict[str, Any], belonging: Belonging, value: object, collection: str) -> dict[str, Any]:
    """Return a document with the reference in it.

    Raises:
        PolyglotError: It has another one, or no place for it (code `ensure-factory`).
    """
    there = value_at(document, belonging.reference)
    if there == value:
        return document
    if there is not None and there != "":
        message = f"The factory gave a document whose {belonging.reference} is another than the one that is ensured."
        raise _wrong(message, collection)
    *outer, last = belonging.reference.split(".")
    inner = document
    for name in outer:
        beneath = inner.get(name, {})
        if not isinstance(beneath, Mapping):
            message = (
                f"The factory gave a document in which {name} holds no fields, so {belonging.reference} cannot be."
            )
            raise _wrong(message, collection)
        inner[name] = dict(cast("Mapping[str, Any]", beneath))
        inner = inner[name]
    inner[last] = value
    return document


def _wrong(message: str, collection: str) -> PolyglotError:
    return PolyglotError(message, code="ensure-factory", where=Where(collection=collection), hint=_HINT)
