"""One attempt at a migration, in a session of its own, so that what a migration sets is gone with it.

A statement waits for a lock for a few seconds only, for whoever waits for an exclusive one keeps everybody else waiting
behind it. Meanwhile it is asked who holds that lock.
"""

from __future__ import annotations

from datetime import datetime

import psycopg

from isthmus.connect.secrets import hide
from isthmus.errors import TargetError
from isthmus.govern.deploying.deployer import Deployer
from isthmus.govern.deploying.holders import Watch
from isthmus.govern.migrations.script import Script
from isthmus.govern.sql.refusals import line_of
from isthmus.govern.sql.statements import Statement
from isthmus.govern.sql.transactions import stands_alone
from isthmus.state.deployer_at_work import mark_at_work
from isthmus.state.schema_history import Applied, applied, begin, read_history, step

_LOOK_SECONDS = 0.5


class Attempt:
    """One attempt, on a connection of its own.

    Attributes:
        line: Where the statement that is executed stands, or where in it the server found something.
    """

    def __init__(self, deployer: Deployer, script: Script, connection: psycopg.Connection) -> None:
        self._deployer, self._script, self._connection = deployer, script, connection
        self._statement: Statement | None = None
        self.line: int | None = None
        self._watch: Watch | None = None
        connection.prepare_threshold = None
        connection.add_notice_handler(self._hear)

    @property
    def held_by(self) -> str:
        """Who held the lock that was not to be had, in brackets; empty where nobody was seen."""
        return f" (held by {self._watch.last})" if self._watch is not None and self._watch.last else ""

    def run(self, known: Applied | None, started_at: datetime) -> None:
        """Execute it and write it down.

        Raises:
            TargetError: The history says otherwise by now (code `lease-lost`).
        """
        script, title, deployer = self._script, self._deployer.title, self._deployer
        mark_at_work(self._connection)
        if read_history(self._connection, title).get(script.name.text) != known:
            raise TargetError(
                f"Another deployer came in between, at {script.name.text}.",
                code="lease-lost",
                hint="isthmus schema status tells what is applied; then deploy again.",
            )
        self._wait_for_locks(deployer.lock_seconds)
        row = self._connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
        seconds = min(_LOOK_SECONDS, deployer.lock_seconds / 3)
        self._watch = Watch(deployer.lease.connection, int(row[0]) if row else 0, seconds, deployer.telling.is_held_up)
        with self._watch.looking():
            if script.in_transaction:
                self._as_a_whole(started_at)
            else:
                self._step_by_step(known, started_at)

    def may_be_repeated(self, fault: psycopg.Error) -> bool:
        """Tell whether it failed for a lock, and nothing is there of what failed."""
        busy = isinstance(fault, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected)
        whole = self._statement is not None and _is_all_or_nothing(self._script, self._statement)
        return busy and (self._script.in_transaction or whole)

    def _as_a_whole(self, started_at: datetime) -> None:
        script = self._script
        with self._connection.transaction():
            for number, one in enumerate(script.statements, 1):
                self._execute(one, number)
            self._statement = self.line = None
            # whoever the migration became may not write this
            self._connection.execute("RESET SESSION AUTHORIZATION; RESET ROLE")
            steps = len(script.statements)
            applied(self._connection, self._deployer.title, script.name.text, script.checksum, steps, started_at)

    def _step_by_step(self, known: Applied | None, started_at: datetime) -> None:
        script, title, history = self._script, self._deployer.title, self._deployer.lease.connection
        name, steps = script.name.text, len(script.statements)
        # with other ends of lines it is still the text whose first statements are through
        same = known is not None and script.is_text_of(known.checksum)
        done = begin(history, title, name, known.checksum if known is not None and same else script.checksum, steps)
        for number, one in enumerate(script.statements[:done], 1):
            if _sets(one):  # what it set was gone with the session before
                self._execute(one, number)
        patient = not any(one.begins("SET") and "LOCK_TIMEOUT" in one.words for one in script.statements)
        for number, one in enumerate(script.statements[done:], done + 1):
            # CONCURRENTLY waits for others and keeps nobody waiting; cut short, it leaves an invalid index
            without_end = patient and not _is_all_or_nothing(script, one)
            if without_end:
                self._wait_for_locks(0)
            self._execute(one, number)
            if without_end:
                self._wait_for_locks(self._deployer.lock_seconds)
            step(history, title, name, number)
        applied(history, title, name, script.checksum, steps, started_at)

    def _execute(self, one: Statement, number: int) -> None:
        self._statement, self.line = one, one.line
        self._deployer.telling.executes(self._script, number)
        try:
            self._connection.execute(one.text.encode())
        except psycopg.Error as fault:
            self.line = line_of(fault, one)
            raise

    def _wait_for_locks(self, seconds: float) -> None:
        self._connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{round(seconds * 1000)}ms",))

    def _hear(self, said: psycopg.errors.Diagnostic) -> None:
        severity = said.severity_nonlocalized or said.severity or "NOTICE"
        self._deployer.telling.hears(self._script, severity, hide(" ".join((said.message_primary or "").split())))


def _sets(one: Statement) -> bool:
    """Tell whether a statement sets something for the session, and does nothing else."""
    if one.begins("SELECT"):
        words = [token.word for token in one.tokens]
        return "SET_CONFIG" in words and "FROM" not in words
    return one.begins("SET") or one.begins("RESET")


def _is_all_or_nothing(script: Script, one: Statement) -> bool:
    """Tell whether a statement without a transaction of ours leaves nothing where the server refuses it."""
    return not script.as_one_text and stands_alone(one) is None
