"""What the two people of a mentoring session get of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import MentorSession, User
from ...models.enums import SessionStatus, SessionType
from ...web.bodies import Output
from ...web.people import FORMER, Person, shown
from ..addresses import fold
from .rules import Asker, Side, side_of


class SessionView(Output):
    """A session, as one of the two sees it. Addresses are nobody's business, the other one's neither.

    `sessionId` is the realtime channel; `sessionType` is null of sessions from before there were types.
    """

    id: str
    session_id: str
    scheduled_at: datetime.datetime
    duration: int
    topic: str
    session_type: SessionType | None
    status: SessionStatus
    you: Side
    mentor: Person
    mentee: Person
    notes: str | None
    completed_at: datetime.datetime | None
    cancelled_at: datetime.datetime | None
    cancelled_by: Side | None
    cancel_reason: str | None
    declined_at: datetime.datetime | None
    decline_reason: str | None
    created_at: datetime.datetime
    updated_at: datetime.datetime


class SessionPage(Output):
    """Sessions, and where the next page begins; null behind the last one."""

    sessions: list[SessionView]
    next: str | None


_SAME = frozenset(SessionView.model_fields) - {"you", "mentor", "mentee", "cancelled_by"}


async def views(db: AsyncSession, sessions: Sequence[MentorSession], asker: Asker) -> list[SessionView]:
    """Return sessions as one of their people sees them, in the same order."""
    by_email = await users_by_email(db, [email for one in sessions for email in _unlinked(one)])
    ids = [key for one in sessions for key in (one.mentor_user_id, one.mentee_user_id)]
    people = await shown(db, [*ids, *by_email.values()])

    def person(user: str | None, email: str) -> Person:
        return people.get(user or by_email.get(fold(email), ""), FORMER)

    return [
        SessionView(
            **{name: getattr(one, name) for name in _SAME},
            you=side_of(one, asker) or "mentee",
            mentor=person(one.mentor_user_id, one.mentor_email),
            mentee=person(one.mentee_user_id, one.mentee_email),
            cancelled_by=_canceller(one),
        )
        for one in sessions
    ]


async def users_by_email(db: AsyncSession, emails: Sequence[str]) -> Mapping[str, str]:
    """Return who has proven to have these addresses: the address in lower case → the id."""
    wanted = {fold(one) for one in emails}
    if not wanted:
        return {}
    folded = sa.func.lower(User.email)
    query = sa.select(folded.label("address"), User.id).where(folded.in_(wanted), User.email_verified.is_not(None))
    return {row.address: row.id for row in await db.execute(query)}


def _unlinked(session: MentorSession) -> list[str]:
    pairs = ((session.mentor_user_id, session.mentor_email), (session.mentee_user_id, session.mentee_email))
    return [email for user, email in pairs if user is None]


def _canceller(session: MentorSession) -> Side | None:
    """Return which side an address was; None for whoever was neither, as carried sessions have it."""
    email = fold(session.cancelled_by or "")
    if email == fold(session.mentor_email):
        return "mentor"
    return "mentee" if email == fold(session.mentee_email) else None
