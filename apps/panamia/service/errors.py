"""What a request is refused with, and the one shape of every refusal: `{"error": …}`, with a `code` where one helps."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from .mongo import MongoAwayError

_log = logging.getLogger("panamia")
_TRY_AGAIN = {"Retry-After": "1"}
_WORDS = {404: "Not found", 405: "Method not allowed"}


class Problem(BaseModel):
    """Why a request was refused."""

    error: str
    code: str | None = None
    fields: list[dict[str, str]] | None = None


class RefusedError(Exception):
    """A request that cannot be.

    Attributes:
        status: Of HTTP.
        error: A sentence or a word, for people.
        code: For programs; None where the status says it all.
    """

    def __init__(
        self, status: int, error: str, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error)
        self.status, self.error, self.code, self.headers = status, error, code, dict(headers or {})


def unauthorized() -> RefusedError:
    """Nobody is signed in."""
    return RefusedError(401, "Unauthorized")


def forbidden(error: str = "Admin access required") -> RefusedError:
    """Somebody is, who may not."""
    return RefusedError(403, error)


def not_found(what: str) -> RefusedError:
    """It is not there, or not for this person to know of."""
    return RefusedError(404, f"{what} not found")


def bad(error: str, code: str | None = None) -> RefusedError:
    """It cannot be meant."""
    return RefusedError(400, error, code)


def conflict(error: str, code: str | None = None) -> RefusedError:
    """It was possible, and no longer is."""
    return RefusedError(409, error, code)


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": words}
    for status, words in {
        400: "It cannot be meant",
        401: "Nobody is signed in",
        403: "Not for this person",
        404: "Not there",
        409: "Somebody was faster, or it is no longer possible",
        413: "Too large",
        422: "Not of this form",
        429: "Too often",
        503: "A database is away",
    }.items()
}
"""What every route may answer, for its OpenAPI."""


def add_handlers(app: FastAPI) -> None:
    """Let the application answer every error in the one shape."""

    @app.exception_handler(RefusedError)
    async def _refused(_: Request, fault: RefusedError) -> JSONResponse:
        return answer(fault.status, fault.error, fault.code, headers=fault.headers)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, fault: HTTPException) -> JSONResponse:
        return answer(fault.status_code, _WORDS.get(fault.status_code, str(fault.detail)), headers=fault.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, fault: RequestValidationError) -> JSONResponse:
        fields = [
            {"field": ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0]), "error": str(one["msg"])}
            for one in fault.errors()
        ]
        return answer(422, "The request is not of this form", "invalid", fields=fields)

    @app.exception_handler(MongoAwayError)
    async def _mongo(_: Request, fault: MongoAwayError) -> JSONResponse:
        return answer(503, str(fault), "mongodb-away", headers=_TRY_AGAIN)

    @app.exception_handler(PoolTimeout)
    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    async def _postgres(_: Request, fault: Exception) -> JSONResponse:
        _log.warning("PostgreSQL does not answer: %s", type(fault).__name__)
        return answer(503, "PostgreSQL does not answer", "postgres-away", headers=_TRY_AGAIN)

    @app.exception_handler(Exception)
    async def _other(_: Request, fault: Exception) -> JSONResponse:
        _log.error("a request failed: %s", type(fault).__name__)
        return answer(500, "Something went wrong here")

    @app.exception_handler(DBAPIError)
    async def _database(_: Request, fault: DBAPIError) -> JSONResponse:
        if fault.connection_invalidated:
            return answer(503, "PostgreSQL does not answer", "postgres-away", headers=_TRY_AGAIN)
        # Its text holds values, so only what kind it is goes to the log.
        _log.error("a statement failed: %s %s", type(fault.orig).__name__, getattr(fault.orig, "sqlstate", ""))
        return answer(500, "Something went wrong here")


def answer(
    status: int,
    error: str,
    code: str | None = None,
    *,
    fields: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the answer that refuses."""
    body: dict[str, Any] = {"error": error}
    if code is not None:
        body["code"] = code
    if fields is not None:
        body["fields"] = fields
    return JSONResponse(body, status, headers=dict(headers or {}))
