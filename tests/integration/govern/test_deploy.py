"""Deploying to a real server: what is pending is applied as a whole and written down; misfits are refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from isthmus.errors import ConfigError, GovernError, TargetError
from isthmus.govern.deploying.deploy import deploy, deploying
from isthmus.govern.deploying.standing import standings
from isthmus.govern.migrations.script import read_scripts
from isthmus.govern.settings import SchemaSettings
from isthmus.state.schema_history import read_history

HEADER = "-- Purpose: a test\n-- Ticket: N/A\n-- Reversible: No\n"
SETTINGS = SchemaSettings(folder="m", layout="flat")


class Project:
    """A folder of migrations and a database."""

    def __init__(self, folder: Path, conninfo: str) -> None:
        self.folder, self.conninfo = folder / "m", conninfo
        self.folder.mkdir()

    def write(self, name: str, sql: str, *, more: str = "") -> Path:
        file = self.folder / f"{name}.sql"
        file.write_text(f"{HEADER}{more}\n{sql}\n")
        return file

    def deploy(self, **how: float) -> list[str]:
        return [one.name for one in deploy(self.conninfo, "m", read_scripts(self.folder, SETTINGS), **how)]  # pyright: ignore[reportArgumentType]

    def stands(self) -> dict[str, str]:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            history = read_history(connection, "m")
        return {one.name: one.stand for one in standings(read_scripts(self.folder, SETTINGS), history)}

    def do(self, *statements: str) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            for one in statements:
                connection.execute(one.encode())

    def one(self, query: str) -> object:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
            return row and row[0]


@pytest.fixture
def project(tmp_path: Path, database: str) -> Project:
    return Project(tmp_path, database)


def test_pending_ones_are_applied_in_order_once(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.write("0002_b", "ALTER TABLE a ADD b int; INSERT INTO a VALUES (1, 2);")
    assert project.stands() == {"0001_a": "pending", "0002_b": "pending"}
    assert project.deploy() == ["0001_a", "0002_b"]
    assert project.deploy() == []
    assert project.stands() == {"0001_a": "applied", "0002_b": "applied"}
    assert project.one("SELECT count(*) FROM a") == 1
    project.write("0003_c", "DROP TABLE a;")
    assert project.deploy() == ["0003_c"]
    row = project.one("SELECT to_jsonb(h) FROM isthmus.schema_history h WHERE name = '0002_b'")
    assert isinstance(row, dict)
    assert (row["steps"], row["steps_done"], row["state"], row["fault"]) == (2, 2, "applied", None)
    assert row["seconds"] >= 0


def test_a_migration_that_fails_leaves_nothing_and_may_be_corrected(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    file = project.write("0002_b", "CREATE TABLE b (id int);\nINSERT INTO a\nVALUES ('x');")
    with pytest.raises(TargetError) as caught:
        project.deploy()
    fault = caught.value
    assert (fault.code, fault.where.file, fault.where.line) == ("migration-failed", str(file), 7)
    assert "invalid input syntax" in fault.message
    assert "Nothing of it is there" in (fault.hint or "")
    assert project.one("SELECT to_regclass('b')") is None
    assert project.stands() == {"0001_a": "applied", "0002_b": "failed"}
    project.write("0002_b", "CREATE TABLE b (id int);")
    assert project.deploy() == ["0002_b"]
    assert project.stands()["0002_b"] == "applied"


Change = Callable[[Project], object]
MISFITS: dict[str, tuple[Change, str, str]] = {
    "changed": (lambda one: one.write("0001_a", "CREATE TABLE a (id bigint);"), "changed", "0001_a"),
    "gone": (lambda one: (one.folder / "0001_a.sql").unlink(), "missing", "0001_a"),
    "renamed": (lambda one: (one.folder / "0001_a.sql").rename(one.folder / "0001_z.sql"), "missing", "0001_a"),
    "older": (lambda one: one.write("0000_old", "SELECT 1;"), "out-of-order", "0000_old"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_nothing_is_applied_where_history_and_files_differ(case: str, project: Project) -> None:
    change, code, name = MISFITS[case]
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.write("0002_b", "CREATE TABLE b (id int);")
    project.deploy()
    project.write("0003_c", "CREATE TABLE c (id int);")
    change(project)
    with pytest.raises(GovernError) as caught:
        project.deploy()
    assert caught.value.code == "history-differs"
    assert (code, name) in {(one.code, Path(one.where.file or "").stem) for one in caught.value.problems}
    assert project.one("SELECT to_regclass('c')") is None


def test_one_without_a_transaction_is_half_run_when_it_fails(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1);")
    project.write(
        "0002_b",
        "CREATE INDEX CONCURRENTLY i ON a (id);\nCREATE UNIQUE INDEX CONCURRENTLY u ON a (id);\nSELECT 1;",
        more="-- Transaction: none\n",
    )
    with pytest.raises(TargetError) as caught:
        project.deploy()
    assert caught.value.code == "migration-failed"
    assert "resolve" in (caught.value.hint or "")
    assert project.stands() == {"0001_a": "applied", "0002_b": "half-run"}
    row = project.one("SELECT to_jsonb(h) FROM isthmus.schema_history h WHERE name = '0002_b'")
    assert isinstance(row, dict)
    assert (row["state"], row["steps"], row["steps_done"]) == ("failed", 3, 1)
    with pytest.raises(GovernError) as refused:
        project.deploy()
    assert [one.code for one in refused.value.problems] == ["half-run"]


def test_settings_of_one_migration_do_not_reach_the_next(project: Project) -> None:
    project.write("0001_a", "CREATE SCHEMA s; SET search_path = s; SET work_mem = '1MB'; CREATE TABLE a (id int);")
    project.write("0002_b", "CREATE TABLE b (id int);")
    project.deploy()
    assert project.one("SELECT to_regclass('s.a') IS NOT NULL AND to_regclass('public.b') IS NOT NULL") is True


@pytest.mark.parametrize("word", ["BEGIN", "COMMIT", "ROLLBACK", "END", "START TRANSACTION", "ABORT"])
def test_ends_of_transactions_are_refused_before_anything_is_applied(word: str, project: Project) -> None:
    file = project.write("0001_a", f"CREATE TABLE a (id int);\n{word};")
    with pytest.raises(ConfigError) as caught:
        project.deploy()
    (problem,) = caught.value.problems
    assert (problem.where.file, problem.where.line) == (str(file), 6)
    assert project.one("SELECT to_regclass('isthmus.schema_history')") is None


def test_a_lock_that_is_not_to_be_had_is_tried_again_then_told(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.deploy()
    project.write("0002_b", "ALTER TABLE a ADD b int;")
    with psycopg.connect(project.conninfo) as holder:
        holder.execute("LOCK TABLE a IN ACCESS SHARE MODE")
        released = threading.Timer(1.5, holder.rollback)
        released.start()
        assert project.deploy(lock_seconds=0.3) == ["0002_b"]
        released.join()
    assert project.stands()["0002_b"] == "applied"


def test_a_second_deployer_is_refused_while_the_first_works(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    with deploying(project.conninfo):
        with pytest.raises(TargetError) as caught:
            project.deploy()
        assert caught.value.code == "lease-held"
    assert project.deploy() == ["0001_a"]


def test_a_commit_whose_answer_is_lost_counts(project: Project) -> None:
    from isthmus.state import schema_history

    project.write("0001_a", "CREATE TABLE a (id int);")
    project.deploy()
    (script,) = read_scripts(project.folder, SETTINGS)
    with deploying(project.conninfo) as connection:
        known = read_history(connection, "m")["0001_a"]
        written = schema_history.failed(connection, "m", "0001_a", script.checksum, 1, known.started_at, "lost")
    assert not written
    assert project.stands() == {"0001_a": "applied"}


def test_the_same_database_keeps_several_schemas_apart(project: Project, tmp_path: Path) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    other = tmp_path / "other"
    other.mkdir()
    (other / "0001_a.sql").write_text(f"{HEADER}\nCREATE TABLE o (id int);\n")
    project.deploy()
    settings = SchemaSettings(folder="other", layout="flat")
    assert [one.name for one in deploy(project.conninfo, "other", read_scripts(other, settings))] == ["0001_a"]
    assert project.one("SELECT count(*) FROM isthmus.schema_history") == 2
