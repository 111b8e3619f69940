"""Pairs of junctions that were there before the copy: all that documents name are there, or their absence is told."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from isthmus.mapping.tables import Table
from isthmus.state.kept_values import ROW
from isthmus.verify.existing.accounts import ORPHANS
from isthmus.verify.existing.compare import DIFFERING, Compared
from isthmus.verify.existing.given import key_column
from isthmus.verify.existing.known import Known
from isthmus.verify.looking import of_row


def compare_pairs(known: Known, table: Table, new: Mapping[str, sql.Composable]) -> Compared:
    """Compare a junction.

    Args:
        known: The rows.
        table: The junction.
        new: Root table → SQL that is true of documents (`r`) whose row this copy alone can have made, so that their
            pairs are nobody else's.
    """
    place = known.given.place(table.name)
    for waiting in known.given.pending.values():
        if waiting.pairs and waiting.table == table.name:
            target = known.subject.schema.tables[waiting.reference.table]
            known.do(
                "INSERT INTO {place} ({own}, {other}) SELECT {mine}, h.result::{kind} FROM {waiting} p JOIN {held} h"
                " ON h.value = {value}::text",
                place=place,
                own=sql.Identifier(waiting.keys[0][0]),
                other=sql.Identifier(waiting.column),
                mine=of_row(waiting.keys[0][0], "p"),
                kind=known.given.kind(table.column(waiting.column)),
                waiting=sql.Identifier("pg_temp", waiting.name),
                held=known.holders(target, waiting.reference.by or key_column(target), waiting.reference.column),
                value=of_row(waiting.value, "p"),
            )
    _forget_orphans(known, table)
    first, second = table.columns
    wanted = known.given.place(table.name, "wanted")
    known.do(
        "CREATE TEMPORARY TABLE {wanted} AS SELECT DISTINCT {a}::text AS given_a, {b}::text AS given_b,"
        " {one} AS a, {two} AS b FROM {place} g",
        wanted=wanted,
        a=of_row(first.name, "g"),
        b=of_row(second.name, "g"),
        one=known.text(table, first, "g"),
        two=known.text(table, second, "g"),
        place=place,
    )
    known.do("ANALYZE {wanted}", wanted=wanted)
    parts = {
        "wanted": wanted,
        "real": known.real(table.name),
        "same": sql.SQL("{} = w.a AND {} = w.b").format(
            *(known.there.columns[table.name][one.name].own_text(of_row(one.name, "t")) for one in table.columns)
        ),
        "differing": DIFFERING,
        "table": sql.Literal(table.name),
        "row": sql.Literal(ROW),
    }
    found = Compared(columns=(first.name, second.name))
    found.given = known.number("SELECT count(*) FROM (SELECT DISTINCT a, b FROM {wanted}) w", **parts)
    found.met = known.number(
        "SELECT count(*) FROM (SELECT DISTINCT a, b FROM {wanted}) w WHERE EXISTS (SELECT FROM {real} t WHERE {same})",
        **parts,
    )
    known.do(
        "INSERT INTO {differing} SELECT {table}, {table}, {row}, NULL, w.a || '/' || w.b, '{{}}', 'a pair', NULL, {why}"
        " FROM (SELECT DISTINCT given_a, given_b, a, b FROM {wanted}) w"
        " WHERE NOT EXISTS (SELECT FROM {real} t WHERE {same})",
        why=_why(known, table),
        **parts,
    )
    texts = [known.there.columns[table.name][one.name].own_text(of_row(one.name, "t")) for one in table.columns]
    known.do(
        "INSERT INTO {differing} SELECT {table}, {table}, {row}, NULL, {a} || '/' || {b}, '{{}}', 'one pair',"
        " count(*)::text || ' pairs' FROM {real} t JOIN (SELECT DISTINCT a, b FROM {wanted}) w ON {same}"
        " GROUP BY {a}, {b} HAVING count(*) > 1",
        a=texts[0],
        b=texts[1],
        **parts,
    )
    known.do(
        "INSERT INTO {differing} SELECT {table}, {table}, {row}, NULL, {a} || '/' || {b}, '{{}}', NULL, 'a pair'"
        " FROM {real} t WHERE ({ours}) AND NOT EXISTS (SELECT FROM {wanted} w WHERE {same})",
        a=texts[0],
        b=texts[1],
        ours=_ours(known, table, new),
        **parts,
    )
    return found


def _forget_orphans(known: Known, table: Table) -> None:
    """Leave out pairs with an end that is not there, where the ledger has them."""
    for column in table.columns:
        other = next(one for one in table.columns if one is not column)
        known.do(
            "DELETE FROM {place} g USING {orphans} o WHERE o.table_name = {table} AND o.column_name = {name}"
            " AND o.action = 'drop' AND o.row_id = {own}::text AND o.target_id = {value}::text",
            place=known.given.place(table.name),
            orphans=ORPHANS,
            table=sql.Literal(table.name),
            name=sql.Literal(column.name),
            own=of_row(other.name, "g"),
            value=of_row(column.name, "g"),
        )


def _why(known: Known, table: Table) -> sql.Composed:
    """Return SQL of why a pair `w` is not there rightly: it, or one of its documents, was deleted, or it waits."""
    whens: list[sql.Composed] = []
    if known.number("SELECT (to_regclass('isthmus.kept_value') IS NOT NULL)::integer"):
        whens.append(
            sql.SQL(
                "WHEN EXISTS (SELECT FROM isthmus.kept_value k WHERE k.run_id = {} AND k.table_name = {}"
                " AND k.source_row_id = w.a || '/' || w.b AND k.why = 'deleted') THEN 'deleted'"
            ).format(sql.Literal(known.subject.run.id), sql.Literal(table.name))
        )
    names = ("a", "b")
    for number, column in enumerate(table.columns):
        own, other = names[number], names[1 - number]
        whens.append(
            sql.SQL(
                "WHEN EXISTS (SELECT FROM isthmus.pending_reference p WHERE p.table_schema = {} AND p.table_name = {}"
                " AND p.own_column = {} AND p.row_id = w.{} AND p.target_id IN (w.{}, w.{})) THEN 'waiting'"
            ).format(
                sql.Literal(known.subject.schema.schema),
                sql.Literal(table.name),
                sql.Literal(column.name),
                sql.Identifier(own),
                sql.Identifier(other),
                sql.Identifier(f"given_{other}"),
            )
        )
        target = column.reference.table if column.reference is not None else ""
        whens.append(
            sql.SQL(
                "WHEN EXISTS (SELECT FROM {} d WHERE d.root = {} AND d.table_name = {} AND d.path = {}"
                " AND d.why = 'deleted' AND d.own = w.{}) THEN 'deleted'"
            ).format(
                DIFFERING, sql.Literal(target), sql.Literal(target), sql.Literal(ROW), sql.Identifier(f"given_{own}")
            )
        )
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join(whens))


def _ours(known: Known, table: Table, new: Mapping[str, sql.Composable]) -> sql.Composed:
    """Return SQL that is true of real pairs `t` with an end that is a row this copy alone can have made."""
    parts: list[sql.Composable] = []
    for column in table.columns:
        reference = column.reference
        target = known.subject.schema.tables[reference.table] if reference is not None else None
        if reference is not None and target is not None and reference.column == key_column(target):
            parts.append(
                sql.SQL("EXISTS (SELECT FROM {} r WHERE r.row_id = {}::text AND {})").format(
                    known.given.place(target.name, "rows"), of_row(column.name, "t"), new[target.name]
                )
            )
    return sql.SQL(" OR ").join([*parts, sql.SQL("false")])
