"""Definitions that are set aside while rows are delivered: stored first, dropped, and made again.

Only of tables that are empty, where these get many rows: indexes that are not unique, and their foreign keys to
the tables of the mapping. A table that holds rows keeps its own.
What is dropped and what stands in `isthmus.saved_ddl` is one transaction, and so is what is made again: at any instant
the table says exactly what is missing. Whatever command comes next on the target can put it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from isthmus.connect.postgres import explain, meaning
from isthmus.errors import TargetError
from isthmus.state.lease import Lease
from isthmus.transfer.existing.fit import Existing, FedTable
from isthmus.transfer.existing.names import STAGE
from isthmus.transfer.hands import Hands
from isthmus.transfer.job import Job
from isthmus.transfer.locks import waiting_briefly
from isthmus.transfer.stages import reached
from isthmus.work.amounts import plural

_MOST_NAMES = 3
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


@dataclass(frozen=True)
class Saved:
    """A definition that is missing in its table now."""

    id: int
    label: str
    kind: str


def missing(connection: psycopg.Connection) -> list[Saved]:
    """Return what is set aside now: indexes first, then foreign keys; empty where nothing is, or no state."""
    row = connection.execute("SELECT to_regclass('isthmus.saved_ddl') IS NOT NULL").fetchone()
    if not row or not row[0]:
        return []
    rows = connection.execute(
        "SELECT id, name || ' of ' || table_schema || '.' || table_name, kind FROM isthmus.saved_ddl"
        " ORDER BY kind DESC, id"
    ).fetchall()
    return [Saved(int(number), str(label), str(kind)) for number, label, kind in rows]


def put_back(connection: psycopg.Connection, saved: Saved) -> None:
    """Make a definition again, prove it where it was proven, and strike it off; each a transaction. Safe to repeat.

    Raises:
        TargetError: The rows that are there now stand against it (code `not-restored`), or the role may not.
    """
    while _put_back_next(connection, saved):
        pass


def _put_back_next(connection: psycopg.Connection, saved: Saved) -> bool:
    """Do the next step; return whether anything is left to do. Raises as `put_back`."""
    try:
        return _next_step(connection, saved.id)
    except psycopg.Error as fault:
        if meaning(fault) == "transient":
            raise
        raise _stands_against(saved, fault) from None


def _next_step(connection: psycopg.Connection, number: int) -> bool:
    """Do what comes next for a stored definition; return whether anything is left to do."""
    with connection.transaction():
        # locked, so that of two commands that put it back one comes first
        row = connection.execute(
            "SELECT statements, validate_statement FROM isthmus.saved_ddl WHERE id = %s FOR UPDATE", (number,)
        ).fetchone()
        if row is None:
            return False
        statements, validate = row
        for statement in statements or [validate]:
            connection.execute(statement.encode())
        more = bool(statements) and validate is not None
        if more:
            connection.execute("UPDATE isthmus.saved_ddl SET statements = '[]' WHERE id = %s", (number,))
        else:
            connection.execute("DELETE FROM isthmus.saved_ddl WHERE id = %s", (number,))
        reached("saved.restored-before-commit")
    reached("saved.restored-after-commit")
    return more


def _stands_against(saved: Saved, fault: psycopg.Error) -> TargetError:
    return TargetError(
        f"The {saved.kind.replace('-', ' ')} {saved.label} was set aside for a load and cannot be made again:"
        f" {explain(fault, values=False)}.",
        code="not-restored",
        hint="Its definition stands in isthmus.saved_ddl; mend what stands against it and run the same command again.",
    )


def restore(job: Job, hands: Hands) -> None:
    """Put everything back that is set aside: indexes side by side, then foreign keys, which are proven side by side."""
    indexes = [saved for saved in missing(job.lease.connection) if saved.kind == "index"]
    hands.all((f"index {saved.label}", lambda c, s=saved: _put_back(job, c, s)) for saved in indexes)
    keys = missing(job.lease.connection)
    for saved in keys:  # to add one locks two tables, so not side by side
        hands.part(f"foreign key {saved.label}", lambda c, s=saved: _add(job, c, s))
    hands.all((f"foreign key {saved.label}", lambda c, s=saved: _put_back(job, c, s)) for saved in keys)


def _put_back(job: Job, connection: psycopg.Connection, saved: Saved) -> None:
    job.lease.ensure()
    put_back(connection, saved)


def _add(job: Job, connection: psycopg.Connection, saved: Saved) -> None:
    job.lease.ensure()
    _put_back_next(connection, saved)


def words_before(those: Sequence[Saved]) -> str:
    """Return a sentence that tells somebody what will be put back now, before it is."""
    return f"A copy ended before it put {_indexes_and_keys(those)} back; that is done now, and may take a while."


def words_behind(those: Sequence[Saved]) -> str:
    """Return a sentence that tells what was put back; of many the first by name."""
    names = ", ".join(saved.label for saved in those[:_MOST_NAMES])
    more = f" and {len(those) - _MOST_NAMES} more" if len(those) > _MOST_NAMES else ""
    return f"Put back {_indexes_and_keys(those)}: {names}{more}."


def _indexes_and_keys(those: Sequence[Saved]) -> str:
    indexes = sum(saved.kind == "index" for saved in those)
    keys = len(those) - indexes
    parts = [plural(indexes, "index", "indexes") if indexes else "", plural(keys, "foreign key") if keys else ""]
    return " and ".join(part for part in parts if part)


def restore_abandoned(conninfo: str, begun: Callable[[list[Saved]], None] = lambda _: None) -> list[Saved]:
    """Put back what a copy had set aside when it died; called at the beginning of commands that look at a target.

    Does nothing while another isthmus is at work on it.

    Args:
        conninfo: The target.
        begun: Called with what will be put back, before it is: that may take as long as the rows are many.

    Returns:
        What was put back.

    Raises:
        TargetError: The server cannot be reached, or something cannot be made again (code `not-restored`).
    """
    lease = Lease(conninfo)
    try:
        lease.acquire()
    except TargetError as fault:
        if fault.code == "lease-held":
            return []
        raise
    try:
        return restore_with(lease, begun)
    finally:
        lease.release()


def restore_with(lease: Lease, begun: Callable[[list[Saved]], None]) -> list[Saved]:
    """Put back what is set aside, under a lease that is held; return it. `begun` as for `restore_abandoned`."""
    found = missing(lease.connection)
    if found:
        begun(found)
    for saved in found:
        put_back(lease.connection, saved)
    return found
