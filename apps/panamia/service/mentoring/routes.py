"""Mentoring sessions, from the request to the notes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import MentorSession
from ...models.enums import SessionStatus
from ...web.cursors import cursor_of
from ...web.database import Db
from ...web.inputs import Key, up_to
from ..auth.current import User
from ..auth.sessions import Signed
from ..resources import Open
from . import listing, sessions
from .bodies import Because, Completion, Noted, SessionRequest
from .listing import MOST
from .rules import Side
from .views import SessionPage, SessionView, views

router = APIRouter(prefix="/api/mentoring/sessions", tags=["mentoring"])


@router.get("")
async def own(
    user: User,
    db: Db,
    side: Annotated[Side | None, Query(description="what somebody is in them; default: either")] = None,
    status: Annotated[SessionStatus | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before")] = None,
    limit: Annotated[int, up_to(MOST, "sessions")] = MOST,
) -> SessionPage:
    """List one's own sessions by their hour, the latest first."""
    after = cursor_of(cursor)
    return await listing.of_person(db, user, side=side, status=status, after=after, limit=min(limit, MOST))


@router.post("", status_code=201)
async def ask(body: SessionRequest, user: User, resources: Open, db: Db) -> SessionView:
    """Ask a mentor for an hour."""
    return await _view(db, await sessions.ask(db, resources, user, body), user)


@router.get("/{key}")
async def read(key: Key, user: User, db: Db) -> SessionView:
    """Read a session: its two people."""
    return await _view(db, await sessions.read(db, user, key), user)


@router.post("/{key}/accept")
async def accept(key: Key, user: User, db: Db) -> SessionView:
    """Agree on a session that was asked for: its mentor."""
    return await _view(db, await sessions.accept(db, user, key), user)


@router.post("/{key}/decline")
async def decline(key: Key, body: Because, user: User, db: Db) -> SessionView:
    """Decline a session that was asked for: its mentor, with a reason."""
    return await _view(db, await sessions.decline(db, user, key, body.reason), user)


@router.post("/{key}/cancel")
async def cancel(key: Key, body: Because, user: User, db: Db) -> SessionView:
    """Call a session off: either of the two, with a reason."""
    return await _view(db, await sessions.cancel(db, user, key, body.reason), user)


@router.post("/{key}/complete")
async def complete(key: Key, body: Completion, user: User, db: Db) -> SessionView:
    """Say that a session took place: either of the two."""
    return await _view(db, await sessions.complete(db, user, key, body.notes), user)


@router.put("/{key}/notes")
async def note(key: Key, body: Noted, user: User, db: Db) -> SessionView:
    """Write the notes of a session: either of the two; both see them."""
    return await _view(db, await sessions.note(db, user, key, body.notes), user)


async def _view(db: AsyncSession, session: MentorSession, asker: Signed) -> SessionView:
    return (await views(db, [session], asker))[0]
