"""What all scripts share: the settings that they work with, and PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from isthmus.errors import ConfigError

from ..service.settings import NEEDS, Need, Settings, read_settings
from ..web.database import open_engine, sessions_of


@dataclass(frozen=True)
class Database:
    """PostgreSQL, and the settings that said where it is."""

    sessions: async_sessionmaker[AsyncSession]
    settings: Settings


def settings_for(environment: Mapping[str, str] = os.environ, *, needs: Collection[Need] = NEEDS) -> Settings:
    """Return the settings of the service that a script works with.

    Args:
        environment: Where they stand.
        needs: What it needs of them.

    Raises:
        ConfigError: One cannot be, or is not there; or the databases are those that a service starts for itself.
    """
    settings = read_settings(environment, needs=needs)
    if settings.use_memory_postgres or ("MONGODB_URI" in needs and settings.use_memory_mongodb):
        raise ConfigError(
            "USE_MEMORY_POSTGRES and USE_MEMORY_MONGODB start databases that only the service has.",
            code="setting",
            hint="Name those it uses, with POSTGRES_URL and MONGODB_URI.",
        )
    return settings


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncGenerator[Database]:
    """Open PostgreSQL: one connection, which any pooler may have."""
    engine = open_engine(settings.postgres_url.get_secret_value() if settings.postgres_url else "", 1)
    try:
        yield Database(sessions_of(engine), settings)
    finally:
        await engine.dispose()
