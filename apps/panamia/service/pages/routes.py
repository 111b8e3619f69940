"""The pages, and what a browser is told about them: nothing runs on one that is not ours, also on that of the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
PAGES = {
    "/": "home.html",
    "/signin": "signin.html",
    "/confirm-sign-in": "confirm.html",
    "/confirm-address": "confirm.html",
    "/settings": "settings.html",
    "/docs": "docs.html",
    **{
        f"/pages/{name}": name for name in ("home.js", "signin.js", "confirm.js", "settings.js", "docs.js", "style.css")
    },
}
"""Path → file. To `/confirm-…` mailed links lead, which a button sends back; to `/settings` mail of notifications."""


def _sending(name: str) -> Callable[[], Awaitable[Response]]:
    async def send() -> Response:
        return Response((_FOLDER / name).read_bytes(), media_type=_KINDS[Path(name).suffix], headers=_HEADERS)

    return send


for _path, _name in PAGES.items():
    router.add_api_route(_path, _sending(_name), methods=["GET"])
