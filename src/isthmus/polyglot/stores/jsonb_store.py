"""The documents of one collection in PostgreSQL: a table with an id, the document as JSONB, and a revision.

    CREATE TABLE profile_documents (
        id text COLLATE "C" PRIMARY KEY,                     -- the _id: text, 24 hex digits, or a UUID
        document jsonb NOT NULL,                             -- all fields, _id among them, in Isthmus's form
        revision uuid NOT NULL DEFAULT gen_random_uuid()     -- another one at each write
    );
    CREATE INDEX ON profile_documents USING gin (document jsonb_path_ops);   -- for find

More columns may stand beside them, generated ones too. SQL that writes `document` past the store sets a new revision.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

from bson import ObjectId

from isthmus.polyglot.stores import faults
from isthmus.polyglot.stores.asked import checked_limit, conditions
from isthmus.polyglot.stores.changes import Changes
from isthmus.polyglot.stores.form import read, to_bson, to_json, value_to_json, written
from isthmus.polyglot.stores.ids import checked_id, id_text
from isthmus.polyglot.stores.protocol import Stored
from isthmus.polyglot.stores.session import quoted, rows_of, savepoint, sqlstate, turn

_UNIQUE = "23505"
_CONSTRAINTS = "23"
_LIMITS = "54"


class JsonbStore:
    """A `DocumentStore` in PostgreSQL. Each call is part of the connection's transaction; nothing is committed here.

    A call that is refused leaves the transaction usable. Calls that are awaited at once on one connection, of one store
    or of several, are done one behind the other.

    Args:
        connection: psycopg's AsyncConnection; SQLAlchemy's AsyncConnection or AsyncSession.
        table: The table's name, as it is.
        schema: Its schema; None: the search path finds it.
    """

    def __init__(self, connection: Any, table: str, *, schema: str | None = None) -> None:
        self._connection = connection
        self._name = table
        self._table = quoted(*filter(None, (schema, table)))

    async def get(self, document_id: object) -> Stored | None:
        """As `DocumentStore.get`."""
        key = self._key(document_id)
        async with turn(self._connection):
            rows = await self._rows(f"SELECT document, revision FROM {self._table} WHERE {_SAME}", key)
        return _stored(rows[0]) if rows else None

    async def find(self, fields: Mapping[str, object], *, limit: int = 100, after: object = None) -> list[Stored]:
        """As `DocumentStore.find`."""
        wanted, values = conditions(fields, self._name)
        values["limit"] = checked_limit(limit, self._name)
        if after is not None:
            wanted.append('id COLLATE "C" > %(after)s')
            values["after"] = id_text(checked_id(after, self._name))
        where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
        statement = f'SELECT document, revision FROM {self._table}{where} ORDER BY id COLLATE "C" LIMIT %(limit)s'
        async with turn(self._connection):
            rows = await self._rows(statement, values)
        return [_stored(row) for row in rows]

    async def insert(self, document: Mapping[str, Any]) -> Stored:
        """As `DocumentStore.insert`."""
        values = self._values({"_id": ObjectId(), **document})
        async with turn(self._connection), self._refusals():
            rows = await self._rows(
                f"INSERT INTO {self._table} (id, document, revision) VALUES (%(id)s, {_DOCUMENT}, {_REVISION})"
                f" ON CONFLICT (id) DO NOTHING RETURNING document, revision",
                values,
            )
        if not rows:
            raise faults.exists(self._name)
        return _stored(rows[0])

    async def put(self, document: Mapping[str, Any]) -> Stored:
        """As `DocumentStore.put`."""
        values = self._values(document)
        async with turn(self._connection), self._refusals():
            rows = await self._rows(
                f"INSERT INTO {self._table} AS t (id, document, revision) VALUES (%(id)s, {_DOCUMENT}, {_REVISION})"
                " ON CONFLICT (id) DO UPDATE SET document = excluded.document, revision = excluded.revision"
                " WHERE t.document -> '_id' = excluded.document -> '_id' RETURNING document, revision",
                values,
            )
        if not rows:  # an id of another kind with the same text
            raise faults.exists(self._name)
        return _stored(rows[0])

    async def replace(self, document: Mapping[str, Any], *, revision: str | None = None) -> Stored:
        """As `DocumentStore.replace`."""
        values = self._values(document)
        async with turn(self._connection):
            return await self._rewritten(values, revision)

    async def update(
        self,
        document_id: object,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002  the word of MongoDB
        unset: Iterable[str] = (),
        revision: str | None = None,
    ) -> Stored:
        """As `DocumentStore.update`."""
        key = self._key(document_id)
        changes = Changes(set, unset, self._name)
        look = f"SELECT document, revision FROM {self._table} WHERE {_SAME} FOR NO KEY UPDATE"
        async with turn(self._connection):
            rows = await self._rows(look, key)
            if not rows:
                raise faults.absent(self._name)
            found = cast("dict[str, Any]", _loaded(rows[0][0]))
            if revision is not None and str(rows[0][1]) != revision:
                raise faults.conflict(self._name)
            changes.applied_to(found)
            return await self._rewritten({**key, "document": written(found)}, None)

    async def delete(self, document_id: object, *, revision: str | None = None) -> bool:
        """As `DocumentStore.delete`."""
        key = self._key(document_id)
        async with turn(self._connection):
            async with self._refusals():
                gone = await self._rows(
                    f"DELETE FROM {self._table} WHERE {_SAME}{_HAS_REVISION} RETURNING id",
                    {**key, "revision": revision},
                )
            if not gone and revision is not None and await self._is_there(key):
                raise faults.conflict(self._name)
        return bool(gone)

    async def _rewritten(self, values: dict[str, object], revision: str | None) -> Stored:
        async with self._refusals():
            rows = await self._rows(
                f"UPDATE {self._table} SET document = {_DOCUMENT}, revision = {_REVISION}"
                f" WHERE {_SAME}{_HAS_REVISION} RETURNING document, revision",
                {**values, "revision": revision},
            )
        if rows:
            return _stored(rows[0])
        raise faults.conflict(self._name) if await self._is_there(values) else faults.absent(self._name)

    async def _is_there(self, values: Mapping[str, object]) -> bool:
        return bool(await self._rows(f"SELECT FROM {self._table} WHERE {_SAME}", values))

    def _key(self, document_id: object) -> dict[str, object]:
        checked = checked_id(document_id, self._name)
        return {"id": id_text(checked), "own": written(value_to_json(checked))}

    def _values(self, document: Mapping[str, Any]) -> dict[str, object]:
        key = self._key(document.get("_id"))
        return {**key, "document": written(to_json(to_bson(document, self._name)))}

    async def _rows(self, statement: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        return await rows_of(self._connection, statement, values)

    @asynccontextmanager
    async def _refusals(self) -> AsyncGenerator[None]:
        """Say in the stores' words what PostgreSQL refuses, and leave the transaction as it was before."""
        try:
            async with savepoint(self._connection):
                yield
        except Exception as fault:
            code = sqlstate(fault) or ""
            if code == _UNIQUE:
                raise faults.exists(self._name, f"with the same value of {_constraint(fault)}") from fault
            if code.startswith((_CONSTRAINTS, _LIMITS)):
                raise faults.refused(self._name, f"{_constraint(fault)} does ({code})") from fault
            raise


_SAME = "id = %(id)s AND document -> '_id' = CAST(%(own)s AS jsonb)"
_DOCUMENT = "CAST(%(document)s AS jsonb)"
_REVISION = "gen_random_uuid()"
_HAS_REVISION = " AND (CAST(%(revision)s AS text) IS NULL OR CAST(revision AS text) = CAST(%(revision)s AS text))"


def _constraint(fault: BaseException) -> str:
    diagnosis = getattr(fault, "diag", None) or getattr(getattr(fault, "orig", None), "diag", None)
    return str(getattr(diagnosis, "constraint_name", None) or "a limit of the server")


def _stored(row: tuple[Any, ...]) -> Stored:
    document = read(written(_loaded(row[0])))
    return Stored(document["_id"], document, str(UUID(str(row[1]))))


def _loaded(document: Any) -> Any:
    """Return JSON values, also from a driver that gives the text."""
    import json

    return json.loads(document) if isinstance(document, str) else document
