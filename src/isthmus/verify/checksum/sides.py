"""Which tables and columns the checksum compares, and how each side spells them for the core. Pure.

The two sides of a column are the bytes that the core makes of documents, and the bytes that the server sends. A column
whose value is looked up in finish is compared by the value it was looked up with: the expected side has it as the
documents do, the target's side asks for it through the row it points at.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from psycopg import sql

from isthmus.mapping.plan_tables import PlanTable, plan_tables
from isthmus.mapping.tables import Column, PendingTable, Reference, Table, TargetSchema
from isthmus.mapping.types import UUID_TEXT, ColumnType
from isthmus.verify.orphans import orphans_of

BUCKETS = 1024
"""Sums kept of each column: the more, the fewer rows a second look must keep."""

_Json = dict[str, Any]
_UUID = f"^{UUID_TEXT}$"
Route = tuple[str, str]
"""Table, and first column of a route."""
# Elements that were left out stand in their places again, and those that were set to null hold what they held. Where
# that cannot be, for the array is not what the ledger says, an array comes of it that no document makes.
_WITH_LOST = (
    "CASE WHEN {lost}.ids IS NULL THEN {value} ELSE (SELECT (SELECT CASE WHEN {lost}.apart AND bool_and(z.fine)"
    " AND count(z.id) = cardinality({lost}.ids) AND coalesce(array_lower(q.a, 1), 1) = 1"
    " AND coalesce(array_ndims(q.a), 1) = 1 THEN array_agg(z.v ORDER BY z.n) ELSE {none} END FROM (SELECT x.n, x.held"
    " AS id, CASE WHEN x.held IS NULL THEN q.a[x.own] ELSE {held} END AS v, x.held IS NULL OR ({held} IS NOT NULL AND"
    " (x.action = 'drop' OR q.a[x.own] IS NULL)) AS fine FROM (SELECT g.n, e.held, e.action, count(*) FILTER (WHERE"
    " e.action IS DISTINCT FROM 'drop') OVER (ORDER BY g.n) AS own FROM generate_series(0, cardinality(q.a)"
    " + {lost}.dropped - 1) AS g(n) LEFT JOIN unnest({lost}.places, {lost}.ids, {lost}.actions) AS e(place, held,"
    " action) ON e.place = g.n) x) z) FROM (SELECT {value} AS a OFFSET 0) q) END"
)


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
        nulls: (table, column) → references that point at nothing and were set to null.
        elements: The same of elements of arrays, which were set to null or left out.
        left_out: Root table → ids of documents whose rows are left to the oracle.
        translations: Root table → (id of a joined document, id of the row it became part of).
        routes: Route → (id of the first entry that no row has, id of the entry that finish kept instead).
    """

    nulls: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    elements: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    left_out: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    translations: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    routes: dict[Route, list[tuple[str, str]]] = field(default_factory=dict[Route, list[tuple[str, str]]])


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
        self._seed = secrets.randbits(64)  # nobody can know beforehand which values have the same sum
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
        self.routes: list[Route] = [
            (one.name, column.name)
            for one in self.compared()
            for column in one.columns
            if column.reference is not None and column.reference.routed[:1] == (column.name,)
        ]
        """The routes of the tables that the core compares."""

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
        return self._side(tables, known)

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
        return self._side(tables, known)

    def select(self, compared: Compared, run: int, known: Known) -> sql.Composed:
        """Return the COPY statement that sends a table's rows, its columns in order.

        Where the run's ledger says that a reference was set to null, and what it held points at nothing, that stands in
        the place of the NULL: the document must hold the same. Of a junction also the pairs that the ledger says were
        left out, and which do have an end that is not there: documents name these too.
        """
        joins: list[sql.Composable] = []
        if compared.table.kind == "junction":
            return self._select_pairs(compared, run)

        def put_back(value: sql.Composable, column: Column, kind: ColumnType) -> sql.Composable:
            if not known.nulls[compared.name, column.name]:
                return value
            alias = sql.Identifier(f"o{len(joins)}")
            joins.append(self._join_orphans(compared, column, run, alias))
            return sql.SQL("coalesce({}, {})").format(value, self._held(kind, alias))

        def with_lost(value: sql.Composable, column: Column, kind: ColumnType) -> sql.Composable:
            if not known.elements[compared.name, column.name]:
                return value
            alias = sql.Identifier(f"o{len(joins)}")
            joins.append(self._join_elements(compared, column, run, alias))
            return sql.SQL(_WITH_LOST).format(
                value=value,
                lost=alias,
                held=self._held(kind, sql.Identifier("x")),
                none=sql.SQL("'[7:7]={{NULL}}'::{}[]").format(
                    sql.SQL(kind.sql(self._schema.schema))  # pyright: ignore[reportArgumentType]  of the mapping
                ),
            )

        columns: list[sql.Composable] = []
        for number, column in enumerate(compared.columns):
            here = sql.SQL("r.{}").format(sql.Identifier(column.name))
            reference = column.reference
            if reference is not None and reference.routed and reference.routed[0] == column.name:
                kept = (self._leading(compared.table, reference.routed, name) for name in reference.routed)
                first = sql.SQL("coalesce({})").format(sql.SQL(", ").join(kept))
                columns.append(put_back(first, column, column.type))
                continue
            if reference is not None and reference.routed:  # its value stands in the first one, unless that has its own
                before = reference.routed[: reference.routed.index(column.name)]
                names = sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(name)) for name in before)
                columns.append(sql.SQL("CASE WHEN num_nonnulls({}) > 0 THEN {} END").format(names, here))
                continue
            if reference is None or not column.waits:
                if column.type.array:
                    columns.append(with_lost(here, column, replace(column.type, array=False)))
                else:
                    columns.append(put_back(here, column, column.type))
                continue
            kind = self._schema.tables[reference.table].column(str(reference.by)).type
            there = sql.Identifier(self._schema.schema, reference.table)
            by, held = sql.Identifier(str(reference.by)), sql.Identifier(reference.column)
            if column.type.array:
                elements = sql.SQL(
                    "CASE WHEN {here} IS NOT NULL THEN ARRAY(SELECT t.{by} FROM unnest({here}) WITH ORDINALITY"
                    " AS u(v, n) LEFT JOIN {there} t ON t.{held} = u.v ORDER BY u.n) END"
                ).format(here=here, there=there, by=by, held=held)
                columns.append(with_lost(elements, column, kind))
                continue
            alias = sql.Identifier(f"t{number}")
            joins.append(sql.SQL(" LEFT JOIN {} {a} ON {a}.{} = {}").format(there, held, here, a=alias))
            columns.append(put_back(sql.SQL("{}.{}").format(alias, by), column, kind))
        table = sql.Identifier(self._schema.schema, compared.name)
        return sql.SQL("COPY (SELECT {} FROM {} r{}) TO STDOUT (FORMAT binary)").format(
            sql.SQL(", ").join(columns), table, sql.SQL("").join(joins)
        )

    def _join_orphans(self, compared: Compared, column: Column, run: int, alias: sql.Identifier) -> sql.Composed:
        """Return a join that gives each row what the ledger says that a column held before it was set to null."""
        reference = column.reference
        name = "|".join(reference.routed) if reference is not None and reference.routed else column.name
        positions = [one.name for one in compared.columns if one.role in {"ancestor_position", "position"}]
        place: sql.Composable = sql.SQL("{}.row_position IS NULL").format(alias)
        if positions:
            own = sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(one)) for one in positions)
            place = sql.SQL("{}.row_position = ARRAY[{}]::integer[]").format(alias, own)
        return sql.SQL(
            " LEFT JOIN (SELECT row_id, row_position, min(target_id) AS held FROM ({orphans}) x WHERE action = 'null'"
            " GROUP BY 1, 2) {alias} ON {alias}.row_id = r.{owner}::text AND {place}"
        ).format(
            orphans=orphans_of(run, self._schema, compared.table, name),
            alias=alias,
            owner=sql.Identifier(str(compared.owner)),
            place=place,
        )

    def _join_elements(self, compared: Compared, column: Column, run: int, alias: sql.Identifier) -> sql.Composed:
        """Return a join that gives each row what the ledger says of elements of an array: places, ids, actions."""
        positions = [one.name for one in compared.columns if one.role in {"ancestor_position", "position"}]
        own = sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(one)) for one in positions)
        return sql.SQL(
            " LEFT JOIN (SELECT row_id, row_position[:cardinality(row_position) - 1] AS above, array_agg(place) AS"
            " places, array_agg(target_id) AS ids, array_agg(action) AS actions, count(DISTINCT place) = count(*) AS"
            " apart, count(*) FILTER (WHERE action = 'drop') AS dropped FROM (SELECT *, row_position[cardinality("
            "row_position)] AS place FROM ({orphans}) y) x GROUP BY 1, 2) {alias} ON {alias}.row_id = r.{owner}::text"
            " AND {alias}.above = ARRAY[{own}]::integer[]"
        ).format(
            orphans=orphans_of(run, self._schema, compared.table, column.name),
            alias=alias,
            owner=sql.Identifier(str(compared.owner)),
            own=own,
        )

    def _held(self, kind: ColumnType, alias: sql.Identifier) -> sql.Composed:
        """Return what a joined row of the ledger says that a column held, as a value of a type."""
        held = sql.SQL("{}.held").format(alias)
        if kind.kind in {"text", "varchar"}:
            return held  # a cast would cut what is too long
        if kind.kind == "uuid":  # a ledger that was forged may hold any text
            held = sql.SQL("CASE WHEN {held} ~ {form} THEN {held} END").format(held=held, form=sql.Literal(_UUID))
        own = sql.SQL(kind.sql(self._schema.schema))  # pyright: ignore[reportArgumentType]  of the mapping
        return sql.SQL("({})::{}").format(held, own)

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

    def _leading(self, table: Table, routed: tuple[str, ...], name: str) -> sql.Composed:
        """Return the id in a column of a route; NULL where another alternative has it and the column's own has not.

        Ids that are derived from an ObjectId are the same wherever they lead, so the id alone would not tell.
        """
        here = sql.SQL("r.{}").format(sql.Identifier(name))
        references = {one: table.column(one).reference for one in routed}
        if any(one is None or one.table in self._without for one in references.values()):
            return here
        there = {
            one: sql.SQL("EXISTS (SELECT FROM {} x WHERE x.{} = {})").format(
                sql.Identifier(self._schema.schema, reference.table), sql.Identifier(reference.column), here
            )
            for one, reference in references.items()
            if reference is not None
        }
        others = [known for one, known in there.items() if one != name]
        if not others:
            return here
        return sql.SQL("CASE WHEN {here} IS NOT NULL AND NOT {own} AND ({others}) THEN NULL ELSE {here} END").format(
            here=here, own=there[name], others=sql.SQL(" OR ").join(others)
        )

    def leading_on(self, route: Route) -> sql.Composed | None:
        """Return the query for a route's ids of the first entry that no row has, with those that finish kept instead.

        Ids that are derived from an ObjectId are the same wherever it leads; of others the id map knows all. None where
        a table is not as the mapping makes it.
        """
        table = self.tables[route[0]].table
        first = table.column(route[1]).reference
        columns = [table.column(name) for name in first.routed] if first is not None else []
        if any(one.reference is None or one.reference.table in self._without for one in columns):
            return None
        parts = [self._leading_to(table, columns[:number], columns[number]) for number in range(1, len(columns))]
        return sql.SQL(" UNION ").join(parts) if parts else None

    def _leading_to(self, table: Table, before: Sequence[Column], column: Column) -> sql.Composed:
        """Return the query for ids of the first column of `before` that are in none of these, but lead to a column."""
        reference = column.reference
        assert reference is not None  # noqa: S101  it is of a route
        conditions: list[sql.Composable] = []
        for one in before:
            earlier = one.reference
            assert earlier is not None  # noqa: S101  it is of a route
            conditions.append(
                sql.SQL(
                    "NOT EXISTS (SELECT FROM isthmus.id_map e JOIN {there} t ON t.{held}::text = e.id WHERE"
                    " e.collection = {collection} AND e.key_digest = b.key_digest AND e.source_id = b.source_id)"
                ).format(
                    there=sql.Identifier(self._schema.schema, earlier.table),
                    held=sql.Identifier(earlier.column),
                    collection=sql.Literal(earlier.collection),
                )
            )
        first = before[0].reference
        assert first is not None  # noqa: S101  it is of a route
        return sql.SQL(
            "SELECT a.id, b.id FROM (SELECT DISTINCT {kept} AS id FROM {place} WHERE {kept} IS NOT NULL) r"
            " JOIN isthmus.id_map b ON b.id = r.id::text AND b.collection = {theirs}"
            " JOIN isthmus.id_map a ON a.key_digest = b.key_digest AND a.source_id = b.source_id"
            " AND a.collection = {mine} AND a.id <> b.id WHERE {conditions}"
        ).format(
            kept=sql.Identifier(column.name),
            place=sql.Identifier(self._schema.schema, table.name),
            theirs=sql.Literal(reference.collection),
            mine=sql.Literal(first.collection),
            conditions=sql.SQL(" AND ").join(conditions),
        )

    def _side(self, tables: list[_Json], known: Known) -> str:
        left_out = [
            [one.number, sorted(known.left_out[root])]
            for one in self.compared()
            if (root := self.root_of(one.table)) in known.left_out
        ]
        return json.dumps(
            {
                "seed": self._seed,
                "buckets": BUCKETS,
                "columns": [len(one.columns) for one in self.tables.values()],
                "tables": tables,
                "translations": [
                    *([list(pair) for pair in known.translations.get(root, ())] for root in sorted(self._merging)),
                    *([list(pair) for pair in known.routes.get(route, ())] for route in self.routes),
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
        written["column"] = number  # of a route that is set twice the second value too
        if (compared.name, column.name) not in self.routes:
            written.pop("ids", None)  # what pointed at a joined document has moved
        written.pop("rewrites", None)
        if column.waits and column.type.array:
            written["elements"] = True
        return written

    def _cell(self, compared: Compared, column: Column, kind: _Json) -> _Json:
        written: _Json = {"column": self._place(compared, column.name), "type": kind, "sensitive": column.sensitive}
        if column.reference is not None and column.reference.routed and column.reference.routed[0] != column.name:
            written["column"] = None  # all of a route are compared as its first column
        route = (compared.name, column.name)
        if route in self.routes:
            written["ids"] = len(self._merging) + self.routes.index(route)
        groups = {table: number for number, table in enumerate(sorted(self._merging))}
        if column.reference is not None and not column.waits and column.reference.table in groups:
            written["ids"] = groups[column.reference.table]
        moved = [(path, self._table_of(entry)) for path, entry in column.rewrites]
        written["rewrites"] = [{"path": list(path), "ids": groups[table]} for path, table in moved if table in groups]
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
        root = self._schema.root_of(table)
        if root.name in self._merging and all(column.role != "id" for column in root.final.columns):
            return "its documents may be joined into one row, and it keeps no id"
        waiting = [column for column in table.columns if column.waits]
        if waiting and (owner is None or owner not in key):
            return "it keeps no id, and references in it are looked up"
        if {column.name for column in waiting} & set(key):
            return "its key is a reference that is looked up"
        if any(one.name in key and one.reference is not None and one.reference.routed for one in table.columns):
            return "a reference by which its rows are told apart may lead to one of several tables"
        parts = [one for tables in self._plan_tables.values() for one in tables if one.name == table.name]
        if any(not set(key) <= set(one.columns) for one in parts if one.kind in {"root", "child"}):
            return "several entries fill it, and not each of them all columns by which its rows are told apart"
        for column in table.columns:
            if any(self._joins_numbers(entry) for _, entry in column.rewrites):
                return f"ids inside {column.name} may be those of joined documents"
            reference = column.reference
            if reference is not None and reference.routed and not self._is_alike(table, reference.routed):
                return "references in it may lead to one of several tables, with ids of several kinds"
            if reference is not None and reference.own is not None:
                return f"{column.name} may come from a second field, out of extras"
            if reference is not None and reference.routed and reference.table in self._merging:
                return "references in it may lead to one of several tables, some with joined documents"
            if reference is not None and column.waits and self._is_indirect(reference):
                return f"{column.name} is looked up by what the target does not keep"
        return ""

    def _joins_numbers(self, entry: str) -> bool:
        """Whether ids of an entry become others, and are no texts inside jsonb."""
        root = self._schema.tables[self._table_of(entry)]
        ids = [column.type.kind for column in root.columns if column.role == "id"]
        return root.name in self._merging and ids not in (["uuid"], ["text"])

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
