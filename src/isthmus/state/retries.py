"""Retries of dead letters: which mapping a run's letters were tried with, and the letters themselves, page by page.

Every function that writes does so inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Json, Jsonb

from isthmus.errors import InternalError
from isthmus.state.ledgers import Cause, causes_json, printable
from isthmus.state.runs import Run
from isthmus.state.statements import statement

_BEGINNING_CHARACTERS = 100  # as the index orphan_by_row has them


@dataclass
class Retry:
    """What became of the letters of a run with one mapping.

    Attributes:
        fingerprint: Of that mapping.
        mapping_text: Its file.
        version: Isthmus version that tried them last.
        begun_at: When they were first tried with it, ISO 8601.
        ended_at: When the last try came to its end; None while it has not.
        carried: Collection → documents.
        skipped: Collection → documents that the mapping leaves behind.
        restored: Reference → references that were set again because their document arrived.
    """

    fingerprint: str
    mapping_text: str
    version: str
    begun_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    ended_at: str | None = None
    carried: dict[str, int] = field(default_factory=dict[str, int])
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    restored: dict[str, int] = field(default_factory=dict[str, int])

    def summary(self) -> dict[str, Any]:
        """Return its facts as JSON values, without its mapping text."""
        return {key: value for key, value in asdict(self).items() if key != "mapping_text"}


def retries_of(run: Run) -> list[Retry]:
    """Return the retries of a run in order; keys that only a later version knows are left out."""
    known = Retry.__dataclass_fields__
    return [Retry(**{key: value for key, value in one.items() if key in known}) for one in run.retries]


def read_books(connection: psycopg.Connection, run: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return balance and retries of a complete run as they are stored now."""
    row = connection.execute(statement("retry", "read_books"), {"run": run}).fetchone()
    if row is None or row[0] is None:
        raise InternalError(f"Run {run} has no books.", code="run-gone")
    return row[0], row[1]


def store_books(connection: psycopg.Connection, run: int, balance: dict[str, Any], retries: Sequence[Retry]) -> None:
    """Keep the changed books and retries of a run; what it left behind is news again."""
    connection.execute(
        statement("retry", "store_books"),
        {"run": run, "balance": Jsonb(balance), "retries": Jsonb([asdict(retry) for retry in retries])},
    )


@dataclass(frozen=True)
class LetterBytes:
    """A dead letter to be tried: number, collection, code it had, `{"_id": value}` as BSON or None, original bytes."""

    id: int
    collection: str
    code: str
    source_id: bytes | None
    document: bytes


def next_letters(
    connection: psycopg.Connection, collection: str, *, after: int, limit: int, size_bytes: int
) -> list[LetterBytes]:
    """Return the next letters of a collection that were chosen, by number; empty when there are no more.

    Args:
        connection: The session with the scratch tables.
        collection: The collection.
        after: Number of the last letter before them.
        limit: Most letters.
        size_bytes: With fewer than `limit` letters, the one that reaches these bytes is the last.
    """
    rows = connection.execute(
        statement("retry", "next_letters"),
        {"collection": collection, "after": after, "limit": limit, "bytes": size_bytes},
    ).fetchall()
    return [_letter(row) for row in rows]


def letters_by_number(connection: psycopg.Connection, run: int, letters: Collection[int]) -> list[LetterBytes]:
    """Return letters with their bytes, by number; one that is gone is left out."""
    rows = connection.execute(
        statement("retry", "letters_by_number"), {"run": run, "letters": list(letters)}
    ).fetchall()
    return [_letter(row) for row in rows]


def _letter(row: tuple[Any, ...]) -> LetterBytes:
    number, collection, code, source_id, document = row
    return LetterBytes(
        int(number), str(collection), str(code), None if source_id is None else bytes(source_id), bytes(document)
    )


def delete_letters(connection: psycopg.Connection, run: int, letters: Collection[int]) -> None:
    """Take letters that were answered out of the ledger.

    Raises:
        InternalError: One of them is not there (code `letters-differ`).
    """
    if not letters:
        return
    gone = connection.execute(statement("retry", "delete_letters"), {"run": run, "letters": list(letters)}).rowcount
    if gone != len(letters):
        raise InternalError(
            f"{len(letters)} dead letters were answered, the ledger held {gone} of them.", code="letters-differ"
        )


@dataclass(frozen=True)
class Refusal:
    """Why a letter stays: the stage that found it (convert, load, finish), and at least one cause."""

    letter: LetterBytes
    stage: str
    causes: Sequence[Cause]


def replace_causes(connection: psycopg.Connection, refusals: Sequence[Refusal]) -> int:
    """Write why letters stay in the place of what was known before; return for how many that is something else."""
    if not refusals:
        return 0
    return connection.execute(
        statement("retry", "replace_causes"),
        {
            "letters": [one.letter.id for one in refusals],
            "stages": [one.stage for one in refusals],
            "codes": [one.causes[0].code for one in refusals],
            "paths": [printable(one.causes[0].path) for one in refusals],
            "messages": [printable(one.causes[0].message) for one in refusals],
            "causes": [Json(causes_json(one.causes)) for one in refusals],
        },
    ).rowcount


def forget_refusals(
    connection: psycopg.Connection, run: int, collection: str, ids: Collection[str]
) -> list[tuple[str, str, bool, int]]:
    """Take the orphans for which documents had become dead letters out of the ledger.

    Args:
        connection: The caller's.
        run: The run.
        collection: Collection of the documents.
        ids: Their ids as text.

    Returns:
        (table, column, by default, how many).
    """
    if not ids:
        return []
    rows = connection.execute(
        statement("retry", "forget_refusals"),
        {
            "run": run,
            "collection": collection,
            "ids": list(ids),
            "beginnings": [text[:_BEGINNING_CHARACTERS] for text in ids],
        },
    ).fetchall()
    return [(str(table), str(column), bool(by_default), int(count)) for table, column, by_default, count in rows]
