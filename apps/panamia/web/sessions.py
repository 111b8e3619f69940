"""Who sends a request to a sidecar: sessions are only read here. The main service makes, prolongs and ends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from .cookies import token_of
from .database import Db
from .errors import unauthorized
from .identity import SESSIONS, USERS
from .resources import Resources, resources_of
from .settings import WebSettings


@dataclass(frozen=True)
class Signed:
    """Who is signed in.

    Attributes:
        id: Of the user.
        screenname: None while none is chosen.
    """

    id: str
    screenname: str | None


async def who(db: AsyncSession, token: str) -> Signed | None:
    """Return who has a session; None where it is unknown, is over, or its user is locked. Writes nothing.

    Only columns that a sidecar may read are asked for.
    """
    user, session = USERS.c, SESSIONS.c
    query = sa.select(user.id, user.screenname).join_from(USERS, SESSIONS, session.user_id == user.id)
    query = query.where(
        session.session_token == token, session.expires > sa.func.clock_timestamp(), user.locked_at.is_(None)
    )
    found = (await db.execute(query)).one_or_none()
    return Signed(found.id, found.screenname) if found is not None else None


async def _somebody(
    request: Request, resources: Annotated[Resources[WebSettings], Depends(resources_of)], db: Db
) -> Signed | None:
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
