"""The application: its routes, what guards them, what it opens, and what it does of itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import cast

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from ..service.again import Again
from ..service.errors import Unforeseen
from ..service.errors import add_handlers as add_common_handlers
from ..service.guards import BodyLimit, OriginCheck
from ..service.headers import Headers
from ..service.settings import Settings as ServiceSettings
from ..service.summaries import take_summaries
from . import health
from .bookings import routes as bookings
from .bookings.sweeping import swept
from .calendars import routes as calendars
from .listings import routes as listings
from .listings import routes_of_parts as parts_of_listings
from .pages import routes as pages
from .refusals import RESPONSES, add_handlers
from .resources import Resources, opened
from .settings import Settings

_ROUTERS: tuple[APIRouter, ...] = (
    listings.router,
    parts_of_listings.router,
    bookings.router,
    calendars.router,
)
_BESIDE: tuple[Callable[[Resources], AbstractAsyncContextManager[None]], ...] = (swept,)
"""What is done beside the requests for as long as the application runs: each is entered at its start."""


def create_app(settings: Settings) -> FastAPI:
    """Return the application for some settings; it opens its database when it is started."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            resources = await stack.enter_async_context(opened(settings))
            for work in _BESIDE:
                await stack.enter_async_context(work(resources))
            app.state.resources = resources
            yield

    app = FastAPI(
        title="Pet sitting",
        version="1",
        description="Listings and bookings by the day. People sign in at the main service, whose session counts here.",
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
    )
    add_common_handlers(app)
    add_handlers(app)
    for router in (health.router, *_ROUTERS):
        take_summaries(router)
    app.include_router(health.router)
    app.include_router(pages.router)
    for router in _ROUTERS:
        app.include_router(router, responses=RESPONSES)
    guarded = cast("ServiceSettings", settings)  # of which the guards read what both have
    app.add_middleware(Again)  # the innermost, so that all else is asked once
    app.add_middleware(OriginCheck, settings=guarded)
    app.add_middleware(BodyLimit, settings=guarded)
    if settings.allowed_origins:  # whose pages may also read the answers
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_credentials=True,
            allow_methods=["*"],
            allow_headers=["content-type"],
            expose_headers=["retry-after"],
        )
    app.add_middleware(Unforeseen)
    app.add_middleware(Headers, is_secure=settings.is_secure)
    return app
