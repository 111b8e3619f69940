"""What the driver's errors say of a call: somebody was faster, the server is in trouble, or it refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from isthmus.connect.mongo import MongoServer
from isthmus.errors import IsthmusError, PolyglotError, SourceError, Where
from isthmus.polyglot.ensure.asks import Duplicate, Gone, Trouble
from isthmus.polyglot.outbox.faults import is_trouble, refusal

_HINTS = {
    "source-login": "Check user, password and authSource in the address of MongoDB.",
    "source-right": "Give the user the role `readWrite` on the database; ensure_indexes also creates indexes.",
}
_OTHER_INDEX = frozenset({85, 86})
"""IndexOptionsConflict, IndexKeySpecsConflict."""
_UNSUPPORTED = 67
"""CannotCreateIndex."""
_GONE = frozenset({26, 27})
"""NamespaceNotFound, IndexNotFound."""
_HELD = re.compile(r"in element \{([^:}]*):.*", re.DOTALL)
"""Where the server says what stands in a document."""
_AGAIN = "Call it again when MongoDB answers; what was done before is found then."


def answer_of(error: PyMongoError, client: Any, collection: str) -> tuple[Duplicate | Gone | Trouble, IsthmusError]:
    """Return what an error is as an answer, and what to raise where the answer comes too late.

    Args:
        error: What the driver raised.
        client: The client, of either face.
        collection: The collection's name.

    Raises:
        SourceError: The login or the rights are not enough (codes `source-login`, `source-right`).
        PolyglotError: The server refuses the document (code `ensure-refused`), or an index (`ensure-index`,
            `ensure-gaps`).
    """
    server = MongoServer(cast("MongoClient[dict[str, Any]]", client), None, _hosts(client), ())
    told = server.trouble(error, "do what ensure asked for", collection=collection)
    fault = SourceError(
        told.message, code=told.code, where=told.where, hint=_HINTS.get(told.code, _AGAIN), retryable=told.retryable
    )
    if isinstance(error, DuplicateKeyError):
        details: Mapping[str, Any] = error.details or {}
        return Duplicate(frozenset(details.get("keyPattern", ()))), fault
    if told.code in _HINTS:
        raise fault from error
    if is_trouble(error, passes=told.retryable):
        fault.retryable = True
        return Trouble(), fault
    if isinstance(error, OperationFailure) and error.code in _OTHER_INDEX:
        raise PolyglotError(
            f"An index stands in the way of one that is needed: {server.explain(error)}",
            code="ensure-index",
            where=Where(collection=collection),
            hint="Drop that index if nobody needs it, or give it another name, then call ensure_indexes again.",
        ) from error
    if isinstance(error, OperationFailure) and error.code in _GONE:
        return Gone(), fault
    if isinstance(error, OperationFailure) and error.code == _UNSUPPORTED and "partial index" in str(error):
        raise PolyglotError(
            "The documents that stand double cannot be left out: this server knows no index with gaps.",
            code="ensure-gaps",
            where=Where(collection=collection),
            hint="It takes MongoDB 6.0. Or take the reference out of documents that should not hold it.",
        ) from error
    words = _HELD.sub(r"in element \1", refusal(error, server.explain(error)).words)
    raise refused(words, collection) from error


def refused(words: str, collection: str) -> PolyglotError:
    """Return what to raise where a document cannot be written, or read."""
    return PolyglotError(
        f"MongoDB refuses: {words}",
        code="ensure-refused",
        where=Where(collection=collection),
        hint="Mend the document, or the validator of the collection; nothing was written.",
    )


def _hosts(client: Any) -> str:
    """Return the hosts of a client, as far as it knows them by now."""
    with suppress(AttributeError, PyMongoError):
        found = client.topology_description.server_descriptions()
        return ", ".join(sorted(f"{host}:{port}" if port else str(host) for host, port in found))
    return "its address"
