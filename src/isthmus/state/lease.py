"""The run lease: at most one isthmus writes to a target.

A session-level advisory lock on a connection of its own shuts out a second isthmus and falls away by itself when the
process or the server dies. A token in `isthmus.run` fences off a holder that lost the lock without noticing: every
batch compares it inside its own transaction.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import uuid

import psycopg

from isthmus.connect.postgres import connect
from isthmus.errors import TargetError
from isthmus.state.migrate import state_exists
from isthmus.state.statements import statement

# Two arbitrary numbers that spell "isth" and "mus1"; advisory locks are per database.
LOCK = (0x69737468, 0x6D757331)


class Lease:
    """The lease of one target, held from `acquire` to `release`.

    Args:
        conninfo: What libpq takes.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.Connection | None = None
        self._mutex = threading.Lock()
        self._run: int | None = None
        self.token = uuid.uuid4()
        self.holder = f"{socket.gethostname()} pid {os.getpid()}"

    @property
    def connection(self) -> psycopg.Connection:
        """The connection that holds the lock, in autocommit mode; for the main thread only."""
        if self._connection is None:
            raise TargetError("The run lease is not held.", code="lease-not-held")
        return self._connection

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            TargetError: Another isthmus holds it (code `lease-held`), or the server cannot be reached.
        """
        connection = connect(self._conninfo, autocommit=True)
        row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK).fetchone()
        if row and row[0]:
            self._connection = connection
            return
        holder = "unknown"
        if state_exists(connection):
            last = connection.execute(statement("run", "lease_holder")).fetchone()
            holder = str(last[0]) if last else holder
        connection.close()
        raise TargetError(
            f"Another isthmus is writing to this target (last holder: {holder}).",
            code="lease-held",
            hint="Wait for it, or stop it; its work is kept and the same command goes on from there.",
        )

    def adopt(self, run: int) -> None:
        """Write this lease's token into a run, in the caller's place as its only writer. Autocommitted."""
        self._run = run
        self.connection.execute(
            statement("run", "take_lease"), {"run": run, "token": self.token, "holder": self.holder}
        )

    def ensure(self) -> None:
        """Make sure the lock is still held, after any connection loss; safe from several threads.

        Raises:
            TargetError: The server cannot be reached (retryable), or somebody else took the lease meanwhile
                (code `lease-lost`).
        """
        with self._mutex:
            if self._connection is not None:
                try:
                    self._connection.execute("SELECT 1")
                except psycopg.Error:
                    with contextlib.suppress(psycopg.Error):
                        self._connection.close()
                    self._connection = None
                else:
                    return
            self.acquire()
            if self._run is not None:
                row = self.connection.execute(
                    "SELECT lease_token = %s FROM isthmus.run WHERE id = %s", (self.token, self._run)
                ).fetchone()
                if not row or not row[0]:
                    raise TargetError("Another isthmus took over this run.", code="lease-lost")

    def assert_held(self, connection: psycopg.Connection, run: int) -> None:
        """Compare the token inside the caller's transaction; holds the run row until its end.

        Raises:
            TargetError: Another isthmus took over (code `lease-lost`).
        """
        row = connection.execute(statement("run", "check_lease"), {"run": run, "token": self.token}).fetchone()
        if not row or not row[0]:
            raise TargetError("Another isthmus took over this run.", code="lease-lost")

    def release(self) -> None:
        """Let the lock go by closing its connection. Safe to repeat."""
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
