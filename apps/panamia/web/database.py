"""PostgreSQL as the service sees it: one transaction for each request, through any pooler."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, cast

import psycopg
from fastapi import Depends, Request
from psycopg import ProgrammingError
from psycopg.adapt import AdaptersMap
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from isthmus.errors import ConfigError

from .again import ask_again
from .errors import UnsureError
from .faults import is_undone_by_others, meaning_of
from .instants import read_instants

_CONNECT_SECONDS = 5
_WAIT_SECONDS = 5.0
"""For a free connection of the pool."""
ELSEWHERE = "elsewhere"
"""In `info` of a transaction: something was written that it cannot take back."""
_LARGEST, _DIGITS = 2**63, 20
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")


@dataclass(frozen=True)
class Patience:
    """How long PostgreSQL waits in a transaction, in seconds, before it ends the statement or the transaction.

    Attributes:
        statement: For a statement.
        lock: For what another transaction holds.
        idle: For the next statement.
    """

    statement: float
    lock: float = 5.0
    idle: float = 60.0

    def settings(self) -> dict[str, str]:
        """Return it as PostgreSQL is told."""
        waits = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return {name: f"{seconds * 1_000:.0f}ms" for name, seconds in waits.items()}


def open_engine(conninfo: str, pool_size: int, patience: Patience | None = None) -> AsyncEngine:
    """Return the engine for an address of libpq's form.

    No statement is prepared on the server, and nothing is set that outlives a transaction: a pooler in transaction mode
    gives each transaction another connection. Errors do not hold the values of their statements.

    Args:
        conninfo: The address.
        pool_size: Connections at most.
        patience: How long each transaction waits; None: as the server says.

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
    adapters = AdaptersMap(psycopg.adapters)
    read_instants(adapters)
    set_json_loads(_read_json, adapters)
    own = {
        "prepare_threshold": None,
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "panamia",
        "context": adapters,
    }
    engine = create_async_engine(
        "postgresql+psycopg://",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_WAIT_SECONDS,
        pool_pre_ping=True,
        pool_reset_on_return="rollback",
        hide_parameters=True,
        connect_args=given | own,
    )
    _begin_with(engine, {"datestyle": "ISO, YMD"} | (patience.settings() if patience is not None else {}))
    return engine


def _begin_with(engine: AsyncEngine, settings: dict[str, str]) -> None:
    """Begin each transaction with its settings: told to a connection, others would have them behind a pooler."""
    said = "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(said)

    event.listen(engine.sync_engine, "begin", begun)


def _read_json(data: str | bytes) -> Any:
    return json.loads(data, parse_int=_whole)


def _whole(digits: str) -> int | float:
    """Return a number of jsonb, which has any number of digits; one that no document can hold is as near as may be."""
    whole = int(digits) if len(digits) <= _DIGITS else None
    return whole if whole is not None and -_LARGEST <= whole < _LARGEST else float(digits)


def sessions_of(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Return what opens transactions; what was read stays readable behind them."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def _transaction(request: Request) -> AsyncIterator[AsyncSession]:
    sessions = cast("async_sessionmaker[AsyncSession]", request.app.state.resources.sessions)
    async with sessions() as session:
        is_commit = False
        try:
            async with session.begin():
                yield session
                await session.flush()
                is_commit = True
        except DBAPIError as fault:
            if _is_unsure(fault, session, is_commit=is_commit):
                raise UnsureError from fault
            if is_undone_by_others(fault):
                ask_again(request.scope)
            raise


def _is_unsure(fault: DBAPIError, session: AsyncSession, *, is_commit: bool) -> bool:
    """Tell whether an error leaves open what was done; what PostgreSQL refuses, also to commit, it has undone."""
    if ELSEWHERE in session.info:
        return meaning_of(fault) != "wrong"
    return is_commit and fault.connection_invalidated


Db = Annotated[AsyncSession, Depends(_transaction, scope="function")]
"""The transaction of a request: committed before its answer is sent, rolled back where the route raises."""


async def one_at_a_time(db: AsyncSession, what: str) -> None:
    """Wait for other transactions that said the same, and let later ones wait until this one ends."""
    await db.execute(_ALONE, {"what": what})
