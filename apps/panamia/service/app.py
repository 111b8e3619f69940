"""The application: its routes, what guards them, and what it opens."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ..web.errors import RESPONSES, add_handlers
from ..web.shield import shield
from ..web.summaries import take_summaries
from . import health
from .articles import routes as articles
from .articles import routes_together as articles_together
from .auth import confirming
from .auth import routes as auth
from .cleaning import cleaned_up
from .doubts import doubts_of
from .mentoring import routes as mentoring
from .mongo import add_handlers as add_mongo_handlers
from .notifications import routes as notifications
from .notifications.sending import mail_sent
from .pages import routes as pages
from .profiles import directory, screenname_routes
from .profiles import routes as profiles
from .profiles.preparing import prepared
from .resources import opened
from .settings import Settings

_log = logging.getLogger("panamia")
_ROUTERS = (
    auth.router,
    confirming.router,
    articles.router,
    articles_together.router,
    mentoring.router,
    notifications.router,
    profiles.router,
    directory.router,
    screenname_routes.router,
)


def create_app(settings: Settings) -> FastAPI:
    """Return the application for some settings; it opens its databases when it is started."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        for doubt in doubts_of(settings):
            _log.warning("look at the settings: %s", doubt)
        async with opened(settings) as resources, prepared(resources), mail_sent(resources), cleaned_up(resources):
            app.state.resources = resources
            yield

    app = FastAPI(
        title="Pana MIA",
        version="1",
        description="People, profiles, articles, mentoring and notifications, over PostgreSQL and MongoDB.",
        lifespan=lifespan,
        docs_url=None,  # web/pages/docs.html has it, without scripts from elsewhere
        redoc_url=None,
    )
    add_handlers(app)
    add_mongo_handlers(app)
    for router in (health.router, *_ROUTERS):
        take_summaries(router)
    app.include_router(health.router)
    app.include_router(pages.router)
    for router in _ROUTERS:
        app.include_router(router, responses=RESPONSES)
    shield(app, settings, sent=["if-match"], read=["etag"])
    return app
