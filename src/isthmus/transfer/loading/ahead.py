"""One batch ahead: read and transcode the next batch while the one in hand is on its way to the server.

A worker's connection and its processor would otherwise wait for each other. Decides how far ahead is allowed (one
batch, and a large document only within the byte budget); leaves sending and retrying to the worker.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from isthmus._rust import Batch
from isthmus.sources.protocol import Block
from isthmus.work.memory import MemoryBudget


@dataclass(frozen=True, slots=True)
class Prepared:
    """A block and what it became.

    Attributes:
        block: Whole documents.
        batch: Their rows, rejects and books.
        reserved_bytes: What the budget gave for a document larger than a batch.
    """

    block: Block
    batch: Batch
    reserved_bytes: int


class Ahead:
    """Prepares the batches of one partition in a thread of its own, in order, at most one before it is asked for.

    Use as a context manager; leaving it ends the thread and gives all reservations back.

    Args:
        read: Begins to read: gets what to call before a buffer larger than a batch is filled, gives the blocks.
        transcode: Turns a block's bytes into a batch; called in the other thread.
        budget: Where room for large documents is reserved.
        name: Of the thread.
    """

    def __init__(
        self,
        read: Callable[[Callable[[int], None]], Iterator[Block]],
        transcode: Callable[[bytes], Batch],
        budget: MemoryBudget,
        name: str,
    ) -> None:
        self._read = read
        self._transcode = transcode
        self._budget = budget
        self._reserved_bytes = 0
        self._ready: queue.SimpleQueue[Prepared | BaseException | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)

    def __enter__(self) -> Ahead:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._room.release()
        self._thread.join()
        with contextlib.suppress(queue.Empty):
            while True:
                left = self._ready.get_nowait()
                if isinstance(left, Prepared):
                    self.done(left)
        self._budget.shrink(self._reserved_bytes)
        self._reserved_bytes = 0

    def take(self) -> Prepared | None:
        """Return the next batch, waiting for it; None at the end. The one after it is prepared from now on.

        Keep no reference to the batch before it, or three are held at once.

        Raises:
            BaseException: What reading or transcoding raised, after every batch before it was taken.
        """
        found = self._ready.get()
        if isinstance(found, BaseException):
            raise found
        self._room.release()
        return found

    def done(self, prepared: Prepared) -> None:
        """Give back what a batch had reserved, once it is carried."""
        self._budget.shrink(prepared.reserved_bytes)

    def _run(self) -> None:
        try:
            with contextlib.closing(_closable(self._read(self._reserve))) as blocks:
                while self._prepare_next(blocks):
                    pass
        except BaseException as fault:  # noqa: BLE001  handed to the worker, which raises it
            self._ready.put(fault)
        else:
            self._ready.put(None)

    def _prepare_next(self, blocks: Iterator[Block]) -> bool:
        """Prepare one batch; False when there is none, or nobody wants it any more. Keeps no reference to it."""
        self._room.acquire()
        if self._ended.is_set():
            return False
        block = next(blocks, None)
        if block is None:
            return False
        batch = self._transcode(block.data)
        reserved_bytes, self._reserved_bytes = self._reserved_bytes, 0
        self._ready.put(Prepared(block, batch, reserved_bytes))
        return True

    def _reserve(self, document_bytes: int) -> None:
        """Called by the source before it reads a document larger than a batch."""
        self._budget.shrink(self._reserved_bytes)
        self._reserved_bytes = 0
        self._reserved_bytes = self._budget.grow(document_bytes, self._ended)


def _closable(blocks: Iterator[Block]) -> Generator[Block, None, None]:
    """Return blocks in a form that can be closed; closing lets go of the source's files."""
    yield from blocks
