"""Databases with many documents that are one thing, under a mapping that joins them (`on_duplicate: merge`).

Seeded; imports nothing from isthmus. Documents are alike in one column, in several together, in parts of a key, or only
through another document; they have children, grandchildren, pairs that fall together, extras, and point at each other:
by id, by other fields, in arrays, in jsonb, by routes. Some of what they point at is not there.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bson import Decimal128, ObjectId

Plain = dict[str, Any]

MAPPING = """\
isthmus: 1
collections:
  people:
    from: %(sources)s
    constants: %(constants)s
    on_duplicate: merge
    fields:
      mail: {type: text, unique: true, normalise: [trim, lower]}
      number: {type: numeric, unique: true}
      first: text
      last: text
      state: {type: text, default: none, default_for: [missing, "null"]}
      phone: text
      born: {type: timestamptz, default: id_time}
      boss: {column: boss_id, references: people, on_orphan: "null"}
      friends: {type: "uuid[]", references: people, on_orphan: drop}
      home: %(home)s
      any: {route: {groups: any_group_id, people: any_person_id}, on_orphan: "null"}
      groups: {junction: members}
      tags:
        child: tags
        fields:
          word: text
          by: {column: by_id, references: people, on_orphan: "null"}
          parts:
            child: parts
            fields: {n: integer, mail: {column: mail_id, references: people.mail, on_orphan: "null"}}
    indexes: [%(indexes)s]
  places:
    key: code
    on_duplicate: merge
    fields:
      code: text!
      name: {type: text, unique: true}
      size: integer
      owner: {column: owner_id, references: people, on_orphan: "null"}
  groups:
    on_duplicate: merge
    fields: {name: {type: text, unique: true}, leader: {column: leader_id, references: people, on_orphan: "null"}}
  notes:
    ids: keep
    fields:
      by: {column: by_id, references: people, on_orphan: "null"}
      mail: {column: mail_id, references: people.mail, on_orphan: "null"}
      kept: {type: text, references: people.mail, on_orphan: "null"}
      seen: {type: "uuid[]", references: people, on_orphan: "null"}
      data: {type: jsonb, rewrite: {"[].who": people}}
      at: {column: at_code, references: places, on_orphan: "null"}
      who:
        first_of: [who, whose]
        route: {people: person_id, groups: {column: group_id, field: whose}}
        on_orphan: "null"
      reader: {type: text, references: people, on_orphan: "null"}
      readers: {type: "text[]", references: people, on_orphan: drop}
junctions:
  members: {columns: {person_id: people, group_id: groups}, on_orphan: drop}
"""


class Joined:
    """One database.

    Args:
        seed: The same makes the same.
        size: How many people there are.
        ways: What makes documents one. `one`: each holds the values of one unique index at most, so that no row joins
            further documents. `chains`: each person is drawn from what a thing holds in all of its columns, so that one
            index joins what another has joined. `any`: values are drawn alone, so that joined documents contradict each
            other in what made them one.
        shared: Whether people are in two collections.
    """

    def __init__(self, seed: int, *, size: int = 60, ways: str = "one", shared: bool = False) -> None:
        self.chance = random.Random(seed)
        self.size = size
        self.ways = ways
        self.shared = shared
        ids = [ObjectId(self.chance.randbytes(12)) for _ in range(size)]
        self.ids = {
            "people": ids,
            "places": [ObjectId(self.chance.randbytes(12)) for _ in range(8)],
            "groups": [ObjectId(self.chance.randbytes(12)) for _ in range(8)],
        }

    def maybe(self, share: float, name: str, content: Any) -> Plain:
        """One field, of a share of the documents, or now and then null."""
        drawn = self.chance.random()
        return {name: content} if drawn < share else {name: None} if drawn > 0.97 else {}

    def one_of(self, *names: str) -> ObjectId:
        """An id of such a collection, now and then one of nobody."""
        if self.chance.random() < 0.05:
            return ObjectId(self.chance.randbytes(12))
        return self.chance.choice(self.ids[self.chance.choice(names)])

    def some(self, *names: str) -> list[ObjectId]:
        return [self.one_of(*names) for _ in range(self.chance.randrange(4))]

    def word(self, stem: str, count: int) -> str:
        return f"{stem}{self.chance.randrange(count)}"

    def person(self, identifier: ObjectId) -> Plain:
        content = {
            **self.identity(),
            **self.maybe(0.5, "groups", self.some("groups")),
        }
        if self.ways != "chains":
            content |= {**self.own(), **self.maybe(0.5, "tags", [self.tag() for _ in range(self.chance.randrange(3))])}
        return {"_id": identifier, **content}

    def identity(self) -> Plain:
        """What makes people one."""
        chance = self.chance
        if self.ways == "chains":
            thing = random.Random(f"{chance.randrange(self.size // 3)} {self.ids['people'][0]}")
            drawn = Joined.values(thing, 10**9)
            others = {
                "state": f"s{thing.random()}",
                "extra": thing.randrange(10**6),
                "home": f"place{thing.randrange(8)}",
            }
            names = [{"first": f"f{thing.random()}", "last": f"l{thing.random()}"}]
            parts: list[Plain] = [{name: drawn[name]} for name in ("mail", "number", "phone")] + names
        else:
            drawn, others = self.values(chance, self.size // 10), Plain()
            parts = [{name: drawn[name]} for name in ("mail", "number", "phone")]
            parts += [{"first": self.word("f", 4), "last": self.word("l", 2)}]
        few = [chance.choice(parts)]
        chosen = few if self.ways == "one" else [one for one in parts if chance.random() < 0.4]
        found = {name: content for one in chosen for name, content in one.items()}
        return {**found, **{name: content for name, content in others.items() if chance.random() < 0.5}}

    @staticmethod
    def values(chance: random.Random, count: int) -> Plain:
        """One of so many addresses, numbers and telephones each, in one of its forms."""
        number = chance.choice(["{}", "{}.0", "{}.00"]).format(chance.randrange(count))
        return {
            "mail": chance.choice([" m{}@x", "M{}@X "]).format(chance.randrange(count)),
            "number": Decimal128(number),
            "phone": f"p{chance.randrange(count)}",
        }

    def mail(self) -> str:
        return str(self.values(self.chance, self.size // 10)["mail"])

    def own(self) -> Plain:
        """What people say of themselves, each for himself."""
        chance = self.chance
        return {
            **self.maybe(0.3, "state", self.word("s", 2)),
            **self.maybe(0.3, "born", datetime(2000, 1, 1 + chance.randrange(9), tzinfo=UTC)),
            **self.maybe(0.4, "boss", self.one_of("people")),
            **self.maybe(0.3, "friends", self.some("people")),
            **self.maybe(0.3, "home", self.word("place", 9)),
            **self.maybe(0.3, "any", self.one_of("people", "groups")),
            **self.maybe(0.3, "extra", chance.randrange(3)),
            **self.maybe(0.3, "more", {"deep": chance.randrange(2)}),
        }

    def tag(self) -> Plain:
        parts = [{"n": n, **self.maybe(0.5, "mail", self.mail())} for n in range(self.chance.randrange(3))]
        return {
            **self.maybe(0.9, "word", self.word("w", 9)),
            **self.maybe(0.3, "by", self.one_of("people")),
            **self.maybe(0.5, "parts", parts),
        }

    def place(self, identifier: ObjectId) -> Plain:
        number = self.chance.randrange(6)
        name = self.word("place", 8) if self.ways == "any" else f"place{number}"
        return {
            "_id": identifier,
            "code": f"c{number}",
            **self.maybe(0.6, "name", name),
            **self.maybe(0.5, "size", self.chance.randrange(3)),
            **self.maybe(0.5, "owner", self.one_of("people")),
        }

    def group(self, identifier: ObjectId) -> Plain:
        return {
            "_id": identifier,
            **self.maybe(0.8, "name", self.word("g", 4)),
            **self.maybe(0.5, "leader", self.one_of("people")),
        }

    def note(self, number: int) -> Plain:
        data = [{"who": self.one_of("people"), "n": n} for n in range(self.chance.randrange(3))]
        return {
            "_id": f"note {number}",
            **self.maybe(0.6, "by", self.one_of("people")),
            **self.maybe(0.4, "mail", self.mail()),
            **self.maybe(0.4, "kept", self.mail()),
            **self.maybe(0.5, "seen", self.some("people")),
            **self.maybe(0.5, "data", data),
            **self.maybe(0.4, "at", self.one_of("places")),
            **self.maybe(0.5, "who", self.one_of("people", "groups")),
            **self.maybe(0.5, "whose", self.one_of("groups")),
            **self.maybe(0.5, "reader", self.one_of("people")),
            **self.maybe(0.5, "readers", self.some("people")),
        }

    def documents(self) -> dict[str, list[Plain]]:
        """All documents by collection, in no order of their ids."""
        people = self.ids["people"]
        half = self.size // 2 if self.shared else self.size
        made: dict[str, list[Plain]] = {
            "Old": [self.person(one) for one in people[:half]],
            **({"New": [self.person(one) for one in people[half:]]} if self.shared else {}),
            "places": [self.place(one) for one in self.ids["places"]],
            "groups": [self.group(one) for one in self.ids["groups"]],
            "notes": [self.note(number) for number in range(self.size // 2)],
        }
        for documents in made.values():
            self.chance.shuffle(documents)
        return made


def mapping(*, uniques: Sequence[str] = (), shared: bool = False, waits: bool = True) -> str:
    """The mapping.

    Args:
        uniques: Further unique indexes of people, of each its columns and condition as YAML.
        shared: Whether two collections fill the table of people; else they are one, `Old`.
        waits: Whether people have a reference that is looked up.
    """
    both, constants = "{Old: {origin: old}, New: {origin: new}}", "{origin: text!}"
    one, constant = "Old", "{origin: {type: text, value: old}}"
    looked_up = '{column: home_code, references: places.name, on_orphan: "null"}'
    return MAPPING % {
        "sources": both if shared else one,
        "constants": constants if shared else constant,
        "home": looked_up if waits else "{column: home_code, type: text}",
        "indexes": ", ".join(uniques),
    }
