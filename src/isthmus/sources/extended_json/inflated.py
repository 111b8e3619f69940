"""The bytes of one JSON file, forward from a place: of a plain file by seeking, of a gzipped one by inflating.

Knows nothing of JSON but that a line ends with a line feed.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from isthmus.sources import files
from isthmus.sources.gzip_stream import GzipStream

_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class JsonFile:
    """One collection's file.

    Attributes:
        path: Where it is.
        collection: Whose it is.
        compressed: Whether it is gzipped.
    """

    path: Path
    collection: str
    compressed: bool

    def opened(self) -> AbstractContextManager[int]:
        """Open it; give its descriptor.

        Raises:
            SourceError: `unreadable`.
        """
        return files.opened(self.path, self.collection)

    def unreadable(self, offset: int | None, error: OSError) -> NoReturn:
        """Raise for what the file system says.

        Raises:
            SourceError: always (`unreadable`).
        """
        files.unreadable(self.path, self.collection, offset, error)


class JsonBytes:
    """Forward reader over a file; for one thread.

    Args:
        file: The file.
        descriptor: It, opened; not closed here.

    Attributes:
        offset: Place in the decompressed file.
        lines: Line feeds in front of the place where `skip` ended; None where they were not looked at.
    """

    def __init__(self, file: JsonFile, descriptor: int) -> None:
        self.offset = 0
        self.lines: int | None = 0
        self._file = file
        self._descriptor = descriptor
        self._stream = GzipStream(descriptor) if file.compressed else None

    @property
    def broken(self) -> str | None:
        """Sentence fragment why the compressed data cannot be read on; None while it can."""
        return self._stream.broken if self._stream is not None else None

    @property
    def compressed_offset(self) -> int | None:
        """Place in the compressed file; None for a plain one."""
        return self._stream.compressed_offset if self._stream is not None else None

    def skip(self, size: int) -> None:
        """Go on by up to `size` bytes; `offset` says how far it went.

        Raises:
            SourceError: `unreadable`.
        """
        if self._stream is None:
            self.offset = min(self.offset + size, max(self.offset, self.size()))
            self.lines = 0 if self.offset == 0 else None
            return
        end = self.offset + size
        while self.offset < end and (data := self.read(min(_STEP, end - self.offset))):
            self.lines = (self.lines or 0) + data.count(b"\n")

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer only at the end or at a break.

        Raises:
            SourceError: `unreadable`.
        """
        try:
            data = (
                self._stream.read(size)
                if self._stream is not None
                else files.read_at(self._descriptor, size, self.offset)
            )
        except OSError as error:
            self._file.unreadable(self.offset, error)
        self.offset += len(data)
        return data

    def size(self) -> int:
        """Return the file's size on disk in bytes."""
        return os.fstat(self._descriptor).st_size


def line_and_column(file: JsonFile, offset: int) -> tuple[int, int]:
    """Return the line and the character in it of a byte, both from 1; reads the file up to there.

    Raises:
        SourceError: `unreadable`.
    """
    line, column = 1, 1
    with file.opened() as descriptor:
        data = JsonBytes(file, descriptor)
        while data.offset < offset and (piece := data.read(min(_STEP, offset - data.offset))):
            feeds = piece.count(b"\n")
            if feeds:
                line, column = line + feeds, 1
                piece = piece[piece.rfind(b"\n") + 1 :]
            column += len(piece) - sum(map(piece.count, _CONTINUATIONS)) if not piece.isascii() else len(piece)
    return line, column


def line_feeds(file: JsonFile, start: int, end: int) -> int:
    """Return how many line feeds there are from one byte to another.

    Raises:
        SourceError: `unreadable`.
    """
    feeds = 0
    with file.opened() as descriptor:
        data = JsonBytes(file, descriptor)
        data.skip(start)
        while data.offset < end and (piece := data.read(min(_STEP, end - data.offset))):
            feeds += piece.count(b"\n")
    return feeds


_CONTINUATIONS = [bytes([byte]) for byte in range(0x80, 0xC0)]
"""The bytes of UTF-8 that do not begin a character."""
