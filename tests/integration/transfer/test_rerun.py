"""The same command again: on a finished run, with another mapping, another source, a repaired or a changed dump."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import psycopg
import pytest
from bson import ObjectId
from psycopg import sql

from tests.chaos.sessions import Copy
from tests.fix_copies import FINISHED, SCHEMA, Unkilled, assert_equal

pytestmark = pytest.mark.slow  # every test runs whole sessions of the command


def versions(target: str) -> dict[str, list[str]]:
    """Return every row of every table with its place and the transaction that wrote it; the lease is a row, too."""
    found: dict[str, list[str]] = {}
    with psycopg.connect(target) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s)", ([SCHEMA, "isthmus"],)
        ).fetchall()
        for schema, table in tables:
            query = sql.SQL("SELECT ctid, xmin, t::text FROM {} t").format(sql.Identifier(schema, table))
            found[f"{schema}.{table}"] = sorted(repr(row) for row in connection.execute(query).fetchall())
        catalog = "SELECT oid, xmin, relname, relfilenode FROM pg_class WHERE relpersistence = 'p' AND oid >= 16384"
        found["catalog"] = sorted(repr(row) for row in connection.execute(catalog).fetchall())
    return found


@pytest.fixture
def changeable(copy: Copy, tmp_path: Path) -> Copy:
    """Return a copy command whose dump and mapping are this test's own."""
    shutil.copytree(copy.source, tmp_path / "own" / copy.source.name)
    shutil.copy(copy.mapping, tmp_path / "own.yaml")
    return dataclasses.replace(copy, source=tmp_path / "own" / copy.source.name, mapping=tmp_path / "own.yaml")


def documents(path: Path) -> list[dict[str, Any]]:
    return bson.decode_all(path.read_bytes())


def change(copy: Copy, collection: str, how: Callable[[list[dict[str, Any]]], None]) -> None:
    path = copy.source / f"{collection}.bson"
    every = documents(path)
    how(every)
    path.write_bytes(b"".join(bson.encode(one) for one in every))


def test_finished_run_is_left_as_it_is(copy: Copy, unkilled: Unkilled) -> None:
    assert copy.run().code == FINISHED
    before = versions(copy.target)
    for _ in range(2):
        ended = copy.run()
        assert ended.code == 0, ended.text
        assert "nothing was written" in ended.words
    assert versions(copy.target) == before
    assert_equal(copy.target, unkilled)


def test_new_changed_and_gone_documents_of_a_finished_run_are_named(changeable: Copy, tmp_path: Path) -> None:
    assert changeable.run().code == FINISHED
    before = versions(changeable.target)
    new = ObjectId()

    def how(every: list[dict[str, Any]]) -> None:
        every[3]["name"] = "changed"
        del every[7]
        every.append({"_id": new, "name": "new"})

    _, _, _, changed, _, _, _, gone, *_ = (one["_id"] for one in documents(changeable.source / "Teams.bson"))
    change(changeable, "Teams", how)
    ended = changeable.run("--json", str(tmp_path / "result.json"))
    assert ended.code == 1, ended.text
    assert f"Teams, new: {new}" in ended.words
    assert f"Teams, changed: {changed}" in ended.words
    assert f"Teams, gone: {gone}" in ended.words
    result = json.loads((tmp_path / "result.json").read_text())
    assert {name: result["changes"][name] for name in ("new", "changed", "gone")} == {"new": 1, "changed": 1, "gone": 1}
    assert versions(changeable.target) == before


@pytest.mark.parametrize("finished", [False, True])
def test_changed_mapping_is_refused_with_the_line_that_differs(finished: bool, changeable: Copy) -> None:
    assert changeable.run(**({} if finished else {"kill": ["copy.before-commit", 3]})).code in {FINISHED, -9}
    before = versions(changeable.target)
    lines = changeable.mapping.read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "age: smallint" in line)
    lines[number - 1] = lines[number - 1].replace("smallint", "bigint")
    changeable.mapping.write_text("\n".join(lines) + "\n")
    ended = changeable.run()
    assert ended.code == 2, ended.text
    assert "mapping-changed" in ended.words
    assert f"line {number}" in ended.words
    assert "age: smallint" in ended.words
    assert "age: bigint" in ended.words
    assert versions(changeable.target) == before


def test_comments_in_the_mapping_do_not_make_it_another(changeable: Copy, unkilled: Unkilled) -> None:
    assert changeable.run(kill=["copy.before-commit", 3]).code == -9
    changeable.mapping.write_text("# a word to the reader\n" + changeable.mapping.read_text())
    assert changeable.run().code == FINISHED


def test_other_database_is_refused(changeable: Copy) -> None:
    assert changeable.run(kill=["copy.before-commit", 3]).code == -9
    before = versions(changeable.target)
    other = changeable.source.parent / "other"
    changeable.source.rename(other)
    ended = dataclasses.replace(changeable, source=other).run()
    assert ended.code == 3, ended.text
    assert "source-differs" in ended.words
    assert versions(changeable.target) == before


def test_moved_dump_is_the_same_source(changeable: Copy, unkilled: Unkilled, tmp_path: Path) -> None:
    assert changeable.run(kill=["copy.before-commit", 9]).code == -9
    moved = tmp_path / "elsewhere" / changeable.source.name
    moved.parent.mkdir()
    changeable.source.rename(moved)
    ended = dataclasses.replace(changeable, source=moved).run()
    assert ended.code == FINISHED, ended.text
    assert_equal(changeable.target, unkilled)


@pytest.mark.parametrize("finished", [False, True])
def test_fresh_starts_over(finished: bool, copy: Copy, unkilled: Unkilled) -> None:
    assert copy.run(**({} if finished else {"kill": ["finish.validation-before-commit", 4]})).code in {FINISHED, -9}
    with psycopg.connect(copy.target, autocommit=True) as connection:
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(SCHEMA, "documents")))
    ended = copy.run("--fresh")
    assert ended.code == FINISHED, ended.text
    assert_equal(copy.target, unkilled)


def test_truncated_dump_resumes_after_repair(changeable: Copy, unkilled: Unkilled) -> None:
    path = changeable.source / "Tasks.bson"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    ended = changeable.run()
    assert ended.code == 3, ended.text
    assert "Tasks.bson" in ended.words
    path.write_bytes(whole)
    ended = changeable.run()
    assert ended.code == FINISHED, ended.text
    with psycopg.connect(changeable.target) as connection:
        (read,) = connection.execute(
            "SELECT sum(documents)::int FROM isthmus.batch WHERE collection = 'Tasks'"
        ).fetchone() or (0,)
    assert read == len(documents(path))
    assert_equal(changeable.target, unkilled)


@pytest.mark.parametrize(
    ("collection", "how"),
    [
        ("Projects", "other content"),
        ("Projects", "shorter"),
        ("Projects", "longer"),
        ("Labels", "longer"),
    ],
)
def test_dump_changed_where_it_was_read_is_refused(collection: str, how: str, changeable: Copy) -> None:
    """Collections are read in the order of the mapping; when Tasks is read, these are done."""
    assert changeable.run("--workers", "1", kill=["copy.partition-done", 4]).code == -9
    before = versions(changeable.target)

    def alter(every: list[dict[str, Any]]) -> None:
        if how == "other content":
            every[2]["title"] = every[2]["title"][::-1]
        elif how == "shorter":
            del every[-1]
        else:
            every.append({"_id": "one more", "name": "one more"})

    change(changeable, collection, alter)
    ended = changeable.run()
    assert ended.code == 3, ended.text
    assert "source-changed" in ended.words
    assert collection in ended.words
    after = versions(changeable.target)
    assert {name for name in after if after[name] != before[name]} <= {"isthmus.run"}  # the lease was taken


def test_document_appended_while_keys_were_built_is_not_passed_over(changeable: Copy) -> None:
    assert changeable.run(kill=["finish.primary-key-before-commit", 5]).code == -9
    change(changeable, "Tasks", lambda every: every.append({"_id": ObjectId(), "title": "late"}))
    ended = changeable.run()
    assert ended.code == 3, ended.text
    assert "holds more documents than before" in ended.words
