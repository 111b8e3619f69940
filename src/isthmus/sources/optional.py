"""A source that may lack some collections: where one is not there, it is read as one without documents.

So all that counts, resumes and compares treats a collection that appears later as one that has grown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from isthmus.sources.protocol import Block, CollectionInfo, Partition, Position, Source

_WHOLE: Position = b""
"""Where the only partition of a missing collection begins: no source makes such a position."""


def with_optional(source: Source, names: Collection[str]) -> Source:
    """Return a source that has collections of these names at any rate; itself where none are named."""
    return _WithOptional(source, frozenset(names)) if names else source


class _WithOptional:
    """Another source, with collections that may be missing.

    Args:
        source: The source; closed by `close`.
        names: The collections that it may lack.
    """

    def __init__(self, source: Source, names: frozenset[str]) -> None:
        self._source = source
        self._names = names

    @property
    def kind(self) -> str:
        return self._source.kind

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def moves(self) -> bool:
        return self._source.moves

    def tell(self, note: Callable[[str], None]) -> None:
        self._source.tell(note)

    def identity(self) -> dict[str, object]:
        return self._source.identity()

    def collections(self) -> list[CollectionInfo]:
        """List what the source has, and what it lacks as `missing`; sorted by name."""
        there = self._source.collections()
        lacking = self._names - {info.name for info in there}
        made = [
            CollectionInfo(name, "collection", 0, 0, (), {}, bytes_exact=not self.moves, missing=True)
            for name in lacking
        ]
        return sorted([*there, *made], key=lambda info: info.name)

    def partitions(self, collection: str, wanted: int) -> list[Partition]:
        if self._lacks(collection):
            return [Partition(collection, 0, _WHOLE, None)]
        return self._source.partitions(collection, wanted)

    def read(
        self,
        partition: Partition,
        *,
        after: Position | None,
        until: Position | None,
        max_bytes: int,
        grow: Callable[[int], None] | None = None,
    ) -> Iterator[Block]:
        """Yield the documents of a partition; of one made while the collection was missing, all that there are now."""
        if partition.start != _WHOLE:
            yield from self._source.read(partition, after=after, until=until, max_bytes=max_bytes, grow=grow)
        elif not self._lacks(partition.collection):
            whole = replace(partition, start=self._beginning(partition.collection))
            for block in self._source.read(whole, after=after, until=until, max_bytes=max_bytes, grow=grow):
                # batches begin where their partition does
                yield replace(block, start=_WHOLE) if after is None and block.start == whole.start else block

    def locate(self, position: Position, offset: int, *, collection: str | None = None) -> str:
        if position == _WHOLE and collection is not None:
            if self._lacks(collection):
                return f"the beginning of {collection}"
            position = self._beginning(collection)
        return self._source.locate(position, offset, collection=collection)

    def changed(self, collection: str) -> str | None:
        return None if self._lacks(collection) else self._source.changed(collection)

    def close(self) -> None:
        self._source.close()

    def _beginning(self, collection: str) -> Position:
        return self._source.partitions(collection, 1)[0].start

    def _lacks(self, collection: str) -> bool:
        return collection in self._names and all(info.name != collection for info in self._source.collections())
