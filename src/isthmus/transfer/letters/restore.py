"""Set references again that were undone because their document was not there, when it is there now.

A column is set only while it still holds NULL, a pair is added only once; what somebody else wrote meanwhile stays. The
ledger's entry goes with the change, in one statement.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.connect.jsonb_paths import as_id_there, changed_inside, values_inside
from isthmus.connect.postgres import meaning
from isthmus.mapping.tables import Table
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.existing.pair_state import is_remembered, remembering
from isthmus.transfer.existing.row_state import following
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.existing.waiting_there import look_again
from isthmus.transfer.finishing.references import Alternative, ReferenceSite, positions_of, target_of
from isthmus.transfer.job import Job
from isthmus.transfer.joining.joined import merges
from isthmus.transfer.letters.books import Books
from isthmus.transfer.letters.shift import Shift
from isthmus.transfer.letters.staging import document_sites
from isthmus.transfer.locks import lock_tables
from isthmus.work.stages import reached

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
        TargetError: Others use the tables (code `tables-in-use`, retryable).
        psycopg.Error: The server fails.
    """
    left: dict[str, int] = {}
    for site in document_sites(job):
        if site.collection not in job.plans:
            continue  # a later run carried it again: its own ledger says what its rows lack
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
                with _tracked(job, connection, undone, after, most):
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
        if undone.site.shape.endswith(("array", "jsonb")) and settled:
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
SELECT o.id, {row_id} AS row_id, o.row_position, v.value, o.target_id, o.by_default, {stays} AS stays
FROM isthmus.orphan o
CROSS JOIN LATERAL (SELECT t.{result} AS value FROM {target} t WHERE t.{key} = {target_id} LIMIT 1) v
WHERE o.run_id = {run} AND o.source_collection = {collection} AND o.table_name = {table} AND o.column_name = {column}
  AND o.action = {action} AND o.id > {after} ORDER BY o.id LIMIT {most}
"""


def _found(job: Job, undone: _Undone, after: int, most: int) -> sql.Composed:
    """Return SQL of the next entries of the ledger whose document is in the target now, with the value to be set.

    `stays` are those whose row was somebody's before, and was left as it was: nothing of theirs is set.
    """
    site, one = undone.site, undone.alternative
    target = target_of(job, one)
    key: sql.Composable = sql.Identifier(one.key)
    target_id: sql.Composable = sql.SQL("o.target_id")
    if one.key == key_column(target):
        target_id = _row_of(job, target, target_id)
    if undone.action == "kept":  # ids inside jsonb are text, which may be none of the key's type
        key = sql.SQL("{}::text").format(key)
    else:
        target_id = sql.SQL("{}::{}").format(target_id, _type(job, target, one.key))
    return sql.SQL(_FOUND).format(
        row_id=_row_of(job, job.root_of(site.flow), sql.SQL("o.row_id"), joined=_is_of_row(undone)),
        stays=_stays(job, undone),
        result=sql.Identifier(_result(undone)),
        target=_place(job, target.name),
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


def _place(job: Job, table: str) -> sql.Identifier:
    """Name a table as others use it: where the run loads into a stage, the one that is delivered to."""
    return sql.Identifier(job.run.target_schema, table)


def _row_of(job: Job, root: Table, derived: sql.Composable, *, joined: bool = True) -> sql.Composable:
    """Return SQL of the id, as text, of the row that a document of a root table is: its own, or another one's.

    Not so where it was joined into another one and `joined` is false.
    """
    origins = (["merged"] if joined and merges(job, root) else []) + (["matched"] if job.existing is not None else [])
    for origin in origins:  # who was joined into another one is the row which that one is
        derived = sql.SQL(
            "coalesce((SELECT m.id FROM isthmus.id_map m WHERE m.origin = {} AND m.collection = ANY({})"
            " AND m.derived_id = {} LIMIT 1), {})"
        ).format(sql.Literal(origin), sql.Literal(list(root.collections)), derived, derived)
    return derived


def _is_of_row(undone: _Undone) -> bool:
    """Tell whether the reference of a joined document is one of the row that it was joined into.

    Not so in child rows and arrays: which of these are its own is not known any more.
    """
    return undone.table.kind != "child" and not undone.site.shape.endswith(("array", "jsonb"))


def _stays(job: Job, undone: _Undone) -> sql.Composable:
    """Return SQL that is true of entries whose row was there before the run, and was left as it was."""
    if job.existing is None:
        return sql.SQL("false")
    root = job.root_of(undone.site.flow)
    rule = job.mapping.collections[root.entries[0]]
    # of a row that was left, what it holds itself; its pairs were delivered
    actions = ["deleted-in-target"] if undone.site.shape == "pair" else ["kept", "deleted-in-target"]
    left = sql.SQL(
        "EXISTS (SELECT FROM isthmus.conflict c WHERE c.run_id = {} AND c.table_name = {}"
        " AND c.source_row_id = o.row_id AND c.action = ANY({}))"
    ).format(sql.Literal(job.run.id), sql.Literal(root.name), sql.Literal(actions))
    if undone.site.shape == "pair" or rule.on_conflict == "overwrite":
        return left
    return sql.SQL(
        "({left} OR (EXISTS (SELECT FROM isthmus.id_map m WHERE m.origin = 'matched' AND m.collection = ANY({names})"
        " AND m.derived_id = o.row_id) AND NOT EXISTS (SELECT FROM isthmus.row_state w WHERE w.table_schema = {schema}"
        " AND w.table_name = {root} AND w.source_id = o.row_id AND w.loaded_digest IS NOT NULL)))"
    ).format(
        left=left,
        names=sql.Literal(list(root.collections)),
        schema=sql.Literal(job.run.target_schema),
        root=sql.Literal(root.name),
    )


@contextlib.contextmanager
def _tracked(job: Job, connection: psycopg.Connection, undone: _Undone, after: int, most: int) -> Generator[None]:
    """Let what is known of tracked rows (`rerun: tracked`) follow what is set in them inside the block."""
    root = job.root_of(undone.site.flow)
    tracked = job.existing is not None and job.mapping.collections[root.entries[0]].rerun == "tracked"
    if job.existing is None or not tracked or undone.site.shape == "pair":
        yield
        return
    names = list(dict.fromkeys([root.name, undone.table.name]))
    lock_tables(
        connection,
        [_place(job, name) for name in names],
        [job.existing.tables[name].there.oid for name in names],
        seconds=job.options.retry_seconds,
    )
    ids = sql.SQL("SELECT f.row_id FROM ({}) f WHERE NOT f.stays").format(_found(job, undone, after, most))
    sides = Sides(job, connection, job.existing)
    look_again(sides)
    with following(sides, job.existing.tables[root.name], ids):
        yield


def _result(undone: _Undone) -> str:
    """Return the column of the document's table whose value the reference has."""
    site = undone.site
    if site.shape in {"jsonb", "route"}:
        return undone.alternative.key
    reference = undone.table.column(site.column).reference
    return undone.alternative.key if reference is None else reference.column


_SETTLE = """
WITH found AS ({found}), {change},
gone AS (DELETE FROM isthmus.orphan o
         USING (SELECT id FROM settled UNION SELECT id FROM found WHERE stays) s WHERE o.id = s.id
         RETURNING o.by_default)
SELECT (SELECT max(id) FROM found), (SELECT count(*) FROM found), (SELECT count(*) FROM gone),
       (SELECT count(*) FROM gone WHERE by_default), {pairs}
"""


def _query(job: Job, undone: _Undone, after: int, most: int) -> sql.Composed:
    """Return the statement that settles the next entries of a reference."""
    pairs = sql.SQL("0")
    if undone.action == "kept":
        change = _jsonb_set(job, undone)
    elif not undone.can_be_set:
        change = sql.SQL("settled AS (SELECT id FROM found WHERE false)")
    elif undone.site.shape == "pair":
        change, pairs = _pairs_added(job, undone), sql.SQL("(SELECT count(*) FROM added)")
    else:
        change = _column_set(job, undone)
    return sql.SQL(_SETTLE).format(found=_found(job, undone, after, most), change=change, pairs=pairs)


def _type(job: Job, table: Table, column: str) -> sql.SQL:
    """Return the type of a column as others use it."""
    fed = None if job.existing is None else job.existing.tables[table.name].fed(column)
    if fed is not None:
        return sql.SQL(fed.there.type)  # pyright: ignore[reportArgumentType]  the catalog's words
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
    return sql.SQL(
        "settled AS (UPDATE {there} r SET {place} = f.value FROM found f WHERE {same} AND {empty} RETURNING f.id)"
    ).format(
        there=_place(job, table.name),
        place=place,
        same=_same_row(job, table, position),
        empty=sql.SQL(" AND ").join(empty),
    )


def _same_row(job: Job, table: Table, position: sql.Composable) -> sql.Composed:
    """Return the condition that a row `r` is the one of an entry `f`, which nobody else's is left of."""
    same = sql.SQL("NOT f.stays AND r.{} = f.row_id::{}").format(
        sql.Identifier(key_column(table)), _type(job, table, key_column(table))
    )
    names = positions_of(table)
    if names:
        positions = sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(name)) for name in names)
        same += sql.SQL(" AND ARRAY[{}] = {}").format(positions, position)
    return same


def _jsonb_set(job: Job, undone: _Undone) -> sql.Composed:
    """The id stands there already, unless the document is another row by now: then that row's id takes its place.

    One statement changes one id of a row; entries of one id in one row are settled together.
    """
    target, name = target_of(job, undone.alternative), undone.site.columns[0]
    there = sql.SQL("SELECT id FROM found WHERE NOT stays AND value::text = target_id")
    if (job.existing is None and not merges(job, target)) or not undone.can_be_set:
        return sql.SQL("settled AS ({})").format(there)
    column = sql.SQL("r.{}").format(sql.Identifier(name))
    inside, value = values_inside(column, undone.site.inside)
    changed = changed_inside(
        column,
        undone.site.inside,
        lambda id_: sql.SQL("CASE WHEN {id} #>> '{{}}' = f.target_id THEN coalesce({new}, {id}) ELSE {id} END").format(
            id=id_, new=as_id_there(sql.SQL("f.value"), id_)
        ),
    )
    return sql.SQL(
        "moved AS (UPDATE {place} r SET {column} = {changed} FROM found f WHERE {same} AND f.value::text <> f.target_id"
        " AND EXISTS (SELECT FROM (SELECT) AS one {inside} WHERE {value} = f.target_id) RETURNING f.id),"
        " settled AS ({there} UNION ALL SELECT f.id FROM found f WHERE EXISTS (SELECT"
        " FROM found m JOIN moved USING (id)"
        " WHERE m.row_id = f.row_id AND m.target_id = f.target_id"
        " AND m.row_position[:{positions}] IS NOT DISTINCT FROM f.row_position[:{positions}]))"
    ).format(
        place=_place(job, undone.table.name),
        column=sql.Identifier(name),
        changed=changed,
        same=_same_row(job, undone.table, sql.SQL("f.row_position[:{}]").format(len(positions_of(undone.table)))),
        inside=inside,
        value=value,
        there=there,
        positions=sql.Literal(len(positions_of(undone.table))),
    )


def _pairs_added(job: Job, undone: _Undone) -> sql.Composed:
    site, holder = undone.site, job.root_of(undone.site.flow)
    return sql.SQL(
        "settled AS (SELECT f.* FROM found f WHERE NOT f.stays AND EXISTS (SELECT FROM {holder} h"
        " WHERE h.{holder_key} = f.row_id::{own_type})), added AS (INSERT INTO {there} ({own}, {other})"
        " SELECT DISTINCT row_id::{own_type}, value FROM settled s WHERE NOT EXISTS (SELECT FROM {there} t"
        " WHERE t.{own} = s.row_id::{own_type} AND t.{other} = s.value) ON CONFLICT DO NOTHING RETURNING *){remembered}"
    ).format(
        remembered=_remembered(job, undone.table.name),
        holder=_place(job, holder.name),
        holder_key=sql.Identifier(key_column(holder)),
        there=_place(job, undone.table.name),
        own=sql.Identifier(site.key),
        other=sql.Identifier(site.column),
        own_type=_type(job, undone.table, site.key),
    )


def _remembered(job: Job, junction: str) -> sql.Composable:
    """Return a part that remembers the pairs which are added, where such are told from pairs of others."""
    fed = None if job.existing is None else job.existing.tables[junction]
    if fed is None or not is_remembered(job.mapping, fed):
        return sql.SQL("")
    return sql.SQL(", remembered AS ({})").format(remembering(fed, "added"))


def _first(connection: psycopg.Connection, job: Job, undone: _Undone, after: int) -> int:
    """Return the number of the next entry whose document is there."""
    row = connection.execute(_found(job, undone, after, 1)).fetchone()
    return int(row[0]) if row else after
