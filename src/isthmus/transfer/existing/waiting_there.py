"""What waits in the real tables for later copies (see `waiting`): found, settled, kept, at either end of a delivery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from isthmus.connect.postgres import meaning
from isthmus.mapping.model import FieldPath
from isthmus.mapping.paths import show_path
from isthmus.mapping.tables import Column, Reference
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.existing.fit import FedColumn, FedTable
from isthmus.transfer.existing.names import STAGE
from isthmus.transfer.existing.only import scope_of, unknown_entries
from isthmus.transfer.existing.pair_state import insert_pairs
from isthmus.transfer.existing.row_state import following
from isthmus.transfer.existing.sides import Sides, moved_inside
from isthmus.transfer.existing.waiting_values import COLUMNS, MARKED, THERE, WAITING, Place, columns_of
from isthmus.transfer.finishing.references import one_of_each, place_of_ids

_CHOSEN = sql.Identifier("pg_temp", "waits_chosen")


@dataclass(frozen=True)
class _Waits:
    """A column, a side of a junction or a place inside jsonb with references of earlier copies that wait.

    Attributes:
        name: Its name in the ledger.
        own: Of a junction the other side.
        target: Root table that is pointed at.
        key: Column of it that is compared.
        result: Column of it whose value the reference takes.
        marked: Whether no id stands for the value meanwhile.
        column: The column; of a place inside jsonb the one that holds it.
        path: The place inside jsonb; None for others.
        reference: None inside jsonb.
    """

    fed: FedTable
    name: str
    own: str | None
    target: FedTable
    key: str
    result: str
    marked: bool
    column: Column
    path: FieldPath | None = None
    reference: Reference | None = None

    @property
    def listed(self) -> sql.Composed:
        """SQL that is true of its entries (`w`)."""
        return sql.SQL(
            "w.table_name = {} AND w.column_name = {} AND w.own_column IS NOT DISTINCT FROM {} AND w.target_table = {}"
        ).format(*map(sql.Literal, (self.fed.name, self.name, self.own, self.target.name)))


def look(sides: Sides) -> None:
    """List what waits in the real tables, with what it leads to now; behind it real rows compare by what they mean.

    What is known of tracked rows follows.
    """
    there = _list_there(sides)
    for one in there:
        _find(sides, one)
    for columns in {w.reference.routed for w in there if w.reference is not None and w.reference.routed}:
        _decide_routes(sides, columns)
    if not scope_of(sides.job.plans, sides.job.mapping):
        for one in there:
            _settle(sides, one)
    sides.do(sql.SQL("ANALYZE {}").format(THERE))
    sides.waiting |= columns_of(sides.connection, THERE)
    sides.waiting_inside = {}
    for number, one in enumerate(there):
        if one.path is not None:
            moved = sql.Identifier("pg_temp", f"meant_{number}")
            sides.do(
                sql.SQL(
                    "CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT DISTINCT w.target_id AS stage_text,"
                    " w.meant::{} AS target_id FROM {} w WHERE {} AND w.done AND w.meant <> w.target_id"
                ).format(sql.Identifier(f"meant_{number}"), sides.row_id_type(one.target), THERE, one.listed)
            )
            sides.waiting_inside.setdefault((one.fed.name, one.column.name), []).append((one.path, moved))
    _follow(sides)


def look_again(sides: Sides) -> None:
    """List anew what waits in the real tables, behind a delivery."""
    sides.do(sql.SQL("DROP TABLE IF EXISTS {}").format(THERE))
    _list_there(sides)
    sides.waiting_inside = {}
    sides.waiting |= columns_of(sides.connection, THERE)


def _list_there(sides: Sides) -> list[_Waits]:
    """Make the list; return the columns that have entries in it, as far as the mapping still knows them."""
    sides.do(sql.SQL("CREATE TEMP TABLE waits_there ({}) ON COMMIT DROP").format(COLUMNS))
    sides.do(
        sql.SQL(
            "INSERT INTO {} (number, table_name, column_name, own_column, row_id, row_position, target_table,"
            " target_id, waits, meant) SELECT id, table_name, column_name, own_column, row_id, row_position,"
            " target_table, target_id, target_id, target_id FROM isthmus.pending_reference"
            " WHERE table_schema = {} AND table_name = ANY({})"
        ).format(THERE, sql.Literal(sides.existing.schema), sql.Literal(list(sides.existing.tables)))
    )
    there = _there(sides)
    for one in there:
        if one.marked:
            form = MARKED.format(table=sql.SQL("w.target_table"), value=sql.SQL("w.target_id"))
            sides.do(sql.SQL("UPDATE {} w SET waits = {}, meant = {} WHERE {}").format(THERE, form, form, one.listed))
    sides.do(sql.SQL("CREATE INDEX ON {} (table_name, column_name, row_id)").format(THERE))
    sides.do(sql.SQL("ANALYZE {}").format(THERE))
    return there


def _there(sides: Sides) -> list[_Waits]:
    """Return the columns that have entries, as far as the mapping still knows them."""
    rows = sides.connection.execute(
        sql.SQL("SELECT DISTINCT table_name, column_name, own_column, target_table FROM {} ORDER BY 1, 2, 3, 4").format(
            THERE
        )
    ).fetchall()
    known = {(w.fed.name, w.name, w.target.name): w for w in _all(sides)} if rows else {}
    found: list[_Waits] = []
    for table, name, own, target in rows:
        one = known.get((str(table), str(name), str(target)))
        if one is not None:
            found.append(replace(one, own=None if own is None else str(own)))
    return found


def _all(sides: Sides) -> Iterator[_Waits]:
    for fed in sides.existing.tables.values():
        for column in fed.table.columns:
            reference = column.reference
            if reference is not None and fed.fed(column.name) is not None:
                to = sides.existing.tables[reference.table]
                key = (reference.by or key_column(to.table)) if reference.lookup else reference.column
                marked = reference.lookup or bool(reference.routed)
                yield _Waits(fed, column.name, None, to, key, reference.column, marked, column, reference=reference)
            for path, entry in column.rewrites:
                to = sides.existing.tables[sides.job.mapping.collections[entry].table]
                key = key_column(to.table)
                yield _Waits(fed, f"{column.name}.{show_path(path)}", None, to, key, key, False, column, path)


def _find(sides: Sides, one: _Waits) -> None:
    """Enter what entries lead to: rows that are there, and those that this delivery brings."""
    ids = place_of_ids(sides.job, sides.job.schema.tables[one.target.name])
    moves = sides.moves_of(one.column, one.fed.table)
    if one.path is not None:
        moves = sides.temporary("moved", one.target.name) if one.target.name in sides.moved else None
    meant: sql.Composable = sql.SQL("t.{}::text").format(sql.Identifier(one.result))
    if moves is not None:
        meant = sql.SQL("coalesce((SELECT m.target_id::text FROM {} m WHERE m.stage_id::text = {}), {})").format(
            moves, meant, meant
        )
    sides.do(
        sql.SQL(
            "UPDATE {there} w SET done = true, meant = x.meant FROM (SELECT t.{key}::text AS value, {meant} AS meant"
            " FROM {ids} AS t) AS x WHERE {listed} AND x.value = w.target_id AND x.meant IS NOT NULL"
        ).format(
            there=THERE,
            key=sql.Identifier(one.key),
            meant=meant,
            ids=one_of_each(sides.job, ids, one.key, one.result),
            listed=one.listed,
        )
    )


def _decide_routes(sides: Sides, columns: tuple[str, ...]) -> None:
    """Of ids that have several columns to stand in: decide for the first that has it, once those before are known."""
    tables = [fed for fed in sides.existing.tables.values() if all(fed.fed(name) is not None for name in columns)]
    for fed in tables:
        references = {name: fed.table.column(name).reference for name in columns}
        if any(reference is None or reference.routed != columns for reference in references.values()):
            continue
        entries = {name: reference.entry for name, reference in references.items() if reference is not None}
        unknown = unknown_entries(sides.job, sides.connection, entries.values())
        parts = {
            "there": THERE,
            "table": sql.Literal(fed.name),
            "columns": sql.Literal(list(columns)),
            "unknown": sql.Literal([name for name, entry in entries.items() if entry in unknown]),
        }
        sides.do(
            sql.SQL(
                "UPDATE {there} w SET done = coalesce(c.done, false), meant = CASE WHEN c.done IS NOT TRUE THEN w.waits"
                " WHEN c.column_name = w.column_name THEN w.meant END FROM {there} o LEFT JOIN"
                " (SELECT DISTINCT ON (row_id, row_position) row_id, row_position, column_name, done FROM {there}"
                " WHERE table_name = {table} AND column_name = ANY({columns}) AND own_column IS NULL"
                " AND (done OR column_name = ANY({unknown}))"
                " ORDER BY row_id, row_position, array_position({columns}, column_name)) AS c"
                " ON c.row_id = o.row_id AND c.row_position = o.row_position"
                " WHERE o.number = w.number AND w.table_name = {table} AND w.column_name = ANY({columns})"
                " AND w.own_column IS NULL"
            ).format(**parts)
        )


def _settle(sides: Sides, one: _Waits) -> None:
    """Enter that what is not found leads nowhere, of documents that a copy of everything carries."""
    if one.own is None:
        root = sides.root_of(one.fed.table)
        ids = _row_ids(sides, root)
    else:
        column = one.fed.fed(one.own)
        reference = column.column.reference if column is not None else None
        if column is None or reference is None:
            return
        value = sql.SQL("s.{}").format(sql.Identifier(reference.column))
        ids = sql.SQL("SELECT {}::text AS id FROM {} s").format(
            sides.as_real(column, one.fed.table, value), sides.staged(reference.table)
        )
    meant = sql.SQL("w.target_id" if one.path is not None else "NULL")
    dropped = one.reference is not None and one.reference.on_orphan == "drop"
    sides.do(
        sql.SQL(
            "UPDATE {} w SET done = true, meant = {}, dropped = {} WHERE {} AND NOT w.done AND w.row_id IN ({})"
        ).format(THERE, meant, sql.Literal(dropped), one.listed, ids)
    )


def _row_ids(sides: Sides, root: FedTable, condition: sql.Composable | None = None) -> sql.Composed:
    """Return a query of what the real rows of documents in the stage (`s`) are known by."""
    return sql.SQL("SELECT {} AS id FROM {} s WHERE {}").format(
        _row_id(sides, root), sides.staged(root.name), condition or sql.SQL("true")
    )


def _row_id(sides: Sides, root: FedTable) -> sql.Composed:
    own = sql.SQL("({})::text").format(sides.own_row_id(root))
    if root.name not in sides.judged:
        return own
    return sql.SQL("coalesce((SELECT m.target_id::text FROM {} m WHERE m.stage_id = s.{}), {})").format(
        sides.temporary("moved", root.name), sides.owner(root), own
    )


def _follow(sides: Sides) -> None:
    """Let what is known of tracked rows follow the references that are settled now."""
    for root in sides.roots():
        names = [root.name, *(child.name for child in sides.children_of(root.name))]
        changing = sql.SQL(
            "SELECT w.row_id FROM {} w WHERE w.done AND w.own_column IS NULL AND w.table_name = ANY({})"
        ).format(THERE, sql.Literal(names))
        if sides.rule(root.table).rerun != "tracked" or not sides.one(
            sql.SQL("SELECT count(*) FROM ({}) AS c").format(changing)
        ):
            continue
        sides.as_waiting = True
        with following(sides, root, changing):
            sides.as_waiting = False


def keep(sides: Sides) -> None:
    """Write what waits of documents that were delivered, in the place of what waited for their rows before."""
    before = sides.one(sql.SQL("SELECT count(*) FROM {}").format(THERE))
    if not before and not sides.one(sql.SQL("SELECT count(*) FROM {}").format(WAITING)):
        return
    for root in sides.roots():
        names = [root.name, *(child.name for child in sides.children_of(root.name))]
        verdict = sql.SQL("NULL::text").format()
        if root.name in sides.judged:
            verdict = sql.SQL("(SELECT v.verdict FROM {} v WHERE v.stage_id = s.{})").format(
                sides.temporary("verdict", root.name), sides.owner(root)
            )
        written = sql.SQL("coalesce({}, 'new') IN ('new', 'overwritten', 'updated')").format(verdict)
        sides.do(
            sql.SQL(
                "DELETE FROM isthmus.pending_reference p WHERE p.table_schema = {} AND p.table_name = ANY({})"
                " AND p.own_column IS NULL AND p.row_id IN ({})"
            ).format(sql.Literal(sides.existing.schema), sql.Literal(names), _row_ids(sides, root, written))
        )
        source = sql.SQL(
            "(SELECT w.*, {} AS id FROM {} w JOIN {} s ON s.{}::text = w.row_id WHERE w.own_column IS NULL"
            " AND w.table_name = ANY({}) AND coalesce({}, 'new') IN ('new', 'overwritten', 'updated', 'same'))"
        ).format(_row_id(sides, root), WAITING, sides.staged(root.name), sides.owner(root), sql.Literal(names), verdict)
        _write(sides, source)
    for fed in sides.junctions():
        for own in fed.columns:
            kind = sql.SQL(sides.job.schema.tables[fed.name].column(own.name).type.sql(STAGE))  # pyright: ignore[reportArgumentType]
            value = sides.as_real(own, fed.table, sql.SQL("w.row_id::{}").format(kind))
            target, gone = sides.target_of(own.column, fed.table), sql.SQL("false").format()
            if target is not None and target in sides.judged:
                gone = sql.SQL(
                    "EXISTS (SELECT FROM {} v WHERE v.stage_id::text = w.row_id AND v.verdict = 'deleted')"
                ).format(sides.temporary("verdict", target))
            source = sql.SQL(
                "(SELECT w.*, ({})::text AS id FROM {} w WHERE w.table_name = {} AND w.own_column = {} AND NOT {})"
            ).format(value, WAITING, sql.Literal(fed.name), sql.Literal(own.name), gone)
            _write(sides, source)


def _write(sides: Sides, source: sql.Composed) -> None:
    sides.do(
        sql.SQL(
            "INSERT INTO isthmus.pending_reference (run_id, table_schema, table_name, column_name, own_column, row_id,"
            " row_position, target_table, target_id) SELECT DISTINCT {run}::bigint, {schema}, x.table_name,"
            " x.column_name, x.own_column, x.id, x.row_position, x.target_table, x.target_id FROM {source} AS x"
            " WHERE NOT EXISTS (SELECT FROM isthmus.pending_reference p WHERE p.table_schema = {schema}"
            " AND p.table_name = x.table_name AND p.column_name = x.column_name AND p.row_id = x.id"
            " AND p.own_column IS NOT DISTINCT FROM x.own_column AND p.row_position = x.row_position"
            " AND p.target_table = x.target_table AND p.target_id = x.target_id)"
        ).format(run=sql.Literal(sides.job.run.id), schema=sql.Literal(sides.existing.schema), source=source)
    )


def resolve(sides: Sides) -> Counter[tuple[str, str]]:
    """Set references of earlier copies whose row is there now, and settle those that lead nowhere.

    Somebody's own value stays. What the table refuses goes on waiting.

    Returns:
        Tallies: (`resolved-waiting`, name of the reference) → how many were found; (`refused-waiting`, …) → how many
        the real table refuses.
    """
    found = Counter[tuple[str, str]]()
    # those of rows that were written in this delivery are gone with what stood there
    sides.do(
        sql.SQL(
            "DELETE FROM {} w WHERE NOT EXISTS (SELECT FROM isthmus.pending_reference p WHERE p.id = w.number)"
        ).format(THERE)
    )
    for one in _there(sides):
        rows = sides.connection.execute(
            sql.SQL("SELECT w.number FROM {} w WHERE {} AND w.done ORDER BY 1").format(THERE, one.listed)
        ).fetchall()
        numbers = [int(number) for (number,) in rows]
        refused = _apply(sides, one, numbers) if numbers else []
        name = f"{one.fed.name}.{one.name}"
        if refused:
            found["refused-waiting", name] += len(refused)
        gone = sides.connection.execute(
            sql.SQL(
                "DELETE FROM isthmus.pending_reference p USING {} w WHERE p.id = w.number AND p.id = ANY(%s::bigint[])"
                " AND NOT p.id = ANY(%s::bigint[]) RETURNING w.meant IS NOT NULL"
            ).format(THERE),
            (numbers, refused),
        ).fetchall()
        found["resolved-waiting", name] += sum(1 for (is_found,) in gone if is_found)
    return found


def _apply(sides: Sides, one: _Waits, numbers: list[int]) -> list[int]:
    """Write entries to the real table: all at once; where it refuses, one by one. Return the refused."""
    try:
        with sides.connection.transaction():
            _change(sides, one, numbers)
    except psycopg.Error as fault:
        if meaning(fault) != "data":
            raise
        if len(numbers) == 1:
            return numbers
        middle = len(numbers) // 2
        return _apply(sides, one, numbers[:middle]) + _apply(sides, one, numbers[middle:])
    return []


def _change(sides: Sides, one: _Waits, numbers: list[int]) -> None:
    fed = sides.existing.tables[one.fed.name]
    column = fed.fed(one.column.name)
    if column is None:
        return
    if one.own is not None:
        _change_pairs(sides, one, one.own, numbers)
        return
    value = sql.SQL("t.{}").format(sql.Identifier(column.name))
    place = sides.place(fed, one.name, "t", value)
    # A table of its own, without an index: a planner that cannot know how many rows take part joins it by hashing, and
    # does not look each row of a large table up in it. By number alone: the list is read from end to end. Of the
    # column's own type, for only so PostgreSQL hashes the numbers, of which there may be a million.
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE waits_chosen ON COMMIT DROP AS SELECT * FROM {} WHERE number = ANY({}::bigint[])"
        ).format(THERE, sql.Literal(numbers))
    )
    sides.do(sql.SQL("ANALYZE {}").format(_CHOSEN))
    _change_column(sides, one, column, place, numbers)
    sides.do(sql.SQL("DROP TABLE {}").format(_CHOSEN))


def _change_column(sides: Sides, one: _Waits, column: FedColumn, place: Place, numbers: list[int]) -> None:
    value = place.value
    parts = {
        "real": sides.real(one.fed.name),
        "column": sql.Identifier(column.name),
        "kind": sql.SQL(column.there.type),  # pyright: ignore[reportArgumentType]  the catalog's words
        "there": _CHOSEN,
        "chosen": place.listed,
        "value": value,
        "position": place.positions,
        "free": sql.SQL("true"),
    }
    if one.path is not None:
        moved = next(
            (moved for path, moved in sides.waiting_inside[one.fed.name, column.name] if path == one.path), None
        )
        if moved is not None:
            statement = (
                "UPDATE {real} t SET {column} = ({inside})::{kind} WHERE EXISTS (SELECT FROM {there} w WHERE {chosen})"
            )
            changed = moved_inside(sql.SQL("{}::jsonb").format(value), one.path, moved)  # it may be json
            sides.do(sql.SQL(statement).format(inside=changed, **parts))
        return
    if one.column.type.array:
        now = sql.SQL("CASE WHEN w.done AND w.number = ANY({}::bigint[]) THEN w.meant ELSE e.v::text END").format(
            sql.Literal(numbers)
        )
        sides.do(
            sql.SQL(
                "UPDATE {real} t SET {column} = ({array})::{kind} WHERE EXISTS (SELECT FROM {there} w WHERE {chosen})"
            ).format(array=place.array(now), **parts)
        )
        return
    if one.reference is not None and one.reference.routed:
        parts["free"] = sql.SQL("w.meant IS NOT NULL AND num_nonnulls({}) = 0").format(
            sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in one.reference.routed)
        )
    sides.do(
        sql.SQL(
            "UPDATE {real} t SET {column} = w.meant::{kind} FROM {there} w WHERE {chosen} AND {free}"
            " AND ({value} IS NULL OR {value}::text = w.target_id) AND {value}::text IS DISTINCT FROM w.meant"
        ).format(**parts)
    )


def _change_pairs(sides: Sides, one: _Waits, own: str, numbers: list[int]) -> None:
    """Add the pairs; those that stood there with a derived id go where the row has another one, or there is none."""
    mine, other = one.fed.fed(own), one.fed.fed(one.column.name)
    reference = mine.column.reference if mine is not None else None
    if mine is None or other is None or reference is None:
        return
    parts = {
        "real": sides.real(one.fed.name),
        "own": sql.Identifier(own),
        "other": sql.Identifier(other.name),
        "own_kind": sql.SQL(mine.there.type),  # pyright: ignore[reportArgumentType]  the catalog's words
        "other_kind": sql.SQL(other.there.type),  # pyright: ignore[reportArgumentType]  the catalog's words
        "there": THERE,
        "chosen": sql.SQL("{} AND w.done AND w.number = ANY({}::bigint[])").format(one.listed, sql.Literal(numbers)),
        "holder": sides.real(reference.table),
        "holder_key": sql.Identifier(reference.column),
    }
    sides.do(
        sql.SQL(
            "DELETE FROM {real} t USING {there} w WHERE {chosen} AND t.{own}::text = w.row_id"
            " AND t.{other}::text = w.target_id AND w.meant IS DISTINCT FROM w.target_id"
        ).format(**parts)
    )
    values = {
        own: sql.SQL("h.{holder_key}::{own_kind}").format(**parts),
        one.column.name: sql.SQL("w.meant::{other_kind}").format(**parts),
    }
    wanted = sql.SQL(
        "SELECT DISTINCT {values} FROM {there} w JOIN {holder} h ON h.{holder_key}::text = w.row_id WHERE {chosen}"
        " AND w.meant IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM {real} t WHERE t.{own}::text = w.row_id AND t.{other}::text = w.meant)"
    ).format(values=sql.SQL(", ").join(values[column.name] for column in one.fed.columns), **parts)
    insert_pairs(sides, one.fed, wanted)
