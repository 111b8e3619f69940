"""SQL about the two sides of a delivery: rows of the stage as they would stand in the real tables, and rows there.

Everything speaks of temporary tables of one transaction, which `matching` fills: `moved` (an id of the stage → the id
of the real row that is the same thing) and `verdict` (what becomes of a row that was there before).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from isthmus.connect.jsonb_paths import as_id_there, changed_inside
from isthmus.mapping.model import Collection, FieldPath
from isthmus.mapping.placing import place_tables
from isthmus.mapping.tables import HIDDEN_SOURCE, Column, Table
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.existing.fit import Existing, FedColumn, FedTable
from isthmus.transfer.existing.names import STAGE, key_text
from isthmus.transfer.existing.waiting_values import THERE, WAITING, Place
from isthmus.transfer.finishing.references import positions_of
from isthmus.transfer.job import Job

SHOWN_CHARACTERS = 80


@dataclass
class Sides:
    """One delivery at work.

    Attributes:
        job: The copy.
        connection: Inside the delivery's transaction.
        existing: The tables that are there.
        moved: Root tables of which some ids are those of other rows; their temporary tables exist.
        judged: Root tables of which some rows were there before; their temporary tables exist.
        filled: Tables that hold rows before the delivery.
        rekeyed: Root tables that keep no id and whose documents are rows with another key; see `key_moves`.
        filled_in: (table, column) of columns whose default is `now`. A value that was filled in says nothing of the
            document, and each run has another one: it is given to new rows, and otherwise stands for what is there.
        waiting: (table, column) of columns with references that wait, on either side; see `waiting_values`.
        waiting_inside: (table, column) → paths inside jsonb with references that waited and are found, each with the
            temporary table (`stage_text`, `target_id`) of what they are now.
        as_waiting: Whether what is found now is compared as it waited.
    """

    job: Job
    connection: psycopg.Connection
    existing: Existing
    moved: set[str] = field(default_factory=set[str])
    judged: set[str] = field(default_factory=set[str])
    filled: set[str] = field(default_factory=set[str])
    rekeyed: set[str] = field(default_factory=set[str])
    filled_in: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    letters: dict[tuple[str, str], bytes] | None = None
    waiting: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    waiting_inside: dict[tuple[str, str], list[tuple[FieldPath, sql.Identifier]]] = field(
        default_factory=dict[tuple[str, str], list[tuple[FieldPath, sql.Identifier]]]
    )
    as_waiting: bool = False

    def __post_init__(self) -> None:
        for flow in self.job.mapping.flows:
            for table in place_tables(self.job.mapping, flow):
                self.filled_in |= {
                    (table.name, placed.column.name)
                    for placed in table.columns
                    if placed.rule is not None and placed.rule.default is not None and placed.rule.default.kind == "now"
                }

    def is_filled_in(self, fed: FedTable, column: FedColumn, alias: str = "s") -> sql.Composed:
        """Return SQL that is true of a stage row's value that was filled in for want of one."""
        if (fed.name, column.name) not in self.filled_in:
            return sql.SQL("false").format()
        kind = self.job.schema.tables[fed.name].column(column.name).type.sql(STAGE)
        return sql.SQL("{}.{} = {}::timestamptz::{}").format(
            sql.Identifier(alias),
            sql.Identifier(column.name),
            sql.Literal(self.job.run.started_at),
            sql.SQL(kind),  # pyright: ignore[reportArgumentType]  made by the mapping
        )

    def rule(self, table: Table) -> Collection:
        """Return the entry of the mapping that fills a root or child table; several agree in all that is asked here."""
        return self.job.mapping.collections[table.entries[0]]

    def flow_of(self, fed: FedTable, alias: str = "s") -> sql.Composed:
        """Return SQL of the number of the flow that a stage row came by."""
        if len(fed.table.flows) == 1:
            return sql.SQL("{}::smallint").format(sql.Literal(fed.table.flows[0].number))
        return sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(HIDDEN_SOURCE))

    def collection_of(self, fed: FedTable, number: sql.Composable) -> sql.Composed:
        """Return SQL of the source collection of a flow's number."""
        cases = sql.SQL(" ").join(
            sql.SQL("WHEN {} THEN {}").format(sql.Literal(flow.number), sql.Literal(flow.collection))
            for flow in fed.table.flows
        )
        return sql.SQL("CASE {} {} END").format(number, cases)

    def number(self, table: str) -> int:
        """Return the number that a table's temporary tables are named with."""
        return list(self.existing.tables).index(table)

    def temporary(self, what: str, table: str) -> sql.Identifier:
        """Name a temporary table of a table."""
        return sql.Identifier("pg_temp", f"{what}_{self.number(table)}")

    def staged(self, table: str) -> sql.Identifier:
        """Name the stage's table."""
        return sql.Identifier(STAGE, table)

    def real(self, table: str) -> sql.Identifier:
        """Name the real table."""
        return sql.Identifier(self.existing.schema, table)

    def root_of(self, table: Table) -> FedTable:
        """Return the root table that a table's rows belong to."""
        while table.parent is not None:
            table = self.existing.tables[table.parent].table
        return self.existing.tables[table.name]

    def children_of(self, root: str) -> list[FedTable]:
        """Return the child tables of a root table, parents first."""
        return [
            fed
            for fed in self.existing.tables.values()
            if fed.table.kind == "child" and self.root_of(fed.table).name == root
        ]

    def roots(self) -> list[FedTable]:
        """Return the root tables, in the order of the mapping."""
        return [fed for fed in self.existing.tables.values() if fed.table.kind == "root"]

    def junctions(self) -> list[FedTable]:
        """Return the junction tables."""
        return [fed for fed in self.existing.tables.values() if fed.table.kind == "junction"]

    def root_filled_by(self, name: str) -> str | None:
        """Return the root table of an entry or source collection; None when there is none here."""
        for fed in self.roots():
            if name in {*fed.table.entries, *fed.table.collections}:
                return fed.name
        return None

    def target_of(self, column: Column, table: Table) -> str | None:
        """Return the root table whose ids a column holds; None for a column that holds none."""
        if column.role == "id":
            return table.name
        if column.role == "root_id":
            return self.root_of(table).name
        reference = column.reference
        if reference is None or reference.table not in self.existing.tables:
            return None
        target = self.existing.tables[reference.table].table
        return target.name if reference.column == key_column(target) else None

    def value(self, column: FedColumn, table: Table, alias: str = "s") -> sql.Composed:
        """Return SQL of a stage row's value as it would stand in the real table."""
        own = sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(column.name))
        return self.as_real(column, table, own)

    def as_real(self, column: FedColumn, table: Table, own: sql.Composed) -> sql.Composed:
        """Return SQL of a value that has the type of the stage's column as it would stand in the real table."""
        kind = sql.SQL(column.there.type)  # pyright: ignore[reportArgumentType]  the catalog's words
        for path, name in column.column.rewrites:
            pointed_at = self.root_filled_by(name)
            if pointed_at in self.moved:
                own = moved_inside(own, path, self.temporary("moved", str(pointed_at)))
        moved = self.moves_of(column.column, table)
        if moved is None:
            return sql.SQL("{}::{}").format(own, kind)
        if column.column.type.array:
            return sql.SQL(
                "CASE WHEN {own} IS NOT NULL THEN ARRAY(SELECT coalesce((SELECT m.target_id FROM {moved} m"
                " WHERE m.stage_id = e.id)::text, e.id::text) FROM unnest({own}) WITH ORDINALITY AS e(id, n)"
                " ORDER BY e.n)::{kind} END"
            ).format(own=own, moved=moved, kind=kind)
        return sql.SQL(
            "coalesce((SELECT m.target_id FROM {moved} m WHERE m.stage_id = {own})::{kind}, {own}::{kind})"
        ).format(moved=moved, own=own, kind=kind)

    def moves_of(self, column: Column, table: Table) -> sql.Identifier | None:
        """Name the temporary table (`stage_id`, `target_id`) of ids or keys of a column that are others there."""
        keyed = self._key_of(column)
        if keyed is not None:
            return self.key_moves(keyed)
        target = self.target_of(column, table)
        return self.temporary("moved", target) if target is not None and target in self.moved else None

    def _key_of(self, column: Column) -> str | None:
        """Return the root table whose key a column refers with, if that table keeps no id and has other keys there."""
        reference = column.reference
        if reference is None or reference.table not in self.rekeyed:
            return None
        return reference.table if self.existing.tables[reference.table].row_key == (reference.column,) else None

    def key_moves(self, table: str) -> sql.Identifier:
        """Name the temporary table (`stage_id`, `target_id`) of keys that are others in the real table."""
        return self.temporary("rekeyed", table)

    def values(self, fed: FedTable, columns: tuple[FedColumn, ...] | None = None, alias: str = "s") -> sql.Composed:
        """Return `value` of several columns, with commas."""
        wanted = fed.columns if columns is None else columns
        return sql.SQL(", ").join(self.value(column, fed.table, alias) for column in wanted)

    def owner(self, fed: FedTable) -> sql.Identifier:
        """Name the column of a root or child table that holds the document's id."""
        return sql.Identifier(key_column(fed.table))

    def owner_type(self, fed: FedTable) -> sql.SQL:
        """Return the type that column has in the real table."""
        column = fed.fed(key_column(fed.table))
        return sql.SQL(column.there.type if column else "text")  # pyright: ignore[reportArgumentType]

    def row_id(self, fed: FedTable, alias: str = "t") -> sql.Composed:
        """Return SQL of what a real row of a root or child table is known by.

        That is its document's id; in a table that keeps none its key, as the text of a JSON array of texts.
        """
        if fed.is_idless:
            return key_text(sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(k)) for k in fed.row_key)
        return sql.SQL("{}.{}").format(sql.Identifier(alias), self.owner(fed))

    def row_id_type(self, fed: FedTable) -> sql.SQL:
        """Return the type of `row_id`."""
        return sql.SQL("text") if fed.is_idless else self.owner_type(fed)

    def own_row_id(self, fed: FedTable) -> sql.Composed:
        """Return SQL of what the row of a stage row (`s`) would be known by if it is a row of its own."""
        if fed.is_idless:
            return key_text(self.value(column, fed.table) for column in self._key_columns(fed))
        return sql.SQL("s.{}::{}").format(self.owner(fed), self.owner_type(fed))

    def is_own_row(self, fed: FedTable) -> sql.Composed:
        """Return SQL that is true of a real row (`t`) with the id of a stage row (`s`), or with its key."""
        if not fed.is_idless:
            return sql.SQL("t.{id} = s.{id}::{kind}").format(id=self.owner(fed), kind=self.owner_type(fed))
        return sql.SQL(" AND ").join(
            sql.SQL("t.{} = {}").format(sql.Identifier(column.name), self.value(column, fed.table))
            for column in self._key_columns(fed)
        )

    def has_row_id(self, fed: FedTable) -> sql.Composed:
        """Return SQL that is true of real rows (`t`) that may be known by something: those whose key has no NULL."""
        if not fed.is_idless:
            return sql.SQL("true").format()
        return sql.SQL("num_nulls({}) = 0").format(
            sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in fed.row_key)
        )

    def _key_columns(self, fed: FedTable) -> list[FedColumn]:
        found = (fed.fed(name) for name in fed.row_key)
        return [column for column in found if column is not None]

    def stage_type(self, fed: FedTable) -> sql.SQL:
        """Return the type that column has in the stage."""
        kind = self.job.schema.tables[fed.name].column(key_column(fed.table)).type.sql(STAGE)
        return sql.SQL(kind)  # pyright: ignore[reportArgumentType]  made by the mapping

    def positions(self, fed: FedTable) -> tuple[str, ...]:
        """Return the position columns of a child table, outermost first."""
        return positions_of(fed.table)

    def contents(self, fed: FedTable) -> tuple[FedColumn, ...]:
        """Return the columns that hold what a row is, not which."""
        key = fed.row_key if fed.is_idless else ()
        return tuple(c for c in fed.columns if c.column.role not in {"id", "root_id"} and c.name not in key)

    def row_text(self, fed: FedTable, alias: str, *, real: bool) -> sql.Composed:
        """Return SQL of a row's contents as text, the same for equal rows of the stage and the real table."""
        columns = tuple(sorted(self.contents(fed), key=lambda column: column.name))  # in the mapping they may move
        if fed.table.kind == "child":  # compared as a whole, so what was filled in cannot be told apart there
            columns = tuple(column for column in columns if (fed.name, column.name) not in self.filled_in)
        if not columns:
            return sql.SQL("{}").format(sql.Literal(""))
        parts: list[sql.Composed] = []
        for column in columns:
            value = self.compared(fed, column, alias, real=real)
            if not real and (fed.name, column.name) in self.filled_in:
                value = sql.SQL("CASE WHEN {} THEN NULL ELSE {} END").format(
                    self.is_filled_in(fed, column, alias), value
                )
            parts.append(value)
        return sql.SQL("ROW({})::text").format(sql.SQL(", ").join(parts))

    def compared(self, fed: FedTable, column: FedColumn, alias: str, *, real: bool) -> sql.Composed:
        """Return SQL of a value whose text is the same for equal values of the stage and the real table.

        Of a reference that waits on either side it is what it will be, or what stands for it as long as it waits.
        """
        value = sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(column.name))
        if not real:
            value = self.as_real(column, fed.table, value)
        if column.there.base == "json" and not column.there.array:
            value = sql.SQL("{}::jsonb").format(value)  # what it says, not how it was written
        if column.there.base == "numeric" and not column.there.array:
            value = sql.SQL("trim_scale({})").format(value)  # 1 and 1.00 are one number
        for path, moved in self.waiting_inside.get((fed.name, column.name), ()) if real and not self.as_waiting else ():
            value = moved_inside(value, path, moved)
        if (fed.name, column.name) not in self.waiting:
            return value
        place = self.place(fed, column.name, alias, value, THERE if real else WAITING)
        instead = sql.SQL("w.waits" if self.as_waiting else "w.meant")
        return place.array(instead) if column.column.type.array else place.one(instead)

    def place(
        self, fed: FedTable, column: str, alias: str, value: sql.Composable, ledger: sql.Identifier = THERE
    ) -> Place:
        """Say where the values of a column of a root or child table stand, for what waits of them."""
        own = sql.SQL("{}.{}").format(sql.Identifier(alias), self.owner(fed)) if ledger == WAITING else None
        names = self.positions(fed)
        positions = sql.SQL(", ").join(sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(n)) for n in names)
        return Place(
            ledger,
            fed.name,
            column,
            sql.SQL("{}::text").format(self.row_id(fed, alias) if own is None else own),
            sql.SQL("ARRAY[{}]::integer[]").format(positions),
            len(names),
            value,
        )

    def one(self, query: sql.Composed) -> int:
        """Return the only number of a query."""
        row = self.connection.execute(query).fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def do(self, statement: sql.SQL | sql.Composed, parameters: tuple[object, ...] = ()) -> int:
        """Run a statement and return how many rows it concerned."""
        return self.connection.execute(statement, parameters or None).rowcount


def moved_inside(value: sql.Composed, path: FieldPath, moved: sql.Identifier) -> sql.Composed:
    """Return SQL of a jsonb value in which the ids at a path, texts or numbers, are those of the rows they are now."""
    return changed_inside(
        value,
        path,
        lambda id_: sql.SQL(
            "coalesce((SELECT {new} FROM {moved} m WHERE m.stage_text = {id} #>> '{{}}'), {id})"
        ).format(new=as_id_there(sql.SQL("m.target_id"), id_), id=id_, moved=moved),
    )
