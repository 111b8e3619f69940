"""Mail that is owed, in the database: taken for a while, settled, given up, and taken up again.

Whoever takes a mail moves the time at which it is due, and commits before sending. So no transaction is open while a
mail server is waited for, two workers never take the same mail, any pooler will do, and a worker that dies in between
leaves a mail that is due again when the time is over. It is sent at least once: twice, with the same Message-ID, where
the worker dies after the server took the mail and before that is written down.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import Notification, NotificationMail, User
from ...web.people import GONE
from .letters import Owed

TAKEN_FOR = datetime.timedelta(minutes=10)
"""How long a mail is left to whoever took it; sending one takes less."""
MOST_TRIES = 12
"""Then it is given up: about a day behind the first one."""


async def take(db: AsyncSession) -> Owed | None:
    """Take the mail that is due longest and nobody has; None where nothing is. The caller commits before sending."""
    mail, about = NotificationMail, Notification
    query = (
        sa.select(mail, about, User.email, User.locked_at, User.notification_preferences)
        .join(about, mail.notification_id == about.id)
        .join(User, about.target == User.id)
        .where(mail.due_at <= sa.func.now(), mail.given_up_at.is_(None))
        .order_by(mail.due_at)
        .limit(1)
        .with_for_update(skip_locked=True, of=mail)
    )
    found = (await db.execute(query)).one_or_none()
    if found is None:
        return None
    row, told = found[0], found[1]
    row.tries += 1
    row.due_at = sa.func.now() + TAKEN_FOR
    await db.flush()
    sent, of_actor = await _sent_today(db, told.target, told.actor)
    return Owed(
        told.id,
        row.tries,
        found.email,
        found.locked_at is not None,
        found.notification_preferences,
        told.email_preference_key,
        told.type,
        told.context,
        told.actor_screenname,
        told.actor_name if told.actor is not None else GONE,
        told.object_title,
        told.object_url,
        told.message,
        told.read,
        told.expires_at,
        sent,
        of_actor,
    )


async def _sent_today(db: AsyncSession, target: str, actor: str | None) -> tuple[int, int]:
    """Return how many mails somebody got in the last 24 hours, and how many of them one actor set off: nobody, none.

    Two workers at one moment do not see what the other is sending, so it may be a few more than are allowed.
    """
    by_actor = sa.false() if actor is None else Notification.actor == actor
    counted = sa.select(sa.func.count(), sa.func.count().filter(by_actor))
    since = sa.func.now() - datetime.timedelta(days=1)
    found = await db.execute(counted.where(Notification.target == target, Notification.email_sent_at > since))
    sent, of_actor = found.one()
    return sent, of_actor


async def settle(db: AsyncSession, notification: str, *, sent: bool) -> None:
    """Owe a mail no longer: it was sent, or is not to be."""
    if sent:
        told = {"email_sent": True, "email_sent_at": sa.func.now()}
        await db.execute(sa.update(Notification).where(Notification.id == notification).values(told))
    await db.execute(sa.delete(NotificationMail).where(NotificationMail.notification_id == notification))


async def put_off(db: AsyncSession, owed: Owed, failure: str, pause: datetime.timedelta) -> None:
    """Let a mail that could not be sent be due again in a while, unless somebody else has it by now."""
    await _of_this_try(db, owed, {"failure": failure, "due_at": sa.func.now() + pause})


async def give_up(db: AsyncSession, owed: Owed, failure: str) -> None:
    """Try a mail no longer; it stays, with why."""
    await _of_this_try(db, owed, {"failure": failure, "given_up_at": sa.func.now()})


async def _of_this_try(db: AsyncSession, owed: Owed, values: dict[str, object]) -> None:
    mine = NotificationMail.notification_id == owed.notification, NotificationMail.tries == owed.tries
    await db.execute(sa.update(NotificationMail).where(*mine).values(values))


async def take_up_again(db: AsyncSession) -> int:
    """Let all mail that was given up be due now, as if it had not been tried; return how much it is."""
    values = {"given_up_at": None, "tries": 0, "due_at": sa.func.now()}
    some = sa.update(NotificationMail).where(NotificationMail.given_up_at.is_not(None)).values(values)
    return len((await db.execute(some.returning(NotificationMail.notification_id))).all())


@dataclass(frozen=True)
class Standing:
    """How much mail is owed.

    Attributes:
        waiting: That is, or will be, due.
        failing: Those of it that failed before.
        given_up: That is tried no longer.
        oldest_seconds: How long the one that waits longest has waited; 0 where none does.
        failures: Why mail was given up, with how often.
    """

    waiting: int
    failing: int
    given_up: int
    oldest_seconds: float
    failures: dict[str, int]


async def standing(db: AsyncSession) -> Standing:
    """Return how much mail is owed; writes nothing."""
    mail = NotificationMail
    waits = mail.given_up_at.is_(None)
    age = sa.func.extract("epoch", sa.func.now() - sa.func.min(mail.created_at).filter(waits))
    counted = sa.select(
        sa.func.count().filter(waits),
        sa.func.count().filter(waits, mail.failure.is_not(None)),
        sa.func.count().filter(~waits),
        sa.func.coalesce(age, 0),
    )
    waiting, failing, given_up, oldest = (await db.execute(counted.select_from(mail))).one()
    why = sa.select(sa.func.coalesce(mail.failure, "?"), sa.func.count()).where(~waits).group_by(mail.failure)
    failures = dict((await db.execute(why.order_by(mail.failure))).tuples().all())
    return Standing(waiting, failing, given_up, round(float(oldest), 3), failures)
