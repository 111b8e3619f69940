"""Sessions in the database: made at sign-in, prolonged while they are used, gone at sign-out."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import Session, User
from ..addresses import fold

_PROLONGED_AFTER = datetime.timedelta(days=1)
"""A session that is used is prolonged once a day, not with every request."""


@dataclass(frozen=True)
class Signed:
    """Who is signed in.

    Attributes:
        id: Of the user.
        email: In lower case.
        screenname: None while none is chosen.
        role: As stored; it gives no right.
        is_admin: Whether the address is one of ADMIN_EMAILS, and proven.
        expires: When the session ends unless it is used.
        prolonged: Whether this request prolonged it.
    """

    id: str
    email: str
    email_verified: datetime.datetime | None
    screenname: str | None
    role: str
    is_admin: bool
    expires: datetime.datetime
    prolonged: bool = False


async def make_session(db: AsyncSession, user_id: str, days: int) -> str:
    """Make a session of a user, and return its token."""
    token = str(uuid.uuid4())
    db.add(Session(session_token=token, user_id=user_id, expires=_now() + datetime.timedelta(days=days)))
    await db.flush()
    return token


async def who(db: AsyncSession, token: str, admins: tuple[str, ...], days: int) -> Signed | None:
    """Return who has a session; None where it is unknown, is over, or its user is locked."""
    now = _now()
    query = sa.select(Session.expires, User).join(Session.user)
    query = query.where(Session.session_token == token, Session.expires > now, User.locked_at.is_(None))
    found = (await db.execute(query)).one_or_none()
    if found is None:
        return None
    expires, user = found[0], found[1]
    until = now + datetime.timedelta(days=days)
    prolonged = until - expires > _PROLONGED_AFTER
    if prolonged:
        # skipped where another request does it this moment
        await db.execute(
            sa.update(Session).where(Session.session_token == token, Session.expires == expires).values(expires=until)
        )
    email = fold(user.email)
    return Signed(
        user.id,
        email,
        user.email_verified,
        user.screenname,
        user.role,
        user.email_verified is not None and email in admins,
        until if prolonged else expires,
        prolonged,
    )


async def end_session(db: AsyncSession, token: str) -> None:
    """End a session; one that is gone already is fine."""
    await db.execute(sa.delete(Session).where(Session.session_token == token))


async def end_all_sessions(db: AsyncSession, user_id: str) -> int:
    """End every session of a user, and return how many there were."""
    gone = await db.execute(sa.delete(Session).where(Session.user_id == user_id).returning(Session.user_id))
    return len(gone.all())


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
