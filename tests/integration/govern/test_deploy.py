"""Deploying to a real server: what is pending is applied as a whole and written down; misfits are refused."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest

from isthmus.errors import ConfigError, GovernError, TargetError
from isthmus.govern.deploying.deploy import deploy, deploying
from isthmus.govern.deploying.telling import Telling
from isthmus.govern.migrations.script import Script, read_scripts
from isthmus.govern.settings import SchemaSettings
from isthmus.state import deployer_at_work
from isthmus.state.schema_history import read_history
from tests.chaos.proxy import Cut, Proxy
from tests.fix_postgres import until_free
from tests.integration.govern.deployed import HEADER, NONE, Project


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
    (script,) = project.scripts()
    with deploying(project.conninfo) as lease:
        known = read_history(lease.connection, "m")["0001_a"]
        written = schema_history.failed(lease.connection, "m", "0001_a", script.checksum, 1, known.started_at, "lost")
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


def test_a_schema_that_is_only_named_anew_is_not_applied_again(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE IF NOT EXISTS a (id int); INSERT INTO a VALUES (1);")
    project.deploy()
    project.write("0002_b", "SELECT 1;")
    with pytest.raises(GovernError) as caught:
        deploy(project.conninfo, 'sh"op', project.scripts())
    assert (caught.value.code, 'name = "m"' in str(caught.value.hint)) == ("schema-renamed", True)
    assert project.one("SELECT count(*) FROM a") == 1
    assert len(deploy(project.conninfo, 'sh"op', project.scripts(), titles=["m"])) == 2  # both are in the settings
    project.write("0001_a", "SELECT 2;")
    assert len(deploy(project.conninfo, "other", project.scripts())) == 2


class Heard(Telling):
    """Keeps what a deployer tells."""

    def __init__(self) -> None:
        self.holders: list[str] = []
        self.again: list[str] = []
        self.said: list[tuple[str, str]] = []
        self.statements: list[int] = []

    def executes(self, script: Script, number: int) -> None:  # noqa: ARG002
        self.statements.append(number)

    def is_held_up(self, words: str) -> None:
        self.holders.append(words)

    def tries_again(self, script: Script, pause_seconds: float, words: str) -> None:  # noqa: ARG002
        self.again.append(words)

    def hears(self, script: Script, severity: str, words: str) -> None:  # noqa: ARG002
        self.said.append((severity, words))


def test_who_holds_a_lock_is_told_while_it_is_waited_for(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.deploy()
    project.write("0002_b", "ALTER TABLE a ADD b int;")
    heard = Heard()
    with psycopg.connect(project.conninfo, application_name="psql password=hush") as holder:
        holder.execute("LOCK TABLE a IN ACCESS SHARE MODE")
        released = threading.Timer(1.0, holder.rollback)
        released.start()
        assert project.deploy(lock_seconds=0.3, telling=heard) == ["0002_b"]
        who = f"process {holder.info.backend_pid} (psql password=***, role"
        released.join()
    assert any(who in words and "idle in transaction" in words for words in heard.holders), heard.holders
    assert who in heard.again[0]
    assert "lock timeout" in heard.again[0]


def test_a_statement_without_a_transaction_is_tried_again_and_those_before_it_are_not(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.deploy()
    project.write("0002_b", "SET search_path = public;\nINSERT INTO a VALUES (1);\nALTER TABLE a ADD b int;", more=NONE)
    with psycopg.connect(project.conninfo) as holder:
        holder.execute("LOCK TABLE a IN ROW SHARE MODE")
        released = threading.Timer(0.8, holder.rollback)
        released.start()
        assert project.deploy(lock_seconds=0.2) == ["0002_b"]
        released.join()
    assert project.one("SELECT count(*) FROM a") == 1


def test_what_is_built_concurrently_is_never_cut_short_by_a_lock(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.deploy()
    project.write("0002_b", "CREATE INDEX CONCURRENTLY i ON a (id);\nSHOW lock_timeout;", more=NONE)
    with psycopg.connect(project.conninfo) as holder:
        holder.execute("INSERT INTO a VALUES (1)")
        released = threading.Timer(1.0, holder.rollback)
        released.start()
        assert project.deploy(lock_seconds=0.2) == ["0002_b"]
        released.join()
    assert project.one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") is True


@pytest.mark.parametrize("setting", ["SET search_path = s", "SELECT pg_catalog.set_config('search_path', 's', false)"])
def test_settings_are_there_again_when_a_migration_goes_on(setting: str, project: Project) -> None:
    project.write("0001_a", "CREATE SCHEMA s; CREATE TABLE public.a (id int);")
    project.deploy()
    project.write("0002_b", f"{setting};\nSELECT 1 / 0;\nCREATE TABLE t (id int);", more=NONE)
    with pytest.raises(TargetError):
        project.deploy()
    project.do("UPDATE isthmus.schema_history SET settled_at = now(), steps_done = 2 WHERE name = '0002_b'")
    assert project.deploy() == ["0002_b"]
    assert project.one("SELECT to_regclass('s.t') IS NOT NULL") is True


def test_a_migration_that_becomes_another_role_is_written_down_all_the_same(project: Project) -> None:
    role = f"r{project.one('SELECT pg_backend_pid()')}"
    project.do(f"CREATE ROLE {role}", f"GRANT CREATE ON SCHEMA public TO {role}")
    try:
        project.write("0001_a", f"SET ROLE {role}; SET statement_timeout = '1h'; CREATE TABLE a (id int);")
        project.write("0002_b", "CREATE TABLE b (id int);")
        assert project.deploy() == ["0001_a", "0002_b"]
        owners = project.one(
            "SELECT array_agg(tableowner::text ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'"
        )
        assert (owners[0], owners[1] == role) == (role, False)
    finally:
        project.do(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_what_the_server_says_is_heard_without_secrets(project: Project) -> None:
    project.write("0001_a", "DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'password=hush'; END $$;")
    heard = Heard()
    project.deploy(telling=heard)
    assert heard.said == [("NOTICE", "one"), ("WARNING", "password=***")]


@contextlib.contextmanager
def losing(faults: list[TargetError]) -> Generator[None]:
    try:
        yield
    except TargetError as fault:
        faults.append(fault)
        raise


@pytest.mark.parametrize("cut", ["before-commit", "after-commit"])
def test_a_connection_cut_at_any_commit_is_settled_by_the_history(cut: Cut, project: Project) -> None:
    """The COMMIT whose answer is lost counts; one that never arrived leaves nothing; both come to one end."""
    project.write("0000_zero", "SELECT 1;")
    project.deploy()
    project.write("0001_a", "CREATE TABLE a (id int); INSERT INTO a VALUES (1);")
    project.write("0002_b", "INSERT INTO a VALUES (2);\nINSERT INTO a VALUES (3);", more=NONE)
    project.write("0003_c", "INSERT INTO a VALUES (4);")
    faults: list[TargetError] = []
    number = 0
    while True:
        number += 1
        with Proxy(project.conninfo, cut, number) as proxy:
            with contextlib.suppress(TargetError), losing(faults):
                project.deploy(conninfo=proxy.conninfo(project.conninfo))
            cuts = proxy.cuts
        if not cuts:
            break
        until_free(project.conninfo)
        project.deploy()
        assert project.one("SELECT array_agg(id ORDER BY id) FROM a") == [1, 2, 3, 4]
        assert set(project.stands().values()) == {"applied"}
        project.do("DROP TABLE a", "DELETE FROM isthmus.schema_history WHERE name <> '0000_zero'")
    codes = Counter(one.code for one in faults)
    # of the COMMITs one is of the lock that is waited for, one a migration's in a transaction
    assert codes["connection-lost"] == (2 if cut == "before-commit" else 0), faults
    assert codes.total() - codes["connection-lost"] == codes["target-unavailable"], faults
    assert all("Nothing of it is there" in one.message for one in faults if one.code == "connection-lost")
    assert number >= 4


@pytest.mark.parametrize(("more", "stand"), [("", "pending"), (NONE, "half-run")])
def test_a_session_that_ends_in_the_middle_leaves_what_the_history_says(
    more: str, stand: str, project: Project
) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);\nSELECT pg_terminate_backend(pg_backend_pid());", more=more)
    with pytest.raises(TargetError) as caught:
        project.deploy()
    assert caught.value.code == "connection-lost"
    assert project.stands() == {"0001_a": stand}
    assert project.one("SELECT to_regclass('a') IS NULL") is (stand == "pending")


def test_a_deployer_that_loses_its_lease_takes_it_again_or_ends(project: Project) -> None:
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'isthmus % pid %'"
    project.write("0001_a", f"CREATE TABLE a (id int); {end} AND datname = current_database();")
    project.write("0002_b", "INSERT INTO a VALUES (1);")
    assert project.deploy() == ["0001_a", "0002_b"]
    assert project.one("SELECT count(*) FROM a") == 1


def test_what_another_deployer_applied_in_between_is_not_applied_again(project: Project) -> None:
    """As when the lease was lost without notice: the session that executes looks at the history once more."""
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.deploy()
    project.write("0002_b", "INSERT INTO a VALUES (1);")

    class Meddler(Telling):
        def begins(self, script: Script) -> None:  # noqa: ARG002
            other = project.scripts()[1]
            project.do(
                "INSERT INTO a VALUES (1)",
                "INSERT INTO isthmus.schema_history SELECT schema_title, '0002_b',"
                f" '{other.checksum}', state, steps, steps_done, started_at, applied_at, seconds, fault,"
                " isthmus_version FROM isthmus.schema_history",
            )

    with pytest.raises(TargetError) as caught:
        project.deploy(telling=Meddler())
    assert caught.value.code == "lease-lost"
    assert project.one("SELECT count(*) FROM a") == 1
    assert project.stands() == {"0001_a": "applied", "0002_b": "applied"}


def test_the_session_of_a_deployer_that_died_is_waited_for(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.deploy()
    project.do("UPDATE isthmus.schema_history SET state = 'running', steps_done = 0 WHERE name = '0001_a'")
    with psycopg.connect(project.conninfo, autocommit=True) as left:
        deployer_at_work.mark_at_work(left)
        assert deployer_at_work.is_at_work(left)
        assert project.stands(at_work=True) == {"0001_a": "running"}

        def end() -> None:
            left.execute("UPDATE isthmus.schema_history SET state = 'applied', steps_done = 1 WHERE name = '0001_a'")
            left.close()

        later = threading.Timer(0.7, end)
        later.start()
        assert project.deploy() == []
        later.join()
    assert project.stands() == {"0001_a": "applied"}


def test_ends_of_lines_are_no_change(project: Project) -> None:
    file = project.write("0001_a", "CREATE TABLE a (id int);")
    project.deploy()
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert project.stands() == {"0001_a": "applied"}
    assert project.deploy() == []


def test_a_nul_byte_is_refused_for_a_statement_would_end_there(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);\nINSERT INTO a SELECT 1 \0 WHERE false;")
    with pytest.raises(ConfigError) as caught:
        project.deploy()
    assert [(one.message, one.where.line) for one in caught.value.problems] == [("It holds a NUL byte.", 6)]


def test_a_statement_timeout_is_told_with_what_sets_it(project: Project) -> None:
    project.write("0001_a", "SET statement_timeout = '50ms';\nSELECT pg_sleep(5);")
    with pytest.raises(TargetError) as caught:
        project.deploy()
    assert "statement_timeout" in str(caught.value.hint)
    assert (caught.value.where.line if caught.value.where else None) == 6


def test_the_history_holds_the_text_that_failed_last(project: Project) -> None:
    for text in ("SELECT 1 / 0;", "SELECT 1;\nSELECT 2 / 0;"):
        project.write("0001_a", text)
        with pytest.raises(TargetError):
            project.deploy()
        line = project.line("0001_a")
        assert line is not None
        assert (line["checksum"], line["steps"]) == (project.scripts()[0].checksum, text.count(";"))


def test_what_only_psql_understands_is_refused_before_anything_is_applied(project: Project) -> None:
    project.write("0001_a", "CREATE TABLE a (id int);")
    project.write("0002_b", "\\restrict x;\nCOPY a FROM stdin;\n1\n\\.\n;")
    with pytest.raises(ConfigError) as caught:
        project.deploy()
    messages = [one.message for one in caught.value.problems]
    assert messages[:2] == [
        "A command of psql is no SQL.",
        "COPY FROM STDIN reads rows from the file, which only psql does.",
    ]
