"""A browser signs in: its new session takes the place of the one that it had."""

from __future__ import annotations

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.cookies import token_of
from ..settings import Settings
from .sessions import end_session, make_session


async def enter(db: AsyncSession, request: Request, settings: Settings, user_id: str) -> str:
    """Make a session of a user, and return its token for `cookie.set_cookie`.

    The session that the request came with ends: its browser forgets it now, and nobody else is to have it.
    """
    before = token_of(request.cookies, is_secure=settings.is_secure)
    if before is not None:
        await end_session(db, before)
    return await make_session(db, user_id, settings.session_days)
