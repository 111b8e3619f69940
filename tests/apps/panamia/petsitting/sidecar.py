"""The sidecar over a database of a test's own, as the role that it has there; requests go to it without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.panamia.petsitting.app import create_app
from apps.panamia.petsitting.settings import Settings, read_settings
from tests.apps.panamia.sidecars import Running

if TYPE_CHECKING:
    from tests.apps.panamia.petsitting.conftest import Pets

ORIGIN = "http://localhost:3001"


class Sidecar(Running):
    """The application, its database, and browsers.

    Attributes:
        pets: The database.
        settings: What the application was told.
    """

    def __init__(self, pets: Pets, settings: Settings) -> None:
        super().__init__(pets, create_app(settings), ORIGIN)
        self.pets, self.settings = pets, settings
        self._lifespan: Any = None

    async def start(self) -> None:
        """Open what it needs."""
        self._lifespan = self.app.router.lifespan_context(self.app)
        await self._lifespan.__aenter__()

    async def end(self) -> None:
        """Close it, and all browsers."""
        for client in self.clients:
            await client.aclose()
        await self._lifespan.__aexit__(None, None, None)


def sidecar_of(pets: Pets, *, postgres: str | None = None, **more: str) -> Sidecar:
    """Return the sidecar with further settings, not started yet.

    Args:
        pets: The database.
        postgres: Another way to it than as the role that is the sidecar's.
    """
    settings = read_settings({"POSTGRES_URL": postgres or pets.role, "SWEEP_SECONDS": "0", **more})
    return Sidecar(pets, settings)
