"""Wait until there may be something to do: somebody enqueued, something is due again, or it is time to look.

Listens where the address is direct. Whether it hears or not, it looks from time to time: a notification that is lost,
with the connection that waited for it, costs seconds and no event.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import psycopg

from isthmus.errors import TargetError
from isthmus.polyglot.outbox.sessions import CHANNEL, open_session

_SLICE_SECONDS = 0.25  # how soon a stop is noticed


class Waking:
    """Waits on a connection of its own.

    Args:
        conninfo: The database's direct address; None where there is none: then it looks only.
        stop: Ends every wait.
    """

    def __init__(self, conninfo: str | None, stop: threading.Event) -> None:
        self._conninfo = conninfo
        self._stop = stop
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Waking:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def begin(self) -> None:
        """Listen from now on, if it can; before a look at the outbox, so that nothing falls between the two."""
        if self._conninfo is None or self._connection is not None:
            return
        try:
            self._connection = open_session(self._conninfo)
            self._connection.execute(f"LISTEN {CHANNEL}")
        except (TargetError, psycopg.Error):
            self._drop()

    def wait(self, seconds: float) -> None:
        """Wait until something is heard, the time is over, or the stop is set."""
        give_up_at = time.monotonic() + seconds
        while not self._stop.is_set() and (rest := give_up_at - time.monotonic()) > 0:
            if self._connection is None:
                self._stop.wait(rest)
                return
            if self._heard(self._connection, min(rest, _SLICE_SECONDS)):
                return

    def _heard(self, connection: psycopg.Connection[Any], seconds: float) -> bool:
        try:
            return any(True for _ in connection.notifies(timeout=seconds, stop_after=1))
        except psycopg.Error:
            self._drop()
            return True

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()
