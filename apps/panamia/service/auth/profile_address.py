"""The address of a profile follows its user's: in the transaction that changes it, wherever profiles live.

Call `move_profile` behind what else the transaction locks: it holds the profiles where they are until it ends, so a
switch to the other database waits for it, and none is between the two writes.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from pymongo.collation import Collation
from sqlalchemy.ext.asyncio import AsyncSession

from isthmus.polyglot.outbox import enqueue_async, update

from ...models import Profile
from ..people import is_address
from ..profiles.documents import DocumentProfiles
from ..profiles.stores import COLLECTION, Profiles
from ..profiles.where import reading, writing
from ..resources import Resources

_ANY_CASE = Collation("en", strength=2)


async def is_of_another_profile(resources: Resources, db: AsyncSession, user_id: str, email: str) -> bool:
    """Tell whether a user has a profile, and another profile has an address: the two cannot both have it.

    A user without a profile may take the address of one that is nobody's, and claims it at the next sign-in.

    Args:
        email: Folded.

    Raises:
        MongoAwayError: It cannot be known.
    """
    async with reading(resources, db) as profiles:
        own = await profiles.of_user(user_id)
        return own is not None and await _has_another(resources, db, profiles, own.id, email)


async def move_profile(resources: Resources, db: AsyncSession, user_id: str, old: str | None, new: str) -> bool:
    """Give the profile of a user an address; without one there is nothing to do.

    Args:
        user_id: Whose row is committed.
        old: The address that the user had, if it was proven: a profile that waits for it is the user's, and is claimed
            now, for nobody would look for it any more. Folded.
        new: What the user has from now on. Folded.

    Returns:
        False where another profile has the address: roll back.

    Raises:
        MongoAwayError: Which one it is cannot be known.
        RefusedError: 503: profiles are being switched over, or somebody must look at them first.
    """
    async with writing(resources, db) as profiles:
        own = await profiles.of_user(user_id)
        if own is None and old is not None:
            _, own = await profiles.claim(user_id, old)
        if own is None:
            return True
        if await _has_another(resources, db, profiles, own.id, new):
            return False
        changes: dict[str, Any] = {"email": new}
        if isinstance(profiles, DocumentProfiles):
            await enqueue_async(db, update(COLLECTION, own.id, set=changes))
        else:
            await profiles.update(own.id, set=changes)
        return True


async def _has_another(resources: Resources, db: AsyncSession, profiles: Profiles, own: object, email: str) -> bool:
    """Tell whether a profile has an address, in any case, that is not this one."""
    if isinstance(profiles, DocumentProfiles):
        found = await resources.mongo.ask(
            lambda database: database[COLLECTION].find_one(
                {"email": email, "_id": {"$ne": own}}, {"_id": 1}, collation=_ANY_CASE
            )
        )
        return found is not None
    query = sa.select(Profile.id).where(is_address(Profile.email, email), Profile.id != str(own))
    return (await db.execute(query)).first() is not None
