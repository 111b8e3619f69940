"""The same database into tables that the application's own tool made, empty ones and full ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from apps.nextcrm.generator.ids import LABELS
from apps.nextcrm.generator.seeds import LOOKUPS
from tests.apps.nextcrm.conftest import MAPPING, Carried
from tests.apps.nextcrm.target import Target
from tests.oracle.copying import Copied, copy

APPLICATION = Path(__file__).with_name("application_tables.sql")


@pytest.fixture
def existing(tmp_path: Path) -> Path:
    """The mapping, but for tables that are there."""
    text = MAPPING.read_text(encoding="utf-8")
    assert "\nnaming: keep\n" in text
    path = tmp_path / "existing.yaml"
    path.write_text(text.replace("\nnaming: keep\n", "\nnaming: keep\ntarget: {tables: existing}\n"), encoding="utf-8")
    return path


@pytest.fixture
def application(make_database: Callable[[], str]) -> str:
    """Conninfo of a database with the application's own tables, empty."""
    database = make_database()
    with psycopg.connect(database) as connection:
        connection.execute(APPLICATION.read_bytes())
    return database


def rows_of(copied: Copied) -> dict[str, int]:
    assert copied.report is not None, copied.said
    return {name: books["copied"] for name, books in copied.report["collections"].items()}


def test_tables_of_the_application_hold_what_tables_of_our_own_hold(
    busy: Carried, existing: Path, application: str
) -> None:
    copied = copy(existing, busy.dump, application)
    assert copied.code == 1, copied.said  # the same dead letters
    assert rows_of(copied) == rows_of(busy.copied)
    with psycopg.connect(application) as connection:
        target = Target(connection, busy.truth["labels"])
        for name, told in busy.truth["junctions"].items():
            left, right = (target.ids(collection) for collection in told["collections"])
            assert target.pairs(name, tuple(told["columns"])) == {(left[a], right[b]) for a, b in told["listed"]}, name
        documents = {str(identifier) for identifier in target.ids("Documents").values()}
        users = {str(identifier) for identifier in target.ids("Users").values()}
        held = connection.execute('SELECT unnest(connected_documents) FROM "Documents"').fetchall()
        assert held
        assert {one for (one,) in held} <= documents  # texts, and none of them an id of old
        assert {one for (one,) in connection.execute('SELECT "user" FROM "TodoList"')} <= users
        kept = connection.execute("SELECT DISTINCT table_name FROM isthmus.extras").fetchall()
        assert ("crm_Accounts",) in kept  # their tables have no column for fields that nobody named


def test_a_second_copy_into_full_tables_makes_no_row_twice(busy: Carried, existing: Path, application: str) -> None:
    first = copy(existing, busy.dump, application)
    again = copy(existing, busy.dump, application, "--fresh")
    assert again.report is not None, again.said
    for name, books in again.report["collections"].items():
        assert books["copied"] + books["kept"] == rows_of(first)[name], name
    with psycopg.connect(application) as connection:
        target = Target(connection, busy.truth["labels"])
        for name, amount in rows_of(first).items():
            assert target.count(name) == amount, name


def test_a_table_whose_comments_must_have_an_ordinary_task_is_refused(
    busy: Carried, existing: Path, application: str
) -> None:
    with psycopg.connect(application) as connection:
        connection.execute('ALTER TABLE "tasksComments" ALTER COLUMN task SET NOT NULL')
    copied = copy(existing, busy.dump, application)
    assert copied.code == 4, copied.said
    assert 'ALTER TABLE "public"."tasksComments" ALTER COLUMN "task" DROP NOT NULL' in " ".join(copied.said.split())
    assert copied.report is not None
    assert "collections" not in copied.report or not any(rows_of(copied).values())


def test_lookups_that_the_build_has_seeded_are_matched_and_not_doubled(
    busy: Carried, existing: Path, application: str
) -> None:
    text = existing.read_text(encoding="utf-8")
    with psycopg.connect(application) as connection:
        for collection, rows in LOOKUPS.items():
            name = LABELS[collection][0]
            head = f"\n  {collection}:\n"
            assert text.count(head) == 1
            text = text.replace(head, f"{head}    match: [[{name}]]\n")
            for row in rows:
                columns = [*row, "__v"]
                query = sql.SQL("INSERT INTO {} (id, {}) VALUES (gen_random_uuid(), {})").format(
                    sql.Identifier(collection),
                    sql.SQL(", ").join(map(sql.Identifier, columns)),
                    sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
                )
                connection.execute(query, [*row.values(), 0])
        seeded = {name: set(Target(connection, busy.truth["labels"]).ids(name).values()) for name in LOOKUPS}
    existing.write_text(text, encoding="utf-8")
    with psycopg.connect(busy.database) as connection:
        ours = Target(connection, busy.truth["labels"])
        carried = {collection: set(ours.ids(collection)) for collection in LOOKUPS}
    copied = copy(existing, busy.dump, application)
    assert copied.report is not None, copied.said
    with psycopg.connect(application) as connection:
        target = Target(connection, busy.truth["labels"])
        for collection, rows in LOOKUPS.items():
            books = copied.report["collections"][collection]
            seeds = {str(row[LABELS[collection][0]]) for row in rows}
            assert set(target.ids(collection)) == seeds | carried[collection], collection
            assert books["copied"] + books["kept"] + books["dead_letters"] == books["read"], collection
            assert seeded[collection] <= set(target.ids(collection).values()), collection
        for column, collection in (
            ("sales_stage", "crm_Opportunities_Sales_Stages"),
            ("type", "crm_Opportunities_Type"),
        ):
            query = sql.SQL('SELECT DISTINCT {0} FROM "crm_Opportunities" WHERE {0} IS NOT NULL')
            used = {one for (one,) in connection.execute(query.format(sql.Identifier(column)))}
            assert used
            assert used <= seeded[collection]
