"""Rows of anybody, in any table of the database, that refer by a foreign key to rows that would go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from isthmus.errors import Problem, TargetError, Where
from isthmus.mapping.names import quote_identifier
from isthmus.state.statements import statements
from isthmus.transfer.beginning.preflight import Finding
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.undoing.references import is_going_back
from isthmus.transfer.undoing.result import InTheWay
from isthmus.transfer.undoing.taking import Taking

PACKAGE = "isthmus.transfer.undoing"
_MANY = 1_000
"""Rows that go from which on a foreign key without index is worth a word."""


@dataclass(frozen=True)
class Key:
    """A foreign key that points at a table which loses rows, as the statement `referring_keys` has it."""

    name: str
    oid: int
    schema: str
    table: str
    target_oid: int
    on_delete: str
    columns: list[str]
    target_columns: list[str]
    own_key: list[str]
    indexed: bool
    readable: bool
    guarded: bool
    owner: str
    role: str

    @property
    def label(self) -> str:
        """Its table, for people."""
        return f"{self.schema}.{self.table}"


def read_keys(connection: psycopg.Connection, oids: Sequence[int]) -> list[Key]:
    """Return every foreign key that points at some tables."""
    with connection.cursor(row_factory=class_row(Key)) as cursor:
        text = statements("undo", PACKAGE)["referring_keys"]
        return cursor.execute(text, {"oids": list(oids)}).fetchall()


def check_keys(keys: Sequence[Key]) -> list[Finding]:
    """Return what keeps the rows of referring tables from being looked at."""
    found: dict[str, Finding] = {}
    for key in keys:
        where = Where(table=key.label)
        if not key.readable:
            grants = (
                f"GRANT USAGE ON SCHEMA {quote_identifier(key.schema)} TO {quote_identifier(key.role)};"
                f" GRANT SELECT ON {quote_identifier(key.schema)}.{quote_identifier(key.table)}"
                f" TO {quote_identifier(key.role)}"
            )
            words = f"This role may not read {key.label}, whose rows may refer to rows that would go ({key.name})."
            found[key.label] = Finding(
                Problem("no-right", words, where, f"Run as its owner ({key.owner}): {grants}."), TargetError
            )
        elif key.guarded:
            words = (
                f"Row-level security is active for this role on {key.label}: rows that refer to rows which would go"
                f" ({key.name}) might be hidden."
            )
            hint = "Use a role with BYPASSRLS or the owner's (without FORCE ROW LEVEL SECURITY)."
            found[key.label] = Finding(Problem("row-security", words, where, hint), TargetError)
    return list(found.values())


def look_at_referring(taking: Taking, keys: Sequence[Key]) -> None:
    """Enter the rows that refer to rows which go, do not go themselves and do not wait again."""
    by_oid = {fed.there.oid: fed for fed in taking.sides.existing.tables.values()}
    for key in keys:
        target, own = by_oid[key.target_oid], by_oid.get(key.oid)
        if not taking.result.removed[target.name]:
            continue
        told = own is not None and own in taking.junctions  # pairs are looked at by themselves
        count, ids = (0, list[str]()) if told else taking.texts(_query(taking, key, own, target))
        if count:
            detail = f"{key.name} → {target.name}"
            taking.result.in_the_way.append(InTheWay("referred", key.label, detail, count, ids))
        elif not key.indexed and taking.result.removed[target.name] >= _MANY:
            columns = ", ".join(map(quote_identifier, key.columns))
            place = f"{quote_identifier(key.schema)}.{quote_identifier(key.table)}"
            taking.result.notes.append(
                f"{key.label} has no index on the columns of its foreign key {key.name}, so PostgreSQL reads the whole"
                f" table once for each of the {taking.result.removed[target.name]:,} rows of {target.name} that go."
                f" An index makes that quick: CREATE INDEX ON {place} ({columns})."
            )


def _query(taking: Taking, key: Key, own: FedTable | None, target: FedTable) -> sql.Composed:
    same = sql.SQL(" AND ").join(
        sql.SQL("r.{} = p.{}").format(sql.Identifier(mine), sql.Identifier(other))
        for mine, other in zip(key.columns, key.target_columns, strict=True)
    )
    left = sql.SQL("true").format()
    if own is not None:
        left = sql.SQL("NOT {}").format(taking.goes(own, "r"))
        if own.table.kind != "junction":
            left += sql.SQL(" AND NOT {}").format(taking.is_listed(own, "r"))
            left += sql.SQL(" AND NOT {}").format(is_going_back(taking, own, key.columns, "r"))
    return sql.SQL("SELECT {} FROM {} r JOIN {} p ON {} WHERE {} AND {}").format(
        _shown(key, own),
        sql.Identifier(key.schema, key.table),
        taking.sides.real(target.name),
        same,
        taking.goes(target, "p"),
        left,
    )


def _shown(key: Key, own: FedTable | None) -> sql.Composed:
    """Return SQL of the primary key of a row, as far as it may be shown; else of the place where it lies."""
    sensitive = {column.name for column in own.columns if column.column.sensitive} if own is not None else set[str]()
    if not key.own_key or sensitive & set(key.own_key):
        return sql.SQL("r.ctid::text").format()
    return sql.SQL("concat_ws(', ', {})").format(
        sql.SQL(", ").join(sql.SQL("r.{}::text").format(sql.Identifier(name)) for name in key.own_key)
    )
