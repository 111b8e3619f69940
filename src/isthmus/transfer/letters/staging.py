"""Where the rows of dead letters wait until it is known which of them fit: temporary tables of the session.

One for each table that a plan fills, one for each root table with the letters that would be rows of it (number, id, and
what became of it: `fits` until something stands against it), and one view for each thing that references point at: what
the target has, and what fits. The tables are empty again behind each transaction.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from isthmus._rust import Batch
from isthmus.connect.binary_copy import send_copy
from isthmus.errors import InternalError
from isthmus.mapping.model import Flow
from isthmus.mapping.plan_tables import PlanTable, flow_of
from isthmus.mapping.tables import Column, PendingTable, Table
from isthmus.state.retries import LetterBytes
from isthmus.transfer.document_rows import key_column, key_type
from isthmus.transfer.existing.names import RANK
from isthmus.transfer.existing.only import waits
from isthmus.transfer.finishing.references import ReferenceSite, place_of_ids, reference_sites, target_of
from isthmus.transfer.job import Job


@dataclass(frozen=True)
class StagedTable:
    """A table of a plan.

    Attributes:
        plan: It in the plan.
        key: The column with the document's id; of a junction the side that holds the array.
        place: Where its rows wait.
        root: Root table of the documents.
        pending: What waits in it for a look-up, if anything does.
    """

    plan: PlanTable
    key: str
    place: sql.Identifier
    root: str
    pending: PendingTable | None = None


@dataclass(frozen=True)
class Tried:
    """A letter that the core accepts now: its bytes, its rows, the flow they are of, the binary form of its id."""

    letter: LetterBytes
    batch: Batch
    flow: Flow
    id: bytes


class Staging:
    """The temporary tables of one session.

    Args:
        job: The retry.
        connection: Autocommit connection; gets tables and views.
        collections: Source collections that have letters.

    Attributes:
        tables: Source collection → where the rows of its plan wait, in plan order.
        letters: Root table → where the letters wait that would be rows of it.
        sites: Source collection → the references of its documents, as they wait: `place`, `source` and what they point
            at are of this session; those of letters that do not fit are not among them.

    Raises:
        psycopg.Error: The server refuses.
    """

    def __init__(self, job: Job, connection: psycopg.Connection, collections: Sequence[str]) -> None:
        self._job = job
        self._connection = connection
        self._made = 0
        self._filled: list[sql.Identifier] = []
        self._views: dict[tuple[str, str], sql.Identifier] = {}
        self.letters: dict[str, sql.Identifier] = {}
        self.tables: dict[str, list[StagedTable]] = {}
        pending = {one.name: one for one in job.pending_tables}
        for collection in collections:
            self.tables[collection] = [self._stage(table, pending) for table in job.plan_tables(collection)]
        self.sites = {
            collection: [self._staged(site, "fits") for site in document_sites(job) if site.collection == collection]
            for collection in collections
        }
        self._refused = {
            collection: [self._staged(site, "orphan") for site in document_sites(job) if site.collection == collection]
            for collection in collections
        }

    def refused(self, collection: str) -> list[ReferenceSite]:
        """Return the references for which documents are refused, of letters that do not fit for an orphan."""
        return [site for site in self._refused[collection] if site.action == "dead_letter"]

    def _temporary(self, what: str) -> sql.Identifier:
        self._made += 1
        return sql.Identifier("pg_temp", f"isthmus_retry_{what}_{self._made}")

    def _stage(self, plan: PlanTable, pending: dict[str, PendingTable]) -> StagedTable:
        root = self._job.root_of(plan.flow)
        if root.name not in self.letters:
            self.letters[root.name] = self._temporary("letters")
            self._connection.execute(
                sql.SQL(
                    "CREATE TEMP TABLE {} (letter bigint PRIMARY KEY, id {} NOT NULL, fate text NOT NULL"
                    " DEFAULT 'fits', rule integer, keeper text, shown text, joins text)"
                ).format(self.letters[root.name], key_type(root, self._job.schema.schema))
            )
        waits = pending[plan.waiting] if plan.waiting is not None else None
        columns = waits.columns if waits is not None else self._job.schema.tables[plan.name].columns
        roles = {"own"} if plan.kind == "junction" and waits is not None else {"id", "root_id"}
        key = plan.own or next(column.name for column in columns if column.role in roles)
        place = self._temporary("rows")
        self._connection.execute(sql.SQL("CREATE TEMP TABLE {} ({})").format(place, self._definitions(columns)))
        return StagedTable(plan, key, place, root.name, waits)

    def _definitions(self, columns: Sequence[Column]) -> sql.Composed:
        return sql.SQL(", ").join(
            sql.SQL("{} {}").format(
                sql.Identifier(column.name),
                sql.SQL(column.type.sql(self._job.schema.schema)),  # pyright: ignore[reportArgumentType]  the mapping's
            )
            for column in columns
        )

    def _staged(self, site: ReferenceSite, fate: str) -> ReferenceSite:
        """Return a reference as it waits, of letters with one fate."""
        table = next(table for table in self.tables[site.collection] if _holds(table, site))
        waiting = sql.SQL("(SELECT x.ctid, x.* FROM {} x WHERE x.{} IN {})").format(
            table.place, sql.Identifier(table.key), self.with_fate(table.root, fate)
        )
        return replace(
            site,
            place=table.place,
            source=at_place(site.everywhere, site.place, waiting),
            alternatives=tuple(
                replace(one, table=self._pointed_at(target_of(self._job, one).name, one.key))
                for one in site.alternatives
            ),
        )

    def with_fate(self, root: str, fate: str) -> sql.Composed:
        """Return SQL of the ids of letters with a fate."""
        return sql.SQL("(SELECT id FROM {} WHERE fate = {})").format(self.letters[root], sql.Literal(fate))

    def _pointed_at(self, name: str, key: str) -> sql.Identifier:
        """Return a view of what references may point at by a column: rows of the target, and letters that fit.

        It has that column, those that references take their value from, and their rank.
        """
        if (name, key) in self._views:
            return self._views[name, key]
        columns = identifiers(dict.fromkeys([key, *_referred(self._job, self._job.schema.tables[name])]))
        there = place_of_ids(self._job, self._job.schema.tables[name])
        rank: sql.Composable = sql.SQL("0") if self._job.existing is None else sql.Identifier(RANK)
        arms = [sql.SQL("SELECT {}, {} AS {} FROM {}").format(columns, rank, sql.Identifier(RANK), there)]
        for staged in (one for tables in self.tables.values() for one in tables):
            if staged.plan.kind == "root" and staged.plan.name == name:
                arms.append(
                    sql.SQL("SELECT {}, 1 FROM {} WHERE {} IN {}").format(
                        columns, staged.place, sql.Identifier(staged.key), self.with_fate(name, "fits")
                    )
                )
        view = self._temporary("there")
        self._connection.execute(sql.SQL("CREATE TEMP VIEW {} AS {}").format(view, sql.SQL(" UNION ALL ").join(arms)))
        self._views[name, key] = view
        return view

    def tried(self, letter: LetterBytes, batch: Batch) -> Tried:
        """Return a letter that the core accepts, with its flow and id."""
        tables = self._job.plan_tables(letter.collection)
        flow = flow_of(tables, batch)
        table = next(one for one in self.tables[letter.collection] if one.plan.flow == flow and one.plan.kind == "root")
        row = batch.copy_data(table.plan.index)
        return Tried(letter, batch, table.plan.flow, _field(row, table.plan.columns.index(table.key)))

    def clear(self, connection: psycopg.Connection) -> None:
        """Take out what was sent, at the end of the caller's transaction.

        Tables that empty themselves at each commit would all be emptied by every statement that looks into one of them.
        """
        if self._filled:
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(self._filled)))

    def send_letters(self, connection: psycopg.Connection, tried: Iterable[Tried]) -> None:
        """Write number and id of letters, the first of what waits in the caller's transaction."""
        self._filled = []
        by_root: dict[str, list[Tried]] = {}
        for one in tried:
            by_root.setdefault(self._job.root_of(one.flow).name, []).append(one)
        for root, some in by_root.items():
            statement = sql.SQL("COPY {} (letter, id) FROM STDIN (FORMAT binary)").format(self.letters[root])
            rows = b"".join(
                struct.pack(">hiqi", 2, 8, one.letter.id, len(one.id)) + one.id for one in some
            )  # two fields, each behind its length
            self._filled.append(self.letters[root])
            send_copy(connection, statement, f"the letters of {root}", rows, len(some))

    def keep_fitting(self, connection: psycopg.Connection, tables: Iterable[StagedTable]) -> None:
        """Let no rows wait any more but those of letters that fit, inside the caller's transaction."""
        for table in tables:
            connection.execute(
                sql.SQL("DELETE FROM {} WHERE {} NOT IN {}").format(
                    table.place, sql.Identifier(table.key), self.with_fate(table.root, "fits")
                )
            )

    def send_rows(self, connection: psycopg.Connection, tried: Sequence[Tried]) -> None:
        """Write the rows of letters with different ids, inside the caller's transaction."""
        for table in (table for collection in self.tables for table in self.tables[collection]):
            some = [one.batch for one in tried if one.letter.collection == table.plan.flow.collection]
            rows = sum(batch.rows(table.plan.index) for batch in some)
            if rows:
                data = b"".join(batch.copy_data(table.plan.index) for batch in some)
                statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
                    table.place, identifiers(table.plan.columns)
                )
                self._filled.append(table.place)
                send_copy(connection, statement, table.plan.name, data, rows)


def identifiers(names: Iterable[str]) -> sql.Composed:
    """Return names quoted, with commas between."""
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def document_sites(job: Job) -> list[ReferenceSite]:
    """Return every reference as documents bring it: of one that is looked up, where it waits.

    Those that point at an id which the table they point at has kept only while it was loaded are not among them: where
    they lead is not known any more. Nor are those that wait for another copy.
    """
    return [site for site in _all_sites(job) if not _is_lost(job, site) and not waits(job, site)]


def _all_sites(job: Job) -> list[ReferenceSite]:
    waiting = {(one.table, one.column, one.flow) for one in job.pending_tables if not one.pairs}
    return [
        site
        for site in reference_sites(job)
        if site.shape.startswith("waiting") or (site.table, site.column, site.flow) not in waiting
    ]


def _is_lost(job: Job, site: ReferenceSite) -> bool:
    return any(target_of(job, one).column(one.key).hidden for one in site.alternatives)


def unanswerable(job: Job) -> dict[Flow, str]:
    """Return the flows whose letters cannot be tried, with why and what to do, for people.

    Their table keeps neither an id nor a key, so that a row could not be told from one that is there; or they refer to
    a table that keeps no id; or what they refer to waits for another copy, in a form that is settled while one is
    finished.
    """
    why: dict[Flow, str] = {}
    for site in _all_sites(job):
        if _is_lost(job, site):
            why[site.flow] = (
                f"{site.name} leads to rows that keep no id, and where was known during the load only; copy again with"
                " --fresh"
            )
        elif _is_late(job, site):
            why.setdefault(
                site.flow,
                f"{site.name} is looked up, or a route, in collections that this copy did not carry (--only); copy"
                " again with the corrected mapping, with them if they are not carried yet",
            )
    for flow in job.mapping.flows:
        root = job.root_of(flow)
        wins = [
            name for name, winner in job.mapping.thing_tables.get(root.name, {}).items() if winner == flow.collection
        ]
        if root.name in job.mapping.thing_tables and job.existing is not None:
            why[flow] = f"documents become rows of {root.name} together with those they are one with; copy again"
        elif wins:
            why[flow] = (
                f"{flow.collection} says {', '.join(wins)} of {root.name} before others do, and the rows that are there"
                " do not tell who said it; copy again with --fresh"
            )
        if not root.primary_key and root.column(key_column(root)).hidden:
            why[flow] = (
                f"{root.name} keeps neither an id nor a key, so that a row could not be told from one that is there;"
                " copy again with --fresh"
            )
    return why


def _is_late(job: Job, site: ReferenceSite) -> bool:
    """Tell whether references wait for another copy that are looked up, or whose column is not decided."""
    if not waits(job, site):
        return False
    looked_up = site.shape == "pair" and job.schema.tables[site.table].column(site.column).waits
    return looked_up or site.shape == "route" or site.shape.startswith("waiting")


def _holds(table: StagedTable, site: ReferenceSite) -> bool:
    """Tell whether a plan table is the one in which a reference waits."""
    if table.plan.flow != site.flow:
        return False
    if site.shape == "pair":
        return table.plan.kind == "junction" and (table.plan.name, table.plan.own) == (site.table, site.key)
    if site.shape.startswith("waiting"):
        return table.pending is not None and (table.pending.table, table.pending.column) == (site.table, site.column)
    return table.plan.kind in {"root", "child"} and table.plan.name == site.table


def _referred(job: Job, table: Table) -> list[str]:
    """Return the columns of a table that references take their value from."""
    found = {
        column.reference.column
        for other in job.schema.tables.values()
        for column in other.columns
        if column.reference is not None and column.reference.table == table.name
    }
    return [column.name for column in table.final.columns if column.name in found]


def at_place(source: sql.Composable, before: sql.Identifier, now: sql.Composable) -> sql.Composable:
    """Return SQL with something else in the place of a table."""
    if isinstance(source, sql.Composed):
        return sql.Composed([at_place(part, before, now) for part in source])
    return now if source == before else source


def _field(row: memoryview, number: int) -> bytes:
    """Return a field of the first row in COPY's binary form (a count of fields, then each behind its length).

    Raises:
        InternalError: It is NULL or not there (code `copy-rows`).
    """
    at = 2
    for _ in range(number):
        (length,) = struct.unpack_from(">i", row, at)
        at += 4 + max(0, length)
    (length,) = struct.unpack_from(">i", row, at)
    if length < 0 or at + 4 + length > len(row):
        raise InternalError("A row has no id.", code="copy-rows")
    return bytes(row[at + 4 : at + 4 + length])
