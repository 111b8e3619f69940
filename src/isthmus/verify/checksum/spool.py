"""Documents that are left to the oracle, kept until it goes through them: in memory while few, else in a file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile

_MEMORY_BYTES = 8 << 20
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

    def read(self) -> Iterator[tuple[str, bytes]]:
        """Yield (collection, raw document) of all, as often as asked."""
        for collection, file in self._files.items():
            file.seek(0)
            while head := file.read(_LENGTH_BYTES):
                yield collection, head + file.read(int.from_bytes(head, "little") - _LENGTH_BYTES)
