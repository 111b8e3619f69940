"""Makes a whole database: lets documents flow into a sink, collection after collection, and tells the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bson import ObjectId

from apps.generating.sinks import Sink
from apps.panamia.generator import circles, content, forms, mentoring, sign_in
from apps.panamia.generator.catalogue import DOCUMENTS, PEOPLE
from apps.panamia.generator.people import TELLING, People, member_id
from apps.panamia.generator.planting import Document, End, Plant, amount
from apps.panamia.generator.resolutions import answers
from apps.panamia.generator.schema import INDEXES, INTAKES, PER_PERSON, sound
from apps.panamia.generator.spots import Place
from apps.panamia.generator.telling import Telling, Told
from apps.panamia.generator.truth import Truth
from apps.panamia.generator.values import FAR, TODAY
from apps.panamia.generator.world import Make, World

WRITTEN = tuple(PER_PERSON)
"""Every collection that a database has."""
FEWEST = 200
"""People that are needed, so that everything can be planted beside people who are as usual."""
_MAKERS: dict[str, Callable[[World], Make]] = {
    "nextauth_sessions": sign_in.sessions,
    "nextauth_verification_tokens": sign_in.tokens,
    "notifications": content.notifications,
    "articles": content.articles,
    "mentorSessions": mentoring.mentor_sessions,
    "mentorsessions": mentoring.former_sessions,
    "emailmigrations": sign_in.email_migrations,
    "oauthverifications": sign_in.verifications,
    "followers": circles.followers,
    "userlists": circles.lists,
    "images": circles.images,
    "signups": forms.signups,
    "newsletters": forms.newsletters,
    "contactus": forms.contacts,
    "brevocontacts": forms.brevo,
    "interactions": forms.interactions,
    "events": forms.events,
    "links": forms.links,
    "podcasts": forms.podcasts,
    **{name: forms.intake(name) for name in INTAKES},
}
_ACCOUNTS = "nextauth_accounts"
_ALREADY_THERE = "people/already-there"


def generate(people: int, seed: int, sink: Sink, truth: Truth) -> World:
    """Write a database to a sink, and the truth about it.

    The same people and seed give the same bytes. Memory holds a few thousand documents, and about 200 bytes a person.

    Args:
        people: `FEWEST` or more.
        truth: Open; the caller closes it.

    Returns:
        The database, for those who have further questions.
    """
    return _Builder(people, seed, truth).run(sink)


class _Builder:
    def __init__(self, people: int, seed: int, truth: Truth) -> None:
        self._truth = truth
        self._people = People(people, PEOPLE)
        self._planted: dict[str, list[tuple[Plant, int, int]]] = {}
        for place, plant in enumerate(DOCUMENTS):
            turns = range(amount(plant, people))
            self._planted.setdefault(plant.where, []).extend((plant, turn, place * 7 + turn * 97) for turn in turns)
        sizes = {name: sound(name, people) for name in _MAKERS}
        self._world = World(seed, self._people, sizes, {name: len(all_) for name, all_ in self._planted.items()})
        turns_of = {one.spare: turn for case in PEOPLE for turn, one in enumerate(self._people.named(case.name))}
        self._telling = Telling(self._world, turns_of)
        self._pairs: set[tuple[int | None, int | None]] = set()
        self._orphans: set[tuple[str, ...]] = set()

    def run(self, sink: Sink) -> World:
        for name in WRITTEN:
            self._truth.collection(name)
            sink.write(name, self._collection(name), INDEXES.get(name, ()))
        self._tell_people()
        return self._world

    def _collection(self, name: str) -> Iterator[Document]:
        if name in TELLING:
            return self._of_people(name)
        return self._of_accounts() if name == _ACCOUNTS else self._of_makers(name)

    def _of_people(self, name: str) -> Iterator[Document]:
        """Users, users of the sign-in, profiles."""
        for told in self._telling.all(name):
            more: dict[str, Any] = {} if told.into is None else {"into": told.into, "person": told.person}
            self._truth.end(name, told.document["_id"], told.end, told.why, **more)
            self._tell_played(told)
            if name == "users" and told.person is not None and told.end in {"copied", "merged"}:
                self._tell_following(told.person, told.document.get("following"))
            yield told.document

    def _of_accounts(self) -> Iterator[Document]:
        last = 2 * self._people.spare
        for document in sign_in.accounts(self._world):
            self._truth.end(_ACCOUNTS, document["_id"], "copied", None)
            yield document
        for number, (plant, turn, base) in enumerate(self._planted[_ACCOUNTS], start=last):
            place = Place(self._world, _ACCOUNTS, number, turn, base, None)
            document = sign_in.make_account(self._world, number, sign_in.PROVIDERS[turn % 5], f"p{number}")
            document["userId"] = place.id("nextauth_users")
            yield self._plant(plant, place, document)

    def _of_makers(self, name: str) -> Iterator[Document]:
        make, size = _MAKERS[name](self._world), self._world.sizes[name]
        expires = sign_in.EXPIRING.get(name)
        for number in range(size):
            document = make(number)
            if expires is not None and document[expires] < TODAY:
                self._truth.end(name, document["_id"], "skipped", "expired")
            else:
                self._truth.end(name, document["_id"], *self._tell_circle(name, document))
            yield document
        for number, (plant, turn, base) in enumerate(self._planted.get(name, ()), start=size):
            document = make(number)
            if expires is not None:
                document[expires] = FAR
            if name == "notifications":
                document["objectType"] = "article"
            yield self._plant(plant, Place(self._world, name, number, turn, base, make), document)

    def _plant(self, plant: Plant, place: Place, document: Document) -> Document:
        outcomes, do = plant.do.change(place, document), plant.do
        end, why = self._tell_circle(plant.where, document) if do.end == "copied" else (do.end, do.why)
        if plant.where == "followers" and why == "orphan":
            why = self._orphaned(str(document["followerId"]), str(document["userId"]))
        self._truth.end(plant.where, document["_id"], end, why)
        self._truth.planted(plant.name, plant.where, document["_id"], do.path, end, why, outcomes)
        return document

    def _orphaned(self, *pair: str) -> str:
        """Why a follow of nobody has no row: one that was said before was joined into the first, and left with it."""
        if pair in self._orphans:
            return "joined-left"
        self._orphans.add(pair)
        return "orphan"

    def _tell_played(self, told: Told) -> None:
        """Tell of a case where its document comes that was changed, or the first one of its collection."""
        if told.played is None:
            return
        instance, member = told.played
        case, document = instance.case, told.document
        role = next(iter(case.changes), next(one.role for one in case.members if one.collection == case.where))
        if member.role != role:
            return
        path = case.changes[role].path if role in case.changes else "email"
        outcomes = told.outcomes or []
        more = {"person": instance.first}
        self._truth.planted(case.name, told.collection, document["_id"], path, told.end, told.why, outcomes, **more)
        if case.name == _ALREADY_THERE:
            self._truth.there(instance.first, document["email"])

    def _tell_people(self) -> None:
        for line in self._telling.people():
            self._truth.add("people", line)
        ids = self._world.ids
        for instance in self._people.instances:
            case = instance.case
            if not case.conflict and not case.answers:
                continue
            documents = [
                {
                    "role": member.role,
                    "collection": member.collection,
                    "id": str(member_id(instance, member.role, ids)),
                    "person": instance.owner(member),
                }
                for member in case.members
            ]
            line = {"conflict": case.name, "kinds": list(case.conflict), "documents": documents}
            self._truth.add("conflicts", line | {"answers": list(answers(instance, ids))})

    def _tell_following(self, follower: int, following: Any) -> None:
        for value in dict.fromkeys(map(str, following)) if isinstance(following, list) else ():
            profile = self._number("profiles", value)
            if profile is not None:
                line = {"from": "users.following", "follower": follower, "profile": str(value)}
                self._truth.add("follows", line | {"followed": self._people.owner("profiles", profile)})

    def _tell_circle(self, name: str, document: Document) -> tuple[End, str | None]:
        """Tell of a follow or a list that must survive, and return how the document ends."""
        if name == "followers":
            pair = self._person(document["followerId"]), self._person(document["userId"])
            if pair in self._pairs:
                return "merged", "duplicate"
            self._pairs.add(pair)
            self._truth.add("follows", {"from": "followers", "follower": pair[0], "followed": pair[1]})
        elif name == "userlists":
            members = [one for one in document.get("profiles", ()) if self._number("profiles", one) is not None]
            line = {"id": str(document["_id"]), "owner": self._person(document["user_id"])}
            self._truth.add("lists", line | {"profiles": list(dict.fromkeys(map(str, members)))})
        return "copied", None

    def _person(self, value: Any) -> int | None:
        """The person whom an id of a user means."""
        number = self._number("users", value)
        return None if number is None else self._people.owner("users", number)

    def _number(self, collection: str, value: Any) -> int | None:
        """The number of the document of people that has an id and becomes a row; None where there is none."""
        if not ObjectId.is_valid(value):
            return None
        identifier = ObjectId(value)
        number = self._world.ids.number(identifier)
        if number >= self._people.spare or self._world.ids.of(collection, number) != identifier:
            return None
        return number if self._people.lands(collection, number) else None
