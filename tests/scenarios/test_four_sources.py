"""The same documents read four ways (a running server, a dump folder, an archive, exported JSON) give the same target.

Compared as sets: every row of every table, dead letters with their bytes, orphans, adjustments, the id map, the
catalog and the books. Left out is what a source names in its own way: its name, positions, and the place of a letter.
Oracle: one source against the other, so what all four do wrong is not seen here; the folder is held against the
reference in the neighbouring scenarios. The server is the wire server of the tests unless `MONGODB_TEST_URL` names
another one; archives and JSON are written by the tests themselves.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

import bson
import psycopg
import pytest
from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument

from isthmus.demo import DUMP as DEMO_DUMP
from isthmus.demo import MAPPING as DEMO_MAPPING
from isthmus.sources import open_source
from isthmus.transfer.beginning import begin
from tests.chaos.snapshot import Snapshot, differences, snapshot
from tests.fix_archives import archive, metadata_of, split, write_archive
from tests.fix_dumps import write_collection
from tests.fix_exports import SHAPES, Element, elements, fits_json, is_lossless, write_export
from tests.fix_mongo import MongoDatabase
from tests.generators import bson_writer as bw
from tests.generators import mixed_ids
from tests.generators.mixed_ids import mixed
from tests.generators.troubled import troubled
from tests.integration.copy.carrying import World, balanced

HERE = Path(__file__).parent
DUMPS = Path(os.environ.get("ISTHMUS_REAL_DUMPS") or HERE.parents[1].parent / "shared" / "data" / "dump")
KEY = bytes(range(32))
WIRE_SERVER = not os.environ.get("MONGODB_TEST_URL")
needs_dumps = pytest.mark.skipif(not DUMPS.is_dir(), reason="the real dumps are not here; set ISTHMUS_REAL_DUMPS")
FILES = ("folder-gzip", "archive", "archive-gzip", "json", "json-gzip", "json-pretty", "json-array")

Collections = Mapping[str, list[bytes]]

_ALIKE = {
    # Of a duplicate the message says where in the source the document stands that is kept.
    "dead_letter": """
        SELECT collection, source_id, source_id_text, stage, code, path, document, document_digest,
               CASE WHEN code NOT LIKE 'duplicate%' THEN message END,
               (SELECT jsonb_agg(CASE WHEN one->>'code' LIKE 'duplicate%' THEN one - 'message' ELSE one END ORDER BY n)
                FROM jsonb_array_elements(causes) WITH ORDINALITY AS each(one, n))
        FROM isthmus.dead_letter""",
    "read": "SELECT collection, sum(documents), sum(source_bytes) FROM isthmus.batch GROUP BY 1",
}
_OWN = ("ledger: run", "ledger: partition", "ledger: read", "ledger: dead_letter")


@dataclass(frozen=True)
class Carried:
    """What a copy left behind, without what its source names in its own way."""

    exit_code: int
    left: Snapshot
    balance: dict[str, Any]


@dataclass(frozen=True)
class Ways:
    """Copies the same documents from different sources, each into a database of its own.

    Attributes:
        mapping: The mapping's text.
        schema: The schema it makes tables in.
        folder: Where sources are written.
        make_database: Makes targets.
    """

    mapping: str
    schema: str
    folder: Path
    make_database: Callable[[], str]

    def carry(self, source: Path) -> Carried:
        """Copy a source and read back what it left."""
        world = World(self.make_database(), source)
        result = world.copy(self.mapping, id_key=KEY)
        balanced(result)
        left = snapshot(world.conninfo, self.schema)
        for name in _OWN:
            del left[name]
        with psycopg.connect(world.conninfo) as connection:
            for name, query in _ALIKE.items():
                left[name] = sorted(map(repr, connection.execute(query.encode()).fetchall()))
        assert result.balance is not None
        return Carried(result.exit_code, left, cast("dict[str, Any]", result.balance.as_json()))

    def write(self, form: str, collections: Collections) -> Path:
        """Write documents in one form; return what is to be given as the source."""
        kind, _, how = form.partition("-")
        compressed = how == "gzip"
        place = self.folder / form / "shop"
        if kind == "archive":
            return write_archive(place / "shop.archive", archive(collections, in_segment=7), compressed=compressed)
        for name, documents in collections.items():
            if kind == "folder":
                write_collection(place, name, documents, compressed=compressed)
            else:
                shape, relaxed = how if how in SHAPES else "lines", how == "relaxed"
                write_export(place, name, documents, compressed=compressed, shape=shape, relaxed=relaxed)
        return place


def assert_same(one: Carried, other: Carried) -> None:
    """Assert that two copies left the same."""
    assert one.exit_code == other.exit_code
    found = differences(one.left, other.left)
    assert not found, found
    assert one.balance == other.balance


def assert_filled(one: Carried, *what: str) -> None:
    """Assert that a copy left something of each kind, for two empty targets are equal."""
    for name in what:
        assert one.left[name], name
    assert any(rows for name, rows in one.left.items() if name.startswith("rows: "))


def held(mongo: MongoDatabase, collections: Collections) -> dict[str, list[bytes]]:
    """Write documents to a server; return those that it holds byte by byte, and no others are on it.

    MongoDB takes one document of an `_id`, gives one to those without and puts it first. The wire server also refuses
    dates beyond the year 9999, and keeps one of two equal keys.
    """
    kept: dict[str, list[bytes]] = {}
    for name, documents in collections.items():
        first = {identity(one): one for one in reversed(list(filter(fits_json, documents)))}
        if WIRE_SERVER:
            first = {identifier: one for identifier, one in first.items() if is_plain(one)}
        mongo.write({name: first.values()})
        found = mongo.client[mongo.name].get_collection(name, CodecOptions[Any](RawBSONDocument))
        raw = {cast("RawBSONDocument", one).raw for one in found.find()}
        kept[name] = [one for one in dict.fromkeys(documents) if one in raw]
        mongo.client[mongo.name].drop_collection(name)
        mongo.write({name: kept[name]})
    return kept


def identity(document: bytes) -> Element | None:
    """Return the `_id` of a document."""
    return next((one for one in elements(document) if one.key == b"_id"), None)


def is_plain(document: bytes) -> bool:
    """Whether pymongo decodes a document without options."""
    try:
        bson.decode(document)
    except InvalidBSON:
        return False
    return True


def count(collections: Collections) -> int:
    return sum(map(len, collections.values()))


@pytest.fixture
def ways(tmp_path: Path, make_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ways]:
    """Return a function that makes ways for a mapping; collections above a size are read in several parts."""

    def make(mapping: str, schema: str = "public", *, partition_bytes: int = 5_000) -> Ways:
        monkeypatch.setattr(begin, "_PARTITION_BYTES", partition_bytes)
        return Ways(mapping, schema, tmp_path, make_database)

    return make


def dumped(folder: Path) -> dict[str, list[bytes]]:
    """Return the documents of a dump folder, gzipped or not."""
    found: dict[str, list[bytes]] = {}
    for path in sorted(folder.glob("*.bson*")):
        raw = path.read_bytes()
        found[path.name.split(".bson")[0]] = split(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    return found


# Every form of each in the soak tests; the largest dump takes longest.
QUICK = {
    "sample_analytics": (*FILES, "json-relaxed"),
    "sample_mflix": ("archive-gzip", "json-pretty", "json-relaxed"),
    "sample_training": ("archive-gzip", "json"),
}
REAL = [
    pytest.param(name, form, marks=() if form in quick else pytest.mark.soak)
    for name, quick in QUICK.items()
    for form in (*FILES, "json-relaxed")
]


@pytest.fixture(scope="module")
def carried_folders() -> dict[str, Carried]:
    """Return what copies of the real folders left, filled by the first test that needs one."""
    return {}


def real(way: Ways, carried_folders: dict[str, Carried], name: str) -> tuple[Collections, Carried]:
    """Return the documents of a real dump, and what a copy of its folder left."""
    collections = dumped(DUMPS / name)
    assert count(collections) > 1000
    if name not in carried_folders:
        carried_folders[name] = way.carry(DUMPS / name)
        assert_filled(carried_folders[name], "read", *(f"rows: {table}" for table in collections))
    return collections, carried_folders[name]


def mapping_of(name: str) -> str:
    return (HERE / f"{name}.yaml").read_text(encoding="utf-8")


@needs_dumps
@pytest.mark.parametrize(("name", "form"), REAL)
def test_real_documents_give_the_same_target_from_all_files(
    ways: Callable[..., Ways], carried_folders: dict[str, Carried], name: str, form: str
) -> None:
    way = ways(mapping_of(name), partition_bytes=1 << 20)
    collections, expected = real(way, carried_folders, name)
    assert all(is_lossless(one, relaxed=True) for documents in collections.values() for one in documents)
    assert_same(way.carry(way.write(form, collections)), expected)


@needs_dumps
@pytest.mark.parametrize(
    "name",
    # The largest one takes the wire server long; its rows and books are also compared in integration/copy/test_live.
    ["sample_analytics", "sample_mflix", pytest.param("sample_training", marks=pytest.mark.soak)],
)
def test_real_documents_give_the_same_target_from_a_server(
    ways: Callable[..., Ways], mongo: MongoDatabase, carried_folders: dict[str, Carried], name: str
) -> None:
    way = ways(mapping_of(name), partition_bytes=1 << 20)
    collections, expected = real(way, carried_folders, name)
    mongo.write(collections)
    assert_same(way.carry(cast("Path", mongo.url)), expected)


def every_way(way: Ways, collections: Collections, forms: Iterable[str], mongo: MongoDatabase | None = None) -> Carried:
    """Assert that all forms, and a server that holds these documents, leave what the folder leaves; return that."""
    expected = way.carry(way.write("folder", collections))
    for form in forms:
        assert_same(way.carry(way.write(form, collections)), expected)
    if mongo is not None:
        assert_same(way.carry(cast("Path", mongo.url)), expected)
    return expected


FEW = ("archive-gzip", "json-array")
KINDS = ("dead_letter", "ledger: orphan", "ledger: id_map", "ledger: adjustment")


@pytest.mark.parametrize(
    ("seed", "size", "forms"),
    [
        *((seed, 60, FEW) for seed in range(2)),
        *(pytest.param(seed, 60, FILES, marks=pytest.mark.soak) for seed in range(2, 40)),
        pytest.param(40, 3_000, FILES, marks=pytest.mark.soak),
    ],
)
def test_ids_of_every_type_and_hostile_names_give_the_same_target_from_files(
    ways: Callable[..., Ways], seed: int, size: int, forms: tuple[str, ...]
) -> None:
    made = mixed(seed, size)
    assert all(is_lossless(one) for documents in made.collections.values() for one in documents)
    expected = every_way(ways(made.mapping, mixed_ids.SCHEMA), made.collections, forms)
    assert_filled(expected, *KINDS, "rows: pairs")
    assert expected.exit_code == 1


@pytest.mark.parametrize(
    ("seed", "size"),
    [
        *((seed, 60) for seed in range(2)),
        *(pytest.param(seed, 60, marks=pytest.mark.soak) for seed in range(2, 40)),
        pytest.param(40, 2_000, marks=pytest.mark.soak),  # with more the wire server takes minutes
    ],
)
def test_ids_of_every_type_and_hostile_names_give_the_same_target_from_a_server(
    ways: Callable[..., Ways], mongo: MongoDatabase, seed: int, size: int
) -> None:
    made = mixed(seed, size)
    collections = held(mongo, made.collections)
    assert count(collections) > 0.5 * count(made.collections)
    kinds = {one.type for own in collections.values() for one in map(identity, own) if one is not None}
    assert kinds >= {0x01, 0x02, 0x03, 0x05, 0x07, 0x09, 0x0A, 0x10, 0x12, 0x13}
    expected = every_way(ways(made.mapping, mixed_ids.SCHEMA), collections, FEW[:1], mongo)
    assert_filled(expected, "dead_letter", "ledger: orphan", "ledger: id_map")


@pytest.mark.parametrize(
    ("seed", "scale"), [(1, 1), *(pytest.param(n, 1 + n % 3, marks=pytest.mark.soak) for n in range(2, 12))]
)
def test_troubled_documents_give_the_same_target(
    ways: Callable[..., Ways], mongo: MongoDatabase, seed: int, scale: int
) -> None:
    made = troubled(seed, scale)
    collections = held(mongo, made.collections)
    assert count(collections) > count(made.collections) - 20
    assert_filled(every_way(ways(made.mapping, 'Troubled "ü"'), collections, FEW, mongo), *KINDS)


def test_what_no_server_holds_gives_the_same_target_from_files(ways: Callable[..., Ways]) -> None:
    """Ids that stand twice, documents without one, and (JSON apart) texts that are not UTF-8."""
    made = troubled(5)
    way = ways(made.mapping, 'Troubled "ü"')
    every_way(way, made.collections, ("archive",))
    readable = {name: list(filter(fits_json, own)) for name, own in made.collections.items()}
    assert count(readable) == count(made.collections) - 1
    (way.folder / "folder").rename(way.folder / "all")
    assert_filled(every_way(way, readable, ("json-pretty",)), "dead_letter")


@pytest.mark.soak
def test_demo_with_its_faults_gives_the_same_target(ways: Callable[..., Ways], mongo: MongoDatabase) -> None:
    all_of_it = dumped(DEMO_DUMP)
    sound = {name: [one for one in own if fits_json(one) and is_lossless(one)] for name, own in all_of_it.items()}
    collections = held(mongo, sound)
    assert count(collections) > count(all_of_it) - 20
    assert_filled(
        every_way(ways(DEMO_MAPPING.read_text(encoding="utf-8")), collections, FILES, mongo),
        "dead_letter",
        "ledger: orphan",
    )


def test_relaxed_json_folds_small_longs_and_nothing_else(ways: Callable[..., Ways]) -> None:
    """Relaxed JSON does not say whether 5 was an int or a long; it shows where types do: in extras and in the books."""
    way = ways("isthmus: 1\ncollections: {Things: {fields: {n: bigint, whole: jsonb}}}\n")
    numbers = [bw.int32(5), bw.int64(1 << 40), bw.double(6.0), bw.decimal128(0, 70, -1)]
    kept = [bw.document([("_id", one), ("n", one), ("whole", one), ("more", one)]).raw for one in numbers]
    every_way(way, {"Things": kept}, ("json-relaxed",))
    small = bw.int64(5)
    folded = bw.document([("_id", small), ("n", small), ("whole", small), ("more", small)]).raw
    assert [is_lossless(one, relaxed=True) for one in (*kept, folded)] == [True] * 4 + [False]
    (way.folder / "folder").rename(way.folder / "others")
    expected = every_way(way, {"Things": [folded]}, ("json",))
    relaxed = way.carry(way.write("json-relaxed", {"Things": [folded]}))
    differing = {name for name in expected.left if expected.left[name] != relaxed.left[name]}
    assert differing == {"rows: things", "read", "ledger: books", "ledger: id_map"}
    (row,), (as_int,) = expected.left["rows: things"], relaxed.left["rows: things"]
    assert as_int == row.replace('{""$numberLong"": ""5""}', "5"), (row, as_int)


def gridfs_mapping() -> str:
    """Return the mapping that the page shows."""
    page = (HERE.parents[1] / "docs" / "explanation" / "what-is-read.md").read_text(encoding="utf-8")
    (mapping,) = re.findall(r"^```yaml\n(isthmus: 1\n.*?)^```", page, re.MULTILINE | re.DOTALL)
    return mapping


def gridfs(contents: Mapping[str, bytes], chunk_bytes: int = 1_000) -> dict[str, list[bytes]]:
    """Return the two collections of a bucket, as drivers write them."""
    files: list[bytes] = []
    chunks: list[bytes] = []
    for number, (name, content) in enumerate(contents.items()):
        file_id = bw.object_id(number.to_bytes(12, "big"))
        about = [("filename", bw.string(name)), ("chunkSize", bw.int32(chunk_bytes)), ("uploadDate", bw.datetime_ms(0))]
        files.append(bw.document([("_id", file_id), ("length", bw.int64(len(content))), *about]).raw)
        for n, at in enumerate(range(0, len(content), chunk_bytes)):
            own_id = bw.object_id((1_000 * number + n + 7).to_bytes(12, "little"))
            data = bw.binary(0, content[at : at + chunk_bytes])
            chunks.append(bw.document([("_id", own_id), ("files_id", file_id), ("n", bw.int32(n)), ("data", data)]).raw)
    return {"fs.files": files, "fs.chunks": chunks}


def test_files_of_a_gridfs_bucket_can_be_put_together_again(ways: Callable[..., Ways], mongo: MongoDatabase) -> None:
    rng = Random(3)
    contents = {f"file {number}": rng.randbytes(size) for number, size in enumerate((0, 1, 1_000, 2_500, 70_123))}
    collections = gridfs(contents)
    mongo.write(collections)
    mapping = gridfs_mapping()
    way = ways(mapping)
    assert every_way(way, collections, FEW, mongo).exit_code == 0
    world = World(way.make_database(), way.folder / "folder" / "shop")
    balanced(world.copy(mapping))
    found = world.rows(
        "SELECT filename, length, coalesce(string_agg(data, ''::bytea ORDER BY n), '')"
        " FROM files LEFT JOIN file_chunks c ON c.file_id = files.id GROUP BY files.id, filename, length"
    )
    assert {name: (length, data) for name, length, data in found} == {
        name: (len(content), content) for name, content in contents.items()
    }


def test_kinds_are_told_in_the_same_words_whatever_tells_them(ways: Callable[..., Ways], mongo: MongoDatabase) -> None:
    """JSON has names only: there a view and a time series are what mongoexport made of them, documents."""
    database = mongo.client[mongo.name]
    database.create_collection("Log", capped=True, size=4096)
    database.create_collection("Seen", viewOn="Log", pipeline=[])
    one = bw.document([("_id", bw.int32(1))]).raw
    for name in ("Log", "fs.files", "fs.chunks"):
        database[name].insert_one(RawBSONDocument(one))
    capped = {"capped": True, "size": {"$numberInt": "4096"}}
    metadata = {
        "Log": metadata_of("Log", **capped),
        "Seen": metadata_of("Seen", kind="view", viewOn="Log", pipeline=[]),
    }
    documents = {"Log": [one], "fs.files": [one], "fs.chunks": [one]}
    folder = ways("").folder / "shop"
    for name in (*documents, "Seen"):
        write_collection(folder, name, documents.get(name), metadata=metadata.get(name))
        if name in documents:
            write_export(folder.with_name("json"), name, documents[name])
    archived = write_archive(
        folder.with_name("a"), archive({**documents, "Seen": []}, database="shop", metadata=metadata)
    )
    sources = [open_source(str(one)) for one in (mongo.url, folder, archived)]
    told = [{info.name: (info.kind, info.rule) for info in source.collections()} for source in sources]
    assert told[0] == told[1] == told[2]
    assert {name: kind for name, (kind, _) in told[0].items()} == {
        "Log": "capped",
        "Seen": "view",
        "fs.chunks": "collection",
        "fs.files": "collection",
    }
    assert [name for name, (_, rule) in told[0].items() if rule is not None] == ["Seen"]
    assert [info.name for info in open_source(str(folder.with_name("json"))).collections()] == sorted(documents)
    for source in sources:
        source.close()
