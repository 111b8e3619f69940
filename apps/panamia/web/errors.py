"""What a request is refused with, and the one shape of every refusal: `{"error": …}`, with a `code` where one helps."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from isthmus.connect.postgres import explain

from .faults import Meaning, constraint_of, meaning_of

_log = logging.getLogger("panamia")
_WORDS = {404: "Not found", 405: "Method not allowed"}
_WRONG = "Something went wrong here"
_TOLD: Mapping[Meaning, tuple[int, str, str, int]] = {
    "away": (503, "PostgreSQL does not answer", "postgres-away", 1),
    "busy": (503, "Others hold what this needs; try again", "busy", 1),
    "slow": (503, "PostgreSQL takes too long for this; try again later", "too-slow", 5),
    "faster": (409, "Somebody was faster; look, then try again", "conflict", 0),
}
"""What an error of PostgreSQL means → status, sentence, code, and after how many seconds to come again."""
_MOST_FIELDS, _LONGEST_FIELD = 20, 100
_OURS = Path(__file__).parents[1]


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


class UnsureError(Exception):
    """A transaction may be committed, or has written elsewhere what it cannot take back. Its cause is a DBAPIError.

    The answer has no `Retry-After`: a program that obeys one would send the same again without a look.
    """


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
        503: "A database is away, busy or too slow, or it is not known what was done",
    }.items()
}
"""What every route may answer, for its OpenAPI."""


def add_handlers(app: FastAPI, constraints: Mapping[str, RefusedError] | None = None) -> None:
    """Let the application answer every error in the one shape.

    Args:
        app: The application.
        constraints: What the database refuses in the name of a constraint, by that name, and how it is told.
    """
    foreseen = dict(constraints or {})

    @app.exception_handler(RefusedError)
    async def _refused(_: Request, fault: RefusedError) -> JSONResponse:
        return _told(fault)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, fault: HTTPException) -> JSONResponse:
        return answer(fault.status_code, _WORDS.get(fault.status_code, str(fault.detail)), headers=fault.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, fault: RequestValidationError) -> JSONResponse:
        fields = [
            {"field": _path(one["loc"]), "error": _sound(one["msg"].removeprefix("Value error, "))}
            for one in fault.errors()[:_MOST_FIELDS]
        ]
        return answer(422, "The request is not of this form", "invalid", fields=fields)

    @app.exception_handler(PoolTimeout)
    async def _crowded(_: Request, __: PoolTimeout) -> JSONResponse:
        _log.warning("no connection to PostgreSQL was free in time: more requests at once than POOL_SIZE can answer")
        words = "There is too much to do at this moment; try again"
        return answer(503, words, "overloaded", headers={"Retry-After": "1"})

    @app.exception_handler(DBAPIError)
    async def _database(_: Request, fault: DBAPIError) -> JSONResponse:
        refused = foreseen.get(constraint_of(fault) or "")
        if refused is not None:
            return _told(refused)
        meaning, words = meaning_of(fault), _words_of(fault)
        if meaning == "wrong":
            _log.error("a statement failed: %s, at %s", words, _places(fault))
            return answer(500, _WRONG)
        status, told, code, seconds = _TOLD[meaning]
        _log.warning("%s: %s", code, words)
        return answer(status, told, code, headers={"Retry-After": str(seconds)} if seconds else {})

    @app.exception_handler(UnsureError)
    async def _unsure(_: Request, fault: UnsureError) -> JSONResponse:
        _log.warning("postgres-unsure: %s", _words_of(fault.__cause__))
        return answer(503, "It is not known whether this was done; look first, then ask again", "postgres-unsure")


def _told(refused: RefusedError) -> JSONResponse:
    return answer(refused.status, refused.error, refused.code, headers=refused.headers)


def _words_of(fault: BaseException | None) -> str:
    """Return what an error of PostgreSQL says without its values, which its text may hold."""
    found = fault.orig if isinstance(fault, DBAPIError) else None
    return explain(found, values=False) if isinstance(found, psycopg.Error) else type(fault).__name__


class Unforeseen:
    """Answer 500 to what nobody has foreseen. The log says of which kind it is, and where: its text may hold values."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as fault:  # noqa: BLE001  whatever it is
            what = "what follows an answer failed" if begun else "a request failed"
            _log.error("%s: %s, at %s", what, type(fault).__name__, _places(fault))
            if not begun:
                await answer(500, _WRONG)(scope, receive, send)


def _places(fault: BaseException) -> str:
    """Return the lines of the service that an error came through, the innermost last."""
    ours: list[str] = []
    for one in traceback.extract_tb(fault.__traceback__):
        path = Path(one.filename)
        if path.is_relative_to(_OURS):
            ours.append(f"{path.relative_to(_OURS)}:{one.lineno}")
    return " > ".join(ours[-6:]) or "?"


def _path(place: tuple[int | str, ...]) -> str:
    return _sound(".".join(str(part) for part in place[1:]) or str(place[0]))


def _sound(text: str) -> str:
    """Return a text that an answer can hold: people's own names of fields are of any length, with halves of letters."""
    return text[:_LONGEST_FIELD].encode(errors="replace").decode()


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
