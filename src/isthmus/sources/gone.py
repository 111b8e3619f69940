"""A database that a running server has no more: all its collections were dropped. It is read as one without any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

from isthmus.errors import SourceError
from isthmus.sources.chosen import readable
from isthmus.sources.protocol import Block, CollectionInfo, Partition, Position, Source


class GoneSource:
    """A database of a server that answered, and has none of that name.

    Whether there ever was one, only who knows what was copied from it can tell.

    Args:
        fault: What opening it said.
        database: Its name.
    """

    kind = "live"
    moves = True

    def __init__(self, fault: SourceError, database: str) -> None:
        self.fault = fault
        self.database = database
        self.name = f"database {database}, which is not there any more"

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


def open_or_gone(open_it: Callable[[], Source]) -> Source:
    """Open a source; a database that its server has not becomes one without collections.

    Raises:
        ConfigError, SourceError: As `open_it`, but for a database that is not there.
    """
    try:
        return open_it()
    except SourceError as fault:
        database = fault.context.get("database")
        if fault.code != "unknown-database" or not isinstance(database, str):
            raise
        return GoneSource(fault, database)
