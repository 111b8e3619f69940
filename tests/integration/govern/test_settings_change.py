"""Settings that change together with what they judge: nothing is switched off, moved or taken out unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.govern.changes.check import check_changes
from isthmus.govern.changes.writing import write_entry
from isthmus.govern.settings import find_project
from tests.fix_git import Git
from tests.integration.govern import model_repositories as models
from tests.integration.govern import repositories as schemas
from tests.integration.govern.model_repositories import PROFILE, USER, change, entry, note, place


@pytest.fixture
def git(tmp_path: Path) -> Git:
    git = models.project(tmp_path / "project")
    git("checkout", "-q", "-b", "feature")
    return git


def asked(git: Git, **how: object) -> tuple[list[tuple[str, str]], str]:
    """Return rules and files of what is refused, and all notes."""
    found = check_changes(find_project(git.folder), **how)  # pyright: ignore[reportArgumentType]
    return [(one.rule, one.file) for one in found.findings], "\n".join(found.notes)


def test_what_a_rule_switched_off_with_it_lets_pass_is_told_of_migrations(tmp_path: Path) -> None:
    git = schemas.prisma(tmp_path)
    git("checkout", "-q", "-b", "feature")
    git.add(schemas.FIRST, schemas.SQL + "-- more\n")
    git.add("isthmus.toml", schemas.SETTINGS + 'off = {migration-unchanged = "refused everywhere"}\n')
    wanted = f"Let pass by these settings of prisma/migrations, and not by those of HEAD: {schemas.FIRST}: It is "
    found = schemas.checked(git, staged=True)
    assert (found.findings, wanted in "\n".join(found.notes)) == ((), True), found.notes
    git.commit()
    assert "Let pass" not in "\n".join(schemas.checked(git, staged=True).notes)
    found = schemas.checked(git, base="main")
    assert (found.findings, wanted.replace("HEAD", "main") in "\n".join(found.notes)) == ((), True), found.notes


def test_a_migration_that_is_excused_with_it_is_told(tmp_path: Path) -> None:
    git = schemas.prisma(tmp_path)
    git.add(schemas.THIRD, schemas.SQL.replace("PANA-1", "soon"))
    git.add("isthmus.toml", schemas.SETTINGS + 'off = {"header-values/20260103000000_third" = "no tracker yet"}\n')
    found = schemas.checked(git, staged=True)
    assert found.findings == ()
    assert [one for one in found.notes if one.startswith("Let pass") and f"{schemas.THIRD}:2" in one]


def test_what_a_rule_switched_off_with_it_lets_pass_is_told_of_models(git: Git) -> None:
    git.add("isthmus.toml", models.SETTINGS + 'off = {entry-unchanged = "a secret stood there"}\n')
    note(git, models.OLD, entry(PROFILE, day="2026-01-10") + "more\n")
    refused, notes = asked(git, staged=True)
    assert refused == []
    assert f"Let pass by these settings of mongo-migrations, and not by those of HEAD: {place(models.OLD)}" in notes
    git.commit()
    assert asked(git, staged=True) == ([], "")
    assert "and not by those of main" in asked(git, base="main")[1]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("PANA-[0-9]+|N/A", ".*", "change ticket of mongo-migrations: in HEAD it is PANA-[0-9]+|N/A, and here .*."),
        (
            "[changes]\n",
            "[changes]\nsince = 2026-02-01\n",
            "change since of mongo-migrations: in HEAD it is not said, and here 2026-02-01.",
        ),
        ("*.ts", "[a-z]*.ts", "change models of mongo-migrations: in HEAD it is lib/model/**/*.ts, and here lib/"),
        (
            'migrations"\n[',
            'migrations"\nticket = "x"\n[',
            "",  # isthmus schema check tells it
        ),
    ],
)
def test_settings_that_change_are_told(old: str, new: str, told: str, git: Git) -> None:
    assert old in models.SETTINGS
    git.add("isthmus.toml", models.SETTINGS.replace(old, new, 1))
    refused, notes = asked(git, staged=True)
    assert (refused, told in notes, bool(notes)) == ([], True, bool(told)), notes


def test_settings_of_migrations_that_change_are_told(tmp_path: Path) -> None:
    git = schemas.prisma(tmp_path)
    assert schemas.checked(git, staged=True).notes == ()
    git.add("isthmus.toml", schemas.SETTINGS + 'baseline = "20260102000000_second"\nlayout = "folders"\n')
    told = (
        "These settings change baseline of prisma/migrations: in HEAD it is not said, and here 20260102000000_second."
    )
    assert schemas.checked(git, staged=True).notes == (told,)


@pytest.mark.parametrize("globs", ['"lib/model/profile.ts"', '"lib/model/**/*.ts", "!lib/model/user.ts"', '"src/*.ts"'])
def test_a_model_is_not_taken_out_of_the_globs_with_its_change(globs: str, git: Git) -> None:
    git.add("isthmus.toml", models.SETTINGS.replace('"lib/model/**/*.ts"', globs))
    git.add("src/x.ts", "x")
    note(git, "2026-02-01_x_add.md", entry("src/x.ts"))
    change(git)
    wanted = ("model-entry", USER)
    for how in ({"staged": True}, {}):
        assert wanted in asked(git, **how)[0], how
    git.commit()
    assert wanted in asked(git, base="main")[0]
    git("checkout", "-q", "main")
    git("checkout", "-q", "feature", "--", "isthmus.toml", "src", "mongo-migrations")
    git.commit("the settings alone")
    change(git)
    assert wanted not in asked(git, staged=True)[0]


def test_models_may_move_with_their_globs(git: Git) -> None:
    git.move("lib/model", "src")
    git.add("isthmus.toml", models.SETTINGS.replace("lib/model", "src"))
    assert ("model-entry", USER) in asked(git, staged=True)[0]
    for model in (USER, PROFILE, models.DEEP):
        new = model.replace("lib/model", "src")
        (file, *_) = write_entry(find_project(git.folder), new, "move", ticket="N/A", day="2026-02-01")
        text = file.read_text()
        assert f"`{model}` → `{new}`" in text
        git.add(f"mongo-migrations/changes/{file.name}", text)
    models.log(git)
    assert {rule for rule, _ in asked(git, staged=True)[0]} == {"entry-words", "entry-dependencies"}


def test_the_folder_of_the_log_is_not_moved_out_of_sight(git: Git) -> None:
    git.move("mongo-migrations", "log")
    git.add("isthmus.toml", models.SETTINGS.replace("mongo-migrations", "log"))
    wanted = ("entry-unchanged", "isthmus.toml")
    assert wanted in asked(git, staged=True)[0]
    git.commit()
    assert wanted in asked(git, base="main")[0]
    git("checkout", "-q", "main")
    git.add("isthmus.toml", models.SETTINGS + 'off = {entry-unchanged = "the log moves"}\n')
    git.commit()
    git.move("mongo-migrations", "log")
    git.add("isthmus.toml", models.SETTINGS.replace("mongo-migrations", "log"))
    assert asked(git, staged=True)[0] == []


def test_a_new_entry_is_not_older_than_the_log(git: Git) -> None:
    git.add("isthmus.toml", models.SETTINGS + "since = 2026-02-01\n")
    git.commit()
    git("branch", "--force", "main")
    change(git)
    note(git, "2026-01-31_user_x.md", f"# x\n\n## Model File\n\n{USER}\n")
    wanted = ("entry-sections", place("2026-01-31_user_x.md"))
    for how in ({"staged": True}, {}):
        assert wanted in asked(git, **how)[0], how
    git.commit()
    assert wanted in asked(git, base="main")[0]


def test_a_log_that_was_there_may_come_with_the_settings(git: Git) -> None:
    git.add("isthmus.toml", models.SETTINGS.partition("[changes]")[0])
    git("mv", "mongo-migrations", "old-log")
    git.commit()
    git.move("old-log", "mongo-migrations")
    note(git, "2026-01-11_profile_x.md", "# free text of earlier years\n")
    git.add("isthmus.toml", models.SETTINGS + "since = 2026-02-01\n")
    assert asked(git, staged=True)[0] == []


@pytest.mark.parametrize("name", ["20260101120000_between", "0000_of_another_form"])
def test_a_new_migration_is_not_older_than_the_rules(name: str, tmp_path: Path) -> None:
    git = schemas.prisma(tmp_path)
    git.add("isthmus.toml", schemas.SETTINGS + 'baseline = "20260102000000_second"\n')
    git.commit()
    git("checkout", "-q", "-b", "feature")
    git.add(schemas.place(name), "DROP TABLE x;\n")
    wanted = {("migration-order", schemas.place(name)), ("header-fields", schemas.place(name))}
    for how in ({"staged": True}, {}):
        assert wanted <= set(schemas.refused(schemas.checked(git, **how))), how
    git.commit()
    assert wanted <= set(schemas.refused(schemas.checked(git, base="main")))


def test_migrations_that_came_with_the_settings_may_be_older(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.add("README.md", "x")
    git.commit()
    git.add("isthmus.toml", schemas.SETTINGS + 'baseline = "20260102000000_second"\n')
    for path in (schemas.FIRST, schemas.SECOND):
        git.add(path, "SELECT 1;\n")
    assert schemas.refused(schemas.checked(git, staged=True)) == []


@pytest.mark.parametrize(
    "folder", ["mgrations", "prisma/migration", "Größe 'x'", "../x", "/x", ".", "a\\\\b", "a\\u0000"]
)
def test_a_folder_that_never_held_a_migration_may_be_given_up(folder: str, tmp_path: Path) -> None:
    git = schemas.prisma(tmp_path)
    git.add("isthmus.toml", schemas.SETTINGS.replace("prisma/migrations", folder))
    git.commit("a mistyped folder")
    git("checkout", "-q", "-b", "feature")
    git.add("isthmus.toml", schemas.SETTINGS)
    assert schemas.checked(git, staged=True).findings == ()
    git.commit()
    assert schemas.checked(git, base="main").findings == ()


@pytest.mark.parametrize("file", ["0001_x.sql", "deep/migration.sql", "notes.txt"])
def test_a_folder_with_anything_in_it_may_not_be_given_up(file: str, tmp_path: Path) -> None:
    git = schemas.prisma(tmp_path)
    git.add("isthmus.toml", schemas.SETTINGS.replace("prisma/migrations", "other"))
    for exempt in ("README.md", ".gitkeep"):
        git.add(f"other/{exempt}", "x")
    git.commit()
    git.add("isthmus.toml", schemas.SETTINGS)
    assert schemas.checked(git, staged=True).findings == ()
    git("reset", "-q", "--hard")
    git.add(f"other/{file}", "SELECT 1;\n")
    git.commit()
    git("rm", "-q", "-r", "other")
    git.add("isthmus.toml", schemas.SETTINGS)
    assert ("migration-unchanged", "isthmus.toml") in schemas.refused(schemas.checked(git, staged=True))


def test_a_log_without_an_entry_may_be_given_up(git: Git) -> None:
    git.add("isthmus.toml", models.SETTINGS.replace("mongo-migrations", "mngo-migrations"))
    git.add("mngo-migrations/changes/.gitkeep", "")
    git.commit()
    git("rm", "-q", "-r", "mngo-migrations")
    git.add("isthmus.toml", models.SETTINGS)
    assert asked(git, staged=True)[0] == []
