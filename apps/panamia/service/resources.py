"""What is opened when the service starts, and closed when it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from ..web import resources as web
from ..web.database import Patience, open_engine, sessions_of
from .embedded import embedded_servers
from .mail import Sender, sender_of
from .mongo import Mongo
from .settings import Settings


@dataclass(frozen=True)
class Resources(web.Resources[Settings]):
    """What requests work with.

    Attributes:
        mongo: MongoDB.
        mail: Where mail goes.
    """

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
        mongo = Mongo(addresses.mongodb, settings.mongodb_timeout_ms, most_waiting=settings.pool_size // 2)
        stack.push_async_callback(mongo.close)
        yield Resources(settings, engine, sessions_of(engine), mongo, sender_of(settings))


Open = Annotated[Resources, Depends(web.resources_of)]
"""What the service has open."""
