"""Profiles of a test in either database, put there and read past the routes."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from pymongo import MongoClient

from apps.panamia.service.profiles.rows import RowProfiles
from tests.apps.panamia.service.conftest import World


class Home:
    """Profiles of a test, in one of the two databases."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        if name == "postgres":
            world.rows(
                "INSERT INTO isthmus.switch (collection, home) VALUES ('profiles', 'postgres')"
                " ON CONFLICT (collection) DO UPDATE SET home = excluded.home"
            )

    async def put(self, email: str, **fields: Any) -> Any:
        """Put a document there, and return its id."""
        if self.name == "mongodb":
            document = {"_id": ObjectId(), "email": email, **fields}
            self.world.write("profiles", document)
            return document["_id"]
        async with self.world.app.state.resources.sessions.begin() as session:
            return (await RowProfiles(session).insert({"email": email, **fields})).id

    async def all(self) -> list[dict[str, Any]]:
        """Every document there is."""
        if self.name == "mongodb":
            with MongoClient[dict[str, Any]](self.world.mongodb, tz_aware=True) as client:
                return list(client.get_default_database()["profiles"].find({}, {"_isthmus": 0}).sort("_id", 1))
        async with self.world.app.state.resources.sessions.begin() as session:
            return [one.document for one in await RowProfiles(session).find({}, limit=10_000)]

    async def one(self) -> dict[str, Any]:
        """The only document there is."""
        (found,) = await self.all()
        return found

    def freeze(self) -> None:
        """Freeze profiles, as a switch does."""
        self.world.rows(
            "INSERT INTO isthmus.switch (collection, frozen_at) VALUES ('profiles', now())"
            " ON CONFLICT (collection) DO UPDATE SET frozen_at = now()"
        )
