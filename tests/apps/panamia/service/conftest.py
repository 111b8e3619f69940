"""The service on real databases of a test's own: PostgreSQL with its schema, MongoDB with nothing in it.

Requests go to the application without a socket (httpx's ASGI transport), as its own host name would send them.
"""

from __future__ import annotations

import datetime
import gc
import secrets
import warnings
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from psycopg.conninfo import make_conninfo
from pymongo import MongoClient

from apps.panamia.models.ids import new_id
from apps.panamia.service.app import create_app
from apps.panamia.service.settings import Settings, read_settings
from tests.apps.panamia.conftest import isthmus
from tests.apps.panamia.sidecars import browser, insert, make_session, rows
from tests.apps.twins import twin_of
from tests.fix_mongo import database_url
from tests.fix_postgres import create_database, drop_database

ORIGIN = "http://localhost:3000"
SECRET = "a secret of the tests' own ü"  # noqa: S105
ADMIN = "boss@example.org"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Which loop asynchronous tests run on."""
    return "asyncio"


@pytest.fixture(scope="session")
def schema(postgres: str) -> Iterator[str]:
    """Conninfo of a database with all tables and no rows, to be copied."""
    database = create_database(postgres)
    deployed = isthmus("schema", "deploy", database=database)
    assert deployed.code == 0, deployed.said
    prepared = isthmus("switch", "prepare", "profiles", database=database)
    assert prepared.code == 0, prepared.said
    yield database
    drop_database(postgres, database)


@dataclass
class World:
    """Both databases, the application over them, and what tests do to them behind its back.

    Attributes:
        postgres: Conninfo.
        mongodb: URL with the database.
        settings: What the application was told.
        app: The application, started.
        mail: The folder that its mail goes to.
    """

    postgres: str
    mongodb: str
    settings: Settings
    app: FastAPI
    mail: Path
    clients: list[httpx.AsyncClient] = field(default_factory=list[httpx.AsyncClient])

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask PostgreSQL, in a transaction of its own that is committed."""
        return rows(self.postgres, query, *values)

    def documents(self, collection: str) -> list[dict[str, Any]]:
        """All documents of a collection."""
        with MongoClient[dict[str, Any]](self.mongodb) as client:
            return list(client.get_default_database()[collection].find().sort("_id", 1))

    def write(self, collection: str, *documents: dict[str, Any]) -> None:
        """Insert documents."""
        with MongoClient[dict[str, Any]](self.mongodb) as client:
            client.get_default_database()[collection].insert_many(list(documents))

    def make_user(self, email: str, **columns: object) -> str:
        """Make a user, whose address is proven unless the columns say otherwise, and return the id."""
        values = {"id": new_id(), "email": email, "email_verified": datetime.datetime.now(datetime.UTC), **columns}
        insert(self.postgres, "users", values)
        return str(values["id"])

    def make_session(self, user: str, *, hours: float = 24 * 30) -> str:
        """Make a session of a user that ends in so many hours, and return its token."""
        return make_session(self.postgres, user, hours)

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """Return a browser: of nobody, or with a session."""
        self.clients.append(browser(self.app, ORIGIN, token, headers))
        return self.clients[-1]

    def signed_in(self, email: str, **columns: object) -> tuple[str, httpx.AsyncClient]:
        """Make a user with a session; return the id and a browser."""
        user = self.make_user(email, **columns)
        return user, self.client(self.make_session(user))


@contextmanager
def leaving_sockets(was_away: bool) -> Generator[None]:
    """Let MongoDB's driver leave a socket to the collector.

    It does where its client is closed while it is connecting, as it always is to a server that is away.
    """
    with warnings.catch_warnings():
        if was_away:
            warnings.simplefilter("ignore", ResourceWarning)
        yield
        if was_away:
            gc.collect()


Start = Callable[..., Any]


@pytest.fixture
async def start(postgres: str, mongo_server: str, schema: str, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Return what starts the service with further settings: `world = await start(ADMIN_EMAILS="…")`.

    `pooler` is the port of what it reaches PostgreSQL through.
    """
    database, mongo = twin_of(postgres, schema), f"service-{secrets.token_hex(4)}"
    running: list[tuple[World, Any]] = []

    async def started(*, pooler: int | None = None, **more: str) -> World:
        through = make_conninfo(database, host="127.0.0.1", port=pooler) if pooler is not None else database
        environment = {
            "POSTGRES_URL": through,
            "POSTGRES_DIRECT_URL": database,
            "MONGODB_URI": database_url(mongo_server, mongo),
            "AUTH_SECRET": SECRET,
            "ADMIN_EMAILS": f" {ADMIN.upper()} , other@example.org",
            "MAIL": f"file:{tmp_path / 'mail'}",
            "MAIL_EVERY_SECONDS": "0",
            "CLEAN_UP_EVERY_SECONDS": "0",
            "MONGODB_TIMEOUT_MS": "5000",
            **more,
        }
        settings = read_settings(environment)
        app = create_app(settings)
        lifespan = app.router.lifespan_context(app)
        await lifespan.__aenter__()
        world = World(database, environment["MONGODB_URI"], settings, app, tmp_path / "mail")
        running.append((world, lifespan))
        return world

    yield started
    for world, lifespan in running:
        for client in world.clients:
            await client.aclose()
        with leaving_sockets(world.mongodb != database_url(mongo_server, mongo)):
            await lifespan.__aexit__(None, None, None)
    with MongoClient[dict[str, Any]](mongo_server) as client:
        client.drop_database(mongo)
    drop_database(postgres, database)


@pytest.fixture
async def world(start: Start) -> World:
    """The service as most tests want it."""
    return await start()
