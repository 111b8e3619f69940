"""The documents of an identity, read once and laid into temporary tables of the target: `_id`, keys and links only.

Memory is that of a few blocks, whatever the source holds.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import bson
import psycopg

from isthmus._rust import IdCodec, source_id
from isthmus.errors import SourceError
from isthmus.mapping import Mapping
from isthmus.mapping.identities import Identity
from isthmus.mapping.model import ColumnField, Ids, JunctionField, RouteField
from isthmus.mapping.rules import FieldPath
from isthmus.sources.back_to_back import each_document
from isthmus.sources.protocol import Source
from isthmus.sources.reading import Options as ReadingOptions
from isthmus.sources.reading import read_all
from isthmus.state.rewrites import Replaced, knows_rewrites, replaced
from isthmus.state.statements import statements
from isthmus.transfer.identities.skipping import Skipper, skipper
from isthmus.transfer.identities.values import CODEC, UNREADABLE, Recognised, Recogniser
from isthmus.work.progress import Progress

PACKAGE = "isthmus.transfer.identities"


@dataclass
class Read:
    """What reading came to.

    Attributes:
        parts: Places of the collections that were read.
        last: The highest number of a document.
        unreadable: Documents without an `_id` or that are no BSON, by collection: the copy makes them dead letters.
    """

    parts: list[int]
    last: int
    unreadable: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Reading:
    """What a reading needs.

    Attributes:
        mapping: The mapping.
        plans: Compiled plans by collection: they tell which documents are skipped.
        source: Where documents come from.
        key: The target's id key.
        options: How to read.
        progress: Told how far it is.
        stop: Set when the user wants it to end.
    """

    mapping: Mapping
    plans: dict[str, str]
    source: Source
    key: bytes
    options: ReadingOptions
    progress: Progress
    stop: threading.Event


def read_documents(reading: Reading, identity: Identity, connection: psycopg.Connection) -> Read:
    """Read the collections of an identity that the source has, into the tables that `lay_out` made.

    Raises:
        Interrupted: The user asked to stop.
        SourceError: The source cannot be read to its end (code `identity-unread`).
        psycopg.Error: The server failed.
    """
    there = {info.name for info in reading.source.collections() if info.readable and not info.missing}
    parts = [number for number, source in enumerate(identity.sources) if source.collection in there]
    spool, numbers = _Spool(connection), itertools.count(1)
    makers = {identity.sources[part].collection: _maker(reading, identity, part, spool, numbers) for part in parts}
    counted = read_all(reading.source, makers, reading.options, reading.progress, reading.stop)
    broken = [fault for one in counted.values() for fault in one.broken]
    if broken:
        raise SourceError(
            f"Who is one with whom cannot be found out: {' '.join(sorted(broken))}",
            code="identity-unread",
            hint="Repair the source, or leave the collection out of the identity; what is half read decides nothing.",
        )
    unreadable = {name: one.counter.unreadable for name, one in counted.items() if one.counter.unreadable}
    return Read(parts, next(numbers), unreadable)


def schemes(mapping: Mapping, identity: Identity) -> list[Ids]:
    """Return how ids are made of the documents of each part."""
    return [mapping.collections[mapping.flows_of(one.collection)[0].entry].ids for one in identity.sources]


def _hidden(mapping: Mapping, collection: str) -> list[FieldPath]:
    return [
        path
        for flow in mapping.flows_of(collection)
        for rule in mapping.collections[flow.entry].fields
        if isinstance(rule, ColumnField | RouteField | JunctionField) and rule.sensitive
        for path in ([rule.path] if isinstance(rule, JunctionField) else rule.paths)
    ]


def _maker(
    reading: Reading, identity: Identity, part: int, spool: _Spool, numbers: Iterator[int]
) -> Callable[[], _Reader]:
    collection = identity.sources[part].collection
    mapping = reading.mapping
    recogniser = Recogniser(
        identity, part, IdCodec(reading.key), reading.key, schemes(mapping, identity), _hidden(mapping, collection)
    )
    skips = skipper(mapping, collection, reading.plans[collection], reading.key)
    return lambda: _Reader(part, collection, recogniser, skips, spool, numbers)


class _Reader:
    """Reads a part of one collection."""

    def __init__(
        self,
        part: int,
        collection: str,
        recogniser: Recogniser,
        skips: Skipper | None,
        spool: _Spool,
        numbers: Iterator[int],
    ) -> None:
        self._part = part
        self._collection = collection
        self._recogniser = recogniser
        self._skips = skips
        self._spool = spool
        self._numbers = numbers
        self.unreadable = 0

    def read(self, documents: bytes) -> int:
        """Lay whole documents down, and return how many there were."""
        rows = _Rows()
        some_skipped = self._skips is not None and self._skips.any(documents)
        raws = [(raw, source_id(raw)) for raw in each_document(documents)]
        known = [one for _, one in raws if one is not None] if self._recogniser.has_links else []
        written = self._spool.replaced(self._collection, known)
        for raw, document_id in raws:
            if some_skipped and self._skips is not None and self._skips.any(raw):
                continue
            found = self._recognised(raw, document_id, written) if document_id is not None else None
            if found is None:
                self.unreadable += 1
            else:
                rows.add(next(self._numbers), self._part, *found)
        self._spool.write(rows)
        return len(raws)

    def _recognised(
        self, raw: bytes, document_id: bytes, written: dict[bytes, list[Replaced]]
    ) -> tuple[bytes, Recognised] | None:
        """Look at one document; None for one that cannot be read."""
        try:
            document = bson.decode(raw, CODEC)  # pyright: ignore[reportUnknownMemberType]  pymongo's generics
            found = self._recogniser.recognise(document_id, document, written.get(document_id, ()))
            return document_id, found
        except UNREADABLE:
            return None

    def merge(self, other: _Reader) -> None:
        """Take over what another one counted."""
        self.unreadable += other.unreadable


class _Rows:
    """Rows of one block, as texts of COPY."""

    def __init__(self) -> None:
        self.documents: list[str] = []
        self.links: list[str] = []

    def add(self, node: int, part: int, document_id: bytes, found: Recognised) -> None:
        """Add a document."""
        keys = ",".join("NULL" if one is None else f'"\\\\\\\\x{one.hex()}"' for one in found.keys)
        own, shown = _escaped(found.own_id), _escaped(found.shown)
        self.documents.append(f"{node}\t{part}\t\\\\x{document_id.hex()}\t{own}\t{shown}\t{{{keys}}}\n")
        for one in found.meanings:
            self.links.append(f"{node}\t{one.link}\t{one.part}\t{_escaped(one.id)}\n")


def _escaped(text: str) -> str:
    """Write a text as COPY takes it."""
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text


class _Spool:
    """The one connection that all threads write through, one after the other."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._mutex = threading.Lock()
        self._rewrites = knows_rewrites(connection)

    def replaced(self, collection: str, source_ids: Sequence[bytes]) -> dict[bytes, list[Replaced]]:
        """Return what rewrites put into some documents, the newest first."""
        if not source_ids or not self._rewrites:
            return {}
        with self._mutex:
            return replaced(self._connection, collection, source_ids)

    def write(self, rows: _Rows) -> None:
        """Write the rows of a block."""
        found: Sequence[tuple[str, list[str]]] = (("add_documents", rows.documents), ("add_links", rows.links))
        with self._mutex, self._connection.cursor() as cursor:
            for name, lines in found:
                if lines:
                    with cursor.copy(statements("things", PACKAGE)[name]) as copy:
                        copy.write("".join(lines))
