"""The PostgreSQL server of a measurement: embedded, fresh, with stated settings, the same for every contender."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.process import tree_cpu_seconds
from isthmus.connect import embedded


class Server:
    """A running server.

    Attributes:
        settings: What differs from PostgreSQL's defaults.
        version: As the server tells it.
    """

    def __init__(self, running: embedded.EmbeddedServer, settings: Mapping[str, str]) -> None:
        self._running = running
        self._numbers = itertools.count(1)
        self.settings = dict(settings)
        with psycopg.connect(running.conninfo) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        self.version = str(row[0]) if row else "unknown"

    @contextmanager
    def database(self) -> Generator[str, None, None]:
        """Give the connection string of an empty database; drop it afterwards."""
        name = f"bench_{next(self._numbers)}"
        with psycopg.connect(self._running.conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_conninfo(self._running.conninfo, dbname=name)
        finally:
            with psycopg.connect(self._running.conninfo, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def settle(self) -> None:
        """Write everything that is dirty to disk, so that no contender pays for the one before it."""
        with psycopg.connect(self._running.conninfo, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        pid = self._running.pid
        assert pid is not None
        return pid

    def cpu_seconds(self) -> float:
        """Return processor time of all server processes so far, also of those that ended."""
        return tree_cpu_seconds(self.pid)


@contextmanager
def server(settings: Mapping[str, str] | None = None) -> Generator[Server, None, None]:
    """Run a fresh server in a temporary folder; it and its files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="isthmus-bench-") as folder:
        Path(folder).chmod(0o711)  # started by root, the server runs as another user and must get through
        running = embedded.start(Path(folder) / "pg", settings=settings)
        try:
            yield Server(running, settings or {})
        finally:
            running.close()
