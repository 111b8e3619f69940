"""Servers that the service starts itself, in a folder that is gone behind it: for trying out, and for tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from isthmus.errors import ConfigError

from ..web import embedded as web
from .profiles.stores import COLLECTION
from .settings import Settings

_PROGRAM = Path(sys.executable).with_name("secantusd-py")
_SECONDS = 60


@dataclass(frozen=True)
class Addresses:
    """Where the two databases are.

    Attributes:
        postgres: A connection string; may hold a password.
        target: The same as commands of Isthmus take it.
        mongodb: A URL with the name of the database; may hold a password.
    """

    postgres: str = field(repr=False)
    target: str = field(repr=False)
    mongodb: str = field(repr=False)


@contextmanager
def embedded_servers(settings: Settings) -> Generator[Addresses]:
    """Return where the databases are; those that the settings want embedded run as long as the block.

    Raises:
        ConfigError: What starts a server is not there (`embedded-missing`), or it does not start (`embedded-start`).
        TargetError: PostgreSQL does not start.
    """
    with ExitStack() as stack:
        if settings.use_memory_postgres:
            postgres, target = stack.enter_context(_postgres())
        else:
            postgres = settings.postgres_url.get_secret_value() if settings.postgres_url else ""
            target = settings.postgres_direct_url.get_secret_value() if settings.postgres_direct_url else postgres
        if settings.use_memory_mongodb:
            mongodb = stack.enter_context(_mongodb())
        else:
            mongodb = settings.mongodb_uri.get_secret_value() if settings.mongodb_uri else ""
        yield Addresses(postgres, target, mongodb)


@contextmanager
def _postgres() -> Generator[tuple[str, str]]:
    """An embedded PostgreSQL with all schemas, profiles living in MongoDB."""
    with web.embedded_postgres() as (conninfo, target):
        _prepare(target)
        yield conninfo, target


def deploy(target: str) -> None:
    """Apply the migrations, and enter profiles as living in MongoDB.

    Raises:
        ConfigError: One of it cannot be done (code `embedded-start`); the message holds why.
    """
    web.deploy(target)
    _prepare(target)


def _prepare(target: str) -> None:
    web.isthmus(target, "switch", "prepare", COLLECTION)


@contextmanager
def _mongodb() -> Generator[str]:
    """An embedded MongoDB wire server with an empty database."""
    if not _PROGRAM.exists():
        raise ConfigError(
            "USE_MEMORY_MONGODB needs the MongoDB wire server of the package secantusdb, which is not installed.",
            code="embedded-missing",
            hint="make setup installs it. Or give MONGODB_URI.",
        )
    folder = Path(tempfile.mkdtemp(prefix="panamia-mongodb-"))
    port = _free_port()
    command = [str(_PROGRAM), "--host", "127.0.0.1", "--port", str(port), "--log-level", "WARNING"]
    process = subprocess.Popen(  # noqa: S603 - our own parts
        [*command, "--storage-path", str(folder / "data")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the service, which ends it when nobody needs it any more
    )
    try:
        url = f"mongodb://127.0.0.1:{port}/panamia"
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + _SECONDS
    while True:
        try:
            with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=500) as client:
                client.admin.command("hello")
            return
        except PyMongoError:
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise ConfigError("The MongoDB wire server does not start.", code="embedded-start") from None
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
