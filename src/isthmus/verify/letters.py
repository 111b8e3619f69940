"""The dead letters of a run, to be held against the documents of the source.

A letter stands for one document: of documents with the same bytes only as many are letters as the ledger holds.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import Any

import psycopg

from isthmus._rust import document_digest
from isthmus.connect.postgres import first_number

STAGES = ("convert", "load", "finish")
_AT_ONCE, _AT_ONCE_BYTES = 1_000, 16 << 20
"""Letters fetched together, and about their bytes; a document may have 16 MiB."""


class Letters:
    """Dead letters that no document was met for yet. Safe to use from several threads.

    Args:
        connection: To the target.
        run: Whose letters.
    """

    def __init__(self, connection: psycopg.Connection[Any], run: int) -> None:
        self._mutex = threading.Lock()
        self._left: dict[str, Counter[tuple[bytes, str]]] = defaultdict(Counter)
        self.count: Counter[str] = Counter()
        """Collection → letters in the ledger."""
        largest = first_number(
            connection.execute(
                "SELECT coalesce(max(octet_length(document)), 0) FROM isthmus.dead_letter WHERE run_id = %s", (run,)
            )
        )
        with connection.cursor("isthmus_letters") as cursor:
            cursor.itersize = max(1, min(_AT_ONCE, _AT_ONCE_BYTES // max(1, largest)))
            cursor.execute("SELECT collection, stage, document FROM isthmus.dead_letter WHERE run_id = %s", (run,))
            for collection, stage, document in cursor:
                # of the bytes that are kept, for these are what is left of the document
                self._left[collection][document_digest(bytes(document)), stage] += 1
                self.count[collection] += 1

    def any(self, collection: str) -> bool:
        """Tell whether a collection has letters that no document was met for."""
        return bool(self._left.get(collection))

    def take(self, collection: str, digest: bytes) -> str | None:
        """Return the stage that made a document a letter, and count it as met; None where it is none."""
        with self._mutex:
            left = self._left[collection] if collection in self._left else Counter[tuple[bytes, str]]()
            stage = next((one for one in STAGES if left[digest, one]), None)
            if stage is not None:
                left[digest, stage] -= 1
            return stage

    def unmet(self, collection: str) -> int:
        """Return how many letters are left for which no document of the source was met."""
        return sum(self._left[collection].values()) if collection in self._left else 0
