"""Rows of root tables that no given document is: somebody else's, of earlier copies, or ones nobody may have made.

Whether a row came with a document is told by its id, the id map, and what tracked tables remember.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from psycopg import sql

from isthmus.mapping.tables import Table
from isthmus.verify.existing.given import key_column
from isthmus.verify.existing.known import Known
from isthmus.verify.ours import Ours

_PAGE = 5_000
_MOST = 1_000


@dataclass
class Strangers:
    """Such rows of a table.

    Attributes:
        others: Those that are nobody's.
        earlier: Those that came with documents of earlier copies.
        ours: Ids of those that only this copy can have made; the first of them.
    """

    others: int = 0
    earlier: int = 0
    ours: list[str] = field(default_factory=list[str])


def find_strangers(known: Known, table: Table) -> Strangers:
    """Look for rows that no given document is."""
    found = Strangers()
    subject = known.subject
    query = sql.SQL(
        "SELECT {row}, EXISTS (SELECT FROM isthmus.row_state s WHERE s.table_schema = {schema}"
        " AND s.table_name = {table} AND s.id = {row}) FROM {real} t"
        " WHERE NOT EXISTS (SELECT FROM {rows} r WHERE r.row_id = {row})"
    ).format(
        row=known.row_text(table, "t"),
        schema=sql.Literal(subject.schema.schema),
        table=sql.Literal(table.name),
        real=known.real(table.name),
        rows=known.given.place(table.name, "rows"),
    )
    hidden = table.column(key_column(table)).hidden
    ours = Ours(subject, known.given.connection)
    earlier_runs = _had_earlier_runs(known)
    with known.given.connection.cursor(name="isthmus_strangers") as cursor:
        cursor.itersize = _PAGE
        cursor.execute(query)
        while rows := cursor.fetchmany(_PAGE):
            mine: set[str] = set() if hidden else ours.among(table.name, [str(row) for row, _ in rows])
            for row, tracked in rows:
                if tracked or (row in mine and earlier_runs):
                    found.earlier += 1
                elif row in mine:
                    found.ours.append(str(row))
                else:
                    found.others += 1
    return found


def _had_earlier_runs(known: Known) -> bool:
    """Tell whether a copy before this one may have delivered rows: then also what is gone from the source is there."""
    return known.subject.run.id > 1
