"""Build keys, unique indexes, other indexes and foreign keys, each in a transaction of its own, each only once.

A step that finds its result in the catalog is done. Steps without an order between them run side by side.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, TypeVar

import psycopg

from isthmus.connect.postgres import explain, meaning
from isthmus.errors import TargetError
from isthmus.mapping import ddl
from isthmus.mapping.tables import ForeignKey, Index, Table
from isthmus.transfer.copy import Retry
from isthmus.transfer.job import Interrupted, Job
from isthmus.transfer.stages import reached

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """One statement of finish and how to tell that it is done.

    Attributes:
        name: What is built, for people.
        done: SQL that gives true when the result is in the catalog.
        parameters: Its parameters.
        statement: What builds it.
        kind: Names its stages: `finish.KIND-before-commit`, `finish.KIND-after-commit`.
    """

    name: str
    done: str
    parameters: tuple[str, ...]
    statement: str
    kind: Literal["primary-key", "unique-index", "index", "foreign-key", "validation"]


_HAS_CONSTRAINT = (
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace"
    " WHERE n.nspname = %s AND t.relname = %s AND c.conname = %s)"
)
_IS_VALIDATED = _HAS_CONSTRAINT.replace("c.conname = %s)", "c.conname = %s AND c.convalidated)")
_HAS_INDEX = (
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_class i JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace"
    " WHERE n.nspname = %s AND i.relname = %s AND i.relkind = 'i')"
)


def primary_key_step(job: Job, table: Table) -> Step:
    """Return the step that gives a table its primary key."""
    return Step(
        f"primary key of {table.name}",
        _HAS_CONSTRAINT,
        (job.schema.schema, table.name, table.primary_key_name),
        ddl.add_primary_key(job.schema, table),
        "primary-key",
    )


def index_step(job: Job, index: Index) -> Step:
    """Return the step that builds an index."""
    table = job.schema.tables[index.table]
    return Step(
        f"index {index.name}",
        _HAS_INDEX,
        (job.schema.schema, index.name),
        ddl.create_index(job.schema, table, index),
        "unique-index" if index.unique else "index",
    )


def foreign_key_steps(job: Job, key: ForeignKey) -> tuple[Step, Step]:
    """Return the steps that add a foreign key unvalidated, and validate it."""
    place = (job.schema.schema, key.table, key.name)
    add = ddl.add_foreign_key(job.schema, key, not_valid=True)
    validate = ddl.validate_foreign_key(job.schema, key)
    return (
        Step(f"foreign key {key.name}", _HAS_CONSTRAINT, place, add, "foreign-key"),
        Step(f"validation of {key.name}", _IS_VALIDATED, place, validate, "validation"),
    )


def build(job: Job, connection: psycopg.Connection, step: Step) -> bool:
    """Do a step unless it is done.

    Args:
        job: The copy.
        connection: Autocommit connection.
        step: What to build.

    Returns:
        Whether it was built now.

    Raises:
        psycopg.Error: The server refuses; nothing changed.
    """
    row = connection.execute(step.done.encode(), step.parameters).fetchone()
    if row and row[0]:
        return False
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        connection.execute(step.statement.encode())
        reached(f"finish.{step.kind}-before-commit")
    reached(f"finish.{step.kind}-after-commit")
    return True


_SNAPSHOT_SECONDS = 10.0


def await_old_snapshots(job: Job, connection: psycopg.Connection) -> bool:
    """Wait a while for sessions that can still see rows which were deleted meanwhile, such as an automatic ANALYZE.

    An index takes such rows in, so it may be refused for a value that no row has any more.

    Returns:
        Whether there were such sessions; building again may succeed then.
    """
    query = (
        "SELECT pid, backend_xmin::text FROM pg_catalog.pg_stat_activity WHERE datname = current_database()"
        " AND backend_xmin IS NOT NULL AND application_name NOT LIKE 'isthmus%'"
    )
    before = set(connection.execute(query).fetchall())
    left, ends_at = before, time.monotonic() + _SNAPSHOT_SECONDS
    while left and time.monotonic() < ends_at:
        job.check_stop()
        time.sleep(0.1)
        left = before & set(connection.execute(query).fetchall())
    return bool(before)


class Hands:
    """Runs finish steps, one by one or side by side, on connections that are replaced when they are lost.

    A context manager; leaving it closes the connections.

    Args:
        job: The copy.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._busy: set[psycopg.Connection] = set()
        self._idle: list[psycopg.Connection] = []
        self._mutex = threading.Lock()

    def do(self, name: str, work: Callable[[psycopg.Connection], T]) -> T:
        """Run repeatable work on a connection of its own, again after transient errors.

        Args:
            name: For people.
            work: Gets an autocommit connection; safe to repeat.

        Raises:
            Interrupted: The user asked to stop; the statement in hand was cancelled and undone.
            TargetError: The trouble lasted longer than the run may wait, or is none that waiting mends.
            psycopg.Error: Errors of class 22, 23 and 54 (the data), for the caller to settle.
        """
        retry = Retry(self._job.options.retry_seconds)
        while True:
            self._job.check_stop()
            try:
                with self._hand() as connection:
                    self._job.progress.step(name)
                    return work(connection)
            except psycopg.Error as fault:
                self._job.check_stop()  # the stop cancelled it
                if meaning(fault) == "data":
                    raise
                trouble = TargetError(
                    f"PostgreSQL could not finish the step {name}: {explain(fault)}.",
                    code="finish-failed",
                    hint="What is loaded is kept; run the same command again when the cause is mended.",
                    retryable=meaning(fault) == "transient",
                )
                if not trouble.retryable:
                    raise trouble from None
                self._again(trouble, retry)
            except TargetError as fault:
                if not fault.retryable:
                    raise
                self._again(fault, retry)

    def _again(self, trouble: TargetError, retry: Retry) -> None:
        if retry.fresh:
            self._job.progress.note(f"{trouble.message} Trying again for up to {retry.limit_seconds:.0f} s.")
        retry.again(trouble, self._job.stop)

    @contextlib.contextmanager
    def _hand(self) -> Generator[psycopg.Connection]:
        """Lend a connection: an idle one, or a new one once the lease is sure. After an error it is not used again."""
        with self._mutex:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            self._job.lease.ensure()
            connection = self._job.connect(autocommit=True)
        with self._mutex:
            self._busy.add(connection)
        good = False
        try:
            yield connection
            good = True
        finally:
            with self._mutex:
                self._busy.discard(connection)
                if good:
                    self._idle.append(connection)
            if not good:
                connection.close()

    def __enter__(self) -> Hands:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def all(self, works: Iterable[tuple[str, Callable[[psycopg.Connection], T]]]) -> list[T]:
        """Run works side by side, as many as the run has workers; return their results in order.

        Raises:
            The first error; the others finish first.
        """
        return self._run([(name, self._counted(work)) for name, work in works])

    def one(self, name: str, work: Callable[[psycopg.Connection], T]) -> T:
        """Run one work like `all` does and count it as a step done."""
        return self._run([(name, self._counted(work))])[0]

    def part(self, name: str, work: Callable[[psycopg.Connection], T]) -> T:
        """Run one work that is no step of its own."""
        return self._run([(name, work)])[0]

    def _run(self, works: list[tuple[str, Callable[[psycopg.Connection], T]]]) -> list[T]:
        """Run works in threads, so that a stop can cancel the statements in hand."""
        with ThreadPoolExecutor(self._job.options.workers, "isthmus-finish") as pool:
            futures = [pool.submit(self.do, name, work) for name, work in works]
            pending = set(futures)
            while pending:
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
                if self._job.stop.is_set() or any(f.exception() for f in done if not f.cancelled()):
                    for future in pending:
                        future.cancel()
                if self._job.stop.is_set():
                    self.cancel()
            if self._job.stop.is_set() and any(future.cancelled() or future.exception() for future in futures):
                raise Interrupted
            for future in futures:
                if not future.cancelled() and (fault := future.exception()) is not None:
                    raise fault
            return [future.result() for future in futures]

    def _counted(self, work: Callable[[psycopg.Connection], T]) -> Callable[[psycopg.Connection], T]:
        def counted(connection: psycopg.Connection) -> T:
            result = work(connection)
            self._job.progress.step_done()
            return result

        return counted

    def cancel(self) -> None:
        """Cancel the statements in hand; their transactions are undone."""
        with self._mutex:
            for connection in self._busy:
                with contextlib.suppress(psycopg.Error):  # the work ends by itself when the server is gone
                    connection.cancel_safe(timeout=5)
