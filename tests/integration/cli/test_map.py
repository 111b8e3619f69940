"""`isthmus map`: what it writes, what it never overwrites, and what it adds.

Oracle: `isthmus check`, which holds the mapping against the source; the bytes of the files. Whether a copy carries all
of it is shown in `tests/scenarios/test_map_and_copy.py`.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fix_dumps import MakeDump, write_collection
from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid
from tests.oracle.copying import url
from tests.planted import random_database
from tests.planted.random_database import Settings
from tests.planted.write import write_dump

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


def test_survey_file_gives_the_same_mapping_without_the_source(isthmus: RunCommand, dump: Path, tmp_path: Path) -> None:
    survey = tmp_path / "survey.json"
    assert isthmus("survey", dump, "--json", survey).code == 0
    read = isthmus("map", dump)
    told = isthmus("map", "--survey", survey)
    assert (told.code, told.out) == (0, read.out)


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
    text = mapping.read_text()
    assert "# check: could not be read to its end" in text
    assert "title: text\n" in text  # nothing is required of what was not read to its end


def test_collection_that_cannot_be_read_is_named_and_not_skipped(
    isthmus: RunCommand, dump: Path, tmp_path: Path
) -> None:
    write_collection(dump, "lost", None)
    mapping = tmp_path / "mapping.yaml"
    assert isthmus("map", dump, "-o", mapping).code == 3
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
