"""The lines by which a run remembers what tables that existed before it were like, drawn anew from the catalog.

A run into such tables keeps them under `shape`: relations, columns, unique keys and CHECK constraints. Other indexes,
foreign keys and triggers are not among them, for a load may set those aside.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

_LINES = """
WITH t AS (SELECT c.oid, c.relkind, n.nspname || '.' || c.relname AS label FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind NOT IN ('i', 'I', 'S', 't', 'c'))
SELECT t.label || ' is a relation of kind ' || t.relkind::text FROM t
UNION ALL
SELECT concat_ws(' ', t.label || '.' || a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attnotnull OR y.typnotnull THEN 'not null' END, CASE WHEN a.attgenerated <> '' THEN 'generated' END,
  CASE WHEN a.atthasdef OR a.attidentity <> '' OR y.typdefault IS NOT NULL THEN 'filled' END)
FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT t.label || ' unique (' || array_to_string(ARRAY(
    SELECT coalesce(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, k.n::integer, false))
    FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
    WHERE k.n <= i.indnkeyatts ORDER BY k.n), ', ') || ')'
  || coalesce(' where ' || pg_catalog.pg_get_expr(i.indpred, i.indrelid), '')
FROM t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid WHERE i.indisunique AND i.indisvalid
UNION ALL
SELECT t.label || ' ' || pg_catalog.pg_get_constraintdef(k.oid)
FROM t JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid WHERE k.contype = 'c'
"""


def read_shape(connection: psycopg.Connection[Any], schema: str, tables: Iterable[str]) -> list[str]:
    """Return the lines of some tables as they are now, sorted."""
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT set_config('search_path', '', true)")
        rows = connection.execute(_LINES.encode(), {"schema": schema, "names": list(tables)}).fetchall()
    return sorted(str(line) for (line,) in rows)
