"""The application: its routes, what guards them, and what it opens."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from . import health
from .auth import routes as auth
from .errors import RESPONSES, add_handlers
from .guards import BodyLimit, OriginCheck
from .headers import Headers
from .pages import routes as pages
from .profiles import routes as profiles
from .resources import opened
from .settings import Settings

_ROUTERS = (auth.router, profiles.router)


def create_app(settings: Settings) -> FastAPI:
    """Return the application for some settings; it opens its databases when it is started."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with opened(settings) as resources:
            app.state.resources = resources
            yield

    app = FastAPI(
        title="Pana MIA",
        version="1",
        description="People, profiles, articles, mentoring and notifications, over PostgreSQL and MongoDB.",
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
    )
    add_handlers(app)
    app.include_router(health.router)
    app.include_router(pages.router)
    for router in _ROUTERS:
        app.include_router(router, responses=RESPONSES)
    app.add_middleware(OriginCheck, settings=settings)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(Headers, is_secure=settings.is_secure)
    return app
