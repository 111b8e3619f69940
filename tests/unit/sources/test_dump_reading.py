"""Reading a dump: every document once, in order, whatever the cuts; and what is said when a file is broken.

The oracle is the list of documents that was written. Blind spot: the inside of documents is not looked at.
"""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.errors import SourceError
from isthmus.sources import Block, Partition, Position, Source, open_source
from isthmus.sources.limits import MAX_DOCUMENT_BYTES
from isthmus.sources.offsets import decode_position, encode_position
from tests.fix_dumps import MakeDump, compress, write_collection


def split(raw: bytes) -> list[bytes]:
    """Cut whole documents apart by their lengths."""
    documents: list[bytes] = []
    while raw:
        length = int.from_bytes(raw[:4], "little")
        documents.append(raw[:length])
        raw = raw[length:]
    return documents


def read_all(
    source: Source, collection: str = "C", *, partition_count: int = 1, max_bytes: int = 1 << 20
) -> tuple[list[bytes], SourceError | None]:
    """Read a collection to the end or to its first error."""
    documents: list[bytes] = []
    for partition in source.partitions(collection, partition_count):
        more, error = drain(source.read(partition, after=None, until=None, max_bytes=max_bytes))
        documents += more
        if error is not None:
            return documents, error
    return documents, None


def drain(blocks: Iterator[Block]) -> tuple[list[bytes], SourceError | None]:
    """Take all documents of a reader, and the error it ends with."""
    documents: list[bytes] = []
    try:
        for block in blocks:
            documents += split(block.data)
    except SourceError as error:
        return documents, error
    return documents, None


def some_documents(count: int, *, seed: int = 1, largest: int = 300) -> list[bytes]:
    rng = Random(seed)
    return [bson.encode({"_id": number, "v": "x" * rng.randrange(largest)}) for number in range(count)]


def dump_of(tmp_path: Path, raw: bytes, *, compressed: bool = False) -> Source:
    """A dump whose collection C has `raw` as its file; collection D keeps the source from being empty."""
    folder = tmp_path / "db"
    write_collection(folder, "D", [{"_id": 1}])
    path = write_collection(folder, "C", raw, compressed=compressed)
    if compressed:
        path.write_bytes(raw)
    return open_source(str(folder))


@pytest.mark.parametrize("max_bytes", [1, 40, 1 << 20])
def test_file_cut_at_every_byte_gives_the_documents_before_the_cut_and_then_says_truncated(
    tmp_path: Path, max_bytes: int
) -> None:
    documents = some_documents(4, largest=20)
    raw = b"".join(documents)
    ends = [0, *accumulate(len(one) for one in documents)]
    for cut in range(len(raw) + 1):
        read, error = read_all(dump_of(tmp_path, raw[:cut]), max_bytes=max_bytes)
        whole = sum(end <= cut for end in ends) - 1
        assert read == documents[:whole]
        if cut in ends:
            assert error is None
        else:
            assert error is not None
            assert (error.code, error.exit_code) == ("truncated", 3)
            assert error.context["offset"] == ends[whole]
            assert f"C.bson breaks at byte {ends[whole]}." in error.message
            assert error.hint is not None


@pytest.mark.parametrize("max_bytes", [1, 64, 1 << 20])
def test_gzip_file_cut_at_every_byte_gives_what_can_be_decompressed_and_then_says_so(
    tmp_path: Path, max_bytes: int
) -> None:
    documents = some_documents(30, largest=60)
    packed = compress(b"".join(documents))
    lengths: list[int] = []
    for cut in range(len(packed)):
        read, error = read_all(dump_of(tmp_path, packed[:cut], compressed=True), max_bytes=max_bytes)
        assert read == documents[: len(read)]
        assert error is not None
        assert error.code == "gzip-broken"
        assert error.context["decompressed"] is True
        assert error.context["offset"] == sum(map(len, read))
        lengths.append(len(read))
    assert lengths == sorted(lengths)
    # Only the checksum is missing: every document is there, and the end is still reported.
    assert lengths[-1] == len(documents)
    assert read_all(dump_of(tmp_path, packed, compressed=True), max_bytes=max_bytes) == (documents, None)


@pytest.mark.parametrize("flip", range(10, 400, 13))
def test_gzip_file_with_a_flipped_byte_is_reported_and_never_read_to_the_end_silently(
    tmp_path: Path, flip: int
) -> None:
    documents = some_documents(60, largest=60)
    packed = bytearray(compress(b"".join(documents)))
    packed[flip] ^= 0x10
    _, error = read_all(dump_of(tmp_path, bytes(packed), compressed=True))
    assert error is not None
    assert error.code in {"gzip-broken", "broken-framing", "truncated"}


def test_gzip_file_of_several_members_with_zero_padding_is_read_to_the_end(tmp_path: Path) -> None:
    documents = some_documents(20)
    packed = compress(b"".join(documents[:7])) + compress(b"".join(documents[7:])) + b"\0" * 512
    assert read_all(dump_of(tmp_path, packed, compressed=True), max_bytes=100) == (documents, None)


def test_gzip_file_with_other_bytes_behind_its_end_is_reported(tmp_path: Path) -> None:
    documents = some_documents(3)
    packed = compress(b"".join(documents)) + b"garbage"
    read, error = read_all(dump_of(tmp_path, packed, compressed=True))
    assert read == documents
    assert error is not None
    assert error.code == "gzip-broken"


def test_gzip_file_that_is_empty_is_reported(tmp_path: Path) -> None:
    read, error = read_all(dump_of(tmp_path, b"", compressed=True))
    assert read == []
    assert error is not None
    assert error.code == "gzip-broken"


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "length", [0, 1, 4, -1, -(2**31), 2**31 - 1, MAX_DOCUMENT_BYTES + 1, 100_000], ids=lambda one: f"length {one}"
)
@pytest.mark.parametrize("max_bytes", [1, 1 << 20])
def test_length_that_lies_ends_the_collection_with_file_and_offset(
    tmp_path: Path, compressed: bool, length: int, max_bytes: int
) -> None:
    documents = some_documents(3)
    raw = b"".join(documents) + length.to_bytes(4, "little", signed=True) + b"\x10v\0\1\0\0\0\0" + documents[0]
    source = dump_of(tmp_path, compress(raw) if compressed else raw, compressed=compressed)
    read, error = read_all(source, max_bytes=max_bytes)
    assert read == documents
    assert error is not None
    assert error.code == ("truncated" if length == 100_000 else "broken-framing")
    offset = sum(map(len, documents))
    assert error.context["offset"] == offset
    assert error.where.collection == "C"
    assert f"{'decompressed ' if compressed else ''}byte {offset}" in error.message


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 100, b"{}", b"\xff" * 64, b"PK\3\4 some other file"])
@pytest.mark.parametrize("max_bytes", [1, 1 << 20])
def test_garbage_behind_the_last_document_is_reported_after_all_documents(
    tmp_path: Path, tail: bytes, max_bytes: int
) -> None:
    documents = some_documents(3)
    read, error = read_all(dump_of(tmp_path, b"".join(documents) + tail), max_bytes=max_bytes)
    assert read == documents
    assert error is not None
    assert error.code in {"truncated", "broken-framing"}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("max_bytes", [1, 10, 1 << 20])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_document_without_its_closing_zero_is_still_one_document_when_the_next_one_follows(
    tmp_path: Path, compressed: bool, max_bytes: int, position: int
) -> None:
    documents = some_documents(3, largest=30)
    documents[position] = documents[position][:-1] + b"\7"
    raw = b"".join(documents)
    source = dump_of(tmp_path, compress(raw) if compressed else raw, compressed=compressed)
    assert read_all(source, max_bytes=max_bytes) == (documents, None)


def test_wrong_ending_before_garbage_breaks_at_the_same_place_for_every_cut(tmp_path: Path) -> None:
    documents = some_documents(6, largest=30)
    documents[3] = documents[3][:-1] + b"\7"
    raw = b"".join(documents[:4]) + b"\xff" * 200
    outcomes = set[tuple[int, str, object]]()
    for partition_count in (1, 2, 3, 7):
        for max_bytes in (1, 30, 100, 1 << 20):
            read, error = read_all(dump_of(tmp_path, raw), partition_count=partition_count, max_bytes=max_bytes)
            assert error is not None
            outcomes.add((len(read), error.code, error.context["offset"]))
    assert outcomes == {(3, "broken-framing", sum(map(len, documents[:3])))}


def test_empty_file_has_one_partition_and_no_documents_and_an_absent_file_is_not_read(tmp_path: Path) -> None:
    write_collection(tmp_path / "db", "Absent", None)
    source = dump_of(tmp_path, b"")
    assert source.partitions("C", 8) == [Partition("C", 0, encode_position(0), None)]
    assert read_all(source, "C") == ([], None)
    with pytest.raises(SourceError, match="no data file"):
        source.partitions("Absent", 8)


@given(
    lengths=st.lists(st.integers(0, 400), max_size=40),
    partition_count=st.integers(1, 50),
    max_bytes=st.one_of(st.integers(1, 1200), st.just(1 << 20)),
    compressed=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_any_partitions_block_sizes_and_resumes_give_the_same_documents(
    tmp_path_factory: pytest.TempPathFactory,
    lengths: list[int],
    partition_count: int,
    max_bytes: int,
    compressed: bool,
    seed: int,
) -> None:
    documents = [bson.encode({"_id": number, "v": "y" * length}) for number, length in enumerate(lengths)]
    raw = b"".join(documents)
    source = dump_of(tmp_path_factory.mktemp("any"), compress(raw) if compressed else raw, compressed=compressed)
    partitions = source.partitions("C", partition_count)
    assert 1 <= len(partitions) <= partition_count
    assert [one.number for one in partitions] == list(range(len(partitions)))
    assert partitions[0].start == encode_position(0)
    assert partitions[-1].end is None
    assert all(one.end == other.start and one.start < other.start for one, other in pairwise(partitions))
    rng = Random(seed)
    read: list[bytes] = []
    for partition in partitions:
        read += read_with_resumes(source, partition, max_bytes, rng)
    assert read == documents


def read_with_resumes(source: Source, partition: Partition, max_bytes: int, rng: Random) -> list[bytes]:
    """Read a partition, starting over behind a random block now and then; check positions and sizes."""
    documents: list[bytes] = []
    after: Position | None = None
    while True:
        for block in source.read(partition, after=after, until=None, max_bytes=max_bytes):
            assert block.start == (partition.start if after is None else after)
            assert decode_position(block.end) - decode_position(block.start) == len(block.data)
            again = list(source.read(partition, after=block.start, until=block.end, max_bytes=1 + rng.randrange(999)))
            assert b"".join(one.data for one in again) == block.data
            whole = split(block.data)
            assert whole
            assert len(block.data) <= max_bytes or len(whole) == 1
            documents += whole
            after = block.end
            if rng.random() < 0.3:
                break
        else:
            return documents


def test_partitions_of_large_documents_are_found_without_reading_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    documents = [bson.encode({"_id": number, "v": b"z" * 3_000_000}) for number in range(12)]
    source = dump_of(tmp_path, b"".join(documents))
    asked = 0
    pread = os.pread

    def counting(descriptor: int, size: int, offset: int) -> bytes:
        nonlocal asked
        asked += size
        return pread(descriptor, size, offset)

    monkeypatch.setattr("isthmus.sources.dump.source.os.pread", counting)
    partitions = source.partitions("C", 4)
    assert len(partitions) == 4
    assert asked < 2_000_000
    monkeypatch.undo()
    assert read_all(source, partition_count=4, max_bytes=1000)[0] == documents


@pytest.mark.parametrize("compressed", [False, True])
def test_memory_of_a_reader_is_one_block_or_one_document(tmp_path: Path, compressed: bool) -> None:
    rng = Random(5)
    large = [bson.encode({"_id": number, "v": rng.randbytes(15 << 20)}) for number in range(2)]
    small = some_documents(20_000)
    raw = b"".join((small[0], *large, *small[1:]))
    source = dump_of(tmp_path, compress(raw) if compressed else raw, compressed=compressed)
    del raw, large, small
    (partition,) = source.partitions("C", 1)
    for max_bytes, allowed in ((1 << 20, (15 << 20) + (3 << 20)), (4 << 20, (15 << 20) + (6 << 20))):
        tracemalloc.start()
        for block in source.read(partition, after=None, until=None, max_bytes=max_bytes):
            assert block.data
            del block
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < allowed


def test_threads_read_one_collection_at_once(tmp_path: Path) -> None:
    documents = some_documents(3000)
    source = dump_of(tmp_path, b"".join(documents))
    partitions = source.partitions("C", 8)
    read: dict[int, list[bytes]] = {}

    def work(number: int) -> None:
        partition = partitions[number % len(partitions)]
        blocks = source.read(partition, after=None, until=None, max_bytes=500)
        read[number] = [one for block in blocks for one in split(block.data)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one for number in range(8) for one in read[number]] == documents
    assert [one for number in range(8, 16) for one in read[number]] == documents


def test_file_that_shrinks_while_read_gives_what_is_left_and_is_reported(tmp_path: Path) -> None:
    documents = some_documents(50)
    source = dump_of(tmp_path, b"".join(documents))
    (partition,) = source.partitions("C", 1)
    reader = source.read(partition, after=None, until=None, max_bytes=600)
    read = split(next(reader).data)
    keep = sum(map(len, documents[:20]))
    with (tmp_path / "db" / "C.bson").open("r+b") as file:
        file.truncate(keep + 7)
    more, error = drain(reader)
    read += more
    assert error is not None
    assert error.code == "changed-under-us"
    assert read == documents[: len(read)]
    assert len(read) <= 20


def test_file_that_grows_while_read_is_reported(tmp_path: Path) -> None:
    documents = some_documents(50)
    source = dump_of(tmp_path, b"".join(documents))
    (partition,) = source.partitions("C", 1)
    reader = source.read(partition, after=None, until=None, max_bytes=600)
    next(reader)
    with (tmp_path / "db" / "C.bson").open("ab") as file:
        file.write(documents[0])
    with pytest.raises(SourceError, match="bytes while it was read") as caught:
        list(reader)
    assert caught.value.code == "changed-under-us"


@pytest.mark.parametrize("compressed", [False, True])
def test_checkpoint_beyond_the_file_is_reported(tmp_path: Path, compressed: bool) -> None:
    raw = b"".join(some_documents(3))
    source = dump_of(tmp_path, compress(raw) if compressed else raw, compressed=compressed)
    partition = Partition("C", 0, encode_position(0), None)
    with pytest.raises(SourceError) as caught:
        list(source.read(partition, after=encode_position(len(raw) + 1), until=None, max_bytes=100))
    assert caught.value.code == "changed-under-us"


@pytest.mark.parametrize("compressed", [False, True])
def test_partition_that_ends_beyond_the_file_gives_its_documents_first(tmp_path: Path, compressed: bool) -> None:
    documents = some_documents(5)
    raw = b"".join(documents)
    source = dump_of(tmp_path, compress(raw) if compressed else raw, compressed=compressed)
    partition = Partition("C", 0, encode_position(0), encode_position(len(raw) + 100))
    read, error = drain(source.read(partition, after=None, until=None, max_bytes=100))
    assert error is not None
    assert error.code == "changed-under-us"
    assert read == documents


@pytest.mark.parametrize("compressed", [False, True])
def test_partition_that_no_longer_ends_between_documents_is_reported(tmp_path: Path, compressed: bool) -> None:
    documents = some_documents(5)
    raw = b"".join(documents)
    source = dump_of(tmp_path, compress(raw) if compressed else raw, compressed=compressed)
    partition = Partition("C", 0, encode_position(0), encode_position(len(documents[0]) + 1))
    with pytest.raises(SourceError) as caught:
        list(source.read(partition, after=None, until=None, max_bytes=100))
    assert caught.value.code == "changed-under-us"


def test_position_of_another_kind_of_source_is_refused(tmp_path: Path) -> None:
    source = dump_of(tmp_path, b"".join(some_documents(1)))
    partition = Partition("C", 0, b"\x07abc", None)
    with pytest.raises(SourceError) as caught:
        list(source.read(partition, after=None, until=None, max_bytes=100))
    assert caught.value.code == "bad-position"


def test_locate_names_file_and_byte(make_dump: MakeDump) -> None:
    source = open_source(str(make_dump({"zips": [{"_id": 1}], "packed": [{"_id": 1}]}, compressed=["packed"])))
    position = encode_position(1000)
    assert source.locate(position, 234, collection="zips") == "zips.bson at byte 1,234"
    assert source.locate(position, 234, collection="packed") == "packed.bson.gz at decompressed byte 1,234"
    assert source.locate(position, 234) == "byte 1,234"


@pytest.mark.parametrize("compressed", [False, True])
def test_file_that_cannot_be_read_is_reported(tmp_path: Path, compressed: bool) -> None:
    raw = b"".join(some_documents(1))
    source = dump_of(tmp_path, compress(raw) if compressed else raw, compressed=compressed)
    path = tmp_path / "db" / f"C.bson{'.gz' if compressed else ''}"
    path.unlink()
    path.mkdir()  # opens, but every read fails, also for root
    _, error = read_all(source)
    assert error is not None
    assert (error.code, error.retryable) == ("unreadable", False)  # waiting does not make a folder a file


def test_file_that_vanished_is_reported(tmp_path: Path) -> None:
    source = dump_of(tmp_path, b"".join(some_documents(1)))
    (tmp_path / "db" / "C.bson").unlink()
    with pytest.raises(SourceError) as caught:
        source.partitions("C", 2)
    assert caught.value.code == "unreadable"
    assert not caught.value.retryable
