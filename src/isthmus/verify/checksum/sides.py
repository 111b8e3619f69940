"""Which tables and columns the checksum compares, and how each side spells them for the core. Pure.

The two sides of a column are the bytes that the core makes of documents, and the bytes that the server sends. A column
whose value is looked up in finish is compared by the value it was looked up with: the expected side has it as the
documents do, the target's side asks for it through the row it points at.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from isthmus.mapping.plan_tables import PlanTable, plan_tables
from isthmus.mapping.tables import Column, PendingTable, Reference, Table, TargetSchema

BUCKETS = 1024
"""Sums kept of each column: the more, the fewer rows a second look must keep."""

_Json = dict[str, Any]


@dataclass(frozen=True)
class Compared:
    """A table as both sides count it.

    Attributes:
        number: Its number for both sides.
        table: The table, as finish leaves it.
        columns: Its columns in order; their places are their numbers.
        key: What tells its rows apart: the primary key; all columns where there is none.
        owner: Column with the id of the root document; None where the table keeps no id.
        by_hand: Why it is left to the oracle, a sentence; empty where the core compares it.
    """

    number: int
    table: Table
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    owner: str | None
    by_hand: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.table.name


@dataclass
class Known:
    """What ledgers say, as the core is told it.

    Attributes:
        nulls: (table, texts of its key, column) of references that point at nothing and were set to null.
        left_out: Root table → ids of documents whose rows are left to the oracle.
        translations: Root table → (id of a joined document, id of the row it became part of).
    """

    nulls: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list[tuple[str, tuple[str, ...], str]])
    left_out: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    translations: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])


class Sides:
    """The tables of a target, and both sides of them.

    Args:
        schema: The tables.
        plans: Source collection → compiled plan, JSON.
        pending: Where values wait for finish.
        merging: Root tables whose documents may be joined.
        ids: Entry of the mapping → how its ids are made.
        without: Tables that are not compared.
    """

    def __init__(
        self,
        schema: TargetSchema,
        plans: Mapping[str, str],
        pending: Sequence[PendingTable],
        merging: Iterable[str],
        ids: Mapping[str, str],
        without: Container[str] = (),
    ) -> None:
        self._schema = schema
        self._without = without
        self._ids = ids
        self._plans = {name: json.loads(text) for name, text in plans.items()}
        self._plan_tables = {name: plan_tables(text, schema) for name, text in plans.items()}
        self._pending = {(one.table, one.column): one for one in pending if not one.pairs}
        self._merging = frozenset(merging)
        self._types = dict(self._column_types())
        self.tables: dict[str, Compared] = {}
        direct = self._direct_junctions()
        for table in schema.tables.values():
            if table.kind != "junction" or table.name in direct:
                self.tables[table.name] = self._compared(len(self.tables), table)
        self.by_hand: dict[str, str] = {}
        """Root table → why it and its child tables are left to the oracle."""
        for one in self.tables.values():
            if one.by_hand:
                self.leave_to_oracle(self.root_of(one.table), one.by_hand)

    def root_of(self, table: Table) -> str:
        """Return the root table of a table."""
        return self._schema.root_of(table).name

    def roots_of(self, collection: str) -> list[str]:
        """Return the root tables whose documents may be joined, and which a source collection's documents fill."""
        return [
            table.name
            for table in self._schema.tables.values()
            if table.kind == "root" and collection in table.collections and table.name in self._merging
        ]

    def leave_to_oracle(self, root: str, why: str) -> None:
        """Leave a root table and its child tables to the oracle."""
        self.by_hand.setdefault(root, why)

    def compared(self) -> Iterator[Compared]:
        """Yield the tables that the core compares."""
        for one in self.tables.values():
            if self.root_of(one.table) not in self.by_hand and one.name not in self._without:
                yield one

    def expected(self, collection: str, known: Known) -> str:
        """Return the side of the rows that the core makes of a collection's documents, JSON."""
        shapes: list[_Json] = [table for shape in self._plans[collection]["shapes"] for table in shape["tables"]]
        tables = [
            self._expected_table(written, plan_table)
            for written, plan_table in zip(shapes, self._plan_tables[collection], strict=True)
        ]
        return self._side(tables, known, nulls=True)

    def actual(self, known: Known) -> str:
        """Return the side of what the server sends, JSON; its tables are those of `compared`, in order."""
        tables = [
            {
                "table": one.number,
                "row": True,
                "key": [self._place(one, name) for name in one.key],
                "owner": None if one.owner is None else self._place(one, one.owner),
                "columns": [self._actual_column(one, number) for number in range(len(one.columns))],
            }
            for one in self.compared()
        ]
        return self._side(tables, known, nulls=False)

    def select(self, compared: Compared, run: int) -> sql.Composed:
        """Return the COPY statement that sends a table's rows, its columns in order.

        Of a junction also the pairs that the run's ledger says were left out, and which do have an end that is not
        there: documents name these too.
        """
        joins: list[sql.Composable] = []
        if compared.table.kind == "junction":
            return self._select_pairs(compared, run)
        columns: list[sql.Composable] = []
        for number, column in enumerate(compared.columns):
            here = sql.SQL("r.{}").format(sql.Identifier(column.name))
            reference = column.reference
            if reference is not None and reference.routed and reference.routed[0] == column.name:
                columns.append(self._route(compared, reference.routed))
                continue
            if reference is None or not column.waits:
                columns.append(here)
                continue
            there = sql.Identifier(self._schema.schema, reference.table)
            by, held = sql.Identifier(str(reference.by)), sql.Identifier(reference.column)
            if column.type.array:
                columns.append(
                    sql.SQL(
                        "CASE WHEN {here} IS NOT NULL THEN ARRAY(SELECT t.{by} FROM unnest({here}) WITH ORDINALITY"
                        " AS u(v, n) LEFT JOIN {there} t ON t.{held} = u.v ORDER BY u.n) END"
                    ).format(here=here, there=there, by=by, held=held)
                )
                continue
            alias = sql.Identifier(f"t{number}")
            joins.append(sql.SQL(" LEFT JOIN {} {a} ON {a}.{} = {}").format(there, held, here, a=alias))
            columns.append(sql.SQL("{}.{}").format(alias, by))
        table = sql.Identifier(self._schema.schema, compared.name)
        return sql.SQL("COPY (SELECT {} FROM {} r{}) TO STDOUT (FORMAT binary)").format(
            sql.SQL(", ").join(columns), table, sql.SQL("").join(joins)
        )

    def _select_pairs(self, compared: Compared, run: int) -> sql.Composed:
        place = sql.Identifier(self._schema.schema, compared.name)
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in compared.columns)
        parts = [sql.SQL("SELECT {} FROM {}").format(names, place)]
        for column in compared.columns:
            if column.reference is None:
                continue
            kind = sql.SQL(column.type.sql(self._schema.schema))  # pyright: ignore[reportArgumentType]  of the mapping
            values = [
                sql.SQL("o.{}::{}").format(
                    sql.Identifier("target_id" if one is column else "row_id"),
                    sql.SQL(one.type.sql(self._schema.schema)),  # pyright: ignore[reportArgumentType]
                )
                for one in compared.columns
            ]
            parts.append(
                sql.SQL(
                    "SELECT {} FROM isthmus.orphan o WHERE o.run_id = {} AND o.table_name = {} AND o.column_name = {}"
                    " AND o.action = 'drop' AND NOT EXISTS (SELECT FROM {} t WHERE t.{} = o.target_id::{})"
                ).format(
                    sql.SQL(", ").join(values),
                    sql.Literal(run),
                    sql.Literal(compared.name),
                    sql.Literal(column.name),
                    sql.Identifier(self._schema.schema, column.reference.table),
                    sql.Identifier(column.reference.column),
                    kind,
                )
            )
        return sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(sql.SQL(" UNION ALL ").join(parts))

    def _route(self, compared: Compared, routed: tuple[str, ...]) -> sql.Composed:
        """Return the id of a route as its first column would hold it, whichever column does.

        Ids that are derived from an ObjectId are the same wherever it leads; of others the id map knows both.
        """
        first, *others = (compared.table.column(name) for name in routed)
        choices: list[sql.Composable] = [sql.SQL("r.{}").format(sql.Identifier(first.name))]
        for other in others:
            if first.reference is None or other.reference is None:
                continue
            kind = sql.SQL(first.type.sql(self._schema.schema))  # pyright: ignore[reportArgumentType]  of the mapping
            choices.append(
                sql.SQL(
                    "(SELECT a.id::{kind} FROM isthmus.id_map b JOIN isthmus.id_map a ON a.key_digest = b.key_digest"
                    " AND a.source_id = b.source_id WHERE b.id = r.{other}::text AND b.collection = {theirs}"
                    " AND a.collection = {mine} LIMIT 1)"
                ).format(
                    kind=kind,
                    other=sql.Identifier(other.name),
                    theirs=sql.Literal(other.reference.collection),
                    mine=sql.Literal(first.reference.collection),
                )
            )
            choices.append(sql.SQL("r.{}").format(sql.Identifier(other.name)))
        return sql.SQL("coalesce({})").format(sql.SQL(", ").join(choices))

    def _side(self, tables: list[_Json], known: Known, *, nulls: bool) -> str:
        groups = {root: number for number, root in enumerate(sorted(self._merging))}
        left_out = [
            [one.number, sorted(known.left_out[root])]
            for one in self.compared()
            if (root := self.root_of(one.table)) in known.left_out
        ]
        return json.dumps(
            {
                "buckets": BUCKETS,
                "columns": [len(one.columns) for one in self.tables.values()],
                "tables": tables,
                "translations": [[list(pair) for pair in known.translations.get(root, ())] for root in groups],
                "exceptions": [
                    [self.tables[table].number, list(key), self._place(self.tables[table], column), "null"]
                    for table, key, column in known.nulls
                    if nulls and self.root_of(self.tables[table].table) not in self.by_hand
                ],
                "leave_out": left_out,
            }
        )

    def _expected_table(self, written: _Json, plan_table: PlanTable) -> _Json:
        names = [column["name"] for column in written["columns"]]
        ignored: _Json = {"table": None, "row": False, "key": [], "owner": None}
        plain = [{"column": None, "type": column["type"]} for column in written["columns"]]
        if plan_table.kind == "junction" and plan_table.name not in self.tables:
            return {**ignored, "columns": plain}
        pending = self._pending_of(plan_table) if plan_table.kind == "pending" else None
        compared = self.tables[plan_table.name if pending is None else pending.table]
        if self.root_of(compared.table) in self.by_hand or compared.name in self._without:
            return {**ignored, "columns": plain}
        if pending is not None:
            keys = [key for key, _ in pending.keys]
            value = names.index(pending.value)
            plain[value]["column"] = self._place(compared, pending.column)
            if pending.array:
                plain[value]["element"] = names.index("element")
            return {
                "table": compared.number,
                "row": False,
                "key": [names.index(key) for key in keys],
                "owner": names.index(keys[0]),
                "columns": plain,
            }
        for number, name in enumerate(names):
            column = next((one for one in compared.columns if one.name == name), None)
            if column is not None:
                plain[number] = self._cell(compared, column, written["columns"][number]["type"])
                routed = column.reference.routed if column.reference is not None else ()
                if routed:  # all of a route are compared as its first column
                    plain[number]["column"] = self._place(compared, routed[0])
                    plain[number]["unless"] = [names.index(one) for one in routed[: routed.index(name)]]
        return {
            "table": compared.number,
            "row": True,
            "key": [names.index(name) for name in compared.key],
            "owner": None if compared.owner is None else names.index(compared.owner),
            "columns": plain,
        }

    def _actual_column(self, compared: Compared, number: int) -> _Json:
        column = compared.columns[number]
        written = self._cell(compared, column, self._types[compared.name, column.name])
        if column.waits and column.type.array:
            written["elements"] = True
        return written

    def _cell(self, compared: Compared, column: Column, kind: _Json) -> _Json:
        written: _Json = {"column": self._place(compared, column.name), "type": kind, "sensitive": column.sensitive}
        if column.reference is not None and column.reference.routed and column.reference.routed[0] != column.name:
            written["column"] = None  # all of a route are compared as its first column
        groups = {table: number for number, table in enumerate(sorted(self._merging))}
        if column.reference is not None and not column.waits and column.reference.table in groups:
            written["ids"] = groups[column.reference.table]
        return written

    def _table_of(self, entry: str) -> str:
        return next((t.name for t in self._schema.tables.values() if t.kind == "root" and entry in t.entries), "")

    def _place(self, compared: Compared, name: str) -> int:
        return next(number for number, column in enumerate(compared.columns) if column.name == name)

    def _column_types(self) -> Iterator[tuple[tuple[str, str], _Json]]:
        for collection, plan in self._plans.items():
            written = [table for shape in plan["shapes"] for table in shape["tables"]]
            for table, plan_table in zip(written, self._plan_tables[collection], strict=True):
                if plan_table.kind != "pending" and plan_table.waiting is None:
                    for column in table["columns"]:
                        yield (plan_table.name, column["name"]), column["type"]
                elif plan_table.kind == "pending":
                    pending = self._pending_of(plan_table)
                    yield (pending.table, pending.column), {**table["columns"][-1]["type"], "array": pending.array}

    def _direct_junctions(self) -> set[str]:
        """Return the junctions that one array fills, so that no pair is named twice, and with ids that stay."""
        feeders = [one for tables in self._plan_tables.values() for one in tables if one.kind == "junction"]
        count = Counter(one.name for one in feeders)
        direct = {one.name for one in feeders if one.lone and one.waiting is None and count[one.name] == 1}
        for table in self._schema.tables.values():
            ends = {column.reference.table for column in table.columns if column.reference is not None}
            if ends & self._merging:
                direct.discard(table.name)
        return direct

    def _pending_of(self, plan_table: PlanTable) -> PendingTable:
        return next(one for one in self._pending.values() if f"{one.table}.{one.column}" == plan_table.name)

    def _compared(self, number: int, table: Table) -> Compared:
        columns = table.final.columns
        waiting = {column.name for column in columns if column.waits}
        key = table.primary_key or tuple(column.name for column in columns if column.name not in waiting)
        owner = next((column.name for column in columns if column.role in {"id", "root_id"}), None)
        return Compared(number, table, columns, key, owner, self._why_by_hand(table, key, owner))

    def _why_by_hand(self, table: Table, key: tuple[str, ...], owner: str | None) -> str:
        if self.root_of(table) in self._merging:
            return "its documents may be joined into one row"
        waiting = [column for column in table.columns if column.waits]
        if waiting and (owner is None or owner not in key):
            return "it keeps no id, and references in it are looked up"
        if {column.name for column in waiting} & set(key):
            return "its key is a reference that is looked up"
        for column in table.columns:
            if any(self._table_of(entry) in self._merging for _, entry in column.rewrites):
                return f"ids inside {column.name} may be those of joined documents"
            reference = column.reference
            if reference is not None and reference.routed and not self._is_alike(table, reference.routed):
                return "references in it may lead to one of several tables, with ids of several kinds"
            if reference is not None and column.waits and self._is_indirect(reference):
                return f"{column.name} is looked up by what the target does not keep"
        return ""

    def _is_alike(self, table: Table, routed: tuple[str, ...]) -> bool:
        """Whether the ids of a route are made the same way wherever it leads."""
        columns = [table.column(name) for name in routed]
        references = [column.reference for column in columns if column.reference is not None]
        return (
            len({column.type for column in columns}) == 1
            and len({self._ids[one.entry] for one in references}) == 1
            and not any(one.lookup or one.by is not None for one in references)
        )

    def _is_indirect(self, reference: Reference) -> bool:
        """Whether a looked-up value cannot be read back through the row it points at."""
        target = self._schema.tables[reference.table]
        names = {column.name: column for column in target.final.columns}
        by = names.get(reference.by) if reference.by is not None else None
        return by is None or by.waits or reference.table in self._merging
