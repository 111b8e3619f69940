"""Rows of root tables that no given document is: somebody else's, of earlier copies, or ones nobody may have made.

Whether a row came with a document is told by its id, the id map, and what tracked tables remember.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from psycopg import sql

from isthmus.errors import MappingError
from isthmus.mapping import parse_mapping
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
    earlier_runs = _had_earlier_runs(known, table)
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


def _had_earlier_runs(known: Known, table: Table) -> bool:
    """Tell whether a copy before this one may have delivered rows that nothing remembers.

    Then what is gone from the source is there, too. Tracked tables remember every row that was delivered.
    """
    run = known.subject.run.id
    if run == 1:
        return False
    earlier = known.rows("SELECT mapping_text, retries FROM isthmus.run WHERE id < {run}", run=sql.Literal(run))
    if len(earlier) < run - 1:  # some were forgotten; what they did with the table nobody knows
        return True
    texts = set(known.subject.run.mapping_texts)
    for text, retries in earlier:
        texts |= {str(text), *(str(one["mapping_text"]) for one in retries or ())}
    return not all(_tracks(text, table) for text in texts)


def _tracks(mapping_text: str, table: Table) -> bool:
    """Tell whether a mapping tracks a table, or has none of that name."""
    try:
        mapping = parse_mapping(mapping_text)
    except MappingError:  # of an older version
        return False
    entries = [one for one in mapping.collections.values() if one.table == table.name]
    return mapping.target.tables == "existing" and all(entry.rerun == "tracked" for entry in entries)
