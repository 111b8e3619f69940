"""What all makers of documents share: the people, the ids, chance, and whom a sound document may point at. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from bson import ObjectId

from apps.generating.ids import NumberedIds
from apps.panamia.generator.people import AUTH, PROFILE, USER, People
from apps.panamia.generator.planting import Document
from apps.panamia.generator.schema import PER_PERSON
from apps.panamia.generator.values import FIRST, NOW

Make = Callable[[int], Document]
"""Makes the document of a number; asked for in order, for some draw chance."""
_MASK = 0xFFFFFFFF


class World:
    """One database.

    Args:
        seed: Of all chance.
        people: Who is there.
        sizes: Sound documents of each collection whose numbers do not follow from the people.
        planted: Further documents of these.
    """

    def __init__(self, seed: int, people: People, sizes: Mapping[str, int], planted: Mapping[str, int]) -> None:
        self.seed, self.people, self.sizes = seed, people, sizes
        totals = {name: size + planted.get(name, 0) for name, size in sizes.items()}
        totals |= dict.fromkeys(("users", "nextauth_users", "profiles"), people.spare)
        totals["nextauth_accounts"] = 2 * people.spare + planted.get("nextauth_accounts", 0)
        self.ids = NumberedIds(seed, totals, PER_PERSON, FIRST, NOW)
        self._salt = random.Random(seed).getrandbits(32)  # noqa: S311 - seeded on purpose

    def chance(self, collection: str) -> Callable[[], float]:
        """A source of chance of its own for a collection: numbers from 0 to 1."""
        return random.Random(f"{self.seed} {collection}").random  # noqa: S311 - seeded on purpose

    def mix(self, number: int, salt: int = 0) -> int:
        """32 bits that follow from a number, without chance."""
        value = (number + salt * 7919) * 2_654_435_761 ^ self._salt
        return (value ^ value >> 15) * 2_246_822_519 & _MASK

    def user(self, person: int) -> ObjectId:
        """The id of a person's user."""
        return self.ids.of("users", person)

    def auth(self, person: int) -> ObjectId:
        """The id of a person's user of the sign-in."""
        return self.ids.of("nextauth_users", person)

    def profile(self, person: int) -> ObjectId:
        """The id of a person's profile."""
        return self.ids.of("profiles", person)

    def drawer(self, roll: Callable[[], float], bits: int) -> Callable[[], int]:
        """A function that draws a person who has these documents."""
        count, flags, having = self.people.count, self.people.flags, self.people.having

        def draw() -> int:
            number = int(roll() * count)
            return number if flags[number] & bits == bits else having(number, bits)

        return draw

    def with_user(self, number: int) -> int:
        """A person with a user, from any number."""
        return self.people.having(number, USER)

    def with_all(self, number: int) -> int:
        """A person of no case with user, sign-in and profile, from any number."""
        return self.people.having(number, USER | AUTH | PROFILE, usual=True)

    def with_profile(self, number: int) -> int:
        """A person with a profile, from any number."""
        return self.people.having(number, PROFILE)
