"""Positions that are byte offsets in one (decompressed) file, and partitions between them."""

from __future__ import annotations

import struct

from isthmus.errors import SourceError
from isthmus.sources.protocol import Partition, Position


def encode_position(offset: int) -> Position:
    """Return the position of a decompressed byte offset."""
    return struct.pack(">Q", offset)


def decode_position(position: Position) -> int:
    """Return the decompressed byte offset of a position.

    Raises:
        SourceError: The bytes are not an offset in a file (`bad-position`).
    """
    if len(position) != 8:
        message = f"The checkpoint holds {position.hex()}, which is no position in a file of documents."
        raise SourceError(message, code="bad-position", hint="The checkpoint belongs to another kind of source.")
    return int.from_bytes(position, "big")


def first_stop(*ends: Position | None) -> int | None:
    """Return the lowest offset of those that are given; None when none is."""
    return min((decode_position(end) for end in ends if end is not None), default=None)


def partitions_between(collection: str, boundaries: list[int]) -> list[Partition]:
    """Return the partitions of a file that begin at these offsets, the first of which is 0; the last has no end."""
    ends = [encode_position(offset) for offset in boundaries[1:]]
    return [
        Partition(collection, number, encode_position(start), end)
        for number, (start, end) in enumerate(zip(boundaries, [*ends, None], strict=True))
    ]
