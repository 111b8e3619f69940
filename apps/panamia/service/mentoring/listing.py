"""The mentoring sessions of a person, page by page."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from ...models import MentorSession
from ...models.enums import SessionStatus
from ...web.cursors import Cursor
from .rules import Asker, Side
from .views import SessionPage, views

MOST = 50


async def of_person(
    db: AsyncSession,
    asker: Asker,
    *,
    side: Side | None,
    status: SessionStatus | None,
    after: Cursor | None,
    limit: int,
) -> SessionPage:
    """Return somebody's sessions by their hour, the latest first. Addresses are stored folded, so indexes find them."""
    sides: dict[Side, sa.ColumnElement[bool]] = {
        "mentor": _of(MentorSession.mentor_user_id, MentorSession.mentor_email, asker),
        "mentee": _of(MentorSession.mentee_user_id, MentorSession.mentee_email, asker),
    }
    query = sa.select(MentorSession).where(sa.or_(*sides.values()) if side is None else sides[side])
    if status is not None:
        query = query.where(MentorSession.status == status)
    if after is not None:
        query = query.where(after.before(MentorSession.scheduled_at, MentorSession.id))
    query = query.order_by(MentorSession.scheduled_at.desc(), MentorSession.id.desc()).limit(limit + 1)
    found = list((await db.execute(query)).scalars())
    last = Cursor(found[limit - 1].scheduled_at, found[limit - 1].id) if len(found) > limit else None
    return SessionPage(sessions=await views(db, found[:limit], asker), next=str(last) if last else None)


def _of(user: Mapped[str | None], email: Mapped[str], asker: Asker) -> sa.ColumnElement[bool]:
    linked = user == asker.id
    if asker.email_verified is None:
        return linked
    return sa.or_(linked, sa.and_(user.is_(None), email == asker.email))
