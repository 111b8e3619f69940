"""The PostgreSQL of the settings: where one is, or an embedded one that is gone behind it."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager

from isthmus.connect.target import open_target

from ..service.embedded import deploy
from .settings import Settings


@contextmanager
def postgres_of(settings: Settings) -> Generator[str]:
    """Return a connection string, which may hold a password; an embedded server runs as long as the block.

    Raises:
        ConfigError: The migrations cannot be applied to an embedded one (code `embedded-start`).
        TargetError: It does not start.
    """
    if not settings.use_memory_postgres:
        yield settings.postgres_url.get_secret_value() if settings.postgres_url else ""
        return
    with (
        tempfile.TemporaryDirectory(prefix="petsitting-postgres-") as folder,
        open_target(f"embedded:{folder}", create=True) as target,
    ):
        deploy(f"embedded:{folder}")
        yield target.conninfo
