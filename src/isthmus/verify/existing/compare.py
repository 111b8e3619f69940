"""What differs between given rows and real ones, column by column as texts, in a temporary table `differing`.

Nothing is explained here. Rows are found by what they are known by; of child rows also by their places.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from isthmus.mapping.tables import Column, Table
from isthmus.state.kept_values import EXTRAS, ROW
from isthmus.verify.existing.given import key_column
from isthmus.verify.existing.known import Known, named_columns
from isthmus.verify.looking import of_row

DIFFERING = sql.Identifier("pg_temp", "isthmus_differing")
_AT_ONCE = 200
"""Columns a statement."""


@dataclass
class Compared:
    """What was compared of a table.

    Attributes:
        given: Rows that the source gives, or pairs.
        met: Those of them that are there.
        columns: Names of the columns.
        joined: Given rows of documents that were joined with others, and are not compared.
        joined_met: Those of `met` that are such rows.
    """

    given: int = 0
    met: int = 0
    columns: tuple[str, ...] = ()
    joined: int = 0
    joined_met: int = 0


def prepare(known: Known) -> None:
    """Make the table of what differs; `raw` is the id that a document's reference has before it is followed."""
    known.do(
        "CREATE TEMPORARY TABLE {differing} (root text, table_name text, path text, own text, row_id text,"
        " positions integer[], given text, actual text, why text, raw text)",
        differing=DIFFERING,
    )


def compare_table(known: Known, table: Table) -> Compared:
    """Compare a root or child table."""
    root = known.root_of(table)
    own = key_column(table)
    if root.column(key_column(root)).hidden and not known.key(root):
        return _compare_as_wholes(known, table)
    columns = [
        column
        for column in named_columns(table, known.there.columns[table.name])
        if column.role not in {"id", "root_id", "ancestor_position", "position", "source"}
        and not (table.kind == "root" and column.name in known.key(table))
    ]
    parts: dict[str, sql.Composable] = {
        "differing": DIFFERING,
        "root": sql.Literal(root.name),
        "table": sql.Literal(table.name),
        "given": _given(known, table),
        "rows": known.given.place(root.name, "rows"),
        "real": known.real(table.name),
        "own": of_row(own, "g"),
        "positions": known.positions(table, "g"),
        "there": same_row(known, table),
    }
    found = Compared(columns=tuple(column.name for column in columns))
    joined = _JOINED.format(names=sql.Literal(list(root.collections)))
    parts["alone"] = sql.SQL("NOT {}").format(joined)
    found.given = known.number("SELECT count(*) FROM {given} g", **parts)
    if known.subject.mapping.joins(root.entries) and root.name not in known.joined:
        found.joined = known.number(
            "SELECT count(*) FROM {given} g JOIN {rows} r ON r.own = {own}::text WHERE NOT {alone}", **parts
        )
    else:
        parts["alone"] = sql.SQL("true").format()
    found.met = known.number(
        "SELECT count(*) FROM {given} g JOIN {rows} r ON r.own = {own}::text JOIN {real} t ON {there}", **parts
    )
    if found.joined:
        found.joined_met = known.number(
            "SELECT count(*) FROM {given} g JOIN {rows} r ON r.own = {own}::text JOIN {real} t ON {there}"
            " WHERE NOT {alone}",
            **parts,
        )
    for start in range(0, len(columns), _AT_ONCE):
        pairs = [_pair(known, table, column) for column in columns[start : start + _AT_ONCE]]
        known.do(
            "INSERT INTO {differing} SELECT {root}, {table}, x.path, r.own, r.row_id, {positions}, x.given, x.actual,"
            " NULL, x.raw FROM {given} g JOIN {rows} r ON r.own = {own}::text JOIN {real} t ON {there}"
            " CROSS JOIN LATERAL (VALUES {pairs}) AS x(path, given, actual, raw)"
            " WHERE x.given IS DISTINCT FROM x.actual AND {alone}",
            pairs=sql.SQL(", ").join(pairs),
            **parts,
        )
    known.do(
        "INSERT INTO {differing} SELECT {root}, {table}, {row}, r.own, r.row_id, {positions}, 'a row', NULL"
        " FROM {given} g JOIN {rows} r ON r.own = {own}::text"
        " WHERE {alone} AND NOT EXISTS (SELECT FROM {real} t WHERE {there})",
        row=sql.Literal(ROW),
        **parts,
    )
    known.do(  # a key that is there twice: a table need not have it as its own
        "INSERT INTO {differing} SELECT {root}, {table}, {row}, r.own, r.row_id, {positions}, 'one row',"
        " count(*)::text || ' rows' FROM {given} g JOIN {rows} r ON r.own = {own}::text JOIN {real} t ON {there}"
        " WHERE {alone} GROUP BY r.own, r.row_id, {positions} HAVING count(*) > 1",
        row=sql.Literal(ROW),
        **parts,
    )
    if table.kind == "child":
        _surplus(known, table, parts)
    _compare_extras(known, table, parts)
    return found


_JOINED = sql.SQL(
    "EXISTS (SELECT FROM isthmus.id_map j WHERE j.origin = 'merged' AND j.collection = ANY({names})"
    " AND (j.derived_id = r.own OR j.id IN (r.own, r.row_id)))"
)


def _given(known: Known, table: Table) -> sql.Identifier:
    return known.given.place(table.name)


def same_row(known: Known, table: Table) -> sql.Composed:
    """Return SQL that is true of the real row `t` of a given one `g`, known as `r`."""
    if table.kind == "root":
        return sql.SQL("{} = r.row_id").format(known.row_text(table, "t"))
    places = [column.name for column in table.columns if column.role in {"ancestor_position", "position"}]
    same = [sql.SQL("{}::text = r.row_id").format(of_row(key_column(table), "t"))]
    same += [sql.SQL("{} = {}").format(of_row(name, "t"), of_row(name, "g")) for name in places]
    return sql.SQL(" AND ").join(same)


def _pair(known: Known, table: Table, column: Column) -> sql.Composed:
    there = known.there.columns[table.name][column.name]
    raw: sql.Composable = sql.SQL("NULL::text")
    if column.reference is not None and not column.type.array:
        raw = sql.SQL("{}::text").format(of_row(column.name, "g"))
    return sql.SQL("({}, {}, {}, {})").format(
        sql.Literal(column.name), known.text(table, column, "g"), there.own_text(of_row(column.name, "t")), raw
    )


def _surplus(known: Known, table: Table, parts: dict[str, sql.Composable]) -> None:
    """Enter child rows of documents that these do not have."""
    places = [column.name for column in table.columns if column.role in {"ancestor_position", "position"}]
    same = sql.SQL(" AND ").join(
        [
            sql.SQL("{}::text = r.own").format(of_row(key_column(table), "g")),
            *(sql.SQL("{} = {}").format(of_row(name, "t"), of_row(name, "g")) for name in places),
        ]
    )
    known.do(
        "INSERT INTO {differing} SELECT {root}, {table}, {row}, r.own, r.row_id, {there_positions}, NULL, 'a row'"
        " FROM {real} t JOIN {rows} r ON r.row_id = {owner}::text WHERE {alone}"
        " AND NOT EXISTS (SELECT FROM {given} g WHERE {same})",
        **{
            **parts,
            "same": same,
            "row": sql.Literal(ROW),
            "owner": of_row(key_column(table), "t"),
            "there_positions": known.positions(table, "t"),
        },
    )


def _compare_extras(known: Known, table: Table, parts: dict[str, sql.Composable]) -> None:
    """Compare fields that nobody named, where the table has no column for them."""
    extras = next((column for column in table.columns if column.role == "extras"), None)
    if extras is None or extras.name in known.there.columns[table.name]:
        return
    known.do(
        "INSERT INTO {differing} SELECT {root}, {table}, {path}, r.own, r.row_id, {positions}, {value}::text,"
        " e.document::text FROM {given} g JOIN {rows} r ON r.own = {own}::text LEFT JOIN isthmus.extras e"
        " ON e.table_schema = {schema} AND e.table_name = {table} AND e.id = r.row_id AND e.row_position = {positions}"
        " WHERE {value}::text IS DISTINCT FROM e.document::text AND {alone}",
        **{
            **parts,
            "path": sql.Literal(EXTRAS),
            "value": of_row(extras.name, "g"),
            "schema": sql.Literal(known.subject.schema.schema),
        },
    )


def _compare_as_wholes(known: Known, table: Table) -> Compared:
    """Compare a table that nothing tells the rows of: every row as often as it is given."""
    columns = [column for column in named_columns(table, known.there.columns[table.name]) if column.role != "source"]
    given = sql.SQL(", ").join(known.text(table, column, "g") for column in columns)
    real = sql.SQL(", ").join(
        known.there.columns[table.name][column.name].own_text(of_row(column.name, "t")) for column in columns
    )
    parts = {
        "differing": DIFFERING,
        "table": sql.Literal(table.name),
        "row": sql.Literal(ROW),
        "expected": sql.SQL("SELECT ROW({})::text AS x FROM {} g").format(given, known.given.place(table.name)),
        "actual": sql.SQL("SELECT ROW({})::text AS x FROM {} t").format(real, known.real(table.name)),
    }
    found = Compared(columns=tuple(column.name for column in columns))
    found.given = known.number("SELECT count(*) FROM ({expected}) g", **parts)
    known.do(
        "INSERT INTO {differing} SELECT {table}, {table}, {row}, NULL, NULL, '{{}}', x.x, NULL"
        " FROM ({expected} EXCEPT ALL {actual}) x",
        **parts,
    )
    missing = known.number("SELECT count(*) FROM {differing} WHERE table_name = {table}", **parts)
    found.met = found.given - missing
    known.do(
        "INSERT INTO {differing} SELECT {table}, {table}, {row}, NULL, NULL, '{{}}', NULL, x.x"
        " FROM ({actual} EXCEPT ALL {expected}) x",
        **parts,
    )
    return found
