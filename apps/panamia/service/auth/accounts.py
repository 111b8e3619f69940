"""Accounts: which sign-in with a provider is which user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import Account, User

Kind = Literal["oauth", "oidc"]
KEPT = frozenset({"refresh_token", "access_token", "expires_at", "token_type", "scope", "id_token", "session_state"})
"""What a provider gives along that is kept, as Auth.js does."""


async def user_of_account(db: AsyncSession, provider: str, account_id: str) -> User | None:
    """Return whose an account is, held until the transaction ends; None where nobody has linked it yet."""
    query = sa.select(User).join(Account, Account.user_id == User.id)
    query = query.where(Account.provider == provider, Account.provider_account_id == account_id)
    return (await db.execute(query.with_for_update(of=User, key_share=True))).scalar_one_or_none()


async def link_account(
    db: AsyncSession, user_id: str, provider: str, account_id: str, kind: Kind, given: Mapping[str, str | int]
) -> bool:
    """Let an account be a user's from now on; what it held before is replaced by what is given.

    Args:
        given: Of `KEPT`; secrets.

    Returns:
        False where it is another user's: nothing was changed.
    """
    kept = {name: value for name, value in given.items() if name in KEPT}
    values = {"user_id": user_id, "provider": provider, "provider_account_id": account_id, "type": kind, **kept}
    made = insert(Account).values(values)
    made = made.on_conflict_do_update(
        index_elements=[Account.provider, Account.provider_account_id],
        set_={"type": made.excluded.type, **{name: made.excluded[name] for name in kept}},
        where=Account.user_id == user_id,
    )
    return (await db.execute(made.returning(Account.id))).first() is not None
