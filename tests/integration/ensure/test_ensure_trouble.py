"""MongoDB is away, breaks off, or answers into nothing: what was done counts once, and callers are told in time.

Oracle: the documents behind it. Cannot see: elections; the wire server stands alone.
"""

from __future__ import annotations

import contextlib
import gc
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from isthmus.errors import IsthmusError, SourceError
from isthmus.polyglot.ensure import Belonging, ensure, ensure_indexes
from tests.fix_mongo import WireServer, needs_wire_server
from tests.integration.ensure.faces import Face

BELONGING = Belonging("userId", email="email")
DATABASE = "app"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireServer]:
    """A server that may be made to fail, and ended."""
    needs_wire_server()
    one = WireServer(tmp_path_factory.mktemp("ensure"), ("--enable-test-commands",), "directConnection=true")
    one.start()
    yield one
    one.kill()


@pytest.fixture
def collection(server: WireServer) -> Iterator[Any]:
    """An empty collection of a test's own, with the indexes."""
    if not server.running:
        server.start()
    with server.client() as client:
        made = client[DATABASE][f"people {secrets.token_hex(4)}"]
        ensure_indexes(made, BELONGING)
        yield made


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def own(request: pytest.FixtureRequest, server: WireServer, collection: Any) -> Face:
    """The same, through both faces."""
    return Face(f"{server.url}&retryWrites=false&retryReads=false", DATABASE, collection, bool(request.param))


@pytest.fixture
def leftovers() -> Iterator[None]:
    """Collect what the driver leaves when its loop ends while it connects: a socket, which nobody closed."""
    yield
    gc.collect()


@pytest.mark.parametrize("command", ["find", "listIndexes", "update"])
def test_claim_goes_on_behind_connections_that_break(own: Face, server: WireServer, command: str) -> None:
    own.collection.insert_one({"_id": 1, "email": "a@x"})
    with server.failing([command], times=2, closeConnection=True):
        assert own.ensure(BELONGING, "u1", email="a@x").how == "claimed"
    assert own.there() == [{"_id": 1, "email": "a@x", "userId": "u1"}]


@pytest.mark.parametrize("code", [91, 10107, 11600, 189])
def test_creation_goes_on_behind_errors_that_pass(own: Face, server: WireServer, code: int) -> None:
    made: list[int] = []

    def make() -> dict[str, Any]:
        made.append(1)
        return {"name": "Ann"}

    with server.failing(["insert", "listIndexes"], times=2, errorCode=code):
        assert own.ensure(BELONGING, "u1", create=make).how == "created"
    assert len(own.there()) == len(made) == 1


@pytest.mark.parametrize(("code", "known"), [(13, "source-right"), (18, "source-login"), (121, "ensure-refused")])
def test_errors_that_do_not_pass_are_told_at_once(own: Face, server: WireServer, code: int, known: str) -> None:
    begun = time.monotonic()
    with server.failing(["insert"], errorCode=code), pytest.raises(IsthmusError) as error:
        own.ensure(BELONGING, "u1", create=lambda: {"name": "secret of Ann"})
    assert (error.value.code, error.value.retryable) == (known, False)
    assert error.value.hint
    assert "secret" not in str(error.value)
    assert time.monotonic() - begun < 3
    assert own.there() == []


@pytest.mark.parametrize("answered", ["claimed", "created", "found"])
def test_answer_that_is_lost_is_known_again(server: WireServer, collection: Any, answered: str) -> None:
    if answered == "claimed":
        collection.insert_one({"_id": 1, "email": "a@x"})
    word = {"claimed": b"\x02update\0", "created": b"\x02insert\0", "found": b"\x02find\0"}[answered]
    if answered == "found":
        ensure(collection, BELONGING, "u1", create=dict)
    with _Deaf(server.port, word) as proxy:
        url = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true&retryWrites=false&retryReads=false"
        with MongoClient[dict[str, Any]](url) as client:
            found = ensure(client[DATABASE][collection.name], BELONGING, "u1", email="a@x", create=dict)
        assert proxy.lost == 1
    assert found.how == answered
    assert list(collection.find()) == [found.document]


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.usefixtures("leftovers")
def test_server_that_is_away_is_told_in_time_and_repeated_calls_go_on(own: Face, server: WireServer) -> None:
    own.ensure(BELONGING, "u1", create=dict)
    server.stop()
    begun = time.monotonic()
    with pytest.raises(SourceError) as error:
        own.ensure(BELONGING, "u2", email="a@x", create=dict, timeout_seconds=1)
    assert (error.value.code, error.value.retryable) == ("source-unreachable", True)
    assert str(server.port) in error.value.message
    assert error.value.hint
    assert 0.5 < time.monotonic() - begun < 4
    server.start()
    assert own.ensure(BELONGING, "u1").how == "found"
    assert own.ensure(BELONGING, "u2", create=dict).how == "created"


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.usefixtures("leftovers")
def test_server_that_comes_back_within_the_time_is_waited_for(own: Face, server: WireServer) -> None:
    server.stop()
    back = threading.Timer(0.5, server.start)
    back.start()
    assert own.ensure(BELONGING, "u1", create=dict, timeout_seconds=20).how == "created"
    back.join()
    assert len(own.there()) == 1


def test_password_is_not_in_the_error() -> None:
    url = "mongodb://ann:s3cret@127.0.0.1:9/app?serverSelectionTimeoutMS=200"
    with MongoClient[dict[str, Any]](url) as client, pytest.raises(SourceError) as error:
        ensure(client["app"]["people"], BELONGING, "u1", timeout_seconds=0.5)
    assert "s3cret" not in f"{error.value} {error.value.hint} {error.value.context}"


class _Deaf:
    """Forwards to a server; when a command goes by for the first time, its answer is lost with the connection.

    Args:
        port: Of the server.
        command: What is in the bytes of the command.

    Attributes:
        lost: How many answers were lost.
    """

    def __init__(self, port: int, command: bytes) -> None:
        self._to, self._command = port, command
        self.lost = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> _Deaf:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        _close(self._listening)
        self._threads[0].join(10)
        for one in self._open:
            _close(one)
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *given: Any) -> None:
        self._threads.append(threading.Thread(target=target, args=given))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(client)
            server = socket.create_connection(("127.0.0.1", self._to))
            self._open.append(server)
            deaf = threading.Event()
            self._start(self._forward, client, server, deaf, self._heard)
            self._start(self._forward, server, client, deaf, None)

    def _heard(self, data: bytes, deaf: threading.Event) -> None:
        if self._command in data and not self.lost:
            self.lost += 1
            deaf.set()

    def _forward(self, taken: socket.socket, given: socket.socket, deaf: threading.Event, look: Any) -> None:
        with contextlib.suppress(OSError):
            while data := taken.recv(65536):
                if look is not None:
                    look(data, deaf)
                elif deaf.is_set():
                    break  # the server has answered, so it was done; nobody hears of it
                given.sendall(data)
        for one in (taken, given):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
