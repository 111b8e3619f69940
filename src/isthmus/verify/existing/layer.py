"""Layers of tables that were there before the copy: what they need of each other, compared once.

Cannot see: a fault of the core that makes the same of a document now as in the copy; rows that no document gives and
whose id does not tell that Isthmus wrote them; of rows that somebody edited between two copies what is wrong in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import psycopg
from psycopg import sql

from isthmus.connect.postgres import explain
from isthmus.mapping.tables import Column, Table
from isthmus.state.checkpoints import read_tallies
from isthmus.state.kept_values import EXTRAS, ROW
from isthmus.verify import counts, samples, types
from isthmus.verify.existing.accounts import KEPT_ROW, Accounts, absent_rightly, accounted_of
from isthmus.verify.existing.compare import DIFFERING, Compared, compare_table, prepare
from isthmus.verify.existing.followed import Followed, why_not_followed
from isthmus.verify.existing.given import Given, GivenTaker
from isthmus.verify.existing.known import Known
from isthmus.verify.existing.mirror import counted_as_given, make_mirror, mirrored
from isthmus.verify.existing.older_accounts import UNJUDGED
from isthmus.verify.existing.pairs import compare_pairs
from isthmus.verify.existing.strangers import Strangers, find_strangers
from isthmus.verify.existing.there import There, read_there
from isthmus.verify.hiding import HIDDEN
from isthmus.verify.oracle import Oracle
from isthmus.verify.result import MOST_LISTED, ColumnCheck, Layer, LayerResult
from isthmus.verify.source_facts import SourceFacts
from isthmus.verify.source_reading import Taker
from isthmus.verify.subject import Subject
from isthmus.verify.temporary import needing_temporary_tables

_WHY = {
    "orphan": "{n} references point at nothing, and are NULL.",
    "waiting": "{n} references wait for what was not carried.",
    "kept": "{n} were there before, and the policy kept them.",
    "edited": "{n} were edited in the target between two copies.",
    "deleted": "{n} were deleted in the target between two copies.",
    "filled in": "{n} are of rows that were there before: a time that is filled in for want of one goes to new rows.",
    "number": "{n} are numbers of rows that were there before, written with other zeros.",
    UNJUDGED: "{n} are of rows that were there before, and the version that copied did not note what they were.",
}
"""Why something differs rightly, or cannot be judged."""
_LETTERS = (
    "What stands against these documents may be a row of somebody else's, so their reasons are not looked at again."
)


class ExistingTables:
    """Made before the source is read, given its documents, and asked for what the layers found.

    Args:
        subject: What is verified.
        stack: Closes what it opens.

    Raises:
        TargetError: The role may not make temporary tables (code `no-temporary-tables`).
    """

    def __init__(self, subject: Subject, stack: ExitStack) -> None:
        self._subject = subject
        connection = stack.enter_context(subject.another_connection())
        for setting, value in (("jit", "off"), ("work_mem", "64MB")):
            connection.execute(sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(setting), sql.Literal(value)))
        with needing_temporary_tables(
            "Rows of tables that were there before", "look at what needs no source: --layers references,rules,schema"
        ):
            self._given = Given(subject, connection)
        self.carried = tuple(subject.run.tables.get("only") or subject.histories[0].plans)
        self._there: There = read_there(connection, subject.schema.schema, subject.schema.tables)
        self._known = Known(subject, self._given, self._there)
        self._accounts = Accounts(self._known, read_tallies(subject.connection, subject.run.id))
        self._compared: dict[str, Compared] = {}
        self._strangers: dict[str, Strangers] = {}
        self._accounted: dict[tuple[str, str], Counter[str]] = {}
        self._absent: Counter[str] = Counter()
        self._done = False
        self._mirrored: Subject | None = None
        self._waits: set[tuple[str, str]] | None = None

    def takers(self, collection: str) -> list[Taker]:
        """Return what takes the documents of a collection that have rows."""
        return [GivenTaker(self._given, self._subject.plan_tables(collection))]

    def layers(self, facts: SourceFacts, oracle: Oracle) -> dict[Layer, Callable[[], LayerResult]]:
        """Return the layers that need what is compared here."""
        return {
            "counts": lambda: self._looked("counts", lambda: self.counts(facts)),
            "samples": lambda: self._looked("samples", lambda: self.samples(facts, oracle)),
            "types": lambda: self._looked("types", lambda: self.types(facts)),
            "checksum": lambda: self._looked("checksum", self.checksum),
        }

    def _looked(self, layer: Layer, look: Callable[[], LayerResult]) -> LayerResult:
        """Return what a layer finds; where the server cannot compare, because of what a column holds, that differs."""
        try:
            with self._given.connection.transaction():
                return look()
        except psycopg.DataError as fault:
            result = LayerResult(layer)
            words = explain(fault, values=not self._subject.schema.sensitive)
            result.differs("", "(tables)", f"The tables cannot be compared: {words}.", expected="readable")
            return result

    def _compare(self) -> None:
        """Compare everything, the first time that a layer asks."""
        if self._done:
            return
        self._done = True
        self._given.settled()
        self._known.follow()
        self._accounts.read_orphans()
        prepare(self._known)
        tables = [table for table in self._subject.schema.tables.values() if self._why_not(table) == ""]
        for table in tables:
            if table.kind != "junction":
                self._compared[table.name] = compare_table(self._known, table)
        self._accounts.enter()
        roots = [table for table in self._subject.schema.tables.values() if table.kind == "root"]
        new = {root.name: self._new(root) for root in roots}
        for table in tables:
            if table.kind == "junction":
                self._compared[table.name] = compare_pairs(self._known, table, new)
        for table in tables:
            if table.kind == "root" and self._known.key(table):
                self._strangers[table.name] = find_strangers(self._known, table)
        self._accounted = accounted_of(self._known)
        self._absent = absent_rightly(self._known)

    def _why_not(self, table: Table) -> str:
        """Return why a table is not compared, a sentence; empty where it is."""
        if not self._there.columns[table.name]:
            return "The target has no such table."
        flows = [flow for flow in self._known.root_of(table).flows if flow.collection in self.carried]
        if table.kind != "junction" and not flows:
            return "Its documents were not carried by this copy."
        missing = [
            column.name
            for column in table.final.columns
            if column.name not in self._there.columns[table.name] and column.role not in {"extras", "source"}
        ]
        return f"It has no column {', '.join(missing)}." if missing else ""

    def _new(self, root: Table) -> sql.Composable:
        """Return SQL that is true of documents (`r`) whose row this copy alone can have made.

        That is known of the first copy into a target: then nothing but the row that a document matched was there.
        """
        entries = [self._subject.mapping.collections[entry] for entry in root.entries]
        if self._subject.run.id > 1:
            return sql.SQL("false")
        if not self._accounts.verdicts(root).total():
            return sql.SQL("true")
        if any(entry.ids == "keep" for entry in entries):
            return sql.SQL("false")
        return sql.SQL("NOT EXISTS (SELECT FROM {} m WHERE m.given_id = r.own)").format(
            self._given.place(root.name, "moved")
        )

    def counts(self, facts: SourceFacts) -> LayerResult:
        """Hold documents against the books, and the rows that they give against those that are there."""
        self._compare()
        result = LayerResult("counts", unit="documents and rows")
        result.notes.append("Counts cannot see which rows there are, nor what is in them.")
        counts.check_source(self._subject, facts, result)
        self._name_strangers(result)
        for name, found in self._compared.items():
            told = self._absent[name]
            result.checked += found.met
            result.columns.append(ColumnCheck(name, "", compared=found.met, accounted=told, left_out=found.joined))
            expected = found.given - told - self._not_expected(found)
            if found.met != expected:
                result.differs(
                    name,
                    "(rows)",
                    f"{name} holds {found.met:,} of the {expected:,} rows that the documents of the source give.",
                    expected=str(expected),
                    actual=str(found.met),
                    times=abs(found.met - expected),
                )
        for name, part, what, counted, held in self._accounts.wrong_ledgers():
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

    def _not_expected(self, found: Compared) -> int:
        """Of joined documents nobody says here how many rows they are."""
        return found.given - found.met if found.joined else 0

    def checksum(self) -> LayerResult:
        """Name every row and column that is not what its document gives."""
        self._compare()
        result = LayerResult("checksum", unit="rows")
        result.notes.append(
            "The checksum uses the core that wrote the rows: a fault of its conversion shows in samples, not here."
        )
        for name, found in self._compared.items():
            result.checked += found.met
            stranger = self._strangers.get(name)
            why = [f"{found.joined:,} rows are of documents that may be joined."] if found.joined else []
            others = stranger.others if stranger is not None else 0
            if others:
                why.append(f"{others:,} rows are of no document of the source: they are taken for somebody else's.")
            row = ColumnCheck(name, "", found.met, left_out=found.joined + others, why=" ".join(why))
            self._account(row, ROW)
            result.columns.append(row)
            for column in (*found.columns, *([EXTRAS] if (name, EXTRAS) in self._accounted else [])):
                check = ColumnCheck(name, column, compared=found.met, left_out=found.joined)
                self._account(check, column)
                result.columns.append(check)
        self._say_not_compared(result)
        self._list(result)
        self._name_strangers(result)
        for table, names in self._there.triggers.items():
            if any(one.table == table for one in result.differences):
                result.notes.append(
                    f"{table} has triggers ({', '.join(names)}): what they change when rows are written differs here."
                )
        result.notes.append(
            "The tables were there before: rows that no document gives are somebody else's, unless their id says that"
            " Isthmus made it."
        )
        return result

    def samples(self, facts: SourceFacts, oracle: Oracle) -> LayerResult:
        """Compare the rows of the documents that were drawn with what the oracle expects."""
        self._compare()
        if (refused := self._refused("samples")) is not None:
            return refused
        result = samples.check(self._mirror(), facts, oracle, self._is_sampled, Followed(self._known))
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
                        EXTRAS if column.role == "extras" and column.name not in self._there.columns[table.name] else ""
                    )
                    self._account(check, path or column.name)
                if check.left_out or check.accounted:
                    result.columns.append(check)
            check = ColumnCheck(table.name, "")
            self._account(check, ROW)
            if check.left_out or check.accounted:
                result.columns.append(check)
        letters = self._known.rows(
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
        if found.kind == "junction" or table not in self._compared or self._compared[table].joined:
            return False
        column = next((one for one in found.columns if one.name == path), None)
        return column is None or not self._why_not_sampled(found, column)

    def _why_not_sampled(self, table: Table, column: Column) -> str:
        """Return why samples does not compare a column, a sentence; empty where it does."""
        found = self._compared.get(table.name)
        if found is None:
            return "Its documents were not carried by this copy."
        if found.joined:
            return "Its documents may be joined."
        return why_not_followed(self._known, table, column, self._waiting())

    def _is_followed(self, table: Table, column: Column) -> bool:
        return not why_not_followed(self._known, table, column, self._waiting())

    def _waiting(self) -> set[tuple[str, str]]:
        """Return (table, column) of references that wait for what was not carried."""
        if self._waits is None:
            rows = self._known.rows(
                "SELECT DISTINCT table_name, column_name FROM isthmus.pending_reference WHERE table_schema = {schema}",
                schema=sql.Literal(self._subject.schema.schema),
            )
            self._waits = {(str(table), str(column)) for table, column in rows}
        return self._waits

    def types(self, facts: SourceFacts) -> LayerResult:
        """Hold what each column holds against what the source's fields hold."""
        self._compare()
        but = dict.fromkeys(self._waiting(), "References of it wait for what was not carried.")
        if (refused := self._refused("types")) is not None:
            return refused
        result = types.check(self._mirror(), facts, but)
        for name, given in counted_as_given(self._known, self._accounted).items():
            for check in result.columns:
                if (count := given[check.column]) and check.table == name and not check.left_out:
                    check.compared -= count
                    words = "is not compared, but held" if count == 1 else "are not compared, but held"
                    check.accounted += count
                    check.why = f"{count:,} {words} by checksum against what was noted of them."
        return result

    def _refused(self, layer: Layer) -> LayerResult | None:
        """Return what a layer says where tables or columns of the mapping are not there; None where all are."""
        result = LayerResult(layer)
        self._say_not_compared(result)
        return None if result.passed else result

    def _mirror(self) -> Subject:
        """Return the subject with the mirror of its tables, made the first time."""
        if self._mirrored is None:
            make_mirror(self._known, self._accounted, self._is_followed, whole=self._subject.options.sample is None)
            self._mirrored = mirrored(self._known)
        return self._mirrored

    def _account(self, check: ColumnCheck, path: str) -> None:
        told = self._accounted.get((check.table, path), Counter[str]())
        check.left_out += told[UNJUDGED]
        check.accounted += told.total() - told[UNJUDGED]
        words = [_WHY[why].format(n=f"{count:,}") for why, count in sorted(told.items())]
        check.why = " ".join([*([check.why] if check.why else []), *words])

    def _say_not_compared(self, result: LayerResult) -> None:
        for table in self._subject.schema.tables.values():
            why = self._why_not(table)
            if why:
                result.columns.append(ColumnCheck(table.name, "", left_out=1, why=why))
                carried = any(flow.collection in self.carried for flow in self._known.root_of(table).flows)
                if table.kind == "junction" or carried:
                    result.differs(table.name, "(table)", f"{table.name} cannot be compared. {why}")

    def _list(self, result: LayerResult) -> None:
        hiding = self._subject.hiding
        whole = self._known.rows(
            "SELECT table_name, path, count(*) FROM {d} d WHERE why IS NULL GROUP BY 1, 2 ORDER BY 1, 2", d=DIFFERING
        )
        rows = self._known.rows(
            "SELECT table_name, path, coalesce(row_id, own), positions, left(given, 300), left(actual, 300)"
            " FROM {d} d WHERE why IS NULL ORDER BY 1, 3, 4, 2 LIMIT {most}",
            d=DIFFERING,
            most=sql.Literal(MOST_LISTED),
        )
        for table, path, row_id, positions, given, actual in rows:
            row = self._label(table, row_id, positions)
            name = row or hiding.shown(table, ROW, given or actual)
            if path != ROW:
                message = f"{table}.{path} of row {name} is not what its document gives."
            elif given is None:
                message = f"{table} holds the row {name}, which no document of the source gives."
            elif actual is None and given == KEPT_ROW:
                message = f"{table} lacks the row {name}, which was there before the copy and which the copy kept."
            elif actual is None:
                message = f"{table} lacks the row {name}, which a document of the source gives."
            else:
                message = f"{table} holds the row {name} more than once."
            result.differs(
                table,
                path,
                message,
                id=row,
                expected=hiding.shown(table, path, given),
                actual=hiding.shown(table, path, actual),
            )
        listed = Counter((table, path) for table, path, *_ in rows)
        for table, path, count in whole:
            if count > listed[table, path]:
                result.more(table, path, count - listed[table, path])

    def _label(self, table: str, row_id: str | None, positions: list[int]) -> str | None:
        """Return a row's key as a report shows it."""
        if row_id is None:
            return None
        found = self._subject.schema.tables[table]
        root = self._known.root_of(found)
        keys = found.columns if found.kind == "junction" else map(root.column, self._known.key(root))
        return HIDDEN if any(column.sensitive for column in keys) else "/".join([row_id, *map(str, positions)])

    def _name_strangers(self, result: LayerResult) -> None:
        """Enter rows with ids that Isthmus made and that no document gives."""
        for name, found in self._strangers.items():
            for row in found.ours:
                result.differs(
                    name,
                    ROW,
                    f"{name} holds the row {row} with the id of a document, which no document of the source gives.",
                    id=row,
                    actual="a row",
                )
            if found.earlier:
                result.notes.append(
                    f"{found.earlier:,} rows of {name} came with documents of earlier copies that are gone from the"
                    " source or not carried now."
                )
