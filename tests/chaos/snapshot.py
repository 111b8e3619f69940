"""Everything a copy leaves behind in a target, as plain data that can be compared.

Leaves out what may differ between two right copies: identity numbers, times of writing, run numbers, who held the
lease, how documents were grouped into partitions and batches. `now` of the mapping is written as `<started N>`, by the
run, and what the server put into columns by a default of their own as `<meanwhile>`.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

import psycopg
from psycopg import sql

Snapshot = dict[str, Any]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00")

_CATALOG = {
    "columns": """
        SELECT n.nspname, c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               pg_get_expr(d.adbin, d.adrelid)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname = ANY(%(schemas)s)""",
    "constraints": """
        SELECT n.nspname, r.relname, c.conname, pg_get_constraintdef(c.oid), c.convalidated
        FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
        WHERE n.nspname = ANY(%(schemas)s)""",
    "indexes": """
        SELECT n.nspname, c.relname, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready, i.indislive
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s)""",
    "functions": """
        SELECT n.nspname, p.proname, pg_get_functiondef(p.oid)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY(%(schemas)s)
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')""",  # of no extension
    "types": """
        SELECT n.nspname, t.typname, e.enumlabel
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_enum e ON e.enumtypid = t.oid
        WHERE n.nspname = ANY(%(schemas)s)""",
    "triggers": """
        SELECT n.nspname, c.relname, t.tgname, t.tgenabled
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%(schemas)s) AND NOT t.tgisinternal""",
    "leftovers": """
        SELECT nspname FROM pg_namespace
        WHERE nspname NOT LIKE 'pg\\_%%' AND nspname NOT IN ('information_schema', 'public')""",
}
_LEDGERS = {
    "run": "SELECT mapping_fingerprint, mapping_text, source, target_schema, tables, stage FROM isthmus.run",
    "balance": "SELECT g.key, g.value::text FROM isthmus.run, jsonb_each(balance) AS g",
    "id_key": "SELECT key FROM isthmus.id_key",
    "migrations": "SELECT version, name, checksum FROM isthmus.migration",
    "dead_letter": """
        SELECT collection, source_id, source_id_text, location, stage, code, path, message, causes, document,
               document_digest FROM isthmus.dead_letter""",
    "orphan": """
        SELECT source_collection, table_name, column_name, row_id, row_position, target_collection, target_id, old_id,
               old_id_text, action, by_default FROM isthmus.orphan""",
    "adjustment": """
        SELECT collection, source_id, table_name, column_name, row_position, kind, original FROM isthmus.adjustment""",
    "id_map": "SELECT collection, source_id, id, origin, derived_id FROM isthmus.id_map",
    "extras": "SELECT table_schema, table_name, id, row_position, document::text FROM isthmus.extras",
    "conflict": """
        SELECT collection, table_name, row_id, source_row_id, differing::text, policy, action, document
        FROM isthmus.conflict""",
    "row_state": "SELECT table_schema, table_name, id, source_id, source_digest, loaded_digest FROM isthmus.row_state",
    "kept_value": "SELECT to_jsonb(k) - 'run_id' FROM isthmus.kept_value AS k",
    "pending_reference": "SELECT to_jsonb(p) - 'id' - 'run_id' FROM isthmus.pending_reference AS p",
    "identity": "SELECT name, mode, source_name, counts::text, answers_digest, rules_digest FROM isthmus.identity",
    "identity_member": "SELECT to_jsonb(m) - 'changed_at' FROM isthmus.identity_member AS m",
    "identity_conflict": "SELECT to_jsonb(c) - 'made_at' FROM isthmus.identity_conflict AS c",
    "saved_ddl": "SELECT table_schema, table_name, kind, name, statements::text FROM isthmus.saved_ddl",
    "partition": """
        SELECT collection, min(start_position), max(position), bool_and(done) FROM isthmus.partition GROUP BY 1""",
    "read": """
        SELECT collection, sum(documents), sum(source_bytes),
               encode(string_agg(document_digests, ''::bytea ORDER BY partition_number, number), 'hex')
        FROM isthmus.batch GROUP BY 1""",
    "books": """
        SELECT collection, g.key, n.key, sum(n.value::bigint)
        FROM isthmus.partition, jsonb_each(counts) AS g, jsonb_each_text(g.value) AS n
        WHERE g.key <> 'expected' GROUP BY 1, 2, 3""",  # what the source had said of its size, not what was in it
    "tally": "SELECT kind, name, amount FROM isthmus.tally WHERE amount <> 0 AND kind <> 'finish-position'",
}


def snapshot(conninfo: str, schema: str) -> Snapshot:
    """Read rows, ledgers and catalog of a finished target."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SET timezone = 'UTC'")
        runs = connection.execute("SELECT started_at::text FROM isthmus.run ORDER BY id").fetchall()
        started = {str(at): f"<started {number}>" for number, (at,) in enumerate(runs, 1)}
        found: Snapshot = {}
        for name, query in _CATALOG.items():
            found[f"catalog: {name}"] = _texts(connection, query, {"schemas": [schema, "isthmus"]})
        for name, query in _LEDGERS.items():
            found[f"ledger: {name}"] = _texts(connection, query, {})
        for (table,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,)
        ).fetchall():
            query = sql.SQL("SELECT r::text FROM {} r").format(sql.Identifier(schema, table))
            rows = [str(text) for (text,) in connection.execute(query).fetchall()]
            for at, name in started.items():
                rows = [text.replace(at, name) for text in rows]
            if started:
                rows = [_without_meanwhile(text, min(started)) for text in rows]
            found[f"rows: {table}"] = sorted(rows)
        return found


def _without_meanwhile(row: str, began: str) -> str:
    """Replace the instants of a row that lie between the beginning of the first run and now."""
    now = datetime.datetime.now(datetime.UTC).isoformat(" ")
    return _INSTANT.sub(lambda found: "<meanwhile>" if began < found[0] < now else found[0], row)


def _texts(connection: psycopg.Connection, query: str, parameters: dict[str, Any]) -> list[str]:
    return sorted(repr(row) for row in connection.execute(query.encode(), parameters).fetchall())


def differences(actual: Snapshot, expected: Snapshot, limit: int = 6) -> str:
    """Say what differs between two snapshots; empty when nothing does."""
    lines: list[str] = []
    for name in sorted({*actual, *expected}):
        left, right = actual.get(name, []), expected.get(name, [])
        if left == right:
            continue
        more, less = _minus(left, right), _minus(right, left)
        lines.append(f"{name}: {len(more)} too many, {len(less)} missing")
        lines += [f"  + {text[:600]}" for text in more[:limit]]
        lines += [f"  - {text[:600]}" for text in less[:limit]]
    return "\n".join(lines)


def _minus(left: list[str], right: list[str]) -> list[str]:
    rest = list(right)
    found: list[str] = []
    for one in left:
        if one in rest:
            rest.remove(one)
        else:
            found.append(one)
    return found
