"""How a verification ends early: what the server does for it is cancelled, and whoever computes asks now and then."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from typing import Any

import psycopg

from isthmus.work.interrupted import Interrupted

_AGAIN_SECONDS = 0.2
_CANCEL_SECONDS = 5.0


class Connections:
    """The open connections of a verification. Safe to use from several threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._open: set[psycopg.Connection[Any]] = set()

    def add(self, connection: psycopg.Connection[Any]) -> None:
        """Take one in."""
        with self._mutex:
            self._open.add(connection)

    def close(self, connection: psycopg.Connection[Any]) -> None:
        """Close one, and let go of it."""
        with self._mutex:
            self._open.discard(connection)
        connection.close()

    def cancel(self) -> None:
        """Cancel the statements in hand."""
        with self._mutex:
            some = list(self._open)
        for one in some:  # not under the mutex: a server that is away would hold up those who are done
            with contextlib.suppress(psycopg.Error):  # the statement ends by itself when the server is gone
                one.cancel_safe(timeout=_CANCEL_SECONDS)


@contextlib.contextmanager
def cancelled_by(stop: threading.Event, connections: Connections) -> Generator[None]:
    """Cancel whatever the server does from the moment that `stop` is set, as long as the context lasts."""
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            if stop.wait(_AGAIN_SECONDS):
                connections.cancel()
                done.wait(_AGAIN_SECONDS)  # who was between two statements begins another

    watching = threading.Thread(target=watch, name="isthmus-verify-stop", daemon=True)
    watching.start()
    try:
        yield
    finally:
        done.set()
        watching.join()


def checker(stop: threading.Event) -> Callable[[], None]:
    """Return what raises `Interrupted` once `stop` is set."""

    def check() -> None:
        if stop.is_set():
            raise Interrupted

    return check
