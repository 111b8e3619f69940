"""A PostgreSQL that a service starts itself, in a folder that is gone behind it: for trying out, and for tests."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from isthmus.connect.target import open_target
from isthmus.errors import ConfigError

from .settings import WebSettings

_HOME = Path(__file__).parents[1]


@contextmanager
def postgres_of(settings: WebSettings) -> Generator[str]:
    """Return a connection string, which may hold a password; an embedded server runs as long as the block.

    Raises:
        ConfigError: The migrations cannot be applied to an embedded one (code `embedded-start`).
        TargetError: It does not start.
    """
    if settings.use_memory_postgres:
        with embedded_postgres() as (conninfo, _):
            yield conninfo
    else:
        yield settings.postgres_url.get_secret_value() if settings.postgres_url else ""


@contextmanager
def embedded_postgres() -> Generator[tuple[str, str]]:
    """An embedded PostgreSQL with all schemas: its connection string, and the same as commands of Isthmus take it."""
    with tempfile.TemporaryDirectory(prefix="panamia-postgres-") as folder:
        address = f"embedded:{folder}"
        with open_target(address, create=True) as target:
            deploy(address)
            yield target.conninfo, address


def deploy(target: str) -> None:
    """Apply the migrations of all schemas of `isthmus.toml`, in their order.

    Raises:
        ConfigError: One cannot be applied (code `embedded-start`); the message holds why.
    """
    isthmus(target, "schema", "deploy")


def isthmus(target: str, *words: str) -> None:
    """Run a command of Isthmus on a target, with nothing of the environment that names another one.

    Raises:
        ConfigError: It fails (code `embedded-start`); the message holds why.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "POSTGRES_"))}
    environment["DATABASE_URL"] = target
    ran = subprocess.run(  # noqa: S603 - our own parts
        [sys.executable, "-m", "isthmus", *words],
        cwd=_HOME,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        told = ran.stderr.strip()[-500:]
        raise ConfigError(f"isthmus {' '.join(words)} ended with {ran.returncode}: {told}", code="embedded-start")
