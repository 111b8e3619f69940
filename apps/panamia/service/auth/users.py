"""The user of an address, in whatever case it is stored: found, or made at the first sign-in."""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import User
from ..people import is_address

_HAS_ALTERNATE = sa.text("""
EXISTS (SELECT FROM unnest(users.alternate_emails) AS one WHERE lower(btrim(one)) = lower(:email))
""")


async def user_of(db: AsyncSession, email: str) -> User | None:
    """Return who has an address; None for nobody.

    The row is held until the transaction ends: nobody changes its address, locks or deletes it meanwhile.

    Args:
        email: Folded.
    """
    query = sa.select(User).where(is_address(User.email, email))
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await db.execute(query)).scalar_one_or_none()


async def users_with_alternate(db: AsyncSession, email: str) -> list[str]:
    """Return the addresses of users who have this one beside their own, by `alternate_emails`.

    Those were carried, and nobody has proven them: they sign nobody in, and claim nothing.

    Args:
        db: The transaction.
        email: Folded.
    """
    query = sa.select(User.email).where(_HAS_ALTERNATE.bindparams(email=email)).order_by(User.email)
    return list((await db.execute(query)).scalars())


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
    prove(found)
    return found


def prove(user: User) -> None:
    """Note that the address of a user was just proven, unless it was before or the user is locked."""
    if user.email_verified is None and user.locked_at is None:
        user.email_verified = datetime.datetime.now(datetime.UTC)
