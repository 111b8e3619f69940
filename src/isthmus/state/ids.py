"""Look ids up both ways, and export them.

An id made from an ObjectId is computed, in both directions; every other one stands in `isthmus.id_map`. With
`ids: keep` the id is the text of the `_id` itself. A table with another `key` may keep no ids at all; and of a table
that several source collections fill nobody can tell which of them an ObjectId came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import bson
import psycopg
from bson import ObjectId
from psycopg import sql

from isthmus._rust import IdCodec
from isthmus.connect.postgres import first_number
from isthmus.mapping import Mapping
from isthmus.mapping.tables import Table, build_schema
from isthmus.mapping.types import UUID_TEXT
from isthmus.state import source_ids
from isthmus.state.statements import statement


@dataclass(frozen=True)
class Known:
    """One id and the source value it belongs to.

    Attributes:
        collection: The source collection, where it matters or is known; None for an id made from an ObjectId alone. Of
            a value met in a reference, the name that ids are hashed with: it may be an entry of several collections.
        source_id: The `_id` for people.
        id: The id in the target, as text.
        origin: document, reference (only met as a reference), matched (the id of a row that was there before the copy),
            merged (the id of the row that the document was joined into), kept, or derived (computed, whether it was met
            or not).
        tables: Root tables of the collection that hold a row with this id.
        letters: Numbers of the run's dead letters with this `_id`.
        without_ids: Root tables of the collection that keep no ids, so that nobody can tell whether they hold it; each
            with the columns of its key.
    """

    collection: str | None
    source_id: str
    id: str
    origin: str
    tables: tuple[str, ...] = ()
    letters: tuple[int, ...] = ()
    without_ids: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def met(self) -> bool:
        """Whether a row, the id map or a dead letter has it; else it is only what the id would be."""
        return self.origin in {"document", "reference", "matched", "merged"} or bool(self.tables or self.letters)


def look_up(
    connection: psycopg.Connection,
    mapping: Mapping,
    key: bytes,
    text: str,
    *,
    collection: str | None = None,
    run: int | None = None,
) -> list[Known]:
    """Find what belongs to an id of either side.

    Args:
        connection: The target.
        mapping: The run's mapping.
        key: The target's id key.
        text: An id of the target, 24 hex digits of an ObjectId, Extended JSON of another `_id`, or its text.
        collection: Only this source collection.
        run: Look among the dead letters of this run too.

    Returns:
        Everything known, possibly nothing; one entry for each collection that holds a row.
    """
    codec = IdCodec(key)
    found: list[Known] = []
    for name, source_id, origin in connection.execute(statement("report", "lookup_id"), {"id": text}).fetchall():
        if collection in {None, name}:
            found.append(Known(str(name), source_ids.show(bytes(source_id), shorten=False), text, str(origin)))
    object_id = codec.reverse(text)
    if object_id is not None:
        found.append(Known(None, object_id.hex(), text, "derived"))
    flows = [flow for flow in mapping.flows if collection in {None, flow.collection}]
    ways = list(dict.fromkeys((flow.collection, mapping.collections[flow.entry].ids) for flow in flows))
    schemes = dict(reversed(ways))
    for meaning in source_ids.parse(text):
        found.extend(_from_source(connection, codec, [*ways, *_met_ways(mapping, collection)], meaning))
    meanings = source_ids.parse(text) + ([bson.encode({"_id": object_id})] if object_id is not None else [])
    found += _elsewhere(connection, codec, ways, text, meanings, collection)
    known = [k for one in dict.fromkeys(found) for k in _with_tables(connection, mapping, one, collection)]
    kept = [Known(name, text, text, "kept") for name, scheme in ways if scheme == "keep"]
    known += [k for one in kept for k in _with_tables(connection, mapping, one, one.collection) if k.tables]
    known = _without_unused(known)
    return known if run is None else _with_letters(connection, run, codec, schemes, known, meanings)


def _elsewhere(
    connection: psycopg.Connection,
    codec: IdCodec,
    ways: list[tuple[str, str]],
    text: str,
    meanings: list[bytes],
    collection: str | None,
) -> Iterator[Known]:
    """Yield the rows that some documents are, that were there before the copy or are others' they were joined into.

    Found by the `_id` as it was written, and by the id that is derived from it, which is the same for `5` and `5.0`.
    """
    if not first_number(connection.execute(statement("report", "knows_ids_elsewhere"))):
        return
    derived = [(name, text) for name, _ in ways]
    derived += [
        (name, codec.derive(name, meaning, scheme)) for name, scheme in ways if scheme != "keep" for meaning in meanings
    ]
    given = {
        "collection": collection,
        "source_ids": meanings,
        "collections": [name for name, _ in derived],
        "derived_ids": [one for _, one in derived],
    }
    for name, source_id, row_id, origin in connection.execute(statement("report", "ids_elsewhere"), given).fetchall():
        yield Known(str(name), source_ids.show(bytes(source_id), shorten=False), str(row_id), str(origin))


def _without_unused(known: list[Known]) -> list[Known]:
    """Leave out the id that a document would have had, where it has that of another row and no row has its own."""
    elsewhere = {k.source_id for k in known if k.origin in {"matched", "merged"}}
    return [k for k in known if k.origin != "derived" or k.tables or k.without_ids or k.source_id not in elsewhere]


def _met_ways(mapping: Mapping, collection: str | None) -> list[tuple[str, str]]:
    """Return (name, scheme) of entries of several source collections: their names are hashed into references."""
    return [
        (name, rule.ids)
        for name, rule in mapping.collections.items()
        if len(rule.sources) > 1 and name not in mapping.source_collections and collection in {None, name}
    ]


def _with_letters(
    connection: psycopg.Connection,
    run: int,
    codec: IdCodec,
    schemes: dict[str, str],
    known: list[Known],
    meanings: list[bytes],
) -> list[Known]:
    """Return what is known with the dead letters of these source ids; one that belongs to no entry gets its own."""
    rows = connection.execute(
        statement("report", "letters_of"), {"run": run, "source_ids": meanings, "collections": list(schemes)}
    ).fetchall()
    for number, name, source_id in rows:
        shown = source_ids.show(bytes(source_id), shorten=False)
        of = [n for n, k in enumerate(known) if k.source_id == shown and k.collection in {None, name}]
        for n in of:
            # An id that no row holds is that document's; a row's may be of another collection.
            own = known[n].collection or (None if known[n].tables else str(name))
            known[n] = replace(known[n], collection=own, letters=(*known[n].letters, int(number)))
        if not of:
            keep = schemes[name] == "keep"
            text = shown if keep else codec.derive(name, bytes(source_id), schemes[name])
            known.append(Known(name, shown, text, "kept" if keep else "derived", letters=(int(number),)))
    return known


def _from_source(
    connection: psycopg.Connection, codec: IdCodec, ways: list[tuple[str, str]], source_id: bytes
) -> Iterator[Known]:
    """Yield what is known of an `_id`: computed for an ObjectId, else what was met, in whatever type it was written."""
    if isinstance(source_ids.value_of(source_id), ObjectId):
        for scheme in sorted({scheme for _, scheme in ways} - {"keep"}):
            yield Known(None, source_ids.show(source_id, shorten=False), codec.derive("", source_id, scheme), "derived")
        return
    for name, scheme in ways:
        if scheme == "keep":
            continue
        text = codec.derive(name, source_id, scheme)
        for stored, origin in connection.execute(
            statement("report", "lookup_source"), {"id": text, "collection": name}
        ).fetchall():
            yield Known(name, source_ids.show(bytes(stored), shorten=False), text, str(origin))


def _with_tables(connection: psycopg.Connection, mapping: Mapping, known: Known, collection: str | None) -> list[Known]:
    """Return it once for each collection with root tables that hold its id; as it is where none does."""
    schema = build_schema(mapping)
    wanted = known.collection or collection
    tables: dict[str | None, list[str]] = {}
    without: list[tuple[str, tuple[str, ...]]] = []
    for table in schema.tables.values():
        names = [name for name in table.collections if wanted in {None, name}]
        if table.kind != "root" or not names:
            continue
        column = next(column for column in table.columns if column.role == "id")
        if not may_hold(column.type.kind, known.id):
            continue
        if column.hidden:
            without.append((table.name, table.primary_key))
            continue
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {} = {}::{})").format(
            sql.Identifier(schema.schema, table.name),
            sql.Identifier(column.name),
            sql.Literal(known.id),
            sql.SQL(column.type.sql(schema.schema)),  # pyright: ignore[reportArgumentType]  made by the mapping package
        )
        row = connection.execute(query).fetchone()
        if row and row[0]:
            tables.setdefault(names.pop() if len(names) == 1 else None, []).append(table.name)
    known = replace(known, without_ids=tuple(without))
    return [replace(known, collection=name, tables=tuple(held)) for name, held in tables.items()] or [known]


_SHAPES = {
    "uuid": re.compile(UUID_TEXT),
    "bigint": re.compile(r"-?[0-9]{1,18}"),
    "integer": re.compile(r"-?[0-9]{1,9}"),
    "smallint": re.compile(r"-?[0-9]{1,4}"),
}


def may_hold(kind: str, text: str) -> bool:
    """Tell whether a text can be a value of an id column; any text can be one of the other types, or is refused."""
    shape = _SHAPES.get(kind)
    return kind in {"text", "varchar"} if shape is None else shape.fullmatch(text) is not None


def export_ids(connection: psycopg.Connection, mapping: Mapping, key: bytes) -> Iterator[Known]:
    """Yield the id of every carried document whose table keeps ids, with its source `_id`, table by table.

    First come the rows of a table; behind them the documents that have the id of another row: one that was there before
    (matched), or that of the document which they were joined into (merged). A row that no document became is left out,
    where ids are derived; with `ids: keep` every row's id is taken for that of a document.

    Of a table that several source collections fill, the collection is known for ids that were not made from ObjectIds
    and for what is matched or merged; for the others it is None. Reads through server-side cursors; memory stays flat
    but for the ids that are no ObjectIds of one table's collections.
    """
    codec = IdCodec(key)
    schema = build_schema(mapping)
    for table in schema.tables.values():
        if table.kind != "root":
            continue
        column = next(column for column in table.columns if column.role == "id")
        if column.hidden:
            continue
        keeps = any(mapping.collections[entry].ids == "keep" for entry in table.entries)
        yield from _exported_rows(connection, codec, schema.schema, table, column.name, keeps=keeps)
        yield from _exported_elsewhere(connection, schema.schema, table, column.name)


def _exported_rows(
    connection: psycopg.Connection, codec: IdCodec, schema: str, table: Table, column: str, *, keeps: bool
) -> Iterator[Known]:
    """Yield the documents that became rows of a table of their own."""
    only = table.collections[0] if len(table.collections) == 1 else None
    mapped = {
        str(text): (collection, bytes(source_id))
        for collection in table.collections
        for text, source_id in connection.execute(
            statement("report", "mapped_ids"), {"collection": collection}
        ).fetchall()
    }
    query = sql.SQL(
        "SELECT t.{0}::text, EXISTS (SELECT FROM isthmus.id_map m WHERE m.id = t.{0}::text AND m.origin = 'matched'"
        " AND m.collection = ANY ({2})) FROM {1} t ORDER BY 1"
    ).format(sql.Identifier(column), sql.Identifier(schema, table.name), sql.Literal(list(table.collections)))
    for text, is_matched in _stream(connection, query):
        if text in mapped:
            collection, source_id = mapped[text]
            yield Known(collection, source_ids.show(source_id, shorten=False), text, "document", (table.name,))
        elif (object_id := codec.reverse(text)) is not None:
            yield Known(only, object_id.hex(), text, "derived", (table.name,))
        elif keeps and not is_matched:
            yield Known(only, text, text, "kept", (table.name,))


def _exported_elsewhere(connection: psycopg.Connection, schema: str, table: Table, column: str) -> Iterator[Known]:
    """Yield the documents that have the id of another row of a table."""
    query = sql.SQL(
        "SELECT m.collection, m.source_id, m.id, m.origin FROM isthmus.id_map m JOIN {1} t ON t.{0}::text = m.id"
        " WHERE m.origin IN ('matched', 'merged') AND m.collection = ANY ({2}) ORDER BY m.id, m.collection, m.source_id"
    ).format(sql.Identifier(column), sql.Identifier(schema, table.name), sql.Literal(list(table.collections)))
    for collection, source_id, row_id, origin in _stream(connection, query):
        yield Known(collection, source_ids.show(source_id, shorten=False), row_id, origin, (table.name,))


def _stream(connection: psycopg.Connection, query: sql.Composed) -> Iterator[tuple[Any, ...]]:
    with connection.transaction(), connection.cursor(name="isthmus_ids") as cursor:
        cursor.itersize = 5_000
        cursor.execute(query)
        yield from cursor


def tables_without_ids(mapping: Mapping) -> list[str]:
    """Return the root tables that keep no ids, of which nothing can be exported."""
    tables = build_schema(mapping).tables.values()
    return [table.name for table in tables if any(column.role == "id" and column.hidden for column in table.columns)]
