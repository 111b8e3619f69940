"""The pages, and what a browser is told about them."""

from __future__ import annotations

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


def _file(name: str, kind: str) -> Response:
    return Response((_FOLDER / name).read_bytes(), media_type=kind, headers=_HEADERS)


@router.get("/")
async def home() -> Response:
    """Return the page of whoever is signed in."""
    return _file("home.html", "text/html")


@router.get("/signin")
async def sign_in() -> Response:
    """Return the page that asks for an address."""
    return _file("signin.html", "text/html")


@router.get("/confirm-sign-in")
@router.get("/confirm-address")
async def confirm() -> Response:
    """Return the page that a mailed link leads to: a button sends its token back."""
    return _file("confirm.html", "text/html")


@router.get("/pages/confirm.js")
async def confirm_script() -> Response:
    """Return what sends it."""
    return _file("confirm.js", "text/javascript")


@router.get("/pages/home.js")
async def home_script() -> Response:
    """Return what fills the home page."""
    return _file("home.js", "text/javascript")


@router.get("/pages/signin.js")
async def sign_in_script() -> Response:
    """Return what sends the address."""
    return _file("signin.js", "text/javascript")


@router.get("/pages/style.css")
async def style() -> Response:
    """Return how all of them look."""
    return _file("style.css", "text/css")
