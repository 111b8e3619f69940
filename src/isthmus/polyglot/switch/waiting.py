"""A statement that may wait or work long: a stop cancels it, and who holds it up is found out while it waits."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from isthmus.state.statements import statements
from isthmus.work.interrupted import Interrupted

_LOOK_AGAIN_SECONDS = 0.2
_CANCEL_SECONDS = 5.0


@contextmanager
def ended_by(stop: threading.Event, connection: psycopg.Connection[Any]) -> Generator[None]:
    """Cancel what the server does for a connection from the moment that a stop is set, while the block lasts.

    Raises:
        Interrupted: It was set, and a statement was cancelled.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            if stop.wait(_LOOK_AGAIN_SECONDS):
                with suppress(psycopg.Error):  # the statement ends by itself when the server is gone
                    connection.cancel_safe(timeout=_CANCEL_SECONDS)
                done.wait(_LOOK_AGAIN_SECONDS)  # who was between two statements begins another

    watching = threading.Thread(target=watch, name="isthmus-switch-stop", daemon=True)
    watching.start()
    try:
        yield
    except psycopg.errors.QueryCanceled:
        if stop.is_set():
            raise Interrupted from None
        raise
    finally:
        done.set()
        watching.join()


class Blockers:
    """Who a session waits for, asked again and again while a block lasts.

    Args:
        connection: Another one, which nobody uses meanwhile; in autocommit mode.
        pid: The server process of the session that waits.
    """

    def __init__(self, connection: psycopg.Connection[Any], pid: int) -> None:
        self._connection, self._pid = connection, pid
        self._named: list[str] = []

    @property
    def names(self) -> str:
        """Those who were found last; empty where nobody was."""
        return ", ".join(self._named)

    @contextmanager
    def looking(self, *, wait_seconds: float) -> Generator[None]:
        """Look while the block lasts, which is not longer than so many seconds."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(min(_LOOK_AGAIN_SECONDS, wait_seconds / 5)):
                try:
                    self._named = self._asked() or self._named
                except psycopg.Error:
                    return  # the connection is lost: it only looks

        looking = threading.Thread(target=look, name="isthmus-switch-blockers", daemon=True)
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()

    def _asked(self) -> list[str]:
        query = statements("move", "isthmus.polyglot.switch")["blockers"]
        rows = self._connection.execute(query, {"pid": self._pid}).fetchall()
        return [
            f"{name} (pid {pid}, {seconds:.0f} s)" if pid else "a prepared transaction (pg_prepared_xacts)"
            for pid, name, seconds in rows
        ]
