"""Documents that are gone through again, kept until then: in memory while they are few, else in a file."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile

from isthmus.verify.source_facts import Documents

_MEMORY_BYTES = 8 << 20
_BLOCK_BYTES = 1 << 20
_LENGTH_BYTES = 4


class Spool:
    """Raw documents by collection. Adding is safe from several threads; the file has no name and goes with the process.

    Use it as a context manager.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._files: dict[str, SpooledTemporaryFile[bytes]] = {}
        self._counts: Counter[str] = Counter()
        self._mutex = threading.Lock()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, collection: str, documents: bytes) -> None:
        """Keep whole documents, back to back."""
        count = at = 0
        while at < len(documents):
            count, at = count + 1, at + _length(documents, at)
        with self._mutex:
            self._counts[collection] += count
            file = self._files.get(collection)
            if file is None:
                file = self._stack.enter_context(SpooledTemporaryFile[bytes](max_size=_MEMORY_BYTES))
                self._files[collection] = file
            file.write(documents)

    def count(self, collections: Collection[str]) -> int:
        """Return how many documents of some collections are kept."""
        return sum(self._counts[name] for name in collections)

    def of(self, collection: str) -> Documents:
        """Return the documents of a collection, to be gone through as often as needed."""
        return _Documents(self, collection)

    def read(self, collections: Collection[str] | None = None) -> Iterator[tuple[str, bytes]]:
        """Yield (collection, raw document) of some collections or all, as often as asked; once they are all added."""
        for collection, file in self._files.items():
            if collections is not None and collection not in collections:
                continue
            at = 0
            while True:
                file.seek(at)  # somebody else may read meanwhile
                block = file.read(_BLOCK_BYTES)
                if len(block) >= _LENGTH_BYTES and _length(block, 0) > len(block):
                    file.seek(at)
                    block = file.read(_length(block, 0))
                end = 0
                while len(block) - end >= _LENGTH_BYTES and end + _length(block, end) <= len(block):
                    start, end = end, end + _length(block, end)
                    yield collection, block[start:end]
                if not end:
                    break
                at += end


class _Documents:
    def __init__(self, spool: Spool, collection: str) -> None:
        self._spool = spool
        self._collection = collection

    def __iter__(self) -> Iterator[bytes]:
        return (document for _, document in self._spool.read([self._collection]))

    def __len__(self) -> int:
        return self._spool.count([self._collection])


def _length(block: bytes, at: int) -> int:
    return int.from_bytes(block[at : at + _LENGTH_BYTES], "little")
