"""Run repeatable work on the target, one by one or side by side, through lost connections and a user's stop."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

import psycopg

from isthmus.connect.postgres import meaning, trouble
from isthmus.errors import SourceError, TargetError
from isthmus.state.marks import await_end, mark
from isthmus.transfer.job import Job
from isthmus.work.interrupted import Interrupted
from isthmus.work.retry import Retry

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Hand:
    """A connection with the mark of its session."""

    connection: psycopg.Connection
    mark: int


class Hands:
    """Runs finish steps, one by one or side by side, on connections that are replaced when they are lost.

    A context manager; leaving it closes the connections.

    Args:
        job: The copy.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._busy: set[_Hand] = set()
        self._idle: list[_Hand] = []
        self._mutex = threading.Lock()

    def do(self, name: str, work: Callable[[psycopg.Connection], T]) -> T:
        """Run repeatable work on a connection of its own, again after transient errors.

        Args:
            name: For people.
            work: Gets an autocommit connection; safe to repeat.

        Raises:
            Interrupted: The user asked to stop; the statement in hand was cancelled and undone.
            TargetError, SourceError: The trouble lasted longer than the run may wait, or is none that waiting mends.
            psycopg.Error: Errors of class 22, 23 and 54 (the data), for the caller to settle.
        """
        retry = Retry(self._job.options.retry_seconds)
        lost: list[int] = []
        while True:
            self._job.check_stop()
            try:
                with self._hand(lost) as connection:
                    self._job.progress.step(name)
                    return work(connection)
            except psycopg.Error as fault:
                self._job.check_stop()  # the stop cancelled it
                if meaning(fault) == "data":
                    raise
                error = trouble(fault, f"finish the step {name}", self._job.explain(fault))
                if not error.retryable:
                    raise error from None
                self._close_idle()  # what ended this one mostly ended those, too
                retry.again(error, self._job.stop, self._job.progress.note)
            except (TargetError, SourceError) as fault:
                if not fault.retryable:
                    raise
                retry.again(fault, self._job.stop, self._job.progress.note)

    @contextlib.contextmanager
    def _hand(self, lost: list[int]) -> Generator[psycopg.Connection]:
        """Lend a connection: an idle one, or a new one once the lease is sure. After an error it is not used again.

        Args:
            lost: Marks of the sessions that this work lost before. What they did is certain when a connection is lent;
                one that is lost now is added.
        """
        with self._mutex:
            hand = self._idle.pop() if self._idle else None
        if hand is None:
            self._job.lease.ensure()
            connection = self._job.connect(autocommit=True)
            hand = _Hand(connection, mark(connection))
        with self._mutex:
            self._busy.add(hand)
        good = False
        try:
            while lost:
                await_end(hand.connection, lost[-1])
                lost.pop()
            yield hand.connection
            good = True
        finally:
            with self._mutex:
                self._busy.discard(hand)
                if good:
                    self._idle.append(hand)
            if not good:
                lost.append(hand.mark)
                hand.connection.close()

    def _close_idle(self) -> None:
        with self._mutex:
            idle, self._idle = self._idle, []
        for hand in idle:
            with contextlib.suppress(psycopg.Error):
                hand.connection.close()

    def __enter__(self) -> Hands:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_idle()

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
            busy = list(self._busy)
        for hand in busy:  # not under the mutex: a server that is away would hold up those who are done
            with contextlib.suppress(psycopg.Error):  # the work ends by itself when the server is gone
                hand.connection.cancel_safe(timeout=5)
