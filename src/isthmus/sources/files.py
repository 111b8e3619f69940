"""One file of a source on disk: opening it, reading at a place, seeing from outside that it changed, and its troubles.

Knows nothing of what is in a file.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from isthmus.errors import SourceError, Where
from isthmus.sources.shown import shown

SizeAndTime = tuple[int, int]
"""Size in bytes and modification time in nanoseconds."""

# Errors of a disk, a network file system or a crowded machine that may pass; a missing right or file does not.
_PASSING = {
    errno.EIO,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.EAGAIN,
    errno.EBUSY,
    errno.ENFILE,
    errno.EMFILE,
    errno.ENOMEM,
}


def in_bytes(size: int) -> str:
    """Return a size for people: `1 byte`, `2,000 bytes`."""
    return f"{size:,} {'byte' if size == 1 else 'bytes'}"


@contextmanager
def opened(path: Path, collection: str | None = None) -> Generator[int]:
    """Open a file for reading; give its descriptor, closed at the end.

    Raises:
        SourceError: It cannot be opened (`unreadable`).
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        unreadable(path, collection, None, error)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Read `size` bytes at `offset`; fewer only where the file now ends before them.

    Raises:
        OSError: The file cannot be read.
    """
    data = os.pread(descriptor, size, offset)
    while len(data) < size and (more := os.pread(descriptor, size - len(data), offset + len(data))):
        data += more
    return data


def unreadable(path: Path, collection: str | None, offset: int | None, error: OSError) -> NoReturn:
    """Raise for what the file system says of a file, `offset` bytes into it where that is known.

    Raises:
        SourceError: Always (`unreadable`); trying again may help where the trouble is one that passes.
    """
    place = "" if offset is None else f" at byte {offset:,}"
    raise SourceError(
        f"{shown(path.name)} cannot be read{place}: {error.strerror or error}.",
        code="unreadable",
        where=Where(file=shown(path), collection=collection),
        context={"offset": offset},
        hint="Check the file's permissions and the disk it lies on.",
        retryable=error.errno in _PASSING,
    ) from error


def size_and_time(path: Path) -> SizeAndTime | None:
    """Look at a file from outside; None for one that is not there.

    Raises:
        OSError: There is no looking at it.
    """
    try:
        return of_stat(path.stat())
    except FileNotFoundError:
        return None


def of_stat(found: os.stat_result) -> SizeAndTime:
    """Take size and time out of what the system says of a file."""
    return found.st_size, found.st_mtime_ns


def difference(before: SizeAndTime | None, now: SizeAndTime | None) -> str | None:
    """Return what happened to a file between two looks, as the predicate of a sentence; None when nothing shows."""
    if before == now:
        return None
    if before is None or now is None:
        return "went away" if now is None else "came to be there"
    if before[0] != now[0]:
        return f"went from {before[0]:,} to {in_bytes(now[0])}"
    return "was written to"
