"""The profile that waits for an address is claimed behind each sign-in; nothing of it can stand in the way of one."""

from __future__ import annotations

import logging

from pymongo.errors import PyMongoError
from sqlalchemy.exc import SQLAlchemyError

from isthmus.errors import IsthmusError

from ..profiles.belonging import claim_profile
from ..resources import Resources

_log = logging.getLogger("panamia")


async def claim_behind(resources: Resources, user_id: str) -> None:
    """Claim in a transaction of its own, once the sign-in is committed. What fails is done at the next sign-in.

    Args:
        resources: What the service has open.
        user_id: Who signed in.
    """
    try:
        async with resources.sessions.begin() as db:
            await claim_profile(resources, db, user_id)
    except (SQLAlchemyError, PyMongoError, IsthmusError) as fault:
        _log.warning("no profile was claimed at a sign-in: %s", type(fault).__name__)
