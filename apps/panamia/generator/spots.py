"""Where something is planted, and whom it may point at there. Pure."""

from __future__ import annotations

from collections.abc import Callable

from bson import ObjectId

from apps.panamia.generator.members import screenname
from apps.panamia.generator.people import Instance, member_id
from apps.panamia.generator.planting import Document
from apps.panamia.generator.sign_in import sign_ins
from apps.panamia.generator.values import email, slug
from apps.panamia.generator.world import World

JOINED, LEFT_OUT = "conflict/users-one-person", "conflict/test-account"
"""Cases with a user who is joined into another, and with one whom somebody left out."""


class Place:
    """A place in a database; see `planting.Spot`.

    Args:
        world: The database.
        collection: Of the document.
        number: Of the document.
        turn: How many of its kind are planted before it.
        base: From where people are looked for.
        again: Makes a sound document of the collection.
    """

    def __init__(
        self, world: World, collection: str, number: int, turn: int, base: int, again: Callable[[int], Document] | None
    ) -> None:
        self.number, self.turn = number, turn
        self._world, self._collection, self._base, self._again = world, collection, base, again

    def person(self, shift: int = 0) -> int:
        """See `planting.Spot`."""
        found = self._known(self._base)
        for _ in range(shift):
            found = self._known(found + 1)
        return found

    def _known(self, number: int) -> int:
        """A person with a screen name, from any number."""
        found = self._world.with_all(number)
        while screenname(found) is None:
            found = self._world.with_all(found + 1)
        return found

    def id(self, collection: str, shift: int = 0) -> ObjectId:
        """See `planting.Spot`."""
        size = self._world.sizes.get(collection)
        return self._world.ids.of(collection, self.person(shift) if size is None else (self._base + shift) % size)

    def email(self, shift: int = 0) -> str:
        """See `planting.Spot`."""
        return email(self.person(shift))

    def screenname(self, shift: int = 0) -> str:
        """See `planting.Spot`."""
        return str(screenname(self.person(shift)))

    def slug(self, shift: int = 0) -> str:
        """See `planting.Spot`."""
        return slug(self.person(shift))

    def gone(self, shift: int = 0) -> ObjectId:
        """See `planting.Spot`."""
        return self._world.ids.gone(self.number * 10 + shift)

    def account(self) -> tuple[str, str]:
        """See `planting.Spot`."""
        return sign_ins(self.person())[0]

    def again(self) -> Document:
        """See `planting.Spot`."""
        if self._again is None:
            message = f"documents of {self._collection} are not made again"
            raise ValueError(message)
        document = self._again(self.number % self._world.sizes[self._collection])
        del document["_id"]
        return document

    def twin(self) -> tuple[int, ObjectId]:
        """See `planting.Spot`."""
        instance = self._case(JOINED)
        return instance.first, member_id(instance, "user2", self._world.ids)

    def lost(self) -> ObjectId:
        """See `planting.Spot`."""
        return member_id(self._case(LEFT_OUT), "user", self._world.ids)

    def _case(self, name: str) -> Instance:
        found = self._world.people.named(name)
        return found[self.turn % len(found)]
