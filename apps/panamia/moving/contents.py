"""What a collection holds, so that two places can be compared: count, bytes, a digest that no order changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pymongo import ReadPreference
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from isthmus.connect.mongo import MongoServer
from isthmus.errors import ConfigError
from isthmus.sources.back_to_back import each_document

_LEAST_BYTES = 5
_MOST_BYTES = 48 << 20
_MODULUS = 1 << 256


@dataclass(frozen=True)
class Contents:
    """What is in a collection, or in a file of its documents.

    Attributes:
        documents: How many.
        size_bytes: Their BSON together.
        digest: Sum of the SHA-256 of each, hex: the same in any order.
    """

    documents: int
    size_bytes: int
    digest: str


class Counting:
    """Counts documents as they pass, each raw BSON."""

    def __init__(self) -> None:
        self._documents = 0
        self._bytes = 0
        self._sum = 0

    def pass_on(self, documents: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the same documents, and count them."""
        for one in documents:
            self._documents += 1
            self._bytes += len(one)
            self._sum = (self._sum + int.from_bytes(hashlib.sha256(one).digest())) % _MODULUS
            yield one

    def contents(self) -> Contents:
        """Return what has passed."""
        return Contents(self._documents, self._bytes, f"{self._sum:064x}")


def contents_of(documents: Iterable[bytes]) -> Contents:
    """Count documents."""
    counting = Counting()
    for _ in counting.pass_on(documents):
        pass
    return counting.contents()


def on_server(server: MongoServer, database: str, collection: str) -> Iterator[bytes]:
    """Yield the documents that a collection has, as they are.

    Raises:
        SourceError: The server does not give them.
    """
    there = server.client.get_database(
        database, read_concern=ReadConcern("majority"), read_preference=ReadPreference.PRIMARY
    )[collection]
    try:
        for batch in there.find_raw_batches({}):
            yield from each_document(cast("bytes", batch))  # pymongo's stub says otherwise
    except PyMongoError as error:
        raise server.trouble(error, "give its documents", collection=collection) from None


def in_file(path: Path) -> Iterator[bytes]:
    """Yield the documents of a file, as they are.

    Raises:
        ConfigError: It cannot be read, or does not hold whole documents (code `export-broken`).
    """
    try:
        with path.open("rb") as file:
            while head := file.read(4):
                size = int.from_bytes(head, "little")
                if len(head) < 4 or not _LEAST_BYTES <= size <= _MOST_BYTES:
                    raise _broken(path, "it does not hold whole documents")
                rest = file.read(size - 4)
                if len(rest) < size - 4:
                    raise _broken(path, "its last document is cut off")
                yield head + rest
    except OSError as fault:
        raise _broken(path, fault.strerror or "it cannot be read") from None


def _broken(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"The export {path} is no good: {why}.",
        code="export-broken",
        hint="Nothing was dropped because of it. Move it away, or name another folder with --export.",
    )
