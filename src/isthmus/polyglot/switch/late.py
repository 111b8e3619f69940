"""Documents that a write of the outbox brought back late, behind its delete: removed, so that they are not copied."""

from __future__ import annotations

import threading
from typing import Any

from bson import CodecOptions
from bson.binary import UuidRepresentation
from pymongo import DeleteOne
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from isthmus.connect.mongo import MongoServer
from isthmus.polyglot.outbox import writes
from isthmus.polyglot.switch.ledger import Ledger
from isthmus.work.interrupted import Interrupted

_MARKS: CodecOptions[dict[str, Any]] = CodecOptions(uuid_representation=UuidRepresentation.UNSPECIFIED)


class Late:
    """Looks once more at the deletes that the outbox would look at once more.

    Args:
        server: The server of MongoDB.
        database: The database's name there.
        ledger: Of the collection, held.
        stop: Ends it.
    """

    def __init__(self, server: MongoServer, database: str, ledger: Ledger, stop: threading.Event) -> None:
        self._server = server
        self._ledger = ledger
        self._stop = stop
        self._collection = server.client.get_database(database).get_collection(
            ledger.collection,
            codec_options=_MARKS,
            write_concern=WriteConcern("majority", j=True),
        )

    def remove(self) -> None:
        """Remove what came late, many at once. Safe to repeat: what was written anew since has a higher mark and stays.

        Raises:
            SourceError: MongoDB is in trouble.
            Interrupted: The stop was set.
        """
        for events in self._ledger.unconfirmed():
            if self._stop.is_set():
                raise Interrupted
            try:
                self._collection.bulk_write([DeleteOne(writes.marked_before(one)) for one in events], ordered=False)
            except PyMongoError as error:
                what = "remove what the outbox deleted"
                raise self._server.trouble(error, what, collection=self._ledger.collection) from None
