"""`isthmus map`: what it writes, what it never overwrites, and what it adds.

Oracle: `isthmus check`, which holds the mapping against the source; the bytes of the files. Whether a copy carries all
of it is shown in `tests/scenarios/test_map_and_copy.py`.
"""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from bson import DBRef, ObjectId

from tests.fix_dumps import MakeDump, write_collection
from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid
from tests.oracle.copying import url
from tests.planted import random_database
from tests.planted.random_database import Settings
from tests.planted.write import write_dump


def write_indexes(dump: Path, collection: str, indexes: list[dict[str, Any]]) -> None:
    """State the indexes of a collection that was dumped."""
    own = {"v": 2, "key": {"_id": 1}, "name": "_id_"}
    metadata = {"options": {}, "indexes": [own, *indexes], "collectionName": collection, "type": "collection"}
    (dump / f"{collection}.metadata.json").write_text(json.dumps(metadata))


USERS = [{"_id": oid(n), "email": f"u{n}@example.com", "password": f"geheim{n}"} for n in range(1, 60)]
POSTS = [{"_id": oid(100 + n), "title": f"post {n}", "user": oid(n)} for n in range(1, 60)]


@pytest.fixture
def dump(make_dump: MakeDump) -> Path:
    return make_dump({"users": USERS, "posts": POSTS})


def test_mapping_is_written_and_fits_the_source(isthmus: RunCommand, dump: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    ran = isthmus("map", dump, "-o", mapping)
    assert (ran.code, ran.out) == (0, "")
    assert "2 collections mapped" in ran.err
    checked = isthmus("check", mapping, "--source", dump)
    assert checked.code == 0, checked.all
    text = mapping.read_text()
    assert "references: users" in text
    assert "password: {type: text!, sensitive: true}" in text
    assert "geheim" not in text
    assert str(tmp_path) not in text


def test_without_output_it_goes_to_standard_output(isthmus: RunCommand, dump: Path) -> None:
    ran = isthmus("map", dump)
    assert ran.code == 0
    assert ran.out.startswith("# Proposed by isthmus map from dump of ")


def test_file_that_is_there_is_never_overwritten(isthmus: RunCommand, dump: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("mine")
    ran = isthmus("map", dump, "-o", mapping)
    assert ran.code == 2
    assert "(mapping-exists)" in ran.err
    assert "--update" in ran.err
    assert mapping.read_text() == "mine"


def test_update_adds_what_is_new_and_keeps_the_rest(isthmus: RunCommand, dump: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    kept = "# mine\nisthmus: 1\ncollections:\n  users:\n    fields:\n      email: text  # as it is\n"
    mapping.write_text(kept)
    ran = isthmus("map", dump, "-o", mapping, "--update")
    assert ran.code == 0, ran.all
    assert "2 things added: collection posts, field users.password" in ran.err
    text = mapping.read_text()
    assert text.startswith(kept)
    again = isthmus("map", dump, "-o", mapping, "--update")
    assert "nothing is new" in again.err
    assert mapping.read_text() == text
    assert isthmus("check", mapping, "--source", dump).code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--update"], "no-output"), (["--update", "-o", "none.yaml"], "nothing-to-update"), ([], "no-source")],
)
def test_usage_that_means_nothing_is_refused(isthmus: RunCommand, dump: Path, arguments: list[str], code: str) -> None:
    source = [] if code == "no-source" else [dump]
    ran = isthmus("map", *source, *arguments)
    assert (ran.code, f"({code})" in ran.err) == (2, True)


def test_update_of_a_mapping_with_mistakes_is_refused_and_writes_nothing(
    isthmus: RunCommand, dump: Path, tmp_path: Path
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("isthmus: 1\ncollections: {users: {fields: {email: txt}}}\n")
    ran = isthmus("map", dump, "-o", mapping, "--update")
    assert (ran.code, "txt" in ran.err) == (2, True)
    assert "password" not in mapping.read_text()


def test_survey_file_gives_the_same_mapping_without_the_source(
    isthmus: RunCommand, make_dump: MakeDump, tmp_path: Path
) -> None:
    users = [{"_id": oid(n), "email": f"u{n}@example.com", "no": n, "boss": DBRef("users", oid(n))} for n in range(400)]
    keys = ("email", "no", "boss")  # more values than a profile keeps: whether they differ is counted
    dump = make_dump({"users": users, "posts": POSTS})
    write_indexes(dump, "users", [{"v": 2, "key": {key: 1}, "name": key, "unique": True} for key in keys])
    survey = tmp_path / "survey.json"
    assert isthmus("survey", dump, "--json", survey).code == 0
    read = isthmus("map", dump)
    told = isthmus("map", "--survey", survey)
    assert (told.code, told.out) == (0, read.out)
    assert "email: {type: text!, unique: true}" in told.out
    assert told.out.count("unique: true") == len(keys)
    assert "was not counted" not in told.out


def test_survey_of_the_source_beside_it_is_taken_and_one_of_another_is_refused(
    isthmus: RunCommand, dump: Path, make_dump: MakeDump, tmp_path: Path
) -> None:
    survey, mapping = tmp_path / "survey.json", tmp_path / "mapping.yaml"
    assert isthmus("survey", dump, "--json", survey).code == 0
    moved = tmp_path / "elsewhere" / "shop"
    shutil.copytree(dump, moved)
    assert isthmus("map", moved, "--survey", survey).code == 0
    others = {
        "posts holds 2,": make_dump({"users": USERS, "posts": POSTS[:50]}),
        "orders is in the source only.": write_other(tmp_path / "more" / "shop", "users", "posts", "orders"),
        "posts is in the survey only.": write_other(tmp_path / "less" / "shop", "users"),
        "The survey is of the database shop, not of crm.": write_other(tmp_path / "crm", "users", "posts"),
    }
    for differs, other in others.items():
        ran = isthmus("map", other, "--survey", survey, "-o", mapping)
        assert (ran.code, "error (survey-differs): " in ran.err, differs in ran.err) == (2, True, True), ran.all
        assert "leave SOURCE out to map what was surveyed" in ran.err
        assert not mapping.exists()


def write_other(folder: Path, *names: str) -> Path:
    for name in names:
        write_collection(folder, name, {"users": USERS, "posts": POSTS}.get(name, USERS))
    return folder


def test_source_of_the_environment_is_not_held_against_a_survey(
    isthmus: RunCommand, dump: Path, tmp_path: Path
) -> None:
    survey = tmp_path / "survey.json"
    assert isthmus("survey", dump, "--json", survey).code == 0
    ran = isthmus("map", "--survey", survey, env={"MONGODB_URI": str(tmp_path / "none")})
    assert ran.code == 0, ran.all


def test_survey_file_that_is_none_is_refused(isthmus: RunCommand, tmp_path: Path) -> None:
    survey = tmp_path / "survey.json"
    for content in (b"{}", b"\xff"):
        survey.write_bytes(content)
        ran = isthmus("map", "--survey", survey)
        assert (ran.code, "(not-a-survey)" in ran.err) == (2, True)


@pytest.mark.parametrize("seed", [1, 2])
def test_same_data_in_another_order_and_by_other_workers_gives_the_same_bytes(
    seed: int, isthmus: RunCommand, tmp_path: Path
) -> None:
    database = random_database.generate(seed=seed, settings=Settings(documents=800))
    write_dump(database, tmp_path / "first")
    chance = random.Random(seed)
    for collection in database.collections.values():
        chance.shuffle(collection.documents)
    write_dump(database, tmp_path / "second")
    found = {
        isthmus("map", tmp_path / order / "dump" / "random", "--workers", workers).out
        for order in ("first", "second")
        for workers in (1, 3)
    }
    assert len(found) == 1
    assert "isthmus: 1" in found.pop()


def test_broken_source_is_mapped_as_far_as_it_is_read_and_exits_3(
    isthmus: RunCommand, dump: Path, tmp_path: Path
) -> None:
    file = dump / "posts.bson"
    file.write_bytes(file.read_bytes()[:-7])
    mapping = tmp_path / "mapping.yaml"
    ran = isthmus("map", dump, "-o", mapping)
    assert ran.code == 3, ran.all
    assert "posts could not be read to its end" in ran.err
    assert ran.err.splitlines()[-1].endswith("repair it: docs/how-to/repair-a-broken-dump.md.")
    text = mapping.read_text()
    assert "# check: could not be read to its end" in text
    assert "title: text\n" in text  # nothing is required of what was not read to its end


def test_collection_that_cannot_be_read_is_named_and_not_skipped(
    isthmus: RunCommand, dump: Path, tmp_path: Path
) -> None:
    write_collection(dump, "lost", None)
    mapping = tmp_path / "mapping.yaml"
    ran = isthmus("map", dump, "-o", mapping)
    assert (ran.code, "lost could not be read, and is not mapped: " in ran.err) == (3, True)
    assert "# check: lost is not mapped" in mapping.read_text()
    assert isthmus("check", mapping, "--source", dump).code == 3


def test_running_server_is_mapped_with_its_indexes_and_copied(
    isthmus: RunCommand, mongo: MongoDatabase, database: str, tmp_path: Path
) -> None:
    mongo.write({"users": USERS, "posts": POSTS})
    mongo.client[mongo.name]["users"].create_index("email", unique=True)
    mapping = tmp_path / "mapping.yaml"
    ran = isthmus("map", mongo.url, "-o", mapping)
    assert ran.code == 0, ran.all
    text = mapping.read_text()
    assert "email: {type: text!, unique: true}" in text
    assert 'references: users, on_orphan: "null"' in text  # what came meanwhile may lead nowhere
    copied = isthmus("copy", mapping, "--source", mongo.url, "--target", url(database))
    assert copied.code == 0, copied.all


def letters_of(isthmus: RunCommand, mapping: Path, dump: Path, database: str) -> int:
    """Copy with a mapping; return how many documents became dead letters."""
    books = mapping.with_suffix(".json")
    ran = isthmus("copy", mapping, "--source", dump, "--target", url(database), "--json", books)
    assert books.exists(), ran.all
    letters = sum(one["dead_letters"] for one in json.loads(books.read_text())["collections"].values())
    assert (ran.code == 0) == (letters == 0), ran.all
    return letters


def test_unique_index_over_references_in_several_spellings_costs_no_document(
    isthmus: RunCommand, make_dump: MakeDump, database: str, tmp_path: Path
) -> None:
    low = "abcdef0123456789abcdef01"
    dump = make_dump(
        {
            "y": [{"_id": ObjectId(low)}, {"_id": oid(2)}],
            "x": [{"_id": oid(10), "y": low, "n": 1}, {"_id": oid(11), "y": low.upper(), "n": 1}],
            "z": [
                {"_id": oid(20), "y": DBRef("y", oid(2)), "n": 1},
                {"_id": oid(21), "y": DBRef("y", oid(2), "shop"), "n": 1},
            ],
        }
    )
    for name in ("x", "z"):
        keys = [{"y": 1}, {"n": 1, "y": 1}]
        write_indexes(dump, name, [{"v": 2, "key": key, "name": "_".join(key), "unique": True} for key in keys])
    mapping = tmp_path / "mapping.yaml"
    assert isthmus("map", dump, "-o", mapping).code == 0
    assert "references:" in mapping.read_text()
    assert letters_of(isthmus, mapping, dump, database) == 0


def test_index_over_long_ids_that_are_referred_to_is_not_made(
    isthmus: RunCommand, make_dump: MakeDump, database: str, tmp_path: Path
) -> None:
    chance = random.Random(1)
    ids = [chance.randbytes(500).hex() for _ in range(12)]
    rows = [{"_id": oid(n), "t_id": one, "text": chance.randbytes(850).hex()} for n, one in enumerate(ids)]
    dump = make_dump({"ts": [{"_id": one} for one in ids], "rows": rows})
    write_indexes(dump, "rows", [{"v": 2, "key": {"t_id": 1, "text": 1}, "name": "wide"}])
    mapping = tmp_path / "mapping.yaml"
    assert isthmus("map", dump, "-o", mapping).code == 0
    assert "references: ts" in mapping.read_text()
    assert letters_of(isthmus, mapping, dump, database) == 0


def test_new_field_with_values_that_postgresql_refuses_is_carried_by_an_updated_mapping(
    isthmus: RunCommand, make_dump: MakeDump, database: str, tmp_path: Path
) -> None:
    documents = [{"_id": oid(n), "old": n, "new": "a\0b", "json": [float("nan"), "\0"]} for n in range(160)]
    dump = make_dump({"c": documents})
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("isthmus: 1\ncollections:\n  c:\n    fields:\n      old: integer\n")
    ran = isthmus("map", dump, "-o", mapping, "--update")
    assert "2 things added: field c.json, field c.new" in ran.err
    assert letters_of(isthmus, mapping, dump, database) == 0
