"""The rule `schema-json`, asked of real repositories: no database is needed to see that a file is stale."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest

from isthmus.govern.check import check_schemas
from isthmus.govern.schema_json import (
    Column,
    SchemaJson,
    Table,
    checksum_of,
    read_schema_json,
    render,
    table_key,
)
from isthmus.govern.settings import find_project
from tests.fix_git import Git
from tests.integration.govern.repositories import FIRST, SQL, THIRD, drizzle, prisma

FILE = "prisma/migrations/schema.json"
FIRST_NAME, SECOND_NAME, THIRD_NAME = "20260101000000_first", "20260102000000_second", "20260103000000_third"


def found(git: Git, **how: object) -> list[tuple[int, str]]:
    checked = check_schemas(find_project(git.folder), **how)  # pyright: ignore[reportArgumentType]
    return [(one.line, one.message) for one in checked.findings if one.rule == "schema-json"]


def text(**migrations: str) -> str:
    return render(SchemaJson({name: checksum_of(sql, None) for name, sql in migrations.items()}))


@pytest.fixture
def git(tmp_path: Path) -> Git:
    made = prisma(tmp_path)
    made.add(FILE, text(**{FIRST_NAME: SQL, SECOND_NAME: SQL}))
    made.commit()
    return made


def test_a_fresh_one_passes_in_both_layouts(git: Git, tmp_path: Path) -> None:
    assert found(git) == []
    assert check_schemas(find_project(git.folder)).findings == ()
    flat = drizzle(tmp_path / "flat")
    flat.add("drizzle/schema.json", text(**{"0000_first": SQL, "0001_second": SQL}))
    assert check_schemas(find_project(flat.folder)).findings == ()


def test_where_there_is_none_nothing_is_said(tmp_path: Path) -> None:
    assert found(prisma(tmp_path)) == []


@pytest.mark.parametrize("how", [{}, {"staged": True}, {"base": "main"}])
def test_a_migration_that_was_not_rehearsed_is_found(git: Git, how: dict[str, object]) -> None:
    git("switch", "--quiet", "--create", "feature")
    git.add(THIRD, SQL)
    assert found(git, **how) == [(0, f"It does not know {THIRD_NAME}, which was not rehearsed yet.")]
    git.add(FILE, text(**{FIRST_NAME: SQL, SECOND_NAME: SQL, THIRD_NAME: SQL}))
    assert found(git, **how) == []


def test_a_text_or_a_rollback_that_was_changed_since_is_found(git: Git) -> None:
    git.add(THIRD, SQL + "SELECT 1;\n")
    git.add(FILE, text(**{FIRST_NAME: SQL, SECOND_NAME: SQL, THIRD_NAME: SQL}))
    assert found(git) == [(5, f"{THIRD_NAME} was changed since it was rehearsed.")]
    git.add(THIRD, SQL)
    assert found(git) == []
    git.add(THIRD.replace("migration.sql", "rollback.sql"), "DROP TABLE x;\n")
    assert found(git) == [(5, f"{THIRD_NAME} was changed since it was rehearsed.")]


def test_a_migration_that_is_gone_is_found(git: Git) -> None:
    git.add(FILE, text(**{FIRST_NAME: SQL, SECOND_NAME: SQL, THIRD_NAME: SQL}))
    assert found(git) == [(5, f"It knows {THIRD_NAME}, which there is not.")]


def test_lines_that_end_otherwise_are_the_same_text(git: Git) -> None:
    git.add(THIRD, SQL.replace("\n", "\r\n"))
    git.add(FILE, text(**{FIRST_NAME: SQL, SECOND_NAME: SQL, THIRD_NAME: SQL}))
    assert found(git) == []


def test_it_may_not_be_deleted_nor_replaced(git: Git) -> None:
    git("rm", "--quiet", "--cached", FILE)
    assert found(git) == [(0, "It is in HEAD and was deleted.")]
    (git.folder / FILE).unlink()
    (git.folder / FILE).symlink_to(git.folder / FIRST)
    git("add", FILE)
    assert found(git) == [(0, "It is no plain file.")]
    git("reset", "--quiet", "--hard")
    git("switch", "--quiet", "--create", "feature")
    git("rm", "--quiet", FILE)
    git.commit()
    assert found(git, base="main") == [(0, "It is in main and was deleted.")]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "it is no JSON (line 1: Expecting value)"),
        ("{\n<<<<<<< HEAD\n", "it is no JSON (line 2: Expecting property name enclosed in double quotes)"),
        ("[]", "it has not the form of one (list indices must be integers or slices, not str)"),
        ("{}", "it has not the form of one ('isthmus')"),
        ('{"isthmus": 2}', "it is of version 2, and this isthmus knows version 1"),
        ('{"isthmus": 1, "migrations": [], "tables": {}}', "it has not the form of one ([] is no object)"),
        ('{"isthmus": 1, "migrations": {"a": 1}, "tables": {}}', "it has not the form of one (1 is no text)"),
        ("[" * 200_000, "it has not the form of one (what it holds is too large)"),
        ("1" * 5000, "it has not the form of one (what it holds is too large)"),
        ('{"isthmus": true}', "it is of version True, and this isthmus knows version 1"),
        (
            '{"isthmus": 1, "migrations": {"\\ud800": "x"}, "tables": {}}',
            "it has not the form of one ('\\ud800' is no text)",
        ),
    ],
)
def test_one_that_cannot_be_read_is_found_and_says_why(git: Git, written: str, said: str) -> None:
    git.add(FILE, written)
    assert found(git) == [(0, f"It cannot be read: {said}.")]


def test_what_is_written_is_read_again() -> None:
    made = SchemaJson(
        {"0002_b": "x", "0001_a": "y"},
        {
            "public.Ü \"'": Table(
                "0001_a", {"ä%": Column("text", True, "0001_a"), "a": Column("int4[]", False, "0002_b")}
            )
        },
    )
    text = render(made)
    assert read_schema_json(text) == made
    assert list(read_schema_json(text).migrations) == ["0002_b", "0001_a"]
    assert text == render(read_schema_json(text))
    assert json.loads(text)["tables"] == {
        "public.Ü \"'": {
            "migration": "0001_a",
            "columns": {
                "a": {"type": "int4[]", "nullable": False, "migration": "0002_b"},
                "ä%": {"type": "text", "nullable": True, "migration": "0001_a"},
            },
        }
    }
    assert "Ü" in text
    assert table_key("a.b", "c") != table_key("a", "b.c")


def test_what_is_new_shows_as_lines_that_are_new() -> None:
    one = {"id": Column("bigint", False, "0001_a"), "name": Column("text", True, "0001_a")}
    before = render(SchemaJson({"0001_a": "x"}, {"public.users": Table("0001_a", one)}))
    more = one | {"email": Column("text", True, "0002_b")}
    after = render(SchemaJson({"0001_a": "x", "0002_b": "y"}, {"public.users": Table("0001_a", more)}))
    changed = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] != " "]
    assert changed == [
        '+     "0002_b": "y",',
        '+         "email": {"type": "text", "nullable": true, "migration": "0002_b"},',
    ]


def test_one_that_holds_nothing_is_read_again() -> None:
    assert read_schema_json(render(SchemaJson())) == SchemaJson()
    empty = SchemaJson({}, {"public.nothing": Table("0001_a")})
    assert read_schema_json(render(empty)) == empty
