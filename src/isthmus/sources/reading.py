"""Read every document of a source, side by side, into something that counts.

Decides what is read by whom and what a break means: what stands before it counts, and the break is told. What a value
means is the core's to say.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, Self, TypeVar

from isthmus.errors import SourceError
from isthmus.sources.protocol import Partition, Position, Source
from isthmus.work.interrupted import Interrupted
from isthmus.work.progress import Progress
from isthmus.work.retry import Retry

BLOCK_BYTES = 1 << 20
_PARTS_PER_WORKER = 4
"""So that workers end at about the same time, whatever the documents are like."""


@dataclass(frozen=True)
class Options:
    """How reading may work.

    Attributes:
        workers: Threads that read; the core lets them work side by side.
        sample: Most documents that are read of a collection; None for all.
        retry_seconds: How long a source in trouble is waited for.
    """

    workers: int = 2
    sample: int | None = None
    retry_seconds: float = 60.0


class Counter(Protocol):
    """What counts documents: a part of them in each thread, merged in the end."""

    def read(self, documents: bytes, /) -> int:
        """Count whole documents, and return how many."""
        ...

    def merge(self, other: Self, /) -> None:
        """Take over what another one counted."""
        ...


C = TypeVar("C", bound=Counter)


@dataclass
class Counted(Generic[C]):
    """What was counted of a collection.

    Attributes:
        counter: What counted.
        broken: Where and why reading ended early, for people; what stands before that is counted.
        sampled: Whether documents were left out because a sample was asked for.
    """

    counter: C
    broken: list[str] = field(default_factory=list[str])
    sampled: bool = False


@dataclass(frozen=True)
class _Part:
    partition: Partition
    most: int | None


def read_all(
    source: Source, counters: Mapping[str, Callable[[], C]], options: Options, progress: Progress, stop: threading.Event
) -> dict[str, Counted[C]]:
    """Read collections, whole or a sample of each.

    Args:
        source: The source.
        counters: Collection → makes what counts a part of it.
        options: How.
        progress: Told how far it is.
        stop: Set when the user wants it to end.

    Raises:
        Interrupted: The user asked to stop.
        SourceError: The source as a whole cannot be read.
    """
    found = {name: Counted(make()) for name, make in counters.items()}
    progress.again(counters)
    _Reading(source, counters, options, progress, stop, found).run()
    return found


class _Reading(Generic[C]):
    """The threads of one pass."""

    def __init__(
        self,
        source: Source,
        counters: Mapping[str, Callable[[], C]],
        options: Options,
        progress: Progress,
        stop: threading.Event,
        found: dict[str, Counted[C]],
    ) -> None:
        self._source = source
        self._counters = counters
        self._options = options
        self._progress = progress
        self._stop = stop
        self._halt = threading.Event()
        self._found = found
        self._mutex = threading.Lock()
        self._fatal: BaseException | None = None
        self._parts: queue.SimpleQueue[_Part] = queue.SimpleQueue()

    def _wanted(self) -> int:
        """Return into how many parts a collection is cut: to find them costs a look at most of it."""
        if self._options.workers <= 1 and self._options.sample is None:
            return 1
        return self._options.workers * _PARTS_PER_WORKER

    def run(self) -> None:
        for name in self._found:
            parts = self._source.partitions(name, self._wanted())
            share = None if self._options.sample is None else -(-self._options.sample // len(parts))
            for part in parts:
                self._parts.put(_Part(part, share))
        threads = [
            threading.Thread(target=self._work, name=f"isthmus-read-{number}")
            for number in range(max(1, self._options.workers))
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(timeout=0.2)
                    if self._stop.is_set():
                        self._halt.set()
        finally:
            self._halt.set()
            for thread in threads:
                thread.join()
        if self._fatal is not None:
            raise self._fatal
        if self._stop.is_set():
            raise Interrupted

    def _work(self) -> None:
        try:
            while not self._halt.is_set():
                try:
                    part = self._parts.get_nowait()
                except queue.Empty:
                    return
                self._read(part)
        except Interrupted:
            pass
        except BaseException as fault:  # noqa: BLE001  handed to the main thread, which raises it
            with self._mutex:
                self._fatal = self._fatal or fault
            self._halt.set()

    def _read(self, part: _Part) -> None:
        """Read one part, again from where it was when the source was in trouble, and add what was found."""
        name = part.partition.collection
        counted, counter = self._found[name], self._counters[name]()
        retry = Retry(self._options.retry_seconds)
        after: Position | None = None
        documents = 0
        try:
            while True:
                try:
                    for block in self._source.read(part.partition, after=after, until=None, max_bytes=BLOCK_BYTES):
                        if part.most is not None and documents >= part.most:
                            counted.sampled = True
                            return
                        count = counter.read(block.data)
                        after, documents = block.end, documents + count
                        self._progress.batch(name, bytes_done=len(block.data), documents=count, dead_letters=0)
                        if self._halt.is_set():
                            return
                except SourceError as fault:
                    if fault.retryable and self._options.retry_seconds > 0:
                        retry.again(fault, self._halt, self._progress.note)
                        continue
                    self._broken(name, fault)
                return
        except SourceError as fault:  # the trouble lasted too long
            self._broken(name, fault)
        finally:
            with self._mutex:
                counted.counter.merge(counter)

    def _broken(self, name: str, fault: SourceError) -> None:
        with self._mutex:
            self._found[name].broken.append(str(fault))
        self._progress.broken(name, str(fault))
