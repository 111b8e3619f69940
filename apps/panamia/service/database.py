"""PostgreSQL as the service sees it: one transaction for each request, through any pooler."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Request
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from isthmus.errors import ConfigError

_CONNECT_SECONDS = 5
_WAIT_SECONDS = 5.0
"""For a free connection of the pool."""
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")


def open_engine(conninfo: str, pool_size: int) -> AsyncEngine:
    """Return the engine for an address of libpq's form.

    No statement is prepared on the server, and nothing is set that outlives a transaction: a pooler in transaction mode
    gives each transaction another connection.

    Raises:
        ConfigError: It is none (code `setting`).
    """
    try:
        parts = conninfo_to_dict(conninfo)
    except ProgrammingError:
        raise ConfigError(
            "POSTGRES_URL is no address of PostgreSQL.", code="setting", hint="postgresql://USER@HOST/DATABASE"
        ) from None
    given = {name: value for name, value in parts.items() if value is not None}
    own = {"prepare_threshold": None, "connect_timeout": _CONNECT_SECONDS, "application_name": "panamia"}
    return create_async_engine(
        "postgresql+psycopg://",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_WAIT_SECONDS,
        pool_pre_ping=True,
        pool_reset_on_return="rollback",
        connect_args=given | own,
    )


def sessions_of(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Return what opens transactions; what was read stays readable behind them."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def _transaction(request: Request) -> AsyncIterator[AsyncSession]:
    sessions = cast("async_sessionmaker[AsyncSession]", request.app.state.resources.sessions)
    async with sessions.begin() as session:
        yield session


Db = Annotated[AsyncSession, Depends(_transaction, scope="function")]
"""The transaction of a request: committed before its answer is sent, rolled back where the route raises."""


async def one_at_a_time(db: AsyncSession, what: str) -> None:
    """Wait for other transactions that said the same, and let later ones wait until this one ends."""
    await db.execute(_ALONE, {"what": what})
