"""Given rows of documents that are one thing, joined in the temporary tables as the copy must have joined them.

It goes by the map of things alone, not by what the ledgers say of joined documents. Where references of such rows lead
is followed later, as for all given rows; values that point at nothing are known from the ledger, and are none.

Cannot see: tables of things with references that are looked up; these are told as not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cmp_to_key
from typing import LiteralString

from psycopg import sql

from isthmus._rust import compare_ids
from isthmus.mapping.tables import HIDDEN_FILLED, HIDDEN_SOURCE, HIDDEN_THING, Column, Reference, Table
from isthmus.verify.existing.given import Given, key_column
from isthmus.verify.looking import of_row
from isthmus.verify.subject import Subject
from isthmus.verify.things import Part

_PARTS = sql.Identifier("pg_temp", "isthmus_part")
_FILLED = {"value", "reference", "constant", "extras"}


def join_given(subject: Subject, given: Given, parts: Mapping[str, Iterable[Sequence[Part]]]) -> frozenset[str]:
    """Join the given rows of every table of things; return the names of their root and child tables.

    Args:
        subject: What is verified.
        given: The rows, all of them there.
        parts: See `parts_of_things`.
    """
    done: set[str] = set()
    waiting = {one.table for one in given.pending.values() if not one.pairs}
    for name in subject.mapping.thing_tables:
        table = subject.schema.tables[name]
        below = _below(subject, table)
        if table.column(key_column(table)).hidden or waiting & {table.name, *(one.name for one in below)}:
            continue
        _join(subject, given, table, parts.get(name, ()))
        done |= {table.name, *(one.name for one in below)}
    return frozenset(done)


def _in_order(things: Iterable[Sequence[Part]]) -> Iterator[tuple[str, int]]:
    """Yield the id of each document with its place among those of its thing, in the order of `_id`.

    Of equal `_id`s of several collections the first flow's comes first.
    """

    def compare(left: Part, right: Part) -> int:
        return compare_ids(left.document, right.document) or left.flow - right.flow

    for parts in things:
        for place, part in enumerate(sorted(parts, key=cmp_to_key(compare))):
            yield part.own, place


def _below(subject: Subject, table: Table) -> list[Table]:
    children = [one for one in subject.schema.tables.values() if one.parent == table.name]
    return [one for child in children for one in (child, *_below(subject, child))]


def _join(subject: Subject, given: Given, table: Table, things: Iterable[Sequence[Part]]) -> None:
    connection = given.connection
    key = key_column(table)
    parts: dict[str, sql.Composable] = {
        "parts": _PARTS,
        "given": given.place(table.name),
        "key": sql.Identifier(key),
        "thing": sql.Identifier(HIDDEN_THING),
    }
    connection.execute("DROP TABLE IF EXISTS pg_temp.isthmus_place, pg_temp.isthmus_part")
    connection.execute("CREATE TEMPORARY TABLE isthmus_place (own text, place integer)")
    with connection.cursor() as cursor, cursor.copy("COPY pg_temp.isthmus_place FROM STDIN") as copy:
        for row in _in_order(things):
            copy.write_row(row)
    connection.execute("CREATE INDEX ON pg_temp.isthmus_place (own)")
    connection.execute("ANALYZE pg_temp.isthmus_place")
    connection.execute(
        sql.SQL(
            "CREATE TEMPORARY TABLE isthmus_part AS SELECT own, first_value(own) OVER same AS keeper,"
            " (row_number() OVER same)::integer - 1 AS place FROM (SELECT g.{key}::text AS own, g.{thing} AS thing,"
            " p.place FROM {given} g JOIN pg_temp.isthmus_place p ON p.own = g.{key}::text) w"
            " WINDOW same AS (PARTITION BY thing ORDER BY (own = thing) DESC, place)"
        ).format(**parts)
    )
    connection.execute(
        "DELETE FROM pg_temp.isthmus_part p WHERE NOT EXISTS (SELECT FROM pg_temp.isthmus_part o"
        " WHERE o.keeper = p.keeper AND o.place = 1)"
    )
    for column in ("own", "keeper"):
        connection.execute(sql.SQL("CREATE INDEX ON {} ({})").format(_PARTS, sql.Identifier(column)))
    connection.execute("ANALYZE pg_temp.isthmus_part")
    _forget_orphans(subject, given, table)
    columns = [column for column in table.columns if column.role in _FILLED]
    values = [_value(subject, given, table, column) for column in columns]
    names = [sql.Identifier(column.name) for column in columns]
    if columns:
        connection.execute(
            sql.SQL(
                "CREATE TEMPORARY TABLE isthmus_joined AS SELECT k.own, {values} FROM {parts} k WHERE k.place = 0"
            ).format(
                values=sql.SQL(", ").join(
                    sql.SQL("{} AS {}").format(value, name) for value, name in zip(values, names, strict=True)
                ),
                parts=_PARTS,
            )
        )
        connection.execute(
            sql.SQL("UPDATE {given} g SET {changes} FROM pg_temp.isthmus_joined j WHERE g.{key}::text = j.own").format(
                changes=sql.SQL(", ").join(sql.SQL("{0} = j.{0}").format(name) for name in names), **parts
            )
        )
        connection.execute("DROP TABLE pg_temp.isthmus_joined")
    for child in [one for one in subject.schema.tables.values() if one.parent == table.name]:
        _shift(subject, given, table, child)
    connection.execute(
        sql.SQL("DELETE FROM {given} g USING {parts} p WHERE p.own = g.{key}::text AND p.place > 0").format(**parts)
    )
    connection.execute(sql.SQL("ANALYZE {}").format(given.place(table.name)))


def _forget_orphans(subject: Subject, given: Given, table: Table) -> None:
    """Take out of rows that will be one what pointed at nothing before: it fills no row, and others do instead of it.

    The ledger names it by the row that it was in. Of child rows only those that will be another's are concerned; of
    arrays of root rows the ledger speaks as of the row that took them over. What leads to a row is not believed.
    """
    for one in (table, *_below(subject, table)):
        positions = [column.name for column in one.columns if column.role in {"ancestor_position", "position"}]
        for column in one.columns:
            reference = column.reference
            if reference is None or (column.type.array and one is table):
                continue
            parts: dict[str, sql.Composable] = {
                "given": given.place(one.name),
                "column": sql.Identifier(column.name),
                "parts": _PARTS,
                "key": sql.Identifier(key_column(one)),
                "at": sql.SQL("ARRAY[{}]::integer[]").format(
                    sql.SQL(", ").join(of_row(name, "g") for name in positions)
                ),
                "run": sql.Literal(subject.run.id),
                "table": sql.Literal(one.name),
                "name": sql.Literal("|".join(reference.routed) if reference.routed else column.name),
            }
            listed = sql.SQL(
                "SELECT o.row_id, coalesce(o.row_position, '{{}}') AS at, o.action FROM isthmus.orphan o"
                " JOIN {parts} p ON p.own = o.row_id AND p.place >= {first} WHERE o.run_id = {run}"
                " AND o.table_name = {table} AND o.column_name = {name} AND NOT ({leads})"
            ).format(first=sql.Literal(0 if one is table else 1), leads=_leads(subject, reference), **parts)
            change = _WITHOUT_ELEMENTS if column.type.array else _WITHOUT_VALUE
            given.connection.execute(sql.SQL(change).format(listed=listed, **parts))


def _leads(subject: Subject, reference: Reference) -> sql.Composable:
    """Return SQL that is true of an orphan `o` whose target is a row after all; not asked of routes."""
    target = subject.schema.tables[reference.table]
    if reference.routed or reference.by is not None or target.column(key_column(target)).hidden:
        return sql.SQL("false")
    return sql.SQL("EXISTS (SELECT FROM {} t WHERE t.{}::text = o.target_id)").format(
        sql.Identifier(subject.schema.schema, target.name), sql.Identifier(key_column(target))
    )


_WITHOUT_VALUE: LiteralString = (
    "UPDATE {given} g SET {column} = NULL FROM ({listed}) o WHERE o.row_id = g.{key}::text AND o.at = {at}"
    " AND o.action = 'null'"
)
_WITHOUT_ELEMENTS: LiteralString = (
    "UPDATE {given} g SET {column} = ARRAY(SELECT CASE WHEN o.action IS NULL THEN e.v END FROM unnest(g.{column})"
    " WITH ORDINALITY e(v, n) LEFT JOIN ({listed}) o ON o.row_id = g.{key}::text AND o.at = {at} || (e.n - 1)::integer"
    " WHERE o.action IS DISTINCT FROM 'drop' ORDER BY e.n) WHERE EXISTS (SELECT FROM ({listed}) o"
    " WHERE o.row_id = g.{key}::text AND trim_array(o.at, 1) = {at})"
)


def _value(subject: Subject, given: Given, table: Table, column: Column) -> sql.Composed:
    """Return SQL of what the row of a part `k` holds in the end: the first value, in the order that counts."""
    parts: dict[str, sql.Composable] = {
        "parts": _PARTS,
        "given": given.place(table.name),
        "key": sql.Identifier(key_column(table)),
        "value": of_row(column.name, "l"),
    }
    source = sql.SQL("FROM {parts} p JOIN {given} l ON l.{key}::text = p.own WHERE p.keeper = k.own").format(**parts)
    if column.role == "extras":
        return sql.SQL(
            "CASE WHEN EXISTS (SELECT {source} AND {value} IS NOT NULL) THEN (SELECT coalesce(jsonb_object_agg(e.key,"
            " e.value ORDER BY p.place DESC), '{{}}') FROM {parts} p JOIN {given} l ON l.{key}::text = p.own"
            " CROSS JOIN jsonb_each({value}) e WHERE p.keeper = k.own) END"
        ).format(source=source, **parts)
    routed = column.reference.routed if column.reference is not None else ()
    has = sql.SQL("{} IS NOT NULL").format(parts["value"])
    if routed:
        has = sql.SQL("num_nonnulls({}) > 0").format(sql.SQL(", ").join(of_row(name, "l") for name in routed))
    return sql.SQL("(SELECT {value} {source} AND {has} ORDER BY {first}p.place LIMIT 1)").format(
        value=parts["value"], source=source, has=has, first=_first(subject, table, column)
    )


def _first(subject: Subject, table: Table, column: Column) -> sql.Composable:
    flows: Sequence[int] = sorted(subject.mapping.winning(table.name, column.name))
    said = sql.SQL("").format()
    if column.by_default and any(one.name == HIDDEN_FILLED for one in table.columns):  # what a default filled is last
        said = sql.SQL("({} = ANY ({})) IS TRUE, ").format(sql.Literal(column.name), of_row(HIDDEN_FILLED, "l"))
    if not flows or len(table.flows) < 2:
        return said
    numbers = sql.SQL(", ").join(sql.Literal(number) for number in flows)
    return said + sql.SQL("({} IN ({})) DESC, ").format(of_row(HIDDEN_SOURCE, "l"), numbers)


def _shift(subject: Subject, given: Given, table: Table, child: Table) -> None:
    """Let the child rows of joined documents be those of the row that stays, behind what it has."""
    position = [column.name for column in child.columns if column.role in {"ancestor_position", "position"}][-1]
    given.connection.execute(
        sql.SQL(
            "CREATE TEMPORARY TABLE isthmus_shift AS SELECT p.own, p.keeper, coalesce(sum(n.size) OVER (PARTITION BY"
            " p.keeper ORDER BY p.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::integer AS shift"
            " FROM {parts} p CROSS JOIN LATERAL (SELECT coalesce(max(c.{position}) + 1, 0) AS size FROM {child} c"
            " WHERE c.{owner}::text = p.own) n"
        ).format(
            parts=_PARTS,
            position=sql.Identifier(position),
            child=given.place(child.name),
            owner=sql.Identifier(key_column(child)),
        )
    )
    kind = given.kind(table.column(key_column(table)))
    for one in [child, *_below(subject, child)]:
        first = next(column.name for column in one.columns if column.role in {"ancestor_position", "position"})
        given.connection.execute(
            sql.SQL(
                "UPDATE {place} c SET {owner} = s.keeper::{kind}, {first} = c.{first} + s.shift"
                " FROM pg_temp.isthmus_shift s WHERE c.{owner}::text = s.own"
            ).format(
                place=given.place(one.name),
                owner=sql.Identifier(key_column(one)),
                kind=kind,
                first=sql.Identifier(first),
            )
        )
        given.connection.execute(sql.SQL("ANALYZE {}").format(given.place(one.name)))
    given.connection.execute("DROP TABLE pg_temp.isthmus_shift")
