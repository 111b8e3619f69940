"""References of rows that stay to rows that go: those that copies set wait again, as if the rows had never come.

`isthmus.pending_reference` gets them, and a later copy sets them. What others wrote is left to `referring`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from psycopg import sql

from isthmus.connect.jsonb_paths import values_inside
from isthmus.mapping.model import FieldPath
from isthmus.mapping.paths import show_path
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.row_state import digests, following
from isthmus.transfer.existing.waiting import keys_of, may_be_empty
from isthmus.transfer.existing.waiting_there import look_again
from isthmus.transfer.undoing.taking import Taking

BACK = sql.Identifier("pg_temp", "going_back")
"""What waits again: a row for each reference; `empties` where the column is NULL meanwhile."""


@dataclass(frozen=True)
class _Site:
    """A column, or a place inside jsonb, that may lead to rows that go.

    Attributes:
        fed: The table that has it.
        root: Root table of the rows it stands in.
        target: The root table it leads to.
        column: The column.
        result: Column of that table whose value it has.
        by: Column of that table that a copy looks it up by.
        empties: Whether the column is NULL as long as it waits; of an array the element.
        array: Whether it is an array.
        path: The place inside jsonb; None for others.
    """

    fed: FedTable
    root: FedTable
    target: FedTable
    column: str
    result: str
    by: str
    empties: bool
    array: bool = False
    path: FieldPath | None = None

    @property
    def name(self) -> str:
        """Its name in the ledger."""
        return self.column if self.path is None else f"{self.column}.{show_path(self.path)}"


def find_references(taking: Taking) -> None:
    """Fill `going_back` with the references that can wait again: in tracked rows that nobody has written to since."""
    sides = taking.sides
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE going_back (table_name text, column_name text, own_column text, row_id text,"
            " row_position integer[], target_table text, target_id text, root_name text, column_there text,"
            " empties boolean) ON COMMIT DROP"
        )
    )
    for site in _sites(taking):
        sides.do(_list(taking, site))
    sides.do(sql.SQL("CREATE INDEX ON {} (table_name, column_there, row_id)").format(BACK))
    sides.do(sql.SQL("ANALYZE {}").format(BACK))
    for root in _roots(taking):
        _keep_untouched(taking, root)


def count_references(taking: Taking) -> None:
    """Enter how many wait again, once pairs are among them."""
    rows = taking.sides.connection.execute(
        sql.SQL("SELECT table_name || '.' || column_name, count(*) FROM {} GROUP BY 1 ORDER BY 1").format(BACK)
    ).fetchall()
    taking.result.waiting.update({str(name): int(count) for name, count in rows})


def _sites(taking: Taking) -> Iterator[_Site]:
    sides, taken = taking.sides, {fed.name: fed for fed in taking.roots}
    for fed in sides.existing.tables.values():
        if fed.table.kind == "junction" or sides.rule(sides.root_of(fed.table).table).rerun != "tracked":
            continue
        root = sides.root_of(fed.table)
        for there in fed.columns:
            column, reference = there.column, there.column.reference
            if reference is not None and reference.table in taken:
                looked_up = reference.lookup or bool(reference.routed)
                empties = looked_up if column.type.array else looked_up or bool(keys_of(fed, column.name))
                if empties and not column.type.array and not may_be_empty(sides.existing, fed.name, column.name):
                    continue
                by = reference.by if reference.lookup and reference.by is not None else reference.column
                target = taken[reference.table]
                yield _Site(fed, root, target, column.name, reference.column, by, empties, column.type.array)
            for path, entry in column.rewrites:
                target = taken.get(sides.job.mapping.collections[entry].table)
                if target is not None and not target.is_idless:
                    key = target.row_key[0]
                    yield _Site(fed, root, target, column.name, key, key, False, path=path)


def _list(taking: Taking, site: _Site) -> sql.Composed:
    sides, fed = taking.sides, site.fed
    value: sql.Composable = sql.SQL("r.{}").format(sql.Identifier(site.column))
    source: sql.Composable = sql.SQL("{} r").format(sides.real(fed.name))
    positions: list[sql.Composable] = [sql.SQL("r.{}").format(sql.Identifier(name)) for name in sides.positions(fed)]
    if site.array:
        source += sql.SQL(" CROSS JOIN LATERAL unnest({}) WITH ORDINALITY AS e(v, n)").format(value)
        value = sql.SQL("e.v")
        positions.append(sql.SQL("(e.n - 1)::integer"))
    elif site.path is not None:
        inside, value = values_inside(sql.SQL("{}::jsonb").format(value), site.path)
        source += inside
    return sql.SQL(
        "INSERT INTO {back} SELECT {table}, {name}, NULL, {row_id}::text, ARRAY[{positions}]::integer[], {target},"
        " v.by, {root}, {column}, {empties} FROM {source} JOIN {values} ON v.value = {value}::text WHERE NOT {goes}"
    ).format(
        back=BACK,
        table=sql.Literal(fed.name),
        name=sql.Literal(site.name),
        row_id=_row_id(taking, site, "r"),
        positions=sql.SQL(", ").join(positions),
        target=sql.Literal(site.target.name),
        root=sql.Literal(site.root.name),
        column=sql.Literal(site.column),
        empties=sql.Literal(site.empties),
        source=source,
        values=values_of(taking, site.target, site.result, site.by),
        value=value,
        goes=taking.goes(fed, "r"),
    )


def values_of(taking: Taking, target: FedTable, result: str, by: str) -> sql.Composed:
    """Return a FROM item `v` of rows that go: what references have (`value`), what a copy looks up (`by`), as text."""
    return sql.SQL(
        "(SELECT DISTINCT ON (x.{result}) x.{result}::text AS value, x.{by}::text AS by FROM {real} x WHERE {goes}"
        " AND x.{by} IS NOT NULL ORDER BY x.{result}) AS v"
    ).format(
        result=sql.Identifier(result),
        by=sql.Identifier(by),
        real=taking.sides.real(target.name),
        goes=taking.goes(target, "x"),
    )


def _row_id(taking: Taking, site: _Site, alias: str) -> sql.Composed:
    sides = taking.sides
    if site.fed is site.root:
        return sides.row_id(site.root, alias)
    return sql.SQL("{}.{}").format(sql.Identifier(alias), sides.owner(site.fed))


def _roots(taking: Taking) -> list[FedTable]:
    rows = taking.sides.connection.execute(
        sql.SQL("SELECT DISTINCT root_name FROM {} WHERE own_column IS NULL").format(BACK)
    ).fetchall()
    return [taking.sides.existing.tables[str(name)] for (name,) in rows]


def _keep_untouched(taking: Taking, root: FedTable) -> None:
    """Leave out references of rows that no copy wrote, or that somebody has written to since: they may be theirs."""
    sides = taking.sides
    listed = sql.SQL("SELECT row_id FROM {} WHERE root_name = {}").format(BACK, sql.Literal(root.name))
    taking.drop("target", root)
    wanted = sql.SQL("{} AND {}::text IN ({})").format(sides.has_row_id(root), sides.row_id(root), listed)
    digests(sides, root, "target", wanted, real=True)
    sides.do(
        sql.SQL(
            "DELETE FROM {back} w WHERE w.root_name = {root} AND NOT EXISTS (SELECT FROM isthmus.row_state r"
            " JOIN {target} t ON t.id::text = r.id AND t.digest = r.loaded_digest WHERE r.table_schema = {schema}"
            " AND r.table_name = {root} AND r.id = w.row_id AND NOT r.collection = ANY({collections}))"
        ).format(
            back=BACK,
            root=sql.Literal(root.name),
            target=sides.temporary("target", root.name),
            schema=sql.Literal(sides.existing.schema),
            collections=sql.Literal(taking.collections),
        )
    )
    taking.drop("target", root)


def is_going_back(taking: Taking, fed: FedTable, columns: list[str], alias: str) -> sql.Composed:
    """Return SQL that is true of a row of a root or child table of which one of some columns will be NULL."""
    sides = taking.sides
    root = sides.root_of(fed.table)
    owner = sides.row_id(root, alias)
    if fed is not root:
        owner = sql.SQL("{}.{}").format(sql.Identifier(alias), sides.owner(fed))
    positions = (sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(n)) for n in sides.positions(fed))
    return sql.SQL(
        "EXISTS (SELECT FROM {} w WHERE w.table_name = {} AND w.column_there = ANY({}) AND w.empties"
        " AND w.row_id = {}::text AND w.row_position = ARRAY[{}]::integer[])"
    ).format(BACK, sql.Literal(fed.name), sql.Literal(columns), owner, sql.SQL(", ").join(positions))


def let_wait(taking: Taking) -> None:
    """Write what waits again, and empty its columns; what is known of the rows follows."""
    sides = taking.sides
    with ExitStack() as stack:
        for root in _roots(taking):
            ids = sql.SQL("SELECT row_id FROM {} WHERE root_name = {} AND own_column IS NULL").format(
                BACK, sql.Literal(root.name)
            )
            stack.enter_context(following(sides, root, ids))
        for site in _sites(taking):
            if site.empties:
                _empty(taking, site)
        sides.do(
            sql.SQL(
                "INSERT INTO isthmus.pending_reference (run_id, table_schema, table_name, column_name, own_column,"
                " row_id, row_position, target_table, target_id) SELECT DISTINCT {}::bigint, {}, table_name,"
                " column_name, own_column, row_id, row_position, target_table, target_id FROM {}"
            ).format(sql.Literal(sides.job.run.id), sql.Literal(sides.existing.schema), BACK)
        )
        look_again(sides)


def _empty(taking: Taking, site: _Site) -> None:
    sides, fed = taking.sides, site.fed
    column = sql.Identifier(site.column)
    positions = [sql.SQL("r.{}").format(sql.Identifier(name)) for name in sides.positions(fed)]
    listed = sql.SQL(
        "w.table_name = {} AND w.column_name = {} AND w.target_table = {} AND w.row_id = {}::text"
        " AND w.row_position[:{}] = ARRAY[{}]::integer[]"
    ).format(
        sql.Literal(fed.name),
        sql.Literal(site.name),
        sql.Literal(site.target.name),
        _row_id(taking, site, "r"),
        sql.Literal(len(positions)),
        sql.SQL(", ").join(positions),
    )
    value: sql.Composable = sql.SQL("NULL")
    if site.array:
        value = sql.SQL(
            "(SELECT array_agg(CASE WHEN NOT EXISTS (SELECT FROM {} w WHERE {} AND w.row_position[{}] = e.n - 1)"
            " THEN e.v END ORDER BY e.n) FROM unnest(r.{}) WITH ORDINALITY AS e(v, n))"
        ).format(BACK, listed, sql.Literal(len(positions) + 1), column)
    sides.do(
        sql.SQL("UPDATE {} r SET {} = {} WHERE EXISTS (SELECT FROM {} w WHERE {})").format(
            sides.real(fed.name), column, value, BACK, listed
        )
    )
