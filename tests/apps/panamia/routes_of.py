"""The routes of an application as they are, also those that its OpenAPI hides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

_SCHEMA = "/openapi.json"
"""The one route that FastAPI adds itself."""


def routes_of(app: FastAPI) -> set[str]:
    """Method and path of every route."""
    found = {f"{method} {one.path_format}" for one in _routes(app.routes) for method in one.methods or ()}
    assert described(app) <= found
    return found


def described(app: FastAPI) -> set[str]:
    """Those that its OpenAPI has."""
    paths: dict[str, dict[str, object]] = app.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def _routes(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    for one in routes:
        included = getattr(one, "original_router", None)
        if included is not None:
            yield from _routes(included.routes)
        elif isinstance(one, APIRoute):
            yield one
        else:
            assert getattr(one, "path", None) == _SCHEMA, f"{one!r}: of a kind that is not looked into"
