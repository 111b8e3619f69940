"""Where profiles live at the moment, as `isthmus switch` has it; what a switch under way means for a request."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from isthmus.errors import PolyglotError
from isthmus.polyglot.switch import Homes, Switch

from ...web.database import ELSEWHERE
from ...web.errors import RefusedError
from ..resources import Resources
from .documents import DocumentProfiles
from .rows import RowProfiles
from .stores import COLLECTION, Profiles

_log = logging.getLogger("panamia.profiles")
_TOLD = {
    "switch-frozen": ("Profiles are being moved to another database; nothing was saved", 5),
    "ensure-no-index": ("Profiles are being prepared; nothing was saved", 5),
    "ensure-building": ("Profiles are being prepared; nothing was saved", 5),
    "switch-lost": ("It is not known whether this was saved; look first, then save again", None),
}
"""Code of an error → what is told, and after how many seconds to come again; None: not without a look."""
_ELSE = ("Somebody must look at the profiles first; come again later", 60)


@asynccontextmanager
async def reading(resources: Resources, db: AsyncSession) -> AsyncGenerator[Profiles]:
    """Give the profiles to read from; also while they are switched over.

    Raises:
        RefusedError: 503: what stands there cannot be used (its code is the library's).
    """
    with _refusals():
        async with _switch(resources).reading(COLLECTION, connection=db) as profiles:
            yield profiles


@asynccontextmanager
async def writing(resources: Resources, db: AsyncSession) -> AsyncGenerator[Profiles]:
    """Give the profiles to write to; they stay where they are until the transaction ends.

    Raises:
        RefusedError: 503: they are being switched over (code `switch-frozen`), and nothing was written; or what stands
            there cannot be used.
    """
    with _refusals():
        async with _switch(resources).writing(COLLECTION, connection=db) as profiles:
            try:
                yield profiles
            finally:
                if isinstance(profiles, DocumentProfiles) and profiles.has_written:
                    db.info[ELSEWHERE] = True  # it stays, whatever becomes of the transaction


def _switch(resources: Resources) -> Switch[Profiles]:
    documents = DocumentProfiles(resources.mongo, resources.settings.mongodb_timeout_ms / 1000)
    return Switch(resources.sessions.begin, {COLLECTION: Homes[Profiles](mongodb=documents, postgres=RowProfiles)})


@contextmanager
def _refusals() -> Generator[None]:
    try:
        yield
    except PolyglotError as fault:
        if fault.code not in _TOLD:
            _log.error("profiles cannot be used: %s", fault.code)
        words, seconds = _TOLD.get(fault.code, _ELSE)
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        raise RefusedError(503, words, fault.code, headers) from fault
