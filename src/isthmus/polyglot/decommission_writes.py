"""Was a MongoDB database written to lately? From the server's oplog where it may be read, else from new ObjectIds."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bson import ObjectId
from bson.timestamp import Timestamp
from pymongo.errors import PyMongoError

from isthmus.connect.mongo import Document, MongoServer, open_server

How = Literal["oplog", "ids"]


@dataclass
class Writes:
    """What was written lately.

    Attributes:
        how: From what it is known: all writes (`oplog`), or new documents only (`ids`); None: it cannot be told.
        since: From when on was looked.
        last: Collection → its last write since then.
        why: Why it cannot be told, or not all of it, a sentence.
    """

    how: How | None
    since: datetime
    last: dict[str, datetime] = field(default_factory=dict[str, datetime])
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "known_from": self.how,
            "since": self.since.isoformat(),
            "last": {name: instant.isoformat() for name, instant in self.last.items()},
            "why": self.why,
        }


def recent_writes(address: str, database: str, collections: Collection[str], minutes: int) -> Writes:
    """Look for writes of the last minutes.

    Args:
        address: `mongodb://…`.
        database: Name of the database.
        collections: Its collections; what was written to others, and to those that are dropped, is passed over.
        minutes: How far to look back.

    Raises:
        SourceError: The server cannot be reached.
    """
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    server = open_server(address)
    try:
        try:
            return _from_oplog(server, database, collections, since)
        except PyMongoError as fault:
            writes = _from_ids(server, database, collections, since)
            writes.why = (
                writes.why or f"The oplog cannot be read ({server.explain(fault)}), so only new documents are seen."
            )
            return writes
    finally:
        server.close()


class NoOplogError(PyMongoError):
    """The server keeps none."""


def _from_oplog(server: MongoServer, database: str, collections: Collection[str], since: datetime) -> Writes:
    oplog = server.client["local"]["oplog.rs"]
    first: Document | None = oplog.find_one({}, {"ts": 1}, sort=[("$natural", 1)])
    if first is None or not isinstance(first.get("ts"), Timestamp):
        raise NoOplogError("this server keeps none")
    found = Writes("oplog", since)
    reaches: datetime = first["ts"].as_datetime()
    if reaches > since:
        found.why = f"The oplog reaches back to {reaches:%Y-%m-%d %H:%M:%S} UTC only."
    ours = re.compile(f"^{re.escape(database)}\\.")
    wanted = {"ts": {"$gte": Timestamp(since, 0)}, "op": {"$in": ["i", "u", "d", "c"]}}
    fields = {"ts": 1, "ns": 1, "op": 1, "o.applyOps.ns": 1}
    for entry in oplog.find(wanted, fields):
        for name in _names(entry):
            match = ours.match(name)
            collection = name[match.end() :] if match else ""
            if collection in collections:
                found.last[collection] = entry["ts"].as_datetime()
    return found


def _names(entry: Document) -> list[str]:
    """Return the collections that an entry of the oplog wrote to, each behind its database."""
    done: list[Document] = entry.get("o", {}).get("applyOps", []) if entry["op"] == "c" else []
    return [str(entry["ns"]), *(str(one.get("ns", "")) for one in done)]


def _from_ids(server: MongoServer, database: str, collections: Collection[str], since: datetime) -> Writes:
    found = Writes("ids", since)
    try:
        for name in collections:
            newest: Document | None = server.client[database][name].find_one({}, {"_id": 1}, sort=[("_id", -1)])
            value = newest["_id"] if newest is not None else None
            if isinstance(value, ObjectId) and value.generation_time >= since:
                found.last[name] = value.generation_time.astimezone(UTC)
    except PyMongoError as fault:
        return Writes(None, since, why=f"The server did not say: {server.explain(fault)}.")
    return found
