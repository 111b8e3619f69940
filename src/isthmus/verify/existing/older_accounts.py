"""What differs rightly where a version delivered that noted nothing of what it left: as far as it can still be told.

What the ledger of conflicts shows whole is held against it; the rest of such rows is `UNJUDGED`.
"""

from __future__ import annotations

from collections import Counter

from psycopg import sql

from isthmus.mapping.placing import place_tables
from isthmus.mapping.tables import Table
from isthmus.state.kept_values import EXTRAS, ROW
from isthmus.verify.existing.compare import DIFFERING
from isthmus.verify.existing.known import Known
from isthmus.work.hidden import HIDDEN

UNJUDGED = "unjudged"
"""Why something differs of which nobody noted what it was."""
_SHOWN = 80
"""Characters of a value that the ledger of conflicts shows."""


def enter(known: Known, root: Table, verdicts: Counter[str]) -> None:
    """Enter why, of a root table and its child tables; `verdicts` is what the delivery decided about their rows."""
    if verdicts.total():
        _Older(known, root).enter(verdicts)


class _Older:
    def __init__(self, known: Known, root: Table) -> None:
        self._known = known
        self._root = root
        self._subject = known.subject
        self._schema = sql.Literal(known.subject.schema.schema)
        self._run = sql.Literal(known.subject.run.id)
        self._tables = [
            table
            for table in known.subject.schema.tables.values()
            if table.kind != "junction" and known.root_of(table) is root
        ]

    def enter(self, verdicts: Counter[str]) -> None:
        self._kept()
        self._same_number()
        self._filled_in()
        if self._subject.mapping.collections[self._root.entries[0]].rerun == "tracked":
            self._tracked(verdicts)

    def _kept(self) -> None:
        """Rows that were there before and that the policy kept, and those that were deleted since they were carried."""
        of_row = (
            " FROM isthmus.conflict c WHERE d.why IS NULL AND c.run_id = {run} AND c.table_name = d.root"
            " AND d.root = {root} AND c.source_row_id = d.own"
        )
        self._known.do(
            "UPDATE {differing} d SET why = CASE WHEN d.table_name <> d.root OR d.path = {extras} THEN {unjudged}"
            " WHEN c.differing -> d.path ->> 'target' IS NULL THEN CASE WHEN d.actual IS NULL THEN 'kept' END"
            " WHEN char_length(c.differing -> d.path ->> 'target') >= {shown}"
            " OR c.differing -> d.path ->> 'target' = {hidden} THEN {unjudged}"
            " WHEN c.differing -> d.path ->> 'target' = d.actual THEN 'kept'"
            " WHEN d.path = ANY({numeric}) THEN CASE WHEN (c.differing -> d.path ->> 'target')::numeric"
            " = d.actual::numeric THEN 'kept' END"
            " WHEN d.path = ANY({followed}) THEN {unjudged} END"
            f"{of_row} AND c.row_id = d.row_id AND c.action = 'kept' AND (d.path = {{extras}}"
            " OR c.differing ? CASE WHEN d.table_name = d.root THEN d.path ELSE d.table_name END)",
            differing=DIFFERING,
            run=self._run,
            root=sql.Literal(self._root.name),
            extras=sql.Literal(EXTRAS),
            unjudged=sql.Literal(UNJUDGED),
            shown=sql.Literal(_SHOWN),
            hidden=sql.Literal(HIDDEN),
            numeric=sql.Literal(self._numeric(self._root)),
            followed=sql.Literal(  # shown as what they meant while they waited
                [column.name for column in self._root.columns if column.reference is not None or column.rewrites]
            ),
        )
        self._known.do(
            f"UPDATE {{differing}} d SET why = 'deleted'{of_row} AND c.action = 'deleted-in-target'"
            " AND d.actual IS NULL",
            differing=DIFFERING,
            run=self._run,
            root=sql.Literal(self._root.name),
        )

    def _numeric(self, table: Table) -> list[str]:
        return [name for name, there in self._known.there.columns[table.name].items() if there.base == "numeric"]

    def _before(self) -> sql.Composed:
        """Return SQL that is true of documents (`d`) whose row may have been there before this copy."""
        entries = [self._subject.mapping.collections[entry] for entry in self._root.entries]
        if self._subject.run.id > 1 or any(entry.ids == "keep" for entry in entries):
            return sql.SQL("true").format()
        return sql.SQL("EXISTS (SELECT FROM {} m WHERE m.given_id = d.own)").format(
            self._known.given.place(self._root.name, "moved")
        )

    def _same_number(self) -> None:
        """A number that was there before is the same whatever zeros it is written with."""
        for table in self._tables:
            self._known.do(
                "UPDATE {differing} d SET why = 'number' WHERE d.why IS NULL AND d.table_name = {table}"
                " AND d.path = ANY({names}) AND {before}"
                " AND CASE WHEN d.given IS NOT NULL AND d.actual IS NOT NULL THEN d.given::numeric = d.actual::numeric"
                " END",
                differing=DIFFERING,
                table=sql.Literal(table.name),
                names=sql.Literal(self._numeric(table)),
                before=self._before(),
            )

    def _filled_in(self) -> None:
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
            if known.root_of(table) is self._root and there is not None:
                now = sql.SQL("{}::timestamptz::{}").format(
                    sql.Literal(self._subject.run.started_at),
                    sql.SQL(kind),  # pyright: ignore[reportArgumentType]  made by the mapping
                )
                known.do(
                    "UPDATE {differing} d SET why = {unjudged} WHERE d.why IS NULL AND d.table_name = {table}"
                    " AND d.path = {column} AND d.given = {now} AND d.actual IS NOT NULL AND {before}",
                    differing=DIFFERING,
                    unjudged=sql.Literal(UNJUDGED),
                    before=self._before(),
                    table=sql.Literal(name),
                    column=sql.Literal(column),
                    now=there.text(now),
                )

    def _tracked(self, verdicts: Counter[str]) -> None:
        """Rows that an earlier copy carried: edited or deleted since then, or kept then."""
        parts = {
            "differing": DIFFERING,
            "schema": self._schema,
            "root": sql.Literal(self._root.name),
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
            (UNJUDGED, state + " AND s.loaded_digest IS NULL", verdicts["kept"] + verdicts["kept-before"]),
            (UNJUDGED, state + " AND s.loaded_digest IS NOT NULL", verdicts["edited"]),
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
