"""Inflate a gzip file forward, keeping every byte that came before a break.

Python's `gzip` module drops what it had buffered when it meets bad data. A carrier must deliver those bytes and then
say where the file breaks, so the members are inflated here with zlib directly (RFC 1952: members back to back; zero
padding behind the last one is allowed, anything else is not).
"""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path
from typing import Protocol

GZIP_MAGIC = b"\x1f\x8b"
"""First bytes of a gzip file."""

_PIECE = 64 * 1024
"""Compressed bytes read at once."""

_STEP = 1 << 20
"""Most decompressed bytes taken at once."""

_GZIP_MEMBER = 31
"""zlib window bits: gzip header and trailer are expected and the CRC is checked."""


def inflated_size(path: Path) -> int | None:
    """Return what the trailer of a gzip file says its decompressed size is; None where that cannot be true.

    A gzip file ends in its decompressed size modulo 2^32 (RFC 1952, ISIZE), so the number is only believed for files
    that are too small to have gone round.

    Raises:
        OSError: The file cannot be read.
    """
    size = path.stat().st_size
    if not 18 <= size <= 1 << 28:
        return None
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        stated = int.from_bytes(file.read(4), "little")
    return stated if stated == 0 or stated * 2 >= size else None


class _Inflater(Protocol):
    """The part of zlib's decompression object that is used here (its class has no public name)."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, /, max_length: int = 0) -> bytes: ...
    def copy(self) -> _Inflater: ...


class GzipStream:
    """Forward reader over one gzip file.

    Args:
        descriptor: Open file descriptor; read with `pread` only and not closed here.

    Attributes:
        broken: Sentence fragment why the stream cannot go on, None while it can. Set only when every byte before the
            break has been returned.
    """

    def __init__(self, descriptor: int) -> None:
        self.broken: str | None = None
        self._descriptor = descriptor
        self._offset = 0
        self._input = b""
        self._member: _Inflater | None = None
        self._members = 0
        self._ended = False

    @property
    def compressed_offset(self) -> int:
        """Bytes of the compressed file used so far."""
        return self._offset - len(self._input)

    def read(self, size: int, ahead: bytes = b"") -> bytes:
        """Return `ahead` and behind it the next `size` decompressed bytes; fewer only at the end or at a break.

        Memory: the result once (a `BytesIO` hands its buffer over without a copy).

        Raises:
            OSError: the file cannot be read.
        """
        gathered = io.BytesIO()
        gathered.write(ahead)
        missing = size
        while missing > 0 and not self._ended:
            missing -= gathered.write(self._inflate(min(missing, _STEP)))
        return gathered.getvalue()

    def skip(self, size: int) -> int:
        """Inflate and drop up to `size` bytes; return how many there were."""
        left = size
        while left > 0 and not self._ended:
            left -= len(self._inflate(min(left, _STEP)))
        return size - left

    def _inflate(self, limit: int) -> bytes:
        """Return between 0 and `limit` bytes, or set `_ended`."""
        if not self._input:
            self._input = os.pread(self._descriptor, _PIECE, self._offset)
            self._offset += len(self._input)
            if not self._input:
                if self._member is not None:
                    return self._drain(limit)
                self._end(None if self._members else "is empty, not even a gzip header is there")
                return b""
        if self._member is None and not self._next_member():
            return b""
        member = self._member
        if member is None:
            return b""
        before = member.copy()
        given = self._input
        try:
            part = member.decompress(given, limit)
        except zlib.error as error:
            return self._salvage(before, given, limit, error)
        if member.eof:
            self._input = member.unused_data
            self._member = None
        else:
            self._input = member.unconsumed_tail
        return part

    def _drain(self, limit: int) -> bytes:
        """Take what the inflater still holds when the file has no more bytes."""
        member = self._member
        part = member.decompress(b"", limit) if member is not None else b""
        if member is not None and member.eof:
            self._member = None
        elif not part:
            self._end("ends in the middle of the compressed data")
        return part

    def _next_member(self) -> bool:
        """Begin the next gzip member; False when there is none."""
        if self._members:
            stripped = self._input.lstrip(b"\0")
            if not stripped:
                self._input = b""
                return False
            self._input = stripped
            if not stripped.startswith(GZIP_MAGIC[: len(stripped)]):
                self._end("goes on with bytes that are not gzip behind the end of the compressed data")
                return False
        self._member = zlib.decompressobj(wbits=_GZIP_MEMBER)
        self._members += 1
        return True

    def _salvage(self, before: _Inflater, given: bytes, limit: int, error: zlib.error) -> bytes:
        """Return the bytes that came out before the bad one: feed the failed piece again, byte by byte."""
        parts: list[bytes] = []
        got = 0
        used = 0
        for used in range(len(given)):
            try:
                part = before.decompress(given[used : used + 1], limit - got)
            except zlib.error:
                break
            parts.append(part)
            got += len(part)
            if got >= limit:
                # Enough for this call; the bad byte is still ahead and will be met again by the next one.
                self._member = before
                self._input = before.unconsumed_tail + given[used + 1 :]
                return b"".join(parts)
        self._input = given[used:]
        self._end(_reason(error))
        return b"".join(parts)

    def _end(self, broken: str | None) -> None:
        self._ended = True
        self._member = None
        self.broken = broken


def _reason(error: zlib.error) -> str:
    text = str(error)
    if "incorrect data check" in text:
        return "does not match its own checksum"
    if "incorrect length check" in text:
        return "does not match its own length"
    if "incorrect header check" in text:
        return "is not gzip data"
    return f"cannot be decompressed ({text.rpartition(': ')[2]})"
