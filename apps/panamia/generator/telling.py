"""Makes the documents that tell who people are, and what their rows must hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apps.generating.outcomes import Outcome, instant
from apps.panamia.generator.members import make_auth, make_user
from apps.panamia.generator.people import (
    AUTH,
    MEMBERS,
    ODD,
    PROFILE,
    USER,
    Instance,
    key,
    link_text,
    member_id,
    written,
)
from apps.panamia.generator.planting import Document, End, Member
from apps.panamia.generator.profiles import UNLINKED, make_profile
from apps.panamia.generator.schema import PREFERENCES
from apps.panamia.generator.sign_in import BY_HAND, sign_ins
from apps.panamia.generator.spots import Place
from apps.panamia.generator.values import email
from apps.panamia.generator.world import World


@dataclass(frozen=True)
class Told:
    """A document that tells who somebody is, with how it ends.

    Attributes:
        collection: Where it stands.
        person: Whose it is; None where it is nobody's.
        into: The `_id` of the document whose row it becomes part of.
        played: The case and the part in it.
        outcomes: What must come of what was done to it; None where nothing was.
    """

    collection: str
    document: Document
    person: int | None
    end: End
    why: str | None = None
    into: str | None = None
    played: tuple[Instance, Member] | None = None
    outcomes: list[Outcome] | None = None


class Telling:
    """Makes users, users of the sign-in and profiles; asked twice for one, it makes the same.

    Args:
        world: The database.
        turns: How many of its kind are planted before an instance, by the instance's spare number.
    """

    def __init__(self, world: World, turns: dict[int, int]) -> None:
        self._world, self._people, self._turns = world, world.people, turns

    def all(self, collection: str) -> Iterator[Told]:
        """All documents of a collection, in order."""
        for number in self._people.numbers(collection):
            yield self.one(collection, number)

    def one(self, collection: str, number: int) -> Told:
        """The document of a number, which is there."""
        people = self._people
        if number < people.count and not people.flags[number] & ODD:
            return self._usual(collection, number)
        played = people.played(collection, number)
        if played is None:
            message = f"{collection} has no document {number}"
            raise LookupError(message)
        return self._played(*played)

    def _usual(self, collection: str, number: int) -> Told:
        world, flags = self._world, self._people.flags[number]
        if collection == "users":
            return Told(collection, make_user(world, number, number, email(number)), number, "copied")
        if collection == "nextauth_users":
            document = make_auth(world, number, number, email(number))
            into = str(world.user(number)) if flags & USER else None
            return Told(collection, document, number, "merged" if into else "copied", into=into)
        document = make_profile(world, number, number, email(number), self._link(number, flags))
        return Told(collection, document, number, "copied")

    def _link(self, number: int, flags: int) -> Any:
        """What `userId` of a usual profile holds: mostly the id of the sign-in's user; of others that of the user."""
        if flags & AUTH:
            if number % 7 == 0 and flags & USER:
                return str(self._world.user(number))
            return (None, UNLINKED)[number % 2] if number % 7 == 1 else str(self._world.auth(number))
        return str(self._world.user(number)) if flags & USER and number % 3 else (None, UNLINKED)[number % 2]

    def _played(self, instance: Instance, member: Member) -> Told:
        owner = instance.owner(member)
        document = self._made(instance, member, instance.first if owner is None else owner)
        outcomes = self._changed(instance, member.role, document)
        end, why = instance.case.end(member)
        into = None
        if end is None:
            first = self._first(instance, member.owner) if member.collection in MEMBERS else member
            end = "copied" if first == member else "merged"
            if end == "merged":
                into = str(member_id(instance, first.role, self._world.ids))
        return Told(member.collection, document, owner, end, why, into, (instance, member), outcomes)

    def _made(self, instance: Instance, member: Member, person: int) -> Document:
        world, number = self._world, instance.number(member.role)
        address = written(member.form, instance.first + member.of)
        if member.collection == "users":
            return make_user(world, number, person, address)
        if member.collection == "nextauth_users":
            return make_auth(world, number, person, address)
        link = UNLINKED if member.link is None else link_text(instance, member.link, world.ids)
        return make_profile(world, number, person, address, link)

    def _changed(self, instance: Instance, role: str, document: Document) -> list[Outcome] | None:
        do = instance.case.changes.get(role)
        if do is None:
            return None
        turn = self._turns[instance.spare]
        place = Place(self._world, instance.member(role).collection, instance.number(role), turn, turn % 5, None)
        return do.change(place, document)

    @staticmethod
    def _first(instance: Instance, owner: int | None) -> Member:
        """The document whose row the others of a person become part of; there is one that becomes a row."""
        mine = [one for one in instance.case.members if one.owner == owner and instance.case.end(one)[0] is None]
        found = [one for one in mine if one.collection in MEMBERS]
        return min(found, key=lambda one: (MEMBERS.index(one.collection), instance.number(one.role)))

    def people(self) -> Iterator[dict[str, Any]]:
        """A line for each person who has a document that becomes a row."""
        people = self._people
        for number in range(people.count):
            instance = people.instance(number)
            if instance is None:
                flags = people.flags[number]
                told = [
                    self.one(collection, number)
                    for collection, bit in (("users", USER), ("nextauth_users", AUTH))
                    if flags & bit
                ]
                profiles = [str(self._world.profile(number))] if flags & PROFILE else []
                found = sign_ins(number) if flags & AUTH else []
            else:
                told, profiles, found = self._of_case(instance, number)
            if told or profiles:
                yield _line(number, told, profiles, found)

    def _of_case(self, instance: Instance, person: int) -> tuple[list[Told], list[str], list[tuple[str, str]]]:
        mine = [
            (member, instance.number(member.role))
            for member in instance.case.members
            if instance.owner(member) == person and instance.case.end(member)[0] is None
        ]
        told = [
            self.one(collection, number)
            for collection in MEMBERS
            for member, number in sorted(mine, key=lambda one: one[1])
            if member.collection == collection
        ]
        profiles = [str(self._world.profile(number)) for member, number in mine if member.collection == "profiles"]
        found = [one for member, number in mine if member.collection == "nextauth_users" for one in sign_ins(number)]
        if instance.case.name == BY_HAND:
            found = sign_ins(person)
        return told, profiles, found


def _line(person: int, told: list[Told], profiles: list[str], accounts: list[tuple[str, str]]) -> dict[str, Any]:
    """What is known of a person.

    Args:
        told: Documents of users and of users of the sign-in; the first gives the row its id.
    """
    line: dict[str, Any] = {
        "person": person,
        "key": key(told[0].document["email"]) if told else email(person),
        "row": str(told[0].document["_id"]) if told else None,
        "members": [[one.collection, str(one.document["_id"])] for one in told],
        "profiles": profiles,
    }
    if not told:
        return line
    users = [one.document for one in told if one.collection == "users"]
    auths = [one.document for one in told if one.collection == "nextauth_users"]
    proven = _held("emailVerified", auths)
    line |= {
        "name": _held("name", [*users, *auths]),
        "screenname": _held("screenname", users),
        "email_verified": None if proven is None else instant(proven),
        "image": _held("image", auths),
        "accounts": [list(one) for one in accounts],
    }
    wanted = _held("notificationPreferences", users) or {}
    unwanted = sorted(word for word in PREFERENCES if wanted.get(word) is False)
    return line | ({"unwanted": unwanted} if unwanted else {})


def _held(path: str, documents: list[Document]) -> Any:
    """The value of the first document that has one."""
    return next((one[path] for one in documents if one.get(path) is not None), None)
