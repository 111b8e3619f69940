"""Who sends a request, as routes ask for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from ...web.cookies import token_of
from ...web.database import Db
from ...web.errors import forbidden, unauthorized
from ..resources import Open
from .cookie import set_cookie
from .sessions import Signed, who


async def _somebody(request: Request, response: Response, resources: Open, db: Db) -> Signed | None:
    settings = resources.settings
    token = token_of(request.cookies, is_secure=settings.is_secure)
    if token is None:
        return None
    signed = await who(db, token, settings.admin_emails, settings.session_days)
    if signed is not None and signed.prolonged:
        set_cookie(response, settings, token)
    return signed


Somebody = Annotated[Signed | None, Depends(_somebody)]
"""Who is signed in; None for nobody."""


async def _user(somebody: Somebody) -> Signed:
    if somebody is None:
        raise unauthorized()
    return somebody


User = Annotated[Signed, Depends(_user)]
"""Who is signed in; 401 for nobody."""


async def _admin(user: User) -> Signed:
    if not user.is_admin:
        raise forbidden()
    return user


Admin = Annotated[Signed, Depends(_admin)]
"""An admin who is signed in; 401 for nobody, 403 for anybody else."""
