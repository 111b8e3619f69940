"""The profile that waits for an address is claimed behind each sign-in; nothing of it can stand in the way of one."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pymongo.errors import PyMongoError
from sqlalchemy.exc import SQLAlchemyError

from isthmus.errors import IsthmusError

from ..profiles.belonging import claim_profile
from ..resources import Resources

_log = logging.getLogger("panamia")


@dataclass(frozen=True)
class _Person:
    id: str
    email: str


async def claim_behind(resources: Resources, user_id: str, email: str) -> None:
    """Claim in a transaction of its own, once the sign-in is committed. What fails is done at the next sign-in.

    Args:
        user_id: Who signed in.
        email: Folded, and just proven.
    """
    try:
        async with resources.sessions.begin() as db:
            await claim_profile(resources, db, _Person(user_id, email))
    except (SQLAlchemyError, PyMongoError, IsthmusError) as fault:
        _log.warning("no profile was claimed at a sign-in: %s", type(fault).__name__)
