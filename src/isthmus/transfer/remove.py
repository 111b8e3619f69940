"""Take a document that finish found bad out of the target, whole: rows, children, pairs; its bytes become a letter.

What the document added to the books is taken off them again in the same transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from isthmus._rust import document_digest
from isthmus.mapping.tables import Table
from isthmus.state.checkpoints import add_tally
from isthmus.state.ledgers import Cause, DeadLetter, forget_adjustments, insert_dead_letters
from isthmus.state.source_ids import show
from isthmus.state.statements import statement
from isthmus.transfer.job import Job
from isthmus.transfer.origins import Documents, Found, require_all
from isthmus.transfer.staging import pair_tables

# At most this many documents are chosen to leave at once: each costs up to a kilobyte of memory for its cause, and
# every chunk costs one pass over its collection.
CHUNK = 50_000

# At most this much leaves in one transaction where removal can be cut anywhere. Every transaction costs a scan of
# each table of the collection, which has no index on the document's id yet.
STEP_DOCUMENTS = 100_000
STEP_BYTES = 1 << 30


def tables_of(job: Job, collection: str) -> list[tuple[sql.Identifier, str]]:
    """Return every table that holds rows of a collection's documents, with the column that holds the document's id."""
    schema = job.schema.schema
    found: list[tuple[sql.Identifier, str]] = []
    for table in job.schema.tables.values():
        if table.collection == collection and table.kind in {"root", "child"}:
            found.append((sql.Identifier(schema, table.name), key_column(table)))
    for pairs in pair_tables(job.feeders, job.schema).values():
        if pairs.collection == collection:
            found.append((pairs.identifier, pairs.own))
    return found


def key_column(table: Table) -> str:
    """Return the column that holds the root document's id: `id` of a root table, `<parent>_id` of a child table."""
    for column in table.columns:
        if column.role in {"id", "root_id"}:
            return column.name
    raise KeyError(table.name)


def key_type(table: Table, schema: str) -> sql.SQL:
    """Return the SQL type of that column."""
    column = next(column for column in table.columns if column.role in {"id", "root_id"})
    return sql.SQL(column.type.sql(schema))  # pyright: ignore[reportArgumentType]  made by the mapping, not by users


def delete_rows(job: Job, connection: psycopg.Connection, collection: str, ids: Iterable[str]) -> None:
    """Delete every row of these documents, inside the caller's transaction."""
    wanted = list(ids)
    kind = key_type(job.root_table(collection), job.schema.schema)
    for table, column in tables_of(job, collection):
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE {} = ANY(%s::{}[])").format(table, sql.Identifier(column), kind), (wanted,)
        )


def letter(collection: str, found: Found, cause: Cause) -> DeadLetter:
    """Make the dead letter of a document that finish refused."""
    return DeadLetter(
        collection=collection,
        source_id=found.source_id,
        source_id_text=show(found.source_id) if found.source_id else None,
        location=found.location,
        stage="finish",
        document=found.document,
        digest=document_digest(found.document),
        causes=[cause],
    )


@dataclass
class OffBooks:
    """What documents that leave take off the books: summed up, then written once, not document by document.

    Attributes:
        job: The copy.
        collection: Their collection.
    """

    job: Job
    collection: str
    _amounts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    _source_ids: list[bytes] = field(default_factory=list[bytes])

    def add(self, found: Found) -> None:
        """Count what one document that has rows had added to the books."""
        batch = self.job.transcoder(self.collection).transcode(found.document)
        for index, name in enumerate(batch.tables):
            self._amounts["rows", name] -= batch.rows(index)
        for group, names in batch.counts().items():
            prefix = f"{self.collection}." if group in {"extras", "dropped"} else ""
            for name, amount in names.items():
                self._amounts[group, prefix + name] -= amount
        self._amounts["finish-letters", self.collection] += 1
        if found.source_id is not None:
            self._source_ids.append(found.source_id)

    def write(self, connection: psycopg.Connection) -> None:
        """Take everything counted off the books, inside the caller's transaction."""
        run = self.job.run.id
        for (kind, name), amount in self._amounts.items():
            add_tally(connection, run, kind, name, amount)
        forget_adjustments(connection, run, self.collection, self._source_ids)


def write_letters(
    job: Job,
    connection: psycopg.Connection,
    collection: str,
    documents: Iterable[Found],
    cause: Callable[[Found], Cause],
) -> set[str]:
    """Turn the next documents into dead letters and take them off the books, inside the caller's transaction.

    Stops behind the document that fills a step (`STEP_DOCUMENTS`, `STEP_BYTES`), so that the caller can commit and go
    on. Their rows stay.

    Args:
        job: The copy.
        connection: Inside a transaction that has asserted the lease.
        collection: Their collection.
        documents: Documents that have rows.
        cause: Why one leaves.

    Returns:
        Their ids; empty when there are no more documents.
    """
    ids: set[str] = set()
    off = OffBooks(job, collection)
    size = 0
    for count, found in enumerate(documents, start=1):
        off.add(found)
        insert_dead_letters(connection, job.run.id, [letter(collection, found, cause(found))])
        ids.add(found.id)
        size += len(found.document)
        if count >= STEP_DOCUMENTS or size >= STEP_BYTES:
            break
    if ids:
        off.write(connection)
    return ids


def remove_next(
    job: Job,
    connection: psycopg.Connection,
    collection: str,
    documents: Iterable[Found],
    cause: Callable[[Found], Cause],
) -> set[str]:
    """Turn the next documents into dead letters and delete their rows; else as `write_letters`."""
    ids = write_letters(job, connection, collection, documents, cause)
    if not ids:
        return ids
    names = [
        table.name
        for table in job.schema.tables.values()
        if table.collection == collection and table.kind in {"root", "child"}
    ]
    junctions = [
        pairs.junction for pairs in pair_tables(job.feeders, job.schema).values() if pairs.collection == collection
    ]
    connection.execute(
        statement("ledger", "forget_orphans"),
        {"run": job.run.id, "collection": collection, "tables": names + junctions, "ids": sorted(ids)},
    )
    delete_rows(job, connection, collection, ids)
    return ids


def remove_documents(job: Job, connection: psycopg.Connection, collection: str, causes: Mapping[str, Cause]) -> None:
    """Turn documents into dead letters and delete their rows, all inside the caller's transaction.

    Args:
        job: The copy.
        connection: Inside a transaction that has asserted the lease.
        collection: Their collection.
        causes: Id in the target, as text → why. At most `CHUNK` of them.

    Raises:
        SourceError: The source cannot be read, or no longer holds a document.
    """
    documents = iter(Documents(job, connection, collection, set(causes), hold=False))
    removed: set[str] = set()
    while ids := remove_next(job, connection, collection, documents, lambda found: causes[found.id]):
        removed |= ids
    require_all(collection, set(causes), removed)
