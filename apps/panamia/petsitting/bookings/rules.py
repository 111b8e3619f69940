"""What may be booked, and which step a booking may take next, by whom. Pure.

The database holds the same, in words of its own: what is refused here is refused kindly, before it has to.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ...web.errors import RefusedError, bad, conflict, forbidden, not_found
from ..days import Days
from ..models import BookingStatus

Side = Literal["owner", "sitter"]
Step = Literal["confirm", "decline", "cancel"]

MOST_PENDING = 20
"""Bookings that one person waits for an answer to: their days are kept from others meanwhile."""


@dataclass(frozen=True)
class Offer:
    """A listing as it is while somebody books.

    Attributes:
        sitter_id: None of one whose sitter is gone.
        offered: Whether everybody sees it: it is not withdrawn, and its sitter neither gone nor locked.
        price: For a day.
        today: The day it is there.
        longest_days: Of one booking.
        furthest_days: From today to the first day.
    """

    sitter_id: str | None
    offered: bool
    price: Decimal
    currency: str
    today: datetime.date
    longest_days: int
    furthest_days: int


@dataclass(frozen=True)
class Standing:
    """A booking as it is.

    Attributes:
        ran_out: Whether its hold has.
        over: Whether its days are, where the listing is.
    """

    status: BookingStatus
    ran_out: bool
    over: bool


STEPS: dict[Step, BookingStatus] = {"confirm": "confirmed", "decline": "declined", "cancel": "cancelled"}
"""What a booking becomes."""


def check_request(
    offer: Offer, asker: str, days: Days, expected_total: Decimal | None = None, currency: str | None = None
) -> None:
    """Refuse a booking that cannot be.

    Raises:
        RefusedError: Of what cannot be meant 400 or 422 (`own-listing`, `past`, `too-long`, `too-far`,
            `wrong-currency`); 409 where it could be, and is no more (`not-offered`, `price-changed`).
    """
    if offer.sitter_id == asker:
        raise bad("Nobody books with themselves: block the days instead", "own-listing")
    if not offer.offered or offer.sitter_id is None:
        raise conflict("This is not offered at the moment", "not-offered")
    if days.first < offer.today:
        raise RefusedError(422, f"It is {offer.today} there: the first day has passed", "past")
    if days.count > offer.longest_days:
        raise RefusedError(422, f"At most {offer.longest_days} days are booked at once", "too-long")
    if (days.first - offer.today).days > offer.furthest_days:
        raise RefusedError(422, f"Days are booked at most {offer.furthest_days} days ahead", "too-far")
    if currency is not None and currency != offer.currency:
        raise RefusedError(422, f"The price of this listing is in {offer.currency}", "wrong-currency")
    if expected_total is not None and expected_total != offer.price * days.count:
        raise conflict(f"The price has changed: a day is {offer.price.normalize():f} {offer.currency}", "price-changed")


def check_step(step: Step, side: Side, standing: Standing) -> None:
    """Refuse a step that a booking may not take.

    Raises:
        RefusedError: It is the other side's (403), the hold has run out (409, code `hold-expired`), or it is none of
            this status (409, code `transition`).
    """
    if step != "cancel" and side != "sitter":
        raise forbidden("Only whoever offers the listing answers")
    if standing.ran_out:
        raise conflict("Nobody answered in time: the days are free again", "hold-expired")
    if standing.status == "confirmed" and step == "cancel":
        if standing.over:
            raise conflict("The days are over: nothing is left to cancel", "transition")
    elif standing.status != "pending":
        raise conflict(f"A booking that is {standing.status} cannot be {STEPS[step]}", "transition")


def check_review(side: Side, standing: Standing) -> None:
    """Refuse a review that may not be.

    Raises:
        RefusedError: It is the other side's (403), or the stay is not completed (409, code `not-completed`).
    """
    if side != "owner":
        raise forbidden("Only who stayed says how it was")
    if standing.status != "completed" and not (standing.status == "confirmed" and standing.over):
        raise conflict("Say how it was when it is over", "not-completed")


OF_CONSTRAINTS: Mapping[str, RefusedError] = {
    "bookings_listing_id_listing_number_fkey": not_found("Listing"),
    "bookings_parties_check": bad("Nobody books with themselves: block the days instead", "own-listing"),
    "bookings_longest_check": RefusedError(422, "These are more days than are booked at once", "too-long"),
    "bookings_furthest_check": RefusedError(422, "These days are too far ahead", "too-far"),
    "bookings_offered_check": conflict("This is not offered at the moment", "not-offered"),
    "bookings_live_parties_check": conflict("This is not offered at the moment", "not-offered"),
    "bookings_agreed_price_check": conflict("The price has changed", "price-changed"),
    "bookings_transition_check": conflict("Somebody was faster: this cannot be done any more", "transition"),
    "bookings_ended_check": conflict("The days are over: nothing is left to cancel", "transition"),
    "bookings_completed_check": conflict("The days are not over", "transition"),
    "bookings_hold_check": conflict("Nobody answered in time: the days are free again", "hold-expired"),
    "listing_reviews_booking_id_key": conflict("This stay has its review", "reviewed"),
}
"""What the database refuses of bookings in the name of a constraint, and how that is told."""
