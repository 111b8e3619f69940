"""A person's own profile, and the directory."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ..auth.current import User
from ..bodies import Output
from ..mongo import MongoAwayError
from ..resources import Open

router = APIRouter(prefix="/api/profile", tags=["profile"])


class OwnProfile(Output):
    """A person and the profile, which may be none, or not to be had at the moment."""

    user: dict[str, Any]
    profile: dict[str, Any] | None
    profile_unavailable: bool = False


@router.get("")
async def own(user: User, resources: Open) -> OwnProfile:
    """Return who is signed in, and the profile."""
    shown = {"id": user.id, "email": user.email, "screenname": user.screenname}
    try:
        found = await resources.mongo.ask(lambda database: database.profiles.find_one({"userId": user.id}))
    except MongoAwayError:
        return OwnProfile(user=shown, profile=None, profile_unavailable=True)
    if found is not None:
        found["_id"] = str(found["_id"])
    return OwnProfile(user=shown, profile=found)
