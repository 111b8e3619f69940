"""What a person says of a migration is taken down as a person's word; what cannot be said of it is refused.

Oracle: the history, the words kept, and what a later deploy does to the database.
"""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from isthmus.errors import ConfigError, GovernError, TargetError
from isthmus.govern.adopting.adopt import Wanted, adopt
from isthmus.govern.deploying.deploy import deploying
from isthmus.govern.deploying.resolve import Answer, settle
from isthmus.govern.deploying.situation import Situation, find_situation
from tests.integration.govern.deployed import NONE, Project

CONCURRENT = "CREATE INDEX CONCURRENTLY i ON a (id);\nCREATE UNIQUE INDEX CONCURRENTLY u ON a (id);\nSELECT 1;"
PLAIN = "INSERT INTO a VALUES (5);\nINSERT INTO a VALUES (1 / 0);\nINSERT INTO a VALUES (6);"


def look(project: Project, name: str, *, at_work: bool = False) -> Situation:
    with psycopg.connect(project.conninfo, autocommit=True) as connection:
        return find_situation(connection, "m", project.scripts(), name, at_work=at_work)


def say(project: Project, name: str, kind: str, steps_done: int | None = None, why: str | None = None) -> str:
    answer = Answer(kind, steps_done, why)  # pyright: ignore[reportArgumentType]  also what is none
    return settle(project.conninfo, "m", project.scripts(), name, answer).stand


def half_run(project: Project, sql: str) -> None:
    """Leave 0002_b half run, and 0003_c behind it."""
    project.write("0001_a", "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1);")
    project.write("0002_b", sql, more=NONE)
    project.write("0003_c", "CREATE TABLE c (id int);")
    with pytest.raises(TargetError):
        project.deploy()


def words(project: Project) -> list[list[object]]:
    with psycopg.connect(project.conninfo) as connection:
        rows = connection.execute(
            "SELECT name, answer, steps_done, why, before ->> 'state', role = session_user FROM isthmus.schema_word"
            " ORDER BY id"
        ).fetchall()
    return [list(row) for row in rows]


def test_a_half_run_one_is_shown_with_the_statement_in_hand(project: Project) -> None:
    half_run(project, CONCURRENT)
    found = look(project, "0002_b")
    assert found.standing.stand == "half-run"
    assert found.in_hand is not None
    assert (found.in_hand.number, found.in_hand.line) == (2, 7)
    assert found.in_hand.text == "CREATE UNIQUE INDEX CONCURRENTLY u ON a (id)"
    assert not found.in_hand.is_undone
    assert found.invalid_indexes == (("u", "a"),)
    assert [word for _, word in found.answers()] == ["--step 1", "--step 2", "--again", "--applied"]


def test_a_plain_statement_that_was_refused_has_left_nothing(project: Project) -> None:
    half_run(project, PLAIN)
    found = look(project, "0002_b")
    assert found.in_hand is not None
    assert (found.in_hand.number, found.in_hand.is_undone) == (2, True)
    assert [word for _, word in found.answers()] == ["--step 1", "--again", "--applied"]


@pytest.mark.parametrize("secret", ["'hu''sh'", "E'hu\\'sh'", "$a$hu'sh$a$", "U&'hu\\0073h'", "/* of it */ 'hush'"])
def test_passwords_of_a_statement_are_not_shown(secret: str, project: Project) -> None:
    project.write("0001_a", f"ALTER ROLE nobody_here PASSWORD {secret};", more=NONE)
    with pytest.raises(TargetError):
        project.deploy()
    found = look(project, "0001_a")
    assert found.in_hand is not None
    assert found.in_hand.text.endswith("***")
    assert "hu" not in found.in_hand.text


def test_an_index_that_is_being_built_is_not_called_invalid(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.deploy()
    project.write("0002_b", "CREATE INDEX CONCURRENTLY i ON a (id);\nSELECT 1;", more=NONE)
    with psycopg.connect(project.conninfo) as holder:  # the build waits for whoever wrote to the table
        holder.execute("INSERT INTO a VALUES (1)")
        deployer = threading.Thread(target=project.deploy)
        deployer.start()
        ends_at = time.monotonic() + 20
        while project.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0:
            assert time.monotonic() < ends_at
            time.sleep(0.02)
        found = [look(project, "0002_b", at_work=at_work) for at_work in (True, False)]
        holder.rollback()
        deployer.join()
    assert [(one.standing.stand, one.invalid_indexes) for one in found] == [("running", ()), ("half-run", ())]


@pytest.mark.parametrize("more", ["", NONE])
def test_one_that_failed_and_is_gone_is_not_said_to_be_applied(more: str, project: Project) -> None:
    file = project.write("0001_a", "SELECT 1 / 0;", more=more)
    with pytest.raises(TargetError):
        project.deploy()
    file.rename(file.with_name("0002_a.sql"))
    with pytest.raises(GovernError) as caught:
        project.deploy()
    (problem,) = caught.value.problems
    assert problem.message == "It was begun and did not get through, and its file is gone."
    assert "resolve 0001_a --forget" in str(problem.hint)
    say(project, "0001_a", "forget")
    assert project.stands() == {"0002_a": "pending"}


def test_the_next_deploy_goes_on_behind_the_statement_that_is_through(project: Project) -> None:
    half_run(project, PLAIN)
    assert say(project, "0002_b", "step", 2, "made by hand") == "settled"
    line = project.line("0002_b")
    assert line is not None
    assert (line["steps_done"], line["on_word_of"], line["fault"]) == (2, "person", None)
    assert project.deploy() == ["0002_b", "0003_c"]
    assert project.one("SELECT array_agg(id ORDER BY id) FROM a") == [1, 1, 5, 6]
    line = project.line("0002_b")
    assert line is not None
    assert (line["state"], line["steps_done"], line["on_word_of"], line["settled_at"]) == ("applied", 3, "person", None)
    assert words(project) == [["0002_b", "step", 2, "made by hand", "failed", True]]


def test_begun_anew_all_statements_are_executed(project: Project) -> None:
    half_run(project, PLAIN)
    project.do("DELETE FROM a WHERE id = 5")
    assert say(project, "0002_b", "again") == "pending"
    project.write("0002_b", PLAIN.replace("1 / 0", "7"), more=NONE)
    assert project.deploy() == ["0002_b", "0003_c"]
    assert project.one("SELECT array_agg(id ORDER BY id) FROM a") == [1, 1, 5, 6, 7]
    line = project.line("0002_b")
    assert line is not None
    assert line["on_word_of"] is None


def test_a_file_that_changed_after_it_was_settled_wants_another_word(project: Project) -> None:
    half_run(project, PLAIN)
    say(project, "0002_b", "step", 1)
    project.write("0002_b", "SELECT 1;\n" + PLAIN, more=NONE)
    assert project.stands()["0002_b"] == "half-run"
    assert look(project, "0002_b").is_other_text
    with pytest.raises(GovernError):
        project.deploy()


def test_one_that_is_settled_goes_on_where_it_is_checked_out_with_other_ends_of_lines(project: Project) -> None:
    half_run(project, PLAIN)
    say(project, "0002_b", "step", 2)
    file = project.folder / "0002_b.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    project.deploy(to="0002_b")
    assert project.one("SELECT array_agg(id ORDER BY id) FROM a WHERE id <> 1") == [5, 6]  # 5 was not inserted again


def test_a_half_run_one_that_is_given_a_transaction_stays_half_run(project: Project) -> None:
    half_run(project, PLAIN)
    project.write("0002_b", PLAIN)
    assert project.stands()["0002_b"] == "half-run"


@pytest.mark.parametrize("name", ["0002_b", "0003_c"])
def test_what_is_there_is_not_executed(name: str, project: Project) -> None:
    half_run(project, PLAIN)
    if name == "0003_c":
        with pytest.raises(ConfigError) as caught:
            say(project, name, "applied")
        assert (caught.value.code, "0002_b" in caught.value.message) == ("older-pending", True)
    say(project, "0002_b", "applied")
    if name == "0003_c":
        assert say(project, name, "applied") == "applied"
        assert project.deploy() == []
        assert project.one("SELECT to_regclass('c') IS NULL") is True
    else:
        assert project.deploy() == ["0003_c"]
        line = project.line("0002_b")
        assert line is not None
        assert (line["applied_at"], line["seconds"], line["on_word_of"]) == (None, None, "person")


def test_one_that_is_older_than_the_newest_and_is_there_may_be_taken_down(project: Project) -> None:
    project.write("0002_b", "SELECT 1;")
    project.deploy()
    project.write("0001_a", "SELECT 1;")
    assert project.stands()["0001_a"] == "out-of-order"
    assert say(project, "0001_a", "applied") == "applied"
    assert project.deploy() == []


def test_a_changed_one_needs_a_word_and_a_missing_one_another(project: Project) -> None:
    project.write("0001_a", "SELECT 1;")
    file = project.write("0002_b", "SELECT 2;")
    project.deploy()
    project.write("0001_a", "SELECT 3;")
    file.unlink()
    assert project.stands() == {"0001_a": "changed", "0002_b": "missing"}
    with pytest.raises(ConfigError):
        say(project, "0002_b", "again")
    say(project, "0001_a", "applied")
    say(project, "0002_b", "forget")
    assert project.stands() == {"0001_a": "applied"}
    assert words(project) == [
        ["0001_a", "applied", None, None, "applied", True],
        ["0002_b", "forget", None, None, "applied", True],
    ]


def test_only_the_newest_one_may_be_said_to_be_rolled_back(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.write("0002_b", "CREATE TABLE b (id int);")
    project.deploy()
    with pytest.raises(ConfigError) as caught:
        say(project, "0001_a", "again")
    assert caught.value.code == "not-an-answer"
    project.do("DROP TABLE b")
    assert say(project, "0002_b", "again") == "pending"
    assert project.deploy() == ["0002_b"]


@pytest.mark.parametrize(
    ("name", "kind", "steps", "code"),
    [
        ("0002_b", "forget", None, "not-an-answer"),
        ("0002_b", "step", 3, "not-an-answer"),
        ("0002_b", "step", -1, "not-an-answer"),
        ("0001_a", "step", 0, "not-an-answer"),
        ("0001_a", "applied", None, "not-an-answer"),
        ("0003_c", "step", 0, "not-an-answer"),
        ("0009_x", "applied", None, "unknown-migration"),
    ],
)
def test_what_cannot_be_said_is_refused_and_nothing_is_written(
    name: str, kind: str, steps: int | None, code: str, project: Project
) -> None:
    half_run(project, PLAIN)
    before = project.stands()
    with pytest.raises(ConfigError) as caught:
        say(project, name, kind, steps)
    assert caught.value.code == code
    assert project.stands() == before
    assert words(project) == []


def test_nothing_is_settled_while_a_deployer_is_at_work(project: Project) -> None:
    half_run(project, PLAIN)
    with deploying(project.conninfo), pytest.raises(TargetError) as caught:
        say(project, "0002_b", "applied")
    assert caught.value.code == "lease-held"


def test_tables_of_the_user_are_never_touched(project: Project) -> None:
    half_run(project, CONCURRENT)
    tables = "SELECT array_agg((oid, relfilenode, relname)::text ORDER BY oid) FROM pg_class WHERE relnamespace = 2200"
    before = project.one(tables), project.one("SELECT array_agg((ctid, xmin, id)::text) FROM a")
    say(project, "0002_b", "step", 1)
    say(project, "0002_b", "again")
    say(project, "0002_b", "applied")
    assert (project.one(tables), project.one("SELECT array_agg((ctid, xmin, id)::text) FROM a")) == before


def adopted(project: Project, *, last: str = "0003_c") -> None:
    """Leave a person's word that the database has three migrations, of which it has 0001_a and 0003_c."""
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.write("0002_b", "ALTER TABLE a ADD b int;\nINSERT INTO a VALUES (2, 2);")
    project.write("0003_c", "CREATE TABLE c (id int);")
    project.do("CREATE TABLE a (id int)", "CREATE TABLE c (id int)")
    adopt(project.conninfo, project.folder, project.settings, Wanted(up_to=last))


def test_a_wrong_word_on_an_older_one_of_the_baseline_is_taken_back_and_it_is_deployed(project: Project) -> None:
    adopted(project)
    assert [word for _, word in look(project, "0002_b").answers()] == ["--again"]
    assert say(project, "0002_b", "again", why="it was never there") == "settled"
    assert words(project)[-1] == ["0002_b", "again", None, "it was never there", "baseline", True]
    assert project.deploy() == ["0002_b"]
    assert project.one("SELECT array_agg(b) FROM a") == [2]
    assert project.stands() == {"0001_a": "baseline", "0002_b": "applied", "0003_c": "baseline"}


def test_one_that_cannot_be_applied_so_late_may_be_tried_again_or_told(project: Project) -> None:
    adopted(project)
    project.do("DROP TABLE a")
    say(project, "0002_b", "again")
    for _ in range(2):
        with pytest.raises(TargetError) as caught:
            project.deploy()
        assert caught.value.code == "migration-failed"
    assert say(project, "0002_b", "again") == "settled"
    assert say(project, "0002_b", "applied") == "applied"
    assert project.deploy() == []


def test_the_newest_of_the_baseline_is_pending_again(project: Project) -> None:
    adopted(project, last="0002_b")
    assert say(project, "0002_b", "again") == "pending"
    assert project.stands() == {"0001_a": "baseline", "0002_b": "pending", "0003_c": "pending"}


def test_of_what_another_runner_says_only_the_newest_can_be_taken_back(project: Project) -> None:
    adopted(project)
    project.do("UPDATE isthmus.schema_history SET on_word_of = 'drizzle'")
    with pytest.raises(ConfigError) as caught:
        say(project, "0002_b", "again")
    assert (caught.value.code, "as a new migration" in str(caught.value.hint)) == ("not-an-answer", True)
    assert say(project, "0003_c", "again") == "pending"
