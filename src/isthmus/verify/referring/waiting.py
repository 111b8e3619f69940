"""References that wait for a later copy: meanwhile they are NULL, or hold the id that they wait for.

Blind spots: pairs that wait, and what waits inside arrays and jsonb; rows that are gone, with which nothing waits.
"""

from __future__ import annotations

from psycopg import sql

from isthmus.verify.looking import Fault, Looking, key_column, of_row, position_columns
from isthmus.verify.referring.places import Place
from isthmus.verify.result import ColumnCheck
from isthmus.work.hidden import HIDDEN


def check_waiting(looking: Looking, place: Place) -> None:
    """Enter the references of a place that wait although their column holds something else."""
    for column in place.columns if place.shape in {"column", "route"} else ():
        _check_column(looking, place, column)


def _check_column(looking: Looking, place: Place, column: str) -> None:
    waiting = sql.SQL(
        "isthmus.pending_reference w WHERE w.table_schema = {} AND w.table_name = {} AND w.column_name = {}"
    ).format(sql.Literal(looking.schema.schema), sql.Literal(place.table.name), sql.Literal(column))
    (count,) = looking.row(sql.SQL("SELECT count(*) FROM {}").format(waiting))
    key = key_column(place.table)
    if not count or key is None:
        return
    looking.result.checked += count
    looking.result.columns.append(ColumnCheck(place.table.name, f"{column} (waiting)", count, count))
    positions = [of_row(name) for name in position_columns(place.table)]
    same = sql.SQL("r.{}::text = w.row_id").format(sql.Identifier(key))
    if positions:
        same += sql.SQL(" AND ARRAY[{}]::integer[] = w.row_position").format(sql.SQL(", ").join(positions))
    with looking.at(place.table.name, column):
        source = sql.SQL(
            "{place} r JOIN (SELECT w.* FROM {waiting}) w ON {same} WHERE {value} IS NOT NULL"
            " AND {value}::text <> w.target_id"
        ).format(place=looking.place(place.table.name), waiting=waiting, same=same, value=of_row(column))
        (wrong,) = looking.row(sql.SQL("SELECT count(*) FROM {}").format(source))
        value = sql.Literal(HIDDEN) if place.sensitive else sql.SQL("left({}::text, 200)").format(of_row(column))
        query = sql.SQL("SELECT w.row_id, w.row_id, {} FROM {}").format(value, source)
        message = "The reference waits for a document that no copy has carried yet, but the column holds something."
        looking.enter(Fault(place.table.name, column, message, "NULL", query), wrong)
