"""The tables that the mapping makes, against those of the application's own tool and the indexes of the papers.

`application_tables.sql` stands for what the application expects; the server compares. Blind spot: whether its client
really runs on them; no such client is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.apps.nextcrm.conftest import Carried

APPLICATION = Path(__file__).with_name("application_tables.sql")
COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
"""
KEYS = """
SELECT k.conrelid::regclass::text, k.conname, k.contype::text, k.confrelid::regclass::text, k.confupdtype::text,
  k.confdeltype::text,
  (SELECT array_agg(a.attname::text ORDER BY u.n) FROM unnest(k.conkey) WITH ORDINALITY u(attnum, n)
   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum)
FROM pg_constraint k WHERE k.connamespace = 'public'::regnamespace AND k.contype IN ('p', 'f')
"""
INDEXES = """
SELECT t.relname, array(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY u(attnum, n)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum ORDER BY u.n),
  m.amname, i.indpred IS NOT NULL, i.indisunique
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_am m ON m.oid = c.relam
WHERE t.relnamespace = 'public'::regnamespace AND i.indexprs IS NULL
"""
ENUMS = """
SELECT t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typnamespace = 'public'::regnamespace GROUP BY 1
"""
FOREIGN_KEYS = {
    "crm_Accounts": "assigned_to industry createdBy updatedBy",
    "crm_Contacts": "assigned_to created_by accountsIDs createdBy updatedBy",
    "crm_Leads": "assigned_to accountsIDs createdBy updatedBy",
    "crm_Opportunities": "account assigned_to campaign contact created_by sales_stage type",
    "crm_Contracts": "account assigned_to createdBy updatedBy",
    "Tasks": "user section createdBy updatedBy",
    "crm_Accounts_Tasks": "user account createdBy updatedBy",
    "Boards": "user createdBy updatedBy",
    "Documents": "created_by_user assigned_user document_type createdBy",
    "Invoices": "invoice_state_id assigned_user_id assigned_account_id last_updated_by",
}
FILTERS = {
    "crm_Accounts": "status type createdAt updatedAt",
    "crm_Contacts": "status type cratedAt last_activity updatedAt",
    "crm_Leads": "status type createdAt updatedAt",
    "crm_Opportunities": "status createdAt close_date sales_stage updatedAt",
    "crm_Contracts": "status startDate endDate createdAt updatedAt",
    "Tasks": "priority taskStatus dueDateAt createdAt updatedAt",
    "crm_Accounts_Tasks": "priority taskStatus dueDateAt createdAt updatedAt",
    "Boards": "favourite visibility createdAt updatedAt",
    "Documents": "document_type status visibility favourite createdAt updatedAt",
    "Invoices": "status invoice_type date_created date_due last_updated",
    "Users": "userStatus userLanguage is_admin is_account_admin created_on lastLoginAt email",
}
SEARCHED = {
    "crm_Accounts": "name",
    "crm_Contacts": "first_name last_name notes",
    "crm_Leads": "firstName lastName company",
    "crm_Opportunities": "name description",
    "Tasks": "title content",
    "crm_Accounts_Tasks": "title content",
    "Documents": "document_name description",
    "Invoices": "invoice_number partner description",
}
INVERTED = {("Tasks", "tags"), ("crm_Accounts_Tasks", "tags"), ("Documents", "tags"), ("Invoices", "invoice_items")}
"""JSONB that is queried inside."""


@pytest.fixture
def ours(as_run: Carried) -> Iterator[psycopg.Connection]:
    with psycopg.connect(as_run.database) as connection:
        yield connection


@pytest.fixture
def theirs(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database) as connection:
        connection.execute(APPLICATION.read_bytes())
        yield connection


def test_columns_are_named_and_typed_as_the_application_expects(
    ours: psycopg.Connection, theirs: psycopg.Connection
) -> None:
    made = {(table, column): rest for table, column, *rest in ours.execute(COLUMNS) if column != "extras"}
    wanted = {(table, column): rest for table, column, *rest in theirs.execute(COLUMNS)}
    assert len({table for table, _ in wanted}) == 39
    assert made == wanted


def test_enums_have_the_values_that_the_application_knows(ours: psycopg.Connection, theirs: psycopg.Connection) -> None:
    made, wanted = dict(ours.execute(ENUMS).fetchall()), dict(theirs.execute(ENUMS).fetchall())
    assert len(wanted) == 10
    assert made == wanted


def test_keys_are_those_of_the_application_and_ids_of_users_have_keys_too(
    ours: psycopg.Connection, theirs: psycopg.Connection
) -> None:
    made = {(table, name): tuple(map(str, rest)) for table, name, *rest in ours.execute(KEYS)}
    wanted = {(table, name): tuple(map(str, rest)) for table, name, *rest in theirs.execute(KEYS)}
    assert len(wanted) == 39 + 52
    assert {place: made.get(place) for place in wanted} == wanted
    more = {place[1].removesuffix("_fkey"): rest for place, rest in made.items() if place not in wanted}
    for name, (kind, target, updated, deleted, _) in more.items():
        assert (kind, updated, deleted) == ("f", "c", "n"), name
        assert target in {'"Users"', '"crm_Accounts"', '"crm_Contacts"'}, name
    assert len(more) == 22  # of the 25 ids without a key two are arrays and one is a text, which can have none


def test_indexes_of_the_application_are_all_served(ours: psycopg.Connection, theirs: psycopg.Connection) -> None:
    made = [
        (table, columns)
        for table, columns, method, partial, _ in ours.execute(INDEXES)
        if method == "btree" and not partial
    ]
    for table, columns, *_ in theirs.execute(INDEXES):
        assert any(one == table and mine[: len(columns)] == columns for one, mine in made), (table, columns)


@pytest.mark.parametrize("tier", [FOREIGN_KEYS, FILTERS])
def test_columns_that_the_papers_name_are_indexed(ours: psycopg.Connection, tier: dict[str, str]) -> None:
    first = {(table, columns[0]) for table, columns, method, partial, _ in ours.execute(INDEXES) if not partial}
    missing = {(table, column) for table, names in tier.items() for column in names.split()} - first
    assert not missing


def test_every_foreign_key_has_an_index(ours: psycopg.Connection) -> None:
    first = {(table, columns[0]) for table, columns, _, partial, _ in ours.execute(INDEXES) if not partial}
    keys = [(table.strip('"'), columns[0]) for table, _, kind, _, _, _, columns in ours.execute(KEYS) if kind == "f"]
    assert len(keys) > 70
    assert not set(keys) - first


def test_texts_that_the_papers_name_are_searched_through_one_index_a_table(ours: psycopg.Connection) -> None:
    query = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '%to_tsvector%'"
    found = dict(ours.execute(query).fetchall())
    assert set(found) == set(SEARCHED)
    for table, names in SEARCHED.items():
        assert not [name for name in names.split() if name not in found[table]], found[table]


def test_json_and_arrays_that_are_queried_have_inverted_indexes(ours: psycopg.Connection) -> None:
    found = {(table, columns[0]) for table, columns, method, *_ in ours.execute(INDEXES) if method == "gin"}
    assert found == {*INVERTED, ("crm_Contacts", "notes"), ("Boards", "sharedWith")}


def test_common_filters_have_partial_indexes(ours: psycopg.Connection) -> None:
    found = {table for table, _, _, partial, _ in ours.execute(INDEXES) if partial}
    assert found == {"Users", "crm_Opportunities", "Tasks", "crm_Accounts_Tasks"}


def test_the_extension_for_vectors_is_there(ours: psycopg.Connection) -> None:
    assert ours.execute("SELECT count(*) FROM pg_extension WHERE extname = 'vector'").fetchone() == (1,)
