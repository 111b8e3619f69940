"""What tests of a service here share: a database with all schemas, the login of a role, people, and browsers.

A sidecar is tested as the role that its `role.sql` makes, so that a right which is missing is seen.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from fastapi import FastAPI
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from apps.panamia.models.ids import new_id
from tests.apps.running import isthmus
from tests.apps.twins import twin_of
from tests.fix_postgres import create_database, drop_database

HOME = Path(__file__).parents[3] / "apps" / "panamia"
COOKIE = "authjs.session-token"


@dataclass(frozen=True)
class Database:
    """A database with all schemas, and what tests do to it.

    Attributes:
        owner: Conninfo of who made the tables, who may do everything.
        role: Conninfo of a login that may do what `role.sql` lets the sidecar do.
    """

    owner: str
    role: str

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask as the owner, in a transaction of its own that is committed."""
        return rows(self.owner, query, *values)

    def rows_as_role(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask as the sidecar."""
        return rows(self.role, query, *values)

    def make_user(self, email: str | None = None, **columns: object) -> str:
        """Make a user, and return the id."""
        key = new_id()
        self.insert("users", {"id": key, "email": email or f"{key}@example.org", **columns})
        return key

    def make_session(self, user: str, *, hours: float = 24 * 30) -> str:
        """Make a session of a user that ends in so many hours, and return its token."""
        return make_session(self.owner, user, hours)

    def insert(self, table: str, values: dict[str, object], returning: str | None = None) -> object:
        """Insert a row as the owner; return one of its columns, or None."""
        return insert(self.owner, table, values, returning)


def rows(conninfo: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask PostgreSQL, in a transaction of its own that is committed."""
    with psycopg.connect(conninfo) as connection:
        cursor = connection.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description is not None else []


def insert(conninfo: str, table: str, values: dict[str, object], returning: str | None = None) -> object:
    """Insert a row; return one of its columns, or None."""
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    marks = sql.SQL(", ").join(sql.Placeholder() * len(values))
    query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, marks)
    if returning is not None:
        query += sql.SQL(" RETURNING {}").format(sql.Identifier(returning))
    with psycopg.connect(conninfo) as connection:
        cursor = connection.execute(query, list(values.values()))
        return cursor.fetchall()[0][0] if returning is not None else None


def make_session(conninfo: str, user: str, hours: float) -> str:
    """Make a session of a user that ends in so many hours, and return its token."""
    token = secrets.token_hex(16)
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours)
    insert(conninfo, "sessions", {"session_token": token, "user_id": user, "expires": expires})
    return token


@dataclass(frozen=True)
class Template:
    """A database with all schemas and no rows, to be copied.

    Attributes:
        conninfo: Of its owner.
        login: What the sidecar logs in with.
    """

    conninfo: str
    login: dict[str, str]

    def copy(self, server: str) -> Database:
        """Return a copy; who asked for it drops it."""
        owner = twin_of(server, self.conninfo)
        return Database(owner, make_conninfo(dbname=str(conninfo_to_dict(owner)["dbname"]), **self.login))


@contextmanager
def template(server: str, role: str) -> Generator[Template]:
    """Deploy all schemas, and let a new login be a member of a sidecar's role; both are gone behind the block.

    Args:
        server: Conninfo of PostgreSQL, as who may make databases and roles.
        role: The role; `role.sql` stands in the folder of that name.
    """
    database = create_database(server)
    deployed = isthmus("schema", "deploy", database=database, home=HOME)
    assert deployed.code == 0, deployed.said
    login, password = f"{role} service {secrets.token_hex(4)} \"ü'", secrets.token_hex(16)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute((HOME / role / "role.sql").read_bytes())
        made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
        connection.execute(made.format(sql.Identifier(login), sql.Literal(password), sql.Identifier(role)))
        row = connection.execute("SELECT current_setting('port')").fetchone()
    assert row is not None
    yield Template(database, {"user": login, "password": password, "host": "127.0.0.1", "port": str(row[0])})
    drop_database(server, database)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


@contextmanager
def database_of(server: str, role: str) -> Generator[Database]:
    """A database with all schemas and the rights of a sidecar's role, as long as the block."""
    with template(server, role) as found:
        one = found.copy(server)
        yield one
        drop_database(server, one.owner)


def browser(app: FastAPI, origin: str, token: str | None, headers: dict[str, str]) -> httpx.AsyncClient:
    """Return a browser of nobody, or with a session; its requests go to an application without a socket."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=origin,
        cookies={COOKIE: token} if token is not None else {},
        headers={"origin": origin, **headers},
    )


@dataclass
class Running:
    """An application over a database of a test's own, and browsers.

    Attributes:
        database: Where it is.
        app: The application.
        origin: Of its pages.
    """

    database: Database
    app: FastAPI
    origin: str
    clients: list[httpx.AsyncClient] = field(default_factory=list[httpx.AsyncClient])

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """Return a browser: of nobody, or with a session."""
        self.clients.append(browser(self.app, self.origin, token, headers))
        return self.clients[-1]

    def of(self, user: str) -> httpx.AsyncClient:
        """Return a browser of a user."""
        return self.client(self.database.make_session(user))

    def signed_in(self, **columns: object) -> tuple[str, httpx.AsyncClient]:
        """Make a user with a session; return the id and a browser."""
        user = self.database.make_user(**columns)  # pyright: ignore[reportArgumentType]
        return user, self.of(user)


@asynccontextmanager
async def running(database: Database, app: FastAPI, origin: str) -> AsyncGenerator[Running]:
    """Run an application as long as the block."""
    one = Running(database, app, origin)
    async with app.router.lifespan_context(app):
        try:
            yield one
        finally:
            for client in one.clients:
                await client.aclose()
