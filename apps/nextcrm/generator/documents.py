"""Sound documents: what the application itself would have written; optional fields are there, null or missing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Set
from typing import Any

from bson import Int64, ObjectId

from apps.nextcrm.generator.ids import LABELS, Ids, label
from apps.nextcrm.generator.models import ENUMS, FIELDS
from apps.nextcrm.generator.profiles import Profile
from apps.nextcrm.generator.relations import Relation
from apps.nextcrm.generator.seeds import LOOKUPS
from apps.nextcrm.generator.values import Make, Values

Document = dict[str, Any]

MISSING, NULL = 0.1, 0.2
"""Shares of documents without an optional field, and with a null in it (0.1 to 0.2 is null)."""
_NEVER = {("tasksComments", "assigned_crm_account_task"), ("crm_Contacts", "account")}
"""Optional references that the application's own code does not write."""
_HEX_EVERY, _TWICE_EVERY = 59, 41
"""One link in so many is written as text in the left array; one in so many stands there twice."""


class Documents:
    """Makes the documents of one database.

    Args:
        seed: Of all chance.
        profile: Sizes.
        ids: The ids of the database.
        relations: The links of the ten junctions.
        avoid: Numbers of documents, by collection, that become no row, so that no sound document points at them.
    """

    def __init__(
        self, seed: int, profile: Profile, ids: Ids, relations: list[Relation], avoid: Mapping[str, Set[int]]
    ) -> None:
        self._seed = seed
        self._sizes = profile.sizes
        self._ids = ids
        self._avoid = avoid
        self._arrays: dict[str, list[tuple[Relation, bool]]] = {}
        for relation in relations:
            self._arrays.setdefault(relation.junction.left, []).append((relation, True))
            if relation.junction.right_field is not None:
                self._arrays.setdefault(relation.junction.right, []).append((relation, False))

    def of(self, collection: str) -> Callable[[int], Document]:
        """Return the maker of a collection's documents; numbers must be asked for in order, for chance is drawn."""
        chance = random.Random(f"{self._seed} {collection}")  # noqa: S311 - seeded on purpose
        roll = chance.random
        fields = self._fields(collection, Values(chance))
        lookups = LOOKUPS.get(collection, ())
        arrays = self._arrays.get(collection, [])
        ids = self._ids

        def make(number: int) -> Document:
            created = ids.created(collection, number)
            document: Document = {"_id": ids.of(collection, number)}
            for name, optional, value in fields:
                if optional:
                    part = roll()
                    if part < NULL:
                        if part >= MISSING:
                            document[name] = None
                        continue
                document[name] = value(number, created)
            if number < len(lookups):
                document |= {
                    name: Int64(value) if type(value) is int else value for name, value in lookups[number].items()
                }
            for relation, left in arrays:
                self._link(document, relation, number, left=left)
            return document

        return make

    def _fields(self, collection: str, values: Values) -> list[tuple[str, bool, Make]]:
        found: list[tuple[str, bool, Make]] = []
        linked = {
            relation.junction.left_field if left else relation.junction.right_field
            for relation, left in self._arrays.get(collection, [])
        }
        for word in FIELDS[collection].split():
            name, _, kind = word.partition(":")
            if name in linked or (collection, name) in _NEVER:
                continue
            optional = not kind.endswith("!")
            make = self._maker(collection, name, kind.removesuffix("!"), values)
            if make is not None:
                found.append((name, optional and name != LABELS.get(collection, ("",))[0], make))
        return found

    def _maker(self, collection: str, name: str, kind: str, values: Values) -> Make | None:
        if name == LABELS.get(collection, ("",))[0]:
            return lambda number, _created: label(collection, number)
        kind, _, other = kind.partition(">")
        if other in FIELDS:
            return self._pointing(collection, name, kind, other, values)
        plain: dict[str, Callable[[], Make]] = {
            "text": lambda: values.text(collection, name),
            "long": lambda: values.long(name),
            "date": lambda: values.date(name),
            "bool": values.bool,
            "json": lambda: values.json(name),
            "texts": values.texts,
            "enum": lambda: values.often(_in_use(other)),
        }
        return plain[kind]()

    def _pointing(self, collection: str, name: str, kind: str, other: str, values: Values) -> Make | None:
        if not self._sizes[other]:
            return None
        draw = self._draw(other, values)
        of = self._ids.of
        if (collection, name) == ("tasksComments", "task"):
            return self._commented()
        if (collection, name) == ("crm_Contacts", "accountsIDs"):
            return lambda number, _created: of(other, self.sound(other, number // 10))
        if (collection, name) == ("crm_Opportunities", "account"):
            return lambda number, _created: of(other, self.sound(other, number // 5))
        if kind == "id":
            return lambda _number, _created: of(other, draw())
        if kind == "hex":
            return lambda _number, _created: str(of(other, draw()))
        if kind == "hexes":
            return lambda number, _created: [str(of(other, draw())) for _ in range(number % 3)]
        return lambda number, _created: [of(other, draw()) for _ in range(number % 4)]

    def _commented(self) -> Make:
        """The task of a comment: every third is one of the CRM's, which the application put into the same field.

        Of 38 comments these are 33 different ids: nine CRM tasks and 24 ordinary ones.
        """
        of = self._ids.of

        def make(number: int, _created: int) -> ObjectId:
            if number % 3 == 0:
                return of(
                    "crm_Accounts_Tasks", self.sound("crm_Accounts_Tasks", number // 3 % 9 if number < 38 else number)
                )
            return of("Tasks", self.sound("Tasks", 1 if number == 37 else number))

        return make

    def _draw(self, collection: str, values: Values) -> Callable[[], int]:
        roll, size, sound = values.roll, self._sizes[collection], self.sound
        return lambda: sound(collection, int(roll() * size))

    def sound(self, collection: str, number: int) -> int:
        """The number itself, or the next of a document that becomes a row of its own."""
        size, avoid = self._sizes[collection], self._avoid.get(collection, ())
        number %= size
        while number in avoid:
            number = (number + 1) % size
        return number

    def _link(self, document: Document, relation: Relation, number: int, *, left: bool) -> None:
        """Fill the array of one side with the links that this side names."""
        junction = relation.junction
        array: list[Any] = []
        if left:
            for link, right in relation.of_left(number):
                if relation.side(link) == "right":
                    continue
                identifier = self._ids.of(junction.right, right)
                array.append(str(identifier) if link % _HEX_EVERY == 3 else identifier)
                if link % _TWICE_EVERY == 7:
                    array.append(identifier)
            document[junction.left_field] = array
            return
        for link, other in relation.of_right(number):
            if relation.side(link) != "left":
                array.append(self._ids.of(junction.left, other))
        if junction.right_field is not None and (array or number % 3):
            document[junction.right_field] = array


def _in_use(enum: str) -> tuple[str, ...]:
    values = ENUMS[enum]
    order = {"ACTIVE": 0, "PENDING": 1, "INACTIVE": 2}
    return tuple(sorted(values, key=lambda value: order.get(value, 3)))
