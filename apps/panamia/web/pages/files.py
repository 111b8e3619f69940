"""Files of pages, and what a browser is told about a page: nothing runs on it that is not ours."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response

FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
SHARED = {"/docs": FOLDER / "docs.html", **{f"/pages/{name}": FOLDER / name for name in ("docs.js", "base.css")}}
"""Path → file, for every service; each has a `/pages/style.css` of its own, which begins with base.css."""
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


def sent(path: Path) -> Response:
    """Return a file of a page as it is."""
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return Response(path.read_bytes(), media_type=_KINDS[path.suffix], headers=headers)
