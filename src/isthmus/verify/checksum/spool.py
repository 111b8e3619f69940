"""Documents that are gone through again, kept until then: in memory while they are few, else in a file."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile

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
        self._mutex = threading.Lock()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, collection: str, documents: bytes) -> None:
        """Keep whole documents, back to back."""
        with self._mutex:
            file = self._files.get(collection)
            if file is None:
                file = self._stack.enter_context(SpooledTemporaryFile[bytes](max_size=_MEMORY_BYTES))
                self._files[collection] = file
            file.write(documents)

    def of(self, collection: str) -> Iterable[bytes]:
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


def _length(block: bytes, at: int) -> int:
    return int.from_bytes(block[at : at + _LENGTH_BYTES], "little")
