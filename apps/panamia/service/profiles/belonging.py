"""Whose a profile is: claimed at sign-in, and what it says of its owner's part in the community."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import User
from ...web.errors import RefusedError
from ..addresses import fold
from ..mongo import MongoAwayError
from ..people import stay
from ..resources import Resources
from .document import read_profile
from .stores import Claim
from .where import reading, writing

_log = logging.getLogger("panamia.profiles")


@dataclass(frozen=True)
class ProfileFlags:
    """What the profile of a user says of them; all False without one."""

    pana_verified: bool = False
    legal_age_verified: bool = False
    is_mentoring_moderator: bool = False
    is_event_organizer: bool = False
    is_content_moderator: bool = False


async def claim_profile(resources: Resources, db: AsyncSession, user_id: str) -> Claim | Literal["away", "unproven"]:
    """Give a user the profile that has the e-mail and is nobody's; only by an e-mail that is proven to be the user's.

    Safe to repeat, and nothing of it stands in the way of a sign-in: what cannot be done now is done when the user
    asks for the profile. Where profiles live in MongoDB that is written at once, so the user's row must be committed.

    Args:
        resources: What the service has open.
        db: The transaction; profiles that live in PostgreSQL are claimed in it.
        user_id: Whose it shall be.

    Returns:
        What it came to; `unproven`: nobody has proven the e-mail, so nothing was looked for; `away`: it cannot be known
        now, for MongoDB is away, profiles are being switched over, or somebody must look at them first.
    """
    try:
        await stay(db, user_id)  # else a document could be claimed for somebody who is being deleted
        email = await proven_address(db, user_id)
        if email is None:
            return "unproven"
        async with writing(resources, db) as profiles:
            how, _ = await profiles.claim(user_id, email)
            return how
    except MongoAwayError:
        _log.warning("no profile was looked for at a sign-in: MongoDB does not answer")
    except RefusedError as fault:
        _log.warning("no profile was looked for at a sign-in: %s", fault.code)
    return "away"


async def proven_address(db: AsyncSession, user_id: str) -> str | None:
    """Return the e-mail of a user as it is committed, folded; None while nobody has proven it."""
    query = sa.select(User.email).where(User.id == user_id, User.email_verified.is_not(None))
    email = (await db.execute(query)).scalar_one_or_none()
    return None if email is None else fold(email)


async def flags_of(resources: Resources, db: AsyncSession, user_id: str) -> ProfileFlags:
    """Return what the profile of a user says of them; all False where there is none, or none to be had now."""
    try:
        async with reading(resources, db) as profiles:
            found = await profiles.of_user(user_id)
    except MongoAwayError:
        _log.warning("the flags of a profile are not known: MongoDB does not answer")
        return ProfileFlags()
    except RefusedError as fault:
        _log.warning("the flags of a profile are not known: %s", fault.code)
        return ProfileFlags()
    if found is None:
        return ProfileFlags()
    profile = read_profile(found)
    return ProfileFlags(
        profile.verification.pana_verified,
        profile.verification.legal_age_verified,
        profile.roles.mentoring_moderator,
        profile.roles.event_organizer,
        profile.roles.content_moderator,
    )
