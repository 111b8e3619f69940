"""Read a `mongodump --archive` file, plain or gzipped: each collection one partition, its documents gathered again.

Decides what becomes a block, what a break is called, and whether a collection arrived as it was dumped: its CRC-64 is
computed along the way and held against the end block. A position is two numbers of 8 bytes, big-endian: the offset
among the documents of the collection, and the CRC-64 of everything before it, so that a resume can go on with both.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from isthmus._rust import crc64, frame
from isthmus.errors import SourceError, Where
from isthmus.sources.archive.collections import ArchivedCollection
from isthmus.sources.archive.index import Break, Extent
from isthmus.sources.archive.inflated import ArchiveBytes, GzipBytes, Places, PlainBytes
from isthmus.sources.chosen import readable
from isthmus.sources.files import (
    SizeAndTime,
    difference,
    in_bytes,
    of_stat,
    opened,
    size_and_time,
    unreadable,
)
from isthmus.sources.limits import SMALLEST_DOCUMENT_BYTES
from isthmus.sources.protocol import Block, CollectionInfo, Partition, Position
from isthmus.sources.shown import shown

_POSITION = struct.Struct(">QQ")


def encode_position(offset: int, checksum: int) -> Position:
    """Return the position behind `offset` bytes of a collection's documents, whose CRC-64 is `checksum`."""
    return _POSITION.pack(offset, checksum)


def decode_position(position: Position) -> tuple[int, int]:
    """Return offset and CRC-64 of a position.

    Raises:
        SourceError: The bytes are not a position of an archive (`bad-position`).
    """
    if len(position) != _POSITION.size:
        message = f"The checkpoint holds {position.hex()}, which is no position in an archive."
        raise SourceError(message, code="bad-position", hint="The checkpoint belongs to another kind of source.")
    offset, checksum = _POSITION.unpack(position)
    return offset, checksum


@dataclass(frozen=True, slots=True)
class Opened:
    """An archive as it was when it was opened.

    Attributes:
        path: The file.
        seen: Its size and time.
        places: Where inflating may begin; None for a plain archive.
    """

    path: Path
    seen: SizeAndTime
    places: Places | None


class ArchiveSource:
    """One database of an archive.

    Args:
        opened: The archive.
        database: The database's name.
        found: Its collections.
        broken: What to say of a collection without an end block.
        unproven: The collection that is to tell of a break behind all end blocks; None where there is no such break.
    """

    kind = "archive"
    moves = False

    def __init__(
        self, opened: Opened, database: str, found: dict[str, ArchivedCollection], broken: Break, unproven: str | None
    ) -> None:
        self._opened = opened
        self._database = database
        self._found = found
        self._broken = broken
        self._unproven = unproven
        self.name = f"archive of {shown(database)} in {shown(opened.path)}"

    @property
    def database(self) -> str:
        """Name of the database."""
        return self._database

    def identity(self) -> dict[str, object]:
        """Return kind, database and the names of its readable collections; see `Source.identity`."""
        names = [name for name, one in self._found.items() if one.listed]
        return {"kind": self.kind, "database": self._database, "collections": names}

    def collections(self) -> list[CollectionInfo]:
        """List every collection sorted by name, also those that a rule leaves out."""
        return [one.info for one in self._found.values()]

    def partitions(self, collection: str, wanted: int) -> list[Partition]:  # noqa: ARG002  one, whatever is wanted
        """Return the whole collection as one partition, for its checksum runs from the first document to the last."""
        self._readable(collection)
        return [Partition(collection, 0, encode_position(0, 0), None)]

    def read(
        self,
        partition: Partition,
        *,
        after: Position | None,
        until: Position | None,
        max_bytes: int,
        grow: Callable[[int], None] | None = None,
    ) -> Iterator[Block]:
        """Yield a collection's documents; see `Source.read`. The end is checked only where `until` is not given.

        Memory: about `max_bytes`, or one document twice where that is larger.

        Raises:
            SourceError: `truncated`, `broken-framing` or `gzip-broken` after every whole document before the break;
                `crc-differs` after every document; `unreadable` or `changed-under-us`.
        """
        name = partition.collection
        one = self._readable(name)
        offset, checksum = decode_position(partition.start if after is None else after)
        stops = [decode_position(position)[0] for position in (partition.end, until) if position is not None]
        stop = min(stops, default=None)
        if stop is not None and stop <= offset:
            return
        with self._bytes(name) as data:
            reader = _Reader(data, one.extent, self._broken, stop, max(1, max_bytes), grow)
            try:
                yield from reader.blocks(offset, checksum)
            except OSError as error:
                unreadable(self._opened.path, name, None, error)
        if reader.changed is not None:
            self._changed(name, reader.changed)
        if stop is not None and reader.offset >= stop:
            return
        if reader.torn_at is not None or one.extent.checksum is None:
            offset = self._broken.offset if reader.torn_at is None else reader.torn_at
            raise self._broken_off(name, offset, "was read")
        if stop is not None or reader.offset > one.extent.size:
            wanted = reader.offset if stop is None else stop
            self._changed(name, f"has only {in_bytes(one.extent.size)} of {name}, but the checkpoint is at {wanted:,}")
        if reader.checksum != one.extent.checksum:
            self._differs(name, reader.checksum, one.extent.checksum)
        if name == self._unproven:
            raise self._broken_off(name, self._broken.offset, "was read")

    def breaks(self, collections: Iterable[str]) -> list[SourceError]:
        """Return what `read` will say at the end of those collections that the archive was seen to break off in."""
        found: list[SourceError] = []
        for name in collections:
            one = self._found.get(name)
            if one is not None and one.info.readable and (one.extent.checksum is None or name == self._unproven):
                found.append(self._broken_off(name, self._broken.offset, "can be read"))
        return found

    def locate(self, position: Position, offset: int, *, collection: str | None = None) -> str:
        """Name a place by its byte in the archive; see `Source.locate`."""
        byte = decode_position(position)[0] + offset
        one = self._found.get(collection) if collection is not None else None
        place = one.extent.archive_offset(byte) if one is not None else None
        name = shown(self._opened.path.name)
        if place is None:
            of = "" if collection is None else f" of {collection} in {name}"
            return f"byte {byte:,}{of}"
        return f"{name} at {self._byte(place)} (collection {collection})"

    def tell(self, note: Callable[[str], None]) -> None:
        """Take nothing: files have nothing to tell; see `Source.tell`."""

    def changed(self, collection: str) -> str | None:
        """Compare size and time of the archive with those at the opening; see `Source.changed`."""
        try:
            return difference(self._opened.seen, size_and_time(self._opened.path))
        except OSError as error:
            unreadable(self._opened.path, collection, None, error)

    def close(self) -> None:
        """Do nothing: every reader closes its own descriptor."""

    def _readable(self, collection: str) -> ArchivedCollection:
        return readable(self._found, collection, f"archive of {shown(self._database)}", shown(self._opened.path))

    @contextmanager
    def _bytes(self, collection: str) -> Generator[ArchiveBytes, None, None]:
        with opened(self._opened.path, collection) as descriptor:
            what = difference(self._opened.seen, of_stat(os.fstat(descriptor)))
            if what is not None:
                self._changed(collection, what)
            places = self._opened.places
            yield PlainBytes(descriptor) if places is None else GzipBytes(descriptor, places)

    def _byte(self, offset: int) -> str:
        return f"{'' if self._opened.places is None else 'decompressed '}byte {offset:,}"

    def _where(self, collection: str) -> Where:
        return Where(file=shown(self._opened.path), collection=collection)

    def _broken_off(self, collection: str, offset: int, became: str) -> SourceError:
        broken = self._broken
        if broken.code == "gzip-broken":
            what = f"{shown(self._opened.path.name)} {broken.reason}, at compressed byte {broken.compressed_offset:,}."
        else:
            what = f"{shown(self._opened.path.name)} breaks at {self._byte(offset)}. {broken.reason}"
        return SourceError(
            f"{what} Every document of {collection} before it {became}.",
            code=broken.code,
            where=self._where(collection),
            context={
                "offset": offset,
                "decompressed": self._opened.places is not None,
                "compressed_offset": broken.compressed_offset,
            },
            hint="Replace the file by a whole one (get it or make it again) and run the same command: it goes on from "
            "here.",
        )

    def _differs(self, collection: str, found: int, stated: int | None) -> NoReturn:
        raise SourceError(
            f"Every document of {collection} was read; their CRC-64 is {found:016x}, and the end block of the archive "
            f"says {stated or 0:016x}. The archive was damaged after it was made: one of its documents or the end "
            "block itself, and it cannot be told which.",
            code="crc-differs",
            where=self._where(collection),
            context={"crc": f"{found:016x}", "stated": f"{stated or 0:016x}"},
            hint="Get the archive again, or make it again, and run the same command with --fresh: what was carried may "
            "be wrong. (Without --fresh, a copy first compares what was carried with the new archive: it is completed "
            "if only the end block was damaged, and refused as source-changed if a document was.)",
        )

    def _changed(self, collection: str, what: str) -> NoReturn:
        raise SourceError(
            f"{shown(self._opened.path.name)} is not what it was: it {what}.",
            code="changed-under-us",
            where=self._where(collection),
            hint="Is mongodump still writing it, or was it replaced? Wait until the file is complete and run again.",
        )


class _Reader:
    """Gathers the documents of one collection into blocks.

    Args:
        data: The archive.
        extent: Where the documents stand.
        broken: Where the archive breaks.
        stop: Offset in the collection to stop at; None reads to its end.
        max_bytes: Most bytes of a block.
        grow: Told before a larger buffer is filled.

    Attributes:
        offset: Bytes of the collection that were read.
        checksum: Their CRC-64.
        torn_at: Where in the archive its last segment breaks; None when that was not met.
        changed: What happened to the file, as the predicate of a sentence; None when nothing did.
    """

    def __init__(
        self,
        data: ArchiveBytes,
        extent: Extent,
        broken: Break,
        stop: int | None,
        max_bytes: int,
        grow: Callable[[int], None] | None,
    ) -> None:
        self.offset = 0
        self.checksum = 0
        self.torn_at: int | None = None
        self.changed: str | None = None
        self._data = data
        self._extent = extent
        self._end = extent.size if stop is None else min(stop, extent.size)
        self._tail = broken.tail if extent.torn and self._end == extent.size else 0
        self._max_bytes = max_bytes
        # Half of what is allowed, because a block and the bytes it is made of exist side by side for a moment.
        self._usual = max(1, max_bytes // 2)
        self._grow = grow
        self._gathered: list[bytes] = []
        self._room = self._usual
        self._start = b""

    def blocks(self, offset: int, checksum: int) -> Iterator[Block]:
        """Yield blocks from a position on, until nothing is left or `torn_at` or `changed` says why it ends.

        Raises:
            OSError: The file cannot be read.
        """
        self.offset, self.checksum = offset, checksum
        self._start = encode_position(offset, checksum)
        number = self._extent.segment_at(offset)
        while self.offset < self._end and self.torn_at is None and self.changed is None:
            yield from self._segment(number)
            number += 1
        yield from self._flush()

    def _segment(self, number: int) -> Iterator[Block]:
        """Read a segment from `offset` on; small ones are only gathered."""
        at = self._extent.starts[number] + self.offset - self._extent.before[number]
        left = min(self._extent.segment_end(number), self._end) - self.offset
        # The length that leads nowhere belongs to it: what stands before it may be what lies.
        tail = self._tail if number == len(self._extent.starts) - 1 else 0
        left += tail
        rest = b""
        want = self._usual
        while left:
            want = min(want, left)
            if want > self._room:
                yield from self._flush()
            if want > self._max_bytes and self._grow is not None:
                self._grow(want)
            rest = self._data.read(at + len(rest), want - len(rest), rest)
            frames = frame(rest, final=want == left)
            if frames.end:
                self._gather(rest if frames.end == len(rest) else rest[: frames.end])
                rest = rest[frames.end :]
                at += frames.end
                left -= frames.end
                if left:
                    yield from self._flush()
            if len(rest) + frames.end < want or (frames.broken is not None and not tail):
                self.changed = f"no longer has the documents that stood at byte {at:,}"
                return
            if frames.broken is not None:
                self.torn_at = at
                return
            want = max(self._usual, len(rest) + 1) if frames.end else max(frames.needed, want + SMALLEST_DOCUMENT_BYTES)

    def _gather(self, piece: bytes) -> None:
        self._gathered.append(piece)
        self._room -= len(piece)
        self.offset += len(piece)
        self.checksum = crc64(piece, self.checksum)

    def _flush(self) -> Iterator[Block]:
        if self._gathered:
            data = self._gathered[0] if len(self._gathered) == 1 else b"".join(self._gathered)
            self._gathered, self._room = [], self._usual
            start, self._start = self._start, encode_position(self.offset, self.checksum)
            yield Block(data, start, self._start)
