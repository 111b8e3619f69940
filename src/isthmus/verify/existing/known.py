"""Which rows the given ones are: ids and keys that are others there, and references that are looked up.

`moved` of a root table is a given id → what the row is known by; `rows` is every given document of it with what its row
is known by: its id, in a table that keeps none its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, LiteralString, cast

from psycopg import sql

from isthmus._rust import IdCodec
from isthmus.connect.jsonb_paths import as_id_there, changed_inside
from isthmus.connect.real_columns import There, ThereColumn, number
from isthmus.mapping.tables import Column, PendingTable, Reference, Table
from isthmus.state.own_fields import OWN_IDS, lay_out_own_ids
from isthmus.verify.existing.given import Given, key_column
from isthmus.verify.looking import of_row
from isthmus.verify.subject import Subject


class Known:
    """Follows given rows to real ones. For one thread.

    Args:
        subject: What is verified.
        given: The given rows.
        there: The real columns.
    """

    def __init__(self, subject: Subject, given: Given, there: There) -> None:
        self.subject = subject
        self.given = given
        self.there = there
        self._tables = subject.schema.tables
        self._moved: set[str] = set()
        self._rekeyed: set[str] = set()
        self.joined: frozenset[str] = frozenset()
        """Tables whose given rows are joined as they must be; of other documents that were joined nothing is given."""
        self.left: dict[str, dict[str, str]] = {}
        """Root table → id of each document that left as a part of another's row → id of that row."""
        self.lost: set[tuple[str, str]] = set()
        """(table, column) of arrays of which the ledger says that elements point at nothing; see `accounts`."""

    def do(self, statement: LiteralString, **parts: sql.Composable) -> int:
        """Run a statement, and return how many rows it concerned."""
        return self.given.connection.execute(sql.SQL(statement).format(**parts)).rowcount

    def number(self, query: LiteralString, **parts: sql.Composable) -> int:
        """Return the only number of a query."""
        return number(self.given.connection, sql.SQL(query).format(**parts))

    def rows(self, query: LiteralString, **parts: sql.Composable) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.given.connection.execute(sql.SQL(query).format(**parts)).fetchall()

    def real(self, table: str) -> sql.Identifier:
        """Name a real table."""
        return sql.Identifier(self.subject.schema.schema, table)

    def column(self, table: Table, name: str) -> ThereColumn | None:
        """Return what is there of a column; None where the table has none of that name."""
        return self.there.columns[table.name].get(name)

    def root_of(self, table: Table) -> Table:
        """Return the root table that a table's rows belong to."""
        return self.subject.schema.root_of(table)

    def key(self, table: Table) -> tuple[str, ...]:
        """Return the columns that a root table's rows are known by; empty for none."""
        name = key_column(table)
        return table.primary_key if table.column(name).hidden else (name,)

    def row_text(self, table: Table, alias: str) -> sql.Composed:
        """Return SQL of what a real row of a root table is known by, as text."""
        name = key_column(table)
        if not table.column(name).hidden:
            return sql.SQL("{}::text").format(of_row(name, alias))
        texts = sql.SQL(", ").join(sql.SQL("{}::text").format(of_row(key, alias)) for key in self.key(table))
        return sql.SQL("to_jsonb(ARRAY[{}]::text[])::text").format(texts)

    def follow(self) -> None:
        """Find out everything, once all is given."""
        roots = [table for table in self._tables.values() if table.kind == "root"]
        for table in roots:
            self._move(table)
        for table in self._tables.values():
            self._lay_out_own_fields(table)
        for waiting in _in_order([one for one in self.given.pending.values() if not one.pairs]):
            self._look_up(waiting)
        for table in sorted(roots, key=lambda one: one.column(key_column(one)).hidden):
            self._find_rows(table)

    def _move(self, table: Table) -> None:
        """Fill `moved`: documents that are a row which was there before, or that were joined into another."""
        place = self.given.place(table.name, "moved")
        self.do(
            "CREATE TEMPORARY TABLE {place} AS SELECT DISTINCT ON (j.derived_id) j.derived_id AS given_id,"
            " coalesce(m.id, j.id) AS row_id"
            " FROM isthmus.id_map j LEFT JOIN isthmus.id_map m ON j.origin = 'merged' AND m.origin = 'matched'"
            " AND m.collection = ANY({names}) AND m.derived_id = j.id"
            " WHERE j.origin IN ('matched', 'merged') AND j.collection = ANY({names}) AND j.derived_id IS NOT NULL"
            " ORDER BY 1, 2",
            place=place,
            names=sql.Literal(list(table.collections)),
        )
        left = self.left.get(table.name, {})
        self.do(
            "INSERT INTO {place} SELECT own, row_id FROM unnest({owns}::text[], {rows}::text[]) AS u(own, row_id)"
            " WHERE NOT EXISTS (SELECT FROM {place} m WHERE m.given_id = u.own)",
            place=place,
            owns=sql.Literal(list(left)),
            rows=sql.Literal(list(left.values())),
        )
        self.do("CREATE INDEX ON {place} (given_id)", place=place)
        self.do("ANALYZE {place}", place=place)
        if self.number("SELECT count(*) FROM {place}", place=place):
            self._moved.add(table.name)

    def _lay_out_own_fields(self, table: Table) -> None:
        """Give the given rows of a table a column more for each one that has a field of its own: the id in extras."""
        extras = next((column.name for column in table.columns if column.role == "extras"), None)
        for column in table.columns:
            reference = column.reference
            if reference is None or reference.own is None or extras is None:
                continue
            parts: dict[str, sql.Composable] = {
                "place": self.given.place(table.name),
                "own": _own_column(table, column),
                "value": sql.SQL("({} #> {})::text").format(of_row(extras, "g"), sql.Literal(list(reference.own))),
                "ids": OWN_IDS,
            }
            values = sql.SQL("SELECT {value} FROM {place} g WHERE {value} IS NOT NULL").format(**parts)
            entry = self.subject.mapping.collections[reference.entry]
            lay_out_own_ids(
                self.given.connection,
                values,
                IdCodec(self.subject.key),
                reference.collection,
                entry.ids,
                rewritten=entry.rewritten,
            )
            self.do("ALTER TABLE {place} ADD COLUMN {own} text", **parts)
            self.do("UPDATE {place} g SET {own} = o.id FROM {ids} o WHERE o.value = {value}", **parts)

    def _look_up(self, waiting: PendingTable) -> None:
        """Fill a column whose values are looked up: by rows that are there, else by given ones."""
        reference = waiting.reference
        target = self._tables[reference.table]
        table = self._tables[waiting.table]
        names = {
            "waiting": sql.Identifier("pg_temp", waiting.name),
            "keys": sql.SQL(", ").join(of_row(key, "p") for key, _ in waiting.keys),
            "held": self.holders(target, reference.by or key_column(target), reference.column),
            "value": of_row(waiting.value, "p"),
            "place": self.given.place(waiting.table),
            "column": sql.Identifier(waiting.column),
            "kind": self.given.kind(table.column(waiting.column)),
            "same": sql.SQL(" AND ").join(
                sql.SQL("{} = {}").format(of_row(column, "g"), of_row(key, "f")) for key, column in waiting.keys
            ),
            "flow": self.given.of_flow(waiting, "g"),
        }
        if waiting.array:
            drop = sql.Literal(reference.on_orphan == "drop")
            self.do(
                "UPDATE {place} g SET {column} = f.result::{kind} FROM (SELECT {keys}, coalesce(array_agg(h.result"
                " ORDER BY p.element) FILTER (WHERE p.element >= 0 AND NOT ({drop} AND {value} IS NOT NULL"
                " AND h.result IS NULL)), '{{}}') AS result FROM {waiting} p LEFT JOIN {held} h"
                " ON h.value = {value}::text GROUP BY {keys}) f WHERE {same} AND {flow}",
                drop=drop,
                **names,
            )
            return
        self.do(
            "UPDATE {place} g SET {column} = f.result::{kind} FROM (SELECT {keys}, h.result FROM {waiting} p"
            " JOIN {held} h ON h.value = {value}::text) f WHERE {same} AND {flow}",
            **names,
        )

    def holders(self, target: Table, key: str, result: str) -> sql.Composed:
        """Return SQL of a FROM item (`value`, `result`, texts): who has a value of a column, each value once."""
        parts: list[sql.Composed] = []
        if self.column(target, key) is not None and self.column(target, result) is not None:
            parts.append(
                sql.SQL("SELECT {}::text AS value, {}::text AS result, 0 AS rank FROM {} t").format(
                    of_row(key, "t"), of_row(result, "t"), self.real(target.name)
                )
            )
        parts.append(
            sql.SQL("SELECT {}::text AS value, {}::text AS result, 1 AS rank FROM {} g").format(
                of_row(key, "g"), of_row(result, "g"), self.given.place(target.name)
            )
        )
        if target.column(key).hidden and self.key(target) == (result,):  # documents of an earlier copy
            parts.append(
                sql.SQL("SELECT m.given_id AS value, m.row_id::jsonb ->> 0 AS result, 2 AS rank FROM {} m").format(
                    self.given.place(target.name, "moved")
                )
            )
        return sql.SQL(
            "(SELECT DISTINCT ON (value) value, result FROM ({}) x WHERE value IS NOT NULL"
            " ORDER BY value, rank, result)"
        ).format(sql.SQL(" UNION ALL ").join(parts))

    def _find_rows(self, table: Table) -> None:
        """Fill `rows` (`own`, `row_id`)."""
        place, own = self.given.place(table.name, "rows"), of_row(key_column(table), "g")
        name = key_column(table)
        if not table.column(name).hidden:
            there = self.column(table, name)
            row = there.text(own) if there else sql.SQL("{}::text").format(own)
        elif self.key(table):
            texts = sql.SQL(", ").join(self.text(table, table.column(key), "g") for key in self.key(table))
            row = sql.SQL("to_jsonb(ARRAY[{}]::text[])::text").format(texts)
        else:
            row = sql.SQL("NULL::text").format()
        self.do(
            "CREATE TEMPORARY TABLE {place} AS SELECT {own}::text AS own, coalesce(m.row_id, {row}) AS row_id"
            " FROM {given} g LEFT JOIN {moved} m ON m.given_id = {own}::text",
            place=place,
            own=own,
            row=row,
            given=self.given.place(table.name),
            moved=self.given.place(table.name, "moved"),
        )
        self.do("CREATE INDEX ON {place} (own)", place=place)
        self.do("CREATE INDEX ON {place} (row_id)", place=place)
        self.do("ANALYZE {place}", place=place)
        if table.column(name).hidden and len(self.key(table)) == 1:
            self._rekey(table)

    def _rekey(self, table: Table) -> None:
        """Fill `rekeyed`: given keys that are others there."""
        (key,) = self.key(table)
        place = self.given.place(table.name, "rekeyed")
        self.do(
            "CREATE TEMPORARY TABLE {place} AS SELECT {key}::text AS given_id, r.row_id::jsonb ->> 0 AS row_id"
            " FROM {given} g JOIN {rows} r ON r.own = {own}::text WHERE {key}::text <> r.row_id::jsonb ->> 0",
            place=place,
            key=of_row(key, "g"),
            given=self.given.place(table.name),
            rows=self.given.place(table.name, "rows"),
            own=of_row(key_column(table), "g"),
        )
        self.do("CREATE INDEX ON {place} (given_id)", place=place)
        self.do("ANALYZE {place}", place=place)
        if self.number("SELECT count(*) FROM {place}", place=place):
            self._rekeyed.add(table.name)

    def has_moved(self, table: str) -> bool:
        """Tell whether documents of a root table are rows with other ids."""
        return table in self._moved

    def moves_of(self, column: Column, table: Table) -> sql.Identifier | None:
        """Name the temporary table (`given_id`, `row_id`) of ids or keys of a column that are others there."""
        if column.role in {"id", "root_id"}:
            target = self.root_of(table).name
            return self.given.place(target, "moved") if target in self._moved else None
        reference = column.reference
        if reference is None:
            return None
        target = self._tables[reference.table]
        if reference.table in self._rekeyed and self.key(target) == (reference.column,):
            return self.given.place(reference.table, "rekeyed")
        if reference.table in self._moved and reference.column == key_column(target):
            return self.given.place(reference.table, "moved")
        return None

    def text(self, table: Table, column: Column, alias: str) -> sql.Composed:
        """Return SQL of a given value as it must stand in the real table, as text."""
        there = self.there.columns[table.name][column.name]
        value: sql.Composable = of_row(column.name, alias)
        for path, entry in column.rewrites:
            pointed_at = self.subject.mapping.collections[entry].table
            if pointed_at in self._moved:
                target = self._tables[pointed_at]
                kind = self.column(target, key_column(target))
                value = changed_inside(value, path, _moved_to(self.given.place(pointed_at, "moved"), kind))
        if column.reference is not None and column.reference.routed:
            value = self._routed(table, column, alias)
            if column.reference.own is not None:
                value = self._or_own(table, column, column.reference, alias, value)
        moves = self.moves_of(column, table)
        if column.type.array and (moves is not None or (table.name, column.name) in self.lost):
            return there.text(self._elements(table, column, alias, value, moves))
        if moves is not None:
            value = sql.SQL("coalesce((SELECT m.row_id FROM {} m WHERE m.given_id = ({})::text), ({})::text)").format(
                moves, value, value
            )
        return there.text(value)

    def _elements(
        self, table: Table, column: Column, alias: str, value: sql.Composable, moves: sql.Identifier | None
    ) -> sql.Composed:
        """Return SQL of an array of references, its elements moved, without what the ledger says was left out."""
        moved: sql.Composable = sql.SQL("e.v::text")
        if moves is not None:
            moved = sql.SQL("coalesce((SELECT m.row_id FROM {} m WHERE m.given_id = e.v::text), e.v::text)").format(
                moves
            )
        return sql.SQL(
            "CASE WHEN {value} IS NOT NULL THEN ARRAY(SELECT CASE WHEN o.action IS NULL THEN {moved} END"
            " FROM unnest({value}) WITH ORDINALITY AS e(v, n)"
            " LEFT JOIN pg_temp.isthmus_orphans o ON o.table_name = {table} AND o.column_name = {column}"
            " AND o.row_id = {own}::text AND o.row_position = {position} AND o.target_id = e.v::text AND {stands}"
            " WHERE o.action IS DISTINCT FROM 'drop' ORDER BY e.n) END"
        ).format(
            value=value,
            moved=moved,
            table=sql.Literal(table.name),
            column=sql.Literal(column.name),
            own=of_row(key_column(table), alias),
            position=self.positions(table, alias, sql.SQL("(e.n - 1)::integer")),
            stands=sql.Literal(not column.waits),  # what was looked up is without them already
        )

    def positions(self, table: Table, alias: str, *more: sql.Composable) -> sql.Composed:
        """Return SQL of a row's place inside arrays, outermost first."""
        names = [column.name for column in table.columns if column.role in {"ancestor_position", "position"}]
        parts = [*(of_row(name, alias) for name in names), *more]
        return sql.SQL("ARRAY[{}]::integer[]").format(sql.SQL(", ").join(parts))

    def _routed(self, table: Table, column: Column, alias: str) -> sql.Composed:
        """Return SQL of a routed id, NULL unless its column is the first whose table has it."""
        reference = column.reference
        assert reference is not None  # noqa: S101  asked of routes only
        conditions: list[sql.Composable] = []
        for name in reference.routed:
            one = table.column(name).reference
            if one is None:
                continue
            has = self.exists(one, of_row(name, alias))
            if name == column.name:
                conditions.append(has)
                break
            conditions.append(sql.SQL("NOT ({})").format(has))
        return sql.SQL("CASE WHEN {} THEN {} END").format(sql.SQL(" AND ").join(conditions), of_row(column.name, alias))

    def _or_own(
        self, table: Table, column: Column, reference: Reference, alias: str, routed: sql.Composed
    ) -> sql.Composed:
        """Return SQL of a routed id, else of the id in the column's own field where the route leads elsewhere."""
        own = sql.SQL("{}.{}").format(sql.Identifier(alias), _own_column(table, column))
        others = [self._routed(table, table.column(name), alias) for name in reference.routed if name != column.name]
        return sql.SQL(
            "coalesce({routed}, (CASE WHEN num_nonnulls({others}) > 0 AND {exists} THEN {own} END)::{kind})"
        ).format(
            routed=routed,
            others=sql.SQL(", ").join(others),
            exists=self.exists(reference, own),
            own=own,
            kind=self.given.kind(column),
        )

    def exists(self, reference: Reference, value: sql.Composable) -> sql.Composed:
        """Return SQL that is true of a value that points at a row, given or there."""
        target = self._tables[reference.table]
        key = (reference.by or key_column(target)) if reference.lookup else reference.column
        found = sql.SQL("EXISTS (SELECT FROM {} x WHERE {}::text = ({})::text)").format(
            self.given.place(target.name), of_row(key, "x"), value
        )
        if key == key_column(target) and target.name in self._moved:  # documents of earlier copies too
            found = sql.SQL(
                "({} OR EXISTS (SELECT FROM {} m JOIN {} x ON {} = m.row_id WHERE m.given_id = ({})::text))"
            ).format(
                found,
                self.given.place(target.name, "moved"),
                self.real(target.name),
                self.row_text(target, "x"),
                value,
            )
        there = self.column(target, key)
        if there is None:
            return found
        return sql.SQL("({} OR EXISTS (SELECT FROM {} x WHERE {}))").format(
            found, self.real(target.name), there.is_text(of_row(key, "x"), value)
        )


def _own_column(table: Table, column: Column) -> sql.Identifier:
    number = next(number for number, one in enumerate(table.columns) if one.name == column.name)
    return sql.Identifier(f"isthmus_own_{number}")


def _moved_to(moved: sql.Identifier, there: ThereColumn | None) -> Callable[[sql.Composable], sql.Composable]:
    kind = sql.SQL(cast("LiteralString", there.type if there else "text"))
    new = sql.SQL("m.row_id::{}").format(kind)
    return lambda old: sql.SQL("coalesce((SELECT {} FROM {} m WHERE m.given_id = {} #>> '{{}}'), {})").format(
        as_id_there(new, old), moved, old, old
    )


def _in_order(tables: list[PendingTable]) -> Iterator[PendingTable]:
    """Yield waiting tables so that each finds the column it points at filled."""
    left = list(tables)
    while left:
        unfilled = {(one.table, one.column) for one in left}
        ready = [one for one in left if not _aims(one.reference) & unfilled] or left
        yield from ready
        left = [one for one in left if one not in ready]


def _aims(reference: Reference) -> set[tuple[str, str]]:
    return {(reference.table, reference.column), (reference.table, reference.by or reference.column)}


def named_columns(table: Table, names: Iterable[str]) -> Iterator[Column]:
    """Yield the columns of a table that are there."""
    have = set(names)
    for column in table.columns:
        if not column.hidden and column.name in have:
            yield column
