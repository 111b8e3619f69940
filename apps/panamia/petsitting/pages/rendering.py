"""Pages made of templates: all that comes from people is escaped, and nothing runs on a page that is not ours."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import RedirectResponse, Response

from ...web.cookies import token_of
from ...web.pages.files import POLICY
from ...web.sessions import Signed
from ..resources import Resources
from .words import word_of, words_of

FOLDER = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals.update(words_of=words_of, word_of=word_of)  # pyright: ignore[reportUnknownMemberType]
_UNAUTHORIZED = 401


def page(name: str, asker: Signed | None, main_url: str, status: int = 200, **what: Any) -> Response:
    """Return a page.

    Args:
        name: Of its template.
        asker: Who looks.
        main_url: Where people sign in.
        status: Of HTTP.
        **what: What it shows; a name that it needs and is not given is an error.
    """
    return _rendered(name, status, asker=asker, main_url=main_url, **what)


class PageRoute(APIRoute):
    """The route of a page. What it refuses is a page, with the words that programs get; nobody is sent to sign in."""


def refuse_in_pages(app: FastAPI) -> None:
    """Let refusals of page routes be pages: to be called when the application has all its handlers.

    Handlers stand around the dependencies of a route, so the transaction of what is refused is rolled back by then.
    """
    for kind, handler in app.exception_handlers.items():
        app.exception_handlers[kind] = _in_pages(handler)


def _in_pages(handler: Callable[[Any, Any], Any]) -> Callable[[Request, Exception], Coroutine[Any, Any, Response]]:
    async def told(request: Request, fault: Exception) -> Response:
        found = handler(request, fault)
        answer = cast("Response", await found if inspect.isawaitable(found) else found)
        return _refused(request, answer) if isinstance(request.scope.get("route"), PageRoute) else answer

    return told


def _refused(request: Request, answer: Response) -> Response:
    """Return the page of what programs are told."""
    settings = cast("Resources", request.app.state.resources).settings
    if answer.status_code == _UNAUTHORIZED:
        return RedirectResponse(f"{settings.main_url}/signin", 303)
    body = json.loads(bytes(answer.body))
    refused = _rendered(
        "refused.html",
        answer.status_code,
        asker=token_of(request.cookies, is_secure=settings.is_secure),
        main_url=settings.main_url,
        status=answer.status_code,
        error=body["error"],
        fields=body.get("fields"),
        again="Retry-After" in answer.headers,
    )
    for name in {*answer.headers} - {"content-type", "content-length"}:  # Retry-After, Allow
        refused.headers[name] = answer.headers[name]
    return refused


def _rendered(name: str, status_code: int, **what: Any) -> Response:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    text = _TEMPLATES.get_template(name).render(**what)
    return Response(text, status_code, media_type="text/html", headers=headers)
