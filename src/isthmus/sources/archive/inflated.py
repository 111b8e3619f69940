"""The bytes of an archive at any place: of a plain file by seeking, of a gzipped one by inflating.

Decides where inflating begins: states of the inflater are kept at places spread over the archive, so that a reader
of a late collection does not inflate everything before it.
"""

from __future__ import annotations

import bisect
import logging
import time
from collections.abc import Callable
from typing import Protocol

from isthmus.sources.files import read_at
from isthmus.sources.gzip_stream import GzipStream

_log = logging.getLogger(__name__)

_PLACES = 256
"""Most states kept; one costs about 45 KB."""

_FIRST_SPACING = 2 << 20
"""Decompressed bytes between two states at first; doubled whenever there are too many."""

_SILENT_SECONDS = 2.0
_LOG_SECONDS = 5.0


class ArchiveBytes(Protocol):
    """Random access to the (decompressed) bytes of one archive, for one thread."""

    @property
    def broken(self) -> str | None:
        """Sentence fragment why there are no more bytes, None where the file simply ends."""
        ...

    @property
    def compressed_offset(self) -> int | None:
        """Place in the compressed file; None for a plain one."""
        ...

    def read(self, offset: int, size: int, ahead: bytes = b"") -> bytes:
        """Return `ahead` and behind it the bytes from `offset` on; fewer than `size` only where they end.

        Args:
            offset: Where to read.
            size: How many bytes to read.
            ahead: The bytes that stand in front of `offset`.

        Raises:
            OSError: The file cannot be read.
        """
        ...


class PlainBytes:
    """A plain archive.

    Args:
        descriptor: Open file descriptor; not closed here.
    """

    broken: str | None = None
    compressed_offset: int | None = None

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, offset: int, size: int, ahead: bytes = b"") -> bytes:
        """See `ArchiveBytes.read`; what is ahead is read again, which is cheaper than putting it together."""
        return read_at(self._descriptor, size + len(ahead), offset - len(ahead))


class Inflating(GzipStream):
    """A gzip stream that knows its place and can go on a second time from there.

    Args:
        descriptor: As for `GzipStream`.
        keep: Called with the stream itself now and then, where keeping it costs little.

    Attributes:
        offset: Decompressed bytes taken so far.
    """

    def __init__(self, descriptor: int, keep: Callable[[Inflating], None] | None = None) -> None:
        super().__init__(descriptor)
        self.offset = 0
        self._keep = keep

    def again(self, descriptor: int) -> Inflating:
        """Return another stream that goes on from here, over a descriptor of the same file."""
        other = Inflating(descriptor)
        other.offset = self.offset
        other.broken = self.broken
        other._offset = self.compressed_offset
        other._member = self._member.copy() if self._member is not None else None
        other._members = self._members
        other._ended = self._ended
        return other

    def _inflate(self, limit: int) -> bytes:
        # Only between two pieces of input, for the state would hold on to the rest of a piece.
        if self._keep is not None and self._member is not None and not self._input:
            self._keep(self)
        part = super()._inflate(limit)
        self.offset += len(part)
        return part


class Places:
    """States of an inflater, spread over one archive; written by one thread, then read by any number."""

    def __init__(self) -> None:
        self._offsets: list[int] = []
        self._states: list[Inflating] = []
        self._spacing = _FIRST_SPACING

    def __len__(self) -> int:
        return len(self._states)

    def keep(self, stream: Inflating) -> None:
        """Keep a state where the last one is far enough away; halve their number where there are too many."""
        if stream.offset < (self._offsets[-1] if self._offsets else 0) + self._spacing:
            return
        self._offsets.append(stream.offset)
        self._states.append(stream.again(-1))
        if len(self._states) > _PLACES:
            del self._offsets[::2], self._states[::2]
            self._spacing *= 2

    def before(self, offset: int) -> Inflating | None:
        """Return the last state at or before a decompressed offset."""
        number = bisect.bisect_right(self._offsets, offset)
        return self._states[number - 1] if number else None


class GzipBytes:
    """A gzipped archive.

    Args:
        descriptor: Open file descriptor; not closed here.
        places: Where inflating may begin.
        keep: Whether to add places on the way; for the first reader, which reads everything.
    """

    def __init__(self, descriptor: int, places: Places, *, keep: bool = False) -> None:
        self._descriptor = descriptor
        self._places = places
        self._stream = Inflating(descriptor, places.keep if keep else None)

    @property
    def broken(self) -> str | None:
        """See `ArchiveBytes.broken`; set only when every byte before the break was returned."""
        return self._stream.broken

    @property
    def compressed_offset(self) -> int | None:
        """See `ArchiveBytes.compressed_offset`."""
        return self._stream.compressed_offset

    def read(self, offset: int, size: int, ahead: bytes = b"") -> bytes:
        """See `ArchiveBytes.read`; goes back, or far ahead, to the nearest place that is kept."""
        place = self._places.before(offset)
        if offset < self._stream.offset or (place is not None and place.offset > self._stream.offset):
            self._stream = place.again(self._descriptor) if place is not None else Inflating(self._descriptor)
        self._stream.skip(offset - self._stream.offset)
        return self._stream.read(size, ahead) if self._stream.offset == offset else ahead


class LoggedBytes:
    """An archive whose reading is logged every few seconds, when it lasts: how much of the file is behind.

    Args:
        data: The archive.
        name: What it is called in the log.
        size: Bytes of its file.
    """

    def __init__(self, data: ArchiveBytes, name: str, size: int) -> None:
        self._data = data
        self._name = name
        self._size = size
        self._next_at = time.monotonic() + _SILENT_SECONDS

    @property
    def broken(self) -> str | None:
        """See `ArchiveBytes.broken`."""
        return self._data.broken

    @property
    def compressed_offset(self) -> int | None:
        """See `ArchiveBytes.compressed_offset`."""
        return self._data.compressed_offset

    def read(self, offset: int, size: int, ahead: bytes = b"") -> bytes:
        """See `ArchiveBytes.read`."""
        found = self._data.read(offset, size, ahead)
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + _LOG_SECONDS
            behind = self.compressed_offset
            share = 100 * (offset + size if behind is None else behind) // max(1, self._size)
            _log.info("Going through %s to see where its collections stand: %d %%", self._name, min(100, share))
        return found
