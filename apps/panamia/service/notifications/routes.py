"""What somebody is told: listed, counted, marked as read, deleted; and which of it comes by mail."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from ...models.enums import NotificationActivityType, NotificationContext, NotificationObjectType
from ...web.bodies import Input, Output
from ...web.cursors import Cursor, cursor_of
from ...web.database import Db
from ...web.errors import bad, not_found
from ...web.inputs import LARGEST, Key
from ...web.people import GONE
from ..auth.current import User
from . import listing, preferences
from .links import sound_link
from .words import display_message

router = APIRouter(prefix="/api/notifications", tags=["notifications"])
_MOST = 100
"""Notifications of a page."""


class Shown(Output):
    """A notification; names and titles are as they were when it was made."""

    id: str
    type: NotificationActivityType
    context: NotificationContext
    actor: str | None = Field(description="null: gone since, or nobody did it")
    actor_screenname: str | None
    actor_name: str | None
    object: str | None
    object_type: NotificationObjectType | None
    object_title: str | None
    object_url: str | None = Field(description="a path of the site, or a whole link to a service beside it")
    message: str | None
    read: bool
    read_at: datetime.datetime | None
    created_at: datetime.datetime
    display_message: str


class Listed(Output):
    """A page of notifications, newest first; `nextCursor` leads to the one behind it."""

    notifications: list[Shown]
    total: int
    has_more: bool
    next_cursor: str | None


class Count(Output):
    """How many."""

    count: int


class Marked(Output):
    """A notification that is read now; `alreadyRead` says that it was before, and `readAt` since when."""

    id: str
    read: bool = True
    read_at: datetime.datetime | None
    already_read: bool


class MarkedAll(Output):
    """How many were marked."""

    marked_count: int


class Choices(Output):
    """Which mail somebody wants."""

    coauthor_invites: bool
    review_requests: bool
    article_published: bool
    article_replies: bool
    revision_needed: bool
    mentoring_requests: bool
    system_announcements: bool
    bookings: bool


class ChoicesInput(Input):
    """What is to change; a choice that is not named stays."""

    coauthor_invites: bool | None = None
    review_requests: bool | None = None
    article_published: bool | None = None
    article_replies: bool | None = None
    revision_needed: bool | None = None
    mentoring_requests: bool | None = None
    system_announcements: bool | None = None
    bookings: bool | None = None


@router.get("")
async def list_notifications(
    user: User,
    db: Db,
    limit: Annotated[int, Query(ge=1, le=LARGEST, description=f"{_MOST} at most; more are taken for so many")] = 20,
    offset: Annotated[int, Query(ge=0, le=LARGEST, description="how many are passed over")] = 0,
    cursor: Annotated[str | None, Query(max_length=100, description="the `nextCursor` of the page before")] = None,
    unread_only: Annotated[bool, Query(alias="unreadOnly")] = False,
    context: Annotated[NotificationContext | None, Query()] = None,
) -> Listed:
    """List the notifications of whoever asks, newest first. What has expired is neither shown nor counted.

    By `cursor` no notification is shown twice or passed over when others come in meanwhile; by `offset` one may be.
    """
    if cursor is not None and offset:
        raise bad("A page begins at a cursor or at an offset, not at both", "cursor")
    behind = cursor_of(cursor)
    if behind is not None and behind.at is None:
        raise bad("The cursor is none that was given", "cursor")
    wanted = listing.Wanted(unread_only, context)
    page = await listing.page_of(db, user.id, wanted, min(limit, _MOST), offset=offset, behind=behind)
    shown = [_shown(one) for one in page.rows]
    following = str(Cursor(page.rows[-1].created_at, page.rows[-1].id)) if page.has_more else None
    return Listed(notifications=shown, total=page.total, has_more=page.has_more, next_cursor=following)


def _shown(told: listing.Told) -> Shown:
    sentence = display_message(
        told.type,
        told.context,
        actor_screenname=told.actor_screenname,
        actor_name=told.actor_name if told.actor is not None else GONE,
        object_title=told.object_title,
        message=told.message,
    )
    told = replace(told, object_url=sound_link(told.object_url))
    return Shown(**vars(told), display_message=sentence)


@router.get("/unread-count")
async def unread_count(user: User, db: Db) -> Count:
    """Count the notifications of whoever asks that were not read."""
    return Count(count=await listing.unread_count(db, user.id))


@router.get("/preferences")
async def mail_preferences(user: User, db: Db) -> Choices:
    """Say which mail whoever asks wants: all that was not said no to."""
    return _choices(await preferences.preferences_of(db, user.id))


@router.patch("/preferences")
async def choose_mail(user: User, db: Db, changes: ChoicesInput) -> Choices:
    """Change which mail whoever asks wants."""
    said = changes.model_dump(by_alias=True)
    named: dict[preferences.PreferenceKey, bool] = {key: said[key] for key in preferences.KEYS if said[key] is not None}
    return _choices(await preferences.choose(db, user.id, named))


def _choices(chosen: dict[preferences.PreferenceKey, bool]) -> Choices:
    return Choices.model_validate(chosen)


@router.post("/mark-all-read")
async def mark_all_read(user: User, db: Db) -> MarkedAll:
    """Mark all notifications of whoever asks as read."""
    return MarkedAll(marked_count=await listing.mark_all_read(db, user.id))


@router.post("/{notification}/read")
async def mark_read(notification: Key, user: User, db: Db) -> Marked:
    """Mark a notification as read, once: doing it again changes nothing, and says so."""
    marked = await listing.mark_read(db, user.id, notification)
    if marked is None:
        raise not_found("Notification")
    return Marked(id=notification, read_at=marked.read_at, already_read=marked.already)


@router.delete("/{notification}", status_code=204)
async def delete(notification: Key, user: User, db: Db) -> None:
    """Delete a notification."""
    if not await listing.remove(db, user.id, notification):
        raise not_found("Notification")
