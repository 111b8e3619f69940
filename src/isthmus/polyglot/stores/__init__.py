"""Documents behind one Protocol, whichever database keeps them: what a collection is switched over with.

    store = MongoStore(database["profiles"])               # pymongo's asynchronous collection
    store = JsonbStore(connection, "profile_documents")    # psycopg's or SQLAlchemy's, inside its transaction

    found = await store.get(profile_id)
    found.document["bio"] = "likes tea"
    await store.replace(found.document, revision=found.revision)

Which of the two a request is to use, `isthmus.polyglot.switch` knows:

    switch = Switch(engine.begin, {"profiles": Homes(mongodb=MongoStore(database["profiles"]),
                                                     postgres=lambda connection: JsonbStore(connection, "profiles"))})
    async with switch.reading("profiles") as store:
        found = await store.get(profile_id)
    async with switch.writing("profiles") as store:
        await store.update(profile_id, set={"bio": "likes tea"})

docs/explanation/switching-over.md says why nothing is lost.
"""

from __future__ import annotations

from isthmus.polyglot.stores.jsonb_store import JsonbStore
from isthmus.polyglot.stores.mongo_store import MongoStore
from isthmus.polyglot.stores.protocol import DocumentStore, Stored

__all__ = ["DocumentStore", "JsonbStore", "MongoStore", "Stored"]
