"""The same database into tables that somebody else made: the application's own tool, or the copy itself."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import bson
import psycopg
import pytest
from psycopg import sql

from apps.nextcrm.generator.ids import LABELS
from apps.nextcrm.generator.seeds import LOOKUPS
from tests.apps.nextcrm.conftest import MAPPING, Carried, run
from tests.apps.nextcrm.target import Target
from tests.apps.nextcrm.test_nextcrm_tables import COLUMNS, INDEXES, KEYS
from tests.oracle.copying import Copied, copy

APPLICATION = Path(__file__).with_name("application_tables.sql")
EITHER = {
    "crm_Opportunities": ("budget", "expected_revenue"),
    "crm_Opportunities_Sales_Stages": ("probability", "order"),
    "crm_Opportunities_Type": ("order",),
    "Boards": ("favouritePosition", "position"),
    "Employees": ("salary",),
    "Sections": ("position",),
    "Tasks": ("position", "likes"),
    "crm_Accounts_Tasks": ("likes",),
}
"""Columns that are INTEGER in the application's SQL and BIGINT in its schema."""
HISTORY = """
CREATE TABLE "_prisma_migrations" (
    id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)
"""


@pytest.fixture
def application(make_database: Callable[[], str]) -> str:
    """Conninfo of a database with the application's own tables, empty."""
    database = make_database()
    with psycopg.connect(database) as connection:
        connection.execute(APPLICATION.read_bytes())
    return database


@pytest.fixture(params=["application", "deployed"])
def either(request: pytest.FixtureRequest) -> str:
    """Conninfo of a database with empty tables, those of the application's tool or those of the migrations."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The mapping, but for tables that the copy makes."""
    text = MAPPING.read_text(encoding="utf-8")
    assert text.count("tables: existing") == 1
    lines = text.replace("tables: existing", "tables: create").splitlines(keepends=True)
    left = [line for line in lines if not line.startswith(("    match:", "    on_conflict:"))]
    assert len(lines) - len(left) == 2 * len(LOOKUPS)
    path = tmp_path / "own.yaml"
    path.write_text("".join(left), encoding="utf-8")
    return path


def rows_of(copied: Copied) -> dict[str, int]:
    assert copied.report is not None, copied.said
    return {name: books["copied"] for name, books in copied.report["collections"].items()}


def test_tables_that_the_copy_makes_are_those_of_the_migrations_and_hold_the_same(
    busy: Carried, own: Path, make_database: Callable[[], str], make_deployed: Callable[[], str], tmp_path: Path
) -> None:
    key = tmp_path / "id.key"
    key.write_text("c0de" * 16, encoding="ascii")
    made, deployed = make_database(), make_deployed()
    first = copy(own, busy.dump, made, "--id-key", str(key))
    second = copy(MAPPING, busy.dump, deployed, "--id-key", str(key))
    assert first.code == second.code == 1, first.said + second.said
    assert rows_of(first) == rows_of(second)
    with psycopg.connect(made) as ours, psycopg.connect(deployed) as theirs:
        for query in (COLUMNS, KEYS, INDEXES):
            assert sorted(map(repr, ours.execute(query))) == sorted(map(repr, theirs.execute(query)))
        for (table,) in ours.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            query = sql.SQL("SELECT r::text FROM {} r ORDER BY 1").format(sql.Identifier(table))
            assert ours.execute(query).fetchall() == theirs.execute(query).fetchall(), table


def test_tables_of_the_application_hold_what_tables_of_the_migrations_hold_also_without_the_extension(
    busy: Carried, application: str
) -> None:
    checked = run("check", "mapping.yaml", "--source", str(busy.dump), "--target", application, database=application)
    assert checked.code == 0, checked.said
    assert "does not have the extension vector, which the server offers" in " ".join(checked.said.split())
    copied = copy(MAPPING, busy.dump, application)
    assert copied.code == 1, copied.said  # the same dead letters
    assert rows_of(copied) == rows_of(busy.copied)
    assert "does not have the extension vector, which the server offers" in " ".join(copied.said.split())
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
    words = ("mapping.yaml", "--source", str(busy.dump), "--layers", "counts,references,rules,schema,checksum")
    verified = run("verify", *words, database=application)
    assert verified.code == 0, verified.out + verified.said
    assert "extension vector is not there" in " ".join((verified.out + verified.said).split())


def test_whole_numbers_that_the_application_keeps_smaller_are_taken_where_they_fit(
    busy: Carried, application: str
) -> None:
    with psycopg.connect(application) as connection:
        for table, columns in EITHER.items():
            for column in columns:
                change = sql.SQL("ALTER TABLE {} ALTER COLUMN {} TYPE integer")
                connection.execute(change.format(sql.Identifier(table), sql.Identifier(column)))
    copied = copy(MAPPING, busy.dump, application)
    assert copied.code == 1, copied.said
    too_wide = 0
    with psycopg.connect(application) as connection, psycopg.connect(busy.database) as wide:
        narrow, whole = Target(connection, busy.truth["labels"]), Target(wide, busy.truth["labels"])
        for table, columns in EITHER.items():
            fits = sql.SQL(" AND ").join(
                sql.SQL("coalesce({0} BETWEEN -2147483648 AND 2147483647, true)").format(sql.Identifier(column))
                for column in columns
            )
            query = sql.SQL("SELECT {} FROM {} WHERE NOT ({})")
            label = sql.Identifier(LABELS[table][0])
            lost = {one for (one,) in wide.execute(query.format(label, sql.Identifier(table), fits))}
            assert set(whole.ids(table)) - set(narrow.ids(table)) == lost, table
            too_wide += len(lost)
        assert [code for code, _ in narrow.letters.values()].count("target-refused") == too_wide > 0


def test_a_second_copy_into_full_tables_makes_no_row_twice(busy: Carried, deployed: str) -> None:
    first = copy(MAPPING, busy.dump, deployed)
    again = copy(MAPPING, busy.dump, deployed, "--fresh")
    assert again.report is not None, again.said
    for name, books in again.report["collections"].items():
        assert books["copied"] + books["kept"] == rows_of(first)[name], name
    with psycopg.connect(deployed) as connection:
        target = Target(connection, busy.truth["labels"])
        amounts = rows_of(first)
        amounts["crm_campaigns"] += amounts.pop("crm_campains")  # one table
        for name, amount in amounts.items():
            assert target.count(name) == amount > 0, name


def test_a_table_whose_comments_must_have_an_ordinary_task_is_refused(busy: Carried, application: str) -> None:
    with psycopg.connect(application) as connection:
        connection.execute('ALTER TABLE "tasksComments" ALTER COLUMN task SET NOT NULL')
    copied = copy(MAPPING, busy.dump, application)
    assert copied.code == 4, copied.said
    assert 'ALTER TABLE "public"."tasksComments" ALTER COLUMN "task" DROP NOT NULL' in " ".join(copied.said.split())
    assert copied.report is not None
    assert "collections" not in copied.report or not any(rows_of(copied).values())


def test_tables_that_a_later_application_dropped_are_named_and_may_be_left_out(
    busy: Carried, application: str, tmp_path: Path
) -> None:
    dropped = ("gpt_models", "modulStatus")
    with psycopg.connect(application) as connection:
        for table in dropped:
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(table)))
    refused = copy(MAPPING, busy.dump, application)
    assert refused.code == 4
    assert all(f"The target has no table public.{table}." in " ".join(refused.said.split()) for table in dropped)
    text = MAPPING.read_text(encoding="utf-8")
    for table in dropped:
        text, found = re.subn(rf"\n  {table}:\n(?:    .*\n)+", f"\n  {table}: {{skip: gone}}\n", text)
        assert found == 1
    (tmp_path / "later.yaml").write_text(text, encoding="utf-8")
    carried = rows_of(copy(tmp_path / "later.yaml", busy.dump, application))
    assert carried == {name: rows for name, rows in rows_of(busy.copied).items() if name not in dropped}


def test_a_copy_without_tables_is_refused_and_says_what_makes_them(busy: Carried, database: str) -> None:
    copied = copy(MAPPING, busy.dump, database)
    assert copied.code == 4, copied.said
    said = " ".join(copied.said.split())
    assert "None of the mapping's 39 tables is there" in said
    assert "isthmus schema deploy" in said


def seed(database: str) -> None:
    """Fill the lookups as the application's build does."""
    with psycopg.connect(database) as connection:
        for collection, rows in LOOKUPS.items():
            for row in rows:
                columns = [*row, "__v"]
                query = sql.SQL("INSERT INTO {} (id, {}) VALUES (gen_random_uuid(), {})").format(
                    sql.Identifier(collection),
                    sql.SQL(", ").join(map(sql.Identifier, columns)),
                    sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
                )
                connection.execute(query, [*row.values(), 0])


def test_lookups_that_the_build_has_seeded_are_matched_and_not_doubled(busy: Carried, either: str) -> None:
    seed(either)
    with psycopg.connect(either) as connection:
        seeded = {name: set(Target(connection, busy.truth["labels"]).ids(name).values()) for name in LOOKUPS}
        connection.execute('UPDATE "system_Modules_Enabled" SET enabled = NOT enabled')
    with psycopg.connect(busy.database) as connection:
        ours = Target(connection, busy.truth["labels"])
        carried = {collection: set(ours.ids(collection)) for collection in LOOKUPS}
        modules = dict(connection.execute('SELECT name, enabled FROM "system_Modules_Enabled"').fetchall())
    copied = copy(MAPPING, busy.dump, either)
    assert copied.report is not None, copied.said
    with psycopg.connect(either) as connection:
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
        now = dict(connection.execute('SELECT name, enabled FROM "system_Modules_Enabled"').fetchall())
        assert modules.items() <= now.items()  # the documents say what is switched on, not the build


def test_a_name_that_two_documents_or_two_rows_have_is_a_letter_and_nothing_is_guessed(
    busy: Carried, deployed: str, tmp_path: Path
) -> None:
    dump = tmp_path / "two of a name" / "nextcrm"
    shutil.copytree(busy.dump, dump)
    stages = dump / "crm_Opportunities_Sales_Stages.bson"
    twice = {**bson.decode_all(stages.read_bytes())[0], "_id": bson.ObjectId("64b000000000000000000009")}
    stages.write_bytes(stages.read_bytes() + bson.encode(twice))
    seed(deployed)
    with psycopg.connect(deployed) as connection:
        connection.execute(
            'INSERT INTO "crm_Industry_Type" (id, __v, name)'
            """ SELECT gen_random_uuid(), 0, name FROM "crm_Industry_Type" WHERE name = 'Other'"""
        )
        before = connection.execute('SELECT count(*) FROM "crm_Industry_Type"').fetchone()
    assert run("copy", "mapping.yaml", "--source", str(dump), database=deployed).code == 1
    with psycopg.connect(deployed) as connection:
        query = "SELECT collection, code, count(*) FROM isthmus.dead_letter WHERE code LIKE 'match-%' GROUP BY 1, 2"
        assert set(connection.execute(query)) == {
            ("crm_Opportunities_Sales_Stages", "match-taken", 2),
            ("crm_Industry_Type", "match-ambiguous", 1),
        }
        assert connection.execute('SELECT count(*) FROM "crm_Industry_Type"').fetchone() == before


def test_a_database_of_the_application_s_own_migrations_is_adopted_copied_into_and_has_no_drift(
    busy: Carried, application: str, tmp_path: Path
) -> None:
    folder = tmp_path / "prisma" / "migrations"
    (folder / "0_init").mkdir(parents=True)
    (folder / "0_init" / "migration.sql").write_bytes(APPLICATION.read_bytes())
    (tmp_path / "isthmus.toml").write_text('[schema]\nfolder = "prisma/migrations"\nlayout = "folders"\n')
    with psycopg.connect(application) as connection:
        connection.execute(HISTORY)
        connection.execute(
            'INSERT INTO "_prisma_migrations" (id, checksum, finished_at, migration_name, applied_steps_count)'
            " VALUES (gen_random_uuid()::text, %s, now(), '0_init', 1)",
            (hashlib.sha256(APPLICATION.read_bytes()).hexdigest(),),
        )
    adopted = run("schema", "adopt", "--write", database=application, home=tmp_path)
    assert adopted.code == 0, adopted.said
    assert rows_of(copy(MAPPING, busy.dump, application)) == rows_of(busy.copied)
    for words in (("status",), ("deploy",), ("drift",)):
        ran = run("schema", *words, database=application, home=tmp_path)
        assert ran.code == 0, (words, ran.out + ran.said)
