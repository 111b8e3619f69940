"""How bookings are called on pages. Pure."""

from __future__ import annotations

from ..models import BookingSide, BookingStatus

_WORDS: dict[BookingStatus, str] = {
    "pending": "waits for an answer",
    "confirmed": "confirmed",
    "cancelled": "cancelled",
    "declined": "declined",
    "completed": "over",
    "blocked": "blocked",
}


def words_of(status: BookingStatus, status_as: BookingSide) -> str:
    """Return what people read of a status.

    Args:
        status: What it is.
        status_as: Who brought it about.
    """
    return "nobody answered in time" if (status, status_as) == ("cancelled", "clock") else _WORDS[status]
