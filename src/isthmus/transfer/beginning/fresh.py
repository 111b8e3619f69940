"""Start over: drop what an earlier run made, and nothing else."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import psycopg
from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.errors import Problem, TargetError
from isthmus.state.runs import Run
from isthmus.state.statements import statement
from isthmus.transfer.beginning.preflight import Finding
from isthmus.transfer.existing.deliver import is_delivered
from isthmus.transfer.existing.stage import drop_stage
from isthmus.work.interrupted import Interrupted
from isthmus.work.listed import listed
from isthmus.work.stages import reached

_MOST_NAMES = 5
_HINT = (
    "Nothing was dropped. Drop or change them first (their definitions are the only copy: keep them to make them again"
    " afterwards), then run the same command again."
)

_OWN = """
SELECT 'pg_catalog.pg_class'::regclass AS class, c.oid AS object, c.relname AS name,
       CASE n.nspname WHEN %(schema)s THEN 'tables' ELSE 'waiting' END AS kind
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND (n.nspname = %(schema)s AND c.relname = ANY(%(tables)s)
                           OR n.nspname = 'isthmus' AND c.relname = ANY(%(waiting)s))
UNION ALL
SELECT 'pg_catalog.pg_type'::regclass, t.oid, t.typname, 'types'
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND n.nspname = %(schema)s AND t.typname = ANY(%(types)s)
"""
"""What the run made: ordinary tables and enum types. Anything else of the same name came from somebody else."""

# From the run's objects along everything that depends on them. What is an internal part of something else (the rule
# of a view, the index of a key) stands for the whole, whose own dependents follow in turn.
_DEPENDENTS = f"""
WITH RECURSIVE own AS ({_OWN}),
reached(class, object, part, root) AS (
  SELECT class::oid, object, 0, name FROM own
  UNION
  SELECT next.class, next.object, next.part, reached.root
  FROM reached CROSS JOIN LATERAL (
    SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend d
    WHERE d.refclassid = reached.class AND d.refobjid = reached.object
      AND (reached.part = 0 OR d.refobjsubid = reached.part)
    UNION ALL
    SELECT d.refclassid, d.refobjid, d.refobjsubid FROM pg_catalog.pg_depend d
    WHERE d.classid = reached.class AND d.objid = reached.object AND d.deptype = 'i'
  ) AS next(class, object, part)
)
SELECT pg_catalog.pg_describe_object(r.class, r.object, r.part), min(r.root::text)
FROM reached r
  LEFT JOIN pg_catalog.pg_class c ON r.class = 'pg_catalog.pg_class'::regclass AND c.oid = r.object
  LEFT JOIN pg_catalog.pg_type t ON r.class = 'pg_catalog.pg_type'::regclass AND t.oid = r.object
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
  LEFT JOIN pg_catalog.pg_constraint k ON r.class = 'pg_catalog.pg_constraint'::regclass AND k.oid = r.object
  LEFT JOIN pg_catalog.pg_trigger g ON r.class = 'pg_catalog.pg_trigger'::regclass AND g.oid = r.object
  LEFT JOIN pg_catalog.pg_rewrite w ON r.class = 'pg_catalog.pg_rewrite'::regclass AND w.oid = r.object
  LEFT JOIN pg_catalog.pg_attrdef a ON r.class = 'pg_catalog.pg_attrdef'::regclass AND a.oid = r.object
WHERE NOT EXISTS (SELECT FROM own WHERE own.class = r.class AND own.object = r.object)
  AND (r.part = 0 OR NOT EXISTS (SELECT FROM reached w WHERE (w.class, w.object, w.part) = (r.class, r.object, 0)))
  AND r.class <> 'pg_catalog.pg_statistic_ext'::regclass
  AND (c.oid IS NULL OR c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c'))
  AND (t.oid IS NULL OR t.typrelid = 0 AND e.oid IS NULL AND t.typtype <> 'm')
  AND (k.oid IS NULL OR k.contype = 'f' AND k.conrelid NOT IN (SELECT object FROM own))
  AND (g.oid IS NULL OR NOT g.tgisinternal)
  AND (w.oid IS NULL OR w.rulename <> '_RETURN')
  AND (a.oid IS NULL OR a.adrelid NOT IN (SELECT object FROM own))
GROUP BY 1 ORDER BY 1
"""


def check_dependents(connection: psycopg.Connection, run: Run) -> list[Finding]:
    """Look for what others built on the tables and types of a run: it would break or vanish with them.

    Views, foreign keys and columns of other tables, functions that name the row type, and so on, also where they hang
    on one another; and triggers, rules, policies and publications on the tables themselves, none of which Isthmus
    makes. Indexes, statistics, defaults and further columns are parts of a table and go with it. A function whose body
    is a text is no dependent: the server does not know what it reads.

    Returns:
        One finding that names each of them (code `has-dependents`), or none. Reads the catalog only.
    """
    found = connection.execute(_DEPENDENTS.encode(), _names(run)).fetchall()
    if not found:
        return []
    named = "; ".join(f"{what} (on {run.target_schema}.{root})" for what, root in found)
    problem = Problem(
        "has-dependents",
        f"--fresh would drop tables and types of run {run.id} on which others depend: {named}.",
        hint=_HINT,
    )
    return [Finding(problem, TargetError)]


def drop_run(connection: psycopg.Connection, run: Run, stop: threading.Event) -> str:
    """Drop what a run made and its state (--fresh), in one transaction; the id key stays.

    Args:
        connection: Autocommit connection that holds the lease.
        run: The run; its lease is adopted.
        stop: Set when the user wants it to end; looked at behind the last wait.

    Returns:
        A sentence that says how many rows each table held: what was written by hand is gone with them.

    Raises:
        TargetError: Something that the run did not make depends on its tables or types (code `has-dependents`);
            nothing was dropped.
        Interrupted: The user asked to stop; nothing was dropped.
    """
    try:
        with connection.transaction():
            made = _made(connection, run)
            tables = [sql.Identifier(run.target_schema, name) for name in made["tables"]]
            tables += [sql.Identifier("isthmus", name) for name in made["waiting"]]
            types = [sql.Identifier(run.target_schema, name) for name in made["types"]]
            if tables:  # so that the counts are the last word
                connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(tables)))
            if stop.is_set():
                raise Interrupted
            told = _told(run, {name: _count(connection, run.target_schema, name) for name in made["tables"]})
            if "delivers" in run.tables:
                told = _told_of_existing(connection, run)
                drop_stage(connection)
            if tables:  # each kind at once, as they refer to each other
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.SQL(", ").join(tables)))
            if types:
                connection.execute(sql.SQL("DROP TYPE {}").format(sql.SQL(", ").join(types)))
            connection.execute(statement("run", "delete_id_map"))
            connection.execute(statement("run", "delete_runs"))
            reached("fresh.before-commit")
    except psycopg.errors.DependentObjectsStillExist as fault:  # made since the look at them
        what = "; ".join((fault.diag.message_detail or fault.diag.message_primary or "").splitlines())
        raise TargetError(
            f"Run {run.id} cannot be dropped, because something it did not make depends on its tables: {what}.",
            code="has-dependents",
            hint=_HINT,
        ) from None
    reached("fresh.after-commit")
    return told


def _told_of_existing(connection: psycopg.Connection, run: Run) -> str:
    """Say what goes and what stays of a run into tables that it did not make."""
    tables = listed([f"{run.target_schema}.{name}" for name in run.tables["delivers"]], _MOST_NAMES)
    if not is_delivered(connection, run):
        return f"Run {run.id} is forgotten (--fresh) with what it had loaded; nothing of it had come to {tables} yet."
    return (
        f"Run {run.id} is forgotten (--fresh). What it delivered to {tables} stays, for these tables are not its own:"
        " this copy meets those rows as rows that were there before. What it had overwritten cannot be taken back."
    )


def _names(run: Run) -> dict[str, Any]:
    made = {kind: run.tables.get(kind, []) for kind in ("tables", "waiting", "types")}
    return {"schema": run.target_schema, **made}


def _made(connection: psycopg.Connection, run: Run) -> dict[str, list[str]]:
    """Return what is left of what the run made: `tables`, `waiting`, `types`, each in the order it made them."""
    names = _names(run)
    rows = connection.execute(f"SELECT kind, name::text FROM ({_OWN}) AS own".encode(), names).fetchall()
    there = {(str(kind), str(name)) for kind, name in rows}
    return {kind: [name for name in names[kind] if (kind, name) in there] for kind in ("tables", "waiting", "types")}


def _count(connection: psycopg.Connection, schema: str, table: str) -> int:
    return first_number(
        connection.execute(sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(schema, table)))
    )


def _told(run: Run, counts: dict[str, int]) -> str:
    """Say what goes, and where the run itself had left another number of rows."""
    left = _rows_left(run.balance)
    parts = [
        f"{name} {count:,}" + (f" (the run left {left[name]:,})" if left.get(name, count) != count else "")
        for name, count in counts.items()
    ]
    rows = f", with their rows: {', '.join(parts)}" if parts else ""
    tables = "table" if len(counts) == 1 else f"{len(counts)} tables"
    return f"Run {run.id} and its {tables} are dropped (--fresh){rows}."


def _rows_left(balance: dict[str, Any] | None) -> dict[str, int]:
    """Return table → rows when the run completed, from its books; empty for a run that did not."""
    if balance is None:
        return {}
    left: Counter[str] = Counter(balance["junctions"])
    for books in balance["collections"].values():
        left.update(books["tables"])  # a table that several collections fill has its rows in the books of each
    return left
