"""Who is there: which documents each person has, under which e-mails; all follows from a person's number. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bson import ObjectId

from apps.generating.ids import NumberedIds
from apps.generating.placing import spread
from apps.panamia.generator.planting import Case, Form, Member, amount
from apps.panamia.generator.values import CANONICAL, email

USER, AUTH, PROFILE, ODD = 1, 2, 4, 8
"""Which documents of a number there are and become rows, as bits; `ODD`: the person plays a case."""
TELLING = {"users": USER, "nextauth_users": AUTH, "profiles": PROFILE}
"""Collections that tell who a person is, in the order in which a row takes its id from them."""
MEMBERS = ("users", "nextauth_users")
"""Those whose documents are rows of users."""
_FIRST_ODD = 10


@dataclass(frozen=True)
class Instance:
    """A case that is played by certain persons.

    Attributes:
        case: Which.
        first: The number of the first person.
        spare: The number of further documents of a person in one collection.
    """

    case: Case
    first: int
    spare: int

    def number(self, role: str) -> int:
        """The number of the document that plays a role."""
        member = self.member(role)
        place = [one.role for one in self.case.members if one.collection == member.collection].index(role)
        return self.first + place if place < self.case.persons else self.spare

    def member(self, role: str) -> Member:
        """The document that plays a role."""
        return next(one for one in self.case.members if one.role == role)

    def owner(self, member: Member) -> int | None:
        """The number of the person whose the document is."""
        return None if member.owner is None else self.first + member.owner


class People:
    """All persons of a database.

    Args:
        count: How many.
        cases: What is planted among them.
    """

    def __init__(self, count: int, cases: Sequence[Case]) -> None:
        self.count = count
        wanted = [case for case in cases for _ in range(amount(case, count))]
        # By turns, so that a kind does not stand in one corner of the database.
        wanted = [case for turn in range(7) for case in wanted[turn::7]]
        placed, left = spread(wanted, _FIRST_ODD, count, _persons)
        if left:
            message = f"{count} people are too few for {len(wanted)} cases"
            raise ValueError(message)
        self.instances = [Instance(case, first, count + place) for place, (first, case) in enumerate(placed.items())]
        self.flags = bytearray(_usual(number) for number in range(count))
        self._odd: dict[int, Instance] = {}
        self._named: dict[str, list[Instance]] = {}
        for instance in self.instances:
            self._named.setdefault(instance.case.name, []).append(instance)
            for number in range(instance.first, instance.first + instance.case.persons):
                self._odd[number] = instance
                self.flags[number] = ODD
            for member in instance.case.members:
                number = instance.number(member.role)
                if number < count and instance.case.end(member)[0] is None:
                    self.flags[number] |= TELLING[member.collection]

    @property
    def spare(self) -> int:
        """One more than the highest number of any document that tells who a person is."""
        return self.count + len(self.instances)

    def instance(self, person: int) -> Instance | None:
        """The case that a person plays."""
        return self._odd.get(person)

    def named(self, case: str) -> list[Instance]:
        """All instances of a case."""
        return self._named[case]

    def played(self, collection: str, number: int) -> tuple[Instance, Member] | None:
        """The part that the document of a number plays; None where it is a usual one, or there is none."""
        instance = self._odd.get(number) if number < self.count else self.instances[number - self.count]
        if instance is not None:
            for member in instance.case.members:
                if member.collection == collection and instance.number(member.role) == number:
                    return instance, member
        return None

    def owner(self, collection: str, number: int) -> int | None:
        """Whose the document of a number is that becomes a row; None where nobody's."""
        played = self.played(collection, number)
        return number if played is None else played[0].owner(played[1])

    def lands(self, collection: str, number: int) -> bool:
        """Whether there is a document of that number which becomes a row, or part of one."""
        if number < self.count:
            return bool(self.flags[number] & TELLING[collection])
        played = self.played(collection, number)
        return played is not None and played[0].case.end(played[1])[0] is None

    def numbers(self, collection: str) -> Iterator[int]:
        """Numbers of all documents of a collection that tells who a person is, in order."""
        bit, flags = TELLING[collection], self.flags
        for number in range(self.count):
            held = flags[number]
            if held & ODD:
                if self.played(collection, number):
                    yield number
            elif held & bit:
                yield number
        for number in range(self.count, self.spare):
            if self.played(collection, number):
                yield number

    def having(self, number: int, bits: int, *, usual: bool = False) -> int:
        """The number itself, or the next, of documents that are there; `usual` where nobody of a case is meant."""
        flags, count = self.flags, self.count
        unwanted = ODD if usual else 0
        number %= count
        while flags[number] & bits != bits or flags[number] & unwanted:
            number = number + 1 if number + 1 < count else 0
        return number


def written(form: Form, person: int) -> str | None:
    """The e-mail of a person as a document has it; None where it has none."""
    plain = email(person)
    if form == "none":
        return None
    if form == "upper":
        return plain.upper()
    if form == "mixed":
        return plain.title()
    if form == "spaced":
        return f" {plain} "
    if form == "new":
        return f"new.{plain}"
    if form in {"accents", "accents-upper"}:
        accented = f"ñandú.{plain}"
        return accented if form == "accents" else accented.upper()
    return plain


def key(text: str) -> str:
    """An e-mail as people are compared by it."""
    return text.strip().lower()


def link_text(instance: Instance, link: str, ids: NumberedIds) -> str | None:
    """What `userId` of a profile holds."""
    if link == "null":
        return None
    if link == "empty":
        return ""
    if link == "canonical":
        return CANONICAL
    if link == "gone":
        return str(ids.gone(instance.first))
    return str(member_id(instance, link, ids))


def member_id(instance: Instance, role: str, ids: NumberedIds) -> ObjectId:
    """The id of the document that plays a role."""
    return ids.of(instance.member(role).collection, instance.number(role))


def _usual(number: int) -> int:
    """What a person has who plays no case: most have everything, and all of it fits together."""
    if number % 50 == 21:
        return PROFILE
    auth = AUTH if number % 10 != 7 else 0
    profile = PROFILE if number % 5 != 3 else 0
    return (0 if number % 100 == 41 else USER) | auth | profile


def _persons(case: Case) -> int:
    return case.persons
