"""What commands say of a copy whose source was written to while it was read.

Oracle: a writer that never stops while the copy works, so that what was carried cannot be what the source holds.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import World, listening, oid

MAPPING = "isthmus: 1\ncollections: {Things: {fields: {n: integer}}}\n"


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING)
    return path


@contextmanager
def writing(mongo: MongoDatabase) -> Iterator[None]:
    """Write to one document all the time."""
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(0.002):
            mongo.client[mongo.name]["Things"].update_one({"_id": oid(7)}, {"$inc": {"n": 1}})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def test_copy_tells_that_the_source_moved_and_what_to_do(
    isthmus: RunCommand, database: str, mongo: MongoDatabase, mapping: Path
) -> None:
    mongo.write({"Things": [{"_id": oid(n), "n": n} for n in range(20)]})
    with writing(mongo):
        ran = isthmus("copy", mapping, "-s", mongo.url, "-t", database)
    assert ran.code == 1, ran.all
    assert "The source moved while it was read: 0 new, 1 changed, 0 gone." in ran.out
    assert f"Things, changed: {oid(7)}" in ran.out
    assert "--fresh" in ran.out
    rows = World(database, Path()).column("SELECT id FROM things")
    assert len(rows) == 20

    ran = isthmus("status", "-t", database)
    assert ran.code == 0, ran.all
    assert "The source moved while it was read: 0 new, 1 changed, 0 gone." in ran.out
    told = json.loads(isthmus("status", "-t", database, "--json", "-").out)
    assert (told["moved"]["changed"], told["moved"]["named"]) == (1, {"Things": [str(oid(7))]})

    ran = isthmus("check", mapping, "-t", database)
    assert ran.code == 0, ran.all
    assert "it is complete. The source moved while it was read: 0 new, 1 changed, 0 gone." in ran.out
    told = json.loads(isthmus("check", mapping, "-t", database, "--json", "-").out)
    assert told["run"]["moved"]["named"] == {"Things": [str(oid(7))]}

    ran = isthmus("copy", mapping, "-s", mongo.url, "-t", database)
    assert ran.code == 1
    assert "the source changed since" in ran.out, "the next copy compares anew"
    assert "while it was read" not in ran.out, "that was told"


def test_json_of_a_copy_says_how_the_source_moved_and_null_of_one_that_stands_still(
    isthmus: RunCommand, database: str, mongo: MongoDatabase, mapping: Path, tmp_path: Path
) -> None:
    things = [{"_id": oid(n), "n": n} for n in range(20)]
    mongo.write({"Things": things})
    with writing(mongo):
        ran = isthmus("copy", mapping, "-s", mongo.url, "-t", database, "--json", "-")
    told = json.loads(ran.out)
    assert (ran.code, told["exit_code"], told["outcome"]) == (1, 1, "complete")
    assert told["moved"] == {
        "new": 0,
        "changed": 1,
        "gone": 0,
        "named": {"Things": [str(oid(7))]},
        "new_ids": {},
        "changed_ids": {"Things": [str(oid(7))]},
        "gone_ids": {},
        "reordered": [],
        "broken": {},
    }
    dump = World(database, tmp_path / "dump" / "shop")
    dump.write({"Things": things})
    ran = isthmus("copy", mapping, "-s", dump.folder, "-t", database, "--fresh", "--json", "-")
    assert (ran.code, json.loads(ran.out)["moved"]) == (0, None)


def test_what_moved_is_told_by_the_next_command_when_the_first_died_before_its_output(
    isthmus: RunCommand, database: str, mongo: MongoDatabase, mapping: Path
) -> None:
    mongo.write({"Things": [{"_id": oid(n), "n": n} for n in range(20)]})
    things = mongo.client[mongo.name]["Things"]

    def remove_and_die(stage: str) -> None:
        if stage == "copy.partition-done":
            things.delete_one({"_id": oid(7)})
        if stage == "complete.after-commit":
            raise KeyboardInterrupt

    with listening(remove_and_die), pytest.raises(KeyboardInterrupt):
        World(database, mongo.url).copy(MAPPING)  # pyright: ignore[reportArgumentType]  the source's address
    things.insert_one({"_id": oid(7), "n": 7})
    ran = isthmus("copy", mapping, "-s", mongo.url, "-t", database)
    assert ran.code == 1, ran.all
    books, moved, same = (ran.out.index(w) for w in ("Documents", "0 new, 0 changed, 1 gone", "source is unchanged"))
    assert books < moved < same
    ran = isthmus("copy", mapping, "-s", mongo.url, "-t", database)
    assert (ran.code, "gone" in ran.out) == (0, False)


def test_letter_of_a_document_that_is_gone_is_shown_without_bytes(
    isthmus: RunCommand, database: str, mongo: MongoDatabase, tmp_path: Path
) -> None:
    text = "isthmus: 1\ncollections: {Things: {fields: {n: {type: integer, unique: true}}}}\n"
    path = tmp_path / "unique.yaml"
    path.write_text(text)
    mongo.write({"Things": [{"_id": oid(n), "n": 1} for n in range(2)]})

    def remove(stage: str) -> None:
        if stage == "copy.complete":
            mongo.client[mongo.name]["Things"].delete_one({"_id": oid(1)})

    with listening(remove):
        World(database, mongo.url).copy(text)  # pyright: ignore[reportArgumentType]  the source's address
    ran = isthmus("letters", "show", "1", "-t", database)
    assert ran.code == 0, ran.all
    assert "original-gone" in ran.out
    assert "duplicate-key" in ran.out
    assert "Its bytes are not here" in ran.out
    ran = isthmus("letters", "export", "-t", database)
    line = json.loads(ran.out)
    assert (line["code"], line["source_id"], line["document"]) == ("original-gone", str(oid(1)), None)
