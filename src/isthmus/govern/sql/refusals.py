"""Where in a statement the server found what it refuses. Pure."""

from __future__ import annotations

import psycopg

from isthmus.govern.sql.statements import Statement


def line_of(fault: psycopg.Error, one: Statement) -> int:
    """Return the line that the server points at, from 1 in the text that the statement was cut from; that of the
    statement's first word where it points at none."""
    position = fault.diag.statement_position
    return one.line + (one.text.count("\n", 0, int(position) - 1) if position else 0)
