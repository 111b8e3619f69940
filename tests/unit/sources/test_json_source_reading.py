"""Reading JSON files: every document once, in order, whatever the cuts; and what is said when a file is broken.

The oracle is the list of documents that was written, as pymongo makes BSON of it. Blind spot: what a value becomes
(test_json_source_values).
"""

from __future__ import annotations

import gzip
import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import bson
import pytest
from bson import json_util
from hypothesis import given
from hypothesis import strategies as st

from isthmus.errors import SourceError
from isthmus.sources import Block, Partition, Source, open_source
from isthmus.sources.limits import MAX_DOCUMENT_BYTES
from isthmus.sources.offsets import decode_position

Shape = Callable[[list[str]], str]

SHAPES: dict[str, Shape] = {
    "lines": lambda texts: "".join(f"{text}\n" for text in texts),
    "lines-unended": "\n".join,
    "lines-crlf": lambda texts: "\ufeff" + "".join(f"{text}\r\n" for text in texts),
    "lines-blank-between": lambda texts: "\n\n" + "\n \t\n\n".join(texts) + "\n\n\n",
    "pretty": lambda texts: "".join(json.dumps(json.loads(text), indent="\t") + "\n" for text in texts),
    "back-to-back": "".join,
    "array": lambda texts: "[" + ",\n".join(texts) + "]\n",
    "array-tight": lambda texts: "[" + ",".join(texts) + "]",
    "array-pretty": lambda texts: json.dumps([json.loads(text) for text in texts], indent=2),
    "array-spaced": lambda texts: "\ufeff \n[\n " + " ,\n\n ".join(texts) + "\n ] \n\n",
}


def split(raw: bytes) -> list[bytes]:
    """Cut whole documents apart by their lengths."""
    documents: list[bytes] = []
    while raw:
        length = int.from_bytes(raw[:4], "little")
        documents.append(raw[:length])
        raw = raw[length:]
    return documents


def drain(blocks: Iterator[Block], start: bytes) -> tuple[list[Block], SourceError | None]:
    """Take all blocks of a reader, hold them against each other, and the error it ends with."""
    found: list[Block] = []
    try:
        for block in blocks:
            assert block.start == (found[-1].end if found else start)
            assert block.data
            found.append(block)
    except SourceError as error:
        return found, error
    return found, None


def read_all(
    source: Source, *, wanted: int = 1, max_bytes: int = 1 << 20, collection: str = "C"
) -> tuple[list[bytes], SourceError | None]:
    """Read a collection to the end or to its first error."""
    documents: list[bytes] = []
    partitions = source.partitions(collection, wanted)
    assert decode_position(partitions[0].start) == 0
    assert [one.end for one in partitions[:-1]] == [one.start for one in partitions[1:]]
    assert partitions[-1].end is None
    for partition in partitions:
        read = source.read(partition, after=None, until=None, max_bytes=max_bytes)
        blocks, error = drain(read, partition.start)
        documents += [one for block in blocks for one in split(block.data)]
        if error is not None:
            return documents, error
        if partition.end is not None:
            assert blocks[-1].end == partition.end
    return documents, None


def texts_of(count: int, *, seed: int = 1, largest: int = 40) -> list[str]:
    rng = Random(seed)
    return [
        json.dumps(
            {
                "_id": number,
                "v": rng.choice('aé😀{}[],"\\\n') * rng.randrange(largest),
                "w": [{"a": 1}, {"b": [{}, {}]}],
            },
            ensure_ascii=number % 2 == 0,
        )
        for number in range(count)
    ]


def as_bson(texts: list[str]) -> list[bytes]:
    return [bson.encode(json_util.loads(text)) for text in texts]


def source_of(tmp_path: Path, raw: bytes | str, *, name: str = "C.json") -> Source:
    """A folder whose collection C has `raw` as its file; collection D keeps the source from being empty."""
    folder = tmp_path / "shop"
    folder.mkdir(exist_ok=True)
    (folder / "D.json").write_text('{"_id": 1}\n')
    (folder / name).write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return open_source(str(folder))


def whole(tmp_path: Path) -> Partition:
    return source_of(tmp_path, "").partitions("C", 1)[0]


@pytest.mark.parametrize("max_bytes", [1, 300, 1 << 20])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_every_shape_gives_every_document_once_in_order(tmp_path: Path, shape: Shape, max_bytes: int) -> None:
    texts = texts_of(400)
    text = shape(texts)
    for wanted in (1, 2, 9):
        assert read_all(source_of(tmp_path, text), wanted=wanted, max_bytes=max_bytes) == (as_bson(texts), None)
    packed = gzip.compress(text.encode(), mtime=0)
    (tmp_path / "shop" / "C.json").unlink()
    assert read_all(source_of(tmp_path, packed, name="C.json.gz"), wanted=3, max_bytes=max_bytes) == (
        as_bson(texts),
        None,
    )


def test_files_of_documents_are_split_and_arrays_are_not(tmp_path: Path) -> None:
    texts = texts_of(500)
    for name, shape in SHAPES.items():
        found = len(source_of(tmp_path, shape(texts)).partitions("C", 5))
        assert found == (5 if name.startswith(("lines", "pretty")) else 1), name


def test_braces_and_line_ends_inside_texts_never_begin_a_partition(tmp_path: Path) -> None:
    texts = [json.dumps({"_id": n, "v": '}\n{"_id": 9}\n{', "w": "} {"}) for n in range(300)]
    for shape in (SHAPES["lines"], SHAPES["pretty"]):
        assert read_all(source_of(tmp_path, shape(texts)), wanted=50) == (as_bson(texts), None)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_file_cut_at_every_byte_gives_the_documents_before_the_cut_and_goes_on_when_mended(
    tmp_path: Path, shape: Shape
) -> None:
    texts = [
        '{"_id":1,"a":"x\\u00e9\\"}"}',
        '{"_id":{"$oid":"0123456789abcdef01234567"},"b":[true,null,-1.5e+3,NaN]}',
        '{"_id":3,"é":"😀"}',
    ]
    raw, documents = shape(texts).encode(), as_bson(texts)
    source = source_of(tmp_path, raw)
    partition = source.partitions("C", 1)[0]
    file = tmp_path / "shop" / "C.json"
    lengths: list[int] = []
    for cut in range(len(raw) + 1):
        file.write_bytes(raw[:cut])
        blocks, error = drain(source.read(partition, after=None, until=None, max_bytes=1 << 20), partition.start)
        read = [one for block in blocks for one in split(block.data)]
        assert read == documents[: len(read)]
        lengths.append(len(read))
        if error is not None:
            assert (error.code, error.exit_code) == ("truncated", 3), (cut, error)
            assert error.where.line == raw[: int(str(error.context["offset"]))].count(b"\n") + 1
        else:
            # only where nothing is missing: a whole array, or whole documents one after the other
            assert json_util.loads(raw[:cut]) if raw.lstrip(b"\xef\xbb\xbf \n").startswith(b"[") and read else True
        # the mended file goes on from there and gives the rest, also in blocks of one document
        file.write_bytes(raw)
        after = blocks[-1].end if blocks else None
        rest, error = drain(source.read(partition, after=after, until=None, max_bytes=1), after or partition.start)
        assert (read + [block.data for block in rest], error) == (documents, None), cut
    assert lengths == sorted(lengths)
    assert lengths[-1] == 3


@pytest.mark.parametrize("ending", ["json", "array"])
def test_gzip_file_cut_at_every_byte_gives_what_can_be_decompressed_and_then_says_so(
    tmp_path: Path, ending: str
) -> None:
    texts = texts_of(30)
    packed = gzip.compress(SHAPES["lines" if ending == "json" else "array"](texts).encode(), mtime=0)
    source = source_of(tmp_path, packed, name="C.jsonl.gz")
    partition = source.partitions("C", 1)[0]
    lengths: list[int] = []
    for cut in range(len(packed)):
        (tmp_path / "shop" / "C.jsonl.gz").write_bytes(packed[:cut])
        blocks, error = drain(source.read(partition, after=None, until=None, max_bytes=1 << 20), partition.start)
        assert error is not None
        assert error.code == "gzip-broken"
        lengths.append(sum(len(split(block.data)) for block in blocks))
    assert lengths == sorted(lengths)
    assert lengths[-1] == 30
    assert read_all(source_of(tmp_path, packed, name="C.jsonl.gz")) == (as_bson(texts), None)


PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"\\",
    b"\\u",
    b"\n",
    b" ",
    b"1",
    b"-",
    b"null",
    b"tru",
    b"\xc3",
    b"\0",
]
PIECES += [
    b'{"_id":1}',
    b'"a":',
    b'{"$oid":',
    b'{"$date":"',
    b"99999999999999999999",
    b"\xef\xbb\xbf",
    b'"\\ud800"',
    b"NaN",
]


@given(
    raw=st.lists(st.sampled_from(PIECES)).map(b"".join), max_bytes=st.sampled_from([1, 1 << 20]), known=st.booleans()
)
def test_any_bytes_give_the_documents_before_the_break_and_a_source_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, max_bytes: int, known: bool
) -> None:
    source = source_of(tmp_path_factory.getbasetemp(), (b'{"_id":7}\n' if known else b"") + raw)
    partition = source.partitions("C", 1)[0]
    blocks, error = drain(source.read(partition, after=None, until=None, max_bytes=max_bytes), partition.start)
    assert not known or split(blocks[0].data)[0] == bson.encode({"_id": 7})
    if error is not None:
        assert error.code in {"broken-json", "truncated"}
        after = blocks[-1].end if blocks else None
        more, again = drain(source.read(partition, after=after, until=None, max_bytes=9), after or partition.start)
        assert (more, again and again.code) == ([], error.code)


def test_file_is_taken_as_what_it_is_not_as_it_is_called(tmp_path: Path) -> None:
    texts = texts_of(3)
    raw = SHAPES["lines"](texts).encode()
    assert read_all(source_of(tmp_path, gzip.compress(raw))) == (as_bson(texts), None)
    (tmp_path / "shop" / "C.json").unlink()
    assert read_all(source_of(tmp_path, raw, name="C.json.gz")) == (as_bson(texts), None)


GOOD = '{"_id": 1}'
BROKEN: dict[str, tuple[str | bytes, int, int, str]] = {
    # name: (the file, line, column, words)
    "garbage": (f"{GOOD}\nhello\n", 2, 1, "`h` where a document should begin"),
    "number": (f"{GOOD}\n17\n", 2, 1, "`1` where a document should begin"),
    "array-behind-document": (f"{GOOD}\n[{GOOD}]", 2, 1, "`[` where a document should begin"),
    "array-in-array": (f"[{GOOD},\n[1]]", 2, 1, "`[` where a document should begin"),
    "nul": (f"{GOOD}\n\0\0\0", 2, 1, "U+0000"),
    "comment": (f"{GOOD}\n// more\n{GOOD}", 2, 1, "a comment"),
    "comment-inside": (f'{GOOD}\n{{"a": 1, # one\n}}', 2, 10, "a comment"),
    "comma-behind-value": (f'{GOOD}\n{{"a": 1,}}\n{GOOD}', 2, 9, "a comma with nothing behind it"),
    "comma-in-list": (f'{GOOD}\n{{"a": [1,]}}\n{GOOD}', 2, 10, "a comma with nothing behind it"),
    "comma-behind-element": (f"[{GOOD},\n]", 2, 1, "a comma with nothing behind it"),
    "comma-doubled": (f"[{GOOD},\n,{GOOD}]", 2, 1, "a comma with nothing behind it"),
    "comma-between-lines": (f"{GOOD},\n{GOOD}", 1, 11, "which only an array has"),
    "no-comma": (f"[{GOOD}\n{GOOD}]", 2, 1, "where a comma or the end of its array should be"),
    "behind-array": (f"[{GOOD}]\n{GOOD}", 2, 1, "behind the end of its array"),
    "single-quotes": (f"{GOOD}\n{{'a': 1}}", 2, 2, "a single quote"),
    "no-quotes": (f"{GOOD}\n{{a: 1}}", 2, 2, "not JSON there"),
    "shell": (f'{GOOD}\n{{"_id": ObjectId("0123456789abcdef01234567")}}', 2, 9, "the mongo shell"),
    "word": (f'{GOOD}\n{{"é": True}}\n{GOOD}', 2, 7, "not JSON there"),
    "line-end-in-text": (f'{GOOD}\n{{"a": "b\n"}}\n{GOOD}', 2, 9, "not JSON there"),
    "brace-missing": (f'{GOOD}\n{{"a": 1\n{GOOD}\n', 3, 1, "not JSON there"),
    "brace-too-many": (f"{GOOD}\n{GOOD}}}\n{GOOD}", 2, 11, "`}` where a document should begin"),
    "latin-1": (f'{GOOD}\n{{"ä": "ö"}}\n'.encode("latin-1"), 2, 3, "0xe4, which is not UTF-8"),
    "surrogate-in-bytes": (f'{GOOD}\n{{"a": "'.encode() + b'\xed\xa0\x80"}', 2, 8, "0xed, which is not UTF-8"),
    "not-bson": (f'{GOOD}\n\n{{"a": 9223372036854775808}}\n{GOOD}', 3, 1, "an integer beyond 64 bits in a"),
}


@pytest.mark.parametrize("max_bytes", [1, 1 << 20])
@pytest.mark.parametrize(("raw", "line", "column", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_text_ends_the_collection_with_file_line_and_column(
    tmp_path: Path, raw: str | bytes, line: int, column: int, words: str, max_bytes: int
) -> None:
    documents, error = read_all(source_of(tmp_path, raw), max_bytes=max_bytes)
    assert error is not None
    assert (error.code, error.exit_code) == ("broken-json", 3)
    assert documents == [bson.encode({"_id": 1})] * (2 if "`}`" in words else 1)
    assert (error.where.line, error.context["column"]) == (line, column)
    assert f"C.json cannot be read on at line {line}, column {column}" in error.message
    assert words in error.message
    assert error.where.collection == "C"
    assert error.hint is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"_id": 2, "x": {"$date": "soon"}}', "holds a document with a $date in x, a text that cannot be one"),
        ('{"_id": 2, "x": ' + "[" * 2000 + "]" * 2000 + "}", "holds a document that nests far deeper than the 100"),
        ('{"$oid": "0123456789abcdef01234567"}', "holds a document that is a value of an Extended JSON type"),
    ],
)
def test_document_that_bson_cannot_hold_is_told_in_one_plain_sentence(tmp_path: Path, text: str, words: str) -> None:
    _, error = read_all(source_of(tmp_path, f"{GOOD}\n{text}\n"))
    assert error is not None
    assert f"C.json cannot be read on at line 2, column 1: it {words}" in error.message


@pytest.mark.parametrize("end", [b"\xc3", b"\xf0\x9f\x98", b'{"a": "\xc3', b'{"a": "\xf0\x9f\x98'])
def test_file_that_ends_inside_a_character_is_truncated(tmp_path: Path, end: bytes) -> None:
    documents, error = read_all(source_of(tmp_path, f"{GOOD}\n".encode() + end))
    assert documents == [bson.encode({"_id": 1})]
    assert error is not None
    assert error.code == "truncated"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_of_unicode_are_refused_by_name(tmp_path: Path, encoding: str) -> None:
    documents, error = read_all(source_of(tmp_path, f"{GOOD}\n{GOOD}\n".encode(encoding)))
    assert documents == []
    assert error is not None
    assert error.code == "broken-json"
    assert "UTF-16" in error.message


def test_broken_line_far_into_a_file_is_named_by_its_line_in_every_partition(tmp_path: Path) -> None:
    texts = texts_of(3000)
    texts[2500] = '{"_id": 2500, "v": oops}'
    source = source_of(tmp_path, SHAPES["lines"](texts))
    for wanted in (1, 6):
        errors = [
            error
            for partition in source.partitions("C", wanted)
            if (error := drain(source.read(partition, after=None, until=None, max_bytes=999), partition.start)[1])
        ]
        assert [error.where.line for error in errors] == [2501]


def test_document_larger_than_mongodb_allows_is_refused_and_the_largest_one_is_read(tmp_path: Path) -> None:
    around = len(bson.encode({"_id": 1, "v": ""}))
    texts = [GOOD, json.dumps({"_id": 1, "v": "x" * (MAX_DOCUMENT_BYTES - around)}), GOOD]
    asked: list[int] = []
    source = source_of(tmp_path, "\n".join(texts))
    partition = source.partitions("C", 1)[0]
    blocks = list(source.read(partition, after=None, until=None, max_bytes=1000, grow=asked.append))
    assert [len(block.data) for block in blocks] == [len(bson.encode({"_id": 1})), MAX_DOCUMENT_BYTES, 14]
    assert max(asked) >= MAX_DOCUMENT_BYTES
    texts[1] = json.dumps({"_id": 1, "v": "x" * (MAX_DOCUMENT_BYTES - around + 1)})
    documents, error = read_all(source_of(tmp_path, "\n".join(texts)))
    assert len(documents) == 1
    assert error is not None
    assert (error.code, error.where.line) == ("broken-json", 2)
    assert "16 MiB" in error.message


def test_block_that_is_larger_as_bson_than_as_text_asks_for_room_first(tmp_path: Path) -> None:
    texts = [json.dumps({"v": [1] * 4000}, separators=(",", ":")), GOOD]
    asked: list[int] = []
    source = source_of(tmp_path, "\n".join(texts))
    partition = source.partitions("C", 1)[0]
    blocks = list(source.read(partition, after=None, until=None, max_bytes=20_000, grow=asked.append))
    assert len(blocks[0].data) > 20_000
    assert asked == [len(blocks[0].data)]


def test_until_ends_reading_where_a_block_ended(tmp_path: Path) -> None:
    texts = texts_of(50)
    for shape in SHAPES.values():
        source = source_of(tmp_path, shape(texts))
        partition = source.partitions("C", 1)[0]
        blocks = list(source.read(partition, after=None, until=None, max_bytes=200))
        for number, block in enumerate(blocks):
            again = list(source.read(partition, after=None, until=block.end, max_bytes=1 << 20))
            assert b"".join(one.data for one in again) == b"".join(one.data for one in blocks[: number + 1])
            assert again[-1].end == block.end
            rest = list(source.read(partition, after=block.end, until=None, max_bytes=1 << 20))
            assert b"".join(one.data for one in rest) == b"".join(one.data for one in blocks[number + 1 :])


def test_file_shorter_than_the_checkpoint_is_not_taken_as_read_to_its_end(tmp_path: Path) -> None:
    texts = texts_of(50)
    raw = SHAPES["lines"](texts).encode()
    for packed, name in ((False, "C.json"), (True, "C.json.gz")):
        source = source_of(tmp_path, gzip.compress(raw) if packed else raw, name=name)
        partition = source.partitions("C", 1)[0]
        block = list(source.read(partition, after=None, until=None, max_bytes=200))[20]
        short = raw[: decode_position(block.start)]
        (tmp_path / "shop" / name).write_bytes(gzip.compress(short) if packed else short)
        found, error = drain(source.read(partition, after=block.end, until=None, max_bytes=200), block.end)
        assert not found
        assert error is not None
        assert error.code == "changed-under-us"
        _, error = drain(source.read(partition, after=None, until=block.end, max_bytes=200), partition.start)
        assert error is not None
        assert error.code == "changed-under-us"
        (tmp_path / "shop" / name).unlink()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("shape", ["lines-blank-between", "pretty", "array"])
def test_places_name_file_line_and_byte_also_of_another_reader(tmp_path: Path, shape: str, compressed: bool) -> None:
    texts = texts_of(300)
    raw = SHAPES[shape](texts).encode()
    name = "C.json.gz" if compressed else "C.json"
    reader = source_of(tmp_path, gzip.compress(raw) if compressed else raw, name=name)
    other = source_of(tmp_path, gzip.compress(raw) if compressed else raw, name=name)
    starts = starts_of(raw.decode(), len(texts))
    number = 0
    for partition in reader.partitions("C", 4):
        for block in reader.read(partition, after=None, until=None, max_bytes=2000):
            offset = 0
            for document in split(block.data):
                line = raw[: starts[number]].count(b"\n") + 1
                byte = f"{'decompressed ' if compressed else ''}byte {starts[number]:,}"
                expected = f"{name} at line {line:,} ({byte})"
                assert reader.locate(block.start, offset, collection="C") == expected
                if number % 20 == 0:
                    assert other.locate(block.start, offset, collection="C") == expected
                offset += len(document)
                number += 1
    assert number == len(texts)


@pytest.mark.parametrize("sizes", [(5000, 50), (50, 5000)])
def test_places_stay_right_when_another_reader_takes_smaller_blocks(tmp_path: Path, sizes: tuple[int, int]) -> None:
    texts = texts_of(100)
    source = source_of(tmp_path, SHAPES["lines"](texts))
    partition = source.partitions("C", 1)[0]
    for size in sizes:
        next(iter(source.read(partition, after=None, until=None, max_bytes=size)))
    offsets = [sum(len(one) for one in as_bson(texts)[:number]) for number in (0, 1, 20, 99)]
    lines = [source.locate(partition.start, offset, collection="C").split(" (")[0] for offset in offsets]
    assert lines == [f"C.json at line {line}" for line in (1, 2, 21, 100)]


def starts_of(text: str, count: int) -> list[int]:
    """Return the byte at which each document begins, by Python's own decoder."""
    starts: list[int] = []
    at = 0
    while len(starts) < count:
        at = text.index("{", at)
        starts.append(len(text[:at].encode()))
        _, at = json.JSONDecoder().raw_decode(text, at)
    return starts


def test_place_in_a_file_that_is_gone_is_still_a_place(tmp_path: Path) -> None:
    source = source_of(tmp_path, f"{GOOD}\n{GOOD}")
    (tmp_path / "shop" / "C.json").unlink()
    assert source.locate((11).to_bytes(8, "big"), 0, collection="C") == "C.json at byte 11"
    assert source.locate((11).to_bytes(8, "big"), 0) == "byte 11"


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    texts = texts_of(30_000, largest=100)
    text = SHAPES["array"](texts)
    source = source_of(tmp_path, text)
    partition = source.partitions("C", 1)[0]
    del texts
    assert len(text) > 4_000_000
    tracemalloc.start()
    try:
        for _ in source.read(partition, after=None, until=None, max_bytes=100_000):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000, peak


def test_text_that_never_ends_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    source = source_of(tmp_path, f'{GOOD}\n{{"v": "')
    with (tmp_path / "shop" / "C.json").open("ab") as file:
        for _ in range(150):
            file.write(b"x" * (1 << 20))
    tracemalloc.start()
    try:
        documents, error = read_all(source)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert documents == [bson.encode({"_id": 1})]
    assert error is not None
    assert (error.code, error.where.line) == ("broken-json", 2)
    assert "whose end is not there after 64 MiB of text" in error.message
    assert peak < 1.5 * 4 * MAX_DOCUMENT_BYTES, f"{peak >> 20} MiB"


def test_large_document_that_is_written_out_far_to_the_right_is_read(tmp_path: Path) -> None:
    line = "\n" + " " * 80
    numbers = list(range(900_000))
    text = f'{{"v": [{line}' + f",{line}".join(map(str, numbers)) + "]}"
    assert len(text) > 4 * MAX_DOCUMENT_BYTES
    assert read_all(source_of(tmp_path, f"{GOOD}\n{text}\n{GOOD}")) == (
        [bson.encode(one) for one in ({"_id": 1}, {"v": numbers}, {"_id": 1})],
        None,
    )


def test_many_threads_read_one_source(tmp_path: Path) -> None:
    texts = texts_of(2000)
    source = source_of(tmp_path, SHAPES["lines"](texts))
    found: dict[int, list[bytes]] = {}

    def read(partition: Partition) -> None:
        blocks = source.read(partition, after=None, until=None, max_bytes=500)
        found[partition.number] = []
        for block in blocks:
            found[partition.number] += split(block.data)
            assert "at line" in source.locate(block.start, 0, collection="C")

    threads = [threading.Thread(target=read, args=[one]) for one in source.partitions("C", 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one for number in sorted(found) for one in found[number]] == as_bson(texts)
