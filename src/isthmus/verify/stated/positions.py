"""Positions of child rows: from 0 on without gaps, in every parent."""

from __future__ import annotations

from psycopg import sql

from isthmus.mapping.tables import Table
from isthmus.verify.looking import NOT_OURS, Fault, Looking, of_row, owner, position_columns
from isthmus.verify.result import ColumnCheck
from isthmus.work.amounts import plural


def check_positions(looking: Looking, table: Table) -> None:
    """Enter the parents whose rows in a child table do not have the positions 0, 1, 2 and so on."""
    *above, position = position_columns(table)
    root = table.primary_key[0]
    parent = sql.SQL(", ").join(of_row(name) for name in (root, *above))
    name = sql.SQL("concat_ws('/', {})").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(of_row(one)) for one in (root, *above))
    )
    at = of_row(position)
    groups = sql.SQL(
        "SELECT {name} AS label, min({owner}) AS owner, count(*)::text || ' rows, positions ' || min({at})::text"
        " || ' to ' || max({at})::text AS said FROM {place} r GROUP BY {parent}"
        " HAVING min({at}) <> 0 OR max({at}) <> count(*) - 1 OR count(DISTINCT {at}) <> count(*)"
    ).format(name=name, owner=owner(table), at=at, place=looking.place(table.name), parent=parent)
    check = ColumnCheck(table.name, f"{position} (order)")
    looking.result.columns.append(check)
    with looking.at(table.name, position):
        (check.compared,) = looking.row(sql.SQL("SELECT count(*) FROM {}").format(looking.place(table.name)))
        looking.result.checked += check.compared
        (wrong,) = looking.row(sql.SQL("SELECT count(*) FROM ({}) AS g").format(groups))
        message = "The positions of the rows of one parent have a gap, or one is there twice."
        fault = Fault(
            table.name,
            position,
            message,
            "positions from 0 on",
            sql.SQL("SELECT g.label, g.owner, g.said FROM ({}) AS g").format(groups),
        )
        _, foreign = looking.enter(fault, wrong)
        if foreign:
            check.left_out, check.why = foreign, f"{plural(foreign, 'parent has', 'parents have')} gaps. {NOT_OURS}"
