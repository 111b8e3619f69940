"""What Isthmus leaves in MongoDB to be known by; and how a write past the stores ends a document's revision. Pure.

A revision of `isthmus.polyglot.stores` is the mark in a document, `_isthmus`; of a document without one it is a digest
of all its fields. So who changes fields of a document sets a new token in the mark that is there, and nothing where
there is none: then the change itself is what the store notices, as long as nobody put a mark there meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bson import Binary

from isthmus.polyglot.outbox.intent import MARK

FENCE_WORDS = "frozen by isthmus switch"
"""Stands in the validator that refuses every document of a collection that is switched."""
TOKEN = f"{MARK}.r"
"""Where a store's token stands; other names in the mark are the outbox's."""


@dataclass(frozen=True)
class RevisionEnd:
    """What an update of a document has besides, so that who read the document before conflicts.

    Attributes:
        condition: What the document must still meet; a filter of MongoDB.
        fields: What is set with the change: path → value.
    """

    condition: dict[str, Any]
    fields: dict[str, Any]


def new_token() -> Binary:
    """Return a token that no revision had, in a form that every codec writes: a UUID."""
    return Binary(uuid4().bytes, 4)


def revision_end(document: Mapping[str, Any]) -> RevisionEnd:
    """Return what ends the revision of a document.

    Args:
        document: The document as it was read, with its mark if it has one.
    """
    if MARK not in document:
        return RevisionEnd({MARK: {"$exists": False}}, {})
    if not isinstance(document[MARK], Mapping):  # somebody else's field, which no token can be in
        return RevisionEnd({}, {})
    return RevisionEnd({}, {TOKEN: new_token()})
