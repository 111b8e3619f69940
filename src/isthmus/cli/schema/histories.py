"""What a database has of schemas, for commands that only compare with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.govern.settings import SchemaSettings


def read_applied(target: str, schemas: Iterable[SchemaSettings]) -> dict[str, dict[str, str]]:
    """Return schema → name → checksum of what a target has; reads only.

    Raises:
        TargetError: It cannot be opened or read.
    """
    from isthmus.cli.schema.reading import reading
    from isthmus.connect.target import open_target
    from isthmus.state.schema_history import read_history

    with open_target(target) as address, reading(address.conninfo) as connection:
        histories = {one.title: read_history(connection, one.title) for one in schemas}
    return {
        title: {name: one.checksum for name, one in history.items() if one.is_through}
        for title, history in histories.items()
    }
