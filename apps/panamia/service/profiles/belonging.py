"""Whose a profile is: claimed at sign-in, and what it says of its owner's part in the community."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import RefusedError
from ..mongo import MongoAwayError
from ..people import stay
from ..resources import Resources
from .document import read_profile
from .stores import Claim
from .where import reading, writing

_log = logging.getLogger("panamia.profiles")


class Person(Protocol):
    """A user, as a row or as who is signed in."""

    @property
    def id(self) -> str:
        """Of the user."""
        ...

    @property
    def email(self) -> str:
        """The user's e-mail."""
        ...


@dataclass(frozen=True)
class ProfileFlags:
    """What the profile of a user says of them; all False without one."""

    pana_verified: bool = False
    legal_age_verified: bool = False
    is_mentoring_moderator: bool = False
    is_event_organizer: bool = False
    is_content_moderator: bool = False


async def claim_profile(resources: Resources, db: AsyncSession, user: Person) -> Claim | Literal["away"]:
    """Give a user the profile that has the e-mail and is nobody's, once the e-mail is proven to be the user's.

    Safe to repeat, and nothing of it stands in the way of a sign-in: what cannot be done now is done when the user
    asks for the profile. Where profiles live in MongoDB that is written at once, so the user's row must be committed.

    Args:
        resources: What the service has open.
        db: The transaction; profiles that live in PostgreSQL are claimed in it.
        user: Whose it shall be.

    Returns:
        What it came to; `away`: it cannot be known now, for MongoDB is away, profiles are being switched over, or
        somebody must look at them first.
    """
    try:
        await stay(db, user.id)  # else a document could be claimed for somebody who is being deleted
        async with writing(resources, db) as profiles:
            how, _ = await profiles.claim(user.id, user.email.strip().lower())
            return how
    except MongoAwayError:
        _log.warning("no profile was looked for at a sign-in: MongoDB does not answer")
    except RefusedError as fault:
        _log.warning("no profile was looked for at a sign-in: %s", fault.code)
    return "away"


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
