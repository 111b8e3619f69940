"""Fixtures that give a real MongoDB wire server, and databases on it.

`MONGODB_TEST_URL` (of a server where databases may be made and dropped) takes the place of the server of the package
`secantusdb`, which is started as a process of its own and never imported. Without either the tests are skipped. Tests
that kill the server, or make it fail on purpose, always need a server of their own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.fix_postgres import free_port

PROGRAM = Path(sys.executable).with_name("secantusd-py")
_STARTED_WITHIN_SECONDS = 60
# So that a client sees at once that a server is back.
_OPTIONS = "heartbeatFrequencyMS=500&serverSelectionTimeoutMS=5000"


@dataclass
class WireServer:
    """A server of the tests' own, on a loopback port, whose data stay over a restart.

    Attributes:
        folder: Where its data and its log lie.
        arguments: Further arguments of its command line.
        options: Further options of its URL.
    """

    folder: Path
    arguments: tuple[str, ...] = ()
    options: str = ""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """URL without a database."""
        return f"mongodb://127.0.0.1:{self.port}/?{_OPTIONS}{f'&{self.options}' if self.options else ''}"

    @property
    def running(self) -> bool:
        """Whether it was started and not ended."""
        return self._process is not None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [str(PROGRAM), "--host", "127.0.0.1", "--port", str(self.port), "--log-level", "WARNING"]
        command += ["--storage-path", str(self.folder / "data"), *self.arguments]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        give_up_at = time.monotonic() + _STARTED_WITHIN_SECONDS
        while True:
            try:
                with MongoClient[dict[str, Any]](self.url, serverSelectionTimeoutMS=500) as client:
                    client.admin.command("hello")
                return
            except PyMongoError:
                log_text = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")
                assert self._process.poll() is None, log_text
                assert time.monotonic() < give_up_at, log_text
                time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as a crash would. Safe to repeat."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order, so that everything is on disk. Safe to repeat.

        A server that does not end by itself is killed: what it answered for is in its journal.
        """
        try:
            self._end(signal.SIGTERM)
        except subprocess.TimeoutExpired:
            self._end(signal.SIGKILL)

    def client(self) -> MongoClient[dict[str, Any]]:
        """Return a new client; the caller closes it."""
        return MongoClient(self.url)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it answer nobody as long as the block lasts; its connections stay."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def failing(self, commands: Iterable[str], times: int = 1, **how: Any) -> Iterator[None]:
        """Make commands fail: `errorCode=13`, `closeConnection=True`; needs `--enable-test-commands`."""
        data = {"failCommands": list(commands), **how}
        with self.client() as client:
            client.admin.command({"configureFailPoint": "failCommand", "mode": {"times": times}, "data": data})
            try:
                yield
            finally:
                client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


@dataclass(frozen=True)
class MongoDatabase:
    """A database of a test's own.

    Attributes:
        name: Its name.
        url: URL that names it.
        client: For writing to it.
    """

    name: str
    url: str
    client: MongoClient[dict[str, Any]]

    def write(self, collections: Mapping[str, Iterable[Mapping[str, Any] | bytes]]) -> None:
        """Insert documents, raw BSON or mappings, into collections."""
        for name, documents in collections.items():
            raw = [RawBSONDocument(one) if isinstance(one, bytes) else one for one in documents]
            self.client[self.name].create_collection(name)
            if raw:
                self.client[self.name][name].insert_many(raw)  # pyright: ignore[reportArgumentType]


def needs_wire_server() -> None:
    """Skip the test where there is no program to start."""
    if not PROGRAM.exists():
        pytest.skip("no MongoDB wire server here: install the package secantusdb (make setup does)")


def database_url(url: str, name: str) -> str:
    """Return a server's URL with a database in it, which is not the one that a user logs in to."""
    head, _, options = url.partition("?")
    scheme, _, rest = head.partition("://")
    host = rest.partition("/")[0]
    if "@" in host and "authsource=" not in options.lower():
        options = "&".join(filter(None, (options, "authSource=admin")))
    return f"{scheme}://{host}/{name}" + (f"?{options}" if options else "")


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server for this session: the given one, or a wire server started now."""
    given = os.environ.get("MONGODB_TEST_URL")
    if given:
        yield given
        return
    needs_wire_server()
    server = WireServer(tmp_path_factory.mktemp("mongo"))
    server.start()
    try:
        yield server.url
    finally:
        server.kill()


@pytest.fixture
def make_mongo(mongo_server: str) -> Iterator[Callable[[], MongoDatabase]]:
    """Return a function that makes databases, dropped after the test. Their names are not plain words, on purpose."""
    with MongoClient[dict[str, Any]](mongo_server) as client:
        made: list[str] = []

        def make() -> MongoDatabase:
            made.append(f"t-{secrets.token_hex(4)}-ü'%")
            return MongoDatabase(made[-1], database_url(mongo_server, _quoted(made[-1])), client)

        yield make
        for name in made:
            client.drop_database(name)


@pytest.fixture
def mongo(make_mongo: Callable[[], MongoDatabase]) -> MongoDatabase:
    """Return a database of this test's own."""
    return make_mongo()


@pytest.fixture
def own_mongo(tmp_path: Path) -> Iterator[WireServer]:
    """Return a wire server of this test's own, to be killed, restarted or made to fail."""
    needs_wire_server()
    folder = tmp_path / "own-mongo"
    folder.mkdir()
    server = WireServer(folder, ("--enable-test-commands",))
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")
