"""What differs rightly, because the ledgers of the copy say so: entered as `why` in the table of what differs.

The ledgers are believed as far as what they say could have happened: an orphan that points at a row is none, a kept row
must hold what it held when it was kept, and of rows that somebody edited or deleted between two copies there are no
more than the last one met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from psycopg import sql

from isthmus.mapping.placing import place_tables
from isthmus.mapping.tables import Table
from isthmus.verify.existing.compare import DIFFERING, EXTRAS, ROW
from isthmus.verify.existing.known import Known, ident, of

ORPHANS = ident("pg_temp", "isthmus_orphans")
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
        for table in self._subject.schema.tables.values():
            for column in table.columns:
                if column.reference is not None:
                    known.do(
                        "DELETE FROM {orphans} o WHERE table_name = {table}"
                        " AND {column} = ANY(string_to_array(column_name, '|')) AND {there}",
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
        self._kept()
        for root in self._subject.schema.tables.values():
            if root.kind == "root":
                self._known_before(root)

    def _orphans(self) -> None:
        self._known.do(
            "UPDATE {differing} d SET why = 'orphan' FROM {orphans} o WHERE d.why IS NULL AND d.actual IS NULL"
            " AND o.table_name = d.table_name AND d.path = ANY(string_to_array(o.column_name, '|'))"
            " AND o.row_id = d.own AND o.row_position = d.positions AND o.action = 'null'",
            differing=DIFFERING,
            orphans=ORPHANS,
        )

    def _waiting(self) -> None:
        """References to what was not carried: NULL until it is, or a place in their array."""
        self._known.do(
            "UPDATE {differing} d SET why = 'waiting' FROM isthmus.pending_reference p WHERE d.why IS NULL"
            " AND p.table_schema = {schema} AND p.table_name = d.table_name AND p.own_column IS NULL"
            " AND split_part(p.column_name, '.', 1) IN (d.path, p.column_name) AND p.column_name = d.path"
            " AND p.row_id = d.row_id AND (d.actual IS NULL AND p.row_position = d.positions"
            " OR cardinality(p.row_position) > cardinality(d.positions)"
            " AND p.row_position[:cardinality(d.positions)] = d.positions)",
            differing=DIFFERING,
            schema=self._schema,
        )

    def _kept(self) -> None:
        """Rows that were there before and that the policy kept, and those that were deleted since they were carried."""
        known = self._known
        known.do(
            "UPDATE {differing} d SET why = 'kept' FROM isthmus.conflict c WHERE d.why IS NULL AND c.run_id = {run}"
            " AND c.table_name = d.root AND c.source_row_id = d.own AND c.row_id = d.row_id AND c.action = 'kept'"
            " AND (d.path = {extras} OR d.table_name <> d.root AND c.differing ? d.table_name"
            " OR d.table_name = d.root AND c.differing ? d.path AND ((c.differing -> d.path ->> 'target')"
            " IN ('(hidden)', left(d.actual, 80)) OR (c.differing -> d.path ->> 'target') IS NULL AND d.actual IS NULL"
            " OR {loose}))",
            differing=DIFFERING,
            run=self._run,
            extras=sql.Literal(EXTRAS),
            loose=self._loosely(),
        )
        known.do(
            "UPDATE {differing} d SET why = 'deleted' FROM isthmus.conflict c WHERE d.why IS NULL AND c.run_id = {run}"
            " AND c.table_name = d.root AND c.source_row_id = d.own AND c.action = 'deleted-in-target'"
            " AND d.actual IS NULL",
            differing=DIFFERING,
            run=self._run,
        )

    def _loosely(self) -> sql.Composed:
        """Return SQL that is true of columns whose kept value is not written in the ledger as it stands there."""
        found = [
            sql.SQL("(d.table_name = {} AND d.path = {})").format(sql.Literal(table.name), sql.Literal(column.name))
            for table in self._subject.schema.tables.values()
            for column in table.columns
            if column.type.kind in {"numeric", "smallint", "integer", "bigint"} or column.reference or column.rewrites
        ]
        return sql.SQL("({})").format(sql.SQL(" OR ").join([*found, sql.SQL("false")]))

    def _known_before(self, root: Table) -> None:
        """What is told by verdicts alone: rows that were there before this copy."""
        verdicts = self.verdicts(root)
        if not verdicts.total():
            return
        self._same_number(root)
        self._filled_in(root)
        if self._subject.mapping.collections[root.entries[0]].rerun == "tracked":
            self._tracked(root, verdicts)

    def _same_number(self, root: Table) -> None:
        """A number that was there before is the same whatever zeros it is written with."""
        for table in self._subject.schema.tables.values():
            if table.kind == "junction" or self._known.root_of(table) is not root:
                continue
            numeric = [name for name, there in self._known.there.columns[table.name].items() if there.base == "numeric"]
            self._known.do(
                "DELETE FROM {differing} d WHERE d.table_name = {table} AND d.path = ANY({names})"
                " AND CASE WHEN d.given IS NOT NULL AND d.actual IS NOT NULL THEN d.given::numeric = d.actual::numeric"
                " END",
                differing=DIFFERING,
                table=sql.Literal(table.name),
                names=sql.Literal(numeric),
            )

    def _filled_in(self, root: Table) -> None:
        """A time that was filled in for want of one says nothing of rows that were there before."""
        known, mapping = self._known, self._subject.mapping
        places = {
            (table.name, placed.column.name, placed.column.type.sql("pg_catalog"))
            for flow in mapping.flows
            for table in place_tables(mapping, flow)
            for placed in table.columns
            if placed.rule is not None and placed.rule.default is not None and placed.rule.default.kind == "now"
        }
        for name, column, kind in sorted(places):
            table = self._subject.schema.tables[name]
            there = known.column(table, column)
            if known.root_of(table) is root and there is not None:
                now = sql.SQL("{}::timestamptz::{}").format(
                    sql.Literal(self._subject.run.started_at),
                    sql.SQL(kind),  # pyright: ignore[reportArgumentType]  made by the mapping
                )
                known.do(
                    "UPDATE {differing} d SET why = 'filled in' WHERE d.why IS NULL AND d.table_name = {table}"
                    " AND d.path = {column} AND d.given = {now} AND d.actual IS NOT NULL",
                    differing=DIFFERING,
                    table=sql.Literal(name),
                    column=sql.Literal(column),
                    now=there.text(now),
                )

    def _tracked(self, root: Table, verdicts: Counter[str]) -> None:
        """Rows that an earlier copy carried: edited or deleted since then, or kept then."""
        parts = {
            "differing": DIFFERING,
            "schema": self._schema,
            "root": sql.Literal(root.name),
            "row": sql.Literal(ROW),
        }
        state = (
            "SELECT DISTINCT d.own FROM {differing} d JOIN isthmus.row_state s ON s.table_schema = {schema}"
            " AND s.table_name = {root} AND s.id = d.row_id WHERE d.root = {root} AND d.why IS NULL"
        )
        gone = " AND EXISTS (SELECT FROM {differing} o WHERE o.root = {root} AND o.table_name = {root}"
        gone += " AND o.path = {row} AND o.actual IS NULL AND o.own = d.own)"
        cases = (
            ("deleted", state + gone, verdicts["deleted"]),
            ("kept", state + " AND s.loaded_digest IS NULL", verdicts["kept"] + verdicts["kept-before"]),
            ("edited", state + " AND s.loaded_digest IS NOT NULL", verdicts["edited"]),
        )
        for why, query, most in cases:
            concerned = sql.SQL(query).format(**parts)  # pyright: ignore[reportArgumentType]  literals of this module
            found = self._known.number("SELECT count(*) FROM ({concerned}) x", concerned=concerned)
            if 0 < found <= most:
                self._known.do(
                    "UPDATE {differing} d SET why = {why} WHERE d.root = {root} AND d.why IS NULL"
                    " AND d.own IN ({concerned})",
                    why=sql.Literal(why),
                    concerned=concerned,
                    **parts,
                )


def accounted_of(known: Known) -> dict[tuple[str, str], Counter[str]]:
    """Return (table, path) → why → how many differ rightly."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for table, path, why, count in known.rows(
        "SELECT table_name, path, why, count(*) FROM {differing} d WHERE {why} IS NOT NULL GROUP BY 1, 2, 3",
        differing=DIFFERING,
        why=of("d", "why"),
    ):
        found.setdefault((str(table), str(path)), Counter())[str(why)] += int(count)
    return found


def absent_rightly(known: Known) -> Counter[str]:
    """Return table → rows that are given and rightly not there."""
    rows = known.rows(
        "SELECT table_name, count(*) FROM {differing} d WHERE {why} IS NOT NULL AND path = {row} AND actual IS NULL"
        " GROUP BY 1",
        differing=DIFFERING,
        why=of("d", "why"),
        row=sql.Literal(ROW),
    )
    return Counter({str(table): int(count) for table, count in rows})
