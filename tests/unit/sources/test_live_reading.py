"""A database of a running server, read as partitions and blocks.

Bad input, and what it gets (each has a test here, in `test_live_opening.py` or in `chaos/test_live_trouble.py`):

    an address with a typing error, an unknown option, weak reads      bad-source, without the password
    no server, a wrong login, a server before 4.4                      source-unreachable, source-login, source-too-old
    no database named, one that is not there, an empty one             database-needed, unknown-database
    no right on one collection                                         the collection has a rule that says so
    views, time series, system collections                             a rule each
    a cursor or session that the server takes away                     read on behind the last `_id`
    a snapshot that the server refuses                                 majority, and a note
    a server that goes away, steps down, cuts the connection           retryable, and what was read stays read
    a checkpoint of another kind of source                             bad-position
    `_id` values of every type, names of every shape                   read like all others
    documents written, added, removed while they are read              `changed` says so
"""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import bson
import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp

from isthmus.errors import SourceError
from isthmus.sources import open_source
from isthmus.sources.live.positions import BEGIN
from isthmus.sources.live.source import LiveSource
from isthmus.sources.protocol import Block, Partition
from tests.fix_mongo import MongoDatabase

Opened = Callable[[MongoDatabase], LiveSource]

MIXED: list[object] = [
    MinKey(),
    None,
    float("nan"),
    -3,
    Int64(-2),
    -1.5,
    Decimal128("0.5"),
    5,
    Int64(2**53 + 1),
    float(2**53 + 4),
    Decimal128("1E+30"),
    "",
    "5",
    "a",
    'Ä "quoted" $name.with.dots',
    {"a": 1},
    {"a": 1, "b": 2},
    {"b": 2, "a": 1},
    {"od.d": {"deep": ["x"]}},
    Binary(b"", 0),
    Binary(b"\0\xff", 0),
    Binary(bytes(16), 4),
    ObjectId("0" * 24),
    ObjectId("f" * 24),
    False,
    True,
    datetime.datetime(1969, 1, 1, tzinfo=datetime.UTC),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    Timestamp(1, 2),
    Code("x"),
    MaxKey(),
]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Return a function that opens a database as a source, closed after the test."""
    sources: list[LiveSource] = []

    def make(mongo: MongoDatabase) -> LiveSource:
        source = open_source(mongo.url)
        assert isinstance(source, LiveSource)
        sources.append(source)
        return source

    yield make
    for source in sources:
        source.close()


def documents(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    while data:
        length = int.from_bytes(data[:4], "little")
        found.append(data[:length])
        data = data[length:]
    return found


def blocks(source: LiveSource, partition: Partition, **more: Any) -> list[Block]:
    return list(source.read(partition, **{"after": None, "until": None, "max_bytes": 1 << 20, **more}))


def read(source: LiveSource, collection: str, wanted: int = 1, **more: Any) -> list[bytes]:
    """Return every document; asserts what the transfer relies on: blocks meet, and the last one ends at the end."""
    found: list[bytes] = []
    for partition in source.partitions(collection, wanted):
        mine = blocks(source, partition, **more)
        assert all(block.data for block in mine)
        ends = [partition.start, *(block.end for block in mine)]
        assert [block.start for block in mine] == ends[:-1]
        if partition.end is not None:
            assert ends[-1] == partition.end
        found += itertools.chain.from_iterable(documents(block.data) for block in mine)
    return found


def numbered(count: int, size: int = 10) -> list[bytes]:
    return [bson.encode({"_id": number, "pad": "x" * size}) for number in range(count)]


def test_documents_arrive_byte_for_byte_in_the_order_of_ids(mongo: MongoDatabase, opened: Opened) -> None:
    raw = [bson.encode({"_id": value, "n": number}) for number, value in enumerate(MIXED)]
    mongo.write({"Things": random.Random(5).sample(raw, len(raw))})
    assert read(opened(mongo), "Things") == raw


def test_many_types_of_id_are_one_partition(mongo: MongoDatabase, opened: Opened) -> None:
    mongo.write(
        {
            "Mixed": [{"_id": value} for value in MIXED],
            "Numbers": [{"_id": value} for value in (1, 2.5, Int64(7), Decimal128("8.5"), *range(10, 50))],
        }
    )
    source = opened(mongo)
    assert len(source.partitions("Mixed", 4)) == 1
    assert len(source.partitions("Numbers", 4)) == 4


@pytest.mark.parametrize("max_bytes", [1, 100, 1000])
def test_reading_goes_on_behind_every_block_whatever_the_id_is(
    mongo: MongoDatabase, opened: Opened, max_bytes: int
) -> None:
    raw = [bson.encode({"_id": value, "n": number}) for number, value in enumerate(MIXED)]
    mongo.write({"Things": raw})
    source = opened(mongo)
    (partition,) = source.partitions("Things", 1)
    whole = blocks(source, partition, max_bytes=max_bytes)
    assert all(len(block.data) <= max_bytes or len(documents(block.data)) == 1 for block in whole)
    for number, block in enumerate(whole):
        rest = blocks(source, partition, after=block.end)
        assert b"".join(one.data for one in rest) == b"".join(one.data for one in whole[number + 1 :])
        first = blocks(source, partition, until=block.end)
        assert b"".join(one.data for one in first) == b"".join(one.data for one in whole[: number + 1])
        assert first[-1].end == block.end
        if number:
            between = blocks(source, partition, after=whole[number - 1].end, until=block.end)
            assert b"".join(one.data for one in between) == block.data
        assert not blocks(source, partition, after=block.end, until=block.end)


@pytest.mark.parametrize("wanted", [1, 2, 3, 7, 50])
def test_partitions_cover_a_collection_exactly_once(mongo: MongoDatabase, opened: Opened, wanted: int) -> None:
    raw = numbered(200)
    mongo.write({"Things": raw})
    source = opened(mongo)
    partitions = source.partitions("Things", wanted)
    assert 1 <= len(partitions) <= wanted
    assert (partitions[0].start, partitions[-1].end) == (BEGIN, None)
    assert [one.end for one in partitions[:-1]] == [one.start for one in partitions[1:]]
    assert [one.number for one in partitions] == list(range(len(partitions)))
    if wanted in {2, 3}:
        assert len(partitions) == wanted
    for max_bytes in (1, 700, 1 << 20):
        assert read(source, "Things", wanted, max_bytes=max_bytes) == raw


def test_partition_whose_last_documents_went_away_still_ends_where_the_next_begins(
    mongo: MongoDatabase, opened: Opened
) -> None:
    mongo.write({"Things": numbered(100)})
    source = opened(mongo)
    first, second = source.partitions("Things", 2)
    boundary = bson.decode(first.end or b"")["before"]
    mongo.client[mongo.name]["Things"].delete_many({"_id": {"$gte": boundary - 5, "$lt": boundary + 5}})
    ends = [blocks(source, one, max_bytes=50)[-1].end for one in (first, second)]
    assert ends[0] == first.end
    assert bson.decode(ends[1]) == {"_id": 99}


def test_document_that_went_away_does_not_hide_those_behind_it(mongo: MongoDatabase, opened: Opened) -> None:
    raw = numbered(20)
    mongo.write({"Things": raw})
    source = opened(mongo)
    (partition,) = source.partitions("Things", 1)
    place = blocks(source, partition, max_bytes=1)[9].end
    mongo.client[mongo.name]["Things"].delete_one({"_id": 9})
    assert b"".join(one.data for one in blocks(source, partition, after=place)) == b"".join(raw[10:])
    until = blocks(source, partition, until=place)
    assert b"".join(one.data for one in until) == b"".join(raw[:9])
    assert until[-1].end == place


def test_blocks_are_bounded_also_where_documents_grow_and_shrink(mongo: MongoDatabase, opened: Opened) -> None:
    sizes = [10] * 300 + [200_000] * 6 + [10] * 300 + [3_000_000] + [1000] * 300
    raw = [bson.encode({"_id": number, "pad": "x" * size}) for number, size in enumerate(sizes)]
    mongo.write({"Things": raw})
    source = opened(mongo)
    (partition,) = source.partitions("Things", 1)
    grown: list[int] = []
    found = blocks(source, partition, max_bytes=100_000, grow=grown.append)
    assert b"".join(one.data for one in found) == b"".join(raw)
    assert all(len(one.data) <= 100_000 or len(documents(one.data)) == 1 for one in found)
    assert grown == [len(one) for one in raw if len(one) > 100_000]
    assert len(found) < 60


NAMES = ["with.dots", "with spaces", "ü'\"%s{}", "$cmd?no", "a/b\\c", "fs.files", "fs.chunks", "x" * 120, "-", "🦄"]


def test_names_of_every_shape_are_read(mongo: MongoDatabase, opened: Opened) -> None:
    names = [name for name in NAMES if "$" not in name]
    mongo.write({name: [{"_id": 1, "name": name}] for name in names})
    source = opened(mongo)
    assert [info.name for info in source.collections()] == sorted(names)
    for name in names:
        assert [bson.decode(one)["name"] for one in read(source, name)] == [name]
        assert name in source.locate(BEGIN, 0, collection=name)


def test_sizes_kinds_and_indexes_are_listed(mongo: MongoDatabase, opened: Opened) -> None:
    database = mongo.client[mongo.name]
    mongo.write({"Things": numbered(10), "Empty": []})
    database["Things"].create_index([("pad", 1)], name="by_pad", unique=False)
    database.create_collection("Log", capped=True, size=100_000)
    database["Log"].insert_one({"_id": 1})
    database.create_collection("Seen", viewOn="Things", pipeline=[])
    database.create_collection("Measured", timeseries={"timeField": "at"})
    source = opened(mongo)
    infos = {info.name: info for info in source.collections()}
    assert {name: info.kind for name, info in infos.items() if not name.startswith("system.")} == {
        "Empty": "collection",
        "Log": "capped",
        "Measured": "timeseries",
        "Seen": "view",
        "Things": "collection",
    }
    assert (infos["Things"].documents, infos["Things"].bytes_total) == (10, len(b"".join(numbered(10))))
    assert (infos["Empty"].documents, infos["Empty"].bytes_total) == (0, 0)
    assert [index["name"] for index in infos["Things"].indexes] == ["_id_", "by_pad"]
    assert infos["Log"].options["capped"] is True
    assert "is a view" in str(infos["Seen"].rule)
    assert "is a time-series collection" in str(infos["Measured"].rule)
    assert all(info.rule for name, info in infos.items() if name.startswith("system."))
    assert len(read(source, "Log")) == 1
    assert read(source, "Empty", 4) == []
    assert source.identity() == {"kind": "live", "database": mongo.name}
    assert (source.moves, source.changed("Things")) == (True, None)
    for name, code in (("Seen", "collection-not-read"), ("Thing", "unknown-collection")):
        with pytest.raises(SourceError) as caught:
            source.partitions(name, 1)
        assert caught.value.code == code


def test_read_up_to_a_place_and_on_from_there_is_the_whole(mongo: MongoDatabase, opened: Opened) -> None:
    mongo.write({"Things": numbered(100)})
    source = opened(mongo)
    (partition,) = source.partitions("Things", 1)
    place = blocks(source, partition, max_bytes=300)[4].end
    first = blocks(source, partition, until=place, max_bytes=450)
    rest = blocks(source, partition, after=place, max_bytes=700)
    assert b"".join(block.data for block in (*first, *rest)) == b"".join(numbered(100))


def test_places_are_named_by_id(mongo: MongoDatabase, opened: Opened) -> None:
    mongo.write({"Things": numbered(100)})
    source = opened(mongo)
    (partition,) = source.partitions("Things", 1)
    end = blocks(source, partition, max_bytes=300)[0].end
    number = bson.decode(end)["_id"]
    assert source.locate(end, 1234, collection="Things") == (
        f'Things, 1,234 bytes behind _id {{"$numberInt":"{number}"}}'
    )
    assert source.locate(BEGIN, 0, collection="Things") == "Things, 0 bytes from its first document"


@pytest.mark.parametrize("position", [b"", b"\0" * 8, bson.encode({"id": 1}), bson.encode({"_id": 1})[:-1] + b"x"])
def test_checkpoint_of_another_kind_of_source_is_refused(mongo: MongoDatabase, opened: Opened, position: bytes) -> None:
    mongo.write({"Things": numbered(3)})
    source = opened(mongo)
    (partition,) = source.partitions("Things", 1)
    with pytest.raises(SourceError) as caught:
        blocks(source, partition, after=position)
    assert caught.value.code == "bad-position"
