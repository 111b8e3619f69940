"""What a service opens when it starts, and closes when it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from .database import Patience, open_engine, sessions_of
from .embedded import postgres_of
from .settings import Kind


@dataclass(frozen=True)
class Resources(Generic[Kind]):
    """What requests work with.

    Attributes:
        settings: What the service was told.
        engine: PostgreSQL.
        sessions: Opens transactions there.
    """

    settings: Kind
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]


@asynccontextmanager
async def opened(settings: Kind) -> AsyncGenerator[Resources[Kind]]:
    """Open everything. PostgreSQL does not have to be there yet: requests tell where it is not."""
    async with AsyncExitStack() as stack:
        conninfo = stack.enter_context(postgres_of(settings))
        engine = open_engine(conninfo, settings.pool_size, Patience(settings.statement_seconds))
        stack.push_async_callback(engine.dispose)
        yield Resources(settings, engine, sessions_of(engine))


def resources_of(request: Request) -> Any:
    """Return what the service of a request has open, which its `lifespan` put into `app.state.resources`.

    To be asked for with its type: `Open = Annotated[Resources[Settings], Depends(resources_of)]`.
    """
    return request.app.state.resources
