"""Read a mongodump folder: byte-range partitions of plain files, one forward reader for gzipped ones.

Decides where partitions begin, how much is read at once and what a break in a file is called. Framing itself (where a
document ends, what is no document at all) is the core's `frame` and `hop`. Files are read with `pread` on a descriptor
of each reader's own, so any number of threads may read one collection.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from isthmus._rust import frame, hop
from isthmus.errors import SourceError, Where
from isthmus.sources.chosen import readable
from isthmus.sources.dump.folder import DumpedCollection
from isthmus.sources.files import (
    SizeAndTime,
    difference,
    in_bytes,
    opened,
    read_at,
    size_and_time,
    unreadable,
)
from isthmus.sources.gzip_stream import GzipStream
from isthmus.sources.limits import MAX_DOCUMENT_BYTES, SMALLEST_DOCUMENT_BYTES
from isthmus.sources.offsets import decode_position, encode_position, first_stop, partitions_between
from isthmus.sources.protocol import Block, CollectionInfo, Partition, Position
from isthmus.sources.shown import printable, shown

_WINDOW_BYTES = 1 << 20
_SMALL_WINDOW_BYTES = 1 << 12
_FEW_DOCUMENTS = 8
_PIECE_BYTES = 1 << 19  # fits into a processor's own cache


@dataclass(frozen=True, slots=True)
class _Span:
    """What one reader reads: bytes `start` (inclusive) to `stop` (exclusive, None: to the end) of one file."""

    collection: str
    path: Path
    start: int
    stop: int | None
    max_bytes: int
    grow: Callable[[int], None] | None = None

    def announce(self, size: int) -> None:
        """Tell the caller before a buffer larger than its `max_bytes` is filled."""
        if self.grow is not None and size > self.max_bytes:
            self.grow(size)


class DumpSource:
    """One database's folder of a mongodump.

    Args:
        folder: The folder with the `.bson` files.
        database: The database's name.
        found: Its collections, as `list_collections` returns them.
    """

    kind = "dump"
    moves = False

    def __init__(self, folder: Path, database: str, found: dict[str, DumpedCollection]) -> None:
        self._folder = folder
        self._database = printable(database)
        self._found = found
        self.name = f"dump of {shown(self._database)} in {shown(folder)}"
        self._seen = {name: _look(one.path) for name, one in found.items()}

    @property
    def database(self) -> str:
        """Name of the database, from the folder."""
        return self._database

    def identity(self) -> dict[str, object]:
        """Return kind, database and the names of its readable collections; see `Source.identity`."""
        names = [name for name, one in self._found.items() if one.info.readable]
        return {"kind": self.kind, "database": self._database, "collections": names}

    def collections(self) -> list[CollectionInfo]:
        """List every collection sorted by name, also those that a rule leaves out."""
        return [one.info for one in self._found.values()]

    def partitions(self, collection: str, wanted: int) -> list[Partition]:
        """Split a collection; see `Source.partitions`. A gzipped or absent file is always one partition.

        Boundaries are found by following length prefixes from the start: files of large documents are jumped
        through, files of small ones are read up to the last boundary. Where a length cannot be true the hopping ends,
        and the last partition meets the break when it is read.
        """
        one = self._readable(collection)
        boundaries = [0]
        if one.path is not None and not one.compressed and wanted > 1:
            with opened(one.path, collection) as descriptor:
                try:
                    boundaries += _boundaries(descriptor, os.fstat(descriptor).st_size, wanted)
                except OSError as error:
                    unreadable(one.path, collection, boundaries[-1], error)
        return partitions_between(collection, boundaries)

    def read(
        self,
        partition: Partition,
        *,
        after: Position | None,
        until: Position | None,
        max_bytes: int,
        grow: Callable[[int], None] | None = None,
    ) -> Iterator[Block]:
        """Yield a partition's documents; see `Source.read`.

        Memory: at most `max_bytes`, or one document where that is larger; while the caller works on a block, the
        block alone.

        Raises:
            SourceError: `broken-framing`, `truncated`, `gzip-broken`, `unreadable` or `changed-under-us`, after every
                whole document before the break.
        """
        one = self._readable(partition.collection)
        if one.path is None:
            return
        start = decode_position(partition.start if after is None else after)
        stop = first_stop(partition.end, until)
        span = _Span(partition.collection, one.path, start, stop, max(1, max_bytes), grow)
        if span.stop is not None and span.stop <= start:
            return
        with opened(one.path, partition.collection) as descriptor:
            yield from _read_gzip(descriptor, span) if one.compressed else _read_plain(descriptor, span)

    def locate(self, position: Position, offset: int, *, collection: str | None = None) -> str:
        """Name a place; see `Source.locate`."""
        one = self._found.get(collection) if collection is not None else None
        byte = decode_position(position) + offset
        if one is None or one.path is None:
            return f"byte {byte:,}"
        return f"{shown(one.path.name)} at {'decompressed ' if one.compressed else ''}byte {byte:,}"

    def tell(self, note: Callable[[str], None]) -> None:
        """Take nothing: files have nothing to tell; see `Source.tell`."""

    def changed(self, collection: str) -> str | None:
        """Compare size and time of a collection's file with those at the opening; see `Source.changed`."""
        path = self._found[collection].path
        try:
            return difference(self._seen[collection], _look(path))
        except OSError as error:
            unreadable(path or self._folder, collection, None, error)

    def close(self) -> None:
        """Do nothing: every reader closes its own descriptor."""

    def _readable(self, collection: str) -> DumpedCollection:
        return readable(self._found, collection, f"dump of {shown(self._database)}", shown(self._folder))


def _look(path: Path | None) -> SizeAndTime | None:
    return size_and_time(path) if path is not None else None


def _boundaries(descriptor: int, size: int, wanted: int) -> list[int]:
    """Return up to `wanted - 1` document starts, ascending, near equal shares of the file; never 0, never `size`."""
    found: list[int] = []
    offset = 0
    window_bytes = _WINDOW_BYTES
    for share in range(1, wanted):
        target = size * share // wanted
        while offset < target:
            window = os.pread(descriptor, min(window_bytes, target - offset), offset)
            ahead, documents = hop(window, 0) if len(window) >= 4 else (0, 0)
            if documents == 0:
                if not _plausible(descriptor, offset, size):
                    return found
                ahead, documents = _length(descriptor, offset), 1
            offset += ahead
            if os.pread(descriptor, 1, offset - 1) != b"\0":
                return found  # a lying length: what it leads to may be the middle of a document
            window_bytes = _WINDOW_BYTES if documents >= _FEW_DOCUMENTS else _SMALL_WINDOW_BYTES
        if not _plausible(descriptor, offset, size):
            return found
        if offset > (found[-1] if found else 0):
            found.append(offset)
    return found


def _length(descriptor: int, offset: int) -> int:
    """Return the length prefix at `offset`, 0 where no four bytes are left."""
    prefix = os.pread(descriptor, 4, offset)
    return int.from_bytes(prefix, "little", signed=True) if len(prefix) == 4 else 0


def _plausible(descriptor: int, offset: int, size: int) -> bool:
    return SMALLEST_DOCUMENT_BYTES <= _length(descriptor, offset) <= min(MAX_DOCUMENT_BYTES, size - offset)


def _read_plain(descriptor: int, span: _Span) -> Iterator[Block]:
    size = os.fstat(descriptor).st_size
    if span.start > size:
        _changed(span, span.start, f"has only {in_bytes(size)}, but the checkpoint is at {span.start:,}")
    stop = size if span.stop is None else min(size, span.stop)
    offset = span.start
    needed = 0
    while offset < stop:
        if (data := _read_small(descriptor, offset, stop, span)) is not None:
            yield Block(data, encode_position(offset), encode_position(offset + len(data)))
            offset += len(data)
            data = b""
            continue
        first = _length_or_raise(descriptor, offset, span)
        if first <= MAX_DOCUMENT_BYTES:
            needed = max(needed, first)
        want = min(max(span.max_bytes, needed), stop - offset)
        span.announce(want)
        data = _pread(descriptor, want, offset, span)
        read = len(data)
        frames = frame(data, final=offset + want == stop or read < want)
        if frames.end:
            if frames.end < read <= span.max_bytes:
                data = data[: frames.end]
            elif frames.end < read:
                # Cutting would hold a large document twice; it is in the page cache, so it is read again.
                data = b""
                data = _pread(descriptor, frames.end, offset, span)
                if len(data) < frames.end or frame(data, final=True).end != frames.end:
                    _changed(span, offset, "was written to between two looks at the same bytes")
            yield Block(data, encode_position(offset), encode_position(offset + frames.end))
            offset += frames.end
        data = b""
        if read < want:
            break
        if frames.broken is not None:
            if span.stop is not None and offset + read - frames.end == span.stop and _is_truncation(frames.broken[0]):
                _changed(span, offset, f"no longer has the start of a document at byte {stop:,}")
            if span.stop is None or span.stop <= size:
                _broken_framing(span, offset, frames.broken[0], compressed=None)
            break
        needed = 0 if frames.end else max(frames.needed, read + SMALLEST_DOCUMENT_BYTES)
    _check_size(descriptor, size, offset, span)


def _read_small(descriptor: int, offset: int, stop: int, span: _Span) -> bytes | None:
    """Read a block of documents that are small against a piece of it, piece by piece.

    Each piece is framed while the processor still has it at hand, and begins where a document does, so that the pieces
    only need to be put together.

    Returns:
        Whole documents; None where this is no place for it: near the end, before a large document or before a break.
    """
    pieces: list[memoryview] = []
    read = 0
    while read + _PIECE_BYTES <= span.max_bytes and offset + read + _PIECE_BYTES < stop:
        piece = _pread(descriptor, _PIECE_BYTES, offset + read, span)
        end = frame(piece, final=False).end
        if end < _PIECE_BYTES // 2:
            break
        pieces.append(memoryview(piece)[:end])
        read += end
    return b"".join(pieces) if pieces else None


def _check_size(descriptor: int, size: int, offset: int, span: _Span) -> None:
    """Raise when the file no longer has the size it was opened with, or never reached to the end of the partition."""
    now = os.fstat(descriptor).st_size
    if now < size or (span.stop is None and now != size):
        _changed(span, offset, f"went from {size:,} to {in_bytes(now)} while it was read")
    if span.stop is not None and span.stop > size:
        _changed(span, offset, f"has only {in_bytes(size)}, but the partition ends at {span.stop:,}")


def _read_gzip(descriptor: int, span: _Span) -> Iterator[Block]:
    stream = GzipStream(descriptor)
    offset = span.start
    try:
        skipped = stream.skip(span.start)
    except OSError as error:
        unreadable(span.path, span.collection, 0, error)
    if skipped < span.start:
        if stream.broken is not None:
            _broken_gzip(span, skipped, stream)
        _changed(span, skipped, f"has only {skipped:,} decompressed bytes, but the checkpoint is at {span.start:,}")
    rest = b""
    # Half of what is allowed, because a block and the bytes it is cut from exist side by side for a moment.
    usual = max(1, span.max_bytes // 2)
    want = usual
    while span.stop is None or offset < span.stop:
        if span.stop is not None:
            want = min(want, span.stop - offset)
        span.announce(want)
        had = len(rest)
        try:
            rest = stream.read(want - had, rest)
        except OSError as error:
            unreadable(span.path, span.collection, offset, error)
        ended = len(rest) < want
        frames = frame(rest, final=(ended and stream.broken is None) or offset + len(rest) == span.stop)
        if frames.end:
            block = rest if frames.end == len(rest) else rest[: frames.end]
            rest = rest[frames.end :]
            yield Block(block, encode_position(offset), encode_position(offset + frames.end))
            block = b""
            offset += frames.end
        if frames.broken is not None:
            if offset + len(rest) == span.stop and _is_truncation(frames.broken[0]):
                _changed(span, offset, f"no longer has the start of a document at decompressed byte {span.stop:,}")
            _broken_framing(span, offset, frames.broken[0], compressed=stream.compressed_offset)
        if ended:
            break
        want = max(usual, len(rest) + 1) if frames.end else max(frames.needed, len(rest) + SMALLEST_DOCUMENT_BYTES)
    if stream.broken is not None:
        _broken_gzip(span, offset, stream)
    if span.stop is not None and offset < span.stop:
        _changed(span, offset, f"has only {offset:,} decompressed bytes, but the partition ends at {span.stop:,}")


def _pread(descriptor: int, size: int, offset: int, span: _Span) -> bytes:
    """Read `size` bytes at `offset`; fewer only where the file now ends before them."""
    try:
        return read_at(descriptor, size, offset)
    except OSError as error:
        unreadable(span.path, span.collection, offset, error)


def _length_or_raise(descriptor: int, offset: int, span: _Span) -> int:
    try:
        return _length(descriptor, offset)
    except OSError as error:
        unreadable(span.path, span.collection, offset, error)


def _is_truncation(reason: str) -> bool:
    return "truncated" in reason


def _broken_framing(span: _Span, offset: int, reason: str, *, compressed: int | None) -> NoReturn:
    """Raise for bytes that are no document; `compressed` is the place in the gzip file, None for a plain one."""
    code = "truncated" if _is_truncation(reason) else "broken-framing"
    place = f"byte {offset:,}" if compressed is None else f"decompressed byte {offset:,}"
    _break(span, offset, compressed, code, f"{shown(span.path.name)} breaks at {place}. {reason}")


def _broken_gzip(span: _Span, offset: int, stream: GzipStream) -> NoReturn:
    """Raise for a compressed file that cannot be read on; `offset` is the end of its last whole document."""
    compressed = stream.compressed_offset
    what = f"{shown(span.path.name)} {stream.broken}, at compressed byte {compressed:,}"
    _break(span, offset, compressed, "gzip-broken", f"{what}, behind the document that ends at byte {offset:,}.")


def _break(span: _Span, offset: int, compressed: int | None, code: str, what: str) -> NoReturn:
    raise SourceError(
        f"{what} Every document before it was read.",
        code=code,
        where=Where(file=shown(span.path), collection=span.collection),
        context={"offset": offset, "decompressed": compressed is not None, "compressed_offset": compressed},
        hint="Replace the file by a whole one (make the dump again) and run the same command: it goes on from here.",
    )


def _changed(span: _Span, offset: int, what: str) -> NoReturn:
    raise SourceError(
        f"{shown(span.path.name)} is not what it was: it {what}.",
        code="changed-under-us",
        where=Where(file=shown(span.path), collection=span.collection),
        context={"offset": offset},
        hint="Is mongodump still writing it, or was it replaced? Wait until the file is complete and run again.",
    )
