"""Reading an archive: every document once, in order, whatever stands between; and what is said when one is damaged.

The oracle is the list of documents that was written, and a checksum of the tests' own. Blind spot: an archive that a
real mongodump wrote; the writer in `tests/fix_archives.py` follows the same reading of the format as the product.
"""

from __future__ import annotations

import os
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from random import Random

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus._rust import crc64
from isthmus.errors import ConfigError, SourceError
from isthmus.sources import Block, Partition, Source, open_source
from isthmus.sources.archive import index as archive_index
from isthmus.sources.archive import inflated as archive_bytes
from isthmus.sources.archive.source import decode_position, encode_position
from tests.fix_archives import MAGIC, archive, block, checksum, end_block, split, write_archive
from tests.fix_dumps import compress

BOTH = pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])


def some_documents(count: int, *, seed: int = 1, largest: int = 300) -> list[bytes]:
    rng = Random(seed)
    return [bson.encode({"_id": number, "s": seed, "v": "x" * rng.randrange(largest)}) for number in range(count)]


def opened(tmp_path: Path, data: bytes, *, compressed: bool = False, database: str | None = None) -> Source:
    """Open an archive with these bytes, gzipped on the way to the disk when that is asked for."""
    path = write_archive(tmp_path / "shop.archive", data, compressed=compressed)
    return open_source(str(path), database=database)


def drain(blocks: Iterator[Block]) -> tuple[list[bytes], SourceError | None]:
    """Take all documents of a reader, and the error it ends with."""
    documents: list[bytes] = []
    try:
        for one in blocks:
            assert one.data
            documents += split(one.data)
    except SourceError as error:
        return documents, error
    return documents, None


def read_all(source: Source, collection: str, *, max_bytes: int = 1 << 20) -> tuple[list[bytes], SourceError | None]:
    (partition,) = source.partitions(collection, 4)
    return drain(source.read(partition, after=None, until=None, max_bytes=max_bytes))


@BOTH
@pytest.mark.parametrize("in_segment", [None, 1, 3])
@pytest.mark.parametrize("max_bytes", [1, 500, 1 << 20])
def test_interleaved_collections_give_each_document_once_and_in_order(
    tmp_path: Path, compressed: bool, in_segment: int | None, max_bytes: int
) -> None:
    written = {"A": some_documents(40), "B": some_documents(7, seed=2), "Empty": [], "C": some_documents(60, seed=3)}
    source = opened(tmp_path, archive(written, in_segment=in_segment), compressed=compressed)
    for name, documents in written.items():
        assert read_all(source, name, max_bytes=max_bytes) == (documents, None)
    sizes = {one.name: (one.bytes_total, one.documents, one.bytes_exact) for one in source.collections()}
    assert sizes == {name: (sum(map(len, own)), len(own), True) for name, own in written.items()}


def test_small_segments_are_put_together_into_blocks_of_the_size_asked_for(tmp_path: Path) -> None:
    documents = some_documents(2000)
    source = opened(tmp_path, archive({"A": documents, "B": documents}, in_segment=1))
    (partition,) = source.partitions("A", 1)
    blocks = list(source.read(partition, after=None, until=None, max_bytes=64_000))
    assert sum(len(one.data) for one in blocks) == sum(map(len, documents))
    assert all(len(one.data) <= 64_000 for one in blocks)
    assert len(blocks) < 20


@given(data=st.binary(max_size=300), cut=st.integers(0, 300))
def test_checksum_is_that_of_mongodump_and_can_be_continued(data: bytes, cut: int) -> None:
    assert crc64(data) == checksum(data) == crc64(data[cut:], crc64(data[:cut]))


def test_checksum_of_the_published_check_string() -> None:
    # CRC-64/XZ in the catalogue of parametrised CRC algorithms
    assert crc64(b"123456789") == checksum(b"123456789") == 0x995DC9BBDF1939FA


def whole_before(data: bytes, documents: list[bytes]) -> int:
    """Count the documents that stand whole in the bytes."""
    return sum(one in data for one in documents)


@pytest.mark.parametrize("max_bytes", [1, 60, 1 << 20])
def test_archive_cut_at_every_byte_gives_what_stands_before_the_cut_and_then_says_truncated(
    tmp_path: Path, max_bytes: int
) -> None:
    written = {"A": some_documents(4, largest=20), "B": some_documents(3, seed=2, largest=20)}
    whole = archive(written, in_segment=2)
    blocks_begin = whole.index(b"\xff\xff\xff\xff") + 4
    for cut in range(4, len(whole)):
        part = whole[:cut]
        if cut < blocks_begin:
            with pytest.raises(SourceError) as caught:
                opened(tmp_path, part)
            assert (caught.value.code, caught.value.exit_code) == ("truncated", 3)
            continue
        source = opened(tmp_path, part)
        for name, documents in written.items():
            read, error = read_all(source, name, max_bytes=max_bytes)
            assert read == documents[: whole_before(part, documents)], (cut, name)
            if end_block("shop", name, checksum(b"".join(documents))) in part:
                # Its own end block is there; a cut behind the last one of all is told by that collection.
                assert error is None, (cut, name)
            else:
                assert error is not None, (cut, name)
                assert (error.code, error.exit_code) == ("truncated", 3)
                assert int(str(error.context["offset"])) <= cut
                assert error.hint is not None
                assert name in error.message


def told(tmp_path: Path, data: bytes, written: dict[str, list[bytes]]) -> str | None:
    """Open and read everything; return the code of what is told, None only where every document was read."""
    try:
        source = opened(tmp_path, data, database="shop")
    except (SourceError, ConfigError) as error:
        return error.code
    names = [one.name for one in source.collections() if one.readable]
    found = {name: read_all(source, name, max_bytes=200) for name in names}
    for _, error in found.values():
        if error is not None:
            return error.code
    assert {name: read for name, (read, _) in found.items()} == written
    return None


INTERLEAVED = {
    "A": some_documents(4, largest=20),
    "B": some_documents(3, seed=2, largest=20),
    "Empty": [],
    "Last": some_documents(2, seed=3, largest=20),
}
OF_TWO_DATABASES = archive(
    {**{("shop", name): own for name, own in INTERLEAVED.items()}, ("crm", "A"): some_documents(6, seed=4, largest=20)},
    in_segment=1,
)


@BOTH
def test_cut_at_every_byte_is_told_unless_everything_stands_before_it(tmp_path: Path, compressed: bool) -> None:
    """Where only another database is cut, every document of this one stands before an end block with its checksum."""
    whole = compress(OF_TWO_DATABASES) if compressed else OF_TWO_DATABASES
    assert told(tmp_path, whole, INTERLEAVED) is None
    codes = [told(tmp_path, whole[:cut], INTERLEAVED) for cut in range(len(whole))]
    last = max(
        OF_TWO_DATABASES.index(end_block("shop", name, checksum(b"".join(own)))) for name, own in INTERLEAVED.items()
    )
    if compressed:
        assert None not in codes  # the end of the compression is missing, and that is told
        assert set(codes) == {"not-a-folder", "gzip-broken"}
    else:
        assert None not in codes[: last + 1]
        assert set(codes) == {"not-a-folder", "truncated", None}


def test_flipped_bit_of_a_gzipped_file_is_told_or_changes_nothing(tmp_path: Path) -> None:
    whole = compress(OF_TWO_DATABASES)
    rng = Random(11)
    passed: list[int] = []
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(8)
        if told(tmp_path, bytes(damaged), INTERLEAVED) is None:
            passed.append(place)
    # Only the header of gzip has bytes that mean nothing for what is compressed: flags of a text, time, system.
    # And so have the bits that fill up the last byte in front of the trailer.
    assert set(passed) <= {*range(10), len(whole) - 9}


@pytest.mark.parametrize("number", [0, 1, 64, -1, 1 << 30])
def test_number_of_collections_dumped_at_once_changes_nothing(tmp_path: Path, number: int) -> None:
    stated = b"\x10concurrent_collections\0"
    data = OF_TWO_DATABASES.replace(
        stated + (4).to_bytes(4, "little"), stated + number.to_bytes(4, "little", signed=True)
    )
    assert (data != OF_TWO_DATABASES) == (number != 4)
    assert told(tmp_path, data, INTERLEAVED) is None


def test_first_bytes_of_an_archive_are_none_yet(tmp_path: Path) -> None:
    for cut in range(len(MAGIC)):
        with pytest.raises(SourceError) as caught:
            opened(tmp_path, MAGIC[:cut])
        assert caught.value.code == "not-a-folder"


def shortest_part(packed: bytes, size: int) -> int:
    """Return how many compressed bytes it takes to get that many decompressed ones."""
    return next(cut for cut in range(len(packed)) if len(zlib.decompressobj(wbits=31).decompress(packed[:cut])) >= size)


@pytest.mark.parametrize("max_bytes", [1, 1 << 20])
def test_gzipped_archive_cut_at_every_byte_gives_what_can_be_inflated_and_then_says_so(
    tmp_path: Path, max_bytes: int
) -> None:
    written = {"A": some_documents(30, largest=60), "B": some_documents(20, seed=2, largest=60)}
    whole = archive(written, in_segment=7)
    packed = compress(whole)
    opens_at = shortest_part(packed, whole.index(b"\xff\xff\xff\xff") + 4)
    counts: list[int] = []
    for cut in range(len(packed)):
        if cut < opens_at:
            with pytest.raises(SourceError) as caught:
                opened(tmp_path, packed[:cut])
            assert caught.value.code in {"gzip-broken", "not-a-folder"}, cut
            continue
        source = opened(tmp_path, packed[:cut])
        errors: list[SourceError | None] = []
        count = 0
        for name, documents in written.items():
            read, error = read_all(source, name, max_bytes=max_bytes)
            assert read == documents[: len(read)]
            assert error is not None or read == documents
            count += len(read)
            errors.append(error)
        codes = {error.code for error in errors if error is not None}
        assert codes == {"gzip-broken"}, cut
        counts.append(count)
    assert counts == sorted(counts)
    assert counts[-1] == 50  # only the end of the compression is missing, and still that is told


@BOTH
def test_flipped_bit_in_any_document_is_found(tmp_path: Path, compressed: bool) -> None:
    documents = {"A": some_documents(6, largest=20), "B": some_documents(6, seed=2, largest=20)}
    whole = archive(documents, in_segment=2)
    places = [at + byte for one in documents["A"] for at in [whole.index(one)] for byte in range(len(one))]
    rng = Random(4)
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(8)
        source = opened(tmp_path, bytes(damaged), compressed=compressed)
        read, error = read_all(source, "A")
        assert error is not None, place
        assert error.exit_code == 3
        assert error.code in {"crc-differs", "broken-framing", "truncated"}, place
        in_length = any(whole.index(one) <= place < whole.index(one) + 4 for one in documents["A"])
        if not in_length:
            assert error.code == "crc-differs"
            assert len(read) == len(documents["A"])
            assert "A" in error.message
            assert "--fresh" in str(error.hint)


def test_flipped_bit_anywhere_is_an_error_of_some_collection_or_changes_no_document(tmp_path: Path) -> None:
    """Also in names, headers and terminators: nothing crashes, hangs or passes for whole."""
    written = {"A": some_documents(3, largest=20), "B": some_documents(3, seed=2, largest=20)}
    whole = archive(written, in_segment=2)
    rng = Random(8)
    passed = 0
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(8)
        try:
            source = opened(tmp_path, bytes(damaged))
        except SourceError:
            continue
        names = {one.name for one in source.collections() if one.readable}
        read = {name: read_all(source, name) for name in names}
        if not any(error for _, error in read.values()):
            passed += 1
            assert all(read[name][0] == written[name] for name in written if name in names)
    # What says nothing of documents may pass: versions of tools, indexes, sizes.
    assert passed < whole.index(b"\xff\xff\xff\xff")


def test_wrong_checksum_is_told_after_every_document_and_only_of_that_collection(tmp_path: Path) -> None:
    documents = some_documents(5)
    raw = b"".join(documents)
    data = archive({"A": documents, "B": documents})
    right = end_block("shop", "B", checksum(raw))
    source = opened(tmp_path, data.replace(right, end_block("shop", "B", checksum(raw) ^ 1)))
    assert read_all(source, "A") == (documents, None)
    read, error = read_all(source, "B")
    assert read == documents
    assert error is not None
    assert (error.code, error.exit_code, error.where.collection) == ("crc-differs", 3, "B")
    assert f"{checksum(raw):016x}" in error.message


@BOTH
@pytest.mark.parametrize("in_segment", [None, 2])
def test_reading_goes_on_at_any_document_with_the_right_checksum(
    tmp_path: Path, compressed: bool, in_segment: int | None
) -> None:
    documents = some_documents(9, largest=40)
    raw = b"".join(documents)
    data = archive({"A": documents, "B": some_documents(9, seed=2)}, in_segment=in_segment)
    wrong = data.replace(end_block("shop", "A", checksum(raw)), end_block("shop", "A", checksum(raw) ^ 1 << 63))
    for number, end in enumerate([0, *accumulate(map(len, documents))]):
        position = encode_position(end, checksum(raw[:end]))
        source = opened(tmp_path, data, compressed=compressed)
        (partition,) = source.partitions("A", 1)
        rest = source.read(partition, after=position, until=None, max_bytes=100)
        assert drain(rest) == (documents[number:], None)
        assert drain(source.read(partition, after=None, until=position, max_bytes=100)) == (documents[:number], None)
        source = opened(tmp_path, wrong, compressed=compressed)
        read, error = drain(source.read(partition, after=position, until=None, max_bytes=100))
        assert (read, error and error.code) == (documents[number:], "crc-differs")


@BOTH
def test_block_ends_continue_one_another_and_carry_the_checksum(tmp_path: Path, compressed: bool) -> None:
    documents = some_documents(50)
    raw = b"".join(documents)
    source = opened(tmp_path, archive({"A": documents, "B": documents}, in_segment=4), compressed=compressed)
    (partition,) = source.partitions("A", 1)
    blocks = list(source.read(partition, after=None, until=None, max_bytes=900))
    assert len(blocks) > 5
    assert blocks[0].start == partition.start
    assert [one.end for one in blocks[:-1]] == [one.start for one in blocks[1:]]
    for one in blocks:
        offset, crc = decode_position(one.end)
        assert crc == checksum(raw[:offset])


@BOTH
@pytest.mark.parametrize("max_bytes", [1, 1 << 16])
def test_documents_larger_than_a_block_are_announced_and_arrive_whole(
    tmp_path: Path, compressed: bool, max_bytes: int
) -> None:
    documents = [bson.encode({"_id": n, "v": bytes(200_000 * (n % 3))}) for n in range(9)]
    source = opened(tmp_path, archive({"A": documents, "B": documents}, in_segment=2), compressed=compressed)
    asked: list[int] = []
    (partition,) = source.partitions("A", 1)
    blocks = source.read(partition, after=None, until=None, max_bytes=max_bytes, grow=asked.append)
    assert drain(blocks) == (documents, None)
    assert max(asked) >= max(map(len, documents))


def test_indexing_hops_over_large_documents_without_reading_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [bson.encode({"_id": n, "v": bytes(1 << 19)}) for n in range(10)]
    path = write_archive(tmp_path / "shop.archive", archive({"A": documents}))
    read = 0
    pread = os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        nonlocal read
        data = pread(descriptor, size, offset)
        read += len(data)
        return data

    monkeypatch.setattr(os, "pread", counted)
    open_source(str(path))
    assert read < 1 << 18


def test_many_collections_of_a_gzipped_archive_do_not_inflate_it_many_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_bytes, "_FIRST_SPACING", 1 << 16)
    rng = Random(5)
    written = {f"C{n:02}": [bson.encode({"_id": k, "v": rng.randbytes(3000)}) for k in range(60)] for n in range(20)}
    data = archive(written)
    source = opened(tmp_path, data, compressed=True)
    inflated = 0
    inflate = archive_bytes.Inflating._inflate

    def counted(self: archive_bytes.Inflating, limit: int) -> bytes:
        nonlocal inflated
        part = inflate(self, limit)
        inflated += len(part)
        return part

    monkeypatch.setattr(archive_bytes.Inflating, "_inflate", counted)
    for name, documents in reversed(written.items()):
        assert read_all(source, name) == (documents, None)
    # From the beginning each time it would be ten times the archive.
    assert inflated < 2 * len(data)


def test_long_opening_is_logged_with_how_much_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(archive_bytes, "_SILENT_SECONDS", 0)
    monkeypatch.setattr(archive_bytes, "_LOG_SECONDS", 0)
    rng = Random(5)
    data = archive({"A": [bson.encode({"_id": k, "v": rng.randbytes(3000)}) for k in range(2000)]})
    for compressed in (False, True):
        caplog.clear()
        with caplog.at_level("INFO", "isthmus"):
            opened(tmp_path, data, compressed=compressed)
        assert {one.getMessage().partition(":")[0] for one in caplog.records} == {
            "Going through shop.archive to see where its collections stand"
        }
        shares = [int(one.getMessage().split()[-2]) for one in caplog.records]
        assert shares == sorted(shares)
        assert shares[0] < 40
        assert shares[-1] == 100
    monkeypatch.setattr(archive_bytes, "_SILENT_SECONDS", 60)
    caplog.clear()
    with caplog.at_level("INFO", "isthmus"):
        opened(tmp_path, data)
    assert not caplog.records


def test_kept_states_stay_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_bytes, "_FIRST_SPACING", 1 << 10)
    monkeypatch.setattr(archive_bytes, "_PLACES", 8)
    kept: list[int] = []
    keep = archive_bytes.Places.keep

    def counted(self: archive_bytes.Places, stream: archive_bytes.Inflating) -> None:
        keep(self, stream)
        kept.append(len(self))

    monkeypatch.setattr(archive_bytes.Places, "keep", counted)
    rng = Random(6)
    documents = [bson.encode({"_id": k, "v": rng.randbytes(3000)}) for k in range(2000)]
    source = opened(tmp_path, archive({"A": documents[:1000], "B": documents[1000:]}), compressed=True)
    assert max(kept) == 8
    assert read_all(source, "B") == (documents[1000:], None)


@BOTH
def test_memory_stays_near_the_size_of_a_block(tmp_path: Path, compressed: bool) -> None:
    documents = [bson.encode({"_id": k, "v": bytes(1000)}) for k in range(5000)]
    source = opened(tmp_path, archive({"A": documents, "B": documents[:5]}, in_segment=1500), compressed=compressed)
    del documents
    (partition,) = source.partitions("A", 1)
    tracemalloc.start()
    try:
        count = 0
        for one in source.read(partition, after=None, until=None, max_bytes=1 << 19):
            count += len(one.data)
            del one
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count > 5_000_000
    assert peak < 5 << 19  # a block, what it is made of, and a step of the inflater


@BOTH
def test_collections_are_read_by_several_threads_at_once(tmp_path: Path, compressed: bool) -> None:
    written = {f"C{n}": some_documents(3000, seed=n) for n in range(6)}
    source = opened(tmp_path, archive(written, in_segment=100), compressed=compressed)
    found: dict[str, object] = {}

    def read(name: str) -> None:
        found[name] = read_all(source, name, max_bytes=30_000)

    threads = [threading.Thread(target=read, args=(name,)) for name in written]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: (documents, None) for name, documents in written.items()}


DOCUMENTS = some_documents(4, largest=20)
RAW = b"".join(DOCUMENTS)
END = end_block("shop", "A", checksum(RAW))


def damaged(change: Callable[[bytes], bytes]) -> bytes:
    return change(archive({"A": DOCUMENTS, "B": DOCUMENTS}))


BREAKS: dict[str, tuple[bytes, str, int, str]] = {
    # what is wrong: (archive, code, documents of A before it, a word of the message)
    "documents behind the end block": (
        damaged(lambda data: data.replace(END, END + block("shop", "A", RAW))),
        "broken-framing",
        4,
        "behind the end",
    ),
    "end block with documents": (
        damaged(lambda data: data.replace(END, END[:-4] + DOCUMENTS[0] + END[-4:])),
        "broken-framing",
        4,
        "end block of A",
    ),
    "no end block": (damaged(lambda data: data.replace(END, b"")), "truncated", 4, "end block"),
    "garbage instead of a length": (
        damaged(lambda data: data.replace(DOCUMENTS[2], b"\xfe\xff\xff\xff" + DOCUMENTS[2], 1)),
        "broken-framing",
        2,
        "neither a document",
    ),
    "length of zero": (
        damaged(lambda data: data.replace(DOCUMENTS[2], bytes(4) + DOCUMENTS[2], 1)),
        "broken-framing",
        2,
        "neither",
    ),
    "header that names no collection": (
        damaged(lambda data: data.replace(END, bson.encode({"db": "shop"}) + END)),
        "broken-framing",
        4,
        "header",
    ),
    "two terminators": (
        damaged(lambda data: data.replace(END, b"\xff\xff\xff\xff" + END)),
        "broken-framing",
        4,
        "header",
    ),
    "header of many bytes": (
        damaged(lambda data: data.replace(END, bson.encode({"v": bytes(70_000)}) + END)),
        "broken-framing",
        4,
        "neither",
    ),
}


@BOTH
@pytest.mark.parametrize(("data", "code", "before", "word"), BREAKS.values(), ids=BREAKS.keys())
def test_break_ends_its_collection_after_what_stands_before(
    tmp_path: Path, compressed: bool, data: bytes, code: str, before: int, word: str
) -> None:
    read, error = read_all(opened(tmp_path, data, compressed=compressed), "A")
    if word == "behind the end":  # A itself ended well; B is the one that was not read to its end
        assert (read, error) == (DOCUMENTS, None)
        read, error = read_all(opened(tmp_path, data, compressed=compressed), "B")
        before = 0 if len(read) == 0 else 4
    assert read == DOCUMENTS[:before]
    assert error is not None
    assert (error.code, error.exit_code) == (code, 3)
    assert word in error.message
    assert error.where.file == str((tmp_path / "shop.archive").resolve())


@pytest.mark.parametrize("more", [b"\0\0\0", b"\x05\0\0\0\0", b"garbage of some length"])
def test_bytes_behind_the_last_block_are_told(tmp_path: Path, more: bytes) -> None:
    source = opened(tmp_path, archive({"A": DOCUMENTS, "B": DOCUMENTS}) + more)
    assert read_all(source, "A") == (DOCUMENTS, None)
    read, error = read_all(source, "B")
    assert read == DOCUMENTS
    assert error is not None
    assert error.code in {"truncated", "broken-framing"}


def test_gzip_trailer_that_differs_is_told(tmp_path: Path) -> None:
    packed = bytearray(compress(archive({"A": DOCUMENTS})))
    packed[-6] ^= 1
    read, error = read_all(opened(tmp_path, bytes(packed)), "A")
    assert read == DOCUMENTS
    assert error is not None
    assert error.code == "gzip-broken"
    assert "checksum" in error.message


def test_lying_length_before_a_break_is_where_the_break_begins(tmp_path: Path) -> None:
    # two bytes less end the document on a zero byte of its integer, and what follows is nothing
    liar = bson.encode({"a": 1})
    short = (len(liar) - 2).to_bytes(4, "little") + liar[4:]
    data = archive({"A": DOCUMENTS}).replace(DOCUMENTS[3], DOCUMENTS[3] + short + b"\0\0")
    source = opened(tmp_path, data)
    read, error = read_all(source, "A")
    assert read == DOCUMENTS
    assert error is not None
    assert error.code == "broken-framing"
    assert error.context["offset"] == data.index(short)


@BOTH
def test_file_that_changed_since_it_was_opened_is_not_read(tmp_path: Path, compressed: bool) -> None:
    data = archive({"A": DOCUMENTS})
    source = opened(tmp_path, data, compressed=compressed)
    assert source.changed("A") is None
    path = tmp_path / "shop.archive"
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0")
    assert source.changed("A") == f"went from {len(whole):,} to {len(whole) + 1:,} bytes"
    _, error = read_all(source, "A")
    assert error is not None
    assert error.code == "changed-under-us"
    path.write_bytes(whole)
    os.utime(path, ns=(1, 1))
    assert source.changed("A") == "was written to"
    path.unlink()
    assert source.changed("A") == "went away"
    _, error = read_all(source, "A")
    assert error is not None
    assert (error.code, error.retryable) == ("unreadable", False)


def test_bytes_that_change_while_they_are_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened(tmp_path, archive({"A": DOCUMENTS, "B": DOCUMENTS}))
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, at: bytes(len(pread(fd, size, at))))
    _, error = read_all(source, "A")
    assert error is not None
    assert error.code == "changed-under-us"
    monkeypatch.setattr(os, "pread", lambda *_: b"")
    _, error = read_all(source, "A")
    assert error is not None
    assert error.code == "changed-under-us"


def test_position_of_another_kind_of_source_or_behind_the_end_is_refused(tmp_path: Path) -> None:
    source = opened(tmp_path, archive({"A": DOCUMENTS}))
    for position, code in [(b"\x07abc", "bad-position"), (encode_position(len(RAW) + 5, 0), "changed-under-us")]:
        _, error = drain(source.read(Partition("A", 0, position, None), after=None, until=None, max_bytes=100))
        assert error is not None
        assert error.code == code


@BOTH
def test_locate_names_file_byte_and_collection(tmp_path: Path, compressed: bool) -> None:
    data = archive({"A": DOCUMENTS, "B": DOCUMENTS}, in_segment=1)
    source = opened(tmp_path, data, compressed=compressed)
    word = "decompressed byte" if compressed else "byte"
    first = data.index(DOCUMENTS[1])
    start = encode_position(0, 0)
    place = source.locate(start, len(DOCUMENTS[0]), collection="A")
    assert place == f"shop.archive at {word} {first:,} (collection A)"
    assert source.locate(start, 1 << 30, collection="A") == f"byte {1 << 30:,} of A in shop.archive"
    assert source.locate(start, 7) == "byte 7"


def test_more_segments_than_are_kept_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_index, "_MAX_SEGMENTS", 10)
    opened(tmp_path, archive({"A": some_documents(10)}, in_segment=1))
    with pytest.raises(SourceError) as caught:
        opened(tmp_path, archive({"A": some_documents(11)}, in_segment=1))
    assert caught.value.code == "archive-scattered"
