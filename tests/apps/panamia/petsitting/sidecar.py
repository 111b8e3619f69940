"""The sidecar over a database of a test's own, as the role that it has there; requests go to it without a socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from fastapi import FastAPI

from apps.panamia.petsitting.app import create_app
from apps.panamia.petsitting.settings import Settings, read_settings

if TYPE_CHECKING:
    from tests.apps.panamia.petsitting.conftest import Pets

ORIGIN = "http://localhost:3001"


@dataclass
class Sidecar:
    """The application, its database, and browsers.

    Attributes:
        pets: The database.
        settings: What the application was told.
        app: The application.
    """

    pets: Pets
    settings: Settings
    app: FastAPI
    clients: list[httpx.AsyncClient] = field(default_factory=list[httpx.AsyncClient])
    lifespan: Any = None

    async def start(self) -> None:
        """Open what it needs."""
        self.lifespan = self.app.router.lifespan_context(self.app)
        await self.lifespan.__aenter__()

    async def end(self) -> None:
        """Close it, and all browsers."""
        for client in self.clients:
            await client.aclose()
        await self.lifespan.__aexit__(None, None, None)

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """Return a browser: of nobody, or with a session."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        cookies = {"authjs.session-token": token} if token is not None else {}
        client = httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, cookies=cookies, headers={"origin": ORIGIN, **headers}
        )
        self.clients.append(client)
        return client

    def of(self, user: str) -> httpx.AsyncClient:
        """Return a browser of a user."""
        return self.client(self.pets.make_session(user))

    def signed_in(self, **columns: object) -> tuple[str, httpx.AsyncClient]:
        """Make a user with a session; return the id and a browser."""
        user = self.pets.make_user(**columns)  # pyright: ignore[reportArgumentType]
        return user, self.of(user)


def sidecar_of(pets: Pets, *, postgres: str | None = None, **more: str) -> Sidecar:
    """Return the sidecar with further settings, not started yet.

    Args:
        pets: The database.
        postgres: Another way to it than as the role that is the sidecar's.
    """
    settings = read_settings({"POSTGRES_URL": postgres or pets.role, "SWEEP_SECONDS": "0", **more})
    return Sidecar(pets, settings, create_app(settings))
