"""Which mail somebody wants, in the database: eight choices, each yes until it was said no to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import User
from .events import PreferenceKey
from .letters import wants

KEYS: tuple[PreferenceKey, ...] = get_args(PreferenceKey)


async def preferences_of(db: AsyncSession, user: str) -> dict[PreferenceKey, bool]:
    """Return every choice of a user."""
    found = (await db.execute(sa.select(User.notification_preferences).where(User.id == user))).scalar_one_or_none()
    return {key: wants(found, key) for key in KEYS}


async def choose(db: AsyncSession, user: str, choices: Mapping[PreferenceKey, bool]) -> dict[PreferenceKey, bool]:
    """Change some choices of a user, and return all; other keys that the column holds stay."""
    column = User.notification_preferences
    stands = sa.case((sa.func.jsonb_typeof(column) == "object", column), else_=sa.cast({}, JSONB))
    changed = stands.op("||")(sa.cast(dict(choices), JSONB))
    query = sa.update(User).where(User.id == user).values(notification_preferences=changed).returning(column)
    found = cast("object", (await db.execute(query.execution_options(synchronize_session=False))).scalar_one_or_none())
    return {key: wants(found, key) for key in KEYS}
