"""What a folder or a file of mongoexport JSON is taken for, by names alone, and what is refused before reading."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from isthmus.errors import SourceError
from isthmus.sources import CollectionInfo, open_source
from isthmus.sources.dump.source import DumpSource
from isthmus.sources.extended_json.source import JsonSource
from tests.fix_dumps import write_collection

ONE = '{"_id": {"$numberInt": "1"}}\n'


def folder_of(tmp_path: Path, files: dict[str, str | bytes]) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def listed(folder: Path) -> dict[str, CollectionInfo]:
    return {one.name: one for one in open_source(str(folder)).collections()}


def refusal(path: Path, database: str | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_source(str(path), database=database)
    assert caught.value.hint is not None
    return caught.value


def test_every_ending_is_a_collection_named_by_the_rest(tmp_path: Path) -> None:
    packed = gzip.compress(ONE.encode())
    folder = folder_of(
        tmp_path,
        {
            "a.json": ONE,
            "b.jsonl": ONE,
            "c.ndjson": ONE,
            "d.json.gz": packed,
            "e.jsonl.gz": packed,
            "f.ndjson.gz": packed,
            "shop.orders.json": ONE,  # the database is not taken off: a collection may have dots in its name
            "%2Fetc%2Fü%25%00.json": ONE,
            "empty.json": "",
            "a.metadata.json": "{}",
            "z.metadata.json.gz": packed,
            "prelude.json": "{}",
            ".hidden.json": ONE,
            ".json": ONE,
            "notes.txt": "{}",
            "system.users.json": ONE,
        },
    )
    (folder / "sub.json").mkdir()
    found = listed(folder)
    names = ["/etc/ü%\0", "a", "b", "c", "d", "e", "empty", "f", "shop.orders", "system.users"]
    assert list(found) == names
    assert [name for name, one in found.items() if not one.readable] == ["system.users"]
    assert found["system.users"].kind == "system"
    assert found["empty"].bytes_total == 0
    assert found["a"].bytes_total == len(b"\x0e\0\0\0\x10_id\0\1\0\0\0\0")
    assert not any(one.bytes_exact for one in found.values())
    source = open_source(str(folder))
    assert isinstance(source, JsonSource)
    assert source.name == f"JSON in {folder}"
    with pytest.raises(SourceError) as caught:
        source.partitions("system.users", 1)
    assert caught.value.code == "collection-not-read"
    with pytest.raises(SourceError) as caught:
        source.partitions("shop.order", 1)
    assert (caught.value.code, caught.value.hint) == ("unknown-collection", "Did you mean shop.orders?")


def test_size_is_estimated_from_the_documents_at_the_beginning(tmp_path: Path) -> None:
    raw = "".join(json.dumps({"_id": {"$numberInt": str(n)}}) + "\n" for n in range(10_000)).encode()
    folder = folder_of(tmp_path, {"a.json": raw, "b.json.gz": gzip.compress(raw), "c.json": b"nonsense" * 10_000})
    found = listed(folder)
    for name in ("a", "b"):
        size = found[name].bytes_total
        assert size is not None
        assert abs(size - 140_000) < 15_000
    assert found["c"].bytes_total  # not 0, which would mean that nothing is there


def test_identity_is_the_same_wherever_and_however_it_is_kept(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    plain = folder_of(tmp_path / "x", {"a.json": ONE, "b.json": ONE, "system.js.json": ONE})
    packed = folder_of(tmp_path / "y", {"a.jsonl.gz": gzip.compress(ONE.encode()), "b.ndjson": f"[{ONE}]"})
    identity = open_source(str(plain)).identity()
    assert identity == open_source(str(packed)).identity() == {"kind": "json", "collections": ["a", "b"]}
    json.dumps(identity)


def test_one_file_is_a_source_of_its_own(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.json": ONE, "b.json": ONE})
    source = open_source(str(folder / "b.json"))
    assert [one.name for one in source.collections()] == ["b"]
    assert open_source(str(folder / "b.json"), database="shop").identity() == source.identity()
    (folder / "link.json").symlink_to(folder / "b.json")
    assert [one.name for one in open_source(str(folder / "link.json")).collections()] == ["link"]


def test_database_is_checked_against_the_folder_or_names_the_folder_below(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.json": ONE})
    assert open_source(str(folder), database="shop").identity() == open_source(str(folder)).identity()
    assert open_source(str(tmp_path), database="shop").identity() == open_source(str(folder)).identity()
    for path in (folder, folder / "a.json"):
        error = refusal(path, "shopp")
        assert error.code == "unknown-database"
        assert "shopp" in error.message


def test_folder_with_bson_is_a_dump_whatever_json_lies_beside(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"b.json": ONE})
    write_collection(folder, "a", [{"_id": 1}])
    source = open_source(str(folder))
    assert isinstance(source, DumpSource)
    assert [one.name for one in source.collections()] == ["a"]
    assert isinstance(open_source(str(folder / "b.json")), JsonSource)


def test_metadata_of_a_dump_without_its_data_is_no_obstacle(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.json": ONE, "a.metadata.json": '{"options": {}}'})
    assert list(listed(folder)) == ["a"]


def test_two_files_of_one_collection_are_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.json": ONE, "a.jsonl": ONE})
    assert refusal(folder).code == "ambiguous-collection"
    (folder / "a.jsonl").rename(folder / "%61.json")
    assert refusal(folder).code == "ambiguous-collection"


@pytest.mark.parametrize("content", ["", "\n\n", "[]", "\ufeff [ \n]\n"])
def test_json_without_a_document_is_refused_as_empty(tmp_path: Path, content: str) -> None:
    folder = folder_of(tmp_path, {"a.json": content, "system.users.json": ONE})
    assert refusal(folder).code == "empty-source"
    assert refusal(folder / "a.json").code == "empty-source"
    (folder / "b.json").write_text(ONE)
    assert listed(folder)["a"].bytes_total == 0


def test_empty_gzip_file_is_no_empty_collection(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.json.gz": b""})
    source = open_source(str(folder))
    with pytest.raises(SourceError) as caught:
        list(source.read(source.partitions("a", 1)[0], after=None, until=None, max_bytes=1000))
    assert caught.value.code == "gzip-broken"


def test_json_under_another_name_and_metadata_are_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"export": ONE, "packed": gzip.compress(ONE.encode()), "a.metadata.json": "{}"})
    for name in ("export", "packed"):
        error = refusal(folder / name)
        assert error.code == "json-name"
        assert "COLLECTION.json" in (error.hint or "")
    assert refusal(folder / "a.metadata.json").code == "not-a-folder"


def test_changes_show_from_outside(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.json": ONE})
    source = open_source(str(folder))
    assert source.changed("a") is None
    (folder / "a.json").write_text(ONE * 2)
    assert source.changed("a") == "went from 29 to 58 bytes"
    (folder / "a.json").unlink()
    assert source.changed("a") == "went away"
