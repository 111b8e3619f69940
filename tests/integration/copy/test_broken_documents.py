"""Documents that are framed but broken inside: each is a dead letter with its exact bytes, its neighbours arrive.

Oracle: documents written by `tests.generators.bson_writer`, which takes bytes as they are. Blind spot: which of several
causes the core names first, beyond the codes asserted here.
"""

from __future__ import annotations

import struct
from random import Random

import bson
import pytest

from isthmus.errors import SourceError
from tests.generators import bson_writer as bw
from tests.generators.bson_writer import Value
from tests.integration.copy.carrying import World, balanced, oid

MAPPING = """
isthmus: 1
collections:
  Bad:
    fields:
      name: text
      n: integer
      data: jsonb
      address.city: text
      tags: "text[]"
      steps: {child: bad_steps, fields: {name: text}}
"""


def document(number: int, *elements: tuple[str | bytes, Value]) -> bytes:
    """Return a document with its `_id` and these elements."""
    return bw.document([("_id", bw.object_id(oid(number).binary)), ("n", bw.int32(number)), *elements]).raw


def deep(levels: int, *, array: bool) -> Value:
    value = bw.int32(1)
    for _ in range(levels):
        value = bw.array([value]) if array else bw.document([("a", value)])
    return value


def lying(value: Value, claimed: int) -> Value:
    """Return a value with another length in front."""
    return Value(value.type, struct.pack("<i", claimed) + value.raw[4:])


TEXT = bw.string("hello")
BROKEN: dict[str, tuple[bytes, str]] = {
    "type-that-does-not-exist": (document(5, ("name", Value(0x14, b"\0\0\0\0"))), "bson-type"),
    "type-zero-inside": (document(5, ("name", Value(0x00, b"xx"))), "bson"),
    "type-unknown-in-array": (document(5, ("tags", Value(4, bw.document([("0", Value(0x21, b""))]).raw))), "bson-type"),
    "type-unknown-in-child": (
        document(5, ("steps", bw.array([bw.document([("name", Value(0x80, b""))])]))),
        "bson-type",
    ),
    "nested-documents-too-deep": (document(5, ("data", deep(150, array=False))), "nesting"),
    "nested-arrays-too-deep": (document(5, ("data", deep(150, array=True))), "nesting"),
    "nested-far-too-deep": (document(5, ("data", deep(30_000, array=False))), "nesting"),
    "nested-too-deep-in-extras": (document(5, ("unnamed", deep(150, array=False))), "nesting"),
    "utf8-invalid-in-text": (document(5, ("name", bw.string(b"a\xffb"))), "utf8"),
    "utf8-surrogate-in-text": (document(5, ("name", bw.string(b"\xed\xa0\x80"))), "utf8"),
    "utf8-overlong-in-text": (document(5, ("name", bw.string(b"\xc0\x80"))), "utf8"),
    "utf8-cut-in-text": (document(5, ("name", bw.string(b"\xe2\x82"))), "utf8"),
    "utf8-invalid-in-jsonb": (document(5, ("data", bw.document([("a", bw.string(b"\xff"))]))), "utf8"),
    "utf8-invalid-in-key": (document(5, (b"\xff\xfe", TEXT)), "utf8"),
    "utf8-invalid-in-key-of-jsonb": (document(5, ("data", bw.document([(b"\xff", TEXT)]))), "utf8"),
    "utf8-invalid-in-array": (document(5, ("tags", bw.array([bw.string(b"\xff")]))), "utf8"),
    "key-without-end": (
        lying(Value(3, struct.pack("<i", 0) + b"\x02endless key" + b"\x01" * 20 + b"\0"), 4 + 12 + 20 + 1).raw,
        "bson",
    ),
    "string-length-zero": (document(5, ("name", lying(TEXT, 0))), "bson"),
    "string-length-negative": (document(5, ("name", lying(TEXT, -5))), "bson"),
    "string-length-beyond-document": (document(5, ("name", lying(TEXT, 70_000))), "bson"),
    "string-length-largest": (document(5, ("name", lying(TEXT, 2**31 - 1))), "bson"),
    "string-length-one-short": (document(5, ("name", lying(TEXT, 5))), "bson"),
    "string-length-one-long": (document(5, ("name", lying(TEXT, 7))), "bson"),
    "string-without-terminator": (document(5, ("name", Value(2, struct.pack("<i", 6) + b"helloX"))), "bson"),
    "document-length-zero": (document(5, ("data", lying(bw.document([("a", TEXT)]), 0))), "bson"),
    "document-length-negative": (document(5, ("data", lying(bw.document([("a", TEXT)]), -1))), "bson"),
    "document-length-beyond": (document(5, ("data", lying(bw.document([("a", TEXT)]), 99_999))), "bson"),
    "document-length-short": (document(5, ("data", lying(bw.document([("a", TEXT)]), 9))), "bson"),
    "array-length-beyond": (document(5, ("tags", lying(bw.array([TEXT]), 99_999))), "bson"),
    "array-length-short": (document(5, ("tags", lying(bw.array([TEXT]), 6))), "bson"),
    "child-length-beyond": (document(5, ("steps", lying(bw.array([bw.document([])]), 99_999))), "bson"),
    "binary-length-negative": (document(5, ("data", lying(bw.binary(0, b"abc"), -1))), "bson"),
    "binary-length-beyond": (document(5, ("data", lying(bw.binary(0, b"abc"), 1 << 30))), "bson"),
    "boolean-two": (document(5, ("data", Value(8, b"\x02"))), "bson"),
    "regex-without-end": (document(5, ("data", Value(0x0B, b"abc"))), "bson"),
    "number-cut-off": (document(5, ("data", Value(0x12, b"\1\2\3"))), "bson"),
    "zero-before-the-end": (document(5)[:-1] + b"\0\0\0\0", "bson"),
    "id-array": (bw.document([("_id", bw.array([bw.int32(1)])), ("n", bw.int32(5))]).raw, "bad-id"),
    "id-regex": (bw.document([("_id", bw.regex("a", "i")), ("n", bw.int32(5))]).raw, "bad-id"),
    "id-undefined": (bw.document([("_id", bw.undefined()), ("n", bw.int32(5))]).raw, "bad-id"),
    "id-missing": (bw.document([("n", bw.int32(5))]).raw, "bad-id"),
    "empty-document": (bw.document([]).raw, "bad-id"),
}


def _framed(raw: bytes) -> bytes:
    """Give a document the length it has, so that only its inside lies."""
    return struct.pack("<i", len(raw)) + raw[4:]


def test_broken_document_is_a_dead_letter_with_its_bytes_and_neighbours_arrive(world: World) -> None:
    cases = {name: (_framed(raw), code) for name, (raw, code) in BROKEN.items()}
    documents: list[bytes] = []
    for number, (raw, _) in enumerate(cases.values()):
        documents += [document(1000 + number, ("name", bw.string(f"before {number}"))), raw]
    world.write({"Bad": [*documents, document(999, ("name", TEXT))]})
    result = world.copy(MAPPING)
    balanced(result)
    assert result.exit_code == 1
    letters = world.letters()
    assert [letter.document for letter in letters] == [raw for raw, _ in cases.values()]
    assert {name: letter.code for name, letter in zip(cases, letters, strict=True)} == {
        name: code for name, (_, code) in cases.items()
    }
    assert world.column("SELECT n FROM bad ORDER BY 1") == [999, *(1000 + n for n in range(len(cases)))]
    data = (world.folder / "Bad.bson").read_bytes()
    for name, letter in zip(cases, letters, strict=True):
        offset = int(letter.location.removeprefix("Bad.bson at byte ").replace(",", ""))
        assert data[offset : offset + len(letter.document)] == letter.document, name
        assert letter.causes[0]["code"] == letter.code
        assert letter.message.endswith("."), letter.message
        assert len(letter.causes[0]["value"]) <= 80


def test_nesting_of_a_hundred_levels_arrives(world: World) -> None:
    # 100 levels including the document itself: the most that MongoDB stores
    world.write({"Bad": [document(1, ("data", deep(99, array=False))), document(2, ("data", deep(99, array=True)))]})
    balanced(world.copy(MAPPING))
    assert world.one("SELECT count(data) FROM bad") == 2


def test_strange_but_sound_bson_arrives(world: World) -> None:
    pair = (document(2, ("name", bw.string("first")), ("name", bw.string("last"))), "last")
    world.write(
        {
            "Bad": [
                document(1, ("", TEXT), ("$x", TEXT), ("a.b", TEXT), ("address.city", TEXT)),
                pair[0],
                document(3, ("tags", bw.array([bw.string("a"), bw.string("b")], ["7", "7"]))),
                document(4, ("name", bw.symbol("symbol")), ("data", bw.min_key())),
                document(6, ("address", bw.string("no document")), ("steps", bw.null())),
            ]
        }
    )
    balanced(world.copy(MAPPING))
    assert world.letters() == []
    assert world.one("SELECT extras FROM bad WHERE n = 1") == {
        "": "hello",
        "$x": "hello",
        "a.b": "hello",
        "address.city": "hello",
    }
    assert world.one("SELECT name FROM bad WHERE n = 2") == "last"
    assert world.one("SELECT tags FROM bad WHERE n = 3") == ["a", "b"]
    assert world.one("SELECT name FROM bad WHERE n = 4") == "symbol"
    assert world.one("SELECT extras FROM bad WHERE n = 6") == {"address": "no document"}


def _split(raw: bytes, end: int) -> list[tuple[int, bytes]]:
    """Cut `raw[:end]` along its length fields, as (offset, document)."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < end:
        (length,) = struct.unpack_from("<i", raw, at)
        found.append((at, raw[at : at + length]))
        at += length
    assert at == end
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_flipped_bytes_lose_nothing_in_silence(world: World, seed: int) -> None:
    """A few hundred single-byte flips: every byte that was read is accounted for, whatever it became."""
    random = Random(seed)
    good = [
        bson.encode(
            {
                "_id": oid(n),
                "n": n,
                "name": "ab",
                "data": {"a": [1, 2.5, "x"], "b": None},
                "address": {"city": "é"},
                "tags": ["t", "u"],
                "steps": [{"name": "s"}],
                "rest": True,
            }
        )
        for n in range(3)
    ]
    whole = b"".join(good)
    ends = [sum(map(len, good[: n + 1])) for n in range(3)]
    files: dict[str, tuple[bytes, int]] = {}
    for number in range(150):
        at = random.randrange(len(whole))
        flipped = bytearray(whole)
        flipped[at] ^= random.randrange(1, 256)
        files[f"F{number:03}"] = (bytes(flipped), at)
    world.write({name: raw for name, (raw, _) in files.items()})
    fields = "{n: {type: bigint, coerce: true}, name: text, data: jsonb, address.city: text, tags: 'text[]'"
    mapping = "isthmus: 1\ncollections:\n" + "".join(
        f"  {name}: {{fields: {fields}, steps: {{child: {name.lower()}_steps, fields: {{name: text}}}}}}}}\n"
        for name in files
    )
    result = world.copy(mapping)
    assert result.outcome == "failed", "no flip broke a framing: the seed is of no use"
    letters: dict[str, list[tuple[int, bytes]]] = {name: [] for name in files}
    for letter in world.letters():
        offset = int(letter.location.rpartition(" ")[2].replace(",", ""))
        letters[letter.collection].append((offset, letter.document))
    for name, (raw, at) in files.items():
        books = result.partial[name]
        end = result.broken[name].context["offset"] if name in result.broken else len(raw)
        assert isinstance(end, int)
        read = _split(raw, end)
        assert books["read"] == len(read), name
        assert books["copied"] + books["dead_letters"] == books["read"], name
        assert books["dead_letters"] == len(letters[name]), name
        assert set(letters[name]) <= set(read), name
        assert world_rows(world, name) == books["copied"], name
        untouched = [n for n, stop in enumerate(ends) if not stop - len(good[n]) <= at < stop]
        before = [n for n in untouched if ends[n] <= at]
        reached = before if name in result.broken else [n for n in untouched if (ends[n] - len(good[n])) in dict(read)]
        assert set(reached) <= set(world.column(f"SELECT n FROM {name.lower()}")), name
        assert not {good[n] for n in untouched} & {document for _, document in letters[name]}, name


def world_rows(world: World, name: str) -> int:
    return int(world.one(f"SELECT count(*) FROM {name.lower()}"))


def test_collections_broken_by_flips_complete_after_repair_where_nothing_read_was_damaged(world: World) -> None:
    random = Random(3)
    good = [bson.encode({"_id": oid(n), "n": n, "name": "x" * n}) for n in range(6)]
    whole = b"".join(good)
    files = {}
    for number in range(20):
        flipped = bytearray(whole)
        start = sum(map(len, good[:4]))
        flipped[start + 1 + random.randrange(3)] ^= random.randrange(1, 256)  # the length of document 4
        files[f"G{number:02}"] = bytes(flipped)
    paths = world.write(files)
    mapping = "isthmus: 1\ncollections:\n" + "".join(
        f"  {name}: {{fields: {{n: integer, name: text}}}}\n" for name in files
    )
    assert set(world.copy(mapping).broken) == set(files)
    for path in paths.values():
        path.write_bytes(whole)
    try:
        repaired = world.copy(mapping)
    except SourceError as fault:  # pragma: no cover  would say which collection
        pytest.fail(str(fault))
    balanced(repaired)
    assert repaired.balance is not None
    assert {books.copied for books in repaired.balance.collections.values()} == {6}


def test_what_cannot_be_read_is_the_headline_before_what_is_missing(world: World) -> None:
    mapping = MAPPING.replace("name: text\n", "name: text!\n", 1)
    world.write({"Bad": document(5, ("junk", deep(150, array=False)))})
    balanced(world.copy(mapping))
    (letter,) = world.letters("Bad")
    assert letter.code == "nesting"
    assert [cause["code"] for cause in letter.causes] == ["nesting", "required"]
