"""Is a document that finish finds again in a source that moves the one that the run carried?

Known by the digests of the batches, which stand in a temporary table while a collection is gone through. What cannot
be found as it was carried is told apart: other content under the same `_id`, or no such document any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import psycopg

from isthmus.state.statements import statement
from isthmus.transfer.job import Job

Known = Literal["same", "other"]
"""The run carried this document as it is, or with other content."""


class CarriedDocuments:
    """What the run carried of a collection, to be asked about documents.

    Args:
        job: The copy.
        connection: Gets a temporary table, which the next one made on it replaces.
        collection: The collection.
    """

    def __init__(self, job: Job, connection: psycopg.Connection, collection: str) -> None:
        self._connection = connection
        self._transcoder = job.transcoder(collection)
        self._wanted: dict[str, object] = {"run": job.run.id, "collection": collection}
        connection.execute("DROP TABLE IF EXISTS pg_temp.carried_document")
        connection.execute(statement("ledger", "create_carried_documents"), self._wanted)
        connection.execute("CREATE INDEX ON pg_temp.carried_document (id)")

    def known(self, documents: Sequence[bytes]) -> list[Known | None]:
        """Return for each document whether the run carried it; None of one whose `_id` it never met."""
        digests = [self._transcoder.transcode(document).document_digests for document in documents]
        if not digests:
            return []
        rows = self._connection.execute(
            statement("ledger", "known_documents"), {"ids": [one[:8] for one in digests]}
        ).fetchall()
        contents: dict[bytes, set[bytes]] = {}
        for id_digest, content in rows:
            contents.setdefault(bytes(id_digest), set()).add(bytes(content))
        return [
            None if one[:8] not in contents else "same" if one[8:16] in contents[one[:8]] else "other"
            for one in digests
        ]

    def with_letter(self, source_ids: Collection[bytes]) -> set[bytes]:
        """Return which of some `{"_id": value}` already are dead letters, so that no row is theirs."""
        if not source_ids:
            return set()
        rows = self._connection.execute(
            statement("ledger", "lettered_ids"), {**self._wanted, "source_ids": list(source_ids)}
        ).fetchall()
        return {bytes(source_id) for (source_id,) in rows}
