"""Dumps whose documents cannot be told apart any more: what is before the break arrives, the rest after a repair.

Oracle: the list of documents that was written. Blind spot: documents whose inside is broken (test_broken_documents).
"""

from __future__ import annotations

import re
import struct
from random import Random

import bson
import pytest

from isthmus.errors import SourceError
from tests.fix_dumps import compress
from tests.integration.copy.carrying import World, balanced, oid

DOCUMENTS = [bson.encode({"_id": oid(n), "name": f"name {n}", "n": n}) for n in range(12)]
OFFSETS = [sum(map(len, DOCUMENTS[:n])) for n in range(13)]
WHOLE = b"".join(DOCUMENTS)
MAPPING = """
isthmus: 1
collections:
  Bad: {fields: {name: text!, n: integer!}}
  Fine: {fields: {name: text!, n: integer!}}
"""


def length_of(number: int, length: int) -> bytes:
    """Return the file with another length in front of one document."""
    at = OFFSETS[number]
    return WHOLE[:at] + struct.pack("<i", length) + WHOLE[at + 4 :]


BREAKS: dict[str, tuple[bytes, int, str]] = {
    # name: (the file, documents before the break, a word of the reason)
    "length-negative": (length_of(5, -1), 5, "longer"),
    "length-most-negative": (length_of(5, -(2**31)), 5, "longer"),
    "length-zero": (length_of(5, 0), 5, "shorter"),
    "length-four": (length_of(5, 4), 5, "shorter"),
    "length-beyond-file": (length_of(5, 100_000), 5, "truncated"),
    "length-one-beyond-file": (length_of(11, len(DOCUMENTS[11]) + 1), 11, "truncated"),
    "length-over-16-mib": (length_of(5, 16_793_601), 5, "longer"),
    "length-largest": (length_of(5, 2**31 - 1), 5, "longer"),
    "length-first-document": (length_of(0, 2**31 - 1), 0, "longer"),
    "length-short-inside": (length_of(5, len(DOCUMENTS[5]) - 6), 5, "zero byte"),
    "length-short-and-on-a-zero": (length_of(5, len(DOCUMENTS[5]) - 2), 5, "byte"),
    "garbage-between": (WHOLE[: OFFSETS[5]] + b"\xff" * 37 + WHOLE[OFFSETS[5] :], 5, "longer"),
    "garbage-after": (WHOLE + b"\xfe\xed\xfa\xce garbage", 12, "longer"),
    "zeros-after": (WHOLE + bytes(4096), 12, "shorter"),
    "three-bytes-after": (WHOLE + b"\x10\x00\x00", 12, "truncated"),
    "text-instead": (b'{"_id": 1}\n{"_id": 2}\n', 0, "longer"),
    "one-byte": (b"\x00", 0, "truncated"),
    "cut-in-the-middle": (WHOLE[: OFFSETS[7] + 9], 7, "truncated"),
    "cut-inside-a-length": (WHOLE[: OFFSETS[7] + 2], 7, "truncated"),
}


@pytest.mark.parametrize(("raw", "before", "reason"), BREAKS.values(), ids=BREAKS.keys())
def test_broken_framing_ends_its_collection_and_resumes_after_repair(
    world: World, raw: bytes, before: int, reason: str
) -> None:
    files = world.write({"Bad": raw, "Fine": DOCUMENTS})
    result = world.copy(MAPPING)
    assert (result.outcome, result.exit_code, list(result.broken)) == ("failed", 3, ["Bad"])
    fault = result.broken["Bad"]
    assert "Bad.bson" in str(fault)
    assert f"byte {OFFSETS[before]:,}" in str(fault)
    assert fault.context["offset"] == OFFSETS[before]
    assert reason in str(fault)
    assert fault.hint
    assert world.column("SELECT n FROM bad ORDER BY 1") == list(range(before))
    assert world.column("SELECT n FROM fine ORDER BY 1") == list(range(12))
    again = world.copy(MAPPING)
    assert (again.outcome, again.exit_code, again.resumed) == ("failed", 3, True)
    files["Bad"].write_bytes(WHOLE)
    repaired = world.copy(MAPPING)
    assert (repaired.exit_code, repaired.resumed) == (0, True)
    balanced(repaired)
    assert world.column("SELECT n FROM bad ORDER BY 1") == list(range(12))
    assert world.letters() == []


def test_wrong_terminator_before_a_plausible_document_costs_that_document_only(world: World) -> None:
    broken = DOCUMENTS[5][:-1] + b"\x07"
    world.write({"Bad": [*DOCUMENTS[:5], broken, *DOCUMENTS[6:]], "Fine": DOCUMENTS})
    result = world.copy(MAPPING)
    balanced(result)
    assert result.exit_code == 1
    assert world.column("SELECT n FROM bad ORDER BY 1") == [n for n in range(12) if n != 5]
    (letter,) = world.letters()
    assert (letter.code, letter.document, letter.stage) == ("bson", broken, "convert")
    assert letter.location == f"Bad.bson at byte {OFFSETS[5]:,}"


def test_wrong_terminator_at_the_end_costs_the_last_document_only(world: World) -> None:
    broken = DOCUMENTS[11][:-1] + b"\x07"
    world.write({"Bad": [*DOCUMENTS[:11], broken], "Fine": DOCUMENTS})
    result = world.copy(MAPPING)
    balanced(result)
    assert [letter.document for letter in world.letters()] == [broken]
    assert world.one("SELECT count(*) FROM bad") == 11


def test_truncated_at_every_byte_carries_what_is_whole_and_completes_after_repair(world: World) -> None:
    documents = DOCUMENTS[:4]
    raw = b"".join(documents)
    ends = OFFSETS[:5]
    names = {f"Cut{cut:04}": cut for cut in range(len(raw))}
    mapping = "isthmus: 1\ncollections:\n" + "".join(
        f"  {name}: {{fields: {{name: text!, n: integer!}}}}\n" for name in names
    )
    files = world.write({name: raw[:cut] for name, cut in names.items()})
    result = world.copy(mapping)
    at_a_boundary = {name for name, cut in names.items() if cut in ends}
    assert set(result.broken) == set(names) - at_a_boundary
    for name, cut in names.items():
        whole = sum(end <= cut for end in ends[1:])
        assert result.partial[name]["copied"] == whole, name
        if name in result.broken:
            assert result.broken[name].context["offset"] == ends[whole]
    for name in set(names) - at_a_boundary:  # a cut between documents tells nothing: those were read to their end
        files[name].write_bytes(raw)
    repaired = world.copy(mapping)
    balanced(repaired)
    assert repaired.balance is not None
    for name, books in repaired.balance.collections.items():
        expected = 4 if name not in at_a_boundary else sum(end <= names[name] for end in ends[1:])
        assert (books.read, books.copied) == (expected, expected), name


def test_repaired_dump_with_other_documents_before_the_break_is_refused(world: World) -> None:
    files = world.write({"Bad": WHOLE[: OFFSETS[7] + 9], "Fine": DOCUMENTS})
    assert world.copy(MAPPING).exit_code == 3
    other = bson.encode({"_id": oid(2), "name": "name X", "n": 2})
    files["Bad"].write_bytes(b"".join([*DOCUMENTS[:2], other, *DOCUMENTS[3:]]))
    with pytest.raises(SourceError) as caught:
        world.copy(MAPPING)
    assert (caught.value.code, caught.value.exit_code) == ("source-changed", 3)
    assert "Bad.bson" in str(caught.value)
    files["Bad"].write_bytes(WHOLE)
    balanced(world.copy(MAPPING))


def test_small_batches_break_at_the_same_place(world: World) -> None:
    random = Random(7)
    documents = [
        bson.encode({"_id": oid(n), "name": random.randbytes(random.randrange(40_000)).hex(), "n": n})
        for n in range(40)
    ]
    raw = b"".join(documents)
    start = sum(map(len, documents[:33]))
    files = world.write({"Bad": raw[:start] + b"\xff\xff\xff\x7f" + raw[start + 4 :], "Fine": []})
    result = world.copy(MAPPING, memory_bytes=1 << 20, workers=3)
    assert result.broken["Bad"].context["offset"] == start
    assert world.column("SELECT n FROM bad ORDER BY 1") == list(range(33))
    files["Bad"].write_bytes(raw)
    repaired = world.copy(MAPPING, memory_bytes=4 << 20)
    balanced(repaired)
    assert world.column("SELECT n FROM bad ORDER BY 1") == list(range(40))


GZIPPED = compress(WHOLE)
GZIP_BREAKS: dict[str, tuple[bytes, bool]] = {
    # name: (the file, whether every document can be read)
    "cut-in-the-data": (GZIPPED[: len(GZIPPED) // 2], False),
    "cut-before-the-trailer": (GZIPPED[:-8], True),
    "cut-inside-the-trailer": (GZIPPED[:-3], True),
    "crc-wrong": (GZIPPED[:-8] + bytes([GZIPPED[-8] ^ 1]) + GZIPPED[-7:], True),
    "length-wrong": (GZIPPED[:-1] + bytes([GZIPPED[-1] ^ 1]), True),
    "garbage-after": (GZIPPED + b"garbage behind the end", True),
    "not-gzip": (b"no gzip at all, whatever the name says", False),
    "header-only": (GZIPPED[:10], False),
}


@pytest.mark.parametrize(("raw", "readable"), GZIP_BREAKS.values(), ids=GZIP_BREAKS.keys())
def test_broken_gzip_ends_its_collection_and_resumes_after_repair(world: World, raw: bytes, readable: bool) -> None:
    files = world.write({"Bad": DOCUMENTS, "Fine": DOCUMENTS}, compressed=True)
    files["Bad"].write_bytes(raw)
    result = world.copy(MAPPING)
    assert (result.outcome, result.exit_code, list(result.broken)) == ("failed", 3, ["Bad"])
    assert "Bad.bson.gz" in str(result.broken["Bad"])
    assert re.search(r"byte [\d,]+", str(result.broken["Bad"]))
    carried = world.column("SELECT n FROM bad ORDER BY 1")
    assert carried == list(range(len(carried)))
    assert len(carried) == 12 or not readable
    assert world.one("SELECT count(*) FROM fine") == 12
    files["Bad"].write_bytes(GZIPPED)
    repaired = world.copy(MAPPING)
    balanced(repaired)
    assert world.column("SELECT n FROM bad ORDER BY 1") == list(range(12))


def test_gzip_of_several_members_is_read_to_the_end(world: World) -> None:
    files = world.write({"Bad": DOCUMENTS, "Fine": DOCUMENTS}, compressed=["Bad"])
    files["Bad"].write_bytes(compress(WHOLE[: OFFSETS[3] + 5]) + compress(WHOLE[OFFSETS[3] + 5 :]))
    balanced(world.copy(MAPPING))
    assert world.one("SELECT count(*) FROM bad") == 12


def test_framing_broken_inside_gzip_names_the_decompressed_byte(world: World) -> None:
    files = world.write({"Bad": BREAKS["garbage-between"][0], "Fine": []}, compressed=["Bad"])
    result = world.copy(MAPPING)
    assert f"decompressed byte {OFFSETS[5]:,}" in str(result.broken["Bad"])
    assert world.one("SELECT count(*) FROM bad") == 5
    files["Bad"].write_bytes(GZIPPED)
    balanced(world.copy(MAPPING))


def test_data_file_taken_away_between_runs_is_refused_or_broken(world: World) -> None:
    files = world.write({"Bad": WHOLE[: OFFSETS[7] + 9], "Fine": DOCUMENTS})
    assert world.copy(MAPPING).exit_code == 3
    for path in world.folder.glob("Bad.*"):
        path.unlink()
    with pytest.raises(SourceError):
        world.copy(MAPPING)
    assert world.one("SELECT count(*) FROM bad") == 7
    assert files["Fine"].exists()


def test_file_that_shrinks_below_the_checkpoint_is_named(world: World) -> None:
    files = world.write({"Bad": WHOLE[: OFFSETS[7] + 9], "Fine": DOCUMENTS})
    world.copy(MAPPING)
    files["Bad"].write_bytes(WHOLE[: OFFSETS[3]])
    with pytest.raises(SourceError) as caught:
        world.copy(MAPPING)
    assert "Bad.bson" in str(caught.value)
