"""The address of a profile follows its user's: in the transaction that changes it, wherever profiles live.

Call both behind what else the transaction locks: `move_profile` holds the profiles where they are until it ends, so a
switch to the other database waits for it, and none is between the two writes.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from pymongo.collation import Collation
from sqlalchemy.ext.asyncio import AsyncSession

from isthmus.polyglot.outbox import enqueue_async, update

from ...models import Profile
from ..profiles.documents import DocumentProfiles
from ..profiles.stores import COLLECTION
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
        if own is None:
            return False
        if isinstance(profiles, DocumentProfiles):
            found = await resources.mongo.ask(
                lambda database: database[COLLECTION].find_one(
                    {"email": email, "_id": {"$ne": own.id}}, {"_id": 1}, collation=_ANY_CASE
                )
            )
            return found is not None
        query = sa.select(Profile.id).where(sa.func.lower(Profile.email) == email, Profile.id != str(own.id))
        return (await db.execute(query)).first() is not None


async def move_profile(resources: Resources, db: AsyncSession, user_id: str, email: str) -> None:
    """Give the profile of a user an address; without one there is nothing to do.

    Raises:
        MongoAwayError: Which one it is cannot be known.
        RefusedError: 503: profiles are being switched over.
    """
    async with writing(resources, db) as profiles:
        own = await profiles.of_user(user_id)
        if own is None:
            return
        changes: dict[str, Any] = {"email": email}
        if isinstance(profiles, DocumentProfiles):
            await enqueue_async(db, update(COLLECTION, own.id, set=changes))
        else:
            await profiles.update(own.id, set=changes)
