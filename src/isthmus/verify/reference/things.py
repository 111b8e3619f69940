"""Which thing each document is, or belongs to: found out before the copy, and given to the oracle as it was found.

Who is one with whom is not judged here: that the map is right is for those who made it. What follows from it for every
row is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from isthmus.verify.reference import bson
from isthmus.verify.reference.bson import Value
from isthmus.verify.reference.ids import Ids


class Found(Protocol):
    """What was found out; documents are named by `{"_id": value}` as BSON."""

    @property
    def of(self) -> Mapping[str, Mapping[bytes, str | None]]:
        """Collection → document → id of its thing; None where it belongs to none."""
        ...

    @property
    def dropped(self) -> Mapping[str, Mapping[bytes, str]]:
        """Collection → document → why it is left behind."""
        ...


@dataclass(frozen=True)
class Nothing:
    """Nothing was found out."""

    of: Mapping[str, Mapping[bytes, str | None]] = field(default_factory=dict[str, Mapping[bytes, str | None]])
    dropped: Mapping[str, Mapping[bytes, str]] = field(default_factory=dict[str, Mapping[bytes, str]])


@dataclass(frozen=True)
class Things:
    """What was found out, as the conversion of documents asks for it.

    Attributes:
        found: The same.
        members: Identity → the collections whose documents become the rows of its things.
    """

    found: Found = field(default_factory=Nothing)
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def is_known(self, collection: str, document: bytes) -> bool:
        """Whether it is known what a document belongs to."""
        return document in self.found.of.get(collection, {})

    def of(self, collection: str, document: bytes) -> str | None:
        """The thing of a document; None where it belongs to none, or nobody knows."""
        return self.found.of.get(collection, {}).get(document)

    def why_dropped(self, collection: str, document: bytes) -> str | None:
        """Why a document is left behind; None where it is not."""
        return self.found.dropped.get(collection, {}).get(document)

    @cached_property
    def _documents(self) -> dict[str, list[tuple[str, bytes]]]:
        documents: dict[str, list[tuple[str, bytes]]] = {}
        for collections in self.members.values():
            for collection in collections:
                for document, thing in self.found.of.get(collection, {}).items():
                    if thing is not None:
                        documents.setdefault(thing, []).append((collection, document))
        return documents

    def documents(self, thing: str) -> list[tuple[str, bytes]]:
        """The documents whose row a thing is, with their collections."""
        return self._documents.get(thing, [])

    def leads(self, text: str, thing: str, scheme: str, keys: Ids) -> bool:
        """Whether an id leads to a thing: it is its own, or that of a document whose row it is."""
        ids = (keys.derive(collection, value_of(one), scheme) for collection, one in self.documents(thing))
        return text == thing or text in ids


def value_of(document: bytes) -> Value:
    """The value of `{"_id": value}`."""
    value = bson.value_at(bson.read_document(document), ("_id",))
    if value is None:
        raise KeyError("_id")
    return value
