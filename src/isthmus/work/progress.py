"""What a run tells about itself while it works: plain numbers, read by whoever draws them.

Writers are the workers; readers take a snapshot. Nothing here prints.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

T = TypeVar("T")


@dataclass
class CollectionProgress:
    """How far one collection is.

    Attributes:
        name: Collection name.
        bytes_total: Bytes to read; None when unknown, an estimate for compressed dumps.
        bytes_done: Bytes read and committed, also in earlier sessions of the same run.
        documents: Documents read and committed.
        dead_letters: Of those, the ones that became dead letters.
        broken: Why the reading ended early; None when it did not.
    """

    name: str
    bytes_total: int | None = None
    bytes_done: int = 0
    documents: int = 0
    dead_letters: int = 0
    broken: str | None = None


@dataclass(frozen=True)
class Part:
    """How far the step in hand is, where something in it is counted.

    Attributes:
        what: What is counted, in the plural.
        done: How many of them are done.
        total: How many there are; None where nobody knows.
        about: Whether that is an estimate.
        even: Whether each takes about as long as another, so that those done tell how long the others will take.
        seconds: Since the counting began.
    """

    what: str
    done: int
    total: int | None
    about: bool = False
    even: bool = True
    seconds: float = 0.0


@dataclass(frozen=True)
class Snapshot:
    """One consistent view of the progress.

    Attributes:
        stage: preflight, identities (looking who is one with whom), verifying, copying, retrying (dead letters),
            finishing, delivering, restoring or complete; of a survey surveying, collecting or looking up; of a
            verification opening, reading the source or verifying; of references in documents reading the source,
            comparing rows, rewriting or putting back.
        step: What exactly is being done, for example a finish step; empty when there is nothing to say.
        collections: By name, in the order of the mapping; those that are read again, where some are.
        seconds: Since the stage began.
        bytes_before: Bytes done when the stage began, so that rates speak of this session only.
        steps_done: Steps of the stage that are done.
        steps_total: How many it has; 0 where it goes through bytes, or nobody knows.
        step_seconds: Since the last of those was done; of the first one, since the stage began.
        part: How far the step in hand is; None where nothing in it is counted.
    """

    stage: str
    step: str
    collections: tuple[CollectionProgress, ...]
    seconds: float
    bytes_before: int
    steps_done: int
    steps_total: int
    step_seconds: float = 0.0
    part: Part | None = None


@dataclass
class Progress:
    """The live numbers of one run.

    Attributes:
        on_note: Called with a sentence for the person watching (retries, findings); from any thread.
    """

    on_note: Callable[[str], None] = lambda _text: None
    _collections: dict[str, CollectionProgress] = field(default_factory=dict[str, CollectionProgress])
    _names: frozenset[str] | None = None
    _mutex: threading.Lock = field(default_factory=threading.Lock)
    _stage: str = "preflight"
    _step: str = ""
    _steps_done: int = 0
    _steps_total: int = 0
    _since: float = field(default_factory=time.monotonic)
    _step_since: float = field(default_factory=time.monotonic)
    _bytes_before: int = 0
    _part: Part | None = None
    _part_since: float = 0.0

    def expect(self, name: str, *, bytes_total: int | None, bytes_done: int, documents: int, dead_letters: int) -> None:
        """Announce a collection and what earlier sessions did of it."""
        with self._mutex:
            self._collections[name] = CollectionProgress(name, bytes_total, bytes_done, documents, dead_letters)

    def stage(self, stage: str, steps: int = 0) -> None:
        """Begin a stage; `steps` is the number of its steps when it is known beforehand."""
        with self._mutex:
            self._stage, self._step, self._since = stage, "", time.monotonic()
            self._step_since, self._part = self._since, None
            self._steps_done, self._steps_total = 0, steps
            self._bytes_before = sum(c.bytes_done for c in self._collections.values())

    def again(self, names: Iterable[str]) -> None:
        """Begin to read from the start, of these collections only; of what is expected only the size stays."""
        with self._mutex:
            self._names = frozenset(names)
            for entry in self._collections.values():
                entry.bytes_done = entry.documents = 0
            self._since, self._bytes_before = time.monotonic(), 0

    def step(self, step: str) -> None:
        """Begin a step of the stage."""
        with self._mutex:
            self._step, self._part = step, None

    def step_done(self) -> None:
        """Count a finished step."""
        with self._mutex:
            self._steps_done += 1
            self._step_since, self._part = time.monotonic(), None

    def part(self, what: str, total: int | None, *, about: bool = False, even: bool = True) -> None:
        """Begin to count within the step in hand; see `Part`."""
        with self._mutex:
            self._part, self._part_since = Part(what, 0, total, about, even), time.monotonic()

    def part_done(self, amount: int = 1) -> None:
        """Count what is done of the part that was begun last; nothing where none was."""
        with self._mutex:
            if self._part is not None:
                self._part = replace(self._part, done=self._part.done + amount)

    def counting(self, items: Iterable[T], what: str, total: int | None, *, even: bool = True) -> Iterator[T]:
        """Yield items, and count each as a part of the step in hand when it is done with."""
        self.part(what, total, even=even)
        for item in items:
            yield item
            self.part_done()
        with self._mutex:
            self._part = None

    def batch(self, collection: str, *, bytes_done: int, documents: int, dead_letters: int) -> None:
        """Add a committed batch."""
        with self._mutex:
            entry = self._collections.setdefault(collection, CollectionProgress(collection))
            entry.bytes_done += bytes_done
            entry.documents += documents
            entry.dead_letters += dead_letters

    def broken(self, collection: str, why: str) -> None:
        """Say that a collection's reading ended early."""
        with self._mutex:
            self._collections.setdefault(collection, CollectionProgress(collection)).broken = why

    def note(self, text: str) -> None:
        """Tell the person watching."""
        self.on_note(text)

    def snapshot(self) -> Snapshot:
        """Return the numbers as they are now."""
        with self._mutex:
            return Snapshot(
                stage=self._stage,
                step=self._step,
                collections=tuple(
                    CollectionProgress(c.name, c.bytes_total, c.bytes_done, c.documents, c.dead_letters, c.broken)
                    for c in self._collections.values()
                    if self._names is None or c.name in self._names
                ),
                seconds=time.monotonic() - self._since,
                bytes_before=self._bytes_before,
                steps_done=self._steps_done,
                steps_total=self._steps_total,
                step_seconds=time.monotonic() - self._step_since,
                part=None if self._part is None else replace(self._part, seconds=time.monotonic() - self._part_since),
            )
