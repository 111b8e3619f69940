"""SIGKILL of `isthmus schema deploy` before, within and after every statement and COMMIT; then the history is honest,
and `deploy`, or `resolve` and `deploy`, brings the database to what an unkilled deploy makes.

Oracle: the catalog and the rows themselves, by queries of the test's own. Cannot see: a death of the server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from isthmus.state.migrate import migrate
from tests.chaos.measured import spread
from tests.chaos.sessions import ROOT
from tests.fix_postgres import create_database
from tests.forkserver import Forked, possible, run
from tests.integration.govern.deployed import HEADER, NONE

KILLED = -9
SLOW = (
    "CREATE FUNCTION public.slow(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
    " $$ BEGIN PERFORM pg_sleep(coalesce(nullif(current_setting('t.slow', true), ''), '0')::float); RETURN id; END $$"
)


@dataclass(frozen=True)
class Planned:
    """A statement, and a query that tells whether it is through."""

    sql: str
    is_through: str


PLAN: dict[str, tuple[Planned, ...]] = {
    "0001_a": (
        Planned(SLOW, "SELECT to_regprocedure('slow(int)') IS NOT NULL"),
        Planned("CREATE TABLE a (id int PRIMARY KEY)", "SELECT to_regclass('a') IS NOT NULL"),
        Planned("INSERT INTO a SELECT slow(n) FROM generate_series(1, 2) n", "SELECT count(*) = 2 FROM a WHERE id < 3"),
    ),
    "0002_b": (
        Planned("INSERT INTO a VALUES (slow(3))", "SELECT count(*) = 1 FROM a WHERE id = 3"),
        Planned(
            "CREATE INDEX CONCURRENTLY i ON a (public.slow(id))",
            "SELECT coalesce(bool_or(indisvalid), false) FROM pg_index WHERE indexrelid = to_regclass('i')",
        ),
        Planned("CREATE TABLE b AS SELECT slow(4) AS id", "SELECT to_regclass('b') IS NOT NULL"),
    ),
    "0003_c": (
        Planned(
            "ALTER TABLE a ADD n int",
            "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = to_regclass('a') AND attname = 'n'",
        ),
        Planned("UPDATE a SET n = slow(id)", "SELECT count(*) = 3 FROM a WHERE to_jsonb(a) ->> 'n' IS NOT NULL"),
        Planned("CREATE TABLE c AS SELECT slow(5) AS id", "SELECT to_regclass('c') IS NOT NULL"),
    ),
}
WITHOUT = "0002_b"
STATEMENTS = [(name, number) for name, planned in PLAN.items() for number in range(1, len(planned) + 1)]


@dataclass
class Deploys:
    """Deploys of one project to one database."""

    folder: Path
    target: str
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.folder / "log"

    def begin(self, **plan: Any) -> Forked | subprocess.Popen[str]:
        """Begin a deploy; see `tests.chaos.runner` for its plan."""
        words = [json.dumps({"log": str(self.log), **plan}), "schema", "deploy", "-t", self.target]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if possible():
            return Forked("runner", words, cwd=self.folder, env=environment)
        return subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.runner", *words],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    def run(self, **plan: Any) -> tuple[int, str]:
        """Deploy; return the exit code, negative for a signal, and what was said."""
        process = self.begin(**plan)
        text, _ = process.communicate(timeout=120)
        return process.wait(), text

    def ask(self, *words: str) -> tuple[int, Any]:
        """Run another command of `isthmus schema` with `--json -`; return the exit code and the JSON."""
        command = ["schema", *words, "-t", self.target, "--json", "-"]
        if possible():
            done = run("isthmus", command, cwd=self.folder, env=os.environ, timeout=120)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "isthmus", *command], cwd=self.folder, capture_output=True, check=False
            )
        return done.returncode, json.loads(done.stdout)

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self.target, autocommit=True) as connection:
            return connection.execute(text.encode()).fetchall()

    def do(self, text: str) -> None:
        """Execute a statement."""
        with psycopg.connect(self.target, autocommit=True) as connection:
            connection.execute(text.encode())

    def make_slow(self, seconds: float) -> None:
        """Set how long each value takes that a statement of the plan makes, in sessions to come."""
        self.do(f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET t.slow = {seconds}', current_database()); END $$")

    def is_through(self, one: Planned) -> bool:
        """Ask the database whether a statement is through."""
        try:
            return bool(self.query(one.is_through)[0][0])
        except psycopg.errors.UndefinedTable:
            return False

    def left_alone(self) -> None:
        """Wait until nobody else is connected: a session may outlive its client a moment."""
        ends_at = time.monotonic() + 20
        while self.query(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()"
        ):
            assert time.monotonic() < ends_at
            time.sleep(0.05)

    def snapshot(self) -> dict[str, Any]:
        """Return rows, catalog and history, as far as they are the same in every deploy."""
        history = "SELECT name, checksum, state, steps, steps_done, fault FROM isthmus.schema_history ORDER BY 1"
        tables = "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        columns = (
            "SELECT attrelid::regclass::text, attname, atttypid::regtype::text FROM pg_attribute"
            " JOIN pg_class c ON c.oid = attrelid WHERE c.relnamespace = 'public'::regnamespace AND attnum > 0"
            " ORDER BY 1, 2"
        )
        return {
            "rows": self.query("SELECT to_jsonb(a)::text FROM a ORDER BY id"),
            "history": self.query(history),
            "tables": self.query(tables),
            "columns": self.query(columns),
            "indexes": self.query("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"),
            "invalid": self.query("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"),
        }

    def assert_honest(self) -> None:
        """Hold what `status` says against the database itself."""
        _, told = self.ask("status")
        for one in told["schemas"]["m"]:
            through = [self.is_through(planned) for planned in PLAN[one["name"]]]
            if one["state"] == "applied":
                assert all(through), (one, through)
            elif one["state"] == "pending":
                assert not any(through), (one, through)
            else:
                assert (one["name"], one["state"]) == (WITHOUT, "half-run")
                done = one["steps_done"]
                assert all(through[:done]), (one, through)
                assert not any(through[done + 1 :]), (one, through)

    def settle(self) -> list[str]:
        """Do what a person does with a half-run migration, and return what was said."""
        _, told = self.ask("status")
        (state,) = [one["state"] for one in told["schemas"]["m"] if one["name"] == WITHOUT]
        if state != "half-run":
            return []
        code, told = self.ask("resolve", WITHOUT)
        assert (code, told["outcome"]) == (1, "open")
        in_hand = told["in_hand"]
        if in_hand is None:
            answer = ["--applied"]
        else:
            number = in_hand["statement"]
            assert in_hand["text"] == PLAN[WITHOUT][number - 1].sql
            through = self.is_through(PLAN[WITHOUT][number - 1])
            for one in told["invalid_indexes"]:
                self.do(f"DROP INDEX {one['index']}")
            answer = ["--step", str(number if through else number - 1)]
            if answer == ["--step", str(len(PLAN[WITHOUT]))]:
                answer = ["--applied"]
        code, _ = self.ask("resolve", WITHOUT, *answer)
        assert code == 0, answer
        return answer


@pytest.fixture(scope="session")
def migrated(postgres: str) -> Iterator[str]:
    """Return the name of a database that has Isthmus's state, to be copied."""
    target = create_database(postgres)
    with psycopg.connect(target, autocommit=True) as connection:
        migrate(connection)
        row = connection.execute("SELECT current_database()").fetchone()
    assert row is not None
    yield str(row[0])
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(row[0])))


@pytest.fixture
def deploys(tmp_path: Path, database: str, postgres: str, migrated: str) -> Deploys:
    """Return a project whose database has Isthmus's state, and nothing else."""
    name = conninfo_to_dict(database)["dbname"]
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(str(name))))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(str(name)), sql.Identifier(migrated))
        )
    return project(tmp_path, database)


def project(folder: Path, target: str) -> Deploys:
    (folder / "m").mkdir()
    (folder / "isthmus.toml").write_text('[schema]\nfolder = "m"\nlayout = "flat"\n')
    for name, planned in PLAN.items():
        text = HEADER + (NONE if name == WITHOUT else "") + "\n" + "".join(f"{one.sql};\n" for one in planned)
        (folder / "m" / f"{name}.sql").write_text(text)
    return Deploys(folder, target)


@pytest.fixture(scope="session")
def undisturbed(postgres: str, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Return what an unkilled deploy leaves, and how much it sends."""
    target = create_database(postgres)
    with psycopg.connect(target, autocommit=True) as connection:
        migrate(connection)
    made = project(tmp_path_factory.mktemp("undisturbed"), target)
    code, text = made.run(statement=0)
    assert code == 0, text
    yield {"snapshot": made.snapshot(), "sent": made.log.read_text().count("statement")}
    with psycopg.connect(postgres, autocommit=True) as connection:
        name = str(conninfo_to_dict(target)["dbname"])
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def go_on_and_compare(deploys: Deploys, undisturbed: dict[str, Any]) -> list[str]:
    deploys.left_alone()
    deploys.assert_honest()
    said = deploys.settle()
    code, text = deploys.run()
    assert code == 0, text
    assert deploys.snapshot() == undisturbed["snapshot"]
    words = deploys.query("SELECT on_word_of FROM isthmus.schema_history WHERE on_word_of IS NOT NULL")
    assert len(words) == (1 if said else 0)
    return said


PLACES = 60
"""More than a deploy sends; which of them are tried is spread over what it does send."""


@pytest.mark.parametrize(
    "place", [place if place % 15 == 4 else pytest.param(place, marks=pytest.mark.soak) for place in range(PLACES)]
)
def test_killed_before_anything_it_sends_then_equal(
    place: int, deploys: Deploys, undisturbed: dict[str, Any], record_property: Callable[[str, object], None]
) -> None:
    """Before and after each statement and COMMIT, also those by which Isthmus writes down how far it is."""
    number = spread(place, PLACES, undisturbed["sent"])
    code, text = deploys.run(statement=number)
    assert code == KILLED, text
    record_property("statement", number)
    record_property("said", " ".join(go_on_and_compare(deploys, undisturbed)))


WITHIN = {("0001_a", 3), ("0002_b", 2)}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (name, number) if (name, number) in WITHIN else pytest.param(name, number, marks=pytest.mark.soak)
        for name, number in STATEMENTS
        if "slow(" in PLAN[name][number - 1].sql and PLAN[name][number - 1].sql != SLOW
    ],
)
def test_killed_within_a_statement_then_equal(
    name: str, number: int, deploys: Deploys, undisturbed: dict[str, Any]
) -> None:
    """The server goes on with the statement until it notices; whoever comes next waits for that."""
    deploys.make_slow(0.4)
    process = deploys.begin()
    text = PLAN[name][number - 1].sql.replace("'", "''")
    ends_at = time.monotonic() + 60
    while not deploys.query(
        f"SELECT 1 FROM pg_stat_activity WHERE query = '{text}' AND state = 'active' AND wait_event = 'PgSleep'"
        " AND datname = current_database()"
    ):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < ends_at
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=10)
    assert process.wait() == KILLED
    _, told = deploys.ask("status")
    states = {one["name"]: one["state"] for one in told["schemas"]["m"]}
    assert states[name] in ({"running", "half-run"} if name == WITHOUT else {"pending"})
    deploys.make_slow(0)
    go_on_and_compare(deploys, undisturbed)


@pytest.mark.soak
@pytest.mark.parametrize("place", range(PLACES))
def test_killed_while_the_state_is_made_or_later_then_equal(
    place: int, tmp_path: Path, database: str, undisturbed: dict[str, Any]
) -> None:
    deploys = project(tmp_path, database)
    for number in (spread(place, PLACES, 4 * undisturbed["sent"]), spread(PLACES - 1 - place, PLACES, 60)):
        code, _ = deploys.run(statement=number)
        if code != KILLED:
            break
        deploys.left_alone()
        deploys.assert_honest()
    go_on_and_compare(deploys, undisturbed)


def test_a_killed_deployer_keeps_nobody_waiting_for_long(deploys: Deploys) -> None:
    """The next one waits for the session that goes on, and then applies what is pending."""
    deploys.make_slow(3)
    process = deploys.begin()
    ends_at = time.monotonic() + 60
    while not deploys.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    ):
        assert time.monotonic() < ends_at
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=10)
    deploys.make_slow(0)
    code, text = deploys.run()
    assert code == 0, text
    assert [row[0] for row in deploys.query("SELECT id FROM a ORDER BY id")] == [1, 2, 3]
