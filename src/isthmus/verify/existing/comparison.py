"""What tables that were there before hold beside what their documents give: compared once, for every layer that asks.

Cannot see: what `ExistingTables` cannot.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack

from psycopg import sql

from isthmus.connect.real_columns import There, read_there
from isthmus.connect.temporary import needing_temporary_tables
from isthmus.mapping.tables import Column, Table
from isthmus.state.checkpoints import read_tallies
from isthmus.verify.existing.accounts import Accounts, absent_rightly, accounted_of
from isthmus.verify.existing.compare import Compared, compare_table, prepare
from isthmus.verify.existing.followed import why_not_followed
from isthmus.verify.existing.given import Given
from isthmus.verify.existing.known import Known
from isthmus.verify.existing.mirror import make_mirror, mirrored
from isthmus.verify.existing.older_accounts import UNJUDGED
from isthmus.verify.existing.pairs import compare_pairs
from isthmus.verify.existing.strangers import Strangers, find_strangers
from isthmus.verify.existing.things import join_given
from isthmus.verify.joined import left_together
from isthmus.verify.reference import Reference
from isthmus.verify.result import ColumnCheck
from isthmus.verify.subject import Subject
from isthmus.verify.things import parts_of_things

_WHY = {
    "orphan": "{n} pointing at nothing, and NULL.",
    "waiting": "{n} waiting for what was not carried.",
    "kept": "{n} there before, and kept by the policy.",
    "edited": "{n} edited in the target between two copies.",
    "deleted": "{n} deleted in the target between two copies.",
    "filled in": "{n} of rows that were there before: a time that is filled in for want of one goes to new rows.",
    "number": "{n} of rows that were there before, written with other zeros.",
    UNJUDGED: "{n} of rows that were there before, and the version that copied did not note what they were.",
}
"""Why something differs rightly, or cannot be judged; the same words for one and for several, so that they add up."""


class Comparison:
    """Holds what is compared, and what was found.

    Args:
        subject: What is verified.
        reference: Knows which documents are one thing, and the ids that documents keep.
        stack: Closes what it opens.

    Attributes:
        subject: The same.
        given: The rows that the documents give.
        there: What the tables have.
        known: How to find one beside the other.
        accounts: What the copy noted of what it left alone.
        carried: The collections that were carried.
        compared: Table → what was found; empty before `settle`, as are the following.
        strangers: Table → its rows that no document gives.
        accounted: (table, path) → why it differs rightly → how often.
        absent: Table → how many rows are missing rightly.
        seconds: How long `settle` took.

    Raises:
        TargetError: The role may not make temporary tables (code `no-temporary-tables`).
    """

    def __init__(self, subject: Subject, reference: Reference, stack: ExitStack) -> None:
        self.subject = subject
        self._reference = reference
        connection = stack.enter_context(subject.another_connection())
        for setting, value in (("jit", "off"), ("work_mem", "64MB")):
            connection.execute(sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(setting), sql.Literal(value)))
        with needing_temporary_tables(
            "Rows of tables that were there before", "look at what needs no source: --layers references,rules,schema"
        ):
            self.given = Given(subject, connection)
        self.carried = tuple(subject.run.tables.get("only") or subject.histories[0].plans)
        self.there: There = read_there(connection, subject.schema.schema, subject.schema.tables)
        self.known = Known(subject, self.given, self.there)
        self.accounts = Accounts(self.known, read_tallies(subject.connection, subject.run.id))
        self.compared: dict[str, Compared] = {}
        self.strangers: dict[str, Strangers] = {}
        self.accounted: dict[tuple[str, str], Counter[str]] = {}
        self.absent: Counter[str] = Counter()
        self.seconds = 0.0
        self._settled = False
        self._mirrored: Subject | None = None
        self._waits: set[tuple[str, str]] | None = None

    def settle(self) -> None:
        """Compare everything, the first time that a layer asks."""
        if self._settled:
            return
        self._settled = True
        began = time.monotonic()
        self._settle()
        self.seconds = time.monotonic() - began

    def _settle(self) -> None:
        self.given.settled()
        self.known.joined = join_given(self.subject, self.given, parts_of_things(self.subject, self._reference))
        self.known.left = left_together(self.subject.connection, self._reference, self.subject.run.id)
        self.known.follow()
        self.accounts.read_orphans()
        prepare(self.known)
        tables = [table for table in self.subject.schema.tables.values() if self.why_not(table) == ""]
        rows = [table for table in tables if table.kind != "junction"]
        for table in self.subject.progress.counting(rows, "tables compared", len(rows), even=False):
            self.compared[table.name] = compare_table(self.known, table)
        self.accounts.enter()
        roots = [table for table in self.subject.schema.tables.values() if table.kind == "root"]
        new = {root.name: self._new(root) for root in roots}
        for table in tables:
            if table.kind == "junction":
                self.compared[table.name] = compare_pairs(self.known, table, new)
        for table in tables:
            if table.kind == "root" and self.known.key(table):
                self.strangers[table.name] = find_strangers(self.known, table)
        self.accounted = accounted_of(self.known)
        self.absent = absent_rightly(self.known)

    def why_not(self, table: Table) -> str:
        """Return why a table is not compared, a sentence; empty where it is."""
        if not self.there.columns[table.name]:
            return "The target has no such table."
        flows = [flow for flow in self.known.root_of(table).flows if flow.collection in self.carried]
        if table.kind != "junction" and not flows:
            return "Its documents were not carried by this copy."
        missing = [
            column.name
            for column in table.final.columns
            if column.name not in self.there.columns[table.name] and column.role not in {"extras", "source"}
        ]
        return f"It has no column {', '.join(missing)}." if missing else ""

    def _new(self, root: Table) -> sql.Composable:
        """Return SQL that is true of documents (`r`) whose row this copy alone can have made.

        That is known of the first copy into a target: then nothing but the row that a document matched was there.
        """
        entries = [self.subject.mapping.collections[entry] for entry in root.entries]
        if self.subject.run.id > 1:
            return sql.SQL("false")
        if not self.accounts.verdicts(root).total():
            return sql.SQL("true")
        if any(entry.ids == "keep" for entry in entries):
            return sql.SQL("false")
        return sql.SQL("NOT EXISTS (SELECT FROM {} m WHERE m.given_id = r.own)").format(
            self.given.place(root.name, "moved")
        )

    def waiting(self) -> set[tuple[str, str]]:
        """Return (table, column) of references that wait for what was not carried."""
        if self._waits is None:
            rows = self.known.rows(
                "SELECT DISTINCT table_name, column_name FROM isthmus.pending_reference WHERE table_schema = {schema}",
                schema=sql.Literal(self.subject.schema.schema),
            )
            self._waits = {(str(table), str(column)) for table, column in rows}
        return self._waits

    def is_followed(self, table: Table, column: Column) -> bool:
        """Tell whether it can be said where the references of a column lead."""
        return not why_not_followed(self.known, table, column, self.waiting())

    def mirror(self) -> Subject:
        """Return the subject with the mirror of its tables, made the first time."""
        if self._mirrored is None:
            make_mirror(self.known, self.accounted, self.is_followed, whole=self.subject.options.sample is None)
            self._mirrored = mirrored(self.known)
        return self._mirrored

    def account(self, check: ColumnCheck, path: str) -> None:
        """Enter in a check what of its table differs rightly under a path, or cannot be judged, and why."""
        told = self.accounted.get((check.table, path), Counter[str]())
        check.left_out += told[UNJUDGED]
        check.accounted += told.total() - told[UNJUDGED]
        words = [_WHY[why].format(n=f"{count:,}") for why, count in sorted(told.items())]
        check.why = " ".join([*([check.why] if check.why else []), *words])
