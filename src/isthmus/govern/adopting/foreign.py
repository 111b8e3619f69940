"""Histories of other runners in a database: Prisma's `_prisma_migrations` and Drizzle's `__drizzle_migrations`.

Prisma (schema-engine, ARCHITECTURE.md, "The _prisma_migrations table"): a line for each attempt; `finished_at` is set
where it got through, `rolled_back_at` where a person said that it counts for nothing, neither where it failed and
nobody settled that. Drizzle (drizzle-orm, `migrator.ts` and `pg-core/dialect.ts`): a line for each file that got
through, with the hash of its text and, as `created_at`, the `when` of its entry in the journal, in milliseconds. Newer
ones add its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
from psycopg import sql

from isthmus.errors import ConfigError, TargetError
from isthmus.govern.settings import Layout
from isthmus.state.schema_words import Adoption, Runner

TITLES: Mapping[Runner, str] = {"prisma": "Prisma", "drizzle": "Drizzle"}
_TABLES: Mapping[Runner, str] = {"prisma": "_prisma_migrations", "drizzle": "__drizzle_migrations"}
_COLUMNS: Mapping[Runner, frozenset[str]] = {
    "prisma": frozenset({"id", "checksum", "migration_name", "started_at", "finished_at", "rolled_back_at"}),
    "drizzle": frozenset({"id", "hash", "created_at"}),
}
_LAYOUT_OF: Mapping[Layout, Runner] = {"folders": "prisma", "flat": "drizzle"}
_FIND = """
SELECT n.nspname, c.relname, array_agg(a.attname::text)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_(toast|temp)'
  AND (c.relname = ANY(%(names)s) OR (n.nspname = %(schema)s AND c.relname = %(table)s))
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Entry:
    """One line of another runner's history that counts.

    Attributes:
        id: Its key there.
        name: The migration's; None where the runner does not keep it.
        checksum: SHA-256 of the text, hex, as the runner made it.
        when: Of the journal, in milliseconds since 1970; None where the runner has no journal.
        applied_at: When it was applied; None where the runner does not keep it.
        failed: Whether it was begun, did not get through, and is not settled.
    """

    id: str
    name: str | None
    checksum: str
    when: int | None = None
    applied_at: datetime | None = None
    failed: bool = False


@dataclass(frozen=True)
class Foreign:
    """Another runner's history.

    Attributes:
        runner: Whose.
        schema: Where it is.
        table: Its table.
        entries: What counts of it, oldest first.
    """

    runner: Runner
    schema: str
    table: str
    entries: tuple[Entry, ...]

    @property
    def title(self) -> str:
        """What people call it, such as `Prisma's history public._prisma_migrations`."""
        return f"{TITLES[self.runner]}'s history {self.schema}.{self.table}"


def find_foreign(connection: psycopg.Connection, layout: Layout, stated: str | None = None) -> Foreign | None:
    """Read the history of another runner.

    Args:
        connection: In autocommit mode.
        layout: Of the folder: of two runners, the one whose layout it is.
        stated: `SCHEMA.TABLE` of the history; None looks for the usual names.

    Returns:
        None where there is none.

    Raises:
        ConfigError: There are several (code `which-history`), or what is stated is none (`no-history`).
        TargetError: The role may not read it (code `no-read-right`).
    """
    schema, _, table = (stated or "").rpartition(".")
    given = {"names": [] if stated else list(_TABLES.values()), "schema": schema or "public", "table": table}
    rows = connection.execute(_FIND, given).fetchall()
    known = _histories(rows)
    if stated is not None and not known:
        raise ConfigError(
            f"{stated} is no history of Prisma or Drizzle in this database.",
            code="no-history",
            hint="Name it as SCHEMA.TABLE." if not rows else "It has not the columns of one.",
        )
    usual = [one for one in known if one[0] == _LAYOUT_OF[layout]] or known
    if len(usual) > 1:
        raise ConfigError(
            f"There are several histories: {', '.join(f'{schema}.{table}' for _, schema, table in usual)}.",
            code="which-history",
            hint="Name one: --history SCHEMA.TABLE.",
        )
    return _read(connection, *usual[0]) if usual else None


def _runner(columns: set[str]) -> Runner | None:
    found: list[Runner] = [runner for runner, needed in _COLUMNS.items() if needed <= columns]
    return found[0] if found else None


def _read(connection: psycopg.Connection, runner: Runner, schema: str, table: str) -> Foreign:
    # to_jsonb: whatever types and further columns a version gave it
    query = sql.SQL("SELECT to_jsonb(t) FROM {} t ORDER BY {}, id").format(
        sql.Identifier(schema, table), sql.Identifier("started_at" if runner == "prisma" else "created_at")
    )
    try:
        rows = [cast("dict[str, Any]", row[0]) for row in connection.execute(query).fetchall()]
    except psycopg.errors.InsufficientPrivilege:
        place = sql.Identifier(schema, table).as_string()
        raise TargetError(
            f"The role may not read {schema}.{table}, which says whether {TITLES[runner]} deploys here as well.",
            code="no-read-right",
            hint=f"Its owner grants that: GRANT SELECT ON {place} TO the role, and USAGE on its schema.",
        ) from None
    if runner == "drizzle":
        return Foreign(runner, schema, table, tuple(_of_drizzle(row) for row in rows))
    counting = (row for row in rows if row["rolled_back_at"] is None)
    return Foreign(runner, schema, table, tuple(_of_prisma(row) for row in counting))


def _of_prisma(row: dict[str, Any]) -> Entry:
    at = _instant(row["finished_at"])
    return Entry(str(row["id"]), str(row["migration_name"]), str(row["checksum"]), None, at, row["finished_at"] is None)


def _of_drizzle(row: dict[str, Any]) -> Entry:
    when = row["created_at"]
    name = row.get("name")
    return Entry(
        str(row["id"]),
        None if name is None else str(name),
        str(row["hash"]),
        None if when is None else int(when),
        _instant(row.get("applied_at")),
    )


def _instant(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def all_foreign(connection: psycopg.Connection) -> list[Foreign]:
    """Read every history that stands where Prisma or Drizzle put theirs."""
    rows = connection.execute(_FIND, {"names": list(_TABLES.values()), "schema": None, "table": None}).fetchall()
    return [_read(connection, *one) for one in _histories(rows)]


def reread(connection: psycopg.Connection, adoption: Adoption) -> Foreign | None:
    """Read a history again that was adopted; None where it is gone."""
    given: dict[str, object] = {"names": [], "schema": adoption.schema, "table": adoption.table}
    if not connection.execute(_FIND, given).fetchone():
        return None
    return _read(connection, adoption.runner, adoption.schema, adoption.table)


def _histories(rows: list[tuple[Any, ...]]) -> list[tuple[Runner, str, str]]:
    """Return runner, schema and table of those that have the columns of a history."""
    return [
        (runner, str(schema), str(table))
        for schema, table, columns in rows
        if (runner := _runner(set(columns))) is not None
    ]
