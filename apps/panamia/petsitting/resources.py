"""What is opened when the sidecar starts, and closed when it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from ..web.database import Patience, open_engine, sessions_of
from .embedded import postgres_of
from .settings import Settings


@dataclass(frozen=True)
class Resources:
    """What requests work with.

    Attributes:
        settings: What the sidecar was told.
        engine: PostgreSQL.
        sessions: Opens transactions there.
    """

    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Resources]:
    """Open everything. PostgreSQL does not have to be there yet: requests tell where it is not."""
    async with AsyncExitStack() as stack:
        conninfo = stack.enter_context(postgres_of(settings))
        engine = open_engine(conninfo, settings.pool_size, Patience(settings.statement_seconds))
        stack.push_async_callback(engine.dispose)
        yield Resources(settings, engine, sessions_of(engine))


def _resources(request: Request) -> Resources:
    return cast("Resources", request.app.state.resources)


Open = Annotated[Resources, Depends(_resources)]
"""What the sidecar has open."""
