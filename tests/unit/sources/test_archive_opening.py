"""What an archive is said to hold, which of it is read, and which archives are refused."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import bson
import pytest

from isthmus.errors import ConfigError, IsthmusError
from isthmus.sources import CollectionInfo, Source, open_source
from tests.fix_archives import (
    archive,
    block,
    checksum,
    description,
    end_block,
    metadata_of,
    prelude,
    split,
    write_archive,
)
from tests.fix_dumps import MakeDump

ONE = [{"_id": 1}]
BOTH = pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])


def opened(tmp_path: Path, data: bytes, *, compressed: bool = False, **options: Any) -> Source:
    path = write_archive(tmp_path / "shop.archive", data, compressed=compressed)
    return open_source(str(path), **options)


def listed(source: Source) -> dict[str, CollectionInfo]:
    return {one.name: one for one in source.collections()}


def refused(tmp_path: Path, data: bytes, **options: Any) -> IsthmusError:
    with pytest.raises(IsthmusError) as caught:
        opened(tmp_path, data, **options)
    return caught.value


@BOTH
def test_archive_lists_the_same_collections_with_the_same_words_as_a_folder(
    tmp_path: Path, make_dump: MakeDump, compressed: bool
) -> None:
    capped = {"capped": True, "size": {"$numberInt": "4096"}}
    series = {"timeseries": {"timeField": "t"}}
    metadata = {
        "Log": metadata_of("Log", **capped),
        "Seen": metadata_of("Seen", kind="view", viewOn="Log", pipeline=[]),
        "Heat": metadata_of("Heat", kind="timeseries", **series),
    }
    buckets = "system.buckets.Heat"
    collections = {"Log": ONE, "Users": ONE, "system.profile": ONE, buckets: ONE}
    folder = make_dump({**collections, "Seen": None, "Heat": None}, metadata={**metadata, buckets: {}})
    described = {**collections, "Seen": [], "Heat": []}
    source = opened(tmp_path, archive(described, metadata=metadata), compressed=compressed)
    expected = open_source(str(folder))
    for one, other in zip(source.collections(), expected.collections(), strict=True):
        assert (one.name, one.kind, one.rule, one.options, one.indexes, one.bytes_total) == (
            other.name,
            other.kind,
            other.rule,
            other.options,
            other.indexes,
            other.bytes_total,
        )
    assert [one.name for one in source.collections() if one.readable] == ["Log", "Users"]
    assert source.identity() == {**expected.identity(), "kind": "archive"}


def test_buckets_without_a_description_belong_to_their_time_series(tmp_path: Path) -> None:
    """As mongodump writes it: the documents stand under a name that the prelude does not have."""
    data = archive(
        {"Users": ONE, "Heat": [], "system.buckets.Heat": ONE},
        metadata={"Heat": metadata_of("Heat", kind="timeseries")},
    )
    described = description(
        "shop", "system.buckets.Heat", json.dumps(metadata_of("system.buckets.Heat")), size=len(bson.encode(ONE[0]))
    )
    assert described in data
    found = listed(opened(tmp_path, data.replace(described, b"")))
    assert {name: one.kind for name, one in found.items()} == {"Heat": "timeseries", "Users": "collection"}


def test_view_that_was_dumped_as_a_collection_is_one(tmp_path: Path) -> None:
    """`mongodump --viewsAsCollections` calls it a view and writes documents, but no options."""
    raw = bson.encode(ONE[0])
    described = description("shop", "Seen", "", kind="view")
    data = prelude([described]) + block("shop", "Seen", raw) + end_block("shop", "Seen", checksum(raw))
    (one,) = opened(tmp_path, data).collections()
    assert (one.kind, one.readable, one.documents) == ("collection", True, 1)


def test_view_of_an_archive_cut_before_its_block_stays_a_view(tmp_path: Path) -> None:
    whole = archive({"A": ONE, "Seen": []}, metadata={"Seen": metadata_of("Seen", kind="view", viewOn="A")})
    source = opened(tmp_path, whole[: whole.index(bson.encode(ONE[0])) + 16])
    assert listed(source)["Seen"].kind == "view"
    assert source.identity() == opened(tmp_path, whole).identity()


def test_what_is_called_a_view_and_has_documents_is_read_and_counts_for_no_identity(tmp_path: Path) -> None:
    whole = archive({"A": ONE, "Seen": ONE}, metadata={"Seen": metadata_of("Seen", kind="view", viewOn="A")})
    source = opened(tmp_path, whole)
    assert listed(source)["Seen"].readable
    assert opened(tmp_path, whole[: whole.rindex(bson.encode(ONE[0]))]).identity() == source.identity()


@pytest.mark.parametrize(
    "name",
    ["a.b.c", "üñï", "名前", "with space", "per%cent", "slash/es", "$dollar", "-", "quote'\"", "sys.tem", "x" * 250],
)
@BOTH
def test_hostile_names_come_back_as_they_are(tmp_path: Path, name: str, compressed: bool) -> None:
    source = opened(tmp_path, archive({name: ONE, "Z": ONE}, in_segment=1), compressed=compressed)
    assert set(listed(source)) == {name, "Z"}
    (partition,) = source.partitions(name, 3)
    (block,) = source.read(partition, after=None, until=None, max_bytes=100)
    assert split(block.data) == [bson.encode(ONE[0])]
    json.dumps(source.identity())


def test_same_collection_name_in_two_databases_stays_apart(tmp_path: Path) -> None:
    data = archive({("a", "x.y"): [{"_id": 1}], ("a.x", "y"): [{"_id": 2}]}, in_segment=1)
    for database, name, number in [("a", "x.y", 1), ("a.x", "y", 2)]:
        source = opened(tmp_path, data, database=database)
        (partition,) = source.partitions(name, 1)
        (block,) = source.read(partition, after=None, until=None, max_bytes=100)
        assert split(block.data) == [bson.encode({"_id": number})]
        assert list(listed(source)) == [name]


def test_database_must_be_named_where_there_are_several(tmp_path: Path) -> None:
    data = archive({("admin", "system.version"): ONE, ("shop", "Users"): ONE, ("crm", "Tasks"): ONE})
    error = refused(tmp_path, data)
    assert error.code == "database-needed"
    assert error.hint == "Say which database is meant: --db crm or --db shop"
    source = opened(tmp_path, data, database="shop")
    assert (source.identity()["database"], list(listed(source))) == ("shop", ["Users"])
    error = refused(tmp_path, data, database="shp")
    assert (error.code, error.hint) == ("unknown-database", "Did you mean --db shop?")


def test_only_database_need_not_be_named_but_may(tmp_path: Path) -> None:
    data = archive({"Users": ONE})
    assert opened(tmp_path, data).identity() == opened(tmp_path, data, database="shop").identity()
    assert opened(tmp_path, data).name == f"archive of shop in {(tmp_path / 'shop.archive').resolve()}"
    assert refused(tmp_path, data, database="other").code == "unknown-database"


def test_identity_is_that_of_the_content_not_of_the_file(tmp_path: Path) -> None:
    data = archive({"Users": ONE, "Tasks": ONE})
    plain = opened(tmp_path, data).identity()
    assert plain == {"kind": "archive", "database": "shop", "collections": ["Tasks", "Users"]}
    assert opened(tmp_path / "elsewhere", data, compressed=True).identity() == plain
    assert opened(tmp_path, data[:-30]).identity() == plain
    assert opened(tmp_path, archive({"Users": ONE, "Tasks": ONE}, in_segment=1)).identity() == plain


@BOTH
def test_oplog_is_refused_unless_it_is_empty_or_to_be_ignored(tmp_path: Path, compressed: bool) -> None:
    assert set(listed(opened(tmp_path, archive({"Users": ONE}, oplog=[]), compressed=compressed))) == {"Users"}
    data = archive({"Users": ONE}, oplog=[{"ts": 1, "op": "i"}])
    error = refused(tmp_path, data, compressed=compressed)
    assert error.code == "oplog-present"
    assert "--ignore-oplog" in str(error.hint)
    assert "do not fit together" in error.message
    assert set(listed(opened(tmp_path, data, compressed=compressed, ignore_oplog=True))) == {"Users"}


@pytest.mark.parametrize("name", ["oplog.bson", "oplog.bson.gz"])
@pytest.mark.parametrize("place", ["root", "database"])
def test_oplog_of_a_folder_can_be_ignored_too(make_dump: MakeDump, tmp_path: Path, name: str, place: str) -> None:
    folder = make_dump({"Users": ONE})
    ((folder if place == "database" else tmp_path / "dump") / name).write_bytes(bytes(30))
    with pytest.raises(IsthmusError, match="oplog") as caught:
        open_source(str(folder))
    assert "--ignore-oplog" in str(caught.value.hint)
    assert set(listed(open_source(str(folder), ignore_oplog=True))) == {"Users"}


@pytest.mark.parametrize(("version", "told"), [("0.2", "0.2"), ("1.0", "1.0"), ("", "(none)"), (None, "(none)")])
def test_archive_of_another_version_is_refused(tmp_path: Path, version: str | None, told: str) -> None:
    error = refused(tmp_path, archive({"Users": ONE}, version=version))
    assert (error.code, error.exit_code) == ("archive-version", 3)
    assert told in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (prelude([]), "empty-source"),
        (archive({"Users": []}), "empty-source"),
        (archive({"V": []}, metadata={"V": metadata_of("V", kind="view", viewOn="x")}), "empty-source"),
        (prelude([description("shop", "A", "no JSON")]), "metadata-broken"),
        (prelude([description("shop", "A", "[" * 100_000)]), "metadata-broken"),
        (prelude([description("shop", "A", "{}"), description("shop", "A", "{}")]), "ambiguous-collection"),
        (prelude([description("shop", "", "{}")]), "broken-framing"),
        (prelude([bson.encode({"db": "shop", "collection": 5})]), "broken-framing"),
        (prelude([description("shop", "A\0B", "{}")]), "broken-framing"),
        (prelude([description("shop", "A", "{}").replace(b"shop", b"s\xffop")]), "broken-framing"),
        (prelude([]).replace(b"version", b"ve\xffsion"), "broken-framing"),
        (prelude([])[:4] + b"\xff\xff\xff\xff", "broken-framing"),
        (prelude([])[:4], "truncated"),
        (prelude([])[:-4] + b"\x01\0\0\0", "broken-framing"),
    ],
)
def test_archive_that_cannot_be_used_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    error = refused(tmp_path, data)
    assert (error.code, error.exit_code) == (code, 3)
    assert error.hint


def test_archive_of_nothing_but_an_oplog_holds_no_collection(tmp_path: Path) -> None:
    data = prelude([description("", "oplog", "", kind="")]) + block("", "oplog", bson.encode({"ts": 1}))
    data += end_block("", "oplog", checksum(bson.encode({"ts": 1})))
    assert refused(tmp_path, data).code == "oplog-present"
    assert refused(tmp_path, data, ignore_oplog=True).code == "empty-source"


@BOTH
def test_archive_without_documents_is_empty_only_where_that_is_proved(tmp_path: Path, compressed: bool) -> None:
    described, raw = prelude([description("shop", "A", "{}")]), bson.encode({"_id": 1})
    assert refused(tmp_path, described + end_block("shop", "A", 0), compressed=compressed).code == "empty-source"
    broken = {
        "end block before the documents": end_block("shop", "A", checksum(raw)) + block("shop", "A", raw),
        "documents taken out": end_block("shop", "A", checksum(raw)),
    }
    for blocks in broken.values():
        source = opened(tmp_path, described + blocks, compressed=compressed)
        with pytest.raises(IsthmusError) as caught:
            list(source.read(source.partitions("A", 1)[0], after=None, until=None, max_bytes=100))
        assert caught.value.code == "crc-differs"
        assert listed(source)["A"].bytes_total is None, "documents are missing, so it is not empty"


@pytest.mark.parametrize("data", [b"", gzip.compress(b"")], ids=["plain", "gzip"])
def test_empty_file_is_called_empty(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "shop.archive"
    path.write_bytes(data)
    with pytest.raises(IsthmusError, match="is empty") as caught:
        open_source(str(path))
    assert caught.value.exit_code == 3
    assert "again" in str(caught.value.hint)


def test_missing_and_left_out_collections_are_refused_by_name(tmp_path: Path) -> None:
    source = opened(tmp_path, archive({"Users": ONE, "system.views": ONE}))
    for name, code in [("Userz", "unknown-collection"), ("system.views", "collection-not-read")]:
        with pytest.raises(IsthmusError) as caught:
            source.partitions(name, 1)
        assert (caught.value.code, caught.value.exit_code) == (code, 3)
        assert caught.value.hint


def test_collection_that_the_prelude_does_not_name_is_listed(tmp_path: Path) -> None:
    """Better a collection too many than documents nobody hears of."""
    whole = archive({"Users": ONE, "Extra": ONE})
    extra = description("shop", "Extra", json.dumps(metadata_of("Extra")), size=len(bson.encode(ONE[0])))
    found = listed(opened(tmp_path, whole.replace(extra, b"")))
    assert (found["Extra"].readable, found["Extra"].documents) == (True, 1)


def test_stream_is_refused_with_what_works(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for text in ("-", str(pipe)):
        with pytest.raises(ConfigError, match="stream") as caught:
            open_source(text)
        assert (caught.value.code, caught.value.exit_code) == ("source-not-supported", 2)
        assert "--archive=FILE" in str(caught.value.hint)
