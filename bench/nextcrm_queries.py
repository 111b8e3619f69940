"""Suite nextcrm_queries: what the CRM asks its database, on the busy one: times, plans, and which indexes served.

The database is made as in the cutover: migrations, then copy; then VACUUM, as autovacuum does of itself soon after.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from apps.nextcrm.queries.catalogue import QUERIES, Query
from apps.nextcrm.queries.parameters import draw
from apps.nextcrm.queries.plans import Plan, read_plan
from bench.data import SEED, Data
from bench.machine import say, write
from bench.nextcrm import carry, database_of, ways
from bench.server import server

LIMIT_MS = 100.0
"""For the p95 of each query."""
LARGE_ROWS = 10_000
"""A table with more rows is not to be read from end to end where an index should serve."""
EXECUTIONS = 100
_UNUSED = """
SELECT relname AS "table", indexrelname AS index, pg_relation_size(indexrelid) AS bytes
FROM pg_stat_user_indexes WHERE schemaname = 'public' AND idx_scan = 0 ORDER BY 1, 2
"""
_ROWS = """
SELECT relname, reltuples::bigint FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""


@dataclass(frozen=True)
class _Asked:
    """How one query went.

    Attributes:
        first_ms: The first execution on its connection.
        all_ms: The others, in order.
        rows: Most rows that one execution gave.
        plans: Of the first parameters and of those that took longest.
    """

    first_ms: float
    all_ms: list[float]
    rows: int
    plans: list[Plan]


def measure(data: Data, work: Path, workers: int, executions: int = EXECUTIONS) -> bool:
    """Make the database, ask every query, write a line each and one about the indexes; return whether all passed."""
    cutover = ways(work)[1]
    with server() as on, database_of(on, cutover) as (conninfo, _):
        say(f"making the database of {data.documents:,} documents")
        carry(on, cutover, conninfo, data, work, workers)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            began_at = time.monotonic()
            connection.execute("VACUUM (ANALYZE)")
            say(f"VACUUM took {time.monotonic() - began_at:.1f} s")
            connection.execute("SELECT pg_stat_reset()")
            large = {name for name, rows in connection.execute(_ROWS) if rows > LARGE_ROWS}
        about = {"data": data.described(), "postgres": {"version": on.version, "settings": on.settings or "defaults"}}
        passed = [_report(query, _ask(conninfo, query, executions), large, about) for query in QUERIES]
        with psycopg.connect(conninfo, autocommit=True) as connection:
            unused = connection.execute(_UNUSED).fetchall()
    write(
        "nextcrm_queries",
        {
            "measured": "indexes",
            "queries": len(passed),
            "passed": sum(passed),
            "without_a_scan": [f"{table}: {index}" for table, index, _ in unused],
            **about,
        },
    )
    return all(passed)


def _ask(conninfo: str, query: Query, executions: int) -> _Asked:
    """Execute a query on a connection of its own, parameters drawn from the data; then explain it.

    The connection prepares the statement after five executions, as the application's driver does.
    """
    with psycopg.connect(conninfo, autocommit=True) as connection:
        parameters = draw(connection, query, executions + 1, SEED)
        assert parameters, f"there is nothing to ask {query.name} for"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        times: list[float] = []
        rows = 0
        for one in parameters:
            began_at = time.perf_counter()
            rows = max(rows, len(connection.execute(query.sql, one).fetchall()))
            times.append((time.perf_counter() - began_at) * 1_000)
        slowest = parameters[times.index(max(times[1:]), 1)]
        plans = [_explain(connection, query, one) for one in (parameters[0], slowest)]
    return _Asked(times[0], times[1:], rows, plans)


def _explain(connection: psycopg.Connection[Any], query: Query, parameters: dict[str, Any]) -> Plan:
    row = connection.execute(b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query.sql, parameters).fetchone()
    assert row is not None
    return read_plan(row[0])


def _report(query: Query, asked: _Asked, large: set[str], about: dict[str, Any]) -> bool:
    """Write the line of a query; return whether it is fast enough and reads no large table from end to end."""
    ordered = sorted(asked.all_ms)
    p95 = ordered[math.ceil(len(ordered) * 0.95) - 1]
    read_whole = sorted(set[str]().union(*(plan.read_whole for plan in asked.plans)) & large - set(query.whole))
    indexes = sorted(set[str]().union(*(plan.indexes for plan in asked.plans)))
    passed = p95 < LIMIT_MS and not read_whole and asked.rows > 0
    say(f"{query.name}: p50 {median(ordered):.2f} ms, p95 {p95:.2f} ms{'' if passed else ': NOT PASSED'}")
    write(
        "nextcrm_queries",
        {
            "measured": query.name,
            "passed": passed,
            "p50_ms": round(median(ordered), 3),
            "p95_ms": round(p95, 3),
            "max_ms": round(ordered[-1], 3),
            "first_ms": round(asked.first_ms, 3),
            "executions": len(ordered),
            "most_rows": asked.rows,
            "indexes": indexes,
            "meant_but_not_used": sorted(set(query.indexes) - set(indexes)),
            "large_tables_read_whole": read_whole,
            "plans": [
                {"nodes": list(plan.nodes), "ms": plan.milliseconds, "pages": plan.pages} for plan in asked.plans
            ],
            **about,
        },
    )
    return passed
