"""Connected components of a graph that stands in a temporary table: in the server, whatever its size.

By alternating large and small stars: a round halves long ways, so their number grows with the logarithm of the longest.
"""

from __future__ import annotations

import psycopg

from isthmus.connect.postgres import first_number

_LARGE = """
SELECT DISTINCT v AS hi, m AS lo FROM (
    SELECT u, v, least(u, min(v) OVER (PARTITION BY u)) AS m
    FROM (SELECT hi AS u, lo AS v FROM pg_temp.star UNION ALL SELECT lo, hi FROM pg_temp.star) AS both_ways
) AS near WHERE v > u"""
_SMALL = """
WITH near AS (SELECT hi, lo, min(lo) OVER (PARTITION BY hi) AS m FROM pg_temp.star)
SELECT hi, m AS lo FROM near UNION SELECT lo, m FROM near WHERE lo <> m"""
_OPEN = """
SELECT (SELECT count(*) - count(DISTINCT hi) FROM pg_temp.star)
    + (SELECT count(*) FROM pg_temp.star WHERE lo IN (SELECT hi FROM pg_temp.star))"""


def find_components(connection: psycopg.Connection) -> int:
    """Turn `pg_temp.edge (a, b)` into `pg_temp.component (node, root)`, where the root is the lowest node of each.

    Args:
        connection: Its nodes are texts that compare byte by byte (collation "C"); any former component table goes.

    Returns:
        How many nodes are connected with another one; these are in the table, and no others.
    """
    connection.execute("DROP TABLE IF EXISTS pg_temp.component, pg_temp.star")
    connection.execute(
        "CREATE TEMP TABLE star AS SELECT DISTINCT greatest(a, b) AS hi, least(a, b) AS lo"
        " FROM pg_temp.edge WHERE a <> b"
    )
    connection.execute("ANALYZE pg_temp.star")
    while first_number(connection.execute(_OPEN.encode())):
        for step in (_LARGE, _SMALL):
            connection.execute(f"CREATE TEMP TABLE next_star AS {step}".encode())
            connection.execute("DROP TABLE pg_temp.star")
            connection.execute("ALTER TABLE pg_temp.next_star RENAME TO star")
            connection.execute("ANALYZE pg_temp.star")
    connection.execute(
        "CREATE TEMP TABLE component AS SELECT hi AS node, lo AS root FROM pg_temp.star"
        " UNION SELECT lo, lo FROM pg_temp.star"
    )
    connection.execute("DROP TABLE pg_temp.star")
    connection.execute("ANALYZE pg_temp.component")
    return first_number(connection.execute("SELECT count(*) FROM pg_temp.component"))
