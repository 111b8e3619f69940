"""What the CRM asks its database, on small databases: every query finds something, through the index meant for it.

Blind spot: time. How long they take on a million documents is measured in `bench/nextcrm_queries.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from apps.nextcrm.queries.catalogue import DRAWS, PACKAGE, QUERIES, Query
from apps.nextcrm.queries.parameters import draw
from apps.nextcrm.queries.plans import Plan, read_plan
from isthmus.state.statements import statements
from tests.apps.nextcrm.conftest import Carried
from tests.apps.nextcrm.test_nextcrm_tables import FILTERS

DRAWN = 20
"""Sets of parameters of a query."""
COMPOSITES = {
    "crm_Opportunities": {("status", "sales_stage")},
    "crm_Contracts": {("startDate", "endDate")},
    "Boards": {("user", "favourite")},
    "Invoices": {("status", "date_created")},
    "Tasks": {("user", "taskStatus")},
    "crm_Accounts_Tasks": {("account", "taskStatus")},
}
"""Of the application's own migration."""
INVERTED = {("crm_Contacts", "notes"), ("Tasks", "tags"), ("crm_Accounts_Tasks", "tags")} | {
    ("Documents", "tags"),
    ("Invoices", "invoice_items"),
}
ALSO_FILTERED = {("Documents", "document_system_type"), ("Invoices", "favorite")}
"""Columns that the application's own migration indexes besides those that the papers name."""
INDEXES = """
SELECT c.relname, t.relname, i.indisunique, i.indpred IS NOT NULL, i.indexprs IS NOT NULL,
  array(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY u(attnum, n)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum ORDER BY u.n),
  EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = i.indrelid AND k.contype = 'f' AND k.conkey[1] = i.indkey[0])
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid
WHERE t.relnamespace = 'public'::regnamespace
"""


OTHERS = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisunique AND c.relname <> ALL (%s)
"""


def by_name(query: Query) -> str:
    return query.name


@pytest.fixture
def connection(carried: Carried) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(carried.database) as connection:
        yield connection


@pytest.fixture
def bare(busy: Carried, query: Query) -> Iterator[psycopg.Connection[Any]]:
    """To a database that has, for this transaction, no indexes but keys and those that are meant for a query.

    Tables are read from end to end only where nothing else is possible. On so few rows the server has no reason to
    prefer the index that is best on many.
    """
    with psycopg.connect(busy.database) as connection:
        others = [one for (one,) in connection.execute(OTHERS, (list(query.indexes),))]
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(", ").join(map(sql.Identifier, others))))
        connection.execute("SET LOCAL enable_seqscan = off")
        yield connection
        connection.rollback()


def explain(connection: psycopg.Connection[Any], query: Query, parameters: dict[str, Any]) -> Plan:
    row = connection.execute(b"EXPLAIN (FORMAT JSON) " + query.sql, parameters).fetchone()
    assert row is not None
    return read_plan(row[0])


def test_queries_and_statements_are_the_same_and_every_draw_is_used() -> None:
    files = {query.file for query in QUERIES}
    stated = [(file, name) for file in files for name in statements(file, PACKAGE)]
    assert sorted(stated) == sorted((query.file, query.name) for query in QUERIES)
    assert set(statements(DRAWS, PACKAGE)) == {query.draw for query in QUERIES}
    assert len(QUERIES) == len({query.name for query in QUERIES})


@pytest.mark.parametrize("query", QUERIES, ids=by_name)
def test_a_query_finds_rows_where_the_data_has_some(
    carried: Carried, connection: psycopg.Connection[Any], query: Query
) -> None:
    drawn = draw(connection, query, DRAWN, 3)
    assert drawn or carried.truth["profile"] == "as-run"  # no documents, no invoices with items …
    found = [len(connection.execute(query.sql, parameters).fetchall()) for parameters in drawn]
    assert any(found) or not drawn


@pytest.mark.parametrize("query", QUERIES, ids=by_name)
def test_the_indexes_that_are_meant_serve_a_query(bare: psycopg.Connection[Any], query: Query) -> None:
    plans = [explain(bare, query, parameters) for parameters in draw(bare, query, DRAWN, 4)]
    used = set[str]().union(*(plan.indexes for plan in plans))
    assert set(query.indexes) <= used, plans[0].nodes


def test_every_index_is_named_in_the_papers_or_serves_a_query(busy: Carried) -> None:
    meant = {index for query in QUERIES for index in query.indexes}
    filtered = {(table, column) for table, columns in FILTERS.items() for column in columns.split()} | ALSO_FILTERED
    superfluous: list[str] = []
    with psycopg.connect(busy.database) as connection:
        indexes = connection.execute(INDEXES).fetchall()
    for name, table, unique, partial, expression, columns, references in indexes:
        named = (
            unique
            or expression
            or (len(columns) == 1 and not partial and (references or (table, columns[0]) in filtered | INVERTED))
            or (not partial and tuple(columns) in COMPOSITES.get(table, set()))
        )
        if not named and name not in meant:
            superfluous.append(name)
    assert len(indexes) > 150
    assert not superfluous


def test_a_plan_tells_which_tables_it_reads_from_end_to_end(busy: Carried) -> None:
    query = next(one for one in QUERIES if one.name == "account_contacts")
    with psycopg.connect(busy.database) as connection:
        (parameters,) = draw(connection, query, 1, 6)
        plans: list[Plan] = []
        for off in ("enable_seqscan", "enable_bitmapscan", "enable_indexscan"):
            connection.execute(sql.SQL("SET LOCAL {} = off").format(sql.Identifier(off)))
            row = connection.execute(b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query.sql, parameters).fetchone()
            assert row is not None
            plans.append(read_plan(row[0]))
            connection.execute("SET LOCAL enable_seqscan = " + ("off" if off == "enable_seqscan" else "on"))
    served, _, read = plans
    assert (served.indexes, served.read_whole) == ({"crm_Contacts_accountsIDs_idx"}, set())
    assert (read.indexes, read.read_whole) == (set(), {"crm_Contacts"})
    assert read.pages is not None
    assert served.pages is not None
    assert read.pages > served.pages > 0
