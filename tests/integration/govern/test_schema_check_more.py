"""Repositories that looked good and were not: links as folders, bumped baselines, rollbacks, several folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.errors import ConfigError
from isthmus.govern.renumbering.renumber import renumber
from isthmus.govern.schema_json import Column, SchemaJson, Table, checksum_of, render
from isthmus.govern.settings import find_project
from tests.fix_git import Git
from tests.integration.govern.repositories import (
    FIRST,
    FLAT,
    JOURNAL,
    SECOND,
    SETTINGS,
    SQL,
    THIRD,
    checked,
    journal,
    place,
    prisma,
    refused,
)


def test_a_folder_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    (tmp_path / "prisma/migrations").rename(tmp_path / "prisma/other")
    (tmp_path / "prisma/other/20260101000000_first/migration.sql").write_text(SQL.replace("int", "bigint"))
    (tmp_path / "prisma/migrations").symlink_to("other")
    git("add", "-A")
    assert refused(checked(git, staged=True)) == [
        ("migration-files", "prisma/migrations"),
        ("migration-unchanged", FIRST),
        ("migration-unchanged", SECOND),
    ]


def test_a_folder_below_a_link_is_told_to_be_empty(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.add("isthmus.toml", SETTINGS)
    git.add("other/migrations/20260101000000_first/migration.sql", "SELECT 1;")
    (tmp_path / "prisma").symlink_to("other")
    git("add", "-A")
    found = checked(git)
    assert found.folders == {"prisma/migrations": 0}
    assert found.notes == ("Git holds no migration in prisma/migrations: nothing was looked at there.",)


def test_settings_without_migrations_have_nothing_that_is_not_looked_at(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.add("isthmus.toml", '[changes]\nfolder = "log"\nmodels = ["lib/*.ts"]\n')
    git.add("lib/user.ts", "one")
    git.write("lib/user.ts", "two")
    git.write("notes about nobody.txt", "")
    found = checked(git)
    assert (found.folders, found.untracked, found.unstaged) == ({}, (), ())


@pytest.mark.parametrize("base", [False, True], ids=["HEAD", "base"])
def test_a_new_migration_cannot_be_the_baseline(base: bool, tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git("checkout", "-q", "-b", "feature")
    git.add("isthmus.toml", SETTINGS + 'baseline = "20260103000000_third"\n')
    git.add(THIRD, "SELECT 1;\n")
    if base:
        git.commit()
    with pytest.raises(ConfigError, match="20260103000000_third is new: it is not in") as caught:
        checked(git, **({"base": "main"} if base else {"staged": True}))
    assert caught.value.code == "unknown-baseline"


def older(folder: Path, when: tuple[int, ...]) -> Git:
    """Return a flat repository whose baseline has two of one number, and a journal that is wrong in its own way."""
    git = Git(folder)
    git.add("isthmus.toml", FLAT + 'baseline = "0001_second"\n')
    names = ("0000_first", "0001_also", "0001_second")
    for name in names:
        git.add(f"drizzle/{name}.sql", "SELECT 1;\n")
    git.add(JOURNAL, journal("0000_first", "0001_second", when=when))
    git.commit()
    git.add("drizzle/0002_third.sql", SQL)
    git.add(JOURNAL, journal("0000_first", "0001_second", "0002_third", when=when))
    return git


def test_numbers_and_journal_of_a_baseline_are_left_as_they_are(tmp_path: Path) -> None:
    assert refused(checked(older(tmp_path, (2000, 1000, 2001)))) == []


def test_a_new_entry_comes_after_every_older_one(tmp_path: Path) -> None:
    (found,) = checked(older(tmp_path, (2000, 1000, 1500))).findings
    assert (found.rule, "0002_third is not greater than that of 0000_first" in found.message) == ("journal", True)


@pytest.mark.parametrize("path", ["/etc/passwd", "a\0b", "x" * 200_000, "../x"], ids=["absolute", "nul", "long", "up"])
def test_a_script_that_can_be_no_file_of_the_repository_is_a_finding(path: str, tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.add(THIRD, SQL.replace("-- Reversible", f"-- Data Migration: {path}\n-- Reversible"))
    assert ("header-data-migration", THIRD) in refused(checked(git))


THIRD_BACK = place("20260103000000_third", "rollback.sql")


@pytest.mark.parametrize(
    ("header", "file", "expected"),
    [
        ("", "BEGIN;\nDROP TABLE x;\nCOMMIT;\n", [(THIRD_BACK, 1), (THIRD_BACK, 3)]),
        ("", "\nDROP INDEX CONCURRENTLY i;\n", [(THIRD_BACK, 2)]),
        ("-- Rollback:\n--   DROP TABLE x;\n--   COMMIT;\n", "", [(THIRD, 6)]),
        ("-- Rollback: COMMIT;\n", "", [(THIRD, 4)]),
        ("-- Transaction: none\n", "DROP INDEX CONCURRENTLY i;\n", []),
        ("-- Rollback: COMMIT;\n", "DROP TABLE x;\n", []),
    ],
    ids=["control", "alone", "header", "header-one-line", "none", "file-goes-first"],
)
def test_a_rollback_is_held_to_its_transaction(
    header: str, file: str, expected: list[tuple[str, int]], tmp_path: Path
) -> None:
    git = prisma(tmp_path)
    plain = SQL.replace("-- Rollback: DROP TABLE x;\n", header)
    git.add(THIRD, plain)
    if file:
        git.add(THIRD_BACK, file)
    found = checked(git, staged=True).findings
    assert [(one.file, one.line) for one in found if one.rule == "transaction"] == expected


def test_a_rollback_that_does_not_end_is_found(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.add(THIRD, SQL.replace("DROP TABLE x;", "it doesn't matter"))
    (found,) = checked(git).findings
    assert (found.rule, found.line) == ("header-values", 4)


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("BEGIN UPDATE x SET id = 1; COMMIT; END", [6]),
        ("BEGIN IF true THEN ROLLBACK; END IF; END", [6]),
        ("BEGIN RAISE NOTICE 'COMMIT; %', 1; -- COMMIT;\n PERFORM commit FROM x; END", []),
    ],
)
def test_a_block_that_ends_the_transaction_is_found(body: str, lines: list[int], tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.add(THIRD, SQL.replace("CREATE TABLE x (id int);", f"DO $do$ {body} $do$;"))
    assert [one.line for one in checked(git).findings] == lines


NEW = SQL.replace("TABLE x", 'TABLE "New one"')
INDEX = SQL.replace("CREATE TABLE x (id int)", 'CREATE INDEX i ON "New one" (id)')


def test_what_a_new_migration_makes_is_free_for_those_behind_it(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git("checkout", "-q", "-b", "feature")
    git.add(THIRD, NEW)
    git.commit()
    git.add(place("20260104000000_index"), INDEX)
    git.commit()
    assert refused(checked(git, base="main")) == []
    git.add("isthmus.toml", 'base = "main"\n' + SETTINGS)
    git.add(place("20260105000000_again"), INDEX.replace("INDEX i", "INDEX j"))
    assert refused(checked(git, staged=True)) == []
    applied = {"prisma/migrations": {"20260103000000_third": checksum_of(NEW, None)}}
    assert ("dangerous-ddl/require-concurrent-index-creation", place("20260105000000_again")) in refused(
        checked(git, staged=True, applied=applied)
    )


def test_what_comes_later_or_is_merged_is_not_free(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.add(THIRD, INDEX)
    git.add(place("20260104000000_table"), NEW)
    assert refused(checked(git)) == [("dangerous-ddl/require-concurrent-index-creation", THIRD)]
    git("rm", "-q", "-f", THIRD)
    git.commit()
    late = place("20260105000000_index")
    git.add(late, INDEX)
    assert refused(checked(git)) == [("dangerous-ddl/require-concurrent-index-creation", late)]


def several(folder: Path, dependencies: str, *, main_has: bool = True, own_has: bool = True) -> Git:
    """Return a repository of two folders, the second of which names a table of the first."""
    git = Git(folder)
    git.add(
        "isthmus.toml", '[[schema]]\nfolder = "main"\nlayout = "flat"\n[[schema]]\nfolder = "side"\nlayout = "flat"\n'
    )
    text = SQL.replace("PANA-1", "N/A")
    named = text.replace("-- Reversible", f"-- Dependencies: {dependencies}\n-- Reversible")
    git.add("main/0001_users.sql", text)
    git.add("side/0001_notes.sql", named)
    users = Table("0001_users", {"Mail": Column("text", nullable=True, migration="0001_users")})
    if main_has:
        known = SchemaJson({"0001_users": checksum_of(text, None)}, {"public.users": users})
        git.add("main/schema.json", render(known))
    if own_has:
        git.add("side/schema.json", render(SchemaJson({"0001_notes": checksum_of(named, None)}, {})))
    return git


@pytest.mark.parametrize("named", ["users", "public.users", 'users."Mail"'])
def test_a_table_of_another_folder_may_be_named(named: str, tmp_path: Path) -> None:
    git = several(tmp_path, named)
    assert (refused(checked(git)), checked(git).notes) == ([], ())
    assert refused(checked(git, only=["side"])) == []


def test_a_table_of_no_folder_is_refused(tmp_path: Path) -> None:
    (found,) = checked(several(tmp_path, "nobody")).findings
    assert (found.rule, "in any schema.json" in found.message) == ("header-dependencies", True)


@pytest.mark.parametrize(("main_has", "own_has", "who"), [(False, True, "main"), (True, False, "side")])
def test_where_a_folder_has_no_schema_json_a_note_says_so(
    main_has: bool, own_has: bool, who: str, tmp_path: Path
) -> None:
    found = checked(several(tmp_path, "nobody", main_has=main_has, own_has=own_has))
    assert refused(found) == []
    assert [note for note in found.notes if note.startswith(f"{who} has no schema.json")] != []


def test_a_merge_without_a_base_says_how_to_name_one(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git("checkout", "-q", "-b", "feature")
    git.add(place("20260105000000_mine"), SQL)
    git.commit()
    git("checkout", "-q", "main")
    git.add(THIRD, SQL)
    git.commit()
    git("checkout", "-q", "feature")
    git("merge", "--quiet", "--no-commit", "--no-ff", "main")
    (found,) = checked(git, staged=True).findings
    assert (found.rule, found.file) == ("migration-order", THIRD)
    assert 'base = "main"' in found.hint
    project = find_project(git.folder)
    with pytest.raises(ConfigError) as caught:
        renumber(project, project.settings.schemas[0])
    assert caught.value.code == "no-base"
    assert dict(renumber(project, project.settings.schemas[0], base="main").names) == {}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("schema = 5", "it must be a list."),
        ('[schema]\nlayout = "flat"', "it is missing."),
        ('[schema]\nfolder = "a"\nlayuot = "flat"', "there is no such setting; perhaps layout is meant."),
        ('[schema]\nfolder = "a"\nx = 1', "there is no such setting; there are: folder, layout"),
        ('[schema]\nfolder = "a"\nlayout = "flut"', "it must be 'folders' or 'flat'."),
        ('[schema]\nfolder = "a"\nticket = "("', "it is no regular expression: "),
        ('base = ""\n[schema]\nfolder = "a"', "it must not be empty."),
        ('[changes]\nfolder = "a"\nmodels = "b"', "it must be a list."),
        ('[changes]\nfolder = "a"\nmodels = ["b"]\nsince = 2026-01-01T00:00:00', "it must be a day."),
        ('[changes]\nfolder = "a"\nmodels = ["b"]\nsince = 20260101', "it must be a day."),
        ("schema = [3]", "it must be a table."),
    ],
)
def test_settings_say_what_is_wrong_in_a_sentence(settings: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "isthmus.toml").write_text(settings)
    with pytest.raises(ConfigError) as caught:
        find_project(tmp_path)
    (problem,) = caught.value.problems
    assert problem.message.startswith(f"The setting is wrong: {said}")


@pytest.mark.parametrize(("text", "code"), [("tool = 5", "no-settings"), ("[tool]\nisthmus = 5", "bad-settings")])
def test_a_pyproject_of_another_form_is_an_error(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        find_project(tmp_path)
    assert caught.value.code == code


def test_days_and_several_tables_are_read(tmp_path: Path) -> None:
    (tmp_path / "isthmus.toml").write_text(
        '[schema]\nfolder = "a"\noff = {journal = "x"}\n[changes]\nfolder = "c"\nmodels = ["m/*"]\nsince = 2026-01-02\n'
    )
    settings = find_project(tmp_path).settings
    assert settings.schemas[0].off == {"journal": "x"}
    assert settings.changes is not None
    assert (str(settings.changes.since), settings.changes.models) == ("2026-01-02", ("m/*",))
