"""The copy stage: workers that carry partitions batch by batch until none is left.

Decides what a worker does after an error: a lost connection or a full disk is waited for and the checkpoint read
again before anything is sent; a source that cannot be read ends its collection and no other; everything else ends the
run, resumable.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg

from isthmus.connect.postgres import trouble
from isthmus.errors import InternalError, IsthmusError, SourceError, TargetError, Where
from isthmus.sources.protocol import Block, Partition
from isthmus.state.checkpoints import PartitionState, finish_partition, refresh
from isthmus.transfer.job import Job
from isthmus.transfer.loading.ahead import Ahead, Prepared
from isthmus.transfer.loading.load import Counts, Loader
from isthmus.work.interrupted import Interrupted
from isthmus.work.memory import bound_allocator
from isthmus.work.retry import Retry
from isthmus.work.stages import reached

_AWAY = "source-unreachable"


@dataclass
class _Outcome:
    """What the workers leave behind.

    Attributes:
        broken: Collections whose reading ended early.
        fatal: What ends the run.
        away: Why the source could not be reached for as long as a trouble is waited for; None once it can again. Who
            comes next does not wait for it anew, or thirty collections would wait thirty times.
    """

    broken: dict[str, SourceError]
    fatal: BaseException | None = None
    away: SourceError | None = None
    mutex: threading.Lock = field(default_factory=threading.Lock)


def copy_partitions(job: Job, states: list[PartitionState], broken: dict[str, SourceError]) -> None:
    """Carry every partition that is not done.

    Blocks until all workers are through. Safe to repeat: partitions go on from their checkpoints.

    Args:
        job: The copy.
        states: Every partition of the run; moved on as batches commit.
        broken: Gets the collections whose reading broke off, with the error, also when the user asks to stop;
            everything before a break is carried.

    Raises:
        Interrupted: The user asked to stop; the batches in hand were finished.
        IsthmusError: The run cannot go on; what is committed is kept.
    """
    broken.clear()
    outcome = _Outcome(broken)
    halt = threading.Event()
    tasks: queue.SimpleQueue[PartitionState] = queue.SimpleQueue()
    waiting = [state for state in states if not state.done]
    for state in waiting:
        tasks.put(state)
    count = max(1, min(job.options.workers, len(waiting)))
    bound_allocator(job.budget.batch_bytes)
    threads = [
        threading.Thread(target=_Worker(job, tasks, outcome, halt).run, name=f"isthmus-copy-{number}")
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(timeout=0.2)
                if job.stop.is_set():
                    halt.set()
    finally:
        halt.set()
        for thread in threads:
            thread.join()
    if outcome.fatal is not None:
        raise outcome.fatal
    if job.stop.is_set() and any(not state.done for state in states):
        raise Interrupted


class _Worker:
    """One thread: takes partitions and carries them over a connection of its own."""

    def __init__(
        self, job: Job, tasks: queue.SimpleQueue[PartitionState], outcome: _Outcome, halt: threading.Event
    ) -> None:
        self._job = job
        self._tasks = tasks
        self._outcome = outcome
        self._halt = halt
        self._connection: psycopg.Connection | None = None

    def run(self) -> None:
        try:
            while not self._halt.is_set():
                try:
                    state = self._tasks.get_nowait()
                except queue.Empty:
                    return
                self._partition(state)
        except Interrupted:
            pass
        except BaseException as fault:  # noqa: BLE001  handed to the main thread, which raises it
            with self._outcome.mutex:
                self._outcome.fatal = self._outcome.fatal or fault
            self._halt.set()
        finally:
            self._drop_connection()

    def _partition(self, state: PartitionState) -> None:
        if state.collection in self._outcome.broken:
            return
        away = self._outcome.away
        if away is not None:
            where = Where(collection=state.collection)
            self._break_off(state, SourceError(away.message, code=away.code, where=where, hint=away.hint))
            return
        partition = Partition(state.collection, state.number, state.start, state.end)
        loader = Loader(self._job, state)

        def read(grow: Callable[[int], None]) -> Iterator[Block]:
            budget = self._job.budget
            return self._job.source.read(
                partition, after=state.position, until=None, max_bytes=budget.batch_bytes, grow=grow
            )

        name = threading.current_thread().name.replace("copy", "read")
        retry = Retry(self._job.options.retry_seconds)
        while True:
            batches = state.batches
            try:
                with Ahead(read, loader.transcode, self._job.budget, name) as ahead:
                    while (prepared := ahead.take()) is not None:
                        try:
                            self._carry(loader, prepared)
                        finally:
                            ahead.done(prepared)  # also after an error: other workers wait for the room it took
                        prepared = None  # not held while the next is waited for
                        if self._halt.is_set():
                            return
                break
            except SourceError as fault:
                if state.batches != batches:  # it went on in between: another trouble
                    retry = Retry(self._job.options.retry_seconds)
                if not self._read_again(fault, retry):
                    self._break_off(state, fault)
                    if fault.code == _AWAY:
                        self._outcome.away = fault
                    return
        self._finish(state)

    def _break_off(self, state: PartitionState, fault: SourceError) -> None:
        with self._outcome.mutex:
            self._outcome.broken[state.collection] = fault
        self._job.progress.broken(state.collection, str(fault))

    def _read_again(self, fault: SourceError, retry: Retry) -> bool:
        """Wait before the source is read again from the checkpoint; False when that is of no use (any more)."""
        if not fault.retryable:
            return False
        try:
            self._again(fault, retry)
        except SourceError:
            return False
        return True

    def _carry(self, loader: Loader, prepared: Prepared) -> None:
        """Carry one batch exactly once, whatever happens to the connection."""
        block = prepared.block
        retry = Retry(self._job.options.retry_seconds)
        before = loader.state.counts.get("books", {})
        uncertain = False  # a reply was lost: read the checkpoint before anything is sent
        while True:
            try:
                connection = self._open()
                counts = self._arrived(connection, loader, block) if uncertain else None
                if counts is None:
                    counts = loader.write(connection, block, prepared.batch)
            except psycopg.Error as fault:
                uncertain = True
                self._drop_connection()
                self._wait_out(fault, f"take rows of {loader.state.collection}", retry)
            except TargetError as fault:
                if not fault.retryable:
                    raise
                self._drop_connection()
                self._again(fault, retry)
            except InternalError as fault:
                if not uncertain or fault.code != "checkpoint-moved":
                    raise
                # the lost commit went through while we looked: look again
                self._drop_connection()
                retry.again(fault, self._halt)
            else:
                loader.committed(block, counts)
                self._outcome.away = None
                books = counts["books"]
                self._job.progress.batch(
                    loader.state.collection,
                    bytes_done=len(block.data),
                    documents=books["read"] - before.get("read", 0),
                    dead_letters=books.get("dead_letters", 0) - before.get("dead_letters", 0),
                )
                return

    def _arrived(self, connection: psycopg.Connection, loader: Loader, block: Block) -> Counts | None:
        """Look whether a batch whose reply was lost was committed after all.

        Returns:
            The books of the partition with it, as they were committed; None when it was not.

        Raises:
            InternalError: The checkpoint is neither before nor behind the batch.
        """
        state = loader.state
        position, batches, counts = refresh(connection, self._job.run.id, state)
        if batches == state.batches and position == state.position:
            return None
        if batches == state.batches + 1 and position == block.end:
            return counts
        raise InternalError(
            f"The checkpoint of partition {state.number} of {state.collection} moved under this process.",
            code="checkpoint-moved",
        )

    def _wait_out(self, fault: psycopg.Error, what: str, retry: Retry) -> None:
        """Wait for the server to get well; raise what it says when that is of no use."""
        error = trouble(fault, what, self._job.explain(fault))
        if not error.retryable:
            raise error from None
        self._again(error, retry)

    def _again(self, fault: IsthmusError, retry: Retry) -> None:
        retry.again(fault, self._halt, self._job.progress.note)

    def _finish(self, state: PartitionState) -> None:
        """Mark the partition as read to its end; may be repeated."""
        retry = Retry(self._job.options.retry_seconds)
        while True:
            try:
                connection = self._open()
                with connection.transaction():
                    self._job.lease.assert_held(connection, self._job.run.id)
                    finish_partition(connection, self._job.run.id, state)
                    reached("copy.partition-before-commit")
            except psycopg.Error as fault:
                self._drop_connection()
                self._wait_out(fault, "note the end of a partition", retry)
            except TargetError as fault:
                if not fault.retryable:
                    raise
                self._drop_connection()
                self._again(fault, retry)
            else:
                state.done = True
                reached("copy.partition-done")
                return

    def _open(self) -> psycopg.Connection:
        """Return this worker's connection; after a loss a new one, once the lease is sure."""
        if self._connection is None or self._connection.closed:
            self._job.lease.ensure()
            self._connection = self._job.connect(autocommit=True)
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
