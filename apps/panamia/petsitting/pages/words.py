"""How bookings are called on pages. Pure."""

from __future__ import annotations

from ..bookings.rules import Status
from ..bookings.views import BookingView
from ..models import BookingSide

_WORDS: dict[Status, str] = {
    "pending": "waits for an answer",
    "confirmed": "confirmed",
    "cancelled": "cancelled",
    "declined": "declined",
    "completed": "over",
}
_RAN_OUT = "nobody answered in time"


def words_of(booking: BookingView) -> str:
    """Return what people read of a booking, also of one whose hold has run out before anybody wrote it down."""
    if booking.status == "pending" and not booking.next_steps:
        return _RAN_OUT
    return word_of(booking.status, booking.status_as)


def word_of(status: Status, status_as: BookingSide) -> str:
    """Return what people read of a status.

    Args:
        status: What it is.
        status_as: Who brought it about.
    """
    return _RAN_OUT if (status, status_as) == ("cancelled", "clock") else _WORDS[status]
