"""The outbox: one transaction in PostgreSQL writes an application's rows and what is to become of documents in MongoDB.

    with connection.transaction():
        connection.execute("UPDATE users SET screenname = %s WHERE id = %s", (name, user))
        enqueue(connection, update("profiles", profile, set={"screenname": name}))

A relay (`isthmus outbox run`) applies it: effect once, in order for each document. docs/explanation/outbox.md says why.
"""

from __future__ import annotations

from isthmus.polyglot.outbox.enqueue import enqueue, enqueue_async
from isthmus.polyglot.outbox.intent import Intent, delete, insert, put, update

__all__ = ["Intent", "delete", "enqueue", "enqueue_async", "insert", "put", "update"]
