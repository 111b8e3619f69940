"""What a migration's SQL and the lines on it must not be: dependencies that are not true, statements that its
transaction cannot hold, dangerous DDL as the installed squawk finds it."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from isthmus.errors import ConfigError
from isthmus.govern.check import check_schemas
from isthmus.govern.linting import squawk
from isthmus.govern.linting.dangers import DANGERS, NAMES
from isthmus.govern.rules import dangerous_ddl
from isthmus.govern.schema_json import Column, SchemaJson, Table, render, table_key
from isthmus.govern.settings import find_project
from tests.fix_git import Git
from tests.integration.govern.repositories import FLAT, SETTINGS, SQL, THIRD, checked, prisma

HEAD = "-- Purpose: a test\n-- Ticket: N/A\n-- Reversible: No\n"
ONE, TWO, THREE, FOUR = "20260101000000_first", "20260102000000_second", "20260103000000_third", "20260104000000_fourth"
SCHEMA_JSON = render(
    SchemaJson(
        tables={
            "public.users": Table(ONE, {"id": Column("integer", False, ONE), "mail": Column("text", True, THREE)}),
            table_key("auth", "Odd, name"): Table(TWO),
            table_key("shared", "theirs"): Table("20991231000000_of_another_folder"),
            "public.mine": Table(THREE),
            "public.later": Table(FOUR),
        }
    )
)


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return prisma(tmp_path / "größe [1]")


def found(git: Git, sql: str, *, more: str = "") -> list[tuple[str, int]]:
    """Return rule and line of what is found of a new migration; line 1 is the first below its header."""
    git.add(THIRD, f"{HEAD}{more}{sql}\n")
    lines = 3 + more.count("\n")
    return [(one.rule, one.line - lines) for one in checked(git).findings if one.file == THIRD]


# Dependencies: and Data Migration:


DEPENDENCIES = {
    # what is said → what must be found in the message; None where it is true
    "None": None,
    "20260101000000_first": None,
    "20260101000000_first, 20260102000000_second": None,
    "users": None,
    "public.users": None,
    "USERS.ID": None,
    '"users"."id"': None,
    'auth."Odd, name"': None,
    "shared.theirs": None,
    "20260101000000_first\n--   users": None,
    "": "says nothing",
    "TODO": "says nothing",
    "None, users": "and more",
    "20260101000000_frist": "no migration 20260101000000_frist",
    "20260103000000_third": "itself",
    "20260104000000_fourth": "comes after it",
    "users.nothing": "no table or column users.nothing",
    "public.users.nothing": "no column",
    "other.users": "no table or column other.users",
    "Auth.odd": "no table or column",
    "some words": "neither a migration nor a table",
    "users.mail": "this migration itself",
    "mine": "this migration itself",
    "later": "20260104000000_fourth, which comes after it",
}


@pytest.mark.parametrize("stated", DEPENDENCIES)
def test_dependencies_are_there_and_older(stated: str, git: Git) -> None:
    git.add("prisma/migrations/schema.json", SCHEMA_JSON)
    git.add("prisma/migrations/20260104000000_fourth/migration.sql", SQL)
    git.add(THIRD, f"{HEAD}-- Dependencies: {stated}\nSELECT 1;\n")
    told = [one for one in checked(git).findings if one.rule == "header-dependencies"]
    part = DEPENDENCIES[stated]
    assert [(one.file, one.line) for one in told] == ([] if part is None else [(THIRD, 4)])
    assert part is None or part in told[0].message


def test_tables_are_not_looked_up_without_a_schema_json_and_a_note_says_so(git: Git) -> None:
    assert found(git, "SELECT 1;", more="-- Dependencies: nothing_like_it\n") == []
    assert ["schema.json" in one for one in checked(git).notes] == [True]
    assert found(git, "SELECT 1;", more="-- Dependencies: 20260101000000_none\n") == [("header-dependencies", 0)]
    assert checked(git).notes == ()


def test_a_script_of_a_data_migration_is_one_that_git_holds(git: Git) -> None:
    wrong = [("header-data-migration", 0)]
    for path in ("scripts/users [a]*.py", "prisma", "../x.py", "scripts"):
        assert found(git, "SELECT 1;", more=f"-- Data Migration: {path}\n") == wrong
    git.write("scripts/users [a]*.py", "")
    assert found(git, "SELECT 1;", more="-- Data Migration: scripts/users [a]*.py\n") == wrong
    git("add", "-A")
    assert found(git, "SELECT 1;", more="-- Data Migration: scripts/users [a]*.py\n") == []
    (git.folder / "scripts/users [a]*.py").unlink()
    (git.folder / "scripts/users [a]*.py").symlink_to("/etc/passwd")
    git("add", "-A")
    assert found(git, "SELECT 1;", more="-- Data Migration: scripts/users [a]*.py\n") == wrong


def test_a_script_may_be_named_from_the_folder_of_the_settings(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.add("backend/isthmus.toml", SETTINGS)
    git.add("backend/tools/move.py", "")
    git.add(f"backend/{THIRD}", f"{HEAD}-- Data Migration: tools/move.py\nSELECT 1;\n")
    project = find_project(tmp_path / "backend")
    assert check_schemas(project).findings == ()
    git.add(f"backend/{THIRD}", f"{HEAD}-- Data Migration: backend/tools/move.py\nSELECT 1;\n")
    assert check_schemas(project).findings == ()


@pytest.mark.parametrize(
    ("sql", "stated", "line"),
    [
        ("UPDATE x SET a = 1;", "None", 1),
        ("SELECT 1;\nDELETE FROM x;", "None", 2),
        ("WITH a AS (SELECT 1) UPDATE x SET a = 1;", "None", 1),
        ("INSERT INTO x SELECT * FROM y;", "None", 1),
        ("INSERT INTO roles VALUES (1);", "None", None),
        ("CREATE TABLE z (id int);", "None", None),
        ("UPDATE x SET a = 1;", "Inline", None),
        ("DO $$ BEGIN END $$;", "Inline", None),
        ("CREATE TABLE z (id int);", "Inline", 0),
        ("CREATE TABLE z (id int);", "", 0),
    ],
)
def test_what_is_said_of_data_is_true(sql: str, stated: str, line: int | None, git: Git) -> None:
    told = found(git, sql, more=f"-- Data Migration: {stated}\n")
    assert told == ([] if line is None else [("header-data-migration", line)])


# Transactions


def test_what_a_transaction_cannot_hold_is_found_with_its_line(git: Git) -> None:
    assert found(git, "SELECT 1;\nCOMMIT;") == [("transaction", 2)]
    assert found(git, "VACUUM;") == [("transaction", 1)]
    assert found(git, "VACUUM;", more="-- Transaction: none\n") == []
    assert found(git, "BEGIN;\nSELECT 1;", more="-- Transaction: none\n") == [("transaction", 1)]
    assert found(git, "SELECT 1;\nSELECT 2;", more="-- Transaction: none\n") == []


def test_sql_that_does_not_end_is_found_where_it_begins(git: Git) -> None:
    assert ("migration-files", 2) in found(git, "SELECT 1;\nSELECT 'x;")
    assert found(git, "/* nothing */") == [("migration-files", -3)]  # of the file as a whole


# Dangerous DDL


def test_every_danger_is_found_in_a_new_migration(git: Git) -> None:
    # ban-drop-database is what a transaction cannot hold as well
    for one in DANGERS:
        told = found(git, f"SELECT 1;\n\n{one.sample}", more="-- Transaction: none\n")
        assert (f"dangerous-ddl/{one.name}", 3) in told, one.name


DANGEROUS = {
    "ALTER TABLE old ADD COLUMN a bigserial;": "table-rewrite",
    "VACUUM FULL old;": "table-rewrite",
    "CREATE INDEX i ON public.old (a);": "require-concurrent-index-creation",
    'CREATE TABLE new (a int); CREATE INDEX i ON "New" (a);': "require-concurrent-index-creation",
    "CREATE INDEX i ON new (a); CREATE TABLE new (a int);": "require-concurrent-index-creation",
    "ALTER TABLE old ADD COLUMN a uuid DEFAULT gen_random_uuid();": "adding-field-with-default",
    "/* größe */ ALTER TABLE old ADD FOREIGN KEY (a) REFERENCES b (id);": "adding-foreign-key-constraint",
    "CREATE TABLE IF NOT EXISTS old (a int); ALTER TABLE old ADD COLUMN b serial;": "table-rewrite",
    'CREATE TABLE IF NOT EXISTS "Old" (a int); CREATE INDEX i ON "Old" (a);': "require-concurrent-index-creation",
    "CREATE TABL x (;": "syntax-error",
}


@pytest.mark.parametrize("sql", DANGEROUS)
def test_what_is_dangerous_is_found_once(sql: str, git: Git) -> None:
    assert found(git, sql, more="-- Transaction: none\n") == [(f"dangerous-ddl/{DANGEROUS[sql]}", 1)]


NEW = "CREATE TABLE new (a int, b text);\n"
HARMLESS = (
    "CREATE INDEX CONCURRENTLY i ON old (a);",
    "ALTER TABLE old ADD COLUMN a bigint;",
    "ALTER TABLE old ADD COLUMN a varchar(10) NOT NULL DEFAULT 'x';",
    "ALTER TABLE old ADD CONSTRAINT c CHECK (a > 0) NOT VALID;",
    "ALTER TABLE old ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES b (id) NOT VALID;",
    "ALTER TABLE old ADD CONSTRAINT u UNIQUE USING INDEX i;",
    "ALTER TABLE old DROP COLUMN a;",
    f"{NEW}CREATE INDEX i ON new (a);",
    f"{NEW}CREATE INDEX i ON public.new (a);",
    f"{NEW}ALTER TABLE public.new ADD COLUMN c int NOT NULL;",
    f"{NEW}ALTER TABLE new ALTER COLUMN a SET NOT NULL;",
    f"{NEW}ALTER TABLE new ALTER COLUMN a TYPE bigint;",
    f"{NEW}ALTER TABLE new ADD FOREIGN KEY (a) REFERENCES old (id);",
    f"{NEW}ALTER TABLE new ADD UNIQUE (a);",
    f"{NEW}ALTER TABLE new ADD PRIMARY KEY (a);",
    f"{NEW}ALTER TABLE new ADD COLUMN d serial;",
    f"{NEW}ALTER TABLE new RENAME TO newer; CREATE INDEX i ON newer (a);",
    'CREATE TABLE "s s"."T "" t" (a int); CREATE INDEX i ON "s s"."T "" t" (a);',
)


@pytest.mark.parametrize("sql", HARMLESS)
def test_what_is_not_dangerous_passes(sql: str, git: Git) -> None:
    assert found(git, sql, more="-- Transaction: none\n") == []


def test_only_new_migrations_are_asked_about_and_only_as_git_holds_them(git: Git) -> None:
    index = f"{HEAD}CREATE INDEX i ON old (a);\n"
    git.add(THIRD, index)
    git.write(THIRD, f"{HEAD}SELECT 1;\n")
    for how in ({}, {"staged": True}):
        assert [one.rule for one in checked(git, **how).findings] == ["dangerous-ddl/require-concurrent-index-creation"]
    git.commit()
    for how in ({}, {"staged": True}):
        assert checked(git, **how).findings == ()
    assert [one.line for one in checked(git, base="HEAD~1").findings] == [4]


def test_neither_comments_nor_settings_of_squawk_switch_anything_off(git: Git) -> None:
    git.add(".squawk.toml", 'excluded_rules = ["require-concurrent-index-creation"]\n')
    wanted = [("dangerous-ddl/require-concurrent-index-creation", 3)]
    for comment in (
        "-- squawk-ignore-file",
        "-- squawk-ignore require-concurrent-index-creation",
        "/* SQUAWK-ignore */",
    ):
        assert found(git, f"{comment}\n{comment}\nCREATE INDEX i ON old (a);") == wanted


def test_one_danger_is_switched_off_with_a_reason(git: Git) -> None:
    git.write("isthmus.toml", SETTINGS + 'off = {"dangerous-ddl/changing-column-type" = "small tables"}\n')
    sql = "ALTER TABLE old ALTER a TYPE bigint;\nALTER TABLE old ALTER a SET NOT NULL;"
    assert found(git, sql) == [("dangerous-ddl/adding-not-nullable-field", 2)]
    assert checked(git).off == {"prisma/migrations": {"dangerous-ddl/changing-column-type": "small tables"}}
    git.write("isthmus.toml", SETTINGS + 'off = {dangerous-ddl = "not here"}\n')
    assert found(git, sql) == []
    git.write("isthmus.toml", SETTINGS + 'off = {"dangerous-ddl/prefer-text-field" = "x"}\n')
    with pytest.raises(ConfigError, match="There is no rule dangerous-ddl/prefer-text-field"):
        checked(git)


def test_several_schemas_and_transactions_are_told_apart(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.add("isthmus.toml", '[[schema]]\nfolder = "a"\nlayout = "flat"\n[[schema]]\nfolder = "b"\nlayout = "flat"\n')
    both = "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;\n"
    git.add("a/0001_x.sql", f"{HEAD}{both}")
    git.add("b/0001_x.sql", f"{HEAD}-- Transaction: none\n{both}")
    told = [(one.file, one.line, one.rule) for one in checked(git).findings]
    assert told == [("a/0001_x.sql", 5, "dangerous-ddl/constraint-missing-not-valid")]


def test_the_page_names_every_danger_that_counts() -> None:
    page = dangerous_ddl.__doc__ or ""
    assert [one for one in NAMES if f"`{one}`" not in page] == []


# Squawk itself


def stub(folder: Path, text: str) -> str:
    file = folder / "squawk"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IEXEC)
    return str(file)


def test_without_squawk_a_note_says_so_and_nothing_is_refused(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squawk.sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", str(Path(shutil.which("git") or "").parent))
    if squawk.find_squawk() is not None:
        pytest.skip("squawk is installed beside git")
    git.add(THIRD, f"{HEAD}CREATE INDEX i ON old (a);\n")
    done = checked(git)
    assert done.findings == ()
    assert [one.startswith("squawk is not installed") for one in done.notes] == [True]
    git.commit()
    assert checked(git).notes == ()


@pytest.mark.parametrize(
    ("script", "part"),
    [
        ("echo broken >&2; exit 3", "failed: broken"),
        ("exit 1", "failed: exit code 1"),
        ("echo '{}'", "another version: it does not find require-concurrent-index-creation"),
        ("echo '[]'", "another version"),
        ("echo nothing", "not answer in the form"),
        ("""echo '[{"file": "probe.sql"}]'""", "not answer in the form"),
        ("exec sleep 5", "did not answer within"),
    ],
)
def test_a_squawk_that_does_not_work_is_an_error(
    script: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(squawk, "TIMEOUT_SECONDS", 0.5)
    with pytest.raises(ConfigError) as caught:
        squawk.lint(stub(tmp_path, script), [squawk.Text("x.sql", b"SELECT 1;", True)])
    assert caught.value.code == "squawk-failed"
    assert part in str(caught.value)


def test_a_squawk_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be run"):
        squawk.lint(str(tmp_path / "nothing"), [squawk.Text("x.sql", b"SELECT 1;", True)])


def test_flat_migrations_are_asked_about_too(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.add("isthmus.toml", FLAT)
    git.add("drizzle/0000_x.sql", f"\ufeff{HEAD}\r\nCREATE INDEX i ON old (a);\n")
    assert [(one.file, one.line) for one in checked(git).findings] == [("drizzle/0000_x.sql", 5)]
