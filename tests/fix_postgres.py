"""Fixtures that give real PostgreSQL servers and databases.

`ISTHMUS_TEST_POSTGRES` (a connection string whose role may create databases) takes the place of the embedded server.
Each pytest-xdist worker has its own server.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from isthmus.connect import embedded_files
from isthmus.connect.embedded import EmbeddedServer, start
from tests.places import IN_MEMORY, ON_DISK, short_folder

_PREFIX = "isthmus-test-"
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "listen_addresses": "127.0.0.1",
}
"""Settings for servers whose data dies with the test; `synchronous_commit` stays on: a killed server keeps commits."""


def free_port() -> int:
    """Return a loopback TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def short_directory() -> Path:
    """Make a temporary folder with a path short enough for a socket, passable for the user a server runs as."""
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=short_folder()))
    directory.chmod(0o711)
    return directory


def start_server(directory: Path, **settings: str) -> EmbeddedServer:
    """Start a fast throw-away server in `directory`/pg with TCP on a free loopback port."""
    return start(directory / "pg", settings={**FAST, "port": str(free_port()), **settings})


def create_database(server: str, name: str | None = None) -> str:
    """Create an empty database and return its conninfo. Its name needs quoting everywhere, on purpose."""
    name = name or f"t {secrets.token_hex(4)} \"ü'%"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    return make_conninfo(server, dbname=name)


def drop_database(server: str, conninfo: str) -> None:
    """Drop a database made by `create_database`, cutting whoever is still connected."""
    name = str(conninfo_to_dict(conninfo)["dbname"])
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def until_free(conninfo: str) -> None:
    """Wait until the server has noticed that a process or connection which held an advisory lock is gone."""
    give_up_at = time.monotonic() + 20
    with psycopg.connect(conninfo, autocommit=True) as connection:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        while connection.execute(held).fetchall() != [(0,)]:
            assert time.monotonic() < give_up_at, "somebody still holds one"
            time.sleep(0.02)


def password_url(conninfo: str, password: str) -> str:
    """Create a superuser role with `password` and return the loopback URL that logs in with it.

    The server must listen on 127.0.0.1 and ask for passwords there, as `start_server` makes it. The database in the
    URL is the one of `conninfo`.
    """
    role = f"secret_{secrets.token_hex(4)}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        create = sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}")
        connection.execute(create.format(sql.Identifier(role), sql.Literal(password)))
        row = connection.execute("SELECT current_setting('port'), current_database()").fetchone()
    assert row is not None
    return f"postgresql://{role}:{quote(password, safe='')}@127.0.0.1:{row[0]}/{quote(row[1], safe='')}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Conninfo of a server for this session: the given one, or an embedded PostgreSQL 18 started now."""
    given = os.environ.get("ISTHMUS_TEST_POSTGRES")
    if given:
        yield given
        return
    _clear_abandoned()
    directory = short_directory()
    server = start_server(directory)
    try:
        yield server.conninfo
    finally:
        server.close()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """Conninfo of a fresh database, dropped after the test."""
    conninfo = create_database(postgres)
    yield conninfo
    drop_database(postgres, conninfo)


@pytest.fixture
def make_database(postgres: str) -> Iterator[Callable[[], str]]:
    """Return a function that makes further fresh databases; all are dropped after the test."""
    made: list[str] = []

    def make() -> str:
        made.append(create_database(postgres))
        return made[-1]

    yield make
    for conninfo in made:
        drop_database(postgres, conninfo)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Return a temporary folder with a short path, for servers of a test's own."""
    directory = short_directory()
    yield directory
    _end_server(directory)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def own_server(short_path: Path) -> Iterator[EmbeddedServer]:
    """Return a server of this test's own, to be killed, filled up or restarted."""
    server = start_server(short_path)
    yield server
    server.close()


def _clear_abandoned() -> None:
    """Stop the servers and remove the folders of test sessions that were killed."""
    for directory in (*ON_DISK.glob(f"{_PREFIX}*"), *IN_MEMORY.glob(f"{_PREFIX}*")):
        lock = directory / "pg" / "users.lock"
        if not lock.exists():
            continue
        with lock.open("ab") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            _end_server(directory)
            shutil.rmtree(directory, ignore_errors=True)


def _end_server(directory: Path) -> None:
    """Send an immediate shutdown to every server left in `directory`, whoever started it."""
    for record in directory.glob("*/data/postmaster.pid"):
        pid = embedded_files.recorded_pid(record.parent)
        works_in = Path(f"/proc/{pid}/cwd")
        if pid is not None and works_in.exists() and works_in.readlink() == record.parent:
            os.kill(pid, signal.SIGQUIT)
