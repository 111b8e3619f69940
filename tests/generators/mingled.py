"""Few documents in three tables that are joined, point at each other in every way, and hold few different values.

Seeded; imports nothing from isthmus. Where `joined` has many documents that are alike in some columns, here nearly
everything may make documents one: unique references, in a circle of tables, and to values that others hold; conditions;
what a row is filled with.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from bson import ObjectId

Plain = dict[str, Any]

MAPPING = """\
isthmus: 1
collections:
  a:
    from: [%(sources)s]
    on_duplicate: merge
    ids: %(ids)s
    indexes:
      - {columns: [x, y], unique: true}
      - {columns: [b_id, x], unique: true}
      - {columns: [z], unique: true, where: "y IS NOT NULL"}
    fields:
      _id: %(id)s
      u: {type: integer, unique: true}
      x: integer
      y: integer
      z: integer
      b: {column: b_id, references: b, unique: true, on_orphan: "null"}
      bb: {column: bb_id, references: b.n, on_orphan: "null"}
      bv: {type: integer, references: b.n, unique: true, on_orphan: "null"}
      self: {column: self_id, references: a, on_orphan: "null"}
      many: {type: "%(id)s[]", references: a, on_orphan: drop}
      bs: {junction: ab}
      kids:
        child: kids
        fields:
          w: integer
          b: {column: b_id, references: b, on_orphan: "null"}
          c: {column: c_code, references: c.n, on_orphan: "null"}
  b:
    on_duplicate: merge
    fields:
      n: {type: integer, unique: true}
      m: {type: integer, unique: true}
      a: {column: a_id, references: a, on_orphan: "null"}
      c: {column: c_code, references: c.n, unique: true, on_orphan: "null"}
      j: {type: jsonb, rewrite: {w: a, "l.[].w": a, "c.p": b}}
      as: {junction: ab}
%(route)s
  c:
    key: code
    on_duplicate: merge
    fields:
      code: integer!
      n: {type: integer, unique: true}
      s: text
      o: {column: o_code, references: c.n, on_orphan: "null"}
junctions:
  ab: {columns: {a_id: a, b_id: b}, on_orphan: drop}
"""
_ROUTE = '      r: {route: {a: ra_id, b: rb_id}, on_orphan: "null"}'


class Mingled:
    """One database: of every third seed with kept ids that are numbers, of others now and then with a shared table.

    Args:
        seed: The same makes the same.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.keep = seed % 3 == 0
        self.shared = seed % 2 == 0 and not self.keep
        self.counts = {"a": self.chance.randrange(3, 16), "b": self.chance.randrange(2, 10)}
        self.values = self.chance.choice([3, 6, 12])
        self.share = self.chance.choice([0.2, 0.4, 0.7])

    def mapping(self) -> str:
        return MAPPING % {
            "sources": "a, a2" if self.shared else "a",
            "ids": "keep" if self.keep else "uuid",
            "id": "integer" if self.keep else "uuid",
            "route": "" if self.keep else _ROUTE,
        }

    def some(self, makers: dict[str, Callable[[], Any]]) -> Plain:
        return {name: make() for name, make in makers.items() if self.chance.random() < self.share}

    def number(self) -> int:
        return self.chance.randrange(self.values)

    def a_id(self, number: int) -> Any:
        return number if self.keep else _oid(number)

    def some_a(self) -> Any:
        """One of them, or the one behind the last, which is not there."""
        return self.a_id(self.chance.randrange(1, self.counts["a"] + 2))

    def some_b(self) -> ObjectId:
        return _oid(100 + self.chance.randrange(1, self.counts["b"] + 2))

    def few(self, make: Callable[[], Any]) -> list[Any]:
        return [make() for _ in range(self.chance.randrange(3))]

    def kid(self) -> Plain:
        return self.some({"w": self.number, "b": self.some_b, "c": self.number})

    def json(self) -> Plain:
        alike = self.some_a()  # stands where nothing says that it is an id
        inside = {"w": self.some_a(), "x": alike if self.keep else str(alike), "l": [{"w": self.some_a()}, 3, {"v": 1}]}
        return {**inside, "c": {"p": self.some_b()}}

    def document_a(self, number: int) -> Plain:
        plain = dict.fromkeys(("u", "x", "y", "z", "bb", "bv", "extra"), self.number)
        others = {
            "b": self.some_b,
            "self": self.some_a,
            "many": lambda: self.few(self.some_a),
            "bs": lambda: self.few(self.some_b),
            "kids": lambda: self.few(self.kid),
            "deep": lambda: {"k": self.number()},
        }
        return {"_id": self.a_id(number), **self.some({**plain, **others})}

    def document_b(self, number: int) -> Plain:
        plain = dict.fromkeys(("n", "m", "c", "extra"), self.number)
        routed = {} if self.keep else {"r": self.chance.choice([self.some_a, self.some_b])}
        others = {"a": self.some_a, "j": self.json, "as": lambda: self.few(self.some_a)}
        return {"_id": _oid(100 + number), **self.some({**plain, **others, **routed})}

    def document_c(self, number: int) -> Plain:
        names = {"n": self.number, "s": lambda: f"s{self.number()}", "o": self.number}
        return {"_id": _oid(200 + number), "code": self.number(), **self.some(names)}

    def documents(self) -> dict[str, list[Plain]]:
        """All documents by collection, in no order of their ids."""
        made = {
            "a": [self.document_a(number) for number in range(1, self.counts["a"] + 1)],
            "b": [self.document_b(number) for number in range(1, self.counts["b"] + 1)],
            "c": [self.document_c(number) for number in range(1, self.chance.randrange(3, 8))],
        }
        for documents in made.values():
            self.chance.shuffle(documents)
        if self.shared:
            made["a"], made["a2"] = made["a"][::2], made["a"][1::2]
        return made


def _oid(number: int) -> ObjectId:
    return ObjectId(f"{number:024x}")
