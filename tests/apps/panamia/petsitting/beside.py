"""The main service beside the sidecar, over the same database."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from apps.panamia.service.app import create_app
from apps.panamia.service.settings import read_settings
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.service.conftest import ORIGIN, SECRET, World
from tests.fix_mongo import database_url


@asynccontextmanager
async def main_service(pets: Pets, mongo: str, folder: Path) -> AsyncIterator[World]:
    """Run it; its mail goes to a folder."""
    name = f"beside-{secrets.token_hex(4)}"
    environment = {
        "POSTGRES_URL": pets.owner,
        "MONGODB_URI": database_url(mongo, name),
        "AUTH_SECRET": SECRET,
        "PUBLIC_URL": ORIGIN,
        "MAIL": f"file:{folder / 'mail'}",
        "MAIL_EVERY_SECONDS": "0",
    }
    settings = read_settings(environment)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        world = World(pets.owner, environment["MONGODB_URI"], settings, app, folder / "mail")
        try:
            yield world
        finally:
            for client in world.clients:
                await client.aclose()
    with MongoClient[dict[str, Any]](mongo) as client:
        client.drop_database(name)
