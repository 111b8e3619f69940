"""Documents as the run read them: what `isthmus refs rewrite` changed in them since is changed back.

Such a value is another writing of the same reference. Only where it still stands, and by the log of the rewrite.
"""

from __future__ import annotations

import threading

from isthmus._rust import source_id
from isthmus.sources.back_to_back import each_document
from isthmus.state.as_before import as_before
from isthmus.state.rewrites import knows_rewrites
from isthmus.state.rewritten_since import changed_since, changes_since
from isthmus.verify.subject import Subject


class AsRead:
    """Changes documents back. Safe to use from several threads, which share the subject's connection.

    Args:
        subject: What is verified.
    """

    def __init__(self, subject: Subject) -> None:
        self._connection = subject.connection
        self._since = subject.run.finished_at
        self._mutex = threading.Lock()
        known = self._since is not None and knows_rewrites(self._connection)
        self._collections = changed_since(self._connection, self._since) if known and self._since else set[str]()

    def documents(self, collection: str, documents: bytes) -> tuple[bytes, int]:
        """Return whole documents as the run read them, and how many of them are others now."""
        if collection not in self._collections or self._since is None:
            return documents, 0
        found = [(raw, source_id(raw)) for raw in each_document(documents)]
        known = [one for _, one in found if one is not None]
        with self._mutex:
            steps = changes_since(self._connection, collection, known, self._since)
        read = [raw if one is None or one not in steps else as_before(raw, steps[one]) or raw for raw, one in found]
        return b"".join(read), sum(one is not raw and one != raw for one, (raw, _) in zip(read, found, strict=True))
