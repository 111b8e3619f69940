"""What profiles in MongoDB need before one is claimed: indexes, made when the service starts, and never at a sign-in.

Until they are there nobody claims or begins a profile; everything else goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from pymongo.errors import PyMongoError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from isthmus.errors import IsthmusError
from isthmus.polyglot.switch import look

from ..mongo import Mongo, MongoAwayError
from ..resources import Resources
from .documents import DocumentProfiles
from .stores import COLLECTION

_log = logging.getLogger("panamia.profiles")
_FIRST_SECONDS = 5.0
"""How long the start waits for the first try."""
_AGAIN_SECONDS, _LONGEST_SECONDS = 1.0, 60.0


async def documents_of(
    sessions: async_sessionmaker[AsyncSession], mongo: Mongo, seconds: float
) -> DocumentProfiles | None:
    """Return the profiles in MongoDB; None where they live in PostgreSQL, and none is to be made there.

    Raises:
        PolyglotError: Nobody has said yet where they live (code `switch-missing`).
    """
    async with sessions.begin() as db:
        home = (await look(db, COLLECTION)).home
    return None if home == "postgres" else DocumentProfiles(mongo, seconds)


@asynccontextmanager
async def prepared(resources: Resources) -> AsyncGenerator[None]:
    """Make the indexes, beside the block where they cannot be made at once: then again and again, until they are."""
    tried = asyncio.Event()
    working = asyncio.create_task(_work(resources, tried))
    waiting = asyncio.create_task(tried.wait())
    try:
        await asyncio.wait([working, waiting], timeout=_FIRST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        yield
    finally:
        for one in (waiting, working):
            one.cancel()
        await asyncio.wait([waiting, working])


async def _work(resources: Resources, tried: asyncio.Event) -> None:
    pause, told = _AGAIN_SECONDS, ""
    while True:
        try:
            seconds = resources.settings.mongodb_timeout_ms / 1_000
            documents = await documents_of(resources.sessions, resources.mongo, seconds)
            made = [] if documents is None else await documents.prepare()
            if made:
                _log.info("profiles are prepared: %s", ", ".join(made))
            return
        except (MongoAwayError, IsthmusError, SQLAlchemyError, PyMongoError) as fault:
            why = fault.code if isinstance(fault, IsthmusError) else type(fault).__name__
            if why != told:
                _log.warning("profiles are not prepared yet, and none is claimed: %s", why)
            told = why
        tried.set()
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_SECONDS)
