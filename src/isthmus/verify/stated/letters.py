"""Lower case beyond ASCII: servers differ in what they take for lower case, so such texts are looked at here.

Blind spots: letters that only a later Unicode than Python's lower-cases.
"""

from __future__ import annotations

from psycopg import sql

from isthmus.verify.looking import SHOWN_CHARACTERS, Fault, Looking, label, of_row, owner
from isthmus.verify.stated.demands import excepted_texts
from isthmus.verify.stated.sources import Filled
from isthmus.work.hidden import HIDDEN

_PAGE = 5_000


def check_letters(looking: Looking, filled: Filled) -> None:
    """Enter the texts of a column with letters beyond ASCII that are not lower case."""
    column, excepted = filled.column, excepted_texts(filled)
    source, value = sql.SQL("{} r").format(looking.place(filled.table.name)), of_row(column.name)
    if column.type.array:
        source += sql.SQL(" CROSS JOIN LATERAL unnest({}) AS e(v)").format(value)
        value = sql.SQL("e.v").format()
    query = sql.SQL("SELECT {}, {}, {v}::text FROM {} WHERE octet_length({v}::text) <> char_length({v}::text)").format(
        label(filled.table), owner(filled.table), source, v=value
    )
    fault = Fault(filled.table.name, column.name, "The text is not as the mapping states: lower.", "lower case")
    with looking.at(filled.table.name, column.name), looking.connection.cursor(name="isthmus_verify_letters") as cursor:
        cursor.itersize = _PAGE
        cursor.execute(query)
        while rows := cursor.fetchmany(_PAGE):
            wrong = [
                (name, root, HIDDEN if column.sensitive else text[:SHOWN_CHARACTERS])
                for name, root, text in rows
                if text not in excepted and _has_only_far_capitals(text)
            ]
            if wrong:
                looking.enter_rows(fault, wrong)


def _has_only_far_capitals(text: str) -> bool:
    """Tell whether a text has capitals beyond ASCII only; those within are found by the server."""
    capitals = [one for one in text if one.lower() != one]
    return bool(capitals) and not any(one.isascii() for one in capitals)
