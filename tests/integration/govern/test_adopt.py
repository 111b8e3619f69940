"""Histories of Prisma and Drizzle, written as those runners write them, are taken over; what does not fit is refused.

Oracle: what the runners' own sources say of their tables (see `govern/adopting/foreign.py`), written here by hand.
Cannot see: what another version of theirs may write.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from isthmus.errors import ConfigError, GovernError, IsthmusError
from isthmus.govern.adopting.adopt import Adopted, Wanted, adopt
from isthmus.govern.adopting.settings_line import with_baseline
from isthmus.govern.check import check_schemas
from isthmus.govern.deploying.deploy import deploying
from isthmus.govern.settings import SchemaSettings, find_project
from tests.fix_git import Git
from tests.integration.govern.deployed import HEADER, Project

PRISMA = """
CREATE TABLE "_prisma_migrations" (
    id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)
"""
DRIZZLE = 'CREATE TABLE drizzle."__drizzle_migrations" (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)'
INIT, USERS, LATER = "0_init", "20250101120000_users", "20250202120000_Later-One"
"""Names as Prisma's documentation and its users have them; only one has the form of ours."""
WHEN = 1_700_000_000_000


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Prisma(Project):
    """A project of Prisma's, and its table in a database."""

    def __init__(self, folder: Path, conninfo: str) -> None:
        super().__init__(folder, conninfo, SchemaSettings(folder="prisma/migrations", name="m"))
        self.do(PRISMA)

    def row(
        self, name: str, text: str, *, finished: str | None = "2025-01-02 03:04:05+00", rolled: str | None = None
    ) -> None:
        with psycopg.connect(self.conninfo) as connection:
            connection.execute(
                'INSERT INTO "_prisma_migrations"'
                " (id, checksum, finished_at, migration_name, rolled_back_at, started_at)"
                " VALUES (gen_random_uuid()::text, %s, %s, %s, %s, clock_timestamp())",
                (text if len(text) == 63 else sha(text), finished, name, rolled),
            )

    def applied(self, name: str, text: str) -> None:
        self.put(name, text)
        self.row(name, text)


class Drizzle(Project):
    """A project of Drizzle's, and its table in a database."""

    def __init__(self, folder: Path, conninfo: str) -> None:
        super().__init__(folder, conninfo, SchemaSettings(folder="drizzle", layout="flat", name="m"))
        self.do("CREATE SCHEMA drizzle", DRIZZLE)
        self.entries: list[dict[str, object]] = []

    def row(self, text: str, when: int) -> None:
        with psycopg.connect(self.conninfo) as connection:
            connection.execute(
                'INSERT INTO drizzle."__drizzle_migrations" (hash, created_at) VALUES (%s, %s)', (sha(text), when)
            )

    def journal(self, name: str, when: int) -> None:
        self.entries.append({"idx": len(self.entries), "version": "7", "when": when, "tag": name, "breakpoints": True})
        file = self.folder / "meta" / "_journal.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"version": "7", "dialect": "postgresql", "entries": self.entries}))

    def applied(self, name: str, text: str, when: int) -> None:
        self.put(name, text)
        self.journal(name, when)
        self.row(text, when)


@pytest.fixture
def prisma(tmp_path: Path, database: str) -> Prisma:
    found = Prisma(tmp_path, database)
    found.do("CREATE TABLE users (id int)")
    found.applied(INIT, "BEGIN;\nCREATE TABLE users (id int);\nCOMMIT;\n")
    found.applied(USERS, "ALTER TABLE users ADD name text;\n")
    found.applied(LATER, "CREATE INDEX i ON users (name);\r\n")
    return found


@pytest.fixture
def drizzle(tmp_path: Path, database: str) -> Drizzle:
    found = Drizzle(tmp_path, database)
    found.applied("0000_first", 'CREATE TABLE "a" ();\n--> statement-breakpoint\nSELECT 1;', WHEN)
    found.applied("0001_second", "SELECT 2;", WHEN + 1)
    return found


def take(project: Project, *accepted: str, dry_run: bool = False, **wanted: object) -> Adopted:
    asked = Wanted(accepted=accepted, **wanted)  # pyright: ignore[reportArgumentType]
    return adopt(project.conninfo, project.folder, project.settings, asked, dry_run=dry_run)


def refused(project: Project, **wanted: object) -> IsthmusError:
    with pytest.raises(IsthmusError) as caught:
        take(project, **wanted)  # pyright: ignore[reportArgumentType]
    assert project.one("SELECT to_regclass('isthmus.schema_history')") is None or not project.one(
        "SELECT count(*) FROM isthmus.schema_history"
    )
    return caught.value


def history(project: Project) -> dict[str, list[object]]:
    with psycopg.connect(project.conninfo) as connection:
        rows = connection.execute(
            "SELECT name, state, on_word_of, applied_at::text FROM isthmus.schema_history ORDER BY name"
        ).fetchall()
    return {row[0]: list(row[1:]) for row in rows}


def with_settings(project: Project, baseline: str) -> None:
    project.settings = replace(project.settings, baseline=baseline)


def test_what_prisma_applied_becomes_the_baseline_and_the_rest_is_deployed(prisma: Prisma) -> None:
    found = take(prisma)
    assert [one.script.name.text for one in found.taken] == [INIT, USERS, LATER]
    assert (found.baseline, found.pending) == (LATER, ())
    assert history(prisma) == {name: ["baseline", "prisma", "2025-01-02 03:04:05+00"] for name in (INIT, LATER, USERS)}
    with_settings(prisma, LATER)
    assert prisma.stands() == dict.fromkeys((INIT, USERS, LATER), "baseline")
    prisma.write("20250303120000_next", "CREATE TABLE next (id int);")
    assert prisma.deploy() == ["20250303120000_next"]
    assert take(prisma).known == (INIT, USERS, LATER)


def test_what_drizzle_applied_becomes_the_baseline(drizzle: Drizzle) -> None:
    drizzle.put("0002_third", "CREATE TABLE third (id int);")
    drizzle.journal("0002_third", WHEN + 2)
    found = take(drizzle)
    assert (found.baseline, found.pending) == ("0001_second", ("0002_third",))
    assert history(drizzle) == {name: ["baseline", "drizzle", None] for name in ("0000_first", "0001_second")}
    assert drizzle.deploy() == ["0002_third"]


def test_a_dry_run_writes_nothing(prisma: Prisma) -> None:
    assert len(take(prisma, dry_run=True).taken) == 3
    assert prisma.one("SELECT to_regnamespace('isthmus')") is None


def test_attempts_that_were_rolled_back_count_for_nothing(prisma: Prisma) -> None:
    prisma.row(USERS, "an earlier text", finished=None, rolled="2025-01-01 00:00:00+00")
    prisma.row("20241231000000_never", "x", rolled="2025-01-01 00:00:00+00")
    assert [one.script.name.text for one in take(prisma).taken] == [INIT, USERS, LATER]


def test_a_migration_with_several_lines_counts_once(prisma: Prisma) -> None:
    prisma.row(USERS, "an earlier text")
    assert [one.script.name.text for one in take(prisma).taken] == [INIT, USERS, LATER]


@pytest.mark.parametrize("change", [lambda text: text.replace("\r\n", "\n"), lambda text: text.replace("\n", "\r\n")])
def test_ends_of_lines_are_no_edit(change: Callable[[str], str], prisma: Prisma, tmp_path: Path) -> None:
    for name in (INIT, USERS, LATER):
        text = (tmp_path / "prisma" / "migrations" / name / "migration.sql").read_bytes().decode()
        prisma.put(name, change(text.replace("\r\n", "\n")))
    assert len(take(prisma).taken) == 3


def test_digests_of_early_prismas_without_leading_zeros_are_known(tmp_path: Path, database: str) -> None:
    project = Prisma(tmp_path, database)
    number, text = next((number, text) for number in range(1000) if len(short(text := f"SELECT {number};\n")) == 63)
    project.put(INIT, text)
    project.row(INIT, short(text))
    assert len(take(project).taken) == 1, number


def short(text: str) -> str:
    return "".join(f"{byte:x}" for byte in hashlib.sha256(text.encode()).digest())


def test_every_misfit_is_named_at_once_and_nothing_is_recorded(prisma: Prisma, tmp_path: Path) -> None:
    prisma.put(USERS, "ALTER TABLE users ADD nome text;\n")
    (tmp_path / "prisma/migrations" / INIT / "migration.sql").unlink()
    prisma.put("20250111111111_between", "SELECT 1;")
    prisma.put("20250303000000_begun", "SELECT 1;")
    prisma.row("20250303000000_begun", "SELECT 1;", finished=None)
    fault = refused(prisma)
    assert (fault.code, fault.exit_code) == ("not-adoptable", 5)
    assert {(one.code, Path(one.where.file or "").parent.name or one.where.file) for one in fault.problems} == {
        ("edited", USERS),
        ("gone", INIT),
        ("never-applied", "20250111111111_between"),
        ("failed-there", "20250303000000_begun"),
    }
    assert all(one.hint and ("--accept" in one.hint or "prisma migrate resolve" in one.hint) for one in fault.problems)
    with pytest.raises(GovernError) as caught:  # what failed there cannot be accepted
        take(prisma, USERS, INIT, "20250111111111_between", "20250303000000_begun")
    assert [one.code for one in caught.value.problems] == ["failed-there"]


def test_what_is_accepted_by_name_is_recorded_as_a_word(prisma: Prisma, tmp_path: Path) -> None:
    prisma.put(USERS, "ALTER TABLE users ADD nome text;\n")
    (tmp_path / "prisma/migrations" / INIT / "migration.sql").unlink()
    prisma.put("20250111111111_between", "SELECT 1;")
    found = take(prisma, USERS, INIT, "20250111111111_between", why="squashed")
    assert found.forgotten == (INIT,)
    assert {name: line[1] for name, line in history(prisma).items()} == {
        USERS: "person",
        "20250111111111_between": "person",
        LATER: "prisma",
    }
    answers = prisma.one("SELECT array_agg(name || ' ' || answer || ' ' || why ORDER BY name) FROM isthmus.schema_word")
    assert answers == [f"{INIT} forget squashed", f"{USERS} accept squashed", "20250111111111_between accept squashed"]
    with_settings(prisma, LATER)
    assert prisma.deploy() == []


def test_words_for_what_fits_are_refused(prisma: Prisma) -> None:
    with pytest.raises(ConfigError) as caught:
        take(prisma, USERS)
    assert caught.value.code == "nothing-to-accept"


def test_an_edited_file_of_drizzle_is_known_by_the_time_in_the_journal(drizzle: Drizzle) -> None:
    drizzle.put("0001_second", "SELECT 22;")
    fault = refused(drizzle)
    assert [(one.code, Path(one.where.file or "").name) for one in fault.problems] == [("edited", "0001_second.sql")]
    assert len(take(drizzle, "0001_second").taken) == 2


def test_a_journal_with_other_times_is_matched_by_hash(drizzle: Drizzle) -> None:
    drizzle.entries.clear()
    drizzle.journal("0000_first", 5)
    drizzle.journal("0001_second", 6)
    assert [one.script.name.text for one in take(drizzle).taken] == ["0000_first", "0001_second"]


def test_files_of_one_text_are_told_apart_by_the_journal(drizzle: Drizzle) -> None:
    for name, when in (("0002_empty", WHEN + 2), ("0003_empty", WHEN + 3)):
        drizzle.put(name, "-- nothing")
        drizzle.journal(name, when)
    drizzle.row("-- nothing", WHEN + 3)
    (problem,) = refused(drizzle).problems
    assert (problem.code, Path(problem.where.file or "").stem) == ("never-applied", "0002_empty")
    drizzle.row("-- nothing", WHEN + 2)
    assert take(drizzle).baseline == "0003_empty"


def test_a_line_without_a_time_belongs_to_no_file_that_has_none(drizzle: Drizzle) -> None:
    drizzle.row("DROP TABLE x;", WHEN)
    drizzle.do('UPDATE drizzle."__drizzle_migrations" SET created_at = NULL WHERE id = 3')
    drizzle.put("0002_not_in_the_journal", "SELECT 3;")
    assert [one.code for one in refused(drizzle).problems] == ["gone"]


def test_names_of_another_project_with_another_text_stand_in_nobodys_way(drizzle: Drizzle, tmp_path: Path) -> None:
    drizzle.do(
        'ALTER TABLE drizzle."__drizzle_migrations" ADD name text',
        "UPDATE drizzle.\"__drizzle_migrations\" SET name = '0000_first'",
    )
    other = Project(tmp_path / "other", drizzle.conninfo)
    other.write("0000_first", "CREATE TABLE o (id int);")
    assert other.deploy() == ["0000_first"]


def test_what_drizzle_passed_over_in_silence_is_found(drizzle: Drizzle) -> None:
    drizzle.put("0002_older", "SELECT 3;")
    drizzle.journal("0002_older", WHEN - 5)
    drizzle.applied("0003_newer", "SELECT 4;", WHEN + 3)
    drizzle.put("0001_unknown", "SELECT 5;")
    fault = refused(drizzle)
    assert {(one.code, Path(one.where.file or "").stem) for one in fault.problems} == {
        ("never-applied", "0002_older"),
        ("never-applied", "0001_unknown"),
    }
    assert "It is not in the journal" in next(one.message for one in fault.problems if "unknown" in str(one.where.file))


def test_what_is_gone_from_drizzle_is_named_by_its_hash(drizzle: Drizzle) -> None:
    drizzle.row("DROP TABLE x;", WHEN - 1)
    (problem,) = refused(drizzle).problems
    assert sha("DROP TABLE x;")[:12] in str(problem.hint)
    assert take(drizzle, sha("DROP TABLE x;")[:12]).forgotten == (sha("DROP TABLE x;")[:12],)


def test_names_that_newer_drizzles_keep_are_used(drizzle: Drizzle) -> None:
    table = 'drizzle."__drizzle_migrations"'
    drizzle.do(f"ALTER TABLE {table} ADD name text, ADD applied_at timestamptz")
    drizzle.do(
        f"UPDATE {table} SET name = CASE id WHEN 1 THEN '0000_first' ELSE '0001_second' END, applied_at = 'epoch'"
    )
    drizzle.put("0001_second", "SELECT 22;")
    (problem,) = refused(drizzle).problems
    assert (problem.code, Path(problem.where.file or "").stem) == ("edited", "0001_second")
    take(drizzle, "0001_second")
    assert history(drizzle)["0000_first"] == ["baseline", "drizzle", "1970-01-01 00:00:00+00"]


Before = Callable[[Prisma], object]
WITHOUT: dict[str, tuple[Before, dict[str, object], str]] = {
    "no table": (lambda one: one.do('DROP TABLE "_prisma_migrations"'), {}, "no-history"),
    "no lines": (lambda one: one.do('DELETE FROM "_prisma_migrations"'), {}, "empty-history"),
    "only rolled back": (
        lambda one: one.do('UPDATE "_prisma_migrations" SET rolled_back_at = now()'),
        {},
        "empty-history",
    ),
    "two of them": (
        lambda one: one.do("CREATE SCHEMA s", 'CREATE TABLE s."_prisma_migrations" (LIKE "_prisma_migrations")'),
        {},
        "which-history",
    ),
    "another table": (lambda _: None, {"history": "public.users"}, "no-history"),
    "no such table": (lambda _: None, {"history": "nowhere.x"}, "no-history"),
    "a word where there is a history": (lambda _: None, {"everything": True}, "has-history"),
    "a name of none": (lambda one: one.do('DROP TABLE "_prisma_migrations"'), {"up_to": "1_x"}, "unknown-migration"),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_what_cannot_be_adopted_is_refused(case: str, prisma: Prisma) -> None:
    before, wanted, code = WITHOUT[case]
    before(prisma)
    fault = refused(prisma, **wanted)
    assert (fault.code, fault.exit_code) == (code, 2)
    assert fault.hint


def test_a_history_elsewhere_is_named(prisma: Prisma) -> None:
    prisma.do('CREATE SCHEMA "Strange ""S"', 'ALTER TABLE "_prisma_migrations" SET SCHEMA "Strange ""S"')
    prisma.do('ALTER TABLE "Strange ""S"."_prisma_migrations" RENAME TO "My Table"')
    assert len(take(prisma, history='Strange "S.My Table').taken) == 3


@pytest.mark.parametrize(("wanted", "taken"), [({"everything": True}, 3), ({"up_to": USERS}, 2)])
def test_without_a_runner_a_persons_word_will_do(wanted: dict[str, object], taken: int, prisma: Prisma) -> None:
    prisma.do('DROP TABLE "_prisma_migrations"')
    found = take(prisma, **wanted)  # pyright: ignore[reportArgumentType]
    assert (len(found.taken), found.history) == (taken, None)
    assert {line[1] for line in history(prisma).values()} == {"person"}
    assert prisma.one("SELECT count(*) FROM isthmus.schema_word WHERE answer = 'applied'") == taken


def test_a_deploy_is_refused_where_another_history_tells_of_these_files(prisma: Prisma, drizzle: Drizzle) -> None:
    for project in (prisma, drizzle):
        if project is prisma:
            with_settings(project, LATER)
        with pytest.raises(GovernError) as caught:
            project.deploy()
        assert (caught.value.code, "schema adopt" in str(caught.value.hint)) == ("not-adopted", True)


def test_another_runner_that_comes_later_is_refused_as_well(tmp_path: Path, database: str) -> None:
    project = Drizzle(tmp_path, database)
    project.put("0000_first", f"{HEADER}SELECT 1;\n")
    assert project.deploy() == ["0000_first"]
    project.row(f"{HEADER}SELECT 1;\n", WHEN)
    with pytest.raises(GovernError) as caught:
        project.deploy()
    assert caught.value.code == "not-adopted"
    take(project)
    assert project.deploy() == []


def test_a_history_of_other_files_stands_in_nobodys_way(prisma: Prisma, tmp_path: Path) -> None:
    other = Project(tmp_path / "other", prisma.conninfo)
    other.write("0001_a", "CREATE TABLE o (id int);")
    assert other.deploy() == ["0001_a"]


def test_a_deploy_is_refused_when_the_other_history_has_grown_until_it_is_adopted(prisma: Prisma) -> None:
    take(prisma)
    with_settings(prisma, LATER)
    prisma.do("UPDATE \"_prisma_migrations\" SET logs = 'x'")
    assert prisma.deploy() == []
    prisma.applied("20250303120000_by_prisma", "SELECT 1;")
    with pytest.raises(GovernError) as caught:
        prisma.deploy()
    assert caught.value.code == "history-grew"
    assert "20250303120000_by_prisma" in caught.value.message
    found = take(prisma)
    assert ([one.script.name.text for one in found.taken], found.baseline) == (["20250303120000_by_prisma"], None)
    assert prisma.deploy() == []
    prisma.do('DROP TABLE "_prisma_migrations"')
    assert prisma.deploy() == []


def test_nothing_is_adopted_while_a_deployer_is_at_work(prisma: Prisma) -> None:
    with deploying(prisma.conninfo), pytest.raises(IsthmusError) as caught:
        take(prisma)
    assert caught.value.code == "lease-held"


def test_a_baseline_that_ends_transactions_itself_is_applied_to_an_empty_database_as_one_text(
    prisma: Prisma, make_database: Callable[[], str]
) -> None:
    with_settings(prisma, LATER)
    prisma.put("20250102000000_bad", "BEGIN;\nCREATE TABLE half ();\nCOMMIT;\nSELECT 1 / 0;\n-- it's\n")
    prisma.conninfo = make_database()
    with pytest.raises(IsthmusError) as caught:
        prisma.deploy()
    assert caught.value.code == "migration-failed"
    assert prisma.stands() == {
        INIT: "applied",
        USERS: "applied",
        "20250102000000_bad": "half-run",
        LATER: "pending",
    }
    prisma.put("20250102000000_bad", "BEGIN;\nSELECT 1;\nCOMMIT;\n")
    prisma.do(
        "UPDATE isthmus.schema_history SET settled_at = now(), steps_done = 0, checksum = 'x' WHERE steps_done = 0"
    )
    assert prisma.stands()["20250102000000_bad"] == "half-run"
    prisma.do("DELETE FROM isthmus.schema_history WHERE steps_done = 0")
    assert prisma.deploy() == ["20250102000000_bad", LATER]


def test_a_baseline_that_only_psql_can_execute_is_refused_where_it_is_pending(
    prisma: Prisma, make_database: Callable[[], str]
) -> None:
    with_settings(prisma, LATER)
    prisma.put(INIT, "\\restrict x\nCREATE TABLE users (id int);\n")
    prisma.conninfo = make_database()
    with pytest.raises(ConfigError) as caught:
        prisma.deploy()
    assert caught.value.code == "bad-migrations"
    assert prisma.one("SELECT to_regclass('users')") is None


def test_up_to_the_baseline_names_and_headers_may_be_any_and_files_must_not_change(tmp_path: Path) -> None:
    git = Git(tmp_path / "git")
    git.add("isthmus.toml", f'[schema]\nfolder = "m"\nbaseline = "{LATER}"\n')
    for name in (INIT, USERS, LATER):
        git.add(f"m/{name}/migration.sql", "BEGIN;\nSELECT 1;\nCOMMIT;\n")
    git.commit()
    git.add("m/20250303120000_next/migration.sql", f"{HEADER}\nCREATE TABLE next (id int);\n")
    project = find_project(git.folder)
    assert check_schemas(project).findings == ()
    git.add(f"m/{INIT}/migration.sql", "SELECT 2;\n")
    git.add("m/20250404120000_Strange-Name/migration.sql", f"{HEADER}\nSELECT 1;\n")
    found = {(one.rule, one.file.split("/")[1]) for one in check_schemas(project).findings}
    assert {("migration-unchanged", INIT), ("migration-name", "20250404120000_Strange-Name")} <= found


SETTINGS = {
    "one": ('# why\n[schema]\nfolder = "m" # here\n\n[changes]\nfolder = "c"\n', "m"),
    "several": ('[[schema]]\nfolder = "a"\n[[schema]]\nticket="x"\n  folder = \'m/\'', "m"),
    "windows": ('[schema]\r\nfolder = "m"\r\nticket = "X"\r\n', "m"),
    "python": ('[project]\nname = "m"\n[tool.isthmus.schema]\n"folder" = "m"\n', "m"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_get_a_baseline_and_stay_as_they_are_otherwise(case: str) -> None:
    text, folder = SETTINGS[case]
    made = with_baseline(text, folder, '0_a"ü', prefix=("tool", "isthmus") if case == "python" else ())
    assert made is not None
    lines = made.splitlines(keepends=True)
    added = [line for line in lines if line not in text.splitlines(keepends=True) and "baseline" in line]
    assert len(added) == 1
    assert "".join(line for line in lines if line not in added).rstrip() == text.rstrip()
    assert '"baseline"' in json.dumps(tomllib.loads(made))
    assert case != "windows" or made.count("\n") == made.count("\r\n")


@pytest.mark.parametrize("text", ['schema = {folder = "m"}\n', '[schema]\nfolder = """m"""\n'])
def test_settings_in_another_form_are_left_to_the_person(text: str) -> None:
    made = with_baseline(text, "m", "0_a")
    assert made is None or tomllib.loads(made)["schema"] == {"folder": "m", "baseline": "0_a"}
