"""Copies from mongoexport JSON: the same tables as from a dump, whatever shape the text has; breaks, repair and resume.

Oracle: a copy of the same documents from a dump folder into the same target with the same id key. Blind spot: what is
wrong with both; whether mongoexport writes what pymongo's `json_util` does (both follow one specification).
"""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Decimal128, Int64, MinKey, ObjectId, Regex, Timestamp, json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.errors import BSONError

from isthmus.demo import DUMP as DEMO_DUMP
from isthmus.demo import MAPPING as DEMO_MAPPING
from isthmus.errors import SourceError
from isthmus.transfer.beginning import begin
from tests.fix_dumps import write_collection
from tests.integration.copy.carrying import World, balanced, listening, oid

KEEP_DATES = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_MS)

SHAPES = {
    "lines": lambda texts: "".join(f"{text}\n" for text in texts),
    "pretty": lambda texts: "".join(json.dumps(json.loads(text), indent="\t") + "\n" for text in texts),
    "array": lambda texts: "[" + ",\n".join(texts) + "]\n",
}


def write_json(
    folder: Path, name: str, documents: list[dict[str, Any]], *, shape: str = "lines", relaxed: bool = False
) -> Path:
    """Write documents as mongoexport does; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    options = json_util.RELAXED_JSON_OPTIONS if relaxed else json_util.CANONICAL_JSON_OPTIONS
    text = SHAPES[shape]([json_util.dumps(document, json_options=options) for document in documents])
    path = folder / f"{name}.json"
    path.write_text(text, encoding="utf-8")
    return path


def exported(dump: Path, folder: Path, *, sound: Path) -> Path:
    """Write every collection of a dump as canonical JSON; return the folder.

    Documents that pymongo cannot read, or not without folding something, are left out; `sound` takes the others as a
    dump.
    """
    for path in sorted(dump.glob("*.bson*")):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        documents = [one for one in map(read_back, split(raw)) if one is not None]
        name = path.name.split(".bson")[0]
        write_json(folder, name, documents)
        assert len(documents) > len(split(raw)) - 10
        write_collection(sound, name, b"".join(map(bson.encode, documents)))
    return folder


def split(raw: bytes) -> list[bytes]:
    """Cut whole documents apart by their lengths."""
    documents: list[bytes] = []
    while raw:
        length = int.from_bytes(raw[:4], "little")
        documents.append(raw[:length])
        raw = raw[length:]
    return documents


def read_back(raw: bytes) -> dict[str, Any] | None:
    """Return a document that pymongo writes as it read it, else None."""
    try:
        document = bson.decode(raw, KEEP_DATES)
    except BSONError:
        return None
    return document if bson.encode(document) == raw else None


def left_behind(world: World) -> dict[str, Any]:
    """Return the rows of every table, and the ledgers without places and times."""
    tables = world.column("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'")
    found: dict[str, Any] = {
        table: sorted(world.column(f"SELECT whole_row::text FROM {table} whole_row")) for table in tables
    }
    found["letters"] = sorted((one.collection, one.code, one.path, one.document) for one in world.letters())
    found["orphans"] = sorted(map(str, world.orphans()))
    found["adjustments"] = sorted(
        world.column(
            "SELECT row(collection, source_id, table_name, column_name, row_position, kind, original)::text"
            " FROM isthmus.adjustment"
        )
    )
    return found


def assert_same_tables(world: World, folder: Path, mapping: str) -> None:
    """Copy the world's dump, then JSON in its place, and compare what each left behind."""
    first = world.copy(mapping)
    assert first.outcome == "complete"
    dumped = left_behind(world)
    second = replace(world, folder=folder).copy(mapping, fresh=True)
    assert second.outcome == "complete"
    assert first.balance is not None
    assert second.balance is not None
    assert {name: (one.read, one.copied, one.dead_letters) for name, one in first.balance.collections.items()} == {
        name: (one.read, one.copied, one.dead_letters) for name, one in second.balance.collections.items()
    }
    assert left_behind(world) == dumped
    assert any(dumped[table] for table in dumped if "." in table)


def test_demo_with_its_faults_as_json_gives_identical_tables_and_letters(world: World, tmp_path: Path) -> None:
    folder = exported(DEMO_DUMP, tmp_path / "json", sound=world.folder)
    assert_same_tables(world, folder, DEMO_MAPPING.read_text(encoding="utf-8"))


EVERYTHING = """
isthmus: 1
collections:
  Every: {fields: {n: integer, d: double precision, t: timestamptz, s: text!}}
"""


def every_type() -> list[dict[str, Any]]:
    """Return documents with ids of every kind and values of every type, also such as become letters."""
    ids: list[Any] = [1, Int64(2), 3.5, Decimal128("4.10"), "5", oid(6), {"a": 1, "b": Int64(1)}, b"8", DatetimeMS(-9)]
    values: list[Any] = [
        *(None, True, 1, Int64(1), 1.0, -0.0, float("nan"), float("inf"), Decimal128("1.10"), "", "x\u0000y", b"\x00"),
        *(ObjectId("0" * 24), DatetimeMS(253402300800000), DatetimeMS(-1), Timestamp(1, 2), Regex("a", "i"), MinKey()),
        *([1, Int64(1), 1.0], {"$set": 1, "a.b": {"": 2}}, bson.Binary(b"\0" * 16, 3), bson.Code("f", {"x": 1})),
    ]
    documents = [{"_id": one, "s": f"id {number}", "n": number} for number, one in enumerate(ids)]
    for number, value in enumerate(values):
        documents.append({"_id": oid(100 + number), "s": f"extra {number}", "extra": value})
        documents += [
            {"_id": oid(1000 + 9 * number + i), "s": f"typed {number} {key}", key: value} for i, key in enumerate("ndt")
        ]
    return documents


@pytest.mark.parametrize("shape", SHAPES)
def test_every_type_gives_identical_rows_extras_and_letters(world: World, tmp_path: Path, shape: str) -> None:
    world.write({"Every": every_type()})
    write_json(tmp_path / "json", "Every", every_type(), shape=shape)
    assert_same_tables(world, tmp_path / "json", EVERYTHING)


def test_relaxed_json_loses_the_kinds_of_numbers_and_nothing_else(world: World, tmp_path: Path) -> None:
    world.write({"Every": every_type()})
    first = world.copy(EVERYTHING)
    query = "SELECT s, n, d, t::text, extras FROM every ORDER BY s"
    dumped = world.rows(query)
    write_json(tmp_path / "json", "Every", every_type(), relaxed=True)
    relaxed = replace(world, folder=tmp_path / "json")
    second = relaxed.copy(EVERYTHING, fresh=True)
    assert first.balance is not None
    assert second.balance is not None
    assert first.balance.collections["Every"].read == second.balance.collections["Every"].read

    assert repr(dumped) != repr(world.rows(query))

    def plain(value: Any) -> Any:
        """Fold what relaxed JSON cannot tell apart: a long that would fit into an int is one."""
        if isinstance(value, dict):
            if value.keys() == {"$numberLong"}:
                return int(value["$numberLong"])
            return {key: plain(inner) for key, inner in value.items()}
        return [plain(inner) for inner in value] if isinstance(value, list) else value

    assert repr([tuple(map(plain, row)) for row in dumped]) == repr(
        [tuple(map(plain, row)) for row in world.rows(query)]
    )


DOCUMENTS = [{"_id": oid(n), "name": f"name {n}", "n": n} for n in range(2000)]
TWO = """
isthmus: 1
collections:
  Bad: {fields: {name: text!, n: integer!}}
  Fine: {fields: {name: text!, n: integer!}}
"""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("damage", ["cut", "comma", "too-large"])
def test_break_ends_its_collection_alone_and_a_mended_file_goes_on(
    world: World, tmp_path: Path, shape: str, damage: str
) -> None:
    folder = tmp_path / "json"
    path = write_json(folder, "Bad", DOCUMENTS, shape=shape)
    write_json(folder, "Fine", DOCUMENTS[:10])
    whole = path.read_text(encoding="utf-8")
    at = whole.index("name 1500")
    path.write_text(
        {
            "cut": whole[:at],
            "comma": whole[:at] + '",,"' + whole[at:],
            "too-large": whole[:at] + '", "x": 99999999999999999999, "y": "' + whole[at:],
        }[damage],
        encoding="utf-8",
    )
    world = replace(world, folder=folder)
    result = world.copy(TWO)
    assert result.outcome == "failed"
    assert {name: error.code for name, error in result.broken.items()} == {
        "Bad": "truncated" if damage == "cut" else "broken-json"
    }
    error = result.broken["Bad"]
    assert error.where.line == whole[: int(str(error.context["offset"]))].count("\n") + 1
    assert world.one("SELECT count(*) FROM bad") == 1500
    assert world.one("SELECT count(*) FROM fine") == 10
    path.write_text(whole, encoding="utf-8")
    result = world.copy(TWO)
    balanced(result)
    assert result.resumed
    assert sorted(world.column("SELECT n FROM bad")) == list(range(2000))


@pytest.mark.parametrize("shape", SHAPES)
def test_stopped_copy_goes_on_in_the_middle_of_a_file(world: World, tmp_path: Path, shape: str) -> None:
    write_json(tmp_path / "json", "Bad", [{**one, "x": "y" * 1000} for one in DOCUMENTS], shape=shape)
    write_json(tmp_path / "json", "Fine", DOCUMENTS[:1])
    world = replace(world, folder=tmp_path / "json")
    stop = threading.Event()
    seen: list[str] = []

    def listener(stage: str) -> None:
        seen.append(stage)
        if stage == "copy.after-commit":
            stop.set()

    with listening(listener):
        result = world.copy(TWO, stop=stop, memory_bytes=8 << 20, workers=1)
    assert result.outcome == "interrupted", seen
    result = world.copy(TWO)
    balanced(result)
    assert sorted(world.column("SELECT n FROM bad")) == list(range(2000))


def test_file_in_many_parts_is_carried_by_many_workers(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(begin, "_PARTITION_BYTES", 10_000)
    write_json(tmp_path / "json", "Bad", DOCUMENTS, shape="pretty")
    write_json(tmp_path / "json", "Fine", DOCUMENTS[:1])
    world = replace(world, folder=tmp_path / "json")
    balanced(world.copy(TWO, workers=4))
    assert world.one("SELECT count(*) FROM isthmus.partition WHERE collection = 'Bad'") > 5
    assert sorted(world.column("SELECT n FROM bad")) == list(range(2000))


def test_other_documents_before_the_checkpoint_are_refused(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "json"
    path = write_json(folder, "Bad", DOCUMENTS)
    write_json(folder, "Fine", DOCUMENTS[:1])
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[: len(whole) // 2], encoding="utf-8")
    world = replace(world, folder=folder)
    assert world.copy(TWO).outcome == "failed"
    path.write_text(whole.replace('name 7"', 'name X"'), encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        world.copy(TWO)
    assert caught.value.code == "source-changed"
    assert "Bad.json at line 1 (byte 0)" in str(caught.value)


def test_second_copy_changes_nothing_and_another_shape_is_the_same_source(world: World, tmp_path: Path) -> None:
    write_json(tmp_path / "json", "Bad", DOCUMENTS)
    write_json(tmp_path / "json", "Fine", DOCUMENTS[:10])
    world = replace(world, folder=tmp_path / "json")
    balanced(world.copy(TWO))
    for shape in ("array", "pretty"):
        write_json(tmp_path / "json", "Bad", DOCUMENTS, shape=shape)
        again = world.copy(TWO)
        assert again.changes is not None
        assert not again.changes


def test_letters_name_file_and_line(world: World, tmp_path: Path) -> None:
    documents = [{**one, "n": "no number"} if one["n"] % 500 == 499 else one for one in DOCUMENTS]
    write_json(tmp_path / "json", "Bad", documents)
    write_json(tmp_path / "json", "Fine", DOCUMENTS[:1])
    world = replace(world, folder=tmp_path / "json")
    assert world.copy(TWO).outcome == "complete"
    places = [one.location for one in world.letters()]
    assert [place.split(" (")[0] for place in places] == [f"Bad.json at line {n:,}" for n in (500, 1000, 1500, 2000)]


def test_document_nested_too_deeply_is_a_letter_and_its_neighbours_arrive(world: World, tmp_path: Path) -> None:
    (tmp_path / "json").mkdir()
    deep = '{"_id": 2, "s": "deep", "x": ' + '{"a": ' * 120 + "1" + "}" * 121
    (tmp_path / "json" / "Every.json").write_text(f'{{"_id": 1, "s": "a"}}\n{deep}\n{{"_id": 3, "s": "b"}}\n')
    world = replace(world, folder=tmp_path / "json")
    assert world.copy(EVERYTHING).outcome == "complete"
    assert [(one.code, one.location) for one in world.letters()] == [("nesting", "Every.json at line 2 (byte 21)")]
    assert sorted(world.column("SELECT s FROM every")) == ["a", "b"]


def test_keys_that_stand_twice_are_counted_as_in_a_dump(world: World, tmp_path: Path) -> None:
    first, second = bson.encode({"_id": 1, "s": "x", "n": 1}), bson.encode({"n": 2})
    body = first[4:-1] + second[4:-1]
    raw = (len(body) + 5).to_bytes(4, "little") + body + b"\0"
    world.write({"Every": [raw]})
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "Every.json").write_text('{"_id": 1, "s": "x", "n": 1, "n": 2}\n')
    assert_same_tables(world, tmp_path / "json", EVERYTHING)
    assert world.rows("SELECT s, n FROM every") == [("x", 2)]
