"""Layers of tables that were there before the copy.

Cannot see: a fault of the core that makes the same of a document now as in the copy; rows that no document gives and
whose id does not tell that Isthmus wrote them; of rows that somebody edited between two copies what is wrong in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import psycopg
from psycopg import sql

from isthmus.connect.postgres import explain
from isthmus.mapping.tables import Column, Table
from isthmus.state.kept_values import EXTRAS, ROW
from isthmus.verify import counts, samples, types
from isthmus.verify.existing.comparison import Comparison
from isthmus.verify.existing.followed import Followed, why_not_followed
from isthmus.verify.existing.given import GivenTaker
from isthmus.verify.existing.listed import list_differing, name_strangers
from isthmus.verify.existing.mirror import counted_as_given
from isthmus.verify.oracle import Oracle
from isthmus.verify.result import ColumnCheck, Layer, LayerResult
from isthmus.verify.source_facts import SourceFacts
from isthmus.verify.source_reading import Taker
from isthmus.verify.subject import Subject

_JOINED = "{n} of documents that were joined with others, whose rows are not held against them here."
_LETTERS = (
    "What stands against these documents may be a row of somebody else's, so their reasons are not looked at again."
)


class ExistingTables:
    """Made before the source is read, given its documents, and asked for what the layers found.

    Args:
        subject: What is verified.
        oracle: Says what the documents that were drawn must become.
        stack: Closes what it opens.

    Raises:
        TargetError: The role may not make temporary tables (code `no-temporary-tables`).
    """

    def __init__(self, subject: Subject, oracle: Oracle, stack: ExitStack) -> None:
        self._subject = subject
        self._oracle = oracle
        self._found = Comparison(subject, oracle.reference, stack)
        self._first: Layer | None = None

    @property
    def carried(self) -> tuple[str, ...]:
        """The collections that were carried."""
        return self._found.carried

    def takers(self, collection: str) -> list[Taker]:
        """Return what takes the documents of a collection that have rows."""
        return [GivenTaker(self._found.given, self._subject.plan_tables(collection))]

    def layers(self, facts: SourceFacts) -> dict[Layer, Callable[[], LayerResult]]:
        """Return the layers that need what is compared here."""
        return {
            "counts": lambda: self._looked("counts", lambda: self.counts(facts)),
            "samples": lambda: self._looked("samples", lambda: self.samples(facts)),
            "types": lambda: self._looked("types", lambda: self.types(facts)),
            "checksum": lambda: self._looked("checksum", self.checksum),
        }

    def _looked(self, layer: Layer, look: Callable[[], LayerResult]) -> LayerResult:
        """Return what a layer finds; where the server cannot compare, because of what a column holds, that differs."""
        before = self._found.seconds
        try:
            with self._found.given.connection.transaction():
                return look()
        except psycopg.DataError as fault:
            result = LayerResult(layer)
            words = explain(fault, values=not self._subject.schema.sensitive)
            result.differs("", "(tables)", f"The tables cannot be compared: {words}.", expected="readable")
            return result
        finally:
            if self._found.seconds != before:
                self._first = layer

    def share_seconds(self, layers: Mapping[Layer, LayerResult]) -> None:
        """Take the time of comparing rows off the layer that first needed it, and give it to the checksum, if asked."""
        checksum, first = layers.get("checksum"), layers.get(self._first) if self._first else None
        if checksum is not None and first is not None:
            first.seconds -= self._found.seconds
            checksum.seconds += self._found.seconds

    def counts(self, facts: SourceFacts) -> LayerResult:
        """Hold documents against the books, and the rows that they give against those that are there."""
        self._found.settle()
        result = LayerResult("counts", unit="documents and rows")
        result.notes.append("Counts cannot see which rows there are, nor what is in them.")
        counts.check_source(self._subject, facts, result)
        name_strangers(self._found.strangers, result)
        for name, found in self._found.compared.items():
            told = self._found.absent[name]
            result.checked += found.met
            why = _JOINED.format(n=f"{found.joined:,}") if found.joined else ""
            result.columns.append(ColumnCheck(name, "", found.met - found.joined_met, told, found.joined, why))
            # of joined documents nobody says here how many rows they are
            expected = found.given - found.joined - told + found.joined_met
            if found.met != expected:
                result.differs(
                    name,
                    "(rows)",
                    f"{name} holds {found.met:,} of the {expected:,} rows that the documents of the source give.",
                    expected=str(expected),
                    actual=str(found.met),
                    times=abs(found.met - expected),
                )
        for name, part, what, counted, held in self._found.accounts.wrong_ledgers():
            result.differs(
                name,
                part,
                f"The ledger has {held:,} {what} of {name}; the run counted {counted:,}.",
                expected=str(counted),
                actual=str(held),
                times=abs(held - counted),
            )
        self._say_not_compared(result)
        return result

    def checksum(self) -> LayerResult:
        """Name every row and column that is not what its document gives."""
        self._found.settle()
        result = LayerResult("checksum", unit="rows")
        result.notes.append(
            "The checksum uses the core that wrote the rows: a fault of its conversion shows in samples, not here."
        )
        for name, found in self._found.compared.items():
            result.checked += found.met
            stranger = self._found.strangers.get(name)
            joined = [_JOINED.format(n=f"{found.joined:,}")] if found.joined else []
            alone = found.met - found.joined_met
            others = stranger.others if stranger is not None else 0
            strange = (
                [f"{others:,} of no document of the source: they are taken for somebody else's."] if others else []
            )
            left_out, why = found.joined + others, " ".join([*joined, *strange])
            row = ColumnCheck(name, "", alone, left_out=left_out, why=why)
            self._found.account(row, ROW)
            result.columns.append(row)
            for column in (*found.columns, *([EXTRAS] if (name, EXTRAS) in self._found.accounted else [])):
                check = ColumnCheck(name, column, alone, left_out=found.joined, why=" ".join(joined))
                self._found.account(check, column)
                result.columns.append(check)
        self._say_not_compared(result)
        list_differing(self._found.known, result)
        name_strangers(self._found.strangers, result)
        for table, names in self._found.there.triggers.items():
            if any(one.table == table for one in result.differences):
                result.notes.append(
                    f"{table} has triggers ({', '.join(names)}): what they change when rows are written differs here."
                )
        result.notes.append(
            "The tables were there before: rows that no document gives are somebody else's, unless their id says that"
            " Isthmus made it."
        )
        return result

    def samples(self, facts: SourceFacts) -> LayerResult:
        """Compare the rows of the documents that were drawn with what the oracle expects."""
        self._found.settle()
        if (refused := self._refused("samples")) is not None:
            return refused
        result = samples.check(self._found.mirror(), facts, self._oracle, self._is_sampled, Followed(self._found.known))
        result.notes.append(
            "Where references of tables that were there before lead is compared where the id tells, derived or by"
            " isthmus.id_map; pairs are compared by checksum alone."
        )
        for table in self._subject.schema.tables.values():
            for column in table.final.columns:
                if table.kind == "junction":
                    continue
                check = ColumnCheck(table.name, column.name)
                if why := self._why_not_sampled(table, column):
                    check.left_out, check.why = 1, why
                else:
                    path = (
                        EXTRAS
                        if column.role == "extras" and column.name not in self._found.there.columns[table.name]
                        else ""
                    )
                    self._found.account(check, path or column.name)
                if check.left_out or check.accounted:
                    result.columns.append(check)
            check = ColumnCheck(table.name, "")
            self._found.account(check, ROW)
            if check.left_out or check.accounted:
                result.columns.append(check)
        letters = self._found.known.rows(
            "SELECT collection, count(*) FROM isthmus.dead_letter WHERE run_id = {run} AND stage <> 'convert'"
            " GROUP BY 1 ORDER BY 1",
            run=sql.Literal(self._subject.run.id),
        )
        for name, count in letters:
            result.columns.append(ColumnCheck(str(name), "(dead letters)", left_out=int(count), why=_LETTERS))
        return result

    def _is_sampled(self, table: str, path: str) -> bool:
        """Tell whether what the oracle says of a column, or of rows, can be held against the mirror."""
        found = self._subject.schema.tables[table]
        if found.kind == "junction" or self._why_no_rows_sampled(found):
            return False
        column = next((one for one in found.columns if one.name == path), None)
        return column is None or not self._why_not_sampled(found, column)

    def _why_not_sampled(self, table: Table, column: Column) -> str:
        """Return why samples does not compare a column, a sentence; empty where it does."""
        return self._why_no_rows_sampled(table) or why_not_followed(
            self._found.known, table, column, self._found.waiting()
        )

    def _why_no_rows_sampled(self, table: Table) -> str:
        """Return why samples does not compare a table, a sentence; empty where it does."""
        found = self._found.compared.get(table.name)
        if found is None:
            return "Its documents were not carried by this copy."
        if found.joined:
            return "Its documents may be joined."
        if table.name in self._found.known.joined and self._subject.options.sample is not None:
            return "Its documents may be one with others; --sample all compares them."
        return ""

    def types(self, facts: SourceFacts) -> LayerResult:
        """Hold what each column holds against what the source's fields hold."""
        self._found.settle()
        but = dict.fromkeys(self._found.waiting(), "References of it wait for what was not carried.")
        if (refused := self._refused("types")) is not None:
            return refused
        result = types.check(self._found.mirror(), facts, but)
        for name, given in counted_as_given(self._found.known, self._found.accounted).items():
            for check in result.columns:
                if (count := given[check.column]) and check.table == name and not check.left_out:
                    check.compared -= count
                    check.accounted += count
                    check.why = f"{count:,} held by checksum against what was noted of them, and not compared here."
        return result

    def _refused(self, layer: Layer) -> LayerResult | None:
        """Return what a layer says where tables or columns of the mapping are not there; None where all are."""
        result = LayerResult(layer)
        self._say_not_compared(result)
        return None if result.passed else result

    def _say_not_compared(self, result: LayerResult) -> None:
        for table in self._subject.schema.tables.values():
            why = self._found.why_not(table)
            if why:
                result.columns.append(ColumnCheck(table.name, "", left_out=1, why=why))
                carried = any(flow.collection in self.carried for flow in self._found.known.root_of(table).flows)
                if table.kind == "junction" or carried:
                    result.differs(table.name, "(table)", f"{table.name} cannot be compared. {why}")
