"""Changes of an address: asked for by whoever is signed in, done by whoever gets the mail at the new one.

The user, the sessions and the token change in one transaction, and with them what is to become of the profile: its row,
or, where profiles live in MongoDB, an event of the outbox. So whatever ends the service, all of it happens or nothing.

Whoever asks is not told whether somebody has the new address, or wants it: a change waits in any case, and only the
mail, which goes to the address itself, says which it is.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import EmailMigration, MentorSession, User
from ...web.errors import RefusedError, bad
from ..addresses import fold
from ..mentoring.addresses import SIDES, address_of, user_of, with_address
from ..people import is_address
from ..resources import Resources
from .links import void_links
from .profile_address import is_of_another_profile, move_profile
from .sessions import end_all_sessions
from .tokens import MINUTES, hash_of, new_short_token

_UNIQUE = "23505"


@dataclass(frozen=True)
class Asked:
    """A change that waits for its mail to be answered.

    Attributes:
        id: Of its row.
        token: What the mail holds; a secret. None: the address is somebody's, and the mail holds none.
    """

    id: str
    token: str | None = field(repr=False)


@dataclass(frozen=True)
class Changed:
    """A change that was made."""

    user_id: str
    old: str
    new: str


async def ask_for_change(resources: Resources, db: AsyncSession, user_id: str, new: str) -> Asked:
    """Let a change wait for the answer to a mail to the new address.

    Args:
        new: Folded.

    Raises:
        RefusedError: 400: it is the address already, or a change of this user waits (codes `email-same`,
            `change-pending`).
        MongoAwayError: Whether it is a profile's cannot be known.
    """
    user = await _held(db, user_id)
    old = fold(user.email)
    if new == old:
        raise bad("This is your address already", "email-same")
    mine = EmailMigration.user_id == user_id
    await db.execute(sa.delete(EmailMigration).where(mine, EmailMigration.expires_at <= sa.func.now()))
    if (await db.execute(sa.select(EmailMigration.id).where(mine))).first() is not None:
        raise bad("A change of your address waits for its confirmation already", "change-pending")
    of_profile = await is_of_another_profile(resources, db, user_id, new)  # asked in any case: nobody learns by a 503
    is_taken = await _has_user(db, new) or of_profile
    token = new_short_token()
    row = EmailMigration(
        user_id=user_id,
        old_email=old,
        new_email=new,
        migration_token=hash_of(token, resources.settings.auth_secret.get_secret_value()),
        expires_at=datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=MINUTES),
    )
    db.add(row)
    await db.flush()
    return Asked(row.id, None if is_taken else token)


async def forget_change(resources: Resources, change: str) -> None:
    """Let a change wait no more, for its mail was not sent; in a transaction of its own."""
    async with resources.sessions.begin() as db:
        await db.execute(sa.delete(EmailMigration).where(EmailMigration.id == change))


async def change_address(resources: Resources, db: AsyncSession, token: str) -> Changed | None:
    """Give a user the new address, end all sessions, void old links, move the profile along, and delete the token.

    Returns:
        What was done; None where the token has expired. Then it is deleted, so commit.

    Raises:
        RefusedError: 400: the token is none, or no longer that of the user's address (`token-invalid`); the address is
            somebody's by now (`email-in-use`). 403: the user is locked. 503: profiles are being switched over.
        MongoAwayError: Which profile it is cannot be known now. The token stays good.
    """
    digest = hash_of(token, resources.settings.auth_secret.get_secret_value())
    gone = sa.delete(EmailMigration).where(EmailMigration.migration_token == digest).returning(EmailMigration)
    found = (await db.execute(gone)).scalar_one_or_none()
    if found is None:
        raise bad("This link was used before, or is none", "token-invalid")
    if found.expires_at <= datetime.datetime.now(datetime.UTC):
        return None
    user = await _held(db, found.user_id)
    old, new = fold(user.email), fold(found.new_email)
    if old != fold(found.old_email):
        raise bad("Your address was changed since; ask again", "token-invalid")
    was_proven = user.email_verified is not None
    user.email, user.email_verified = new, datetime.datetime.now(datetime.UTC)
    try:
        await db.flush()
    except IntegrityError as fault:
        if getattr(fault.orig, "sqlstate", None) != _UNIQUE:
            raise
        raise _in_use() from None
    await end_all_sessions(db, user.id)
    await void_links(db, old)
    await _keep_mentor_sessions(db, user.id, old if was_proven else None, new)
    if not await move_profile(resources, db, user.id, old if was_proven else None, new):
        raise _in_use()
    return Changed(user.id, old, new)


def _in_use() -> RefusedError:
    return bad("This address is in use", "email-in-use")


async def _held(db: AsyncSession, user_id: str) -> User:
    """Return a user whom nobody changes or deletes until the transaction ends."""
    query = sa.select(User).where(User.id == user_id).with_for_update(key_share=True)
    user = (await db.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()
    if user is None:
        raise bad("This link was used before, or is none", "token-invalid")
    if user.locked_at is not None:
        raise RefusedError(403, "This account is locked", "locked")
    return user


async def _keep_mentor_sessions(db: AsyncSession, user_id: str, old: str | None, new: str) -> None:
    """Write the user into sessions of mentoring that knew the old address alone, and the new address into all.

    Args:
        old: None where it was not proven: then what knows it alone may be somebody else's.
    """
    for side in SIDES:
        person, mine = user_of(side), user_of(side) == user_id
        if old is not None:
            mine = sa.or_(mine, sa.and_(person.is_(None), is_address(address_of(side), old)))
        changed = sa.update(MentorSession).where(mine).values({person: user_id, **with_address(side, new)})
        await db.execute(changed, execution_options={"synchronize_session": False})


async def _has_user(db: AsyncSession, email: str) -> bool:
    query = sa.select(User.id).where(is_address(User.email, email))
    return (await db.execute(query)).first() is not None
