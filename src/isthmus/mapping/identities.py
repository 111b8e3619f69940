"""Identities as data: documents of several collections that are one thing, and how they are recognised."""

from __future__ import annotations

from pydantic import Field

from isthmus.mapping.rules import FieldPath, Model, Normalise


class IdentityKey(Model):
    """A value by which documents are recognised.

    Attributes:
        normalise: What is done to texts before they are compared, in this order; numbers and other values are compared
            as they are.
    """

    name: str
    normalise: tuple[Normalise, ...] = ()


class IdentityLink(Model):
    """A field that names the document of another collection outright.

    Attributes:
        to: Member collections whose `_id` it may hold; also as text of 24 hex digits, or as the id of the row.
    """

    path: FieldPath
    to: tuple[str, ...]


class IdentitySource(Model):
    """What documents of one collection are recognised by.

    Attributes:
        collection: In the source.
        keys: Name of the key → path of the field that holds it.
        links: Fields that name other documents.
    """

    collection: str
    keys: dict[str, FieldPath] = Field(default_factory=dict)
    links: tuple[IdentityLink, ...] = ()


class Identity(Model):
    """Documents that are one thing.

    Attributes:
        keys: At least one unless there are links.
        members: Collections whose documents become one row, all of one table. A thing takes the id of its first
            document, in this order.
        linked: Collections with rows of their own, each of which belongs to one thing at most.
        wins: Column → member collection whose value is taken where several have one; of all others the order of
            `members` decides.
    """

    keys: tuple[IdentityKey, ...] = ()
    members: tuple[IdentitySource, ...]
    linked: tuple[IdentitySource, ...] = ()
    wins: dict[str, str] = Field(default_factory=dict)

    @property
    def sources(self) -> tuple[IdentitySource, ...]:
        """Members, then what is linked."""
        return (*self.members, *self.linked)

    def key(self, name: str) -> IdentityKey | None:
        """The key with a name; None for no such."""
        return next((key for key in self.keys if key.name == name), None)

    def member(self, collection: str) -> IdentitySource | None:
        """What documents of a member collection are recognised by; None for other collections."""
        return next((source for source in self.members if source.collection == collection), None)

    def linked_source(self, collection: str) -> IdentitySource | None:
        """The same of a collection that is linked."""
        return next((source for source in self.linked if source.collection == collection), None)
