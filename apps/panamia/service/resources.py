"""What is opened when the service starts, and closed when it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from ..web.database import Patience, open_engine, sessions_of
from .embedded import embedded_servers
from .mail import Sender, sender_of
from .mongo import Mongo
from .settings import Settings


@dataclass(frozen=True)
class Resources:
    """What requests work with.

    Attributes:
        settings: What the service was told.
        engine: PostgreSQL.
        sessions: Opens transactions there.
        mongo: MongoDB.
        mail: Where mail goes.
    """

    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    mongo: Mongo
    mail: Sender


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Resources]:
    """Open everything. Neither database has to be there yet: requests tell where one is not."""
    async with AsyncExitStack() as stack:
        addresses = stack.enter_context(embedded_servers(settings))
        patience = Patience(settings.statement_seconds, idle=30 + 10 * settings.mongodb_timeout_ms / 1_000)
        engine = open_engine(addresses.postgres, settings.pool_size, patience)
        stack.push_async_callback(engine.dispose)
        mongo = Mongo(addresses.mongodb, settings.mongodb_timeout_ms)
        stack.push_async_callback(mongo.close)
        yield Resources(settings, engine, sessions_of(engine), mongo, sender_of(settings))


def _resources(request: Request) -> Resources:
    return cast("Resources", request.app.state.resources)


Open = Annotated[Resources, Depends(_resources)]
"""What the service has open."""
