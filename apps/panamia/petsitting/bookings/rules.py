"""What may be booked, and which step a booking may take next, by whom. Pure.

The database holds the same, in words of its own: what is refused here is refused kindly, before it has to.
"""

from __future__ import annotations

import datetime
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ...web.errors import RefusedError, bad, conflict, forbidden
from ..days import Days
from ..listings.rules import price_of, price_text
from ..models import BookingStatus

Side = Literal["owner", "sitter"]
Step = Literal["confirm", "decline", "cancel"]
Status = Literal["pending", "confirmed", "cancelled", "declined", "completed"]
"""Of what somebody has booked; the database calls blocked days a booking too (`BookingStatus`)."""
NextStep = Literal["confirm", "decline", "cancel", "review"]

MOST_PENDING = 20
"""Bookings that one person waits for an answer to: their days are kept from others meanwhile."""
MOST_AN_HOUR = 30
"""Bookings that one person makes, whatever became of them: each of them is told to somebody."""


@dataclass(frozen=True)
class Offer:
    """A listing as it is while somebody books.

    Attributes:
        sitter_id: None of one whose sitter is gone.
        offered: Whether everybody sees it: it is not withdrawn, and its sitter neither gone nor locked.
        price: For a day.
        digits: Of its currency, behind the point.
        today: The day it is there.
        longest_days: Of one booking.
        furthest_days: From today to the first day.
    """

    sitter_id: str | None
    offered: bool
    price: Decimal
    currency: str
    digits: int
    today: datetime.date
    longest_days: int
    furthest_days: int


@dataclass(frozen=True)
class Standing:
    """A booking as it is.

    Attributes:
        ran_out: Whether its hold has.
        begun: Whether its first day has, where the listing is.
        over: Whether its days are, there.
    """

    status: BookingStatus
    ran_out: bool
    begun: bool
    over: bool


STEPS: dict[Step, BookingStatus] = {"confirm": "confirmed", "decline": "declined", "cancel": "cancelled"}
"""What a booking becomes."""


class PriceChangedError(RefusedError):
    """A day costs no more what somebody was shown (409, code `price-changed`).

    Attributes:
        price: What it costs, as it is told.
        currency: Of it.
    """

    def __init__(self, price: str, currency: str) -> None:
        super().__init__(409, f"The price has changed: a day is {price} {currency}", "price-changed")
        self.price, self.currency = price, currency


def check_request(
    offer: Offer, asker: str, days: Days, expected_price: str | None = None, currency: str | None = None
) -> None:
    """Refuse a booking that cannot be.

    Args:
        offer: The listing.
        asker: Who books.
        days: Those that are wanted.
        expected_price: For a day, as it was shown, with the digits of its currency; None: whatever it is.
        currency: Of that price; None: whichever.

    Raises:
        RefusedError: Of what cannot be meant 400 or 422 (`own-listing`, `past`, `too-long`, `too-far`,
            `wrong-currency`, `wrong-price`); 409 where it could be, and is no more (`not-offered`).
        PriceChangedError: A day costs otherwise, or in another currency.
    """
    if offer.sitter_id == asker:
        raise own_listing()
    if not offer.offered or offer.sitter_id is None:
        raise not_offered()
    if days.first < offer.today:
        raise RefusedError(422, f"It is {offer.today} there: the first day has passed", "past")
    if days.count > offer.longest_days:
        raise RefusedError(422, f"At most {offer.longest_days} days are booked at once", "too-long")
    if (days.first - offer.today).days > offer.furthest_days:
        raise RefusedError(422, f"Days are booked at most {offer.furthest_days} days ahead", "too-far")
    is_other = currency is not None and currency != offer.currency
    if expected_price is None:
        if is_other:
            raise RefusedError(422, f"The price of this listing is in {offer.currency}", "wrong-currency")
    elif is_other or price_of(expected_price, offer.digits) != offer.price:
        raise PriceChangedError(price_text(offer.price, offer.digits), offer.currency)


def check_step(step: Step, side: Side, standing: Standing) -> None:
    """Refuse a step that a booking may not take.

    Raises:
        RefusedError: It is the other side's (403); the hold has run out (409, code `hold-expired`); a sitter cancels
            what has begun (409, code `begun`); or it is none of this status (409, code `transition`).
    """
    if step != "cancel" and side != "sitter":
        raise forbidden("Only whoever offers the listing answers")
    if standing.ran_out:
        raise hold_expired()
    if standing.status == "confirmed" and step == "cancel":
        if standing.over:
            raise nothing_left()
        if standing.begun and side == "sitter":
            raise begun()
    elif standing.status != "pending":
        raise conflict(f"A booking that is {standing.status} cannot be {STEPS[step]}", "transition")


def check_review(side: Side, standing: Standing) -> None:
    """Refuse a review that may not be.

    Raises:
        RefusedError: It is the other side's (403), or the stay is not completed (409, code `not-completed`).
    """
    if side != "owner":
        raise forbidden("Only whoever booked says how it was")
    if standing.status != "completed" and not (standing.status == "confirmed" and standing.over):
        raise not_completed()


def next_steps(side: Side, standing: Standing, *, reviewed: bool) -> list[NextStep]:
    """Return what would not be refused now to one side of a booking."""
    found: list[NextStep] = []
    for step in STEPS:
        with suppress(RefusedError):
            check_step(step, side, standing)
            found.append(step)
    if not reviewed:
        with suppress(RefusedError):
            check_review(side, standing)
            found.append("review")
    return found


def own_listing() -> RefusedError:
    """Somebody wants days of what is their own."""
    return bad("Nobody books with themselves: block the days instead", "own-listing")


def not_offered() -> RefusedError:
    """It is withdrawn, or its sitter is gone or locked."""
    return conflict("This is not offered at the moment", "not-offered")


def hold_expired() -> RefusedError:
    """The hold has run out."""
    return conflict("Nobody answered in time: the days are free again", "hold-expired")


def nothing_left() -> RefusedError:
    """The days are over."""
    return conflict("The days are over: nothing is left to cancel", "transition")


def begun() -> RefusedError:
    """The first day has begun: whoever booked is there."""
    return conflict("The days have begun: only whoever booked can still cancel", "begun")


def not_completed() -> RefusedError:
    """The days are not over, or it never came to them."""
    return conflict("Say how it was when it is over", "not-completed")
