"""Layer checksum: every row of every table and every column of it, both ways.

The source's documents go through the core that wrote the rows, the target's rows come back in COPY's binary form; both
are folded into sums of cells by the core. Where sums differ, both sides are gone through again, and what differs there
is named. Pairs of junctions are compared as sets; what the core cannot compare is left to the oracle, row by row.

Cannot see: a fault of the core that makes the same of a document now as in the copy (`samples` sees it); what the
canonical forms take for the same.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from psycopg import sql

from isthmus._rust import Digester, Finder
from isthmus.connect.binary_copy import receive_copy
from isthmus.connect.temporary import needing_temporary_tables
from isthmus.mapping.model import Flow
from isthmus.mapping.plan_tables import PlanTable
from isthmus.mapping.tables import PendingTable, Table, pending_tables
from isthmus.verify.checksum.changed import changed_tables
from isthmus.verify.checksum.known import read_known
from isthmus.verify.checksum.pairs import PairStore
from isthmus.verify.checksum.sides import Compared, Sides
from isthmus.verify.checksum.takers import CountTaker, PairTaker, S, SumTaker
from isthmus.verify.joined import left_together
from isthmus.verify.oracle import Oracle
from isthmus.verify.orphans import read_orphans
from isthmus.verify.reference.compare import Totals, is_held
from isthmus.verify.result import MOST_LISTED, ColumnCheck, LayerResult
from isthmus.verify.samples import enter
from isthmus.verify.source_reading import Taker, Wanted, read_source
from isthmus.verify.subject import Subject
from isthmus.work.interrupted import Interrupted

_WORDS = {
    "missing": "{table} lacks the row {id}, which a document of the source gives.",
    "extra": "{table} holds the row {id}, which no document of the source gives.",
    "different": "{table}.{column} of row {id} is not what its document gives.",
}
_PARTS_CHANGED = "A table that holds parts of the same documents is not as the mapping makes it."


class Checksum:
    """The layer: made before the source is read, given its documents, and asked for what differs.

    Args:
        subject: What is verified.
        oracle: Compares what the core cannot.
        stack: Closes what it opens.
    """

    def __init__(self, subject: Subject, oracle: Oracle, stack: ExitStack) -> None:
        self._subject = subject
        self._oracle = oracle
        pending = pending_tables(subject.histories[0].mapping)
        merging = {table.name for table in subject.schema.tables.values() if subject.mapping.joins(table.entries)}
        ids = {name: entry.ids for name, entry in subject.mapping.collections.items()}
        self._changed = changed_tables(subject)
        self._sides = Sides(subject.schema, subject.histories[0].plans, pending, merging, ids, self._changed)
        self._known = read_known(
            subject.connection,
            read_orphans(subject.connection, subject.run.id, subject.schema),
            self._sides,
            left_together(subject.connection, oracle.reference, subject.run.id),
        )
        # what the oracle cannot look at whole it does not look at
        self._unreadable = {self._sides.root_of(subject.schema.tables[name]) for name in self._changed}
        self._merging = merging
        self._junctions_by_hand = self._leave_junctions(pending, merging)
        self._mutex = threading.Lock()
        self._actual = Digester(self._sides.actual(self._known))
        self._expected = self._actual.fresh()
        for root in self._sides.by_hand.keys() - self._unreadable:
            oracle.keep_whole(root)
        for root in self._known.left_out.keys() - self._sides.by_hand.keys() - self._unreadable:
            oracle.keep(root, self._known.left_out[root])
        connection = stack.enter_context(subject.another_connection())
        elsewhere = self._junctions_by_hand | self._sides.tables.keys() | self._changed.keys()
        with needing_temporary_tables(
            "Pairs that both sides of a junction name",
            "leave the checksum out: --layers counts,samples,references,types,rules,schema",
        ):
            self._pairs = PairStore(subject, connection, pending, elsewhere)

    def takers(self, collection: str) -> list[Taker]:
        """Return what takes the documents of a collection that have rows."""
        side = Digester(self._sides.expected(collection, self._known))
        return [
            SumTaker(side, self._expected, self._mutex),
            PairTaker(self._pairs, self._subject.plan_tables(collection)),
        ]

    def result(self, stop: threading.Event) -> LayerResult:
        """Compare, once the source is read; tells how far it is.

        Raises:
            Interrupted: The user asked to stop.
        """
        result = LayerResult("checksum", unit="rows")
        result.notes.append(
            "The checksum uses the core that wrote the rows: a fault of its conversion shows in samples, not here."
        )
        for table, (column, why) in self._changed.items():
            result.differs(table, column, why)
            result.columns.append(ColumnCheck(table, "", left_out=1, why=why))
        for name, one in self._sides.tables.items():
            root = self._sides.root_of(one.table)
            if name not in self._changed and root in self._unreadable and root in self._sides.by_hand:
                result.columns.append(ColumnCheck(name, "", left_out=1, why=_PARTS_CHANGED))
        tables = list(self._sides.compared())
        self._read_target(self._actual, tables, stop)
        differing = self._expected.compare(self._actual)
        if differing:
            self._name(differing, result, stop)
        self._pairs.compare(result)
        self._account(result, self._by_hand(result))
        return result

    def _leave_junctions(self, pending: list[PendingTable], merging: set[str]) -> frozenset[str]:
        """Leave junctions with an end that is not known by itself to the oracle, with all that feeds them."""
        left: set[str] = set()
        indirect = {
            one.table
            for one in pending
            if one.pairs
            and (
                one.reference.table in merging
                or (
                    one.reference.by is None
                    and all(
                        column.role != "id" for column in self._subject.schema.tables[one.reference.table].final.columns
                    )
                )
            )
        }
        for table in self._subject.schema.tables.values():
            if table.kind == "junction" and table.name in indirect:
                left.add(table.name)
        for collection in self._subject.histories[0].plans:
            for plan_table in self._subject.plan_tables(collection):
                if plan_table.kind == "junction" and plan_table.name in left:
                    root = self._root(plan_table.flow)
                    self._sides.leave_to_oracle(root.name, f"pairs of {plan_table.name} come from it")
        return frozenset(left)

    def _root(self, flow: Flow) -> Table:
        return self._subject.schema.tables[self._subject.mapping.collections[flow.entry].table]

    def _read_target(self, side: S, tables: Sequence[Compared], stop: threading.Event) -> S:
        """Read tables of the target, several at once, into the target's side, and return that."""
        places = {one.name: place for place, one in enumerate(self._sides.compared())}
        # the largest first, so that all end at about the same time
        sizes: dict[str, int] = {}
        rows: dict[str, int] = {}
        for name, size, count in self._subject.connection.execute(
            "SELECT relname, pg_relation_size(oid), reltuples::bigint FROM pg_class"
            " WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'p')",
            (sql.Identifier(self._subject.schema.schema).as_string(self._subject.connection),),
        ):
            sizes[name], rows[name] = size, count
        waiting = sorted(tables, key=lambda one: -sizes.get(one.name, 0))
        progress, counts = self._subject.progress, [rows.get(one.name, 0) for one in tables]
        # of a table that was never analysed nobody knows
        progress.part("rows", sum(counts) if min(counts, default=0) >= 0 else None, about=True)

        def work() -> None:
            with self._mutex:
                own = side.fresh()
            with self._subject.another_connection() as connection:
                while True:
                    with self._mutex:
                        if not waiting:
                            break
                        one = waiting.pop(0)
                    for data in receive_copy(connection, self._sides.select(one, self._subject.run.id, self._known)):
                        progress.part_done(own.read_copy(places[one.name], data))
                        if stop.is_set():
                            raise Interrupted
            with self._mutex:
                side.merge(own)

        workers = max(1, min(self._subject.options.workers, len(tables)))
        with ThreadPoolExecutor(workers, thread_name_prefix="isthmus-verify") as pool:
            for future in [pool.submit(work) for _ in range(workers)]:
                future.result()
        return side

    def _account(self, result: LayerResult, by_oracle: Totals) -> None:
        """Say column by column what the sums and the oracle compared."""
        rows, cells, left_out = self._actual.rows(), self._actual.cells(), self._actual.left_out()
        for one in self._sides.compared():
            unread = left_out[one.number] if self._sides.root_of(one.table) in self._unreadable else 0
            why = f"{unread:,} rows are those of joined documents. {_PARTS_CHANGED}" if unread else ""
            told = by_oracle.rows[one.name] if left_out[one.number] and not unread else 0
            whole = rows[one.number] + told
            result.checked += whole
            result.columns.append(ColumnCheck(one.name, "", compared=whole, left_out=unread, why=why))
            if told:
                result.notes.append(
                    f"{told:,} rows of {one.name} were compared by the slower oracle: those of documents that were"
                    " joined, or whose references lead nowhere in a table without positions."
                )
            for number, column in enumerate(one.columns):
                check = ColumnCheck(one.name, column.name, compared=cells[one.number][number], left_out=unread, why=why)
                check.compared += by_oracle.values[one.name, column.name] if told else 0
                check.accounted = self._known.nulls[one.name, column.name] + self._known.elements[one.name, column.name]
                result.columns.append(check)
        for table in self._subject.schema.tables.values():
            if self._is_by_hand(table):
                result.checked += by_oracle.rows[table.name]
                result.columns.append(ColumnCheck(table.name, "", compared=by_oracle.rows[table.name]))
                for column in table.final.columns:
                    compared = by_oracle.values[table.name, column.name]
                    result.columns.append(ColumnCheck(table.name, column.name, compared=compared))

    def _name(
        self,
        differing: list[tuple[int, int | None, bytes]],
        result: LayerResult,
        stop: threading.Event,
    ) -> None:
        """Go through both sides again, and enter the rows and columns that differ."""
        by_number = {one.number: one for one in self._sides.compared()}
        tables = [by_number[number] for number in sorted({number for number, _, _ in differing})]
        wanted = json.dumps([[table, column, _buckets(bits)] for table, column, bits in differing])
        actual = Finder(self._sides.actual(self._known), wanted, MOST_LISTED)
        expected = actual.fresh()
        names = {one.name for one in tables}
        collections = [
            name
            for name in self._subject.histories[0].plans
            if any(self._feeds(plan_table, names) for plan_table in self._subject.plan_tables(name))
        ]

        def takers(collection: str) -> list[Taker]:
            side = Finder(self._sides.expected(collection, self._known), wanted, MOST_LISTED)
            return [SumTaker(side, expected, self._mutex), CountTaker(progress)]

        progress = self._subject.progress
        progress.part("documents read again, for rows differ", None)
        read_source(self._subject, Wanted(takers=takers), progress, stop, collections)
        self._read_target(actual, tables, stop)
        hiding = self._subject.hiding
        named: set[int] = set()
        for number, place, key, before, after, what in expected.compare(actual):
            one = by_number[number]
            named.add(number)
            column = "(row)" if place is None else one.columns[place].name
            row = "/".join("NULL" if part is None else part for part in key)
            result.differs(
                one.name,
                column,
                _WORDS[what].format(table=one.name, column=column, id=row),
                id=row,
                expected=hiding.shown(one.name, column, before),
                actual=hiding.shown(one.name, column, after),
            )
        for number in sorted({one.number for one in tables} - named):
            # the sums say so; who wrote meanwhile cannot have, for both readings see one instant of the target
            result.differs(by_number[number].name, "(rows)", f"{by_number[number].name} differs from the source.")

    def _feeds(self, plan_table: PlanTable, names: set[str]) -> bool:
        return plan_table.name in names or any(plan_table.name.startswith(f"{name}.") for name in names)

    def _by_hand(self, result: LayerResult) -> Totals:
        """Let the oracle compare what the core cannot, and return what it compared."""
        by_hand = self._sides.by_hand.keys() - self._unreadable
        some = self._known.left_out.keys() - self._sides.by_hand.keys() - self._unreadable
        if not by_hand and not some and not self._merging:
            return Totals()
        comparison = self._oracle.comparison()
        shapes = comparison.reference.shapes
        whole = [shapes[table.name] for table in self._subject.schema.tables.values() if self._is_by_hand(table)]
        mine = {shape.table for shape in whole} | {
            one.name for one in self._sides.compared() if self._sides.root_of(one.table) in some
        }
        progress, documents = self._subject.progress, self._oracle.documents(by_hand | some)
        progress.part("documents by the oracle", self._oracle.count(by_hand | some))
        for found in comparison.of_documents(documents, progress.part_done):
            if found.table in mine:
                enter(result, found, self._subject.hiding)
        self._unmet(result, some)
        for shape in whole:
            found_whole = comparison.whole(shape) if is_held(shape) else comparison.surplus(shape.table)
            for found in found_whole:
                enter(result, found, self._subject.hiding)
        if self._merging:
            for found in comparison.ledgers():
                enter(result, found, self._subject.hiding)
        for root, why in self._sides.by_hand.items():
            if root not in self._unreadable:
                result.notes.append(f"{root} was compared by the slower oracle: {why}.")
        return comparison.totals

    def _is_by_hand(self, table: Table) -> bool:
        """Whether the oracle compares all rows of a table."""
        root = self._sides.root_of(table)
        if root in self._unreadable:
            return False
        return (table.kind != "junction" and root in self._sides.by_hand) or table.name in self._junctions_by_hand

    def _unmet(self, result: LayerResult, roots: Collection[str]) -> None:
        """Enter rows that were left to the oracle, and that no document of the source gives."""
        for root in sorted(roots):
            unmet = self._oracle.unmet(root)
            for one in self._sides.compared() if unmet else ():
                if self._sides.root_of(one.table) != root or one.owner is None:
                    continue
                rows = self._subject.connection.execute(
                    sql.SQL(
                        "SELECT {0}::text, count(*) FROM {1} WHERE {0}::text = ANY({2}) GROUP BY 1 ORDER BY 1"
                    ).format(
                        sql.Identifier(one.owner),
                        sql.Identifier(self._subject.schema.schema, one.name),
                        sql.Literal(unmet),
                    )
                )
                hiding = self._subject.hiding
                for found, count in rows:
                    row_id = hiding.row(one.name, found)
                    message = _WORDS["extra"].format(table=one.name, id=row_id)
                    result.differs(one.name, "(row)", message, id=row_id, times=count)


def _buckets(bits: bytes) -> list[int]:
    return [number for number in range(len(bits) * 8) if bits[number // 8] >> (number % 8) & 1]
