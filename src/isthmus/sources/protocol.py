"""What every source offers: collections, partitions of them, and blocks of whole documents read from a partition.

The transfer knows nothing else about a source. Positions are opaque bytes that the source makes and understands, so a
checkpoint can be stored without knowing whether it is a byte offset or an `_id`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

Position = bytes
"""A place between two documents of one collection; only the source that made it can read it.

Dump folders use the offset in the decompressed file, 8 bytes, big-endian, so positions there sort as bytes.
"""

CollectionKind = Literal["collection", "capped", "view", "timeseries", "system"]


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """One collection as the source lists it.

    Attributes:
        name: The collection's name as MongoDB knows it (not as a file system spells it).
        kind: What it is on the server.
        bytes_total: Bytes of BSON that a full read gives; an estimate for progress where data is compressed, None if
            unknown.
        documents: Number of documents, None if unknown (a dump does not say).
        indexes: Index descriptions as `listIndexes` gives them, Extended JSON numbers folded to plain ones.
        options: Collection options as `listCollections` gives them, folded the same way.
        rule: Whole sentence why this collection is not read, None when it is.
        bytes_exact: Whether a full read gives exactly `bytes_total`, so that the one can be held against the other.
        fault: Whole sentence why nothing is known of its indexes and options; None where they are known.
        missing: Whether it is not there, and stands for one without documents; see `sources.optional`.
    """

    name: str
    kind: CollectionKind
    bytes_total: int | None
    documents: int | None
    indexes: tuple[dict[str, object], ...]
    options: dict[str, object]
    rule: str | None = None
    bytes_exact: bool = False
    fault: str | None = None
    missing: bool = False

    @property
    def info(self) -> CollectionInfo:
        """Itself: where nothing more is known of a collection, it stands for what lists it."""
        return self

    @property
    def readable(self) -> bool:
        """Whether `Source.partitions` and `Source.read` accept this collection."""
        return self.rule is None


@dataclass(frozen=True, slots=True)
class Partition:
    """A contiguous part of one collection that one worker reads.

    Attributes:
        collection: Collection name.
        number: 0, 1, … within the collection, in source order.
        start: First position, inclusive.
        end: Last position, exclusive; None means to the end, however far that is when it is read.
    """

    collection: str
    number: int
    start: Position
    end: Position | None


@dataclass(frozen=True, slots=True)
class Block:
    """Whole documents, back to back, in source order.

    Attributes:
        data: Raw BSON of one or more documents; never empty, never a part of a document.
        start: Position of the first document.
        end: Position behind the last document: the `after` that continues.
    """

    data: bytes
    start: Position
    end: Position


class Source(Protocol):
    """A MongoDB database that can be read partition by partition.

    Safe to use from several threads at once; every `read` is independent of the others.
    """

    @property
    def kind(self) -> str:
        """Kind of source, for example `dump`."""
        ...

    @property
    def name(self) -> str:
        """Printable name without secrets."""
        ...

    @property
    def moves(self) -> bool:
        """Whether documents may be written while they are read: a running server's may, those in files may not.

        What was read from a source that moves is compared with it once more at the end of the load.
        """
        ...

    def tell(self, note: Callable[[str], None]) -> None:
        """Give what is told, from any thread, in sentences for people, of how the source lets itself be read."""
        ...

    def identity(self) -> dict[str, object]:
        """Return what must stay the same for a resume: JSON values, no path, no host, no size.

        A repaired or moved copy of the same database has the same identity; whether the part already read is still
        the same is told by the digest in the checkpoint.
        """
        ...

    def collections(self) -> list[CollectionInfo]:
        """List every collection sorted by name, also those that a rule leaves out."""
        ...

    def partitions(self, collection: str, wanted: int) -> list[Partition]:
        """Split a collection into at least one and at most `wanted` partitions that together cover it exactly once.

        Raises:
            SourceError: the collection is unknown, is left out by a rule, or cannot be read.
        """
        ...

    def read(
        self,
        partition: Partition,
        *,
        after: Position | None,
        until: Position | None,
        max_bytes: int,
        grow: Callable[[int], None] | None = None,
    ) -> Iterator[Block]:
        """Yield the documents of a partition in order, each exactly once.

        Args:
            partition: As `partitions` gave it, now or in an earlier run.
            after: Continue here (a `Block.end`); None starts at the partition's start.
            until: Stop here (a `Block.end`), in addition to the partition's end.
            max_bytes: Most bytes in one block; a block of one single document may be larger.
            grow: Called with a number of bytes before a buffer larger than `max_bytes` is filled; it may wait until
                there is room.

        Raises:
            SourceError: after every whole document before the break was yielded. Code, file and byte offset say where.
        """
        ...

    def locate(self, position: Position, offset: int, *, collection: str | None = None) -> str:
        """Name a place for a person, for example `zips.bson at byte 1,234`.

        Args:
            position: A position.
            offset: Bytes behind that position.
            collection: Names the file when given.
        """
        ...

    def changed(self, collection: str) -> str | None:
        """Look from outside, without reading a document, whether a collection was changed since the source was opened.

        Returns:
            What happened to it, as the predicate of a sentence (`went from 10 to 12 bytes`); None when nothing shows,
            and always of a source that `moves`.

        Raises:
            SourceError: There is no looking at it now.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections; safe to repeat."""
        ...
