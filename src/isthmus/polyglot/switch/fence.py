"""The fence: a validator in MongoDB that refuses every document, so that nobody writes to a collection that is frozen.

The guard turns away who asks it. The fence turns away who does not: a script, an old process, a write that comes late.
It does not stop deletes, nor who may bypass validators. What stood there before is kept, and put back.
"""

from __future__ import annotations

from typing import Any

import bson
from pymongo.errors import OperationFailure, PyMongoError

from isthmus.connect.mongo import MongoServer
from isthmus.polyglot.switch.ledger import Ledger

WORDS = "frozen by isthmus switch"
_FENCE: dict[str, Any] = {"$and": [{"_id": {"$exists": False}}, {"isthmus": WORDS}]}
"""Fits no document, for each has an `_id`."""
_NO_COLLECTION = 26


class Fence:
    """The validator of one collection.

    Args:
        server: The server.
        database: The database's name.
        ledger: Keeps what was there before.
    """

    def __init__(self, server: MongoServer, database: str, ledger: Ledger) -> None:
        self._server = server
        self._database = server.client.get_database(database)
        self._ledger = ledger

    def raise_(self) -> str | None:
        """Refuse every write from now on; what was acknowledged before is there. Safe to repeat.

        Returns:
            None; or why it cannot be raised, as a sentence. Then the guard alone keeps writers out.

        Raises:
            SourceError: The server is in trouble that passes.
        """
        options = self._options()
        if options is None:
            return "There is no such collection in MongoDB, so there is nothing to fence."
        if options.get("validator") != _FENCE:
            kept = {name: options[name] for name in _DEFAULTS if name in options}
            self._ledger.keep_fence(bson.encode(kept))
        return self._set({"validator": _FENCE, "validationLevel": "strict", "validationAction": "error"})

    def lower(self) -> str | None:
        """Put back what was there before the fence, if one was raised. Safe to repeat; the ledger keeps it.

        Returns:
            None; or why it cannot be lowered, as a sentence.

        Raises:
            SourceError: The server is in trouble that passes.
        """
        before = self._ledger.fence()
        options = self._options()
        if before is None or options is None or options.get("validator") != _FENCE:
            return None
        kept = bson.decode(before)  # pyright: ignore[reportUnknownMemberType]
        return self._set({**_DEFAULTS, **kept})

    def _options(self) -> dict[str, Any] | None:
        try:
            found = [*self._database.list_collections(filter={"name": self._ledger.collection})]
        except PyMongoError as error:
            raise self._server.trouble(error, "list collections", collection=self._ledger.collection) from None
        return dict(found[0].get("options", {})) if found else None

    def _set(self, options: dict[str, Any]) -> str | None:
        try:
            self._database.command({"collMod": self._ledger.collection, **options})
        except PyMongoError as error:
            fault = self._server.trouble(error, "change the validator", collection=self._ledger.collection)
            if fault.retryable or not isinstance(error, OperationFailure):
                raise fault from None
            if error.code == _NO_COLLECTION:
                return None
            return f"MongoDB does not change the validator: {self._server.explain(error)}"
        return None


_DEFAULTS: dict[str, Any] = {"validator": {}, "validationLevel": "strict", "validationAction": "error"}
