"""What rewrites, and their undoing, changed in documents, for who looks at what a copy read before or behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg

from isthmus.state.as_before import Step, text_held
from isthmus.state.statements import statement


def changed_since(connection: psycopg.Connection, since: datetime) -> set[str]:
    """Return the collections in which rewrites, or their undoing, changed documents since; the state knows rewrites."""
    rows = connection.execute(statement("rewrite", "changed_since"), {"since": since}).fetchall()
    return {str(name) for (name,) in rows}


def changes_since(
    connection: psycopg.Connection, collection: str, source_ids: Sequence[bytes], since: datetime
) -> dict[bytes, list[Step]]:
    """Return what makes some documents again what they were at an instant, for `as_before`."""
    found: dict[bytes, list[Step]] = {}
    given = {"collection": collection, "source_ids": list(source_ids), "since": since}
    for source_id, path, old, new, done in connection.execute(statement("rewrite", "changes_since"), given).fetchall():
        there, becomes = text_held(str(new)), bytes(old)
        step = Step(tuple(path), there, becomes) if done else Step(tuple(path), becomes, there)
        found.setdefault(bytes(source_id), []).append(step)
    return found


def ever_replaced(connection: psycopg.Connection, collection: str, source_id: bytes) -> list[Step]:
    """Return what takes back whatever rewrites put into a document, wherever that stands, for `as_before`."""
    given = {"collection": collection, "source_id": source_id}
    rows = connection.execute(statement("rewrite", "ever_replaced"), given).fetchall()
    return [Step(tuple(path), text_held(str(new)), bytes(old)) for path, old, new in rows]
