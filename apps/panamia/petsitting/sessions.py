"""Who sends a request. The main service makes sessions, prolongs and ends them; here they are only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from ..web.cookies import token_of
from ..web.database import Db
from ..web.errors import unauthorized
from .models import Session, User
from .resources import Open


@dataclass(frozen=True)
class Signed:
    """Who is signed in.

    Attributes:
        id: Of the user.
        email: In lower case.
        screenname: None while none is chosen.
    """

    id: str
    email: str
    screenname: str | None
    name: str | None


async def who(db: AsyncSession, token: str) -> Signed | None:
    """Return who has a session; None where it is unknown, is over, or its user is locked. Writes nothing.

    Only columns that this service may read are asked for.
    """
    query = sa.select(User.id, User.email, User.screenname, User.name).join(Session, Session.user_id == User.id)
    query = query.where(
        Session.session_token == token, Session.expires > sa.func.clock_timestamp(), User.locked_at.is_(None)
    )
    found = (await db.execute(query)).one_or_none()
    return Signed(found.id, found.email.strip().lower(), found.screenname, found.name) if found is not None else None


async def _somebody(request: Request, resources: Open, db: Db) -> Signed | None:
    token = token_of(request.cookies, is_secure=resources.settings.is_secure)
    return await who(db, token) if token is not None else None


Somebody = Annotated[Signed | None, Depends(_somebody)]
"""Who is signed in; None for nobody."""


async def _user(somebody: Somebody) -> Signed:
    if somebody is None:
        raise unauthorized()
    return somebody


Asker = Annotated[Signed, Depends(_user)]
"""Who is signed in; 401 for nobody."""
