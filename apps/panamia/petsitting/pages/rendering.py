"""Pages made of templates: all that comes from people is escaped, and nothing runs on a page that is not ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from ...web.errors import RefusedError
from ..sessions import Signed
from .words import words_of

_FOLDER = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals["words_of"] = words_of  # pyright: ignore[reportArgumentType]
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


def page(name: str, status: int = 200, **what: Any) -> Response:
    """Return a page.

    Args:
        name: Of its template.
        status: Of HTTP.
        **what: What it shows; a name that it needs and is not given is an error.
    """
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return Response(_TEMPLATES.get_template(name).render(**what), status, media_type="text/html", headers=headers)


def refused(fault: RefusedError, asker: Signed | None, main_url: str) -> Response:
    """Return the page of what is not there, or cannot be."""
    return page("refused.html", fault.status, asker=asker, main_url=main_url, error=fault.error)


def file(name: str) -> Response:
    """Return a file of a page as it is."""
    kind = _KINDS[Path(name).suffix]
    return Response((_FOLDER / name).read_bytes(), media_type=kind, headers={"Cache-Control": "no-cache"})
