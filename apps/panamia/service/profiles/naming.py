"""Screen names in the database: whose one is, and how one is taken. Two who want one at once are settled there.

A screen name and a slug lead to the page of a profile, so neither is given that is the other of somebody else.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import ScreennameHistory, User
from ...models.ids import new_id
from ...web.database import one_at_a_time
from ...web.errors import RefusedError, bad, conflict, unauthorized
from ..resources import Resources
from .screennames import changes_again_at, why_not
from .slugs import is_close
from .where import reading

TAKEN = "This screen name is taken"
_NAMES = "panamia.profiles.slug"


@dataclass(frozen=True)
class Named:
    """What somebody is called.

    Attributes:
        screenname: None while nothing is chosen.
        changes_again_at: From when on another one can be chosen; None: at any time.
    """

    screenname: str | None
    changes_again_at: datetime.datetime | None


async def owner_of(db: AsyncSession, name: str) -> str | None:
    """Return whose a screen name is, in capitals or not, now or formerly; None for nobody's."""
    lower = name.lower()
    now = sa.select(User.id).where(sa.func.lower(User.screenname) == lower)
    then = sa.select(ScreennameHistory.user_id).where(sa.func.lower(ScreennameHistory.screenname) == lower)
    for query in (now, then):
        found = (await db.execute(query)).scalar_one_or_none()
        if found is not None:
            return found
    return None


async def screenname_of(db: AsyncSession, user_id: str | None) -> str | None:
    """Return what a user is called; None where they are not, or are not there."""
    return (await db.execute(sa.select(User.screenname).where(User.id == user_id))).scalar_one_or_none()


async def names_of_others(db: AsyncSession, beginning: str, user_id: str) -> set[str]:
    """Return the screen names of others, now or formerly, that are a text, or it and a number; in lower case."""
    found: set[str] = set()
    for column, owner in ((User.screenname, User.id), (ScreennameHistory.screenname, ScreennameHistory.user_id)):
        lower = sa.func.lower(column)
        query = sa.select(lower).where(is_close(lower, beginning), owner != user_id)
        found |= {str(one) for one in (await db.execute(query)).scalars()}
    return found


async def named(db: AsyncSession, user_id: str) -> Named:
    """Return what a user is called, and from when on that may change."""
    query = sa.select(User.screenname, User.last_screenname_change).where(User.id == user_id)
    found = (await db.execute(query)).one_or_none()
    if found is None:
        raise unauthorized()
    return Named(found.screenname, changes_again_at(found.last_screenname_change))


async def name_alone(db: AsyncSession) -> None:
    """Let others who give a profile a slug, or somebody a name, wait until the transaction ends.

    MongoDB has no index that is unique on slugs, and no database one over slugs and names.
    """
    await one_at_a_time(db, _NAMES)


async def leads_to_another(resources: Resources, db: AsyncSession, user_id: str | None, name: str) -> bool:
    """Tell whether a name is the slug of a profile that is not the user's: its page is found by it, shown or not.

    Args:
        resources: What the service has open.
        db: The transaction.
        user_id: Of the user; None for nobody.
        name: As it is written; in lower case it is the same name.

    Raises:
        MongoAwayError: It cannot be known: profiles stand in MongoDB, which does not answer.
    """
    async with reading(resources, db) as profiles:
        for slug in {name, name.lower()}:
            found = await profiles.find({"slug": slug}, limit=2)  # of two one is another's
            if any(user_id is None or one.document.get("userId") != user_id for one in found):
                return True
    return False


async def set_screenname(resources: Resources, db: AsyncSession, user_id: str, wanted: str) -> Named:
    """Call a user by a name. The former one stays theirs: nobody else gets it.

    The first name starts no clock; each further one is kept for 90 days. The same name in other capitals is no other
    name: it is written anew at any time, and nothing is noted.

    Args:
        resources: What the service has open.
        db: The transaction.
        user_id: Who is called so.
        wanted: Trimmed.

    Raises:
        RefusedError: Nobody can have it (400), somebody else has or had it, or a profile with it as its slug (409), or
            it is too early (429).
        MongoAwayError: Whether a profile has it as its slug cannot be known.
    """
    reason = why_not(wanted)
    if reason is not None:
        raise bad(reason, "screenname-invalid")
    query = sa.select(User).where(User.id == user_id).with_for_update(key_share=True)
    user = (await db.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()
    if user is None:
        raise unauthorized()
    former = user.screenname
    if former == wanted:
        return Named(former, changes_again_at(user.last_screenname_change))
    is_same = former is not None and former.lower() == wanted.lower()
    is_other = former is not None and not is_same
    now = datetime.datetime.now(datetime.UTC)
    if is_other:
        _check_time(user.last_screenname_change, now)
        user.last_screenname_change = now
    user.screenname = wanted
    try:
        await db.flush()
    except IntegrityError as fault:
        raise conflict(TAKEN, "screenname-taken") from fault
    # Behind the write: whoever had the name until this moment has kept it in the history by now.
    if await _was_of_other(db, user_id, wanted):
        raise conflict(TAKEN, "screenname-taken")
    if not is_same:
        await name_alone(db)
        if await leads_to_another(resources, db, user_id, wanted):
            raise conflict(TAKEN, "screenname-taken")
    if is_other and former is not None:
        await _keep(db, user_id, former, wanted)
    return Named(wanted, changes_again_at(user.last_screenname_change))


def _check_time(changed_at: datetime.datetime | None, now: datetime.datetime) -> None:
    again_at = changes_again_at(changed_at)
    if again_at is not None and now < again_at:
        raise RefusedError(
            429,
            f"A screen name changes every 90 days at most; yours again from {again_at:%Y-%m-%dT%H:%M:%SZ}",
            "screenname-too-soon",
            {"Retry-After": str(math.ceil((again_at - now).total_seconds()))},
        )


async def _was_of_other(db: AsyncSession, user_id: str, name: str) -> bool:
    query = sa.select(ScreennameHistory.id).where(
        sa.func.lower(ScreennameHistory.screenname) == name.lower(), ScreennameHistory.user_id != user_id
    )
    return (await db.execute(query)).first() is not None


async def _keep(db: AsyncSession, user_id: str, former: str, wanted: str) -> None:
    """Note a name that was given up, and let all that were lead to the new one. One may be given up again."""
    note = insert(ScreennameHistory).values(id=new_id(), screenname=former, user_id=user_id)
    await db.execute(note.on_conflict_do_nothing(index_elements=[sa.text("lower(screenname)")]))
    await db.execute(
        sa.update(ScreennameHistory).where(ScreennameHistory.user_id == user_id).values(redirect_to=wanted)
    )
