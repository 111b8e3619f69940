"""What this service refuses besides: days that are taken, and what the database itself says no to."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from psycopg import Error as PostgresError
from sqlalchemy.exc import DBAPIError

from ..web.errors import RESPONSES as COMMON
from ..web.errors import Problem, RefusedError, answer, unauthorized
from .bookings import rules as of_bookings
from .days import Days, DaysView, views_of
from .listings import rules


class Conflict(Problem):
    """Why it is no longer possible; of days that are taken (code `taken`), which ones."""

    conflicts: list[DaysView] | None = None


class TakenError(RefusedError):
    """Days that somebody has already (409, code `taken`).

    Attributes:
        conflicts: Those of them, in their order: never whose they are.
    """

    def __init__(self, conflicts: Iterable[Days]) -> None:
        super().__init__(409, "These days are taken", "taken")
        self.conflicts = sorted(conflicts)


RESPONSES: dict[int | str, dict[str, Any]] = COMMON | {409: {**COMMON[409], "model": Conflict}}
"""What every route may answer, for its OpenAPI."""

_OF_CONSTRAINTS: Mapping[str, RefusedError] = {
    "listings_kind_fkey": rules.unknown_kind(),
    "listings_currency_fkey": rules.unknown_currency(),
    "listings_time_zone_fkey": rules.unknown_time_zone(),
    "listings_sitter_id_fkey": unauthorized(),  # gone since the session was looked at
    "listings_digits_check": rules.unfit("The price has more digits than its currency", "wrong-price"),
    "listings_price_per_day_check": rules.unfit("A price is more than nothing", "wrong-price"),
    "bookings_past_check": rules.unfit("These days are over where the listing is", "past"),
    "bookings_days_check": rules.unfit("These days are too many, or too far away", "wrong-days"),
    **of_bookings.OF_CONSTRAINTS,
}
"""What the database refuses in the name of a constraint, and how that is told."""


def constraint_of(fault: DBAPIError) -> str | None:
    """Return the constraint in whose name the database refused; None where it was none."""
    return fault.orig.diag.constraint_name if isinstance(fault.orig, PostgresError) else None


def refused_by_database(fault: DBAPIError) -> RefusedError | None:
    """Return what the database means, in words; None where nobody foresaw it."""
    return _OF_CONSTRAINTS.get(constraint_of(fault) or "")


def add_handlers(app: FastAPI) -> None:
    """Let the application answer these, too; behind the common handlers, which have all else."""
    common: Any = app.exception_handlers[DBAPIError]

    @app.exception_handler(TakenError)
    async def _taken(_: Request, fault: TakenError) -> JSONResponse:
        conflicts = [one.model_dump(mode="json", by_alias=True) for one in views_of(fault.conflicts)]
        return JSONResponse({"error": fault.error, "code": fault.code, "conflicts": conflicts}, fault.status)

    @app.exception_handler(DBAPIError)
    async def _database(request: Request, fault: DBAPIError) -> Response:
        refused = refused_by_database(fault)
        if refused is not None:
            return answer(refused.status, refused.error, refused.code)
        told = common(request, fault)
        return await told if inspect.isawaitable(told) else told
