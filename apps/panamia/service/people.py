"""Who is meant, and that they stay there until a transaction ends."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from pydantic import StringConstraints, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from ..models import User
from ..web.bodies import Input
from ..web.errors import not_found, unauthorized
from ..web.inputs import ONE_LINE, KeyText

Screenname = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), ONE_LINE]


class Someone(Input):
    """A body that names a person: by id or by screen name."""

    user_id: KeyText | None = None
    screenname: Screenname | None = None

    @model_validator(mode="after")
    def _one(self) -> Someone:
        if (self.user_id is None) == (self.screenname is None):
            raise ValueError("one of userId and screenname is needed")
        return self


def is_address(column: sa.SQLColumnExpression[str], email: str) -> sa.ColumnElement[bool]:
    """Return whether a column holds an address, in capitals or not, as unique indexes compare."""
    return sa.func.lower(column) == sa.func.lower(email)


async def find(db: AsyncSession, someone: Someone) -> str:
    """Return the id of whoever is named, who stays there until the transaction ends.

    Raises:
        RefusedError: Nobody is called so, or is locked (404).
    """
    if someone.user_id is not None:
        found = await _held(db, User.id == someone.user_id)
    else:
        found = await _held(db, sa.func.lower(User.screenname) == sa.func.lower(someone.screenname))
    if found is None:
        raise not_found("Person")
    return found


async def stay(db: AsyncSession, user: str, *, alone: bool = False) -> None:
    """Let whoever asks stay there until the transaction ends.

    Args:
        db: The transaction.
        user: Who asks.
        alone: Whether other transactions that are alone with this user wait meanwhile.

    Raises:
        RefusedError: The user is gone since the session was looked at (401).
    """
    if await _held(db, User.id == user, alone=alone) is None:
        raise unauthorized()


async def _held(db: AsyncSession, which: sa.ColumnElement[bool], *, alone: bool = False) -> str | None:
    query = sa.select(User.id).where(which, User.locked_at.is_(None)).with_for_update(key_share=True, read=not alone)
    return (await db.execute(query)).scalar_one_or_none()
