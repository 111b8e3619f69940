"""Ids that follow from collection and number, so that nothing has to be remembered to point at a document. Pure."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping

from bson import ObjectId

_MOST = 0xFFFFFF


class NumberedIds:
    """The ids of one database.

    Args:
        seed: Different seeds, different ids.
        sizes: Documents by collection, over which their times are spread; others are made a second apart.
        names: Every collection that ids are asked for.
        first: The time inside the id of the first document of each collection, in seconds.
        last: No id has a later one.
    """

    def __init__(self, seed: int, sizes: Mapping[str, int], names: Iterable[str], first: int, last: int) -> None:
        self._first, self._last = first, last
        self._machine = {name: _machine(f"{seed} {name}") for name in (*names, "")}
        self._step = {name: max(1, (last - first) // max(1, size)) for name, size in sizes.items()}

    def of(self, collection: str, number: int) -> ObjectId:
        """The `_id` of a document; later numbers have greater ones."""
        at = self.created(collection, number)
        return ObjectId(struct.pack(">I5s", at, self._machine[collection]) + (number & _MOST).to_bytes(3, "big"))

    def created(self, collection: str, number: int) -> int:
        """The time inside the id, in seconds."""
        return self._first + number * self._step.get(collection, 1) % (self._last - self._first)

    @staticmethod
    def number(identifier: ObjectId) -> int:
        """The number of the document that has an id, in collections of fewer than 16 million."""
        return int.from_bytes(identifier.binary[9:], "big")

    def gone(self, number: int) -> ObjectId:
        """An id that no document has."""
        return ObjectId(
            struct.pack(">I5s", self._first + number, self._machine[""]) + (number & _MOST).to_bytes(3, "big")
        )


def _machine(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=5).digest()
