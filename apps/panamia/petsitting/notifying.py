"""What the two people of a booking are told, in its own transaction: rows of the one inbox that they have.

The inbox is the main service's, which shows it and mails by preference. This service may add to it and not read it, so
rows go in without asking what became of them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

from ..models import Notification, NotificationMail
from ..models.enums import NotificationActivityType
from ..models.ids import new_id
from .models import Booking, BookingNotification, User
from .settings import Settings

BookingEvent = Literal["requested", "confirmed", "declined", "cancelled", "expired", "completed", "reviewed"]
PREFERENCE = "bookings"
"""The choice of users.notification_preferences that mail about bookings obeys."""


@dataclass(frozen=True)
class _Kind:
    """How an event is told.

    Attributes:
        type: What was done.
        days: For how long it is shown; None: for good.
    """

    type: NotificationActivityType
    days: int | None = None


EVENTS: dict[BookingEvent, _Kind] = {  # the main service has a sentence for each
    "requested": _Kind("Invite"),
    "confirmed": _Kind("Accept"),
    "declined": _Kind("Reject"),
    "cancelled": _Kind("Delete", 90),
    "expired": _Kind("Undo", 90),
    "completed": _Kind("Update", 90),
    "reviewed": _Kind("Create", 90),
}


async def tell(
    db: AsyncSession,
    settings: Settings,
    event: BookingEvent,
    booking: Booking,
    title: str,
    actor: str | None,
    targets: Sequence[str | None],
    message: str | None = None,
) -> None:
    """Tell people of a booking: one row for each, in the caller's transaction; never whoever did it.

    Whoever is gone or locked is passed over. An actor who is gone has no name.

    Args:
        db: The transaction. Nothing is committed here.
        settings: Where this service is, for the link.
        event: What became of it.
        booking: It, as it stands in the database.
        title: Of its listing.
        actor: Who did it; None: the clock.
        targets: Who is told.
        message: What the actor wrote.
    """
    kind = EVENTS[event]
    people = await _people(db, [actor, *targets])
    doer = people.get(actor or "")
    name = None if doer is None else doer.screenname
    until = None if kind.days is None else datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=kind.days)
    for target in sorted({one for one in targets if one is not None and one != actor and one in people}):
        if people[target].is_locked:
            continue
        key = new_id()
        values = {
            "id": key,
            "type": kind.type,
            "context": "booking",
            "actor": None if doer is None else actor,
            "target": target,
            "actor_screenname": name,
            "actor_name": name,
            "object_type": "booking",
            "object_title": title,
            "object_url": f"{settings.public_url}/bookings/{booking.id}",
            "message": message,
            "email_preference_key": PREFERENCE,
            "expires_at": until,
        }
        await _add(db, Notification, values)
        await _add(db, NotificationMail, {"notification_id": key})
        await _add(db, BookingNotification, {"notification_id": key, "booking_id": booking.id})


async def _add(db: AsyncSession, model: type[DeclarativeBase], values: dict[str, Any]) -> None:
    """Add a row without a RETURNING, which would read it."""
    await db.execute(sa.insert(cast("sa.Table", model.__table__)).values(values).inline())


@dataclass(frozen=True)
class _Person:
    screenname: str | None
    is_locked: bool


async def _people(db: AsyncSession, ids: Iterable[str | None]) -> dict[str, _Person]:
    wanted = {one for one in ids if one is not None}
    rows = await db.execute(sa.select(User.id, User.screenname, User.locked_at).where(User.id.in_(wanted)))
    return {row.id: _Person(row.screenname, row.locked_at is not None) for row in rows}
