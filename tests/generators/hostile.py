"""Databases that nobody would design: every type in every place, names that are none, indexes over all of it.

What a copy can never carry is left out (ids that are one, keys that become one, broken bytes): everything else must go
through, whatever it is. Seeded; imports nothing from isthmus.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fix_dumps import write_collection
from tests.generators import bson_writer as bw
from tests.generators.bson_writer import Value

NAMES = [
    "users", "Users", "user_s", "a.b", "a", "order items", "select", "größen", "extras", "id", "x" * 70, "名前", "t$1",
    "text", "position", "a-b", "a_b", 'quo"te', "50%", "null", "enum", "fs.files", "fs.chunks",
]  # fmt: skip
KEYS: list[str | bytes] = [
    "name", "Name", "NAME", "id", "extras", "position", "status", "type", "createdAt", "a.b", "a", "b", "$set", "$", "",
    " ", "k" * 64, "k" * 63 + "ü", "long " * 60, "very long " * 120, "xmin", "select", "null", "true", "1", "-", "*",
    "é", "E\u0301", "Ünï", "emoji 😀", "tab\t", "line\nbreak", '"', "'", "\\", "a\\.b", "[]", "x[]", "password",
    "apiKey", "title", "field", "users", "userId", "_id2", "__v", "a_b", "aB", "\u202e", "\x7f", "#", ": ", "%s",
    b"\xff", b"k\xfe", "ctid", "tableoid", "source_id", "y", "no", "{x}", "items", "address",
]  # fmt: skip
HEX = "0123456789abcdef"

Make = Callable[[random.Random], Value]


def _oid(chance: random.Random) -> Value:
    return bw.object_id(chance.randbytes(12))


def _hex(chance: random.Random) -> Value:
    return bw.string("".join(chance.choices(HEX, k=24)))


def _text(chance: random.Random) -> Value:
    return bw.string("".join(chance.choices("abc äß😀'\"\\\n\t", k=chance.randrange(9))))


def _wide(chance: random.Random) -> Value:
    return bw.string("".join(chance.choices(HEX, k=chance.choice([10, 2000, 9000]))))


def _word(chance: random.Random) -> Value:
    return bw.string(chance.choice(["ACTIVE", "LOST", "NEW"]))


def _refused(chance: random.Random) -> Value:
    return chance.choice(
        [
            bw.string("a\0b"), bw.string(b"\xff\xfe"), bw.string("a"), bw.double(float("nan")), bw.double(float("inf")),
            bw.datetime_ms(2**62), bw.datetime_ms(-(2**62)), bw.decimal128_bits(0x7C << 120),
            bw.decimal128_bits(0x78 << 120),
            bw.code("f\0()"), bw.symbol("s\0"), bw.code(b"\xff"),
        ]
    )  # fmt: skip


def _document(chance: random.Random) -> Value:
    keys = chance.sample(KEYS[:20], chance.randrange(4))
    return bw.document([(key, chance.choice(SCALARS)(chance)) for key in keys])


def _array(chance: random.Random) -> Value:
    return bw.array([chance.choice(ALL)(chance) for _ in range(chance.randrange(4))])


SCALARS: list[Make] = [
    _oid, _hex, _text, _word, _refused,
    lambda chance: bw.int32(chance.randrange(-9, 99)),
    lambda chance: bw.int64(chance.choice([0, 2**53 + 1, -(2**63), 2**63 - 1, chance.randrange(99)])),
    lambda chance: bw.double(chance.choice([0.0, -0.0, 1.0, 0.1, 5e-324, 1.7e308, -3.0, 2.0**60])),
    lambda chance: bw.decimal128(chance.randrange(2), chance.randrange(999), chance.choice([0, -2, 3, -6176, 6000])),
    lambda chance: bw.datetime_ms(chance.choice([0, 1, 253402300800000, -62135596800001, chance.randrange(2**40)])),
    lambda chance: bw.boolean(true=chance.random() < 0.5),
    lambda _: bw.null(),
    lambda _: bw.undefined(),
    lambda chance: bw.binary(chance.choice([0, 2, 3, 4, 5, 128]), chance.randbytes(chance.choice([0, 3, 16]))),
    lambda chance: bw.binary(4, chance.randbytes(16)),
    lambda chance: bw.regex("^a", chance.choice(["", "i"])),
    lambda chance: bw.timestamp(chance.randrange(2**32), 1),
    lambda chance: bw.dbref("users", _oid(chance)),
    lambda _: bw.min_key(),
    lambda _: bw.max_key(),
    lambda _: bw.code("f()"),
    lambda _: bw.code_with_scope("f()", bw.document([("x", bw.int32(1))])),
    lambda chance: bw.db_pointer("db.users", chance.randbytes(12)),
    lambda _: bw.symbol("sym"),
]  # fmt: skip
ALL: list[Make] = [*SCALARS, _document, _array, _wide]


@dataclass
class _Field:
    """How the values of one field are drawn: one kind, several, a document, an array or a reference."""

    key: str | bytes
    make: Make
    missing: float


@dataclass
class _Collection:
    name: str
    ids: list[Value]
    fields: list[_Field] = field(default_factory=list[_Field])


def write_hostile(folder: Path, seed: int, *, documents: int = 60) -> Path:
    """Write a dump folder and return it; the same seed gives the same bytes."""
    chance = random.Random(f"hostile {seed}")
    names = chance.sample(NAMES, chance.randint(3, 7))
    made = [_Collection(name, _ids(chance, documents)) for name in names]
    for one in made:
        keys = chance.sample(KEYS, chance.randint(4, 14))
        bad = [key for key in keys if isinstance(key, bytes)]
        keys = [key for key in keys if not isinstance(key, bytes)] + bad[:1]  # two would become one
        one.fields = [_Field(key, _plan(chance, made, 0), chance.choice([0.0, 0.0, 0.2, 0.9])) for key in keys]
    dump = folder / "dump" / "hostile"
    for one in made:
        bodies = [
            bw.document(
                [("_id", identifier)]
                + [(each.key, each.make(chance)) for each in one.fields if chance.random() >= each.missing]
            ).raw
            for identifier in one.ids
        ]
        write_collection(dump, one.name, b"".join(bodies), metadata=_metadata(chance, one))
    return dump


def _ids(chance: random.Random, documents: int) -> list[Value]:
    count = chance.choice([0, 1, 7, documents, 3 * documents])
    kind = chance.randrange(9)
    makers: list[Callable[[int], Value]] = [
        lambda n: bw.object_id(b"\1" * 8 + n.to_bytes(4, "big")),
        bw.int32,
        lambda n: bw.int64(n - 3),
        lambda n: bw.string(f"id-{n}"),
        lambda n: bw.string("w" * 1500 + str(n)),
        lambda n: bw.binary(4, n.to_bytes(16, "big")),
        lambda n: bw.document([("a", bw.int32(n % 3)), ("b", bw.int32(n))]),
        bw.datetime_ms,
        lambda n: [bw.int32(n), bw.string(f"{n}"), _oid(chance), bw.double(n + 0.5)][n % 4] if n else bw.null(),
    ]  # fmt: skip
    return [makers[kind](number) for number in range(count)]


def _plan(chance: random.Random, made: list[_Collection], depth: int) -> Make:
    roll = chance.random()
    if roll < 0.25:
        return chance.choice(ALL)
    if roll < 0.35:
        common, rare = chance.choice(ALL), chance.choice(ALL)
        return lambda c: rare(c) if c.random() < 0.05 else common(c)
    if roll < 0.40:
        return lambda c: c.choice(ALL)(c)
    if roll < 0.55:
        return _reference(chance, made)
    if roll < 0.75 and depth < 3:
        inner = [
            (key, _plan(chance, made, depth + 1), chance.choice([0.0, 0.3])) for key in chance.sample(KEYS[:50], 3)
        ]
        other = chance.choice([None, None, chance.choice(SCALARS)])
        return lambda c: (
            other(c)
            if other is not None and c.random() < 0.04
            else bw.document([(key, make(c)) for key, make, missing in inner if c.random() >= missing])
        )
    if roll < 0.95 and depth < 3:
        element = _plan(chance, made, depth + 1)
        return lambda c: bw.array([element(c) for _ in range(c.randrange(4))])
    return lambda c: bw.document([("".join(c.choices(HEX, k=24)), _word(c)) for _ in range(c.randrange(5))])


def _reference(chance: random.Random, made: list[_Collection]) -> Make:
    targets = [one for one in made if one.ids] or None
    if targets is None:
        return _oid
    first, second = chance.choice(targets), chance.choice(targets)
    wrong = chance.choice([0.0, 0.0, 0.1])
    form = chance.choice(
        ["plain", "plain", "dbref", "null dbref", "wrong dbref", "mixed", "either", "either mixed", "hex"]
    )

    def make(c: random.Random) -> Value:
        if c.random() < wrong:
            return c.choice([_oid, _text, _word])(c)
        one = c.choice([first, second]) if form in {"either", "either mixed"} else first
        value = c.choice(one.ids)
        if form == "dbref" or (form in {"mixed", "either mixed"} and c.random() < 0.5):
            return bw.dbref(one.name, value)
        if form == "null dbref":
            return bw.dbref(one.name, c.choice([bw.null(), bw.undefined()]) if c.random() < 0.1 else value)
        if form == "wrong dbref":
            return bw.dbref(c.choice([one.name, "elsewhere"]), value)
        if form == "hex" and value.type == 0x07:
            return bw.string(value.raw.hex())
        return value

    return make


def _metadata(chance: random.Random, one: _Collection) -> dict[str, Any]:
    shown = [each.key for each in one.fields if isinstance(each.key, str) and each.key and "$" not in each.key]
    indexes: list[dict[str, Any]] = [{"v": 2, "key": {"_id": 1}, "name": "_id_"}]
    for number in range(chance.randrange(6)):
        keys = chance.sample(
            [*shown, "_id", "not.there", f"{shown[0] if shown else 'x'}.b"], chance.choice([1, 1, 1, 2])
        )
        key: dict[str, Any] = dict.fromkeys(keys, chance.choice([1, -1, 1.0]))
        options: dict[str, Any] = {}
        roll = chance.random()
        if roll < 0.35:
            options["unique"] = True  # whether they are or not: a dump's metadata is only what it says
        elif roll < 0.45:
            options["expireAfterSeconds"] = 3600
        elif roll < 0.60:
            condition = chance.choice([{"$exists": True}, "ACTIVE", {"$gt": 5}, {"$type": "string"}, 3, True])
            options |= {"partialFilterExpression": {keys[0]: condition}, "unique": chance.random() < 0.5}
        elif roll < 0.68:
            key = {keys[0]: chance.choice(["hashed", "2dsphere"])}
        elif roll < 0.74:
            key = {"$**": 1}
        elif roll < 0.84:
            key = {"_fts": "text", "_ftsx": 1}
            options |= {"weights": dict.fromkeys(keys, 1), "default_language": chance.choice(["english", "none"])}
        indexes.append({"v": 2, "key": key, "name": f"index {number}", **options})
    return {"options": {}, "indexes": indexes, "collectionName": one.name, "type": "collection"}
