"""Rows that others wrote into the tables of what is taken back, since the first copy: they stay, and are told of.

Who goes back to MongoDB has none of them there. They are told from rows that stood there before by what the first copy
noted (`rows_before`); where nothing was noted, every row that no copy carried is listed.
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from isthmus.mapping.tables import Table
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.pair_state import pair_ids
from isthmus.transfer.existing.rows_before import (
    digest_before,
    forget_rows_before,
    has_rows_of_copies,
    known_by,
    noted_tables,
)
from isthmus.transfer.undoing.forgetting import last_run
from isthmus.transfer.undoing.result import Why, standing
from isthmus.transfer.undoing.taking import Taking


def look_at_others(taking: Taking, *, leave: bool) -> None:
    """Enter rows, child rows and pairs that others added since the first copy, of tables that something came to.

    Args:
        taking: What is taken back; its rows and pairs are judged.
        leave: Whether somebody said that they may be left; else they stand in the way.
    """
    noted = noted_tables(taking.sides)
    asked: list[FedTable] = []
    for root in taking.roots:
        if not root.row_key or not _came(taking, root):
            continue
        asked.append(root)
        _enter(taking, root.table, root.name in noted, _rows(taking, root, noted=root.name in noted), leave=leave)
        for child in taking.sides.children_of(root.name) if root.name in noted else ():
            if child.name in noted:
                _enter(taking, root.table, True, _child_rows(taking, root, child), leave=leave, named=child)
    for junction in taking.junctions:
        if any(root in asked for root in _feeding(taking, junction)):
            known = junction.name in noted
            _enter(taking, junction.table, known, _pairs(taking, junction, noted=known), leave=leave)


def forget_before(taking: Taking) -> None:
    """Let the next copy be the first one into tables that nothing of any copy is left in, once the rows are gone."""
    sides = taking.sides
    for root in taking.roots:
        if root.row_key and not has_rows_of_copies(sides, root):
            for fed in (root, *sides.children_of(root.name)):
                forget_rows_before(sides, fed)
    for junction in taking.junctions:
        if any(True for _ in _feeding(taking, junction)) and not has_rows_of_copies(sides, junction):
            forget_rows_before(sides, junction)


def _came(taking: Taking, root: FedTable) -> bool:
    """Tell whether there is anything to take back from a table: rows, or a run that brought none."""
    rows = sql.SQL("SELECT EXISTS (SELECT FROM {} u WHERE u.verdict <> 'deleted')::integer").format(taking.known(root))
    if taking.sides.one(rows):
        return True
    own = [name for name in root.table.collections if name in taking.collections]
    return last_run(taking.sides.connection, taking.sides.existing.schema, own) is not None


def _feeding(taking: Taking, junction: FedTable) -> Iterator[FedTable]:
    """Yield the root tables of documents which are taken back and that give pairs of a junction."""
    roots = {root.name: root for root in taking.roots}
    for feeder in taking.sides.job.feeders:
        if feeder.junction == junction.name and feeder.collection in taking.collections:
            own = taking.leads_to(junction, feeder.own)
            if own in roots:
                yield roots[own]


def _enter(
    taking: Taking, secret: Table, known: bool, query: sql.Composed, *, leave: bool, named: FedTable | None = None
) -> None:
    why: Why = "new" if known else "not-ours"
    count, ids = taking.texts(query)
    if count:
        found = standing(why, secret, "", count, ids, name=named.name if named is not None else None)
        (taking.result.left if leave else taking.result.in_the_way).append(found)


def _stood(taking: Taking, fed: FedTable, known: sql.Composable) -> sql.Composed:
    """Return SQL that is true of a row, known by some text, that stood in a table before the first copy."""
    sides, name = taking.sides, f"stood_{taking.sides.number(fed.name)}"
    if fed.name not in taking.stood:
        taking.stood.add(fed.name)
        sides.do(
            sql.SQL(
                "CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT unnest(b.digests) AS digest FROM isthmus.rows_before b"
                " WHERE b.table_schema = {} AND b.table_name = {}"
            ).format(sql.Identifier(name), sql.Literal(sides.existing.schema), sql.Literal(fed.name))
        )
        sides.do(sql.SQL("CREATE INDEX ON pg_temp.{} (digest)").format(sql.Identifier(name)))
        sides.do(sql.SQL("ANALYZE pg_temp.{}").format(sql.Identifier(name)))
    return sql.SQL("EXISTS (SELECT FROM {} b WHERE b.digest = {})").format(
        sql.Identifier("pg_temp", name), digest_before(known)
    )


def _is_carried(taking: Taking, root: FedTable, text: sql.Composable) -> sql.Composed:
    return sql.SQL(
        "EXISTS (SELECT FROM isthmus.row_state r WHERE r.table_schema = {} AND r.table_name = {} AND r.id = {})"
    ).format(sql.Literal(taking.sides.existing.schema), sql.Literal(root.name), text)


def _rows(taking: Taking, root: FedTable, *, noted: bool) -> sql.Composed:
    text = known_by(taking.sides, root, "t")
    found = sql.SQL("SELECT {} FROM {} t WHERE NOT {}").format(
        text, taking.sides.real(root.name), _is_carried(taking, root, text)
    )
    return found + sql.SQL(" AND NOT {}").format(_stood(taking, root, text)) if noted else found


def _child_rows(taking: Taking, root: FedTable, child: FedTable) -> sql.Composed:
    """Return a query of child rows added to rows that stood there before; those of others' new rows are theirs."""
    owner = sql.SQL("c.{}").format(taking.sides.owner(child))
    text, owner_text = known_by(taking.sides, child, "c"), sql.SQL("{}::text").format(owner)
    return sql.SQL(
        "SELECT {text} FROM {real} c WHERE (EXISTS (SELECT FROM {known} u WHERE u.id = {owner} AND u.verdict = 'stays')"
        " OR {owner_stood} AND NOT {carried}) AND NOT {stood}"
    ).format(
        text=text,
        real=taking.sides.real(child.name),
        known=taking.known(root),
        owner=owner,
        owner_stood=_stood(taking, root, owner_text),
        carried=_is_carried(taking, root, owner_text),
        stood=_stood(taking, child, text),
    )


def _pairs(taking: Taking, junction: FedTable, *, noted: bool) -> sql.Composed:
    """Return a query of pairs that no copy inserted, but for those that stand in the way anyway."""
    ids = pair_ids(junction, "t")
    found = sql.SQL(
        "SELECT array_to_string({ids}, ' ↔ ') FROM {real} t WHERE NOT EXISTS (SELECT FROM isthmus.pair_state p"
        " WHERE p.table_schema = {schema} AND p.table_name = {name} AND p.ids = {ids})"
        " AND NOT EXISTS (SELECT FROM {judged} x WHERE x.ids = {ids})"
    ).format(
        ids=ids,
        real=taking.sides.real(junction.name),
        schema=sql.Literal(taking.sides.existing.schema),
        name=sql.Literal(junction.name),
        judged=taking.sides.temporary("pairs", junction.name),
    )
    if not noted:
        return found
    return found + sql.SQL(" AND NOT {}").format(_stood(taking, junction, known_by(taking.sides, junction, "t")))
