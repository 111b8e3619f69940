"""Deletes what has expired, in small transactions: PostgreSQL does not do it by itself, as MongoDB did."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ..models import Base, Notification
from .auth.expired import EXPIRING
from .repeating import repeated
from .resources import Resources

BATCH = 1_000
"""Rows of a transaction."""
_A_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Perishable:
    """Rows that expire.

    Attributes:
        key: A column that tells them apart.
        when: When each expires; of a row without it: never.
        kept: How long they are kept behind that.
    """

    model: type[Base]
    key: sa.SQLColumnExpression[str]
    when: sa.SQLColumnExpression[datetime.datetime] | sa.SQLColumnExpression[datetime.datetime | None]
    kept: datetime.timedelta

    @property
    def table(self) -> str:
        """What the table is called."""
        return self.model.__tablename__

    @property
    def is_over(self) -> sa.ColumnElement[bool]:
        """Which rows are to go."""
        return self.when <= sa.func.now() - self.kept


PERISHABLE = (
    Perishable(Notification, Notification.id, Notification.expires_at, datetime.timedelta(0)),
    *(Perishable(model, key, when, _A_DAY) for model, key, when in EXPIRING),
)
"""All that expires: notifications, and with them mail that is owed for them; and what sign-in leaves, a day later."""


async def count_expired(sessions: async_sessionmaker[AsyncSession]) -> dict[str, int]:
    """Return how many rows of each table are to go; deletes none."""
    counts: dict[str, int] = {}
    async with sessions.begin() as db:
        for one in PERISHABLE:
            counted = sa.select(sa.func.count()).select_from(one.model).where(one.is_over)
            counts[one.table] = (await db.execute(counted)).scalar_one()
    return counts


async def clean_up(
    sessions: async_sessionmaker[AsyncSession],
    *,
    batch: int = BATCH,
    told: Callable[[str, int], None] = lambda _table, _count: None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Delete what has expired, and return how many rows of each table are gone.

    Each batch is a transaction of its own, so nobody waits long, and what was done stays where it is stopped. Rows that
    somebody holds are passed over. Several may run at once.

    Args:
        batch: Rows of a transaction at most.
        told: Called behind each batch with the table and how many rows of it are gone so far.
        stopped: Asked before each batch whether somebody says stop.
    """
    counts: dict[str, int] = {}
    for one in PERISHABLE:
        counts[one.table], gone = 0, batch
        while gone == batch and not stopped():
            async with sessions.begin() as db:
                gone = await _delete(db, one, batch)
            counts[one.table] += gone
            told(one.table, counts[one.table])
    return counts


def cleaned_up(resources: Resources) -> AbstractAsyncContextManager[None]:
    """Clean up beside the block, every so often as the settings say; with 0 nothing is deleted here."""

    def clean(stopped: Callable[[], bool]) -> Awaitable[dict[str, int]]:
        return clean_up(resources.sessions, stopped=stopped)

    return repeated(clean, resources.settings.clean_up_every_seconds, "what has expired stays")


async def _delete(db: AsyncSession, one: Perishable, most: int) -> int:
    some = sa.select(one.key).where(one.is_over).order_by(one.when).limit(most).with_for_update(skip_locked=True)
    gone = sa.delete(one.model).where(one.key.in_(some.cte("some").select())).returning(one.key)
    return len((await db.execute(gone, execution_options={"synchronize_session": False})).all())
