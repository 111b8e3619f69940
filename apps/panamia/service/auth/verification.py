"""First sign-ins with a provider that wait for a mail to be answered: five minutes, once.

The table keeps the hash of a token, as of sign-in links; so one that is live cannot be mailed again, and needs not be.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import OAuthVerification, User
from ...web.database import one_at_a_time
from ...web.errors import RefusedError, bad, conflict
from ..addresses import fold
from ..people import is_address
from .accounts import link_account
from .tokens import MINUTES, hash_of, new_short_token
from .users import user_signing_in


@dataclass(frozen=True)
class Made:
    """A verification that was made.

    Attributes:
        id: Of its row.
        token: What the mail holds; a secret.
    """

    id: str
    token: str = field(repr=False)


async def make_verification(
    db: AsyncSession, secret: str, provider: str, account_id: str, email: str, shown: Mapping[str, Any]
) -> Made | None:
    """Let a sign-in wait for the answer to a mail; None where one waits already, whose mail is still good.

    Args:
        secret: AUTH_SECRET.
        email: Folded; what the mail goes to.
        shown: What the provider told of the person: `name`, `email`, `image`.
    """
    await one_at_a_time(db, f"verification {provider} {account_id}")
    same = sa.and_(
        OAuthVerification.provider == provider,
        OAuthVerification.provider_account_id == account_id,
        is_address(OAuthVerification.email, email),
    )
    live = sa.select(OAuthVerification.id).where(same, OAuthVerification.expires_at > sa.func.now())
    if (await db.execute(live)).first() is not None:
        return None
    await db.execute(sa.delete(OAuthVerification).where(same))
    token = new_short_token()
    row = OAuthVerification(
        email=email,
        provider=provider,
        provider_account_id=account_id,
        verification_token=hash_of(token, secret),
        expires_at=datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=MINUTES),
        oauth_profile=dict(shown),
    )
    db.add(row)
    await db.flush()
    return Made(row.id, token)


async def forget_verification(db: AsyncSession, verification: str | None) -> None:
    """Let nothing wait any more, for its mail was not sent."""
    await db.execute(sa.delete(OAuthVerification).where(OAuthVerification.id == verification))


async def complete_verification(db: AsyncSession, secret: str, token: str) -> User | None:
    """Find or make the user of the address, link the account, and delete the token: all of it, or nothing.

    Returns:
        The user; None where the token has expired. Then it is deleted too, so commit.

    Raises:
        RefusedError: 400, the token is none (code `token-invalid`); 403, the user is locked; 409, the account is
            another user's by now.
    """
    gone = sa.delete(OAuthVerification).where(OAuthVerification.verification_token == hash_of(token, secret))
    found = (await db.execute(gone.returning(OAuthVerification))).scalar_one_or_none()
    if found is None:
        raise bad("This link was used before, or is none", "token-invalid")
    if found.expires_at <= datetime.datetime.now(datetime.UTC):
        return None
    name, image = (_text(found.oauth_profile.get(key)) for key in ("name", "image"))
    user = await user_signing_in(db, fold(found.email), name, image)
    if user.locked_at is not None:
        raise RefusedError(403, "This account is locked", "locked")
    if not await link_account(db, user.id, found.provider, found.provider_account_id, "oauth", {}):
        raise conflict("This sign-in belongs to another member", "account-linked")
    return user


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
