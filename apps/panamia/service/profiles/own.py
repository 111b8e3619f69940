"""A person's own profile: found or claimed, begun, and saved without losing what another save has written."""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from isthmus.errors import PolyglotError
from isthmus.polyglot.stores import Stored
from isthmus.polyglot.switch import Home

from ...web.errors import RefusedError, bad, conflict, not_found
from ..addresses import folded
from ..auth.sessions import Signed
from ..people import stay
from ..resources import Resources
from .belonging import claim_profile, proven_address
from .document import profile_of
from .inputs import NewProfile, SaveProfile
from .naming import name_alone, names_of_others
from .saving import change_of, is_complete, moment
from .slugs import first_free, slug_of
from .stores import Profiles
from .where import reading, writing

_TRIES = 5


@dataclass(frozen=True)
class Own:
    """The profile of a user.

    Attributes:
        stored: None where there is none.
        home: In which database profiles are.
        is_away: Whether there may be one that cannot be claimed now.
    """

    stored: Stored | None
    home: Home
    is_away: bool = False


async def own_profile(resources: Resources, db: AsyncSession, user: Signed) -> Own:
    """Return the profile of a user, claimed now if it could not be at sign-in.

    Raises:
        MongoAwayError: It stands in MongoDB, which does not answer.
    """
    async with reading(resources, db) as profiles:
        found = Own(await profiles.of_user(user.id), profiles.home)
    if found.stored is not None:
        return found
    how = await claim_profile(resources, db, user.id)
    if how not in {"found", "claimed"}:
        return replace(found, is_away=how == "away")
    async with reading(resources, db) as profiles:
        return Own(await profiles.of_user(user.id), profiles.home)


async def begin_profile(resources: Resources, db: AsyncSession, user: Signed, new: NewProfile) -> Own:
    """Make the profile of a user: inactive, submitted, with the secret of the link by which it is approved.

    Raises:
        RefusedError: The e-mail is another one than the user's, nobody has proven it, or it has a profile already.
    """
    await stay(db, user.id, alone=True)
    email = await proven_address(db, user.id)  # it may have changed until now; a change waits from here on
    if folded(new.email) != (email or user.email):
        raise bad("The e-mail must be the one you are signed in with", "email-mismatch")
    if email is None:
        raise RefusedError(403, "Sign in by a mailed link first, which proves your address", "email-unproven")
    async with writing(resources, db) as profiles:
        for _ in range(_TRIES):
            how, _found = await profiles.claim(user.id, email)
            if how != "none":
                raise bad("There is a profile with this e-mail already", "profile-exists")
            now = moment(datetime.datetime.now(datetime.UTC))
            document = {
                "userId": user.id,
                "email": email,
                "name": new.name,
                "slug": await _slug(db, profiles, user.id, new.name),
                "active": False,
                "status": {"submitted": now, "access": secrets.token_urlsafe(24)},
                "socials": {"website": new.website},
                "createdAt": now,
                "updatedAt": now,
            }
            if new.five_words:
                document["five_words"] = new.five_words
            try:
                return Own(await profiles.insert(document), profiles.home)
            except PolyglotError as fault:
                if fault.code != "store-exists":
                    raise
    raise conflict("Somebody else was faster; try again", "profile-changed")


async def save_profile(
    resources: Resources, db: AsyncSession, user: Signed, save: SaveProfile, revisions: frozenset[str] | None
) -> Own:
    """Change some fields of a user's profile. What others write meanwhile stays, but for the same fields.

    Args:
        resources: What the service has open.
        db: The transaction.
        user: Whose profile.
        save: What changes.
        revisions: Only if it has one of these; None: whatever it has.

    Raises:
        RefusedError: There is none (404), it lacks what none may lack (400), or has another revision (412).
    """
    async with writing(resources, db) as profiles:
        for _ in range(_TRIES):
            found = await profiles.of_user(user.id)
            if found is None:
                raise not_found("Profile")
            if revisions is not None and found.revision not in revisions:
                break
            change = change_of(save, found.document)
            if not change:
                return Own(found, profiles.home)
            if not is_complete(change, found.document):
                raise bad("A profile needs a name and five words", "profile-incomplete")
            name = change.set.get("name") or profile_of(found.document).name
            if not found.document.get("slug"):
                change.set["slug"] = await _slug(db, profiles, user.id, str(name))
            change.set["updatedAt"] = moment(datetime.datetime.now(datetime.UTC))
            try:
                saved = await profiles.update(found.id, set=change.set, unset=change.unset, revision=found.revision)
                return Own(saved, profiles.home)
            except PolyglotError as fault:
                if fault.code not in {"store-conflict", "store-absent", "store-exists"}:
                    raise
    if revisions is not None:
        raise RefusedError(412, "The profile was changed meanwhile; read it again", "profile-changed")
    raise conflict("The profile was changed meanwhile; try again", "profile-changed")


async def _slug(db: AsyncSession, profiles: Profiles, user_id: str, name: str) -> str:
    """Return a slug that no profile has, and that is nobody else's screen name; it is held until the commit."""
    await name_alone(db)
    wanted = slug_of(name)
    return first_free(wanted, await profiles.slugs(wanted) | await names_of_others(db, wanted, user_id))
