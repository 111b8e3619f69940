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

from isthmus.connect.pooled import refuse_pooled
from isthmus.connect.postgres import connect
from isthmus.errors import TargetError
from isthmus.state.last_transaction import last_transaction_over
from isthmus.state.statements import statement

# Two arbitrary numbers that spell "isth" and "mus1"; advisory locks are per database.
LOCK = (0x69737468, 0x6D757331)
_TRIES = 3
"""Looks at a lock whose holder is gone each time before it can be named."""


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
            TargetError: Another isthmus holds it (code `lease-held`), the server cannot be reached, or the address
                leads to a pooler in transaction mode (`pooled-connection`).
        """
        with contextlib.ExitStack() as unless_held:
            connection = connect(self._conninfo, autocommit=True)
            unless_held.callback(connection.close)
            refuse_pooled(connection, self._conninfo)
            holder = {"class": LOCK[0], "object": LOCK[1]}
            found = None
            for _ in range(_TRIES):
                row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK).fetchone()
                if row and row[0]:
                    # what a refused second isthmus reads, also before there is a run
                    named = (f"isthmus {self.holder}"[:63],)
                    connection.execute("SELECT set_config('application_name', %s, false)", named)
                    unless_held.pop_all()
                    self._connection = connection
                    return
                found = connection.execute(statement("run", "lease_holder"), holder).fetchone()
                if found is not None:
                    break
        raise TargetError(
            f"Another isthmus is writing to this target (holder: {found[0] if found else 'just gone'}).",
            code="lease-held",
            hint="Wait for it, or stop it; its work is kept and the same command goes on from there.",
        )

    def adopt(self, run: int) -> None:
        """Write this lease's token into a run, in the caller's place as its only writer. Committed.

        Waits for the last transaction of the holder before, which the server may still be ending.

        Raises:
            TargetError: That transaction does not end (code `lease-held`).
        """
        self._run = run
        connection = self.connection
        with last_transaction_over(connection, f"of the isthmus that wrote to run {run} before"):
            connection.execute(statement("run", "take_lease"), {"run": run, "token": self.token, "holder": self.holder})

    def ensure(self) -> None:
        """Make sure the lock is still held, after any connection loss; safe from several threads.

        Raises:
            TargetError: The server cannot be reached or has not noticed yet that the old connection is gone
                (retryable), or somebody else took the lease meanwhile (code `lease-lost`).
            psycopg.Error: The server failed on the way; nothing is held then, and the next call looks again.
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
            try:
                self.acquire()
            except TargetError as fault:
                # The token tells a session of ours that the server still holds from another isthmus: only the latter
                # writes its own, and does so before anything else.
                fault.retryable = fault.retryable or fault.code == "lease-held"
                raise
            if self._run is not None:
                try:
                    row = self.connection.execute(
                        "SELECT lease_token = %s FROM isthmus.run WHERE id = %s", (self.token, self._run)
                    ).fetchone()
                    if not row or not row[0]:
                        raise TargetError("Another isthmus took over this run.", code="lease-lost")
                except (psycopg.Error, TargetError):
                    self.release()  # or the next call would find a connection that works, and be content
                    raise

    def assert_held(self, connection: psycopg.Connection, run: int) -> None:
        """Compare the token inside the caller's transaction; holds the run row until its end.

        Raises:
            TargetError: Another isthmus took over (code `lease-lost`).
        """
        row = connection.execute(statement("run", "check_lease"), {"run": run, "token": self.token}).fetchone()
        if not row or not row[0]:
            raise TargetError("Another isthmus took over this run.", code="lease-lost")

    def release(self) -> None:
        """Let the lock go and close its connection. Safe to repeat.

        The lock is given back by name: a server notices a closed connection only a moment later, and the next command
        would be refused in between.
        """
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.execute("SELECT pg_advisory_unlock(%s, %s)", LOCK)
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
