"""Generated people, moved so far that both databases are in use, and one of them who can sign in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from ..service.auth.links import make_link_token
from ..service.auth.tokens import link_of
from ..service.embedded import Addresses, embedded_servers
from ..service.settings import Settings, read_settings
from ..web.database import open_engine, sessions_of
from .running import run, step

_PHASES = (1, 2, 3, 4)
"""Sign-in, notifications and articles are in PostgreSQL; profiles and the rest live on in MongoDB."""
_WHO = """
SELECT id, email FROM users
WHERE screenname IS NOT NULL AND locked_at IS NULL
ORDER BY (
    SELECT count(*) FROM notifications
    WHERE target = users.id AND NOT read AND (expires_at IS NULL OR expires_at > now())
) DESC, id
LIMIT 2
"""


@dataclass(frozen=True)
class Guest:
    """Who signs in.

    Attributes:
        id: Of the user.
        settings: Of the main service, which lets this person in.
        link: Works once; holds a token.
    """

    id: str
    settings: Settings
    link: str = field(repr=False)


def moved_people(stack: ExitStack, folder: Path, people: int) -> Addresses:
    """Start both servers, and move so many generated people through the first phases.

    Args:
        stack: The servers run until it is closed.
        folder: For what lies beside the databases.
        people: How many.

    Raises:
        IsthmusError: Something does not start, or a phase ends as it should not.
    """
    empty = read_settings({"USE_MEMORY_POSTGRES": "true", "USE_MEMORY_MONGODB": "true"})
    with step("two databases, and the migrations"):
        there = stack.enter_context(embedded_servers(empty))
    with step(f"{people:,} people in MongoDB"):
        more = ["--truth", folder / "truth.json", "--resolutions", folder / "resolutions.yaml"]
        run("apps.panamia.generate", there.mongodb, "--people", people, *more)
    for number in _PHASES:
        with step(f"phase {number}: " + ("references" if number == 2 else "copied, and every document verified")):
            _move(there, folder, number)
    return there


def _move(there: Addresses, folder: Path, number: int) -> None:
    """Run a phase, verify it, and look at what was planted in it."""
    common = ["--resolutions", folder / "resolutions.yaml"]
    run("apps.panamia.phase", *common, "run", number, there=there, fine={0, 1})
    run("apps.panamia.phase", *common, "verify", number, there=there, fine={0, 1})
    told = ["acknowledge", number, "--all", "--reason", "planted by the generator"]
    run("apps.panamia.phase", *common, *told, there=there)


async def invite(there: Addresses, port: int) -> Guest:
    """Choose who signs in at the main service, which will listen on a port."""
    engine = open_engine(there.postgres, 1)
    try:
        async with sessions_of(engine).begin() as db:
            found = await (await db.connection()).exec_driver_sql(_WHO)
            people = {str(row["id"]): str(row["email"]).lower() for row in found.mappings()}
            chosen = await asyncio.to_thread(_with_profile, there, people)
            person, admin = people.pop(chosen), next(iter(people.values()))
            secret = secrets.token_hex(16)
            settings = read_settings(
                {
                    "POSTGRES_URL": there.postgres,
                    "MONGODB_URI": there.mongodb,
                    "AUTH_SECRET": secret,
                    "ADMIN_EMAILS": admin,
                    "PUBLIC_URL": f"http://localhost:{port}",
                    "PORT": str(port),
                }
            )
            link = link_of(settings.public_url, await make_link_token(db, person, secret), person)
            return Guest(chosen, settings, link)
    finally:
        await engine.dispose()


def _with_profile(there: Addresses, people: Mapping[str, str]) -> str:
    """Return the id of the first who has a profile in MongoDB, or of the first where nobody has one."""
    with MongoClient[dict[str, Any]](there.mongodb) as client:
        profiles = client.get_default_database()["profiles"]
        having = {one["userId"] for one in profiles.find({"userId": {"$in": list(people)}, "active": True})}
    return next((key for key in people if key in having), next(iter(people)))
