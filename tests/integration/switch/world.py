"""A PostgreSQL and a MongoDB database with one collection that lives in either."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from pymongo import AsyncMongoClient

from isthmus.polyglot.stores import JsonbStore, MongoStore
from isthmus.polyglot.switch import Homes, Switch
from tests.chaos.sessions import Copy

PEOPLE = "pe'ople.ü \"x:y%"
"""A collection with a hostile name."""
TABLE = 'pe"ople : %s'
"""A table with a hostile name."""


def made_table(name: str) -> bytes:
    """Return the statement that makes a table of documents."""
    quoted = name.replace('"', '""')
    return (
        f'CREATE TABLE "{quoted}" (id text COLLATE "C" PRIMARY KEY, document jsonb NOT NULL,'
        " revision uuid NOT NULL DEFAULT gen_random_uuid(),"
        " nick text UNIQUE GENERATED ALWAYS AS (document ->> 'nick') STORED)"
    ).encode()


class Runs(Copy):
    """`isthmus switch` as processes of their own, which may be killed at a named instant."""

    def command(self, *options: str) -> list[str]:
        """Return the arguments of `isthmus`."""
        verb, *rest = options
        return ["switch", verb, PEOPLE, "--source", str(self.options[0]), "--target", self.target, *rest]


@dataclass
class World:
    """The databases.

    Attributes:
        conninfo: The application's database.
        url: The MongoDB database.
        documents: The same, as a driver has it.
    """

    conninfo: str
    url: str
    documents: Any

    def do(self, statement: str, *given: object) -> list[tuple[Any, ...]]:
        """Execute a statement in the application's database."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), given or None)
            return cursor.fetchall() if cursor.description is not None else []

    @property
    def people(self) -> Any:
        """The collection."""
        return self.documents[PEOPLE]

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the documents of the table by the text of their id."""
        return dict(self.do(f'SELECT id, document FROM "{TABLE.replace(chr(34), chr(34) * 2)}"'))

    @asynccontextmanager
    async def mongo_store(self, collection: str = PEOPLE) -> AsyncGenerator[MongoStore]:
        """Give a store in MongoDB."""
        async with AsyncMongoClient[dict[str, Any]](self.url) as client:
            yield MongoStore(client[self.documents.name][collection])

    @asynccontextmanager
    async def jsonb_store(self) -> AsyncGenerator[JsonbStore]:
        """Give a store in PostgreSQL; what it wrote is committed."""
        async with await psycopg.AsyncConnection.connect(self.conninfo) as connection:
            yield JsonbStore(connection, TABLE)

    @asynccontextmanager
    async def switch(self, conninfo: str | None = None) -> AsyncGenerator[Switch[Any]]:
        """Give the application's switch, which opens a connection for each request."""

        @asynccontextmanager
        async def connect() -> AsyncGenerator[Any]:
            made = await psycopg.AsyncConnection.connect(conninfo or self.conninfo, prepare_threshold=None)
            async with made as connection:
                yield connection

        async with self.mongo_store() as store:
            yield Switch(connect, {PEOPLE: Homes(store, lambda connection: JsonbStore(connection, TABLE))})

    def runs(self, folder: Path) -> Runs:
        """Return commands as processes."""
        nothing = Path()
        return Runs(nothing, nothing, self.conninfo, nothing, folder, plan={}, options=(self.url,))
