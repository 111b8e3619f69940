"""What a source gave, block by block, so that it can be held against what a running server has afterwards.

A block is known by where it began and ended and by a digest; of blocks that begin at the same place the last one
counts, which is the one that was carried. Memory: some 300 bytes for each block, no document.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from blake3 import blake3

from isthmus.sources.live_positions import BEGIN
from isthmus.sources.protocol import Block, Position


@dataclass(frozen=True, slots=True)
class Seen:
    """A block that was given.

    Attributes:
        start: Where it began.
        end: Where it ended.
        size: Its bytes.
        digest: blake3 of them.
    """

    start: Position
    end: Position
    size: int
    digest: bytes


class Witness:
    """Remembers the blocks of all collections. Safe to use from several threads."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[Position, Seen]] = {}
        self._ends: dict[str, Position] = {}
        self._mutex = threading.Lock()

    def saw(self, collection: str, block: Block) -> None:
        """Remember a block."""
        seen = Seen(block.start, block.end, len(block.data), blake3(block.data).digest())
        with self._mutex:
            self._seen.setdefault(collection, {})[block.start] = seen

    def ended(self, collection: str, end: Position) -> None:
        """Remember that a collection was read to its end, which is behind the last block or where that began."""
        with self._mutex:
            self._ends[collection] = end

    def chain(self, collection: str) -> list[Seen] | None:
        """Return the blocks of a whole collection in order; None where a part of it was not read."""
        with self._mutex:
            seen, end = self._seen.get(collection, {}), self._ends.get(collection)
            at, found = BEGIN, list[Seen]()
            while at != end and (block := seen.get(at)) is not None and len(found) < len(seen):
                found.append(block)
                at = block.end
            return found if at == end else None


def first_difference(chain: list[Seen], blocks: Iterable[bytes]) -> Position | None:
    """Hold the bytes of a collection against the blocks it once gave.

    Returns:
        The start of the first block that differs, or where documents were added at the end; None when nothing differs.
    """
    rest = _Rest(iter(blocks))
    for seen in chain:
        if rest.digest(seen.size) != seen.digest:
            return seen.start
    return None if rest.is_empty() else chain[-1].end if chain else BEGIN


class _Rest:
    """Bytes that come in pieces, taken in others."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def digest(self, size: int) -> bytes | None:
        """Take `size` bytes and return their digest; None when there are fewer."""
        hasher = blake3()
        while size:
            if self.is_empty():
                return None
            hasher.update(self._rest[:size])
            taken = min(size, len(self._rest))
            size -= taken
            self._rest = self._rest[taken:]
        return hasher.digest()

    def is_empty(self) -> bool:
        if not self._rest:
            self._rest = memoryview(next(self._blocks, b""))
        return not self._rest
