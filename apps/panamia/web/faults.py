"""What an error of PostgreSQL means to whoever asked. Pure.

Classes and codes are of PostgreSQL's appendix A, "PostgreSQL Error Codes".
"""

from __future__ import annotations

from typing import Literal

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from isthmus.polyglot.stores.session import sqlstate

Meaning = Literal["away", "busy", "slow", "faster", "wrong"]
"""`away`: it does not answer, or not now; `busy`: others hold or change the same; `slow`: it takes too long; `faster`:
somebody made or removed meanwhile what this needs; `wrong`: the statement, or what stands in the database."""

_UNDONE = frozenset({"40001", "40P01"})
"""serialization_failure, deadlock_detected: the transaction was undone so that others could go on."""
_BUSY = frozenset({"55P03"})
_SLOW = frozenset({"57014", "25P03", "25P04"})
"""query_canceled; the timeouts of a transaction that idles and of a whole transaction."""
_FASTER = frozenset({"23503", "23505", "23P01"})
"""A foreign key, a unique index, an exclusion."""
_AWAY = frozenset({"25006", "57P01", "57P02", "57P03", "57P05"})
"""It only reads (a standby), or is being stopped or started."""
_AWAY_CLASSES = ("08", "53", "58")
"""Connections, resources, the system under it."""


def constraint_of(fault: DBAPIError) -> str | None:
    """Return the constraint in whose name PostgreSQL refused; None where it was none."""
    return fault.orig.diag.constraint_name if isinstance(fault.orig, psycopg.Error) else None


def is_undone_by_others(fault: BaseException) -> bool:
    """Tell whether the same transaction, run again, may well succeed."""
    return sqlstate(fault) in _UNDONE


def meaning_of(fault: DBAPIError) -> Meaning:
    """Return what an error means. One without a code is of the connection, unless a library could not use a value."""
    code = sqlstate(fault)
    if code is None:
        return "away" if fault.connection_invalidated or _is_of_connection(fault) else "wrong"
    if code in _UNDONE | _BUSY:
        return "busy"
    if code in _SLOW:
        return "slow"
    if code in _FASTER:
        return "faster"
    if code in _AWAY or code.startswith(_AWAY_CLASSES) or fault.connection_invalidated:
        return "away"
    return "wrong"


def _is_of_connection(fault: DBAPIError) -> bool:
    return isinstance(fault, OperationalError | InterfaceError)
