"""The dead letters of a run, to be held against the documents of the source.

A letter stands for one document: of documents with the same bytes only as many are letters as the ledger holds.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import Any

import psycopg

from isthmus._rust import document_digest

_AT_ONCE = 100
"""Letters fetched together; a document may have 16 MiB."""


class Letters:
    """Dead letters that no document was met for yet. Safe to use from several threads.

    Args:
        connection: To the target.
        run: Whose letters.
    """

    def __init__(self, connection: psycopg.Connection[Any], run: int) -> None:
        self._mutex = threading.Lock()
        self._left: dict[str, Counter[bytes]] = defaultdict(Counter)
        self.count: Counter[str] = Counter()
        """Collection → letters in the ledger."""
        with connection.cursor("isthmus_letters") as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute("SELECT collection, document FROM isthmus.dead_letter WHERE run_id = %s", (run,))
            for collection, document in cursor:
                # of the bytes that are kept, for these are what is left of the document
                self._left[collection][document_digest(bytes(document))] += 1
                self.count[collection] += 1

    def any(self, collection: str) -> bool:
        """Tell whether a collection has letters that no document was met for."""
        return bool(self._left.get(collection))

    def take(self, collection: str, digest: bytes) -> bool:
        """Tell whether a document is a letter, and count it as met."""
        with self._mutex:
            left = self._left.get(collection)
            if left is None or not left[digest]:
                return False
            left[digest] -= 1
            return True

    def unmet(self, collection: str) -> int:
        """Return how many letters are left for which no document of the source was met."""
        return sum(self._left[collection].values()) if collection in self._left else 0
