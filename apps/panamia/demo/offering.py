"""Lets the demo's people offer, book and answer, by the sidecar's own functions and with its rights alone.

Only what time does, the owner of the tables does: days that are over, holds that have run out, mail that was sent.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ..petsitting.bookings import writing as bookings
from ..petsitting.bookings.bodies import NewBooking, NewReview
from ..petsitting.bookings.sweeping import sweep
from ..petsitting.calendars.reading import place_of
from ..petsitting.days import days_of
from ..petsitting.listings import blocks, photos
from ..petsitting.listings import writing as listings
from ..petsitting.listings.bodies import NewListing, NewPhoto
from ..petsitting.models import User
from ..petsitting.resources import Resources
from ..petsitting.settings import Settings
from ..web.database import open_engine, sessions_of
from ..web.sessions import Signed
from .stays import GUEST, Offer, Stay

_PEOPLE = 60
"""Who offers and books."""
_AGO = """
UPDATE bookings SET days = daterange(lower(days) - %(ago)s, upper(days) - %(ago)s),
    created_at = created_at - make_interval(days => %(ago)s), status_at = status_at - make_interval(days => %(ago)s)
WHERE id = %(id)s
"""
_STEPS_AGO = "UPDATE booking_steps SET done_at = done_at - make_interval(days => %(ago)s) WHERE booking_id = %(id)s"
_PAST_TRIGGERS = "SET LOCAL session_replication_role = replica"
_NO_MAIL = "DELETE FROM notification_mails AS mail USING booking_notifications AS told"
_NO_MAIL += " WHERE told.notification_id = mail.notification_id"
_RUN_OUT = "UPDATE bookings SET hold_until = clock_timestamp() WHERE id = %(id)s"


@dataclass(frozen=True)
class Made:
    """What there is now.

    Attributes:
        asked: The booking that waits for the guest's answer.
        listing: A listing that the guest has booked, and can book more of.
        count: Listings there are.
    """

    asked: str
    listing: str
    count: int


async def offer_all(settings: Settings, owner: str, guest: str, offers: Sequence[Offer]) -> Made:
    """Let people offer all that, and book it. They are told of it, but no mail of it is owed.

    Args:
        settings: Of the sidecar, with its own login.
        owner: Conninfo of who made the tables.
        guest: The user who signs in.
        offers: Listings; the first one is the guest's own.
    """
    engine = open_engine(settings.postgres_url.get_secret_value() if settings.postgres_url else "", 2)
    sessions = sessions_of(engine)
    try:
        made = _Making(settings, owner, sessions, await _people(sessions, guest))
        keys = [await made.offer(one) for one in offers]
        await sweep(Resources(settings, engine, sessions))
    finally:
        await engine.dispose()
    _as_owner(owner, {}, _NO_MAIL)
    return Made(made.pending[0], keys[1], len(keys))


async def count_people(conninfo: str, guest: str) -> int:
    """Return how many people there are who offer and book."""
    engine = open_engine(conninfo, 1)
    try:
        return len(await _people(sessions_of(engine), guest))
    finally:
        await engine.dispose()


async def _people(sessions: async_sessionmaker[AsyncSession], guest: str) -> list[Signed]:
    """Return them, the guest before all others."""
    query = sa.select(User.id, User.screenname)
    query = query.where(User.screenname.is_not(None), User.locked_at.is_(None))
    async with sessions.begin() as db:
        rows = await db.execute(query.order_by(User.id != guest, User.id).limit(_PEOPLE))
        return [Signed(row.id, row.screenname) for row in rows]


class _Making:
    """What people do, one after another; each step is a transaction of its own, as a request is.

    Attributes:
        pending: Bookings of the first listing that wait for an answer.
    """

    def __init__(
        self, settings: Settings, owner: str, sessions: async_sessionmaker[AsyncSession], people: list[Signed]
    ) -> None:
        self._settings, self._owner, self._sessions, self._people = settings, owner, sessions, people
        self.pending: list[str] = []

    async def offer(self, offer: Offer) -> str:
        """Make a listing with its photos and days, and return its key."""
        sitter = self._people[offer.sitter]
        new = NewListing.model_validate(
            {
                "kind": offer.kind,
                "title": offer.title,
                "description": offer.description,
                "pricePerDay": str(offer.price),
                "currency": offer.spot.currency,
                "timeZone": offer.spot.time_zone,
                "place": {"lat": offer.spot.lat, "lng": offer.spot.lng, "name": offer.spot.name},
            }
        )
        async with self._sessions.begin() as db:
            key = await listings.create(db, sitter, new)
            for url, caption in offer.photos:
                await photos.add(db, sitter, key, NewPhoto(url=url, caption=caption))
            _, today = await place_of(db, key)
        for stay in offer.stays:
            await self._stay(key, sitter, today, stay)
        async with self._sessions.begin() as db:
            for first, end, note in offer.blocks:
                await blocks.add(db, self._settings, sitter, key, days_of(_day(today, first), _day(today, end)), note)
        return key

    async def _stay(self, listing: str, sitter: Signed, today: datetime.date, stay: Stay) -> None:
        ago = 1 - stay.first if stay.outcome == "stayed" else 0  # it is booked for tomorrow, and then long ago
        wanted = NewBooking.model_validate(
            {
                "listingId": listing,
                "from": _day(today, stay.first + ago),
                "to": _day(today, stay.end + ago),
                "message": stay.message,
            }
        )
        owner = self._people[stay.owner]
        async with self._sessions.begin() as db:
            key = (await bookings.book(db, self._settings, owner, wanted)).id
        async with self._sessions.begin() as db:
            if stay.outcome in {"confirmed", "stayed"}:
                await bookings.step(db, self._settings, sitter, key, "confirm", None)
            elif stay.outcome == "declined":
                await bookings.step(db, self._settings, sitter, key, "decline", stay.why)
            elif stay.outcome == "cancelled":
                await bookings.step(db, self._settings, owner, key, "cancel", stay.why)
        if stay.outcome == "expired":
            _as_owner(self._owner, {"id": key}, _RUN_OUT)
        elif stay.outcome == "pending" and sitter is self._people[GUEST]:
            self.pending.append(key)
        elif stay.outcome == "stayed":
            _as_owner(
                self._owner, {"id": key, "ago": ago}, "SET LOCAL session_replication_role = replica", _AGO, _STEPS_AGO
            )
            if stay.rating is not None:
                async with self._sessions.begin() as db:
                    said = NewReview(rating=stay.rating, text=stay.review)
                    await bookings.review(db, self._settings, owner, key, said)


def _as_owner(conninfo: str, values: dict[str, object], *statements: str) -> None:
    with psycopg.connect(conninfo) as connection:
        for one in statements:
            connection.execute(one.encode(), values)


def _day(today: datetime.date, at: int) -> datetime.date:
    return today + datetime.timedelta(at)
