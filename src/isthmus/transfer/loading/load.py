"""One batch, one transaction: rows, dead letters, ledgers and checkpoint, together or not at all.

A batch that the server refuses because of a value is halved until exactly the refused documents are found, each with
the server's own words. The identities of the balance are asserted before the commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from isthmus._rust import Batch, document_digest
from isthmus._rust import source_id as document_id
from isthmus.connect.binary_copy import send_copy
from isthmus.connect.postgres import explain, meaning
from isthmus.errors import InternalError
from isthmus.sources.protocol import Block
from isthmus.state.became import TOLD, became_in, counts_of, untold
from isthmus.state.checkpoints import BatchRecord, PartitionState, advance, record_batch
from isthmus.state.ledgers import (
    Adjusted,
    Cause,
    DeadLetter,
    causes_of,
    insert_adjustments,
    insert_dead_letters,
    insert_ids,
)
from isthmus.state.source_ids import show
from isthmus.transfer.job import Job
from isthmus.transfer.staging import pair_tables
from isthmus.work.stages import reached

Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class CopyTarget:
    """Where the rows of one plan table go.

    Attributes:
        index: Number of the table in the plan.
        table: Name for the books.
        statement: `COPY … FROM STDIN (FORMAT binary)`.
        root: Whether its rows are documents: it is the root table of one of the plan's flows.
        counted: Whether its rows stand in the books; values that wait for finish are counted as references only.
    """

    index: int
    table: str
    statement: sql.Composed
    root: bool
    counted: bool = True


def copy_targets(job: Job, collection: str) -> list[CopyTarget]:
    """Return where each table of a source collection's plan goes, in plan order."""
    pairs = pair_tables(job.feeders, job.schema)
    targets: list[CopyTarget] = []
    for table in job.plan_tables(collection):
        if table.kind == "junction":
            place = pairs[table.name, table.own, table.flow.number].identifier
        elif table.waiting is not None:
            place = sql.Identifier("isthmus", table.waiting)
        else:
            place = sql.Identifier(job.schema.schema, table.name)
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
            place, sql.SQL(", ").join(sql.Identifier(column) for column in table.columns)
        )
        counted = table.kind != "pending"
        targets.append(CopyTarget(table.index, table.name, statement, table.kind == "root", counted))
    return targets


def send_rows(
    connection: psycopg.Connection, target: CopyTarget, batch: Batch, sent: Callable[[], None] | None = None
) -> None:
    """Send a table's rows, inside the caller's transaction.

    Args:
        connection: Where to.
        target: The table.
        batch: Holds its rows.
        sent: Called after each piece of them.

    Raises:
        InternalError: The server took another number of rows (code `rows-differ`).
    """
    data, rows = batch.copy_data(target.index), batch.rows(target.index)
    send_copy(connection, target.statement, target.table, data, rows, sent)


@dataclass
class Carried:
    """What one batch came to, before it is committed.

    Attributes:
        counts: Its books, in the shape of `PartitionState.counts`.
        letters: Its dead letters.
    """

    documents: int = 0
    copied: int = 0
    skipped: int = 0
    counts: Counts = field(default_factory=dict[str, dict[str, int]])
    letters: list[DeadLetter] = field(default_factory=list[DeadLetter])
    adjusted: list[Adjusted] = field(default_factory=list[Adjusted])
    ids: list[tuple[str, bytes, str, str]] = field(default_factory=list[tuple[str, bytes, str, str]])

    def add(self, group: str, name: str, amount: int) -> None:
        """Add to one number of the books."""
        if amount:
            names = self.counts.setdefault(group, {})
            names[name] = names.get(name, 0) + amount


# Data-like keys can make the list of extra fields endless; the rest is counted under one name. The names of all other
# groups come from the mapping, and the balance needs each of them.
_ENDLESS_GROUPS = frozenset({"extras", "dropped"})
_NAMES_PER_GROUP = 500
REST = "(others)"


def add_counts(into: Counts, more: Counts) -> Counts:
    """Return the sum of two books; neither is changed."""
    total = {group: dict(names) for group, names in into.items()}
    for group, names in more.items():
        sums = total.setdefault(group, {})
        for name, amount in names.items():
            known = name in sums or group not in _ENDLESS_GROUPS or len(sums) < _NAMES_PER_GROUP
            key = name if known else REST
            sums[key] = sums.get(key, 0) + amount
    return total


class Loader:
    """Carries the blocks of one partition.

    Args:
        job: The copy.
        state: The partition's checkpoint, moved on after every commit.
    """

    def __init__(self, job: Job, state: PartitionState) -> None:
        self._job = job
        self.state = state
        self._transcoder = job.transcoder(state.collection)
        self._targets = copy_targets(job, state.collection)
        self._sensitive = any(
            column.sensitive
            for table in job.schema.tables.values()
            for column in table.columns
            if any(flow.collection == state.collection for flow in table.flows)
        )

    def transcode(self, documents: bytes) -> Batch:
        """Turn whole documents into rows; from any thread, without the GIL."""
        return self._transcoder.transcode(documents)

    def write(self, connection: psycopg.Connection, block: Block, batch: Batch) -> Counts:
        """Carry one block in one transaction.

        Args:
            connection: Connection outside a transaction.
            block: Whole documents.
            batch: What `transcode` made of them.

        Returns:
            The books of the partition with this block, for `committed`, with which the caller moves `state` afterwards.

        Raises:
            psycopg.Error: Anything but a refused value; nothing of the block is in the target, unless the commit went
                through and only its reply was lost.
            InternalError: The books of the batch do not balance.
        """
        try:
            return self._transact(connection, block, batch, halve=False)
        except psycopg.Error as fault:
            if meaning(fault) != "data":
                raise
            return self._transact(connection, block, batch, halve=True)

    def committed(self, block: Block, counts: Counts) -> None:
        """Move the checkpoint this process knows, after the commit; `counts` are the books that were committed."""
        self.state.position = block.end
        self.state.batches += 1
        self.state.counts = counts

    def _transact(self, connection: psycopg.Connection, block: Block, batch: Batch, *, halve: bool) -> Counts:
        carried = Carried()
        with connection.transaction():
            self._job.lease.assert_held(connection, self._job.run.id)
            if halve:
                self._place(connection, block, 0, batch.documents, batch, carried)
            else:
                self._copy(connection, batch)
                self._account(block, 0, batch, carried)
            reached("copy.rows-sent")
            counts = self._settle(connection, block, batch, carried)
            reached("copy.before-commit")
        reached("copy.after-commit")
        return counts

    def _copy(self, connection: psycopg.Connection, batch: Batch) -> None:
        for target in self._targets:
            if batch.rows(target.index):
                send_rows(connection, target, batch, lambda: reached("copy.within-table"))
                reached("copy.between-tables")

    def _place(
        self, connection: psycopg.Connection, block: Block, low: int, high: int, whole: Batch, carried: Carried
    ) -> None:
        """Carry the documents low…high−1, halving where the server refuses."""
        start, end = whole.offset(low), whole.offset(high)
        part = self._transcoder.transcode(block.data[start:end])
        try:
            with connection.transaction():
                self._copy(connection, part)
        except psycopg.Error as fault:
            if meaning(fault) != "data":
                raise
            if high - low > 1:
                middle = (low + high) // 2
                self._place(connection, block, low, middle, whole, carried)
                self._place(connection, block, middle, high, whole, carried)
                return
            carried.documents += 1
            self._refuse(block, start, end, part, explain(fault, detail=not self._sensitive), carried)
            return
        self._account(block, start, part, carried)

    def _refuse(self, block: Block, start: int, end: int, part: Batch, words: str, carried: Carried) -> None:
        source_id = document_id(block.data[start:end])
        carried.letters.append(
            DeadLetter(
                collection=self.state.collection,
                source_id=source_id,
                source_id_text=show(source_id) if source_id else None,
                location=self._job.source.locate(block.start, start, collection=self.state.collection),
                stage="load",
                document=block.data[start:end],
                digest=part.document_digests[8:16],
                causes=[Cause("target-refused", "", f"PostgreSQL refuses the document: {words}.")],
            )
        )

    def _account(self, block: Block, base: int, batch: Batch, carried: Carried) -> None:
        """Enter a transcoded part into the books of its batch.

        Args:
            block: The block it belongs to.
            base: Where the part begins in the block, in bytes.
            batch: The part.
            carried: The books.
        """
        if batch.documents != batch.accepted + batch.skipped + len(batch.rejects):
            raise InternalError(
                f"Of {batch.documents} documents {batch.accepted} were accepted, {batch.skipped} skipped and"
                f" {len(batch.rejects)} rejected.",
                code="batch-unbalanced",
            )
        carried.documents += batch.documents
        carried.copied += batch.accepted
        carried.skipped += batch.skipped
        rows = sum(batch.rows(target.index) for target in self._targets if target.root)
        if rows != batch.accepted:
            raise InternalError(
                f"Of {batch.accepted} accepted documents {rows} became rows of their tables.", code="batch-unbalanced"
            )
        for target in self._targets:
            if target.counted:
                carried.add("rows", target.table, batch.rows(target.index))
        counts = counts_of(batch)
        if uneven := untold(counts.get("adjusted", {}), dict(became_in(counts))):
            raise InternalError(
                f"It is not told of all changed values what they became: {uneven}.", code="batch-unbalanced"
            )
        for group, names in counts.items():
            for name, amount in names.items():
                carried.add(group, name, amount)
        for why, amount in batch.skips.items():
            carried.add("skips", why, amount)
        carried.ids.extend(batch.id_map)
        collection = self.state.collection
        for item in batch.adjustments:
            start, end = base + batch.offset(item.document), base + batch.offset(item.document + 1)
            carried.adjusted.append(
                Adjusted(
                    collection,
                    document_id(block.data[start:end]),
                    item.table,
                    item.column,
                    item.position,
                    item.kind,
                    item.original,
                )
            )
        for reject in batch.rejects:
            start = base + reject.offset
            document = block.data[start : start + reject.length]
            carried.letters.append(
                DeadLetter(
                    collection=collection,
                    source_id=reject.source_id,
                    source_id_text=show(reject.source_id) if reject.source_id else None,
                    location=self._job.source.locate(block.start, start, collection=collection),
                    stage="convert",
                    document=document,
                    digest=document_digest(document),
                    causes=causes_of(reject),
                )
            )

    def _settle(self, connection: psycopg.Connection, block: Block, batch: Batch, carried: Carried) -> Counts:
        """Write ledgers and checkpoint, asserting the batch's balance first; return the books of the partition."""
        if batch.documents != carried.documents or (
            carried.documents != carried.copied + carried.skipped + len(carried.letters)
        ):
            raise InternalError(
                f"A batch of {batch.documents} documents came to {carried.copied} copied, {carried.skipped} skipped"
                f" and {len(carried.letters)} dead letters.",
                code="batch-unbalanced",
            )
        carried.add("books", "read", carried.documents)
        carried.add("books", TOLD, carried.documents)
        carried.add("books", "copied", carried.copied)
        carried.add("books", "skipped", carried.skipped)
        carried.add("books", "dead_letters", len(carried.letters))
        carried.add("books", "bytes", len(block.data))
        run = self._job.run.id
        # First, because a commit whose reply was lost may still go through: this waits for it and then finds the
        # checkpoint moved, where another insert would only find its rows in the way.
        counts = add_counts(self.state.counts, carried.counts)
        advance(connection, run, self.state, after=block.end, counts=counts)
        insert_ids(connection, carried.ids)
        insert_dead_letters(connection, run, carried.letters)
        insert_adjustments(connection, run, carried.adjusted)
        record = BatchRecord(self.state.batches, block.start, block.end, batch.documents, len(block.data), batch.digest)
        record_batch(connection, run, self.state, record, batch.document_digests)
        return counts
