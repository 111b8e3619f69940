"""Pairs of junctions: none is there twice, by no index's word."""

from __future__ import annotations

from psycopg import sql

from isthmus.mapping.tables import Table
from isthmus.verify.looking import Fault, Looking, label
from isthmus.verify.result import ColumnCheck


def check_pairs(looking: Looking, table: Table) -> None:
    """Enter the pairs of a junction that are there more than once."""
    path = ", ".join(table.primary_key)
    with looking.at(table.name, path):
        columns = sql.SQL(", ").join(sql.Identifier(name) for name in table.primary_key)
        groups = sql.SQL("SELECT {}, count(*) AS n FROM {} GROUP BY {} HAVING count(*) > 1").format(
            columns, looking.place(table.name), columns
        )
        (pairs,) = looking.row(sql.SQL("SELECT count(*) FROM {}").format(looking.place(table.name)))
        (wrong,) = looking.row(sql.SQL("SELECT count(*) FROM ({}) r").format(groups))
        looking.result.checked += pairs
        looking.result.columns.append(ColumnCheck(table.name, path, pairs))
        query = sql.SQL("SELECT {}, r.{}::text, r.n::text || ' rows' FROM ({}) r").format(
            label(table), sql.Identifier(table.primary_key[0]), groups
        )
        looking.enter(Fault(table.name, path, "The pair is there more than once.", "1 row", query), wrong)
