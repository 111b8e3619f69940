"""The notifications of one person: a page of them, how many there are, and what the person does with them.

Every statement names whose they are. What has expired is not there, for any of them.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import Notification
from ...models.enums import NotificationActivityType, NotificationContext, NotificationObjectType
from ...web.cursors import Cursor


@dataclass(frozen=True)
class Told:
    """A notification as its reader sees it; names and titles are as they were when it was made."""

    id: str
    type: NotificationActivityType
    context: NotificationContext
    actor: str | None
    actor_screenname: str | None
    actor_name: str | None
    object: str | None
    object_type: NotificationObjectType | None
    object_title: str | None
    object_url: str | None
    message: str | None
    read: bool
    read_at: datetime.datetime | None
    created_at: datetime.datetime


@dataclass(frozen=True)
class Wanted:
    """Which notifications are meant.

    Attributes:
        unread: Only those that were not read.
        context: Only those of one; None: all.
    """

    unread: bool = False
    context: NotificationContext | None = None


@dataclass(frozen=True)
class Page:
    """Some of them, newest first.

    Attributes:
        total: How many there are on all pages.
        has_more: Whether there are others behind these.
    """

    rows: list[Told]
    total: int
    has_more: bool


@dataclass(frozen=True)
class Marked:
    """A notification that is read now.

    Attributes:
        read_at: When it was read first; None of a carried one that does not say so.
        already: Whether it was read before.
    """

    read_at: datetime.datetime | None
    already: bool


_SHOWN = [getattr(Notification, name) for name in Told.__dataclass_fields__]


def _own(user: str, wanted: Wanted = Wanted()) -> sa.ColumnElement[bool]:
    live = sa.or_(Notification.expires_at.is_(None), Notification.expires_at > sa.func.now())
    some = sa.and_(Notification.target == user, live)
    if wanted.unread:
        some &= Notification.read.is_(sa.false())
    return some if wanted.context is None else some & (Notification.context == wanted.context)


async def page_of(
    db: AsyncSession, user: str, wanted: Wanted, limit: int, *, offset: int = 0, behind: Cursor | None = None
) -> Page:
    """Return some notifications of a user, newest first; of one instant by id, so that no page repeats another.

    Args:
        limit: How many at most.
        offset: How many are passed over.
        behind: Where the page before ended; what was added meanwhile changes nothing then.
    """
    own = _own(user, wanted)
    query = sa.select(*_SHOWN).where(own).order_by(Notification.created_at.desc(), Notification.id.desc())
    if behind is not None:
        query = query.where(behind.before(Notification.created_at, Notification.id))
    found = (await db.execute(query.limit(limit + 1).offset(offset))).all()
    total = await _count(db, own)
    return Page([Told(*row) for row in found[:limit]], total, len(found) > limit)


async def _count(db: AsyncSession, some: sa.ColumnElement[bool]) -> int:
    return (await db.execute(sa.select(sa.func.count()).select_from(Notification).where(some))).scalar_one()


async def unread_count(db: AsyncSession, user: str) -> int:
    """Return how many notifications of a user were not read."""
    return await _count(db, _own(user, Wanted(unread=True)))


async def mark_read(db: AsyncSession, user: str, key: str) -> Marked | None:
    """Mark one as read, once: when it was read first stays. None where the user has none of this id."""
    this = _own(user) & (Notification.id == key)
    values = {"read": True, "read_at": sa.func.now()}
    marked = sa.update(Notification).where(this, Notification.read.is_(sa.false())).values(values)
    now = (await db.execute(_quietly(marked.returning(Notification.read_at)))).one_or_none()
    if now is not None:
        return Marked(now.read_at, already=False)
    before = (await db.execute(sa.select(Notification.read_at).where(this))).one_or_none()
    if before is None:
        return None
    return Marked(before.read_at, already=True)


async def mark_all_read(db: AsyncSession, user: str) -> int:
    """Mark all unread ones of a user as read, and return how many there were."""
    some = sa.select(Notification.id).where(_own(user, Wanted(unread=True))).order_by(Notification.id)
    values = {"read": True, "read_at": sa.func.now()}
    # In one order, so that two who do it at once wait for each other, and never both.
    held = some.with_for_update().cte("held")
    marked = sa.update(Notification).where(Notification.id.in_(sa.select(held.c.id))).values(values)
    return len((await db.execute(_quietly(marked.returning(Notification.id)))).all())


async def remove(db: AsyncSession, user: str, key: str) -> bool:
    """Delete one of a user; False where there is none."""
    gone = sa.delete(Notification).where(_own(user), Notification.id == key).returning(Notification.id)
    return (await db.execute(_quietly(gone))).one_or_none() is not None


def _quietly(statement: Any) -> Any:
    """Let the session not look for rows that it holds: it holds none."""
    return statement.execution_options(synchronize_session=False)
