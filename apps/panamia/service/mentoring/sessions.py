"""Mentoring sessions asked for, answered, cancelled and completed; the other one is told in the same transaction."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import MentorSession, User
from ...web.errors import RefusedError, bad, not_found
from ..addresses import fold
from ..auth.sessions import Signed
from ..notifications.emit import Event, SessionRef, notify
from ..people import find, stay
from ..profiles.document import read_profile
from ..profiles.where import reading
from ..resources import Resources
from .bodies import SessionRequest
from .rules import (
    Standing,
    may_answer,
    may_cancel,
    may_complete,
    may_note,
    may_see,
    side_of,
)
from .views import users_by_email

_CHANNEL_BYTES = 12
"""Of the name of a realtime channel: 16 characters, as all have."""


async def ask(db: AsyncSession, resources: Resources, mentee: Signed, wanted: SessionRequest) -> MentorSession:
    """Ask a mentor for an hour.

    Raises:
        RefusedError: There is no such person (404), it is oneself (400, code `own-session`), or somebody who is no
            mentor (400, code `no-mentor`).
        MongoAwayError: Profiles live in MongoDB, which does not answer.
    """
    mentor = await find(db, wanted)
    if mentor == mentee.id:
        raise bad("Nobody is their own mentor", "own-session")
    if not await _is_mentor(db, resources, mentor):
        raise bad("This person is no mentor", "no-mentor")
    await stay(db, mentee.id)
    email = (await db.execute(sa.select(User.email).where(User.id == mentor))).scalar_one()
    session = MentorSession(
        mentor_email=fold(email),
        mentee_email=mentee.email,
        mentor_user_id=mentor,
        mentee_user_id=mentee.id,
        session_id=secrets.token_urlsafe(_CHANNEL_BYTES),
        scheduled_at=wanted.scheduled_at,
        duration=wanted.duration,
        topic=wanted.topic,
        session_type=wanted.session_type,
    )
    db.add(session)
    await db.flush()
    await notify(db, "mentoring-requested", mentee.id, [mentor], session=_reference(session))
    return session


async def read(db: AsyncSession, asker: Signed, key: str) -> MentorSession:
    """Return a session of one's own.

    Raises:
        RefusedError: It is not there, or not for this person to know of (404).
    """
    session = (await db.execute(sa.select(MentorSession).where(MentorSession.id == key))).scalar_one_or_none()
    return _judged(session, asker, may_see)


async def accept(db: AsyncSession, mentor: Signed, key: str) -> MentorSession:
    """Agree on it.

    Raises:
        RefusedError: It may not be.
    """
    session = _judged(await _held(db, key), mentor, may_answer)
    session.status = "scheduled"
    await _tell(db, "mentoring-accepted", session, mentor)
    return session


async def decline(db: AsyncSession, mentor: Signed, key: str, reason: str) -> MentorSession:
    """Say no, and why.

    Raises:
        RefusedError: It may not be.
    """
    session = _judged(await _held(db, key), mentor, may_answer)
    session.status = "declined"
    session.declined_at, session.declined_by, session.decline_reason = _now(), session.mentor_email, reason
    await _tell(db, "mentoring-declined", session, mentor, reason)
    return session


async def cancel(db: AsyncSession, asker: Signed, key: str, reason: str) -> MentorSession:
    """Call it off, and say why.

    Raises:
        RefusedError: It may not be.
    """
    session = _judged(await _held(db, key), asker, may_cancel)
    session.status = "cancelled"
    by = session.mentor_email if side_of(session, asker) == "mentor" else session.mentee_email
    session.cancelled_at, session.cancelled_by, session.cancel_reason = _now(), by, reason
    await _tell(db, "mentoring-cancelled", session, asker, reason)
    return session


async def complete(db: AsyncSession, asker: Signed, key: str, notes: str | None) -> MentorSession:
    """Say that it took place. Nobody is told: both were there.

    Raises:
        RefusedError: It may not be.
    """
    session = _judged(await _held(db, key), asker, may_complete)
    session.status, session.completed_at = "completed", _now()
    if notes is not None:
        session.notes = notes
    await db.flush()
    return session


async def note(db: AsyncSession, asker: Signed, key: str, notes: str) -> MentorSession:
    """Write down what both want to remember, in place of what was there.

    Raises:
        RefusedError: It may not be.
    """
    session = _judged(await _held(db, key), asker, may_note)
    session.notes = notes
    await db.flush()
    return session


async def _is_mentor(db: AsyncSession, resources: Resources, user: str) -> bool:
    async with reading(resources, db) as profiles:
        found = await profiles.of_user(user)
    return found is not None and read_profile(found).mentoring.enabled


async def _held(db: AsyncSession, key: str) -> MentorSession | None:
    query = sa.select(MentorSession).where(MentorSession.id == key).with_for_update()
    return (await db.execute(query)).scalar_one_or_none()


def _judged(
    session: MentorSession | None, asker: Signed, rule: Callable[[Standing], RefusedError | None]
) -> MentorSession:
    if session is None:
        raise not_found("Session")
    refused = rule(Standing(session.status, side_of(session, asker)))
    if refused is not None:
        raise refused
    return session


async def _tell(
    db: AsyncSession, event: Event, session: MentorSession, actor: Signed, message: str | None = None
) -> None:
    """Write what was changed, and tell the other one, who may be known by the address alone."""
    await db.flush()
    if side_of(session, actor) == "mentor":
        other, email = session.mentee_user_id, session.mentee_email
    else:
        other, email = session.mentor_user_id, session.mentor_email
    if other is None:
        other = (await users_by_email(db, [email])).get(fold(email))
    await notify(db, event, actor.id, [other], session=_reference(session), message=message)


def _reference(session: MentorSession) -> SessionRef:
    return SessionRef(session.id, session.topic)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
