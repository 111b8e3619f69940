"""The log of a copy (`--log FILE`): what a run did and every document it could not carry, as lines of JSON.

The ledger in the target is the truth, and the log follows it: each dead letter is one line, written once it is
committed. What a process that died did not write, the next one with the same file adds. So the file has each letter
once, whatever happened. Documents stay in the target; what the mapping calls sensitive is hidden.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.cli.interrupt import STOPPED, is_interruption
from isthmus.cli.log_file import FORMAT, HEAD, LogFile
from isthmus.cli.log_lines import book_facts, error_facts, letter_line, progress_facts
from isthmus.cli.result_files import note_unwritten
from isthmus.connect.secrets import hide
from isthmus.errors import ConfigError, IsthmusError

if TYPE_CHECKING:
    from psycopg import Connection

    from isthmus.cli.sensitive import Sensitive
    from isthmus.transfer.result import Result
    from isthmus.work.progress import Progress

_LOOK_SECONDS = 0.5
_PROGRESS_SECONDS = 60.0
_PATIENCE_SECONDS = 5
"""So long the log waits for a server or a lock; what it cannot read now it reads later."""
_AT_ONCE = 200
"""Letters that are read and written together."""


class RunLog:
    """Writes one session of a copy.

    Args:
        file: The file; None writes nothing at all.
        result: What the copy comes to, filled while it works.
    """

    def __init__(self, file: LogFile | None, result: Result) -> None:
        self._file = file
        self._result = result
        self._run: int | None = None
        self._logged: set[int] = set()
        self._behind = 0
        self._sensitive: Sensitive | None = None
        self._unread: str | None = None

    def begin(self, words: Mapping[str, str]) -> None:
        """Write the head of a new file, and that a session begins."""
        if self._file is None:
            return
        from isthmus import __version__

        if self._file.is_empty:
            documents = "in the target: isthmus letters show LETTER --target TARGET"
            self._file.write([{HEAD: FORMAT, "at": _now(), "documents": documents}])
        told = {name: hide(text) for name, text in words.items()}
        self._say("session", version=__version__, process=os.getpid(), **told)

    def listen(self, progress: Progress) -> None:
        """Write what the copy tells the person who watches."""
        if self._file is None:
            return
        show = progress.on_note

        def note(text: str) -> None:
            self._say("note", text=hide(text))
            show(text)

        progress.on_note = note

    @contextlib.contextmanager
    def following(self, conninfo: str, progress: Progress) -> Generator[None]:
        """Write stages, progress and dead letters while the block works; behind it every letter is in the file.

        Args:
            conninfo: The target, from which letters are read over a connection of its own, where there are some.
            progress: The live numbers.
        """
        if self._file is None:
            yield
            return
        over = threading.Event()
        follower = threading.Thread(target=self._run_along, args=(conninfo, progress, over), name="isthmus-log")
        follower.start()
        try:
            yield
        finally:
            over.set()
            follower.join()

    def end(self, fault: BaseException | None) -> None:
        """Write what ended the session, and close the file; one that did not take all is told when the command ends."""
        if self._file is None:
            return
        interrupted = fault is not None and is_interruption(fault)
        if fault is not None and not interrupted and not isinstance(fault, SystemExit):
            self._say("error", **error_facts(fault))
        for name, broken in self._result.broken.items():
            self._say("error", collection=name, **error_facts(broken))
        exit_code = STOPPED if interrupted else getattr(fault, "exit_code", 4) if fault else self._result.exit_code
        outcome = self._result.outcome if fault is None else "interrupted" if interrupted else "failed"
        self._say(
            "end",
            outcome=outcome,
            exit_code=exit_code,
            run=self._result.run,
            seconds=round(self._result.seconds, 3),
            **book_facts(self._result),
        )
        self._file.close()
        lost = self._file.lost
        if lost is not None:
            self._unread = (lost.strerror or type(lost).__name__).lower()
        if self._unread is not None:
            note_unwritten(
                self._file.path,
                ConfigError(
                    f"The log {self._file.path} is not whole: {self._unread}.",
                    code="log-cut",
                    hint="The target has every dead letter (isthmus letters list). The same command with this --log"
                    " adds what is missing, once there is room and the server answers.",
                ),
            )

    def _say(self, event: str, **facts: Any) -> None:
        if self._file is not None:
            self._file.write([{"at": _now(), "event": event, **facts}])

    def _run_along(self, conninfo: str, progress: Progress, over: threading.Event) -> None:
        try:
            self._follow(conninfo, progress, over)
        except Exception as fault:  # noqa: BLE001  a thread's last door: the copy goes on, and the end tells
            self._unread = f"{type(fault).__name__}: {hide(str(fault)).rstrip('.')}"

    def _follow(self, conninfo: str, progress: Progress, over: threading.Event) -> None:
        """Look at the copy now and then, and once more when it is over."""
        seen, told_at = ("", "", 0), time.monotonic()
        with contextlib.ExitStack() as stack:
            connection: Connection | None = None
            while True:
                last = over.wait(_LOOK_SECONDS)
                snapshot = progress.snapshot()
                now = (snapshot.stage, snapshot.step, sum(one.dead_letters for one in snapshot.collections))
                if now[0] != seen[0]:
                    self._say("stage", stage=now[0])
                if time.monotonic() - told_at >= _PROGRESS_SECONDS:
                    told_at = time.monotonic()
                    self._say("progress", **progress_facts(snapshot))
                if self._result.run is not None and (last or now != seen):
                    connection = self._catch_up(stack, connection, conninfo, whole=last)
                seen = now
                if last:
                    return

    def _catch_up(
        self, stack: contextlib.ExitStack, connection: Connection | None, conninfo: str, *, whole: bool
    ) -> Connection | None:
        """Write the letters that are committed by now; return the connection, None when the server is away.

        Numbers are drawn before they are committed, so that a smaller one may come later: only the whole ledger, read
        when nobody writes any more, tells that nothing is missing.
        """
        import psycopg
        from psycopg.conninfo import make_conninfo

        from isthmus.connect.postgres import connect, explain

        try:
            if connection is None:
                patient = make_conninfo(conninfo, connect_timeout=_PATIENCE_SECONDS)
                connection = stack.enter_context(contextlib.closing(connect(patient, autocommit=True)))
                connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{_PATIENCE_SECONDS}s",))
            if self._run is None:
                self._begin_run(connection)
                whole = True
            self._write_letters(connection, whole=whole)
        except (psycopg.Error, IsthmusError, OSError) as fault:
            if whole:
                why = explain(fault, values=False) if isinstance(fault, psycopg.Error) else hide(str(fault))
                self._unread = f"dead letters could not be read from the target: {why.rstrip('.')}"
            return None
        self._unread = None
        return connection

    def _begin_run(self, connection: Connection) -> None:
        """Say which run it is, and find out which of its letters an earlier session wrote."""
        from isthmus.cli.sensitive import sensitive_of
        from isthmus.state.reports import require_run

        run = require_run(connection)
        begun = run.started_at.astimezone(UTC).isoformat()
        if self._file is not None:
            self._logged = _letters_in(self._file, run.id, begun)
        self._sensitive = sensitive_of(run)
        self._say("run", run=run.id, begun=begun, resumed=self._result.resumed, schema=run.target_schema)
        self._run = run.id

    def _write_letters(self, connection: Connection, *, whole: bool) -> None:
        from isthmus.state.logged import letter_numbers, letters_to_log

        if self._run is None or self._file is None:
            return
        for page in letter_numbers(connection, self._run, after=0 if whole else self._behind):
            new = [number for number in page if number not in self._logged]
            for at in range(0, len(new), _AT_ONCE):
                letters = letters_to_log(connection, new[at : at + _AT_ONCE])
                self._file.write([letter_line(letter, self._sensitive) for letter in letters])
            self._logged.update(new)
            self._behind = max(self._behind, page[-1])


@contextlib.contextmanager
def run_log(path: Path | None, result: Result, **words: str) -> Generator[RunLog]:
    """Keep the log of one session of a copy, whatever ends it.

    Args:
        path: The file; None keeps no log.
        result: Filled by the copy.
        words: What the session is called: command, mapping, source, target. Secrets in them are hidden.

    Raises:
        ConfigError: As `LogFile`.
    """
    log = RunLog(LogFile(path) if path is not None else None, result)
    log.begin(words)
    try:
        yield log
    except BaseException as fault:
        log.end(fault)
        raise
    log.end(None)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _letters_in(file: LogFile, run: int, begun: str) -> set[int]:
    """Return the numbers of the letters of a run that are in a file, which may hold other targets' runs as well."""
    found: set[int] = set()
    of_run = False
    for line in file.lines():
        if line.get("event") == "run":
            of_run = (line.get("run"), line.get("begun")) == (run, begun)
        elif of_run and line.get("event") == "dead-letter" and isinstance(line.get("letter"), int):
            found.add(line["letter"])
    return found
