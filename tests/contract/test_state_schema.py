"""Isthmus's own state lives under the rules that it offers: its migrations pass the check, each state of before comes
up to date with its rows, what they make is what the committed schema.json says, and rollbacks restore.

Oracle: a state made from nothing by all migrations. Cannot see: rows whose meaning a migration changed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from isthmus.govern.catalog.compare import differences
from isthmus.govern.catalog.model import Catalog
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.check import check_schemas
from isthmus.govern.migrations.script import read_scripts
from isthmus.govern.rehearsing.outcome import Outcome
from isthmus.govern.rehearsing.rehearse import parts_of, rehearse
from isthmus.govern.schema_json import read_schema_json
from isthmus.govern.scratch import Scratch, scratch_server
from isthmus.govern.settings import find_project
from isthmus.state.migrate import migrate, state_migrations
from isthmus.state.schema_history import read_history
from isthmus.state.schema_words import read_adoption

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "src" / "isthmus" / "state" / "migrations"
FILE = FOLDER / "schema.json"
TITLE = "state"
MIGRATIONS = state_migrations()
PROJECT = find_project(ROOT)
(SETTINGS,) = [one for one in PROJECT.settings.schemas if one.title == TITLE]
GOVERNED = [
    one for one in read_scripts(FOLDER, SETTINGS) if SETTINGS.baseline is not None and one.name.text > SETTINGS.baseline
]


@pytest.fixture
def scratch(postgres: str) -> Iterator[Scratch]:
    with scratch_server(postgres) as server:
        yield server


def state_catalog(connection: psycopg.Connection) -> Catalog:
    """Return what stands in the schema `isthmus`."""
    return {key: one for key, one in read_catalog(connection, but=()).items() if key.schema == "isthmus"}


def test_the_rules_of_this_repository_say_nothing_against_its_state_migrations() -> None:
    if (
        shutil.which("git") is None
        or subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=False).returncode
    ):
        pytest.skip("there is no repository, as in a release's archive")
    found = check_schemas(PROJECT, only=[TITLE])
    assert not found.findings
    assert found.folders[TITLE] >= 10


def test_the_committed_schema_is_the_sum_of_the_migrations_and_rollbacks_restore(scratch: Scratch) -> None:
    outcomes: list[Outcome] = []
    done = rehearse(parts_of(PROJECT, [TITLE]), scratch, tell=outcomes.append)
    assert done.schema_json[TITLE] == FILE.read_text(encoding="utf-8"), "isthmus schema rehearse state"
    stands = {one.name: one.stand for one in outcomes}
    assert list(stands) == [f"{one.version:04}_{one.name}" for one in MIGRATIONS]
    assert {stands[one.name.text] for one in GOVERNED} <= {"restores", "not reversible"}


def test_the_runner_makes_what_the_rehearsal_does(database: str) -> None:
    """All but the runner's own table."""
    with psycopg.connect(database, autocommit=True) as connection:
        migrate(connection)
        made = {
            f"isthmus.{key.name}.{key.part}": (one["type"], one["nullable"])
            for key, one in state_catalog(connection).items()
            if key.kind == "column" and key.name != "migration"
        }
    tables = read_schema_json(FILE.read_text(encoding="utf-8")).tables
    assert made == {
        f"{table}.{name}": (column.type, column.nullable)
        for table, there in tables.items()
        for name, column in there.columns.items()
    }


@pytest.fixture(scope="module")
def filled() -> dict[str, str]:
    """Return table → SQL of one row, in an order in which references find what they refer to."""
    return {
        "run": "(mapping_fingerprint, mapping_text, source, source_name, target_schema, tables, started_at, stage,"
        " lease_token, lease_holder, lease_at, isthmus_version) VALUES ('f', 'm', '{}', 's', 'public', '{}', now(),"
        " 'copying', gen_random_uuid(), 'h', now(), '0')",
        "id_key": "(key) VALUES (decode(repeat('00', 32), 'hex'))",
        "partition": "(run_id, collection, number, start_position) SELECT id, 'A \"ü', 0, '\\x00' FROM isthmus.run",
        "dead_letter": "(run_id, collection, location, stage, code, path, message, causes, document, document_digest)"
        " SELECT id, 'A', 'l', 'load', 'c', 'p', 'm', '[]', '\\x00', '\\x00' FROM isthmus.run",
        "schema_history": "(schema_title, name, checksum, state, steps, steps_done, started_at, isthmus_version)"
        " VALUES ('m', '0001_a', 'x', 'running', 3, 1, now(), '0')",
    }


def tables(connection: psycopg.Connection) -> list[str]:
    return [
        str(row[0])
        for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'isthmus'").fetchall()
    ]


def rows(connection: psycopg.Connection, table: str) -> list[dict[str, object]]:
    query = sql.SQL("SELECT to_jsonb(t) FROM isthmus.{} t").format(sql.Identifier(table))
    return [row[0] for row in connection.execute(query).fetchall()]


@pytest.mark.parametrize("first", range(1, len(MIGRATIONS)))
def test_a_state_of_any_version_comes_up_to_date_with_its_rows(
    first: int, filled: dict[str, str], database: str, make_database: Callable[[], str]
) -> None:
    with (
        psycopg.connect(database, autocommit=True) as old,
        psycopg.connect(make_database(), autocommit=True) as fresh,
    ):
        migrate(old, MIGRATIONS[:first])
        there = [name for name in filled if name in tables(old)]
        for name in there:
            old.execute(f"INSERT INTO isthmus.{name} {filled[name]}".encode())
        before = {name: rows(old, name) for name in there}
        assert all(before.values())
        migrate(old)
        migrate(fresh)
        assert differences(state_catalog(fresh), state_catalog(old)) == []
        for name, kept in before.items():
            (now,) = rows(old, name)
            assert {key: now[key] for key in kept[0]} == kept[0]


def test_a_history_of_an_older_state_can_be_read_without_changing_it(filled: dict[str, str], database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        assert read_history(connection, "m") == {}
        migrate(connection, MIGRATIONS[:10])
        connection.execute(f"INSERT INTO isthmus.schema_history {filled['schema_history']}".encode())
        found = read_history(connection, "m")["0001_a"]
        assert (found.state, found.steps_done, found.on_word_of) == ("running", 1, None)
        assert read_adoption(connection, "m") is None
