"""The ledgers: dead letters, adjustments, source ids and orphans' old ids.

Every function writes inside the caller's transaction, so a ledger row stands or falls with what it explains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg.types.json import Jsonb

from isthmus._rust import Reject
from isthmus.state.statements import statement


@dataclass(frozen=True)
class Cause:
    """One reason why a document could not be carried.

    Attributes:
        code: Stable slug.
        path: Path inside the document; empty for the document itself.
        message: Whole sentence, values shortened, sensitive ones hidden.
        column: `table.column` where one is meant.
        bson_type: MongoDB's alias of the value's type; empty when there is no value.
        value: The value, shortened; "(hidden)" for sensitive fields.
    """

    code: str
    path: str
    message: str
    column: str | None = None
    bson_type: str = ""
    value: str = ""


_UNREADABLE = frozenset({"bson", "bson-type", "nesting"})
"""What makes everything else that is said of a document void: it was not read to its end."""


def causes_of(reject: Reject) -> list[Cause]:
    """Return the core's causes as the ledger keeps them: why a document cannot be read comes first, as headline."""
    causes = [Cause(c.code, c.path, c.message, c.column, c.bson_type, c.value) for c in reject.causes]
    return sorted(causes, key=lambda cause: cause.code not in _UNREADABLE)


def causes_json(causes: Sequence[Cause]) -> list[dict[str, str | None]]:
    """Return causes as the ledger keeps them."""
    return [
        {
            "code": cause.code,
            "path": printable(cause.path),
            "message": printable(cause.message),
            "column": cause.column,
            "bson_type": cause.bson_type,
            "value": printable(cause.value),
        }
        for cause in causes
    ]


@dataclass(frozen=True)
class DeadLetter:
    """A document that could not be carried.

    Attributes:
        collection: Where it comes from.
        source_id: `{"_id": value}` as BSON; None when the document has no readable `_id`.
        source_id_text: The same for people.
        location: File and offset, for people.
        stage: convert (the core refused), load (the server refused), finish (a key, a unique value, an orphan).
        causes: At least one; the first is the headline.
        document: The original bytes.
        digest: Eight bytes, as the core's `document_digest` gives them.
    """

    collection: str
    source_id: bytes | None
    source_id_text: str | None
    location: str
    stage: str
    document: bytes
    digest: bytes
    causes: Sequence[Cause] = field(default_factory=tuple[Cause, ...])


def insert_dead_letters(connection: psycopg.Connection, run: int, letters: Sequence[DeadLetter]) -> None:
    """Keep dead letters with their bytes."""
    for letter in letters:  # one by one: a letter may hold 16 MiB, a list of parameters would hold them all twice
        headline = letter.causes[0]
        connection.execute(
            statement("ledger", "insert_dead_letter"),
            {
                "run": run,
                "collection": letter.collection,
                "source_id": letter.source_id,
                "source_id_text": letter.source_id_text,
                "location": letter.location,
                "stage": letter.stage,
                "code": headline.code,
                "path": printable(headline.path),
                "message": printable(headline.message),
                "causes": Jsonb(causes_json(letter.causes)),
                "document": letter.document,
                "document_digest": letter.digest,
            },
        )


@dataclass(frozen=True)
class Adjusted:
    """A changed value whose original cannot be recomputed."""

    collection: str
    source_id: bytes | None
    table: str
    column: str
    position: int | None
    kind: str
    original: str


def insert_adjustments(connection: psycopg.Connection, run: int, adjusted: Sequence[Adjusted]) -> None:
    """List changed values."""
    if not adjusted:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("ledger", "insert_adjustment"),
            [
                {
                    "run": run,
                    "collection": a.collection,
                    "source_id": a.source_id,
                    "table": a.table,
                    "column": a.column,
                    "position": a.position,
                    "kind": a.kind,
                    "original": printable(a.original),
                }
                for a in adjusted
            ],
        )


def forget_adjustments(connection: psycopg.Connection, run: int, collection: str, source_ids: Sequence[bytes]) -> None:
    """Take the changed values of documents off the list, by `{"_id": value}` as BSON."""
    connection.execute(
        statement("ledger", "forget_adjustments"),
        {"run": run, "collection": collection, "source_ids": list(source_ids)},
    )


def insert_ids(connection: psycopg.Connection, entries: Sequence[tuple[str, bytes, str, str]]) -> None:
    """Remember ids of values that are no ObjectIds.

    Args:
        connection: The batch's connection.
        entries: (collection, `{"_id": value}` as BSON, id as text, "document" or "reference"). Repetitions are
            folded; rows are written in one order everywhere, so that parallel batches do not deadlock.
    """
    folded: dict[tuple[str, bytes], tuple[str, str]] = {}
    for collection, source_id, text, origin in entries:
        known = folded.get((collection, source_id))
        if known is None or known[1] == "reference":
            folded[(collection, source_id)] = (text, origin)
    if not folded:
        return
    ordered = sorted(folded.items())
    connection.execute(
        statement("ledger", "insert_ids"),
        {
            "collections": [collection for (collection, _), _ in ordered],
            "source_ids": [source_id for (_, source_id), _ in ordered],
            "ids": [text for _, (text, _) in ordered],
            "origins": [origin for _, (_, origin) in ordered],
        },
    )


def fill_old_ids(
    connection: psycopg.Connection,
    run: int,
    table: str,
    column: str,
    resolve: Callable[[str, list[str]], list[tuple[bytes | None, str]]],
) -> None:
    """Give ledger rows of one reference the id the source has, inside the transaction that wrote them.

    Args:
        connection: That transaction's connection.
        run: The run.
        table: Table of the reference, as in the ledger.
        column: Column of the reference, as in the ledger.
        resolve: From a target collection and ids as the column holds them to (`{"_id": …}` BSON or None, text).
    """
    after = 0
    while True:
        rows = connection.execute(
            statement("ledger", "orphans_without_old_id"),
            {"run": run, "table": table, "column": column, "after": after, "limit": 10_000},
        ).fetchall()
        if not rows:
            return
        after = int(rows[-1][0])
        for collection in sorted({str(row[1]) for row in rows}):
            mine = [row for row in rows if row[1] == collection]
            old = resolve(collection, [str(row[2]) for row in mine])
            connection.execute(
                statement("ledger", "fill_old_ids"),
                {
                    "ids": [int(row[0]) for row in mine],
                    "old_ids": [source_id for source_id, _ in old],
                    "texts": [text for _, text in old],
                },
            )


def printable(text: str) -> str:
    """Return text that PostgreSQL can hold: NUL shown as the symbol for it, lone surrogates replaced."""
    return text.replace("\x00", "\u2400").encode("utf-8", "replace").decode("utf-8")
