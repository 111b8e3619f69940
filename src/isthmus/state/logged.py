"""Dead letters as the log of a copy needs them: which there are, and their causes, without the documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from isthmus.state.statements import statement

_PAGE = 10_000


@dataclass(frozen=True)
class LoggedLetter:
    """A dead letter without its bytes; attributes as in `isthmus.dead_letter`, `size_bytes` of the document."""

    id: int
    collection: str
    source_id: str | None
    location: str
    stage: str
    size_bytes: int
    created_at: datetime
    causes: list[dict[str, Any]]


def letter_numbers(connection: psycopg.Connection, run: int, *, after: int = 0) -> Iterator[list[int]]:
    """Yield the numbers of a run's dead letters behind a number, in order, page by page."""
    while True:
        rows = connection.execute(
            statement("report", "letter_numbers"), {"run": run, "after": after, "limit": _PAGE}
        ).fetchall()
        if not rows:
            return
        page = [int(number) for (number,) in rows]
        yield page
        after = page[-1]


def letters_to_log(connection: psycopg.Connection, numbers: Sequence[int]) -> list[LoggedLetter]:
    """Return dead letters by their numbers, in order."""
    rows = connection.execute(statement("report", "letters_to_log"), {"numbers": list(numbers)}).fetchall()
    return [LoggedLetter(*row) for row in rows]
