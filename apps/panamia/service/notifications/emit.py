"""The one way to make a notification: in the transaction of what it reports, so that both are there or neither is."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from isthmus.polyglot.switch import look

from ...models import Notification, NotificationMail, Profile, User
from ...models.ids import new_id
from ..profiles.stores import COLLECTION
from .asking import QUESTIONS, count_questions
from .events import COLUMNS, KINDS, ArticleRef, Event, ObjectRef, ProfileRef, SessionRef, expiry

__all__ = ["ArticleRef", "Event", "ProfileRef", "SessionRef", "notify"]


async def notify(
    db: AsyncSession,
    event: Event,
    actor: str,
    targets: Iterable[str | None],
    *,
    article: ArticleRef | None = None,
    session: SessionRef | None = None,
    profile: ProfileRef | None = None,
    message: str | None = None,
) -> None:
    """Tell people what somebody did: one row for each of them, in the caller's transaction.

    Nobody is told of what they did themselves, nobody is told twice, and whoever is gone or locked is passed over; so
    is everybody where the actor is gone. What the actor is called is kept as it is now: the screen name, and the name
    of the profile where profiles stand in PostgreSQL and everybody may see it. MongoDB is not asked. The name of the
    user is nobody's business: it is what a provider of sign-in calls the person.

    Their rows of `users` are held until the transaction ends, so that nobody vanishes before it.

    Args:
        db: The transaction of what is reported. Nothing is committed here.
        event: What was done.
        actor: Who did it, an id of users.
        targets: Who is told, ids of users; None and repeated ones are passed over.
        article: What was done it to; one of the three at most.
        session: As `article`.
        profile: As `article`.
        message: What the actor wrote to them, or why; a blank one is none.

    Raises:
        ValueError: Two objects are given.
        RefusedError: 429: it is a question, and the actor has asked too many today (`asking`).
        sqlalchemy.exc.IntegrityError: The object is no row (any more).
    """
    about: list[ObjectRef] = [one for one in (article, session, profile) if one is not None]
    if len(about) > 1:
        raise ValueError("a notification is about one object at most")
    wanted = {one for one in targets if one is not None and one != actor}
    if not wanted:
        return
    people = await _people(db, {actor, *wanted})
    told = sorted(one for one in wanted if one in people and not people[one].locked)
    if actor not in people or not told:
        return
    kind = KINDS[event]
    values: dict[str, object] = {
        "type": kind.type,
        "context": kind.context,
        "actor": actor,
        "actor_screenname": people[actor].screenname,
        "actor_name": await _public_name(db, actor),
        "message": (message or "").strip() or None,
        "email_preference_key": kind.preference,
        "expires_at": expiry(kind.type, kind.context, datetime.datetime.now(datetime.UTC)),
    }
    for one in about:
        values |= {
            "object_type": one.object_type,
            COLUMNS[one.object_type]: one.id,
            "object_title": one.title,
            "object_url": one.url,
        }
    made = [Notification(id=new_id(), target=target, **values) for target in told]
    db.add_all(made)
    if kind.preference is not None:
        db.add_all(NotificationMail(notification=one) for one in made)
    await db.flush()
    if event in QUESTIONS:
        await count_questions(db, actor, told)


@dataclass(frozen=True)
class _Person:
    """What a notification needs of a user."""

    screenname: str | None
    locked: bool


async def _people(db: AsyncSession, ids: set[str]) -> dict[str, _Person]:
    """Return those who are there, in the order of their ids, which keeps two who tell each other from waiting."""
    query = sa.select(User.id, User.screenname, User.locked_at).where(User.id.in_(ids)).order_by(User.id)
    rows = await db.execute(query.with_for_update(key_share=True, read=True))
    return {row.id: _Person(row.screenname, row.locked_at is not None) for row in rows}


async def _public_name(db: AsyncSession, user: str) -> str | None:
    """Return the name on somebody's page of the directory; None where there is none, or it stands in MongoDB."""
    shown = sa.select(Profile.name).where(Profile.user_id == user, Profile.active)
    name = ((await db.execute(shown)).scalar_one_or_none() or "").strip()
    # a row may be older than what MongoDB has
    return name if name and (await look(db, COLLECTION)).home == "postgres" else None
