"""Look ids up both ways, and export them.

An id made from an ObjectId is computed, in both directions; every other one stands in `isthmus.id_map`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from bson import ObjectId
from psycopg import sql

from isthmus._rust import IdCodec
from isthmus.mapping import Mapping
from isthmus.mapping.tables import build_schema
from isthmus.state import source_ids
from isthmus.state.statements import statement


@dataclass(frozen=True)
class Known:
    """One id and the source value it belongs to.

    Attributes:
        collection: The collection, where it matters or is known; None for an id made from an ObjectId alone.
        source_id: The `_id` for people.
        id: The id in the target, as text.
        origin: document, reference (only met as a reference), or derived (computed from an ObjectId).
        tables: Root tables that hold a row with this id.
    """

    collection: str | None
    source_id: str
    id: str
    origin: str
    tables: tuple[str, ...] = ()


def look_up(
    connection: psycopg.Connection, mapping: Mapping, key: bytes, text: str, *, collection: str | None = None
) -> list[Known]:
    """Find what belongs to an id of either side.

    Args:
        connection: The target.
        mapping: The run's mapping.
        key: The target's id key.
        text: An id of the target, 24 hex digits of an ObjectId, Extended JSON of another `_id`, or its text.
        collection: Only this collection.

    Returns:
        Everything known, possibly nothing.
    """
    codec = IdCodec(key)
    found: list[Known] = []
    for name, source_id, origin in connection.execute(statement("report", "lookup_id"), {"id": text}).fetchall():
        if collection in {None, name}:
            found.append(Known(str(name), source_ids.show(bytes(source_id)), text, str(origin)))
    object_id = codec.reverse(text)
    if object_id is not None:
        found.append(Known(None, object_id.hex(), text, "derived"))
    typed = source_ids.parse(text)
    for name, known, origin in connection.execute(
        statement("report", "lookup_source"), {"source_id": typed, "collection": collection}
    ).fetchall():
        found.append(Known(str(name), source_ids.show(typed), str(known), str(origin)))
    if isinstance(source_ids.value_of(typed), ObjectId):
        schemes = {c.ids for n, c in mapping.collections.items() if collection in {None, n}}
        found.extend(
            Known(None, text.lower(), codec.derive("", typed, scheme), "derived")
            for scheme in sorted(schemes)
            if scheme != "keep"
        )
    return [_with_tables(connection, mapping, known, collection) for known in found]


def _with_tables(connection: psycopg.Connection, mapping: Mapping, known: Known, collection: str | None) -> Known:
    schema = build_schema(mapping)
    tables: list[str] = []
    for table in schema.tables.values():
        if table.kind != "root" or (known.collection or collection) not in {None, table.collection}:
            continue
        key = next(column.name for column in table.columns if column.role == "id")
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {}::text = %s)").format(
            sql.Identifier(schema.schema, table.name), sql.Identifier(key)
        )
        column = next(column for column in table.columns if column.role == "id")
        if column.type.kind == "uuid":
            query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {} = %s::uuid)").format(
                sql.Identifier(schema.schema, table.name), sql.Identifier(key)
            )
            if "-" not in known.id:
                continue
        row = connection.execute(query, (known.id,)).fetchone()
        if row and row[0]:
            tables.append(table.name)
    return Known(known.collection, known.source_id, known.id, known.origin, tuple(tables))


def export_ids(connection: psycopg.Connection, mapping: Mapping, key: bytes) -> Iterator[Known]:
    """Yield every carried document's id with its source `_id`, collection by collection.

    Reads the root tables through a server-side cursor; memory stays flat but for the ids that are no ObjectIds of one
    collection.
    """
    codec = IdCodec(key)
    schema = build_schema(mapping)
    for table in schema.tables.values():
        if table.kind != "root" or table.collection is None:
            continue
        collection = table.collection
        mapped = {
            str(text): bytes(source_id)
            for text, source_id in connection.execute(
                statement("report", "mapped_ids"), {"collection": collection}
            ).fetchall()
        }
        column = next(column.name for column in table.columns if column.role == "id")
        with connection.transaction(), connection.cursor(name="isthmus_ids") as cursor:
            cursor.itersize = 5_000
            cursor.execute(
                sql.SQL("SELECT {0}::text FROM {1} ORDER BY 1").format(
                    sql.Identifier(column), sql.Identifier(schema.schema, table.name)
                )
            )
            for (text,) in cursor:
                source_id = mapped.get(str(text))
                if source_id is not None:
                    yield Known(collection, source_ids.show(source_id), str(text), "document", (table.name,))
                    continue
                object_id = codec.reverse(str(text))
                shown = object_id.hex() if object_id is not None else str(text)
                yield Known(collection, shown, str(text), "derived" if object_id else "kept", (table.name,))
