"""One reading of the source for all layers: every document once more through the core, as the copy and its retries did.

Documents come as the copy read them, also where a rewrite has replaced references in them since (`as_read`). Those that
have no rows are told apart here, by the ledger of dead letters; everything that is read is handed to whoever counts it.
Nothing is kept but what was asked for.
"""

from __future__ import annotations

import heapq
import threading
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, Self

from isthmus._rust import Batch, Profiler, Transcoder
from isthmus._rust import source_id as document_id
from isthmus.mapping.plan_tables import PlanTable
from isthmus.sources.reading import Options as ReadingOptions
from isthmus.sources.reading import read_all
from isthmus.state.ledgers import causes_of
from isthmus.state.source_ids import show
from isthmus.verify.as_read import AsRead
from isthmus.verify.checksum.spool import Spool
from isthmus.verify.letters import Letters
from isthmus.verify.source_facts import CollectionFacts, Documents, SourceFacts
from isthmus.verify.subject import Subject
from isthmus.work.progress import Progress

_DIGEST = 16
"""Bytes of `Batch.document_digests` a document: 8 of its `_id`, 8 of itself."""
_MOST_LOST = 1_000


class Taker(Protocol):
    """What is given the documents that have rows, in any order and from several threads, each with its own."""

    def take(self, documents: bytes, batch: Batch) -> None:
        """Take whole documents, and the rows that they make."""
        ...

    def merge(self, other: Self) -> None:
        """Take over what another one took; it is not used any more."""
        ...


@dataclass
class Wanted:
    """What a reading is for.

    Attributes:
        sample: Documents of each collection to draw; None for all, which `spools` keep.
        profiles: Whether documents are profiled.
        takers: Makes what takes a collection's documents.
        spools: What keeps documents where all are drawn: those that are no dead letters, and those that are.
        adjusted: Whether changed values are counted.
    """

    sample: int | None = 0
    profiles: bool = False
    takers: Callable[[str], list[Taker]] = lambda _collection: []
    spools: tuple[Spool, Spool] | None = None
    adjusted: bool = False


@dataclass
class _Drawn:
    """Documents drawn at random, but the same whenever the same documents are read: those of the lowest numbers."""

    most: int | None
    seed: int
    spool: Spool | None
    collection: str
    heap: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])

    def offer(self, digests: array[int], numbers: Iterable[int], document: Callable[[int], bytes]) -> None:
        """Offer documents by their numbers; `digests` are two numbers a document."""
        if self.most == 0:
            return
        if self.most is None:
            if self.spool is not None and (documents := b"".join(map(document, numbers))):
                self.spool.add(self.collection, documents)
            return
        for number in numbers:
            rank = (digests[2 * number + 1] ^ self.seed) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
            if len(self.heap) < self.most:
                heapq.heappush(self.heap, (-rank, document(number)))
            elif -rank > self.heap[0][0]:
                heapq.heapreplace(self.heap, (-rank, document(number)))

    @property
    def documents(self) -> Documents:
        """What was drawn: where not all are, always in the same order."""
        if self.most is None and self.spool is not None:
            return self.spool.of(self.collection)
        return [document for _, document in sorted(self.heap, reverse=True)]

    def merge(self, other: _Drawn) -> None:
        for one in other.heap:
            if self.most is None or len(self.heap) < self.most:  # of all none is in a heap
                heapq.heappush(self.heap, one)
            elif one > self.heap[0]:
                heapq.heapreplace(self.heap, one)


class _Reader:
    """Counts a part of one collection."""

    def __init__(self, reading: _Reading, collection: str) -> None:
        self._reading = reading
        self._collection = collection
        self._transcoders = reading.transcoders(collection)
        self._tables = reading.tables(collection)
        self.facts = CollectionFacts()
        self.rows: Counter[str] = Counter()
        most, seed = reading.wanted.sample, reading.subject.options.seed
        drawn, refused = reading.wanted.spools or (None, None)
        self.drawn, self.refused = _Drawn(most, seed, drawn, collection), _Drawn(most, seed, refused, collection)
        self.profiler = Profiler() if reading.wanted.profiles else None
        self.takers = reading.wanted.takers(collection)

    def read(self, documents: bytes) -> int:
        """Count whole documents, and return how many."""
        documents, rewritten = self._reading.as_read.documents(self._collection, documents)
        self.facts.rewritten += rewritten
        first = self._transcoders[0]
        batch = first.transcode(documents)
        digests = array("Q")
        digests.frombytes(batch.document_digests)
        self.facts.documents += batch.documents
        self.facts.digest = (self.facts.digest + sum(digests)) % 2**64
        apart, refused = self._apart(documents, batch)
        letters = {reject.document for reject in batch.rejects}.difference(refused) if apart else ()
        self.refused.offer(digests, sorted(letters), self._document(documents, batch))
        if not apart:
            self._take(documents, batch)
            self.drawn.offer(digests, range(batch.documents), self._document(documents, batch))
            return batch.documents
        kept = [number for number in range(batch.documents) if number not in apart]
        document = self._document(documents, batch)
        rest = b"".join(map(document, kept))
        self._take(rest, first.transcode(rest))
        self.drawn.offer(digests, kept, document)
        for number in refused:
            self._retried(document(number), digests, number, document)
        return batch.documents

    def _document(self, documents: bytes, batch: Batch) -> Callable[[int], bytes]:
        return lambda number: documents[batch.offset(number) : batch.offset(number + 1)]

    def _apart(self, documents: bytes, batch: Batch) -> tuple[set[int], list[int]]:
        """Return the numbers of documents that the first mapping gives no rows, and of those which are no letters."""
        refused = {reject.document for reject in batch.rejects}
        letters = self._reading.letters
        if not letters.any(self._collection):
            return refused, sorted(refused)
        digests = batch.document_digests
        met = {
            number: stage
            for number in range(batch.documents)
            if (stage := letters.take(self._collection, digests[number * _DIGEST + 8 : (number + 1) * _DIGEST]))
        }
        self.facts.letters += len(met)
        for number in sorted(number for number, stage in met.items() if stage == "convert" and number not in refused):
            self._converted(documents[batch.offset(number) : batch.offset(number + 1)])
        return refused | met.keys(), sorted(refused - met.keys())

    def _converted(self, document: bytes) -> None:
        """Enter a document that the ledger says could not be converted, and that the first mapping converts."""
        if any(transcoder.transcode(document).rejects for transcoder in self._transcoders[1:]):
            return  # a retry may have said so
        if len(self.facts.carriable) < _MOST_LOST:
            self.facts.carriable.append(_shown_id(document))
        else:
            self.facts.more_carriable += 1

    def _retried(self, document: bytes, digests: array[int], number: int, document_of: Callable[[int], bytes]) -> None:
        """Take a document that a retry carried; enter it as lost where none did."""
        for late, transcoder in enumerate(self._transcoders[1:], start=1):
            batch = transcoder.transcode(document)
            if not batch.rejects:
                self.facts.late[late] += 1
                self._take(document, batch)
                self.drawn.offer(digests, [number], document_of)
                return
        rejects = self._transcoders[0].transcode(document).rejects
        code = causes_of(rejects[0])[0].code if rejects else ""
        if len(self.facts.lost) < _MOST_LOST:
            self.facts.lost.append((_shown_id(document), code))
        else:
            self.facts.more_lost += 1

    def _take(self, documents: bytes, batch: Batch) -> None:
        self.facts.accepted += batch.accepted
        self.facts.skipped.update(batch.skips)
        for table in self._tables:
            self.rows[table.name] += batch.rows(table.index)
        if self._reading.wanted.adjusted:
            self.facts.adjusted.update((one.table, one.column, one.kind) for one in batch.adjustments)
            self.facts.add_became(batch.became())
        if self.profiler is not None:
            self.profiler.read(documents)
        for taker in self.takers:
            taker.take(documents, batch)

    def merge(self, other: _Reader) -> None:
        """Take over what another one counted."""
        mine, theirs = self.facts, other.facts
        mine.documents += theirs.documents
        mine.rewritten += theirs.rewritten
        mine.accepted += theirs.accepted
        mine.skipped.update(theirs.skipped)
        mine.letters += theirs.letters
        mine.adjusted.update(theirs.adjusted)
        mine.add_became(theirs.became)
        mine.carriable = (mine.carriable + theirs.carriable)[:_MOST_LOST]
        mine.more_carriable += theirs.more_carriable
        mine.late.update(theirs.late)
        mine.lost = (mine.lost + theirs.lost)[:_MOST_LOST]
        mine.more_lost += theirs.more_lost
        mine.digest = (mine.digest + theirs.digest) % 2**64
        self.rows.update(other.rows)
        self.drawn.merge(other.drawn)
        self.refused.merge(other.refused)
        if self.profiler is not None and other.profiler is not None:
            self.profiler.merge(other.profiler)
        for one, two in zip(self.takers, other.takers, strict=True):
            one.merge(two)


class _Reading:
    """What all readers of one reading share."""

    def __init__(self, subject: Subject, letters: Letters, wanted: Wanted) -> None:
        self.subject = subject
        self.letters = letters
        self.wanted = wanted
        self.as_read = AsRead(subject)
        self._transcoders = {name: subject.transcoders(name) for name in subject.histories[0].plans}
        self._tables = {name: subject.plan_tables(name) for name in self._transcoders}

    def transcoders(self, collection: str) -> list[Transcoder]:
        return self._transcoders[collection]

    def tables(self, collection: str) -> tuple[PlanTable, ...]:
        return self._tables[collection]


def read_source(
    subject: Subject,
    wanted: Wanted,
    progress: Progress,
    stop: threading.Event,
    collections: Iterable[str] | None = None,
) -> SourceFacts:
    """Read the collections that the mapping carries.

    Args:
        subject: What is verified.
        wanted: What for.
        progress: Told how far it is.
        stop: Set when the user wants it to end.
        collections: Which of them; None for all.

    Raises:
        Interrupted: The user asked to stop.
        SourceError: The source as a whole cannot be read.
    """
    listed = {info.name: info for info in subject.source.collections()}
    named = list(subject.histories[0].plans)
    facts = SourceFacts(
        unknown={
            name: info.documents
            for name, info in listed.items()
            if info.readable and name not in named and subject.mapping.why_skipped(name) is None
        },
        left_out={name: info.rule for name, info in listed.items() if info.rule is not None},
        absent=[name for name in named if name not in listed and (collections is None or name in collections)],
    )
    chosen = [
        name
        for name in named
        if name in listed and listed[name].readable and (collections is None or name in collections)
    ]
    for name in chosen:
        progress.expect(name, bytes_total=listed[name].bytes_total, bytes_done=0, documents=0, dead_letters=0)
    letters = Letters(subject.connection, subject.run.id)
    reading = _Reading(subject, letters, wanted)
    options = ReadingOptions(workers=subject.options.workers, retry_seconds=subject.options.retry_seconds)
    makers = {name: _maker(reading, name) for name in chosen}
    for name, counted in read_all(subject.source, makers, options, progress, stop).items():
        reader = counted.counter
        found = facts.collections[name] = reader.facts
        found.broken = sorted(counted.broken)
        found.letters_unmet, found.letters_listed = letters.unmet(name), letters.count[name]
        found.sample, found.refused = reader.drawn.documents, reader.refused.documents
        if reader.profiler is not None:
            found.profile = reader.profiler.result()
        facts.rows.update(reader.rows)
    return facts


def _maker(reading: _Reading, collection: str) -> Callable[[], _Reader]:
    return lambda: _Reader(reading, collection)


def _shown_id(document: bytes) -> str:
    found = document_id(document)
    return show(found) if found else "(no readable _id)"
