"""Ensure: the one document in MongoDB that belongs to a row of PostgreSQL, found, claimed or created.

    PROFILE = Belonging(reference="userId", holds=Profile, email="email")

    profile = ensure(database["profiles"], PROFILE, user.id, email=user.email, create=lambda: {"name": user.name})
    profile.how       # found, claimed, created; none, taken, ambiguous
    profile.document

Whoever calls it, however often and in however many processes, a row has one document at most. What holds, and why, is
told in docs/explanation/one-document-per-row.md.

It writes to MongoDB at once, for the caller needs to know who won. So call it when the row is committed, outside of any
transaction: a row that is rolled back would leave a document that belongs to nobody. What follows from rows and needs
no answer goes through the outbox, in the transaction of those rows: `ensure` gives the document's `_id` once, and
`enqueue(connection, update("profiles", profile.document["_id"], set=…))` changes the document from then on.
"""

from __future__ import annotations

from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.ensured import Ensured, How
from isthmus.polyglot.ensure.ensuring import ensure, ensure_async
from isthmus.polyglot.ensure.indexing import check_indexes, check_indexes_async, ensure_indexes, ensure_indexes_async

__all__ = [
    "Belonging",
    "Ensured",
    "How",
    "check_indexes",
    "check_indexes_async",
    "ensure",
    "ensure_async",
    "ensure_indexes",
    "ensure_indexes_async",
]
