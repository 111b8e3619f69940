"""Definitions are set aside while rows are delivered: stored in `isthmus.saved_ddl`, and dropped.

Only of tables that are empty, where these get many rows: indexes that are not unique, and their foreign keys to
the tables of the mapping. A table that holds rows keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from isthmus.errors import TargetError
from isthmus.transfer.existing.fit import Existing, FedTable
from isthmus.transfer.existing.names import STAGE
from isthmus.transfer.job import Job
from isthmus.transfer.locks import waiting_briefly
from isthmus.work.stages import reached

WORTH_ROWS = 100_000
"""Rows for the empty tables together from which on building their indexes anew is faster than keeping them up."""

# What `pg_get_indexdef` leaves out: where it lies, its comment, statistics targets, whether its table is clustered.
# Indexes are left alone that belong to a constraint, that are broken, or that an extension was told to take along.
_INDEXES = """
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, t.relname::text AS "table", c.relname::text AS name,
       pg_catalog.pg_get_indexdef(c.oid) AS definition, s.spcname::text AS tablespace, i.indisclustered AS clustered,
       pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
       (SELECT jsonb_agg(jsonb_build_array(a.attnum, a.attstattarget) ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND coalesce(a.attstattarget, -1) <> -1) AS targets
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
WHERE i.indrelid = %(oid)s::bigint::oid AND NOT i.indisunique AND NOT i.indisexclusion AND NOT i.indisreplident
  AND i.indisvalid AND i.indisready
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype IN ('x', 'e'))
ORDER BY c.relname
"""

# Left alone where one of the triggers behind it was switched off, which no definition says.
_KEYS = """
SELECT k.oid::bigint AS oid, n.nspname::text AS schema, t.relname::text AS "table", k.conname::text AS name,
       pg_catalog.pg_get_constraintdef(k.oid) AS definition, k.convalidated AS valid,
       pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE k.conrelid = %(oid)s::bigint::oid AND k.contype = 'f' AND k.confrelid = ANY(%(targets)s::bigint[])
  AND k.conparentid = 0
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled <> 'O')
ORDER BY k.conname
"""


@dataclass(frozen=True)
class _Definition:
    """An index or a foreign key: how it is dropped and how it is made again."""

    kind: str
    schema: str
    table: str
    name: str
    drop: sql.Composed
    statements: list[str]
    validate: str | None = None


def set_aside(job: Job, connection: psycopg.Connection) -> None:
    """Store and drop what only slows a large delivery down, of the tables that are empty. One transaction.

    A table of another owner is left as it is; all are, where somebody uses one of them. Safe to repeat.
    """
    existing = job.existing
    assert existing is not None  # noqa: S101  asked only in this mode
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        empty = _worth_it(connection, existing)
        if not empty:
            return
        oids = [fed.there.oid for fed in existing.tables.values()]
        try:
            with waiting_briefly(connection, oids, seconds=job.options.retry_seconds, readers=True):
                _drop_all(job, connection, empty, oids)
        except TargetError as fault:
            job.progress.note(f"{fault.message} Indexes and keys stay meanwhile, which makes the delivery slower.")
            return
        reached("saved.dropped-before-commit")
    reached("saved.dropped-after-commit")


def _drop_all(job: Job, connection: psycopg.Connection, tables: list[FedTable], targets: list[int]) -> None:
    for fed in tables:
        if not fed.there.owned:
            job.progress.note(f"Indexes and keys of {fed.there.label} stay: they are its owner's, {fed.there.owner}.")
            continue
        for definition in [*_keys(connection, fed, targets), *_indexes(connection, fed)]:
            _store(connection, job.run.id, definition)
            connection.execute(definition.drop)


def _worth_it(connection: psycopg.Connection, existing: Existing) -> list[FedTable]:
    """Return the tables that are empty, where they get many rows; else none."""
    empty: list[FedTable] = []
    rows = 0
    for fed in existing.tables.values():
        row = connection.execute(
            sql.SQL("SELECT EXISTS (SELECT FROM {}), (SELECT count(*) FROM (SELECT FROM {} LIMIT {}) AS s)").format(
                sql.Identifier(fed.there.schema, fed.name), sql.Identifier(STAGE, fed.name), sql.Literal(WORTH_ROWS)
            )
        ).fetchone()
        if row is not None and not row[0]:
            empty.append(fed)
            rows += int(row[1])
    return empty if rows >= WORTH_ROWS else []


def _indexes(connection: psycopg.Connection, fed: FedTable) -> Iterator[_Definition]:
    for row in _catalog(connection, _INDEXES, {"oid": fed.there.oid}):
        name, table = sql.Identifier(row["schema"], row["name"]), sql.Identifier(row["schema"], row["table"])
        made = [row["definition"]]
        if row["tablespace"] is not None:
            made.append(_text(connection, "ALTER INDEX {} SET TABLESPACE {}", name, sql.Identifier(row["tablespace"])))
        targets: list[list[int]] = row["targets"] or []
        for number, target in targets:
            form = f"ALTER INDEX {{}} ALTER COLUMN {number} SET STATISTICS {target}"
            made.append(_text(connection, form, name))
        if row["comment"] is not None:
            made.append(_text(connection, "COMMENT ON INDEX {} IS {}", name, sql.Literal(row["comment"])))
        if row["clustered"]:
            made.append(_text(connection, "ALTER TABLE {} CLUSTER ON {}", table, sql.Identifier(row["name"])))
        yield _Definition(
            "index", row["schema"], row["table"], row["name"], sql.SQL("DROP INDEX {}").format(name), made
        )


def _keys(connection: psycopg.Connection, fed: FedTable, targets: list[int]) -> Iterator[_Definition]:
    for row in _catalog(connection, _KEYS, {"oid": fed.there.oid, "targets": targets}):
        table, name = sql.Identifier(row["schema"], row["table"]), sql.Identifier(row["name"])
        unproven = row["definition"] if " NOT VALID" in row["definition"] else f"{row['definition']} NOT VALID"
        enforced = " NOT ENFORCED" not in row["definition"]
        add = _text(connection, "ALTER TABLE {} ADD CONSTRAINT {} ", table, name)
        made = [add + (unproven if enforced else row["definition"])]
        if row["comment"] is not None:
            form = "COMMENT ON CONSTRAINT {} ON {} IS {}"
            made.append(_text(connection, form, name, table, sql.Literal(row["comment"])))
        validate = _text(connection, "ALTER TABLE {} VALIDATE CONSTRAINT {}", table, name)
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, name)
        proves = validate if row["valid"] and enforced else None
        yield _Definition("foreign-key", row["schema"], row["table"], row["name"], drop, made, proves)


def _catalog(connection: psycopg.Connection, query: str, parameters: dict[str, object]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        # so that everything is written with its schema; the transaction's own
        cursor.execute("SELECT set_config('search_path', '', true)")
        return cursor.execute(query.encode(), parameters).fetchall()


def _text(connection: psycopg.Connection, form: str, *parts: sql.Composable) -> str:
    return sql.SQL(form).format(*parts).as_string(connection)  # pyright: ignore[reportArgumentType]  a literal here


def _store(connection: psycopg.Connection, run: int, definition: _Definition) -> None:
    connection.execute(
        "INSERT INTO isthmus.saved_ddl (run_id, table_schema, table_name, kind, name, statements, validate_statement)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            run,
            definition.schema,
            definition.table,
            definition.kind,
            definition.name,
            Jsonb(definition.statements),
            definition.validate,
        ),
    )
