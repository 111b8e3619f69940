"""Screen names: whether one is to be had, and taking it."""

from __future__ import annotations

import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from ...web.bodies import Input, Output
from ...web.database import Db
from ...web.errors import bad
from ..auth.current import Somebody, User
from ..resources import Open
from .inputs import Line
from .naming import TAKEN, Named, leads_to_another, named, owner_of, set_screenname
from .screennames import why_not

router = APIRouter(prefix="/api/screenname", tags=["screen names"])


class Availability(Output):
    """Whether a screen name is to be had, and why not."""

    available: bool
    reason: str | None = None


class OwnScreenname(Output):
    """What somebody is called, and from when on that may change; null: at any time."""

    screenname: str | None
    changes_again_at: datetime.datetime | None


class SetScreenname(Input):
    """What somebody wants to be called."""

    screenname: Line


@router.get("/check")
async def check(
    db: Db,
    resources: Open,
    somebody: Somebody,
    name: Annotated[str | None, Query(description="The screen name")] = None,
) -> Availability:
    """Tell whether a screen name is to be had; nobody needs to be signed in.

    Whoever has or had it may have it, unless it is the slug of somebody else's profile meanwhile.
    """
    wanted = (name or "").strip()
    if not wanted:
        raise bad("Give a name")
    reason = why_not(wanted)
    if reason is not None:
        return Availability(available=False, reason=reason)
    if somebody is not None and (somebody.screenname or "").lower() == wanted.lower():
        return Availability(available=True)
    user = None if somebody is None else somebody.id
    if await owner_of(db, wanted) not in {None, user} or await leads_to_another(resources, db, user, wanted):
        return Availability(available=False, reason=TAKEN)
    return Availability(available=True)


@router.get("")
async def own(user: User, db: Db) -> OwnScreenname:
    """Return what the person is called who is signed in."""
    return _shown(await named(db, user.id))


@router.post("")
async def choose(wanted: SetScreenname, user: User, db: Db, resources: Open) -> OwnScreenname:
    """Call the person so who is signed in: at most every 90 days, but for the first name and for capitals.

    The name that is given up stays theirs, and leads to them.
    """
    return _shown(await set_screenname(resources, db, user.id, wanted.screenname))


def _shown(name: Named) -> OwnScreenname:
    return OwnScreenname(screenname=name.screenname, changes_again_at=name.changes_again_at)
