"""A database whose `_id`s are of every type that MongoDB has for them, under names that nothing is made for.

Seeded; imports nothing from isthmus. Every document is well-formed, has an `_id` of its own and lies in UTF-8, so that
a server, a dump, an archive and an export can all hold it. Points at each other by ids of all types, also by another
type of the same number; besides that: orphans, children, pairs, extras, adjusted values, and documents that do not fit.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.generators import bson_writer as bw
from tests.generators.bson_writer import Value

HOME = 'Mixed "ü" .x'
AWAY = "per%s & quote'/名前"
PLAIN = "sys.tem"

MAPPING = f"""\
isthmus: 1
target: {{schema: 'Mixed "ü"', tables: create}}
extras: extras
collections:
  {HOME!r}:
    table: order
    fields:
      n: integer!
      'quote"': {{column: quote, type: text, policies: {{nul: remove}}}}
      ключ: {{column: "select", type: jsonb}}
      any: {{type: text, coerce: true}}
      to: {{column: to_id, references: {HOME!r}, on_orphan: "null"}}
      others: {{junction: pairs}}
      parts:
        child: 'part''s "list"'
        fields:
          to: {{column: to_id, references: "{AWAY}", on_orphan: "null"}}
          with space: {{column: with_space, type: double}}
  "{AWAY}":
    table: 'away "from" home'
    fields:
      n: bigint
      must: {{column: must_id, references: {HOME!r}, required: true, on_orphan: dead_letter}}
      at: timestamptz
  {PLAIN}:
    ids: keep
    table: plain
    fields:
      n: numeric
junctions:
  pairs: {{columns: {{home_id: {HOME!r}, away_id: "{AWAY}"}}, on_orphan: drop}}
"""
SCHEMA = 'Mixed "ü"'

_RARE = {0x08, 0x0A, 0x7F, 0xFF}
"""Types of which there are one or two values: documents with such an `_id` are plain, so that any server takes them."""


@dataclass(frozen=True)
class Mixed:
    """One database.

    Attributes:
        collections: Name → documents as BSON.
        mapping: The mapping file's text.
    """

    collections: dict[str, list[bytes]]
    mapping: str = MAPPING


def mixed(seed: int, count: int = 60) -> Mixed:
    """Make the database of a seed with `count` documents in each of the two larger collections."""
    return _Maker(random.Random(seed)).make(count)


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def make(self, count: int) -> Mixed:
        home, away = self._ids(count), self._ids(count)
        return Mixed(
            {
                HOME: [self._home(number, one, home, away) for number, one in enumerate(home)],
                AWAY: [self._away(number, one, home) for number, one in enumerate(away)],
                PLAIN: [
                    bw.document([("_id", bw.string(f"{n} {self._word()}")), ("n", self._number(n))]).raw
                    for n in range(count // 4)
                ],
            }
        )

    def _word(self) -> str:
        letters = "abcé名😀'\"\\ .$%/\n"
        return "".join(self._rng.choices(letters, k=self._rng.randint(0, 8)))

    def _ids(self, count: int) -> list[Value]:
        """Return ids of which no two are the same to a server; numbers differ by value, whatever their type."""
        fixed = [bw.null(), bw.min_key(), bw.max_key(), bw.string(""), bw.document([]), bw.binary(0, b"")]
        fixed += [bw.boolean(true=True), bw.boolean(true=False), bw.double(float("nan")), bw.double(float("inf"))]
        made = [*fixed, *(self._id(number) for number in range(len(fixed), max(count, len(fixed))))]
        self._rng.shuffle(made)
        return made

    def _numbers(self, number: int) -> list[Value]:
        """Return numbers of all types, the same one in four of them."""
        same = [bw.int32(number), bw.int64(number), bw.double(number), bw.decimal128(0, number * 10, -1)]
        return [*same, bw.int64(number + (1 << 53)), bw.double(number + 0.5)]

    def _number(self, number: int) -> Value:
        return self._rng.choice(self._numbers(number))

    def _id(self, number: int) -> Value:
        """Return an id of a number's own; every type has its turn."""
        rng = self._rng
        inner = bw.array([bw.int32(number), bw.string(self._word())])
        pairs = [("a.b", bw.int32(number)), ("", bw.document([("x$", inner), ("_id", bw.null())]))]
        ids = [
            *self._numbers(number),
            bw.object_id(number.to_bytes(4, "big") + rng.randbytes(8)),
            bw.string(f"{number}{self._word()}"),
            bw.document(pairs if rng.random() < 0.5 else pairs[::-1]),
            bw.binary(rng.choice([0, 3, 4, 5, 128]), number.to_bytes(16, "big")),
            bw.datetime_ms(number * 86_400_000 * rng.choice([1, -1, 10_000]) + number),
            bw.timestamp(number, rng.randrange(1 << 32)),
        ]
        return ids[number % len(ids)]

    def _anything(self, number: int) -> Value:
        rng = self._rng
        values = [
            *(bw.null(), bw.undefined(), bw.regex("a/b", "im"), bw.code("f()"), bw.symbol("s"), bw.min_key()),
            bw.code_with_scope("g()", bw.document([("x", bw.int64(number))])),
            bw.db_pointer("c.d", rng.randbytes(12)),
            bw.dbref("elsewhere", bw.int32(number)),
            bw.document([("n", bw.int32(1)), ("n", bw.int64(2)), ("", bw.string(self._word()))]),
            bw.array([self._number(number), bw.array([]), bw.document([("$set", bw.double(-0.0))])]),
            bw.datetime_ms(rng.choice([-(1 << 63), (1 << 63) - 1, 253_402_300_800_000, -1])),
            bw.decimal128(1, 10**33, 6111),
            bw.string("\ud7ff\ue000\U0010ffff"),
        ]
        return rng.choice(values)

    def _home(self, number: int, identifier: Value, home: list[Value], away: list[Value]) -> bytes:
        rng = self._rng
        fields: list[tuple[str | bytes, Value]] = [("_id", identifier), ("n", bw.int32(number))]
        if identifier.type in _RARE:
            return bw.document(fields).raw
        if rng.random() < 0.1:
            fields[1] = ("n", bw.string("no number"))  # a letter
        if rng.random() < 0.5:
            fields.append(('quote"', bw.string(rng.choice(["a\0b", self._word()]))))
        if rng.random() < 0.5:
            fields.append(("ключ", self._anything(number)))
        if rng.random() < 0.3:
            fields.append(("any", self._anything(number)))
        if rng.random() < 0.6:
            fields.append(("to", rng.choice([*home, bw.int32(-5), bw.double(rng.randrange(40)), bw.int64(3)])))
        if rng.random() < 0.4:
            fields.append(("others", bw.array([*rng.sample(away, 3), bw.object_id(rng.randbytes(12))])))
        if rng.random() < 0.4:
            parts = [
                bw.document([("to", rng.choice(away)), ("with space", self._number(n)), ("$dollar", bw.null())])
                for n in range(3)
            ]
            fields.append(("parts", bw.array(parts)))
        if rng.random() < 0.5:
            fields += [("", self._anything(number)), ("a.b", self._number(number)), ("__proto__", bw.string("x" * 70))]
        if rng.random() < 0.2:
            fields.append(("n", bw.int64(number + 1)))  # the last one counts
        return bw.document(fields).raw

    def _away(self, number: int, identifier: Value, home: list[Value]) -> bytes:
        must = self._rng.choice(home) if self._rng.random() < 0.9 else bw.string("nobody")
        fields = [("_id", identifier), ("n", self._number(number)), ("must", must)]
        if self._rng.random() < 0.2:
            fields.append(("at", bw.datetime_ms(self._rng.choice([0, -1, 253_402_300_800_000, 1 << 60]))))
        return bw.document(fields).raw
