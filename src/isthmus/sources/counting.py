"""How many documents a collection has that nobody carries, where the source can tell it cheaply."""

from __future__ import annotations

from isthmus._rust import hop
from isthmus.errors import SourceError
from isthmus.sources.protocol import CollectionInfo, Source

_BLOCK_BYTES = 1 << 22
_MOST_EXACT_BYTES = 1 << 30
_MOST_OTHER_BYTES = 1 << 25


def count_documents(source: Source, info: CollectionInfo) -> int | None:
    """Return how many documents a collection has: by the server's own count, or by hopping through its file.

    Args:
        source: The source.
        info: What it lists of the collection.

    Returns:
        None where the source does not say and looking would cost too much (over 1 GiB of a plain file, over 32 MiB of
        what must be decompressed or translated first), where it cannot be read, and where a rule leaves it out.
    """
    if info.documents is not None or not info.readable:
        return info.documents
    most = _MOST_EXACT_BYTES if info.bytes_exact else _MOST_OTHER_BYTES
    if info.bytes_total is None or info.bytes_total > most:
        return None
    try:
        return sum(
            hop(block.data, 0)[1]
            for partition in source.partitions(info.name, 1)
            for block in source.read(partition, after=None, until=None, max_bytes=_BLOCK_BYTES)
        )
    except SourceError:  # what is left behind stands against nothing
        return None
