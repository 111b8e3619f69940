"""The fence: a validator in MongoDB that refuses every document, so that nobody writes to a collection that is frozen.

The guard turns away who asks it. The fence turns away who does not: a script, an old process, a write that comes late.
It does not stop deletes, nor who may bypass validators. What stood there before is kept in PostgreSQL and in the fence
itself: a fence that comes to stand when nobody waits for it any more is found, and lifted, without anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

import bson
import pymongo
from bson import Binary
from bson.binary import UUID_SUBTYPE
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure, PyMongoError, WriteConcernError

from isthmus.connect.mongo import MongoServer
from isthmus.errors import PolyglotError, SourceError, Where
from isthmus.polyglot.mark import FENCE_WORDS
from isthmus.polyglot.switch.ledger import Ledger
from isthmus.polyglot.switch.place import Place, refuse_other_source
from isthmus.polyglot.switch.rows import Kept

_NO_DOCUMENT: dict[str, Any] = {"_id": {"$exists": False}}
"""Fits no document, for each has an `_id`."""
_NO_COLLECTION = 26
_PATIENCE_SECONDS = 10.0
"""How long the server may wait for its own lock: a change that comes later than that would come when nobody waits."""
_DEFAULTS: dict[str, Any] = {"validator": {}, "validationLevel": "strict", "validationAction": "error"}


class Fence:
    """The validator of one collection.

    Args:
        server: The server.
        database: The database's name.
        ledger: Keeps what was there before.
        session: In which the copy reads, so that it sees all that came before the fence.
        replaced: Whether a collection that was made anew is taken for the one of before.
    """

    def __init__(
        self,
        server: MongoServer,
        database: str,
        ledger: Ledger,
        session: ClientSession | None = None,
        *,
        replaced: bool = False,
    ) -> None:
        self._server = server
        self._database = server.client.get_database(database)
        self._ledger = ledger
        self._session = session
        self._replaced = replaced

    def place(self, carrier: str) -> Place:
        """Return where this fence would stand.

        Raises:
            SourceError: The server is in trouble.
        """
        return Place(carrier, None, self._database.name, self._found()[1])

    def stands(self) -> bool:
        """Tell whether it does, whoever raised it.

        Raises:
            SourceError: The server is in trouble.
        """
        options, _ = self._found()
        return options is not None and before_fence(options) is not None

    def raise_(self) -> str | None:
        """Refuse every write from now on; what was acknowledged before is there. Safe to repeat.

        Returns:
            None; or why it cannot be raised, as a sentence. Then the guard alone keeps writers out.

        Raises:
            SourceError: The server is in trouble; it is not known then whether it stands.
        """
        options, uuid = self._found()
        if options is None:
            return "There is no such collection in MongoDB, so there is nothing to fence."
        known, standing = self._ledger.fence(), before_fence(options)
        kept = standing if standing is not None else {name: options[name] for name in _DEFAULTS if name in options}
        self._ledger.keep_fence(Kept(bson.encode(kept), self._database.name, uuid))
        validator = {"$and": [_NO_DOCUMENT, {"isthmus": {"words": FENCE_WORDS, "before": Binary(bson.encode(kept))}}]}
        why = self._set({**_DEFAULTS, "validator": validator})
        if why is not None and known is None and standing is None:
            self._ledger.forget_fence()
        return why

    def lower(self) -> None:
        """Put back what was there before the fence, if one stands. Safe to repeat; the ledger keeps it.

        Also where none is seen, but one was asked for: behind the answer to that question none can come any more.

        Raises:
            PolyglotError: It cannot be lowered (`switch-fence`), or it stands elsewhere (`switch-other-source`).
            SourceError: The server is in trouble.
        """
        known = self._ledger.fence()
        options, uuid = self._found()
        if known is not None and not self._replaced:
            before, here = Place("", None, known.database, known.uuid), Place("", None, self._database.name, uuid)
            refuse_other_source(self._ledger.collection, before, here, "was fenced in")
        if options is None:
            return
        kept = before_fence(options)
        if kept is None and known is not None:
            asked = _decoded(known.before)
            unchanged = all(options.get(name, value) == asked.get(name, value) for name, value in _DEFAULTS.items())
            kept = asked if unchanged else None
        why = self._set({**_DEFAULTS, **kept}) if kept is not None else None
        if why is not None:
            raise PolyglotError(
                f"The fence of {self._ledger.collection} cannot be lowered. {why}",
                code="switch-fence",
                where=Where(collection=self._ledger.collection),
                hint="Give the user of SOURCE the right collMod (role dbAdmin), and run the same command again.",
            )

    def _found(self) -> tuple[dict[str, Any] | None, UUID | None]:
        try:
            found = [*self._database.list_collections(filter={"name": self._ledger.collection})]
        except PyMongoError as error:
            raise self._server.trouble(error, "list collections", collection=self._ledger.collection) from None
        if not found:
            return None, None
        uuid = found[0].get("info", {}).get("uuid")
        known = isinstance(uuid, Binary) and uuid.subtype == UUID_SUBTYPE
        return dict(found[0].get("options", {})), UUID(bytes=bytes(uuid)) if known else None

    def _set(self, options: dict[str, Any]) -> str | None:
        """Change the validator on a majority of the servers; return why that is refused."""
        command = {
            "collMod": self._ledger.collection,
            **options,
            "maxTimeMS": int(_PATIENCE_SECONDS * 1_000),
            "writeConcern": {"w": "majority", "j": True, "wtimeout": int(_PATIENCE_SECONDS * 1_000)},
        }
        try:
            self._database.command(command, session=self._session)
        except PyMongoError as error:
            fault = self._server.trouble(error, "change the validator", collection=self._ledger.collection)
            if fault.retryable or not isinstance(error, OperationFailure):
                raise fault from None
            if isinstance(error, WriteConcernError):
                raise self._not_everywhere() from None
            if error.code == _NO_COLLECTION:
                return None
            return f"MongoDB does not change the validator: {self._server.explain(error)}"
        return None

    def _not_everywhere(self) -> SourceError:
        return SourceError(
            f"The validator of {self._ledger.collection} was changed, but not on a majority of the servers in time.",
            code="source-interrupted",
            where=Where(collection=self._ledger.collection),
            hint="Run the same command again when the other servers are well.",
            retryable=True,
        )


def before_fence(options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a fence stands in the place of, from the options of a collection; None where no fence stands."""
    parts: Any = options.get("validator", {}).get("$and")
    if not isinstance(parts, list) or len(cast("list[Any]", parts)) != 2 or parts[0] != _NO_DOCUMENT:
        return None
    marked: Any = cast("list[Any]", parts)[1]
    inner: Any = cast("dict[str, Any]", marked).get("isthmus") if isinstance(marked, dict) else None
    if not isinstance(inner, dict) or cast("dict[str, Any]", inner).get("words") != FENCE_WORDS:
        return None
    return _decoded(bytes(cast("dict[str, Any]", inner)["before"]))


def fenced_collections(server: MongoServer, database: str) -> list[str]:
    """Return the collections that a fence stands before, by name.

    Raises:
        SourceError: The server is in trouble.
    """
    try:
        with pymongo.timeout(_PATIENCE_SECONDS):
            found = [*server.client.get_database(database).list_collections()]
    except PyMongoError as error:
        raise server.trouble(error, "list collections") from None
    return sorted(str(one["name"]) for one in found if before_fence(one.get("options", {})) is not None)


def _decoded(data: bytes) -> dict[str, Any]:
    return bson.decode(data)  # pyright: ignore[reportUnknownMemberType]
