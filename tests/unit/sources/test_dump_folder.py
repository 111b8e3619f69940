"""Which collections a dump folder holds: names, kinds, metadata, rules; and what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import bson
import pytest

from isthmus.errors import ConfigError, SourceError
from isthmus.sources import CollectionInfo, open_source
from tests.fix_dumps import MakeDump, compress, encode

ONE = [{"_id": 1}]
HOSTILE = [
    "Users",
    "a/b",
    "with space",
    "per%cent",
    "žluť🎬",
    "$cmd?",
    "semi;'\"quote",
    "dot.ted.name",
    "UPPER",
    "#1+&",
]


def listed(folder: Path, *, database: str | None = None) -> dict[str, CollectionInfo]:
    return {one.name: one for one in open_source(str(folder), database=database).collections()}


def refused(text: object, *, database: str | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_source(str(text), database=database)
    assert caught.value.exit_code == 3
    return caught.value


def read(folder: Path, name: str) -> bytes:
    source = open_source(str(folder))
    (partition,) = source.partitions(name, 1)
    return b"".join(block.data for block in source.read(partition, after=None, until=None, max_bytes=1000))


@pytest.mark.parametrize("compressed", [False, True])
def test_names_are_read_back_as_mongodb_knows_them(make_dump: MakeDump, compressed: bool) -> None:
    folder = make_dump({name: [{"_id": name}] for name in HOSTILE}, compressed=compressed)
    assert set(listed(folder)) == set(HOSTILE)
    for name in HOSTILE:
        assert read(folder, name) == encode({"_id": name})


def test_names_are_decoded_without_metadata(make_dump: MakeDump) -> None:
    folder = make_dump(dict.fromkeys(HOSTILE, ONE), metadata={name: {} for name in HOSTILE})
    assert set(listed(folder)) == set(HOSTILE)


def test_long_name_that_the_file_name_cuts_is_taken_from_the_metadata(tmp_path: Path) -> None:
    name = "long ž " * 30
    digest = base64.urlsafe_b64encode(hashlib.sha1(name.encode(), usedforsecurity=False).digest()).decode().rstrip("=")
    stem = "x" * 208 + "%24" + digest
    folder = tmp_path / "db"
    folder.mkdir()
    (folder / f"{stem}.bson").write_bytes(encode({"_id": 1}))
    (folder / f"{stem}.metadata.json").write_text(json.dumps({"collectionName": name, "indexes": []}))
    assert set(listed(folder)) == {name}


def test_metadata_gives_indexes_and_options_with_plain_numbers(make_dump: MakeDump) -> None:
    options = {"capped": True, "size": {"$numberLong": "4096"}, "ratio": {"$numberDouble": "0.5"}}
    index = {"v": {"$numberInt": "2"}, "key": {"email": {"$numberInt": "1"}}, "name": "e", "unique": True}
    metadata = {"options": options, "indexes": [index], "type": "collection"}
    info = listed(make_dump({"Logs": ONE}, metadata={"Logs": metadata}))["Logs"]
    assert info.kind == "capped"
    assert info.readable
    assert info.options == {"capped": True, "size": 4096, "ratio": 0.5}
    assert info.indexes == ({"v": 2, "key": {"email": 1}, "name": "e", "unique": True},)


def test_sizes_are_exact_for_plain_files_and_the_trailer_for_gzip(make_dump: MakeDump) -> None:
    documents = [{"_id": number, "v": "x" * 500} for number in range(50)]
    size = sum(len(encode(one)) for one in documents)
    found = listed(make_dump({"Plain": documents, "Packed": documents, "None": None}, compressed=["Packed"]))
    assert {name: one.bytes_total for name, one in found.items()} == {"Plain": size, "Packed": size, "None": 0}


def test_data_without_metadata_is_read_and_metadata_without_data_is_an_incomplete_dump(make_dump: MakeDump) -> None:
    folder = make_dump({"OnlyMetadata": None, "OnlyData": ONE}, metadata={"OnlyData": {}})
    found = listed(folder)
    assert {name: one.kind for name, one in found.items()} == {"OnlyMetadata": "collection", "OnlyData": "collection"}
    assert found["OnlyData"].readable
    assert found["OnlyData"].indexes == ()
    assert "no data file" in (found["OnlyMetadata"].rule or "")


@pytest.mark.parametrize(
    ("name", "metadata", "kind"),
    [
        ("V", {"options": {"viewOn": "Users", "pipeline": []}, "type": "view"}, "view"),
        ("V", {"options": {"viewOn": "Users", "pipeline": []}, "indexes": []}, "view"),
        ("system.views", None, "system"),
        ("system.js", None, "system"),
        ("system.profile", None, "system"),
        ("system.indexes", {}, "system"),
        ("system.buckets.gone", None, "system"),
        ("$admin.system.users", {}, "system"),
    ],
)
def test_what_holds_no_documents_of_the_application_is_listed_with_a_rule_and_not_read(
    make_dump: MakeDump, name: str, metadata: dict[str, object] | None, kind: str
) -> None:
    data = None if kind == "view" else ONE
    folder = make_dump({"Users": ONE, name: data}, metadata={name: metadata} if metadata is not None else {})
    info = listed(folder)[name]
    assert info.kind == kind
    assert not info.readable
    assert name in str(info.rule)
    source = open_source(str(folder))
    assert source.identity() == {"kind": "dump", "database": "shop", "collections": ["Users"]}
    with pytest.raises(SourceError, match=r"\.") as caught:
        source.partitions(name, 1)
    assert caught.value.code == "collection-not-read"


def test_view_dumped_with_its_documents_is_a_collection(make_dump: MakeDump) -> None:
    metadata = {"options": {"viewOn": "Users", "pipeline": []}, "type": "view"}
    info = listed(make_dump({"V": ONE}, metadata={"V": metadata}))["V"]
    assert (info.kind, info.readable) == ("collection", True)


@pytest.mark.parametrize("metadata", [{"type": "timeseries"}, {"options": {"timeseries": {"timeField": "t"}}}])
def test_time_series_is_one_collection_with_its_buckets_and_not_read(
    make_dump: MakeDump, metadata: dict[str, object]
) -> None:
    folder = make_dump(
        {"Users": ONE, "weather": None, "system.buckets.weather": ONE},
        metadata={"weather": metadata, "system.buckets.weather": {}},
    )
    found = listed(folder)
    assert set(found) == {"Users", "weather"}
    assert found["weather"].kind == "timeseries"
    assert found["weather"].bytes_total == len(encode(ONE[0]))
    assert "time-series" in str(found["weather"].rule)


def test_unknown_collection_gets_a_suggestion(make_dump: MakeDump) -> None:
    source = open_source(str(make_dump({"Users": ONE})))
    with pytest.raises(SourceError) as caught:
        source.partitions("users", 1)
    assert (caught.value.code, caught.value.hint) == ("unknown-collection", "Did you mean Users?")


@pytest.mark.parametrize("text", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1e999999'])
def test_metadata_that_is_no_json_is_reported_with_its_file(make_dump: MakeDump, text: bytes) -> None:
    error = refused(make_dump({"Users": ONE}, metadata={"Users": text}))
    assert error.code == "metadata-broken"
    assert "Users.metadata.json" in str(error.where.file)


@pytest.mark.parametrize("text", [b"[]", b"null", b'{"options": 5, "indexes": {"a": 1}}', b"", b"  "])
def test_metadata_of_another_shape_says_nothing(make_dump: MakeDump, text: bytes) -> None:
    folder = make_dump({"Users": ONE})
    (folder / "Users.metadata.json").write_bytes(text)
    info = listed(folder)["Users"]
    assert (info.kind, info.options, info.indexes) == ("collection", {}, ())


def test_metadata_gzip_that_is_cut_is_reported(make_dump: MakeDump) -> None:
    folder = make_dump({"Users": ONE}, compressed=True)
    path = folder / "Users.metadata.json.gz"
    path.write_bytes(path.read_bytes()[:-9])
    assert refused(folder).code == "metadata-broken"


def test_plain_and_gzip_of_one_collection_are_refused(make_dump: MakeDump) -> None:
    folder = make_dump({"Users": ONE})
    (folder / "Users.bson.gz").write_bytes(compress(encode(ONE[0])))
    error = refused(folder)
    assert error.code == "ambiguous-collection"
    assert "Users.bson.gz" in error.message


def test_two_files_of_one_name_are_refused(make_dump: MakeDump) -> None:
    folder = make_dump({"Users": ONE})
    (folder / "Us%65rs.bson").write_bytes(encode(ONE[0]))
    assert refused(folder).code == "ambiguous-collection"


def test_hidden_and_foreign_files_are_left_alone(make_dump: MakeDump) -> None:
    folder = make_dump({"Users": ONE})
    for name in ("._Users.bson", ".DS_Store", "README.txt", "prelude.json", ".bson"):
        (folder / name).write_bytes(b"x")
    assert set(listed(folder)) == {"Users"}


def test_root_without_database_lists_what_it_holds(make_dump: MakeDump, tmp_path: Path) -> None:
    make_dump({"Users": ONE}, database="shop")
    make_dump({"system.users": ONE}, database="admin")
    (tmp_path / "dump" / "empty").mkdir()
    error = refused(tmp_path / "dump")
    assert error.code == "database-needed"
    assert "admin, shop" in error.message
    assert "empty" not in error.message
    assert error.hint == "Say which database is meant: --db shop"
    assert open_source(str(tmp_path / "dump"), database="shop").identity()["database"] == "shop"


def test_wrong_database_gets_a_suggestion(make_dump: MakeDump, tmp_path: Path) -> None:
    folder = make_dump({"Users": ONE})
    assert refused(tmp_path / "dump", database="shpo").hint == "Did you mean --db shop?"
    assert refused(folder, database="other").code == "unknown-database"
    assert open_source(str(folder), database="shop").name == f"dump of shop in {folder}"


def test_name_and_identity_do_not_change_with_a_trailing_slash(make_dump: MakeDump) -> None:
    folder = make_dump({"Users": ONE})
    assert open_source(f"{folder}/").identity() == open_source(str(folder)).identity()


def test_identity_is_the_same_for_plain_gzipped_and_moved_dumps(make_dump: MakeDump, tmp_path: Path) -> None:
    plain = make_dump({"Users": ONE, "Tasks": []})
    packed = make_dump({"Users": ONE, "Tasks": []}, compressed=True, root=tmp_path / "elsewhere")
    assert open_source(str(plain)).identity() == open_source(str(packed)).identity()
    json.dumps(open_source(str(plain)).identity())


@pytest.mark.parametrize("compressed", [False, True])
def test_dump_without_a_document_is_refused(make_dump: MakeDump, compressed: bool) -> None:
    error = refused(make_dump({"Users": [], "Tasks": []}, compressed=compressed))
    assert error.code == "empty-source"
    assert "nothing to carry" in error.message


def test_empty_folder_and_missing_path_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "shop"
    empty.mkdir()
    error = refused(empty)
    assert error.code == "empty-source"
    assert "holds no collection that can be read" in error.message
    error = refused(tmp_path / "shp")
    assert error.code == "no-such-source"
    assert error.hint == f"Did you mean {empty}?"
    assert refused("/nowhere/at/all").code == "no-such-source"


def test_only_views_are_no_source(make_dump: MakeDump) -> None:
    assert refused(make_dump({"V": None}, metadata={"V": {"type": "view"}})).code == "empty-source"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("dump.archive", bytes.fromhex("6de29981") + b"rest", "broken-framing"),
        ("dump.archive.gz", compress(bytes.fromhex("6de29981") + b"rest"), "broken-framing"),
        ("users", b'  {"_id": 1}', "json-name"),
        ("users.txt", b"hello", "not-a-folder"),
        ("empty", b"", "not-a-folder"),
        ("broken.gz", b"\x1f\x8b\x08\x00", "not-a-folder"),
        ("users.bson", bson.encode({"_id": 1}), "not-a-folder"),
        ("users.bson.gz", compress(bson.encode({"_id": 1})), "not-a-folder"),
    ],
)
def test_file_instead_of_a_folder_is_refused_with_what_works(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = refused(path)
    assert error.code == code
    assert error.hint


def test_folder_of_empty_json_files_is_refused_as_empty(tmp_path: Path) -> None:
    (tmp_path / "users.json").write_text("[]")
    assert refused(tmp_path).code == "empty-source"


@pytest.mark.parametrize("place", ["root", "database"])
@pytest.mark.parametrize("name", ["oplog.bson", "oplog.bson.gz"])
def test_oplog_beside_the_collections_is_refused_unless_empty(
    make_dump: MakeDump, tmp_path: Path, place: str, name: str
) -> None:
    folder = make_dump({"Users": ONE})
    oplog = (folder if place == "database" else tmp_path / "dump") / name
    oplog.write_bytes(compress(b"") if name.endswith(".gz") else b"")
    assert set(listed(folder)) == {"Users"}
    raw = encode({"ts": 1, "op": "i"})
    oplog.write_bytes(compress(raw) if name.endswith(".gz") else raw)
    error = refused(folder)
    assert error.code == "oplog-present"
    assert "oplogReplay" in str(error.hint)
    assert refused(tmp_path / "dump", database="shop").code == "oplog-present"


@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv", "MongoDB"])
def test_server_that_is_not_there_is_told_without_the_password(scheme: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(f"{scheme}://someone:geheim@no-such-host.invalid/shop?serverSelectionTimeoutMS=200")
    assert (caught.value.code, caught.value.exit_code) == ("source-unreachable", 3)
    assert caught.value.hint
    assert "geheim" not in f"{caught.value.message} {caught.value.hint}"


def test_postgresql_url_as_source_says_that_it_is_the_target() -> None:
    with pytest.raises(ConfigError, match="PostgreSQL is the target"):
        open_source("postgresql://someone:geheim@host/shop")
    with pytest.raises(ConfigError, match="is not known"):
        open_source("s3://bucket/dump")
