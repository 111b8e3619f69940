"""The words of the OpenAPI: the first paragraph of a route's docstring is its summary, the rest its description."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.routing import APIRoute


def take_summaries(router: APIRouter) -> None:
    """Give every route of a router its summary, where it has none; safe to repeat."""
    for route in router.routes:
        if isinstance(route, APIRoute) and route.summary is None:
            first, _, rest = route.description.partition("\n\n")
            route.summary, route.description = " ".join(first.split()).removesuffix("."), rest.strip()
