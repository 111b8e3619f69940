"""The pages, and what a browser is told about them: nothing runs on one that is not ours, also on that of the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from ...web.pages.files import SHARED, sent

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent
_OWN = {
    "/": "home.html",
    "/signin": "signin.html",
    "/confirm-sign-in": "confirm.html",
    "/confirm-address": "confirm.html",
    "/settings": "settings.html",
    **{f"/pages/{name}": name for name in ("home.js", "signin.js", "confirm.js", "settings.js", "style.css")},
}
PAGES = {path: _FOLDER / name for path, name in _OWN.items()} | SHARED
"""Path → file. To `/confirm-…` mailed links lead, which a button sends back; to `/settings` mail of notifications."""


def _sending(path: Path) -> Callable[[], Awaitable[Response]]:
    async def send() -> Response:
        return sent(path)

    return send


for _path, _file in PAGES.items():
    router.add_api_route(_path, _sending(_file), methods=["GET"])
