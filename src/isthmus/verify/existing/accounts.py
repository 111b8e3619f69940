"""What differs rightly, because the ledgers of the copy say so: entered as `why` in the table of what differs.

The ledgers are believed as far as what they say could have happened: an orphan that points at a row is none, it is an
orphan only of what its document says, and what was left as it was must be that still.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, LiteralString

from psycopg import sql

from isthmus.mapping.tables import Table
from isthmus.state.kept_values import NOTED, ROW, VALUES, digest, is_content, row_text
from isthmus.verify.existing import older_accounts
from isthmus.verify.existing.compare import DIFFERING
from isthmus.verify.existing.given import key_column
from isthmus.verify.existing.known import Known, named_columns
from isthmus.verify.looking import of_row

ORPHANS = sql.Identifier("pg_temp", "isthmus_orphans")
WAITING = sql.Identifier("pg_temp", "isthmus_waiting")
KEPT_ROW = "a row that was kept"
"""What is given of a child row that no document gives, and that was there when the copy left it."""
_MET = "verdict-"

Tallies = Mapping[str, Mapping[str, int]]


class Accounts:
    """Holds what differs against the ledgers.

    Args:
        known: The rows.
        tallies: What the run counted: kind → name → amount.
    """

    def __init__(self, known: Known, tallies: Tallies) -> None:
        self._known = known
        self._subject = known.subject
        self._tallies = tallies
        self._schema = sql.Literal(known.subject.schema.schema)
        self._run = sql.Literal(known.subject.run.id)
        self.notes = bool(known.number("SELECT (to_regclass('isthmus.kept_value') IS NOT NULL)::integer"))

    def verdicts(self, root: Table) -> Counter[str]:
        """Return what the delivery decided about documents of a root table whose row was there before."""
        found: Counter[str] = Counter()
        for kind, amounts in self._tallies.items():
            if kind.startswith(_MET):
                found[kind.removeprefix(_MET)] += sum(amounts.get(name, 0) for name in root.collections)
        return found

    def read_orphans(self) -> None:
        """Take over the orphans that point at nothing now; before what differs is looked for."""
        known = self._known
        known.do(
            "CREATE TEMPORARY TABLE {orphans} AS SELECT table_name, column_name, row_id,"
            " coalesce(row_position, '{{}}') AS row_position, target_id, action FROM isthmus.orphan"
            " WHERE run_id = {run} AND action IN ('null', 'drop')",
            run=self._run,
            orphans=ORPHANS,
        )
        left = [pair for pairs in known.left.values() for pair in pairs.items()]
        known.do(  # a reference had been made to lead to the row that its document was a part of, before that left
            "INSERT INTO {orphans} SELECT o.table_name, o.column_name, o.row_id, o.row_position, u.own, o.action"
            " FROM {orphans} o JOIN unnest({owns}::text[], {rows}::text[]) AS u(own, row_id) ON u.row_id = o.target_id",
            orphans=ORPHANS,
            owns=sql.Literal([own for own, _ in left]),
            rows=sql.Literal([row_id for _, row_id in left]),
        )
        for table in self._subject.schema.tables.values():
            for column in table.columns:
                if column.reference is not None and not column.reference.routed:
                    known.do(
                        "DELETE FROM {orphans} o WHERE table_name = {table} AND column_name = {column} AND {there}",
                        orphans=ORPHANS,
                        table=sql.Literal(table.name),
                        column=sql.Literal(column.name),
                        there=known.exists(column.reference, sql.SQL("o.target_id")),
                    )
        known.do("CREATE INDEX ON {orphans} (table_name, column_name, row_id)", orphans=ORPHANS)
        known.do("ANALYZE {orphans}", orphans=ORPHANS)
        rows = known.rows("SELECT DISTINCT table_name, column_name FROM {orphans}", orphans=ORPHANS)
        known.lost = {(str(table), str(column)) for table, column in rows}

    def enter(self) -> None:
        """Enter why, wherever a ledger says it."""
        self._known.do("ANALYZE {differing}", differing=DIFFERING)
        self._orphans()
        self._waiting()
        self._noted()
        for root in self._subject.schema.tables.values():
            if root.kind == "root" and root.name not in self._tallies.get(NOTED, {}):
                older_accounts.enter(self._known, root, self.verdicts(root))

    def _orphans(self) -> None:
        known = self._known
        account: LiteralString = (
            "UPDATE {differing} d SET why = 'orphan' FROM {orphans} o WHERE d.why IS NULL AND d.actual IS NULL"
            " AND o.table_name = d.table_name AND o.row_id = d.own AND o.row_position = d.positions"
            " AND o.action = 'null' AND o.target_id = d.raw"
        )
        known.do(account + " AND o.column_name = d.path", differing=DIFFERING, orphans=ORPHANS)
        for table in self._subject.schema.tables.values():
            for column in table.columns:
                reference = column.reference
                if reference is not None and reference.routed:
                    # Another way of the route may lead to a row; a document that names its collection means no other.
                    known.do(
                        account + " AND d.table_name = {table} AND d.path = {column} AND o.column_name = {route}"
                        " AND NOT {there}",
                        differing=DIFFERING,
                        orphans=ORPHANS,
                        table=sql.Literal(table.name),
                        column=sql.Literal(column.name),
                        route=sql.Literal("|".join(reference.routed)),
                        there=known.exists(reference, sql.SQL("o.target_id")),
                    )

    def _waiting(self) -> None:
        """References to what was not carried: NULL until it is, or a NULL in their array."""
        listed = " p.table_name = d.table_name AND p.column_name = d.path AND p.row_id = d.row_id"
        self._read_waiting()
        self._known.do(
            "UPDATE {differing} d SET why = 'waiting' FROM {waiting} p WHERE d.why IS NULL AND"
            f"{listed} AND d.actual IS NULL AND p.row_position = d.positions AND p.target_id = d.raw",
            differing=DIFFERING,
            waiting=WAITING,
        )
        arrays = [
            f"{table.name}.{column.name}"
            for table in self._subject.schema.tables.values()
            for column in table.columns
            if column.type.array and column.reference is not None
        ]
        many = (
            f"(SELECT count(*) FROM {{waiting}} p WHERE{listed}"
            " AND cardinality(p.row_position) = cardinality(d.positions) + 1"
            " AND p.row_position[:cardinality(d.positions)] = d.positions)"
        )
        self._known.do(
            "UPDATE {differing} d SET why = 'waiting' WHERE d.why IS NULL"
            " AND d.table_name || '.' || d.path = ANY({arrays})"
            f" AND {many} > 0 AND CASE WHEN d.given IS NOT NULL AND d.actual IS NOT NULL THEN"
            " array_remove(d.given::text[], NULL) = array_remove(d.actual::text[], NULL)"
            f" AND cardinality(array_positions(d.actual::text[], NULL)) <= {many}"
            " + cardinality(array_positions(d.given::text[], NULL)) END",
            differing=DIFFERING,
            waiting=WAITING,
            arrays=sql.Literal(arrays),
        )

    def _read_waiting(self) -> None:
        """Take over the references that wait; one that leads to something does not, unless the table refused it."""
        known = self._known
        known.do(
            "CREATE TEMPORARY TABLE {waiting} AS SELECT table_name, column_name, row_id, row_position, target_id"
            " FROM isthmus.pending_reference WHERE table_schema = {schema} AND own_column IS NULL",
            waiting=WAITING,
            schema=self._schema,
        )
        for table in self._subject.schema.tables.values():
            for column in table.columns:
                reference = column.reference
                if reference is None or reference.routed:  # a route waits while it is not decided where it leads
                    continue
                if f"{table.name}.{column.name}" not in self._tallies.get("refused-waiting", {}):
                    known.do(
                        "DELETE FROM {waiting} p WHERE table_name = {table} AND column_name = {column} AND {there}",
                        waiting=WAITING,
                        table=sql.Literal(table.name),
                        column=sql.Literal(column.name),
                        there=known.exists(reference, sql.SQL("p.target_id")),
                    )
        known.do("CREATE INDEX ON {waiting} (table_name, column_name, row_id)", waiting=WAITING)
        known.do("ANALYZE {waiting}", waiting=WAITING)

    def _noted(self) -> None:
        """What copies left as it was in rows that were there before, and that is so still."""
        known = self._known
        if not self.notes:
            return
        known.do(
            "UPDATE {differing} d SET why = k.why FROM isthmus.kept_value k WHERE d.why IS NULL AND k.run_id = {run}"
            " AND k.table_name = d.table_name AND k.column_name = d.path AND k.source_row_id = d.own"
            " AND k.row_position = d.positions AND CASE WHEN d.path = {row} THEN k.digest IS NULL AND d.actual IS NULL"
            " ELSE k.digest = {digest} END",
            differing=DIFFERING,
            run=self._run,
            row=sql.Literal(ROW),
            digest=_digest_of(sql.SQL("d.actual"), "d.path", "d.positions"),
        )
        known.do(
            "UPDATE {differing} d SET why = 'deleted' FROM {differing} o WHERE d.why IS NULL AND d.actual IS NULL"
            " AND d.root = o.root AND d.own = o.own AND o.why = 'deleted' AND o.table_name = o.root AND o.path = {row}",
            differing=DIFFERING,
            row=sql.Literal(ROW),
        )
        for table in self._subject.schema.tables.values():
            if table.kind == "child" and self._known.there.columns[table.name]:
                self._noted_rows(table)

    def _noted_rows(self, table: Table) -> None:
        """Child rows that were left there though no document gives them: as they were, changed, or gone."""
        known = self._known
        there = known.there.columns[table.name]
        text = row_text(
            (column.name, of_row(column.name, "t"), there[column.name].base)
            for column in named_columns(table, there)
            if is_content(column.role)
        )
        parts = {
            "differing": DIFFERING,
            "run": self._run,
            "root": sql.Literal(known.root_of(table).name),
            "table": sql.Literal(table.name),
            "row": sql.Literal(ROW),
            "real": known.real(table.name),
            "owner": of_row(key_column(table), "t"),
            "at": known.positions(table, "t"),
        }
        known.do(
            "UPDATE {differing} d SET why = k.why FROM isthmus.kept_value k JOIN {real} t"
            " ON {owner}::text = k.row_id AND {at} = k.row_position WHERE d.why IS NULL AND k.run_id = {run}"
            " AND k.table_name = {table} AND k.column_name = {row} AND d.table_name = {table} AND d.path = {row}"
            " AND d.given IS NULL AND d.own = k.source_row_id AND d.positions = k.row_position AND k.digest = {digest}",
            digest=_digest_of(text, "d.path", "d.positions"),
            **parts,
        )
        known.do(
            "INSERT INTO {differing} SELECT {root}, {table}, {row}, k.source_row_id, k.row_id, k.row_position,"
            " {what}, NULL FROM isthmus.kept_value k WHERE k.run_id = {run} AND k.table_name = {table}"
            " AND k.column_name = {row} AND k.digest IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM {real} t WHERE {owner}::text = k.row_id AND {at} = k.row_position)",
            what=sql.Literal(KEPT_ROW),
            **parts,
        )

    def wrong_ledgers(self) -> Iterator[tuple[str, str, str, int, int]]:
        """Yield ledgers that hold another number than the run counted: table, part, what it holds, counted, held."""
        if self.notes:
            rows = self._known.rows(
                "SELECT root_table, count(*) FROM isthmus.kept_value WHERE run_id = {run} GROUP BY 1", run=self._run
            )
            yield from self._other(rows, self._tallies.get(VALUES, {}), "(kept values)", "values that were kept")
        rows = self._known.rows(
            "SELECT c.collection, count(*) FROM isthmus.conflict c WHERE run_id = {run} AND action = 'kept' GROUP BY 1",
            run=self._run,
        )
        yield from self._other(rows, self._tallies.get(f"{_MET}kept", {}), "(conflicts)", "rows that were kept")

    @staticmethod
    def _other(
        rows: Iterable[tuple[Any, ...]], counted: Mapping[str, int], part: str, what: str
    ) -> Iterator[tuple[str, str, str, int, int]]:
        held = {str(name): int(count) for name, count in rows}
        for name in sorted({*held, *counted}):
            if held.get(name, 0) != counted.get(name, 0):
                yield name, part, what, counted.get(name, 0), held.get(name, 0)


def _digest_of(text: sql.Composable, column: LiteralString, at: LiteralString) -> sql.Composed:
    return digest(text, table=sql.SQL("d.table_name"), column=sql.SQL(column), own=sql.SQL("d.own"), at=sql.SQL(at))


def accounted_of(known: Known) -> dict[tuple[str, str], Counter[str]]:
    """Return (table, path) → why → how many differ rightly."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for table, path, why, count in known.rows(
        "SELECT table_name, path, why, count(*) FROM {differing} d WHERE {why} IS NOT NULL GROUP BY 1, 2, 3",
        differing=DIFFERING,
        why=of_row("why", "d"),
    ):
        found.setdefault((str(table), str(path)), Counter())[str(why)] += int(count)
    return found


def absent_rightly(known: Known) -> Counter[str]:
    """Return table → rows that are given and rightly not there."""
    rows = known.rows(
        "SELECT table_name, count(*) FROM {differing} d WHERE {why} IS NOT NULL AND path = {row} AND actual IS NULL"
        " GROUP BY 1",
        differing=DIFFERING,
        why=of_row("why", "d"),
        row=sql.Literal(ROW),
    )
    return Counter({str(table): int(count) for table, count in rows})
