"""What SQLAlchemy does otherwise than psycopg, for statements on connections of the application's. Imports neither."""

from __future__ import annotations

import re
from typing import Any

_PLACE = re.compile(r"%\((\w+)\)s")


def connection_of(connection: Any) -> Any:
    """Return the connection of a session of SQLAlchemy, synchronous; a connection is its own."""
    return connection.connection() if hasattr(connection, "get_bind") else connection


def commits_each(connection: Any) -> bool:
    """Tell whether each statement is committed by itself, which SQLAlchemy calls a transaction none the less."""
    return bool(getattr(connection_of(connection).connection.dbapi_connection, "autocommit", False))


def with_colons(statement: str) -> str:
    """Return a statement of psycopg's as SQLAlchemy's `text` has it: `:name`, colons of its own behind a backslash.

    Args:
        statement: SQL with `%(name)s`, and `%%` for a percent sign.
    """
    parts = _PLACE.split(statement)
    fixed = [part.replace("%%", "%").replace(":", "\\:") for part in parts[::2]]
    names = [f":{name}" for name in parts[1::2]]
    return "".join(one for pair in zip(fixed, [*names, ""], strict=True) for one in pair)
