"""A database that a running server has no more: all its collections were dropped. It is read as one without any.

A list without collections does not say so: who may see none is given an empty one. The server's list of all its
databases says it, to somebody who may see all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

from pymongo.errors import PyMongoError

from isthmus.connect.mongo import MongoServer, open_server
from isthmus.errors import SourceError
from isthmus.sources.chosen import readable
from isthmus.sources.protocol import Block, CollectionInfo, Partition, Position, Source


class GoneSource:
    """A database of a server that answered, and has none of that name.

    Whether there ever was one, only who knows what was copied from it can tell.

    Args:
        fault: What opening it said.
        database: Its name.
        host: The server that said so, without secrets.
    """

    kind = "live"
    moves = True

    def __init__(self, fault: SourceError, database: str, host: str) -> None:
        self.fault = fault
        self.database = database
        self.host = host
        self.name = f"database {database} at {host}, which is not there any more"

    def tell(self, note: Callable[[str], None]) -> None:
        """There is nothing to tell."""

    def identity(self) -> dict[str, object]:
        """Return kind and database, as when it was there."""
        return {"kind": self.kind, "database": self.database}

    def collections(self) -> list[CollectionInfo]:
        """There are none."""
        return []

    def partitions(self, collection: str, wanted: int) -> list[Partition]:  # noqa: ARG002  as the protocol asks
        """Refuse: there are none.

        Raises:
            SourceError: Always (code `unknown-collection`).
        """
        self._refuse(collection)

    def read(
        self,
        partition: Partition,
        *,
        after: Position | None,  # noqa: ARG002  as the protocol asks
        until: Position | None,  # noqa: ARG002
        max_bytes: int,  # noqa: ARG002
        grow: Callable[[int], None] | None = None,  # noqa: ARG002
    ) -> Iterator[Block]:
        """Refuse: there are none.

        Raises:
            SourceError: Always (code `unknown-collection`).
        """
        self._refuse(partition.collection)

    def locate(self, position: Position, offset: int, *, collection: str | None = None) -> str:  # noqa: ARG002  as the protocol asks
        """Name nothing but the collection."""
        return collection or self.name

    def changed(self, collection: str) -> str | None:  # noqa: ARG002  as the protocol asks
        """Return None: nothing is there that could change."""
        return None

    def close(self) -> None:
        """Let go of nothing."""

    def _refuse(self, collection: str) -> NoReturn:
        readable({}, collection, self.name)
        raise self.fault


def open_or_gone(open_it: Callable[[], Source], address: str) -> Source:
    """Open a source; a database that its server has not becomes one without collections.

    Args:
        open_it: Opens it.
        address: The source as it was given; its server is asked again for what it has not.

    Raises:
        ConfigError, SourceError: As `open_it`, but for a database that is not there; or whether it is there cannot be
            known (code `gone-not-known`).
    """
    try:
        return open_it()
    except SourceError as fault:
        database = fault.context.get("database")
        if fault.code != "unknown-database" or not isinstance(database, str):
            raise
        server = open_server(address)
        try:
            why = _why_not_gone(server, database)
            if why is not None:
                raise SourceError(
                    f"Whether anything is left of the database {database} is not known: the server at {server.display}"
                    f" shows no collection of it, {why}.",
                    code="gone-not-known",
                    context={"database": database, "host": server.display},
                    hint="Ask with a user who may read it and may list all databases (readAnyDatabase), before access"
                    " is taken away; or let somebody who may look, with `show dbs`.",
                ) from None
            return GoneSource(fault, database, server.display)
        finally:
            server.close()


def _why_not_gone(server: MongoServer, database: str) -> str | None:
    """Return why a database without collections may be there all the same; None where the server has none."""
    try:
        # with authorizedDatabases false a user who may not see all is refused, instead of given what he may see
        told = server.client.admin.command({"listDatabases": 1, "nameOnly": True, "authorizedDatabases": False})
        names = {str(one["name"]) for one in told["databases"]}
    except (PyMongoError, LookupError, TypeError) as error:
        said = server.explain(error) if isinstance(error, PyMongoError) else "its answer cannot be read"
        return f"and this user cannot have it list all databases: {said}"
    return "but has it: this user may see nothing in it" if database in names else None
