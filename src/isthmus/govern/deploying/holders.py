"""Who holds what a statement waits for: asked on another connection while it waits."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator

import psycopg

from isthmus.connect.secrets import hide

_MOST_NAMED = 3
_HOLDERS = """
SELECT a.pid, a.application_name, a.usename::text, a.state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::bigint
FROM unnest(pg_catalog.pg_blocking_pids(%s)) AS pid
JOIN pg_catalog.pg_stat_activity a USING (pid)
ORDER BY a.xact_start, a.pid
"""


class Watch:
    """Looks again and again who holds up a session, while the context lasts.

    Args:
        connection: Another one, that nobody uses meanwhile; in autocommit mode.
        pid: The server process of the session.
        seconds: How long between two looks.
        tell: Called with each finding, from a thread.

    Attributes:
        last: What was found last; empty where nobody held it up.
    """

    def __init__(self, connection: psycopg.Connection, pid: int, seconds: float, tell: Callable[[str], None]) -> None:
        self._connection, self._pid, self._seconds, self._tell = connection, pid, seconds, tell
        self._over = threading.Event()
        self.last = ""

    @contextlib.contextmanager
    def looking(self) -> Generator[None]:
        """Look while the block lasts."""
        self._over.clear()
        thread = threading.Thread(target=self._look, name="isthmus-holders", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _look(self) -> None:
        while not self._over.wait(self._seconds):
            try:
                rows = self._connection.execute(_HOLDERS, (self._pid,)).fetchall()
            except psycopg.Error:
                return  # the connection is lost: who uses it next says so
            if rows:
                named = [_holder(*row) for row in rows[:_MOST_NAMED]]
                more = f" and {len(rows) - _MOST_NAMED} more" if len(rows) > _MOST_NAMED else ""
                self.last = "; ".join(named) + more
                self._tell(self.last)


def _holder(pid: int, application: str | None, role: str | None, state: str | None, seconds: int | None) -> str:
    about = [hide(application)] if application else []
    about += [f"role {role}"] if role else []
    about += [state] if state else []
    since = f", for {seconds:,} s" if seconds is not None else ""
    return f"process {pid} ({', '.join(about) or 'unknown'}{since})"
