"""Partitions and their checkpoints: how far each is, and what was read in each batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from isthmus.errors import InternalError
from isthmus.state.statements import statement

EMPTY_BEFORE = "empty-before"
"""Names the tallies, 1 a table, of tables that were there before and held no rows when a run was delivered."""


@dataclass
class PartitionState:
    """One row of `isthmus.partition`, as this process knows it.

    Attributes:
        collection: Collection it belongs to.
        number: From 0 within the collection.
        start: Position of its first document.
        end: Position behind its last document; None: to the end of the collection.
        position: Checkpoint: everything before it is committed; None: nothing yet.
        batches: Number of committed batches.
        done: Read to its end.
        counts: Cumulative books, two levels deep: group → name → number.
    """

    collection: str
    number: int
    start: bytes
    end: bytes | None
    position: bytes | None = None
    batches: int = 0
    done: bool = False
    counts: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])


@dataclass(frozen=True)
class BatchRecord:
    """What was read in one committed batch: positions, documents, bytes of BSON, blake3 digest of those bytes."""

    number: int
    start: bytes
    end: bytes
    documents: int
    source_bytes: int
    digest: bytes


@dataclass(frozen=True)
class BatchSums:
    """The committed batches of one partition together.

    Attributes:
        count: How many there are.
        documents: Their documents.
        source_bytes: Their bytes of BSON.
        start: Where the first begins; None when there is none.
        end: Where the last ends; None when there is none.
        gaps: How many do not begin where the one before ends, or do not have the number after it; the first has 0.
    """

    count: int = 0
    documents: int = 0
    source_bytes: int = 0
    start: bytes | None = None
    end: bytes | None = None
    gaps: int = 0


def insert_partitions(connection: psycopg.Connection, run: int, partitions: Iterable[PartitionState]) -> None:
    """Plan partitions inside the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("checkpoint", "insert_partition"),
            [
                {
                    "run": run,
                    "collection": p.collection,
                    "number": p.number,
                    "start": p.start,
                    "end": p.end,
                    "counts": Jsonb(p.counts),
                }
                for p in partitions
            ],
        )


def read_partitions(connection: psycopg.Connection, run: int) -> list[PartitionState]:
    """Return every partition of a run by collection and number."""
    rows = connection.execute(statement("checkpoint", "read_partitions"), {"run": run}).fetchall()
    return [
        PartitionState(
            str(c), int(n), bytes(s), None if e is None else bytes(e), None if p is None else bytes(p), b, d, k
        )
        for c, n, s, e, p, b, d, k in rows
    ]


def refresh(
    connection: psycopg.Connection, run: int, state: PartitionState
) -> tuple[bytes | None, int, dict[str, dict[str, int]]]:
    """Return (position, batches, counts) as the database has them now."""
    row = connection.execute(
        statement("checkpoint", "read_partition"),
        {"run": run, "collection": state.collection, "number": state.number},
    ).fetchone()
    if row is None:
        raise InternalError(f"Partition {state.number} of {state.collection} is gone.", code="partition-gone")
    return (None if row[0] is None else bytes(row[0]), int(row[1]), row[2])


def advance(
    connection: psycopg.Connection,
    run: int,
    state: PartitionState,
    *,
    after: bytes,
    counts: dict[str, dict[str, int]],
) -> None:
    """Move a checkpoint by compare-and-set, inside the batch's transaction.

    Args:
        connection: The batch's connection.
        run: The run.
        state: The checkpoint this process knows; not changed here (the commit may still fail).
        after: The new checkpoint.
        counts: The partition's cumulative books with this batch.

    Raises:
        InternalError: The checkpoint is not where this process left it (code `checkpoint-moved`).
    """
    cursor = connection.execute(
        statement("checkpoint", "advance"),
        {
            "run": run,
            "collection": state.collection,
            "number": state.number,
            "batches": state.batches,
            "before": state.position,
            "after": after,
            "counts": Jsonb(counts),
        },
    )
    if cursor.rowcount != 1:
        raise _moved(state)


def _moved(state: PartitionState) -> InternalError:
    return InternalError(
        f"The checkpoint of partition {state.number} of {state.collection} moved under this process.",
        code="checkpoint-moved",
    )


def record_batch(
    connection: psycopg.Connection, run: int, state: PartitionState, record: BatchRecord, document_digests: bytes
) -> None:
    """Keep the digests of a batch, inside its transaction."""
    connection.execute(
        statement("checkpoint", "insert_batch"),
        {
            "run": run,
            "collection": state.collection,
            "partition": state.number,
            "number": record.number,
            "start": record.start,
            "end": record.end,
            "documents": record.documents,
            "source_bytes": record.source_bytes,
            "digest": record.digest,
            "digests": document_digests,
        },
    )


def finish_partition(connection: psycopg.Connection, run: int, state: PartitionState) -> None:
    """Mark a partition as read to its end, inside the caller's transaction. Safe to repeat.

    Raises:
        InternalError: The checkpoint is not where this process left it (code `checkpoint-moved`).
    """
    cursor = connection.execute(
        statement("checkpoint", "finish_partition"),
        {"run": run, "collection": state.collection, "number": state.number, "batches": state.batches},
    )
    if cursor.rowcount != 1:
        raise _moved(state)


def read_batches(connection: psycopg.Connection, run: int, collection: str, partition: int) -> list[BatchRecord]:
    """Return the committed batches of one partition in order."""
    rows = connection.execute(
        statement("checkpoint", "read_batches"), {"run": run, "collection": collection, "partition": partition}
    ).fetchall()
    return [BatchRecord(int(n), bytes(s), bytes(e), int(d), int(b), bytes(x)) for n, s, e, d, b, x in rows]


def rows_of(collection: str) -> str:
    """Return the kind of the tallies of one source collection's rows, table by table.

    Kept for tables that several source collections fill; of the others the kind `rows` says the same.
    """
    return f"rows of {collection}"


def add_tally(connection: psycopg.Connection, run: int, kind: str, name: str, amount: int) -> None:
    """Add to a named counter inside the caller's transaction; zero writes nothing."""
    if amount:
        connection.execute(
            statement("checkpoint", "add_tally"), {"run": run, "kind": kind, "name": name, "amount": amount}
        )


def read_tallies(connection: psycopg.Connection, run: int) -> dict[str, dict[str, int]]:
    """Return every named counter: kind → name → amount."""
    tallies: dict[str, dict[str, int]] = {}
    rows: list[tuple[Any, ...]] = connection.execute(statement("checkpoint", "read_tallies"), {"run": run}).fetchall()
    for kind, name, amount in rows:
        tallies.setdefault(str(kind), {})[str(name)] = int(amount)
    return tallies


def partial_books(states: Iterable[PartitionState]) -> dict[str, dict[str, Any]]:
    """Return collection → books so far, as its partitions have them.

    Those are read, copied, merged, kept, skipped, dead_letters, and tables: table → rows sent there, of root, child and
    junction tables; a table without rows is absent. What finish took away is still in them.
    """
    numbers = ("read", "copied", "merged", "kept", "skipped", "dead_letters")
    partial: dict[str, dict[str, Any]] = {}
    for state in states:
        books = partial.setdefault(state.collection, {**dict.fromkeys(numbers, 0), "tables": {}})
        for name in numbers:
            books[name] += state.counts.get("books", {}).get(name, 0)
        for table, rows in state.counts.get("rows", {}).items():
            books["tables"][table] = books["tables"].get(table, 0) + rows
    return partial


def expecting(bytes_total: int | None) -> dict[str, dict[str, int]]:
    """Return the books with which a collection's first partition begins: how many bytes its source said it has.

    Nothing is held against it: it tells how far a run is to whoever has only the target.
    """
    return {} if bytes_total is None else {"expected": {"bytes": bytes_total}}


def bytes_read(states: Iterable[PartitionState]) -> dict[str, tuple[int, int | None]]:
    """Return collection → bytes read, and how many there are; None where the source did not say."""
    found: dict[str, tuple[int, int | None]] = {}
    for state in states:
        done, total = found.get(state.collection, (0, None))
        expected = state.counts.get("expected", {}).get("bytes")
        done += state.counts.get("books", {}).get("bytes", 0)
        found[state.collection] = (done, total if expected is None else expected)
    return found


def read_carried(connection: psycopg.Connection, run: int) -> dict[tuple[str, int], BatchSums]:
    """Return (collection, partition number) → what its committed batches come to; partitions without one are absent."""
    rows = connection.execute(statement("checkpoint", "read_carried"), {"run": run}).fetchall()
    return {
        (str(collection), int(number)): BatchSums(
            int(count), int(documents), int(size), bytes(start), bytes(end), int(gaps)
        )
        for collection, number, count, documents, size, start, end, gaps in rows
    }
