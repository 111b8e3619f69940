"""Take a document that finish found bad out of the target, whole: rows, children, pairs; its bytes become a letter.

What the document added to the books is taken off them again in the same transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import psycopg

from isthmus._rust import document_digest
from isthmus.mapping.model import Flow
from isthmus.state.became import STAYED, counts_of
from isthmus.state.checkpoints import add_tally, rows_of
from isthmus.state.ledgers import Cause, DeadLetter, forget_adjustments, insert_dead_letters
from isthmus.state.source_ids import show
from isthmus.state.statements import statement
from isthmus.transfer.document_rows import delete_rows, tables_of
from isthmus.transfer.finishing.origins import Documents, Found, require_all
from isthmus.transfer.job import Job
from isthmus.transfer.joining.joined import forget_joined, has_joined, joined_into
from isthmus.transfer.moving.off_target import amounts_in_target

# At most this many documents are chosen to leave at once: each costs up to a kilobyte of memory for its cause, and
# every chunk costs one pass over its collection.
CHUNK = 50_000

# At most this much leaves in one transaction where removal can be cut anywhere. Every transaction costs a scan of
# each table of the collection, which has no index on the document's id yet.
STEP_DOCUMENTS = 100_000
STEP_BYTES = 1 << 30


_GONE = Cause(
    "original-gone",
    "",
    "It was removed from the source after it had been read and before it was found that it could not stay, so its bytes"
    " are not here.",
)
_CHANGED = Cause(
    "original-changed",
    "",
    "It was written to after it had been read and before it was found that it could not stay: its bytes are those it"
    " had then.",
)


def letter(found: Found, cause: Cause) -> DeadLetter:
    """Make the dead letter of a document that finish refused.

    Of one that moved the letter says so: first of all where nothing is left of it but its id, for there is nothing to
    carry again; else behind the cause, for the bytes it has now may be carried again.
    """
    return DeadLetter(
        collection=found.flow.collection,
        source_id=found.source_id,
        source_id_text=show(found.source_id) if found.source_id else None,
        location=found.location,
        stage="finish",
        document=found.document,
        digest=document_digest(found.document),
        causes=[cause] if not found.moved else [cause, _CHANGED] if found.document else [_GONE, cause],
    )


@dataclass
class OffBooks:
    """What documents that leave take off the books: summed up, then written once, not document by document.

    Attributes:
        job: The copy.
    """

    job: Job
    _amounts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    _source_ids: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])
    _stored: dict[Flow, set[str]] = field(default_factory=dict[Flow, set[str]])
    _stored_source_ids: dict[Flow, list[bytes]] = field(default_factory=dict[Flow, list[bytes]])

    def add(self, found: Found) -> None:
        """Count what one document that has rows had added to the books."""
        if found.moved:
            self.add_stored(found)
        else:
            self._count(found.flow.collection, found.document)
            self._leave(found)

    def add_stored(self, found: Found) -> None:
        """Count one document by what is in the target: all rows of its flow with its id, whoever else has it."""
        self._stored.setdefault(found.flow, set()).add(found.id)
        self.add_listed(found)
        self.add_without_rows(found)

    def add_joined(self, connection: psycopg.Connection, found: Found) -> None:
        """Count one document into which others were joined: all rows with its id, by whatever flow they came.

        References of the others that pointed at nothing are in the ledger under the ids that these had.
        """
        self.add_stored(found)
        for flow in self.job.root_of(found.flow).flows:
            self._stored.setdefault(flow, set()).update({found.id}, joined_into(connection, flow, found.id))

    def add_listed(self, found: Found) -> None:
        """Count what the ledger lists of one document, besides whatever else is counted of it."""
        self._stored.setdefault(found.flow, set())
        if found.source_id is not None:
            self._stored_source_ids.setdefault(found.flow, []).append(found.source_id)

    def add_without_rows(self, found: Found) -> None:
        """Count only that one document leaves: its rows are off the books, or are counted otherwise."""
        self._amounts[STAYED, found.flow.collection] += 1
        self._leave(found)

    def _leave(self, found: Found) -> None:
        self._amounts["finish-letters", found.flow.collection] += 1
        if found.source_id is not None:
            self._source_ids.setdefault(found.flow.collection, []).append(found.source_id)

    def _count(self, collection: str, document: bytes) -> None:
        batch = self.job.transcoder(collection).transcode(document)
        for table in self.job.plan_tables(collection):
            if table.kind != "pending":
                self._take_rows(collection, table.name, batch.rows(table.index))
        for group, names in counts_of(batch).items():
            prefix = f"{collection}." if group in {"extras", "dropped"} else ""
            for name, amount in names.items():
                self._amounts[group, prefix + name] -= amount

    def _take_rows(self, collection: str, table: str, amount: int) -> None:
        self._amounts["rows", table] -= amount
        if len(self.job.schema.tables[table].collections) > 1:
            self._amounts[rows_of(collection), table] -= amount

    def write(self, connection: psycopg.Connection) -> None:
        """Take everything counted off the books, inside the caller's transaction, which has not deleted rows yet."""
        run = self.job.run.id
        for flow, ids in self._stored.items():
            stored = amounts_in_target(self.job, connection, flow, ids, self._stored_source_ids.get(flow, []))
            for (kind, name), amount in stored.items():
                if kind == "rows":
                    self._take_rows(flow.collection, name, amount)
                else:
                    self._amounts[kind, name] -= amount
        for (kind, name), amount in self._amounts.items():
            add_tally(connection, run, kind, name, amount)
        for collection, source_ids in self._source_ids.items():
            forget_adjustments(connection, run, collection, source_ids)


def write_letters(
    job: Job,
    connection: psycopg.Connection,
    documents: Iterable[Found],
    cause: Callable[[Found], Cause],
) -> set[str]:
    """Turn the next documents into dead letters and take them off the books, inside the caller's transaction.

    Stops behind the document that fills a step (`STEP_DOCUMENTS`, `STEP_BYTES`), so that the caller can commit and go
    on. Their rows stay.

    Args:
        job: The copy.
        connection: Inside a transaction that has asserted the lease.
        documents: Documents that have rows.
        cause: Why one leaves.

    Returns:
        Their ids; empty when there are no more documents.
    """
    ids: set[str] = set()
    off = OffBooks(job)
    size = 0
    for count, found in enumerate(documents, start=1):
        if has_joined(job, connection, found):
            off.add_joined(connection, found)
        else:
            off.add(found)
        insert_dead_letters(connection, job.run.id, [letter(found, cause(found))])
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
    flow: Flow,
    documents: Iterable[Found],
    cause: Callable[[Found], Cause],
) -> set[str]:
    """Turn the next documents of a flow into dead letters and delete their rows; else as `write_letters`."""
    ids = write_letters(job, connection, documents, cause)
    if ids:
        forget_rows(job, connection, flow, ids)
    return ids


def forget_rows(job: Job, connection: psycopg.Connection, flow: Flow, ids: set[str]) -> None:
    """Delete every row of a flow's documents that became dead letters, and their entries in the ledger of orphans."""
    _delete(job, connection, flow, ids)
    _letters_of_joined(job, connection, flow, ids)


def _delete(job: Job, connection: psycopg.Connection, flow: Flow, ids: set[str]) -> None:
    _forget_orphans(job, connection, flow, ids)
    delete_rows(job, connection, flow, ids)


def _forget_orphans(job: Job, connection: psycopg.Connection, flow: Flow, ids: set[str]) -> None:
    names = {table.name for table in tables_of(job, flow) if table.kind != "waiting"}
    connection.execute(
        statement("ledger", "forget_orphans"),
        {"run": job.run.id, "collection": flow.collection, "tables": sorted(names), "ids": sorted(ids)},
    )


_LEFT = Cause(
    "joined-left",
    "",
    "It was joined into another document, as one thing with it, and that one became a dead letter.",
)


def _letters_of_joined(job: Job, connection: psycopg.Connection, flow: Flow, ids: set[str]) -> None:
    """Turn the documents that were joined into some that leave into dead letters too: their rows left with these."""
    for other in job.root_of(flow).flows:
        joined = forget_joined(job, connection, other, ids)
        if not joined:
            continue
        _forget_orphans(job, connection, other, joined)
        if other != flow:  # child rows came over with the flow that they had
            _delete(job, connection, other, ids)
        left: set[str] = set()
        off = OffBooks(job)
        for found in Documents(job, connection, other, joined, hold=False):
            off.add_without_rows(found)
            off.add_listed(found)
            insert_dead_letters(connection, job.run.id, [letter(found, _LEFT)])
            left.add(found.id)
        off.write(connection)
        require_all(other.collection, joined, left)


def remove_documents(job: Job, connection: psycopg.Connection, flow: Flow, causes: Mapping[str, Cause]) -> None:
    """Turn documents of a flow into dead letters and delete their rows, all inside the caller's transaction.

    Args:
        job: The copy.
        connection: Inside a transaction that has asserted the lease.
        flow: Their flow.
        causes: Id in the target, as text → why. At most `CHUNK` of them.

    Raises:
        SourceError: The source cannot be read, or stands still and no longer holds a document.
    """
    documents = iter(Documents(job, connection, flow, set(causes), hold=False))
    removed: set[str] = set()
    while ids := remove_next(job, connection, flow, documents, lambda found: causes[found.id]):
        removed |= ids
    require_all(flow.collection, set(causes), removed)
