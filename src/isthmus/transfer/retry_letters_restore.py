"""Set references again that were undone because their document was not there, when it is there now.

A column is set only while it still holds NULL, a pair is added only once; what somebody else wrote meanwhile stays. The
ledger's entry goes with the change, in one statement.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.connect.postgres import meaning
from isthmus.mapping.tables import Table
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.job import Job
from isthmus.transfer.references import Alternative, ReferenceSite, positions_of
from isthmus.transfer.retry_letters_batch import Books
from isthmus.transfer.retry_letters_books import Shift
from isthmus.transfer.retry_letters_staging import document_sites
from isthmus.transfer.stages import reached

_ENTRIES = 10_000  # of the ledger in one transaction


@dataclass(frozen=True)
class _Undone:
    """References of one place that were undone in one way, and where their documents would be now.

    Attributes:
        site: The reference, as documents bring it.
        action: What was done to them, as in the ledger.
        alternative: The place they may point at.
        number: Which of its places it is.
        table: The table that holds them.
    """

    site: ReferenceSite
    action: str
    alternative: Alternative
    number: int
    table: Table

    @property
    def can_be_set(self) -> bool:
        """Whether the row that held it can be found, and its place in it."""
        if self.table.kind == "junction":
            return self.action == "drop"
        if self.action == "drop":  # an element of an array: the others have moved up
            return False
        return not self.table.column(key_column(self.table)).hidden


def restore_references(job: Job, connection: psycopg.Connection, books: Books) -> dict[str, int]:
    """Set all references again whose document is in the target now. Safe to repeat.

    Args:
        job: The retry.
        connection: Autocommit connection.
        books: The run's books.

    Returns:
        Reference → how many could not be set although their document is there: the row that held it is gone, or holds
        something else by now, or its place is not known any more, or the server refuses.

    Raises:
        Interrupted: The user asked to stop.
        psycopg.Error: The server fails.
    """
    left: dict[str, int] = {}
    for site in document_sites(job):
        for undone in _ways(job, site):
            count = _restore(job, connection, books, undone)
            if count:
                left[site.name] = left.get(site.name, 0) + count
    return left


def _ways(job: Job, site: ReferenceSite) -> list[_Undone]:
    """Return how references of a place may have been undone: it depends on what it is, whatever a mapping states."""
    actions = {"jsonb": ("kept",), "pair": ("drop",), "array": ("null", "drop"), "waiting-array": ("null", "drop")}
    return [
        _Undone(site, action, alternative, number, job.schema.tables[site.table])
        for action in actions.get(site.shape, ("null",))
        for number, alternative in enumerate(site.alternatives)
    ]


def _restore(job: Job, connection: psycopg.Connection, books: Books, undone: _Undone) -> int:
    """Go through the ledger's entries of one reference; return how many stay although their document is there."""
    after, most, left = 0, _ENTRIES, 0
    while True:
        job.check_stop()
        try:
            with connection.transaction():
                job.lease.assert_held(connection, job.run.id)
                row = connection.execute(_query(job, undone, after, most)).fetchone()
                if row is None or row[0] is None:
                    return left
                last, found, settled, by_default, pairs = map(int, row)
                written = None
                if settled:
                    written = books.write(connection, _shift(undone, settled, by_default, pairs))
                reached("retry.restore-before-commit")
            if written is not None:
                books.committed(written)
            reached("retry.restore-after-commit")
        except psycopg.Error as fault:
            if meaning(fault) != "data":
                raise
            if most == 1:  # the server refuses this one: a rule of somebody else's stands against it
                after, most, left = _first(connection, job, undone, after), _ENTRIES, left + 1
            else:
                most = max(1, most // 10)
            continue
        if undone.site.shape.endswith("array") and settled:
            continue  # one statement sets one element of a row
        after, left = last, left + found - settled


def _shift(undone: _Undone, settled: int, by_default: int, pairs: int) -> Shift:
    """Return what one statement did: entries settled, of them by default, pairs that were not there before."""
    shift, site = Shift(), undone.site
    shift.orphans[site.name, undone.action, True] -= by_default
    shift.orphans[site.name, undone.action, False] -= settled - by_default
    shift.restored[site.name] += settled
    if site.shape == "pair":
        shift.pairs[site.table] += pairs
        shift.merged[site.table] += settled - pairs
    return shift


_FOUND = """
SELECT o.id, o.row_id, o.row_position, v.value, o.by_default FROM isthmus.orphan o
CROSS JOIN LATERAL (SELECT t.{result} AS value FROM {target} t WHERE t.{key} = {target_id} LIMIT 1) v
WHERE o.run_id = {run} AND o.source_collection = {collection} AND o.table_name = {table} AND o.column_name = {column}
  AND o.action = {action} AND o.id > {after} ORDER BY o.id LIMIT {most}
"""


def _found(job: Job, undone: _Undone, after: int, most: int) -> sql.Composed:
    """Return SQL of the next entries of the ledger whose document is in the target now, with the value to be set."""
    site, one = undone.site, undone.alternative
    target = next(
        table for table in job.schema.tables.values() if sql.Identifier(job.schema.schema, table.name) == one.table
    )
    key: sql.Composable = sql.Identifier(one.key)
    target_id: sql.Composable = sql.SQL("o.target_id::{}").format(_type(job, target, one.key))
    if undone.action == "kept":  # ids inside jsonb are text, which may be none of the key's type
        key, target_id = sql.SQL("{}::text").format(key), sql.SQL("o.target_id")
    return sql.SQL(_FOUND).format(
        result=sql.Identifier(_result(undone)),
        target=one.table,
        key=key,
        target_id=target_id,
        run=sql.Literal(job.run.id),
        collection=sql.Literal(site.collection),
        table=sql.Literal(site.table),
        column=sql.Literal(site.column),
        action=sql.Literal(undone.action),
        after=sql.Literal(after),
        most=sql.Literal(most),
    )


def _result(undone: _Undone) -> str:
    """Return the column of the document's table whose value the reference has."""
    site = undone.site
    if site.shape in {"jsonb", "route"}:
        return undone.alternative.key
    reference = undone.table.column(site.column).reference
    return undone.alternative.key if reference is None else reference.column


_SETTLE = """
WITH found AS ({found}), {change},
gone AS (DELETE FROM isthmus.orphan o USING {settled} s WHERE o.id = s.id RETURNING o.by_default)
SELECT (SELECT max(id) FROM found), (SELECT count(*) FROM found), (SELECT count(*) FROM gone),
       (SELECT count(*) FROM gone WHERE by_default), {pairs}
"""


def _query(job: Job, undone: _Undone, after: int, most: int) -> sql.Composed:
    """Return the statement that settles the next entries of a reference."""
    settled, pairs = "settled", sql.SQL("0")
    if undone.action == "kept":
        change, settled = sql.SQL("nothing AS (SELECT)"), "found"  # the id stands there already
    elif not undone.can_be_set:
        change = sql.SQL("settled AS (SELECT id FROM found WHERE false)")
    elif undone.site.shape == "pair":
        change, pairs = _pairs_added(job, undone), sql.SQL("(SELECT count(*) FROM added)")
    else:
        change = _column_set(job, undone)
    return sql.SQL(_SETTLE).format(
        found=_found(job, undone, after, most), change=change, settled=sql.Identifier(settled), pairs=pairs
    )


def _type(job: Job, table: Table, column: str) -> sql.SQL:
    return sql.SQL(table.column(column).type.sql(job.schema.schema))  # pyright: ignore[reportArgumentType]  the mapping's


def _column_set(job: Job, undone: _Undone) -> sql.Composed:
    site, table = undone.site, undone.table
    # of a route the column of the entry that has the document, while all are NULL
    columns = site.columns if site.shape == "route" else (site.column,)
    empty = [sql.SQL("r.{} IS NULL").format(sql.Identifier(name)) for name in columns]
    place = column = sql.SQL("{}").format(sql.Identifier(columns[undone.number if site.shape == "route" else 0]))
    position = sql.SQL("f.row_position")
    if site.shape.endswith("array"):
        element = sql.SQL("f.row_position[cardinality(f.row_position)] + 1")
        position = sql.SQL("f.row_position[:cardinality(f.row_position) - 1]")
        place = sql.SQL("{}[{}]").format(column, element)
        empty = [sql.SQL("cardinality(r.{0}) >= {1} AND r.{0}[{1}] IS NULL").format(column, element)]
    names = positions_of(table)
    same = sql.SQL("")
    if names:
        positions = sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(name)) for name in names)
        same = sql.SQL(" AND ARRAY[{}] = {}").format(positions, position)
    return sql.SQL(
        "settled AS (UPDATE {there} r SET {place} = f.value FROM found f"
        " WHERE r.{key} = f.row_id::{key_type}{same} AND {empty} RETURNING f.id)"
    ).format(
        there=sql.Identifier(job.schema.schema, table.name),
        place=place,
        key=sql.Identifier(key_column(table)),
        key_type=_type(job, table, key_column(table)),
        same=same,
        empty=sql.SQL(" AND ").join(empty),
    )


def _pairs_added(job: Job, undone: _Undone) -> sql.Composed:
    site, holder = undone.site, job.root_of(undone.site.flow)
    return sql.SQL(
        "settled AS (SELECT f.* FROM found f WHERE EXISTS (SELECT FROM {holder} h WHERE h.{holder_key} ="
        " f.row_id::{own_type})), added AS (INSERT INTO {there} ({own}, {other})"
        " SELECT DISTINCT row_id::{own_type}, value FROM settled ON CONFLICT DO NOTHING RETURNING 1)"
    ).format(
        holder=sql.Identifier(job.schema.schema, holder.name),
        holder_key=sql.Identifier(key_column(holder)),
        there=sql.Identifier(job.schema.schema, undone.table.name),
        own=sql.Identifier(site.key),
        other=sql.Identifier(site.column),
        own_type=_type(job, undone.table, site.key),
    )


def _first(connection: psycopg.Connection, job: Job, undone: _Undone, after: int) -> int:
    """Return the number of the next entry whose document is there."""
    row = connection.execute(_found(job, undone, after, 1)).fetchone()
    return int(row[0]) if row else after
