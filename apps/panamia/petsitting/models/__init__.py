"""The sidecar's tables as SQLAlchemy 2 models, and what it sees of the main service's. `isthmus schema drift` compares
them with the migrations.
"""

from __future__ import annotations

from .base import Base
from .bookings import (
    LIVE,
    Booking,
    BookingNotification,
    BookingSide,
    BookingStatus,
    BookingStep,
    ListingReview,
)
from .identity import Notification, Session, User
from .listings import CalendarFeed, Currency, Listing, ListingKind, ListingPhoto, TimeZone
from .triggers import add_triggers

metadata = Base.metadata
add_triggers(metadata)

__all__ = [
    "LIVE",
    "Base",
    "Booking",
    "BookingNotification",
    "BookingSide",
    "BookingStatus",
    "BookingStep",
    "CalendarFeed",
    "Currency",
    "Listing",
    "ListingKind",
    "ListingPhoto",
    "ListingReview",
    "Notification",
    "Session",
    "TimeZone",
    "User",
    "metadata",
]
