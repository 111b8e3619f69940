"""Databases of people in several collections, and which of their documents are one thing.

Seeded; imports nothing from isthmus. Documents have children, grandchildren, pairs that fall together and extras, and
point at each other: by id, as text, in arrays, in jsonb, by routes, by ids of rows. Some of what they point at is not
there; some hold a unique value of another thing; some are left out, or belong to nobody.
"""

from __future__ import annotations

import random
from typing import Any

from bson import ObjectId

Plain = dict[str, Any]

MAPPING = """\
isthmus: 1
ids: cuid2
%(target)s
identities:
  "the people":
    keys: {mail: [trim, lower]}
    members:
      "new Users": {keys: {mail: mail}}
      users: {keys: {mail: mail}}
      legacy: {keys: {mail: mail}}
    linked:
      profiles: {keys: {mail: mail}}
    wins: {state: legacy, "last Name": users, born: users}
collections:
  users:
    table: people
    rewritten: true
    fields:
      mail: {type: text, unique: true}
      last: {column: "last Name", type: text}
      state: {type: text, default: a}
      born: {type: timestamptz, default: id_time}
      boss: {column: boss_id, references: users, on_orphan: "null"}
      friends: {type: "text[]", references: users, on_orphan: drop}
      groups: {junction: members}
      tags:
        child: tags
        fields:
          word: text
          by: {column: by_id, references: users, on_orphan: "null"}
          to: {type: "text[]", references: users, on_orphan: drop}
          parts: {child: parts, fields: {n: integer}}
  others:
    from: ["new Users", legacy]
    table: people
    rewritten: true
    fields:
      mail: {type: text, unique: true}
      last: {column: "last Name", type: text}
      state: {type: text, default: b, default_for: [missing, "null"]}
      inside: {type: jsonb, default: [], default_for: [missing, "null"], rewrite: {"[].who": users}}
      tags:
        child: tags
        fields:
          word: text
          by: {column: by_id, references: users, on_orphan: "null"}
          to: {type: "text[]", references: users, on_orphan: drop}
  groups: {fields: {name: text}}
  profiles:
    fields:
      owner: {column: owner_id, references: users, identity: "the people", on_orphan: "null"}
      any: {route: {groups: any_group_id, users: any_person_id}, on_orphan: "null"}
      seen: {type: "text[]", references: users, on_orphan: "null"}
      inside: {type: jsonb, rewrite: {"[].who": users}}
junctions:
  members: {columns: {person_id: users, group_id: groups}, on_orphan: drop}
"""


def mapping(*, existing: bool = False) -> str:
    """The mapping, of tables that it makes or of those of `TABLES`."""
    target = "target: {tables: existing, rerun: tracked, on_conflict: keep_target}" if existing else ""
    return MAPPING % {"target": target}


TABLES = """
CREATE TABLE people (id text PRIMARY KEY, mail text UNIQUE, "last Name" text, state text, born timestamptz,
    boss_id text REFERENCES people, friends text[], inside jsonb, extras jsonb);
CREATE TABLE tags (people_id text NOT NULL REFERENCES people ON DELETE CASCADE, position integer, word text,
    by_id text REFERENCES people, "to" text[], extras jsonb, PRIMARY KEY (people_id, position));
CREATE TABLE parts (tags_id text NOT NULL, tags_position integer, position integer, n integer, extras jsonb,
    PRIMARY KEY (tags_id, tags_position, position),
    FOREIGN KEY (tags_id, tags_position) REFERENCES tags (people_id, position) ON DELETE CASCADE);
CREATE TABLE groups (id text PRIMARY KEY, name text, extras jsonb);
CREATE TABLE profiles (id text PRIMARY KEY, owner_id text REFERENCES people, any_group_id text REFERENCES groups,
    any_person_id text REFERENCES people, seen text[], inside jsonb, extras jsonb);
CREATE TABLE members (person_id text REFERENCES people, group_id text REFERENCES groups,
    PRIMARY KEY (person_id, group_id));
"""

MEMBERS = ("new Users", "users", "legacy")


def _oid(number: int) -> ObjectId:
    return ObjectId(number.to_bytes(12, "big"))


class People:
    """One database.

    Args:
        seed: Of everything.
        id_of: The id that a document's own row would have, given its collection and `_id`.
        count: Things.
        clashes: Whether some hold a unique value of another thing.

    Attributes:
        groups: Id of each thing, with the documents that belong to it.
        none: Linked documents that belong to nobody.
        dropped: Collection → `_id` → reason.
    """

    def __init__(self, seed: int, id_of: Any, *, count: int = 14, clashes: bool = True) -> None:
        self._random = random.Random(seed)
        self._apart = random.Random(f"{seed} apart")  # what came later, so that all else of a seed is what it was
        self._id_of = id_of
        self._clashes = clashes
        self.groups: list[tuple[str, dict[str, list[Any]]]] = []
        self.none: dict[str, list[Any]] = {"profiles": []}
        self.dropped: dict[str, dict[Any, str]] = {"users": {}}
        self.collections: dict[str, list[Plain]] = {name: [] for name in (*MEMBERS, "groups", "profiles")}
        numbers = list(range(1, 10 * count))
        self._random.shuffle(numbers)
        self._numbers = iter(numbers)
        self._members: list[tuple[str, Any]] = []
        for number in range(count):
            self._thing(number)
        for name, identifier in self._members:
            self.collections[name].append({"_id": identifier})
        for number in range(1000, 1004):
            self.collections["groups"].append({"_id": _oid(number), "name": f"g{number}"})
        mails = {}
        for thing, parts in self.groups:
            for name in MEMBERS:
                mails.update({(name, one): f"{thing[:6]}@x" for one in parts.get(name, ())})
        for name in MEMBERS:
            for document in self.collections[name]:
                self._fill(name, document, mails.get((name, document["_id"]), "left@x"))
        self._profiles()
        for documents in self.collections.values():
            self._random.shuffle(documents)
        self._point_from_tags()

    def _id(self) -> Any:
        number = next(self._numbers)
        return self._random.choices([_oid(number), f"no. {number}", number], [8, 1, 1])[0]

    def _thing(self, number: int) -> None:
        parts: dict[str, list[Any]] = {}
        for name in self._random.sample(MEMBERS, self._random.choice([1, 1, 2, 2, 3])):
            # people may say that several of one collection are one
            parts[name] = [self._id() for _ in range(self._random.choice([1, 1, 1, 1, 2]))]
        own = [(name, one) for name in MEMBERS for one in parts.get(name, ())]
        self._members += own
        first = self._random.choice(own) if number % 3 == 0 else own[0]
        self.groups.append((self._id_of(*first), parts))
        if number % 5 == 0:
            gone = self._id()
            self.dropped["users"][gone] = f"test account {number % 2}"
            self._members.append(("users", gone))

    def _point_from_tags(self) -> None:
        for name in MEMBERS:
            for tag in (tag for document in self.collections[name] for tag in document.get("tags", ())):
                if self._apart.random() < 0.6:
                    tag["to"] = [self._reference(self._apart) for _ in range(self._apart.randrange(4))]

    def _reference(self, pick: random.Random | None = None) -> Any:
        pick = pick or self._random
        choice = pick.random()
        if choice < 0.55:
            name, one = pick.choice(self._members)
            return one if isinstance(one, ObjectId) or name == "users" else self._id_of(name, one)
        if choice < 0.65:
            return str(pick.choice([one for _, one in self._members if isinstance(one, ObjectId)]))
        if choice < 0.85:
            return pick.choice(self.groups)[0]
        return pick.choice([None, _oid(9999), "zzzzzzzzzzzzzzzzzzzzzzzz", self._id_of("users", "nobody")])

    def _several(self, most: int) -> list[Any]:
        return [self._reference() for _ in range(self._random.randrange(most + 1))]

    def _fill(self, name: str, document: Plain, mail: str) -> None:
        pick = self._random
        if pick.random() < 0.8:
            document["mail"] = mail
            if self._clashes and pick.random() < 0.12:
                document["mail"] = f"{pick.choice(self.groups)[0][:6]}@x"
        for field in ("last", "state"):
            if pick.random() < 0.6:
                document[field] = pick.choice(["a", "b", "c", None])
        if pick.random() < 0.4:
            document[pick.choice(["more", "x", "y"])] = pick.randrange(3)
        if pick.random() < 0.7:
            document["tags"] = [{"word": pick.choice("xyz"), "by": self._reference()} for _ in range(pick.randrange(3))]
        if name != "users":
            if pick.random() < 0.4:
                document["inside"] = [{"who": one} for one in self._several(2)]
            return
        for tag in document.get("tags", ()):
            if pick.random() < 0.5:
                tag["parts"] = [{"n": number} for number in range(pick.randrange(3))]
        if pick.random() < 0.6:
            document["boss"] = self._reference()
        if pick.random() < 0.6:
            document["friends"] = self._several(3)
        if pick.random() < 0.6:
            document["groups"] = [_oid(pick.choice([1000, 1001, 1002, 1003, 1009])) for _ in range(pick.randrange(3))]

    def _profiles(self) -> None:
        pick = self._random
        for number in range(2000, 2014):
            document: Plain = {"_id": _oid(number)}
            if pick.random() < 0.6:
                document["owner"] = self._reference()
            if pick.random() < 0.6:
                document["any"] = pick.choice([self._reference(), _oid(1000)])
            if pick.random() < 0.6:
                document["seen"] = self._several(3)
            if pick.random() < 0.6:
                document["inside"] = [{"who": one} for one in self._several(3)]
            self.collections["profiles"].append(document)
            choice = pick.random()
            if choice < 0.6:
                pick.choice(self.groups)[1].setdefault("profiles", []).append(document["_id"])
            elif choice < 0.8:
                self.none["profiles"].append(document["_id"])
