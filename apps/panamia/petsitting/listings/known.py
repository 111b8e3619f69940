"""What is known here: kinds of listings, currencies, time zones."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ..models import Currency, ListingKind, TimeZone
from .rules import Kind, unknown_currency, unknown_kind, unknown_time_zone
from .views import CurrencyView, KindView


async def kinds_shown(db: AsyncSession) -> list[KindView]:
    """Return all kinds, by their keys."""
    found = await db.execute(sa.select(ListingKind).order_by(ListingKind.key))
    return [KindView.model_validate(one) for one in found.scalars()]


async def kind_shown(db: AsyncSession, key: str) -> KindView:
    """Return a kind that there is."""
    return KindView.model_validate(
        (await db.execute(sa.select(ListingKind).where(ListingKind.key == key))).scalar_one()
    )


async def time_zones(db: AsyncSession) -> list[str]:
    """Return the names of all time zones."""
    return list((await db.execute(sa.select(TimeZone.name).order_by(TimeZone.name))).scalars())


async def currencies_shown(db: AsyncSession) -> list[CurrencyView]:
    """Return all currencies, by their codes."""
    found = await db.execute(sa.select(Currency).order_by(Currency.code))
    return [CurrencyView.model_validate(one) for one in found.scalars()]


async def kinds(db: AsyncSession, key: str | None) -> tuple[Kind, ...]:
    """Return what kinds allow: all, or one.

    Raises:
        RefusedError: There is none of this key (422, `wrong-kind`).
    """
    query = sa.select(ListingKind.key, ListingKind.longest_days, ListingKind.furthest_days)
    if key is not None:
        query = query.where(ListingKind.key == key)
    found = tuple(Kind(*row) for row in await db.execute(query.order_by(ListingKind.key)))
    if not found:
        raise unknown_kind()
    return found


async def digits_of(db: AsyncSession, currency: str) -> int:
    """Return how many digits amounts of a currency have behind the point.

    Raises:
        RefusedError: Nobody knows it (422, `wrong-currency`).
    """
    found = (await db.execute(sa.select(Currency.digits).where(Currency.code == currency))).scalar_one_or_none()
    if found is None:
        raise unknown_currency()
    return found


async def check_time_zone(db: AsyncSession, name: str) -> None:
    """Let a time zone pass that the database knows.

    Raises:
        RefusedError: It knows none of this name (422, `wrong-time-zone`).
    """
    query = sa.select(TimeZone.name).where(TimeZone.name == name)
    if (await db.execute(query)).scalar_one_or_none() is None:
        raise unknown_time_zone()
