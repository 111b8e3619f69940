"""Ids of rows that others put into documents in the place of what a rewrite wrote: where, and which rows they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg

from isthmus.state.reports import object_ids
from isthmus.state.rewrites import knows_rewrites
from isthmus.state.source_ids import show
from isthmus.state.statements import statement


@dataclass(frozen=True)
class CarriedRow:
    """A row that a copy carried.

    Attributes:
        id: Its id.
        table: Its table.
        collection: The source collection of its document.
        derived_id: The id that was derived from that document; its own, but for a row that stood there before.
    """

    id: str
    table: str
    collection: str
    derived_id: str


@dataclass(frozen=True)
class OtherIds:
    """Places at which such ids stand, and nobody said that they may.

    Attributes:
        source_name: Whose documents; printable, without secrets.
        collection: The collection.
        path: Where in its documents, for people.
        count: How many values.
    """

    source_name: str
    collection: str
    path: str
    count: int

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"source": self.source_name, "collection": self.collection, "path": self.path, "count": self.count}


def carried_rows(connection: psycopg.Connection, ids: Collection[str]) -> dict[str, CarriedRow]:
    """Return those of some texts that are ids of rows which copies carried into tables that exist, by id."""
    if not ids:
        return {}
    rows = connection.execute(statement("rewrite", "carried_rows"), {"ids": list(ids)}).fetchall()
    return {str(row[0]): CarriedRow(*map(str, row)) for row in rows}


def documents_of(connection: psycopg.Connection, row: CarriedRow) -> tuple[str, ...]:
    """Return the documents that a row is, each as its collection and `_id` for people: none where nobody knows."""
    ids = list({row.id, row.derived_id})
    found = [f"{row.collection} {object_id}" for object_id in object_ids(connection, [row.derived_id]).values()]
    for collection, source_id in connection.execute(statement("rewrite", "documents_of"), {"ids": ids}).fetchall():
        found.append(f"{collection} {show(bytes(source_id))}")
    return tuple(dict.fromkeys(found))


def other_ids(connection: psycopg.Connection) -> list[OtherIds]:
    """Return where such ids stand that an undo found and nobody said may stay; none where nothing was rewritten."""
    if not knows_rewrites(connection):
        return []
    rows = connection.execute(statement("rewrite", "other_ids")).fetchall()
    return [OtherIds(str(source), str(name), str(path), int(count)) for source, name, path, count in rows]
