"""What this service refuses besides: days that are taken, a price that changed, and what the database says no to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from ..web.errors import RESPONSES as COMMON
from ..web.errors import Problem, RefusedError, conflict, not_found, unauthorized
from ..web.errors import add_handlers as add_common_handlers
from .bookings import rules as of_bookings
from .bookings.rules import PriceChangedError
from .days import Days, DaysView, views_of
from .listings import rules
from .listings.rules import unfit


class Conflict(Problem):
    """Why it is no longer possible."""

    conflicts: list[DaysView] | None = Field(None, description="of code `taken`: which of the days somebody has")
    price_per_day: str | None = Field(
        None, serialization_alias="pricePerDay", description="of code `price-changed`: what a day costs now"
    )
    currency: str | None = Field(None, description="of that price")


class TakenError(RefusedError):
    """Somebody has some of the days already (409, code `taken`).

    Attributes:
        conflicts: Which of those that are wanted, in their order: never whose they are.
    """

    def __init__(self, conflicts: Iterable[Days]) -> None:
        super().__init__(409, "These days are taken", "taken")
        self.conflicts = sorted(conflicts)


RESPONSES: dict[int | str, dict[str, Any]] = COMMON | {409: {**COMMON[409], "model": Conflict}}
"""What every route may answer, for its OpenAPI."""

OF_CONSTRAINTS: Mapping[str, RefusedError] = {
    "listings_kind_fkey": rules.unknown_kind(),
    "listings_currency_fkey": rules.unknown_currency(),
    "listings_time_zone_fkey": rules.unknown_time_zone(),
    "listings_sitter_id_fkey": unauthorized(),  # gone since the session was looked at
    "listings_digits_check": unfit("The price has more digits than its currency", "wrong-price"),
    "listings_price_per_day_check": unfit("A price is more than nothing", "wrong-price"),
    "listings_booked_check": conflict("Days of it are booked: its time zone stays until they are over", "booked"),
    "bookings_listing_id_listing_number_fkey": not_found("Listing"),
    "bookings_owner_id_fkey": unauthorized(),  # as above
    "bookings_parties_check": of_bookings.own_listing(),
    "bookings_days_check": unfit("These days are too many, or too far away", "wrong-days"),
    "bookings_past_check": unfit("These days are over where the listing is", "past"),
    "bookings_longest_check": unfit("These are more days than are booked at once", "too-long"),
    "bookings_furthest_check": unfit("These days are too far ahead", "too-far"),
    "bookings_offered_check": of_bookings.not_offered(),
    "bookings_live_parties_check": of_bookings.not_offered(),  # the sitter is gone
    "bookings_transition_check": conflict("Somebody was faster: this cannot be done any more", "transition"),
    "bookings_hold_check": of_bookings.hold_expired(),
    "bookings_begun_check": of_bookings.begun(),
    "bookings_ended_check": of_bookings.nothing_left(),
    "bookings_completed_check": of_bookings.not_completed(),
    "listing_reviews_booking_id_key": conflict("This booking has its review", "reviewed"),
}
"""What the database refuses in the name of a constraint, and how that is told: here alone."""


def add_handlers(app: FastAPI) -> None:
    """Let the application answer every error in the one shape; what is taken or costs otherwise is said with it."""
    add_common_handlers(app, OF_CONSTRAINTS)

    @app.exception_handler(TakenError)
    async def _taken(_: Request, fault: TakenError) -> JSONResponse:
        conflicts = [one.model_dump(mode="json", by_alias=True) for one in views_of(fault.conflicts)]
        return JSONResponse({"error": fault.error, "code": fault.code, "conflicts": conflicts}, fault.status)

    @app.exception_handler(PriceChangedError)
    async def _price(_: Request, fault: PriceChangedError) -> JSONResponse:
        told = {"error": fault.error, "code": fault.code, "pricePerDay": fault.price, "currency": fault.currency}
        return JSONResponse(told, fault.status)
