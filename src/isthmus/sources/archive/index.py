"""One pass over an archive: what its prelude says, where the documents of each collection stand, and where it breaks.

Documents are hopped over by their lengths; what is inside them is not looked at. Memory: 16 bytes a block with
documents, of one database.
"""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from isthmus._rust import hop
from isthmus.sources.archive.format import (
    MAGIC,
    OPLOG_NAMES,
    TERMINATOR,
    VERSION,
    BlockHeader,
    Description,
    MalformedError,
    read_block_header,
    read_description,
    read_version,
)
from isthmus.sources.archive.inflated import ArchiveBytes
from isthmus.sources.limits import MAX_DOCUMENT_BYTES, SMALLEST_DOCUMENT_BYTES

BreakCode = Literal["truncated", "broken-framing", "gzip-broken"]

_WINDOW_BYTES = 1 << 20
_SMALL_WINDOW_BYTES = 1 << 12
_MAX_HEADER_BYTES = 1 << 16
_MAX_PRELUDE_BYTES = 256 << 20
_MAX_SEGMENTS = 1 << 21


@dataclass(frozen=True, slots=True)
class Break:
    """Where an archive cannot be read on.

    Attributes:
        code: What kind of break.
        offset: Decompressed offset behind the last thing that could be read.
        reason: Whole sentence; for `gzip-broken` what the file does, as the predicate of a sentence.
        compressed_offset: Place in the compressed file, None for a plain one.
        tail: Bytes behind `offset` that are still there, at most 4: the length that leads nowhere.
    """

    code: BreakCode
    offset: int
    reason: str
    compressed_offset: int | None
    tail: int


class BrokenError(Exception):
    """The archive cannot be read on.

    Args:
        where: The break.
    """

    def __init__(self, where: Break) -> None:
        super().__init__(where.reason)
        self.where = where


class NewerVersionError(Exception):
    """The archive states a version that is not known; the text is that version."""


class TooManySegmentsError(Exception):
    """The documents of a collection are scattered over more places than are kept."""


@dataclass(slots=True)
class Extent:
    """Where the documents of one collection stand: segments of the archive, one after the other.

    Attributes:
        starts: Offset in the archive of each segment's first document.
        before: Bytes of documents in the segments before each one.
        size: Bytes of documents in all.
        documents: How many there are.
        checksum: What the end block says; None where there is none.
        torn: Whether the archive breaks inside the last segment.
    """

    starts: array[int] = field(default_factory=lambda: array("Q"))
    before: array[int] = field(default_factory=lambda: array("Q"))
    size: int = 0
    documents: int = 0
    checksum: int | None = None
    torn: bool = False

    def add(self, start: int, size: int, documents: int) -> None:
        """Add a segment behind the others; one that follows the last without a gap cannot be."""
        if size:
            self.starts.append(start)
            self.before.append(self.size)
            self.size += size
            self.documents += documents

    def segment_at(self, offset: int) -> int:
        """Return the number of the segment that holds the byte `offset` of the collection."""
        return bisect.bisect_right(self.before, offset) - 1

    def segment_end(self, number: int) -> int:
        """Return the collection's offset behind a segment."""
        return self.before[number + 1] if number + 1 < len(self.before) else self.size

    def archive_offset(self, offset: int) -> int | None:
        """Return where in the archive the byte `offset` of the collection stands; None behind its last one."""
        if not 0 <= offset <= self.size or not self.starts:
            return None
        number = max(0, self.segment_at(offset))
        if number and offset == self.before[number] == self.size:
            number -= 1
        return self.starts[number] + offset - self.before[number]


@dataclass(slots=True)
class Prelude:
    """What an archive says of itself.

    Attributes:
        descriptions: Its collections, of all databases.
        end: Offset of the first block.
    """

    descriptions: list[Description]
    end: int


@dataclass(slots=True)
class Contents:
    """The blocks of one database.

    Attributes:
        extents: Collection → where its documents stand; also of collections that the prelude does not name.
        oplog_bytes: Bytes of oplog entries.
        broken: What to say of a collection without an end block: where the archive breaks or ends.
        whole: Whether it ends between two blocks, with nothing unreadable behind the last one.
        ended: Collections in the order of their end blocks.
    """

    extents: dict[str, Extent]
    broken: Break
    whole: bool
    oplog_bytes: int
    ended: list[str]


def read_prelude(data: ArchiveBytes) -> Prelude:
    """Read everything in front of the first block.

    Raises:
        BrokenError: It cannot be read.
        NewerVersionError: It is of another version.
        OSError: The file cannot be read.
    """
    walk = _Walk(data)
    walk.take_magic()
    descriptions: list[Description] = []
    document = walk.document(MAX_DOCUMENT_BYTES)
    try:
        if document is None:
            raise MalformedError("is missing")
        version = read_version(document)
        if version != VERSION:
            raise NewerVersionError(version)
        while (document := walk.document(MAX_DOCUMENT_BYTES)) is not None:
            if walk.offset > _MAX_PRELUDE_BYTES:
                raise MalformedError(f"goes on for more than {_MAX_PRELUDE_BYTES:,} bytes")
            descriptions.append(read_description(document))
    except MalformedError as error:
        reason = f"The list of its collections at the beginning cannot be used: it {error}."
        raise walk.garbage(walk.last, reason) from error
    return Prelude(descriptions, walk.offset)


def read_blocks(data: ArchiveBytes, start: int, database: str, names: Iterable[str]) -> Contents:
    """Note where the documents of one database stand.

    Args:
        data: The archive.
        start: Offset of the first block.
        database: The database.
        names: Its collections as the prelude names them.

    Raises:
        TooManySegmentsError: The documents stand in too many places.
        OSError: The file cannot be read.
    """
    walk = _Walk(data)
    walk.offset = start
    blocks = _Blocks(walk, database, {name: Extent() for name in names})
    try:
        while not walk.at_end():
            blocks.take()
    except BrokenError as error:
        broken, whole = error.where, False
    else:
        reason = "The archive ends there, without the end block of the collection: it is truncated."
        broken, whole = Break("truncated", walk.offset, reason, data.compressed_offset, 0), True
    return Contents(blocks.extents, broken, whole, blocks.oplog_bytes, blocks.ended)


class _Blocks:
    """Takes block after block and notes those of one database."""

    def __init__(self, walk: _Walk, database: str, extents: dict[str, Extent]) -> None:
        self.extents = extents
        self.oplog_bytes = 0
        self.ended: list[str] = []
        self._walk = walk
        self._database = database
        self._closed: set[tuple[str, str]] = set()
        self._segments = 0

    def take(self) -> None:
        """Take one block.

        Raises:
            BrokenError: It cannot be read on; documents before that are noted.
            TooManySegmentsError: There are too many segments.
        """
        walk = self._walk
        header = self._header()
        is_oplog = not header.database and header.name in OPLOG_NAMES
        mine = header.database == self._database and not is_oplog
        extent = self.extents.setdefault(header.name, Extent()) if mine else None
        first, documents = walk.offset, walk.documents
        try:
            walk.skip_documents()
        finally:
            size, documents = walk.offset - first, walk.documents - documents
            if extent is not None and size and not header.ends:
                self._segments += 1
                extent.add(first, size, documents)
                extent.torn = True
        if header.ends and size:
            raise walk.garbage(first, f"The end block of {header.name} holds documents.")
        walk.take_terminator()
        if header.ends:
            self._closed.add((header.database, header.name))
        if extent is not None:
            extent.torn = False
            if header.ends:
                extent.checksum = header.checksum
                self.ended.append(header.name)
        elif is_oplog:
            self.oplog_bytes += size
        if self._segments > _MAX_SEGMENTS:
            raise TooManySegmentsError

    def _header(self) -> BlockHeader:
        walk = self._walk
        document = walk.document(_MAX_HEADER_BYTES)
        try:
            if document is None:
                raise MalformedError("is missing")
            header = read_block_header(document)
        except MalformedError as error:
            raise walk.garbage(walk.last, f"The header of a block cannot be used: it {error}.") from error
        if (header.database, header.name) in self._closed:
            raise walk.garbage(walk.last, f"It goes on with {header.name} behind the end block of that collection.")
        return header


class _Window:
    """A part of the archive in memory that only moves forward."""

    def __init__(self, data: ArchiveBytes) -> None:
        self.data = b""
        self.start = 0
        self._source = data
        self._size = _SMALL_WINDOW_BYTES

    @property
    def end(self) -> int:
        return self.start + len(self.data)

    def reach(self, offset: int, size: int) -> bool:
        """Move on until `size` bytes from `offset` are here; False when there are not so many."""
        if offset + size > self.end:
            ahead = self.data[offset - self.start :] if offset < self.end else b""
            # What was jumped over says that documents are large: then little is read at each.
            self._size = min(_WINDOW_BYTES, self._size * 4) if offset <= self.end else _SMALL_WINDOW_BYTES
            self.data = b""
            self.data = self._source.read(offset + len(ahead), max(size, self._size) - len(ahead), ahead)
            self.start = offset
        return offset + size <= self.end

    def at(self, offset: int, size: int) -> bytes:
        return self.data[offset - self.start : offset - self.start + size]


class _Walk:
    """Goes through an archive document by document.

    Attributes:
        offset: Where the next document or terminator begins.
        last: Where the last one that was taken began.
        documents: How many were hopped over.
    """

    def __init__(self, data: ArchiveBytes) -> None:
        self.offset = 0
        self.last = 0
        self.documents = 0
        self._data = data
        self._window = _Window(data)

    def garbage(self, offset: int, reason: str) -> BrokenError:
        """Return the error for bytes that are there and make no sense."""
        return BrokenError(Break("broken-framing", offset, reason, self._data.compressed_offset, self._tail(offset)))

    def cut(self, offset: int) -> BrokenError:
        """Return the error for bytes that are not there."""
        compressed, tail = self._data.compressed_offset, self._tail(offset)
        if self._data.broken is not None:
            return BrokenError(Break("gzip-broken", offset, self._data.broken, compressed, tail))
        reason = "The archive ends inside a block: it is truncated."
        return BrokenError(Break("truncated", offset, reason, compressed, tail))

    def _tail(self, offset: int) -> int:
        return len(self._window.at(offset, 4)) if offset >= self._window.start else 0

    def take_magic(self) -> None:
        """Take the first bytes.

        Raises:
            BrokenError: They are not those of an archive.
        """
        if not self._window.reach(0, len(MAGIC)):
            raise self.cut(0)
        if self._window.at(0, len(MAGIC)) != MAGIC:
            raise self.garbage(0, "It does not begin as an archive does.")
        self.offset = len(MAGIC)

    def at_end(self) -> bool:
        """Tell whether the archive ends here.

        Raises:
            BrokenError: It breaks here.
        """
        if self._window.reach(self.offset, 1):
            return False
        if self._data.broken is not None:
            raise self.cut(self.offset)
        return True

    def document(self, largest: int) -> bytes | None:
        """Take the next document; None for a terminator, which is taken too.

        Raises:
            BrokenError: There is neither.
        """
        self.last = self.offset
        if self._at_terminator():
            self.take_terminator()
            return None
        length = int.from_bytes(self._window.at(self.offset, 4), "little", signed=True)
        if not SMALLEST_DOCUMENT_BYTES <= length <= largest:
            raise self.garbage(self.offset, _NO_DOCUMENT)
        if not self._window.reach(self.offset, length):
            raise self.cut(self.offset)
        document = self._window.at(self.offset, length)
        self.offset += length
        return document

    def skip_documents(self) -> None:
        """Hop over documents up to a terminator.

        Raises:
            BrokenError: There is none; `offset` stands behind the last document that may be one.
        """
        while not self._at_terminator():
            data, start = self._window.data, self._window.start
            landing, hopped = hop(data, self.offset - start)
            if not hopped:
                raise self.garbage(self.offset, _NO_DOCUMENT)
            if landing > len(data) and not self._window.reach(start + landing - 1, 1):
                self._window.data, self._window.start = data, start
                inside, hopped = _whole_documents(data, self.offset - start)
                self.offset = start + inside
                self.documents += hopped
                raise self.cut(self.offset)
            self.offset = start + landing
            self.documents += hopped

    def take_terminator(self) -> None:
        """Take the terminator that was found."""
        self.offset += len(TERMINATOR)

    def _at_terminator(self) -> bool:
        if not self._window.reach(self.offset, len(TERMINATOR)):
            raise self.cut(self.offset)
        return self._window.at(self.offset, len(TERMINATOR)) == TERMINATOR


_NO_DOCUMENT = "What stands there is neither a document nor the end of a block."


def _whole_documents(data: bytes, at: int) -> tuple[int, int]:
    """Return where the first document begins that reaches beyond `data`, and how many there are before it."""
    documents = 0
    while (length := int.from_bytes(data[at : at + 4], "little")) <= len(data) - at:
        at += length
        documents += 1
    return at, documents
