"""The user of an address, in whatever case it is stored: found, or made at the first sign-in."""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import User


async def user_of(db: AsyncSession, email: str) -> User | None:
    """Return who has an address; None for nobody.

    The row is held until the transaction ends: nobody changes its address, locks or deletes it meanwhile.

    Args:
        email: Folded.
    """
    query = sa.select(User).where(sa.func.lower(User.email) == sa.func.lower(email))
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await db.execute(query)).scalar_one_or_none()


async def user_signing_in(db: AsyncSession, email: str, name: str | None = None, image: str | None = None) -> User:
    """Return who has an address that was just proven; whoever has none yet becomes a user, as with Auth.js.

    Of several first sign-ins at one moment one makes the user, and all get it. The address is verified from now on.

    Args:
        email: Folded.
        name: Of a new user.
        image: Of a new user.
    """
    found = await user_of(db, email)
    while found is None:
        values = {"email": email, "email_verified": datetime.datetime.now(datetime.UTC), "name": name, "image": image}
        await db.execute(insert(User).values(values).on_conflict_do_nothing(index_elements=[sa.func.lower(User.email)]))
        found = await user_of(db, email)  # none where somebody made and deleted it this moment
    if found.email_verified is None and found.locked_at is None:
        found.email_verified = datetime.datetime.now(datetime.UTC)
    return found
