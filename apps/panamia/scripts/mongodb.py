"""MongoDB, as scripts open it that need it beside PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ..service.mongo import Mongo
from ..service.settings import Settings


@asynccontextmanager
async def mongo_of(settings: Settings) -> AsyncGenerator[Mongo]:
    """Open MongoDB where the settings say that it is."""
    uri = settings.mongodb_uri.get_secret_value() if settings.mongodb_uri else ""
    mongo = Mongo(uri, settings.mongodb_timeout_ms)
    try:
        yield mongo
    finally:
        await mongo.close()
