"""A person's own profile: seen, begun, and saved in parts or as a whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from isthmus.polyglot.switch import Home

from ...web.bodies import Output
from ...web.database import Db
from ...web.errors import Problem
from ..auth.current import User
from ..mongo import MongoAwayError
from ..resources import Open
from .document import Profile, read_profile
from .inputs import NewProfile, SaveProfile
from .own import Own, begin_profile, own_profile, save_profile

router = APIRouter(prefix="/api/profile", tags=["profile"])


class ProfileUser(Output):
    """Whose profile it is."""

    id: str
    email: str
    screenname: str | None


class OwnProfile(Output):
    """A person and the profile, which may be none, or not to be had at the moment; `store` is where profiles are."""

    user: ProfileUser
    profile: Profile | None
    profile_unavailable: bool = False
    store: Home


@router.get("")
async def own(user: User, db: Db, resources: Open, response: Response) -> OwnProfile:
    """Return who is signed in, and the profile. `ETag` names its revision.

    While MongoDB, where profiles may live, is away, the profile is null, and `profileUnavailable` says why. So it does
    where a profile may wait that cannot be claimed now: profiles are being moved, or somebody must look at them first.
    """
    try:
        found = await own_profile(resources, db, user)
    except MongoAwayError:
        shown = ProfileUser.model_validate(user)
        return OwnProfile(user=shown, profile=None, profile_unavailable=True, store="mongodb")
    return _shown(user, found, response)


@router.post("", status_code=201)
async def begin(new: NewProfile, user: User, db: Db, resources: Open, response: Response) -> OwnProfile:
    """Begin a profile. It is not shown in the directory until an admin has approved it."""
    return _shown(user, await begin_profile(resources, db, user, new), response)


@router.patch("", responses={412: {"model": Problem, "description": "It has another revision than If-Match says"}})
async def save(
    changes: SaveProfile,
    user: User,
    db: Db,
    resources: Open,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=2_000)] = None,
) -> OwnProfile:
    """Save what is named: other fields stay, whoever saves them meanwhile. Null empties a field.

    With `If-Match` only where nobody has written anything since the profile with that `ETag` was read.
    """
    return _shown(user, await save_profile(resources, db, user, changes, _revisions(if_match)), response)


def _shown(user: User, own: Own, response: Response) -> OwnProfile:
    if own.stored is not None:
        response.headers["ETag"] = f'"{own.stored.revision}"'
    profile = None if own.stored is None else read_profile(own.stored)
    shown = ProfileUser.model_validate(user)
    return OwnProfile(user=shown, profile=profile, profile_unavailable=own.is_away, store=own.home)


def _revisions(if_match: str | None) -> frozenset[str] | None:
    """Return the revisions that If-Match names; None where any will do."""
    if if_match is None or if_match.strip() == "*":
        return None
    return frozenset(one.strip().removeprefix('"').removesuffix('"') for one in if_match.split(","))
