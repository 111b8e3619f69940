"""Letters that are one thing with a document in the target (`on_duplicate: merge`): joined into it, as a copy does.

The rows of such letters wait in temporary tables, so nothing has to be taken out of the target. And references to
documents that were joined into others, by this retry or before it: they lead to those others.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from functools import cmp_to_key

import psycopg
from psycopg import sql

from isthmus._rust import compare_ids
from isthmus.connect.postgres import first_number
from isthmus.mapping.model import FieldPath
from isthmus.mapping.tables import Table, pending_tables
from isthmus.transfer.document_rows import key_column, key_type
from isthmus.transfer.finishing.references import ReferenceSite, target_of
from isthmus.transfer.job import Job
from isthmus.transfer.joining.joined import merges
from isthmus.transfer.joining.moves import Aim, current_value, laid_out, lay_out, move_column, move_inside
from isthmus.transfer.joining.rows import Joined, JoinStep
from isthmus.transfer.letters.shift import Shift
from isthmus.transfer.letters.staging import StagedTable, Staging, Tried, at_place, document_sites


def point_at_kept(job: Job, connection: psycopg.Connection, staging: Staging, collections: Iterable[str]) -> None:
    """Let references that wait, to documents that were joined into others, point at those others.

    Args:
        job: The retry.
        connection: Inside the caller's transaction.
        staging: Where the references wait.
        collections: Source collections of the letters that hold them.
    """
    for collection in collections:
        plain = [site for site in document_sites(job) if site.collection == collection]
        for site, waiting in zip(plain, staging.sites[collection], strict=True):
            for column, one in zip(site.columns, site.alternatives, strict=False):
                target = target_of(job, one)
                if merges(job, target) and one.key == key_column(target):
                    _point(job, connection, waiting, column, target)


def point_looked_up(job: Job, connection: psycopg.Connection, tables: Sequence[StagedTable]) -> None:
    """Do the same for columns that look-ups have filled."""
    for pending in pending_tables(job.mapping):
        target = job.schema.tables[pending.reference.table]
        if pending.pairs or not merges(job, target) or pending.reference.column != key_column(target):
            continue
        column = job.schema.tables[pending.table].column(pending.column)
        for table in tables:
            if table.plan.name == pending.table and table.plan.flow == pending.flow and table.pending is None:
                change = move_column(table.place, pending.column, array=column.type.array)
                _move(job, connection, target, change)


def _point(job: Job, connection: psycopg.Connection, site: ReferenceSite, column: str, target: Table) -> None:
    if site.shape == "jsonb":
        _move(job, connection, target, move_inside(site, column, site.source))
    else:
        as_text = any(one.as_text for one in site.alternatives)
        change = move_column(site.place, column, array=site.shape == "array", as_text=as_text)
        _move(job, connection, target, change)


def _move(job: Job, connection: psycopg.Connection, target: Table, change: sql.Composed) -> None:
    """Make a change, with the ids of a table's joined documents laid out for it."""
    with laid_out(connection, moves_of(job, target)) as moving:
        if moving:
            connection.execute(change)


def moves_of(job: Job, target: Table) -> sql.Composed:
    """Return a query of the ids that joined documents of a table would have, and of the rows they are joined into."""
    return sql.SQL(
        "SELECT x.derived_id::{kind} AS old, x.id::{kind} AS new FROM isthmus.id_map x"
        " WHERE x.origin = 'merged' AND x.collection = ANY({collections})"
    ).format(kind=key_type(target, job.schema.schema), collections=sql.Literal(list(target.collections)))


def in_order(letters: Sequence[tuple[Tried, str, str]]) -> list[Joined]:
    """Number letters, given with their own id and that of the document they are joined into, by their `_id`."""

    def compare(left: tuple[Tried, str, str], right: tuple[Tried, str, str]) -> int:
        first, second = (one[0].letter.source_id or b"" for one in (left, right))
        return compare_ids(first, second) or left[0].flow.number - right[0].flow.number

    ordered = sorted(letters, key=cmp_to_key(compare))
    return [
        Joined(one.flow, own, keeper, rank, one.letter.source_id or b"")
        for rank, (one, own, keeper) in enumerate(ordered)
    ]


class LettersJoin(JoinStep):
    """The letters of one root table that one transaction joins into documents of the target.

    Args:
        job: The retry.
        connection: Inside a transaction that has asserted the lease.
        table: Their root table.
        tables: Where rows wait, of letters that fit and no others.
    """

    def __init__(
        self,
        job: Job,
        connection: psycopg.Connection,
        table: Table,
        tables: Sequence[StagedTable],
    ) -> None:
        super().__init__(job, connection, table)
        self._winning = {}  # whose value wins a column is not among the letters that are tried
        self._own_tells = False  # what is there stays: nobody knows any more what of it a default filled
        self._waiting_rows = [one for one in tables if one.root == table.name and one.pending is None]
        self._pairs = [one for one in tables if one.root == table.name and one.plan.kind == "junction"]
        self._number = list(job.schema.tables).index(table.name)
        self._counted: Counter[str] = Counter()

    def take_over(self, joined: Sequence[Joined]) -> None:
        """Take the letters' root rows out of what waits, and let the rest of their rows be the other document's."""
        roots = [one.place for one in self._waiting_rows if one.plan.kind == "root"]
        self.begin(joined, sql.SQL(" UNION ALL ").join(sql.SQL("SELECT * FROM {}").format(place) for place in roots))
        self._counted = self.count_references()
        for place in roots:
            self._do(sql.SQL("DELETE FROM {} r USING pg_temp.joined j WHERE r.{} = j.loser").format(place, self._key))
        self.move_children()
        for pairs in self._pairs:
            self._give(pairs.place, pairs.key)
        self._rename("joined", f"{self._number} joined")
        self._rename("joined_row", f"{self._number} joined row")

    def _rename(self, before: str, now: str) -> None:
        """Rename a temporary table, so that several root tables can be between taking over and settling."""
        self._do(sql.SQL("ALTER TABLE pg_temp.{} RENAME TO {}").format(sql.Identifier(before), sql.Identifier(now)))

    def count_references(self) -> Counter[str]:
        """Count the references in the root rows of all concerned, those of the letters while they wait."""
        found: Counter[str] = Counter()
        for site in {site.name: site for site in self._own_sites()}.values():
            for place in (self._place, sql.Identifier("pg_temp", "joined_row")):
                query = sql.SQL(
                    "SELECT count({value}) FROM {source} WHERE r.{key} IN (SELECT loser FROM pg_temp.joined UNION"
                    " SELECT keeper FROM pg_temp.joined)"
                ).format(
                    value=site.value,
                    source=at_place(site.everywhere, site.place, place),
                    key=sql.Identifier(site.key),
                )
                found[site.name] += first_number(self._connection.execute(query))
        return found

    def _places(self, child: str) -> list[sql.Identifier]:
        return [one.place for one in self._waiting_rows if one.plan.name == child and one.plan.kind == "child"]

    def _forget_kept(self, shift: Shift) -> None:
        """Take orphans inside jsonb that no row has off the ledger, behind `move_orphans`."""
        for site in {site.name: site for site in self._own_sites() if site.action == "kept"}.values():
            gone = self._connection.execute(
                "DELETE FROM isthmus.orphan o USING pg_temp.joined j WHERE o.run_id = %s AND o.table_name = %s"
                " AND o.column_name = %s AND o.action = 'kept' AND o.row_id = j.loser_text RETURNING o.by_default",
                (self._job.run.id, site.table, site.column),
            )
            for (by_default,) in gone.fetchall():
                shift.orphans[site.name, site.action, by_default] -= 1

    @contextlib.contextmanager
    def _row_that_stays(self) -> Generator[sql.Composable]:
        """Lay out the rows that stay, as a FROM item, with ids inside their jsonb as restoring will have them."""
        moves: dict[Aim, sql.Identifier] = {}
        values: list[sql.Composable] = []
        for column in self._table.final.columns:
            aims: list[tuple[FieldPath, Aim]] = []
            for path, entry in column.rewrites:
                target = self._job.schema.tables[self._job.mapping.collections[entry].table]
                if not merges(self._job, target):
                    continue
                aim = (target.name, key_column(target))
                if aim not in moves:
                    name = f"moved_{len(moves)}"
                    lay_out(self._connection, name, moves_of(self._job, target))
                    moves[aim] = sql.Identifier("pg_temp", name)
                aims.append((path, aim))
            value = current_value(column, aims, moves)
            values.append(sql.SQL("{} AS {}").format(value, sql.Identifier(column.name)))
        yield sql.SQL("(SELECT {values} FROM {place} r WHERE r.{key} IN (SELECT keeper FROM pg_temp.joined))").format(
            values=sql.SQL(", ").join(values), place=self._place, key=self._key
        )
        for place in moves.values():
            self._do(sql.SQL("DROP TABLE {}").format(place))

    def settle(self, documents: dict[tuple[str, str], tuple[str, bytes]], shift: Shift) -> None:
        """Fill the rows that stay, and say in the ledger what the letters say otherwise.

        Args:
            documents: (root table, id of a letter) → its collection and bytes.
            shift: Gets how many values there are now more than in all rows before: less, of what stands twice.
        """
        self._rename(f"{self._number} joined", "joined")
        self._rename(f"{self._number} joined row", "joined_row")
        self.move_orphans()
        self._forget_kept(shift)
        self.fill()
        with self._row_that_stays() as stays:
            differing = self._connection.execute(
                sql.SQL(
                    "SELECT l.{key}::text, l._keeper::text, {differing} FROM pg_temp.joined_row l"
                    " JOIN {stays} k ON k.{key} = l._keeper ORDER BY l._rank"
                ).format(key=self._key, stays=stays, differing=self.differing())
            ).fetchall()
        for own, keeper, names in differing:
            if names:
                collection, document = documents[self._table.name, str(own)]
                self._enter_conflict(collection, own, keeper, names, document)
        self._connection.execute("DELETE FROM pg_temp.joined_row")
        now = self.count_references()
        self.end()
        for name, count in self._counted.items():
            shift.values[name] += now[name] - count
