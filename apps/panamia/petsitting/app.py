"""The application: its routes, what guards them, what it opens, and what it does of itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI

from ..web import health
from ..web.resources import opened
from ..web.shield import shield
from ..web.summaries import take_summaries
from .bookings import routes as bookings
from .bookings.sweeping import swept
from .calendars import routes as calendars
from .listings import routes as listings
from .listings import routes_of_parts as parts_of_listings
from .pages import offering
from .pages import routes as pages
from .pages.rendering import refuse_in_pages
from .refusals import RESPONSES, add_handlers
from .resources import Resources
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
        docs_url=None,  # web/pages/docs.html has it, without scripts from elsewhere
        redoc_url=None,
    )
    add_handlers(app)
    refuse_in_pages(app)
    for router in (health.router, *_ROUTERS):
        take_summaries(router)
    app.include_router(health.router)
    app.include_router(pages.router)
    app.include_router(offering.router)
    for router in _ROUTERS:
        app.include_router(router, responses=RESPONSES)
    shield(app, settings)
    return app
