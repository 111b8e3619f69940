"""Read a database of a running MongoDB server: partitions of the `_id` index, walked in its order.

Decides what of a server's databases and collections may be read. How cursors are opened, partitions cut and collections
listed is told by the modules beside this one; whether the database moved while it was read is for the transfer to find.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NoReturn

from pymongo.client_session import ClientSession
from pymongo.errors import InvalidName, PyMongoError

from isthmus.connect.mongo import MongoServer, open_server
from isthmus.errors import ConfigError, SourceError
from isthmus.sources.chosen import readable
from isthmus.sources.databases import SERVER_DATABASES, listed, offered
from isthmus.sources.live.collections import list_collections
from isthmus.sources.live.partitions import split
from isthmus.sources.live.positions import BEGIN, behind, id_document, show
from isthmus.sources.live.reach import Reach
from isthmus.sources.live.read import Stretch, read_blocks
from isthmus.sources.nearest import nearest
from isthmus.sources.protocol import Block, CollectionInfo, Partition, Position
from isthmus.sources.shown import quoted, shown

_NAMED = 10
_NAMES_DATABASE = re.compile(r"[^:]+://[^/?]+/[^?]")


class LiveSource:
    """One database of a server.

    Args:
        server: The server; closed with the source.
        database: The database's name.
        found: Its collections, as `list_collections` returns them.
        reach: How they are asked.
    """

    kind = "live"

    def __init__(self, server: MongoServer, database: str, found: dict[str, CollectionInfo], reach: Reach) -> None:
        self._server = server
        self._database = database
        self._found = found
        self._reach = reach
        self.name = f"database {shown(database)} at {server.display}"

    @property
    def database(self) -> str:
        """Name of the database."""
        return self._database

    @property
    def moves(self) -> bool:
        """Whether documents may be written while they are read: always."""
        return True

    def tell(self, note: Callable[[str], None]) -> None:
        """Give what is told, in sentences for people, of how the server lets itself be read."""
        self._reach.on_note = note

    def identity(self) -> dict[str, object]:
        """Return kind and database; see `Source.identity`.

        Not the host, which another member may take over, and not the collections, which may come and go meanwhile.
        """
        return {"kind": self.kind, "database": self._database}

    def collections(self) -> list[CollectionInfo]:
        """List every collection sorted by name, as they were when the source was opened."""
        return list(self._found.values())

    def partitions(self, collection: str, wanted: int) -> list[Partition]:
        """Split a collection; see `Source.partitions`. One with several types of `_id` is always one partition.

        Raises:
            SourceError: `unknown-collection`, `collection-not-read`, or as `read` says.
        """
        info = self._readable(collection)
        return self._server.ask(
            f"read {collection}",
            lambda: split(self._reach, collection, wanted, info.documents),
            collection=collection,
        )

    def read(
        self,
        partition: Partition,
        *,
        after: Position | None,
        until: Position | None,
        max_bytes: int,
        grow: Callable[[int], None] | None = None,
    ) -> Iterator[Block]:
        """Yield a partition's documents; see `Source.read`. The last block ends at `until` or the partition's end.

        A cursor that is lost is opened again behind the last `_id`. Documents that are written meanwhile may be seen
        as they were or as they are, unless the server gives a snapshot.

        Raises:
            SourceError: As `read.read_blocks` says, or `bad-position`.
        """
        info = self._readable(partition.collection)
        stop = until if until is not None else partition.end
        start = partition.start if after is None else after
        if start == stop:
            return
        stretch = Stretch(partition.collection, start, stop, max(1, max_bytes), _document_bytes(info), grow)
        yield from read_blocks(self._reach, stretch)

    def locate(self, position: Position, offset: int, *, collection: str | None = None) -> str:
        """Name a place by the `_id` that stands before it; see `Source.locate`."""
        place = f"{collection}, " if collection is not None else ""
        if position == BEGIN:
            return f"{place}{offset:,} bytes from its first document"
        word = "behind" if behind(position) else "from"
        return f"{place}{offset:,} bytes {word} _id {show(id_document(position))}"

    def changed(self, collection: str) -> str | None:  # noqa: ARG002  as the protocol asks
        """Return None: a server shows from outside nothing of what was written. The transfer compares digests."""
        return None

    def close(self) -> None:
        """Close every connection. Safe to repeat."""
        self._server.close()

    def _readable(self, collection: str) -> CollectionInfo:
        return readable(self._found, collection, self.name)


def open_live(text: str, *, database: str | None = None, patience_seconds: float | None = None) -> LiveSource:
    """Open a database of a running server; asks it for its version and its collections.

    Args:
        text: `mongodb://…` or `mongodb+srv://…`.
        database: The database; goes before the one that the URL names.
        patience_seconds: As `connect.mongo.open_server` takes it.

    Raises:
        ConfigError: The URL cannot be used (`bad-source`), or the name is none (`bad-name`).
        SourceError: As `connect.mongo.open_server` says; or the database is not named (`database-needed`), not there
            (`unknown-database`), or holds no collection that can be read (`empty-source`).
    """
    try:
        server = open_server(text, patience_seconds=patience_seconds)
    except SourceError as fault:
        if database is None and not _NAMES_DATABASE.match(text):
            fault.hint = (
                f"{fault.hint or ''} The address names no database either: say which one with --db NAME.".strip()
            )
        raise
    try:
        name = database or server.database
        if not name:
            _refuse_unnamed(server)
        return read_database(server, name)
    except BaseException:
        server.close()
        raise


def read_database(server: MongoServer, name: str, *, behind: ClientSession | None = None) -> LiveSource:
    """Return a database of a server that is open; asks for its collections.

    Args:
        server: The server; left open where the database cannot be read.
        name: The database.
        behind: As `Reach` takes it.

    Raises:
        ConfigError: The name is none (`bad-name`).
        SourceError: It is not there (`unknown-database`), holds no collection that can be read (`empty-source`), or the
            server is in trouble.
    """
    try:
        reach = Reach(server, name, behind=behind)
    except InvalidName:
        raise ConfigError(f"{name!r} cannot be the name of a database.", code="bad-name") from None
    found = list_collections(reach)
    if not found:
        _refuse_unknown(server, name)
    if not any(info.readable for info in found.values()):
        message = f"The database {shown(name)} at {server.display} holds no collection that can be read."
        rules = " ".join(info.rule for info in list(found.values())[:_NAMED] if info.rule)
        raise SourceError(message, code="empty-source", hint=rules)
    return LiveSource(server, name, found, reach)


def _document_bytes(info: CollectionInfo) -> int | None:
    """Return the usual size of a document; None when unknown."""
    return max(1, info.bytes_total // info.documents) if info.bytes_total and info.documents else None


def _databases(server: MongoServer) -> list[str]:
    """Return the names of the application's databases, as far as the user may see them."""
    try:
        return sorted(set(server.client.list_database_names()) - SERVER_DATABASES)
    except PyMongoError:
        return []


def _refuse_unnamed(server: MongoServer) -> NoReturn:
    known = _databases(server)
    raise SourceError(
        f"The source's address names no database of {server.display}{_held(known)}.",
        code="database-needed",
        hint=f"Say which one is meant: {offered(known or ['NAME'])}. Or write it behind the host:"
        " mongodb://HOST/DATABASE.",
    )


def _refuse_unknown(server: MongoServer, name: str) -> NoReturn:
    known = _databases(server)
    near = nearest(name, known)
    raise SourceError(
        f"The server at {server.display} has no database {shown(name)}, or none that this user may see{_held(known)}.",
        code="unknown-database",
        context={"database": name},
        hint=f"Did you mean --db {quoted(near)}?" if near is not None else "Check the name and the user's rights.",
    )


def _held(names: list[str]) -> str:
    return f"; it holds {listed(names)}" if names else ""
