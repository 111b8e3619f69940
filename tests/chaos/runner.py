"""Runs the command `isthmus` so that a test can end, stop or watch it at a named instant.

`python -m tests.chaos.runner PLAN ARGUMENT…`: PLAN is JSON, the arguments are those of `isthmus`. Keys of PLAN:

- `log`: a file; gets one line `STAGE` for every instant reached, written before anything happens at it.
- `kill`: [stage, n]: this process ends itself with SIGKILL at the nth occurrence of the stage.
- `statement`: n: it ends itself before the nth thing it sends to the server (statements, COPY, commits).
- `after`: seconds: it ends itself that long after its work began.
- `pause`: [stage, n, flag]: it writes the file FLAG there and waits until the file is gone.
- `worth_rows`: from how many rows on indexes of tables that exist are set aside for the load.
- `lease_seconds`: how long a session waits for the last transaction of the one before.
- `batch_bytes`, `small_bytes`: the smallest batch, and from which size on a collection is split among workers, so that
  little data makes many batches.
- `letters`: most dead letters of one batch of a retry.
- `rewrite`: [bytes, documents]: how much a rewrite of references reads, and plans or puts back, at once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg

from isthmus.cli.main import main
from isthmus.polyglot.rewrite import live as rewrite_live
from isthmus.polyglot.rewrite import run as rewrite_run
from isthmus.polyglot.rewrite import undo as rewrite_undo
from isthmus.state import last_transaction
from isthmus.transfer.beginning import begin
from isthmus.transfer.existing import setting_aside
from isthmus.transfer.letters import passes
from isthmus.work import memory, stages


class _Watch:
    def __init__(self, plan: dict[str, Any]) -> None:
        self._kill = plan.get("kill")
        self._pause = plan.get("pause")
        self._statement = plan.get("statement")
        self._log = os.open(plan["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT) if "log" in plan else None
        self._seen: Counter[str] = Counter()
        self._sent = 0
        self._mutex = threading.Lock()

    def reached(self, stage: str) -> None:
        with self._mutex:
            self._seen[stage] += 1
            number = self._seen[stage]
            if self._log is not None:
                os.write(self._log, f"{stage}\n".encode())
            if self._kill == [stage, number]:
                _end()
        if self._pause and self._pause[:2] == [stage, number]:
            flag = Path(self._pause[2])
            flag.touch()
            while flag.exists():
                time.sleep(0.01)

    def sent(self) -> None:
        with self._mutex:
            self._sent += 1
            if self._log is not None and self._statement is not None:
                os.write(self._log, b"statement\n")
            if self._sent == self._statement:
                _end()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def _count_what_is_sent(watch: _Watch) -> None:
    """Put `watch.sent` before everything psycopg sends: statements of cursors, and BEGIN, COMMIT, SAVEPOINT."""
    for owner, name in ((psycopg.Cursor, "execute"), (psycopg.Cursor, "copy"), (psycopg.Connection, "_exec_command")):
        original = getattr(owner, name)

        def counted(self: Any, *args: Any, _original: Any = original, **named: Any) -> Any:
            watch.sent()
            return _original(self, *args, **named)

        setattr(owner, name, counted)


def _set(module: ModuleType, name: str, value: float) -> None:
    assert hasattr(module, name), f"{module.__name__} has no {name} any more"
    setattr(module, name, value)


def start(plan: dict[str, Any], arguments: list[str]) -> None:
    """Prepare what the plan asks for and run the command; does not return."""
    watch = _Watch(plan)
    stages.listeners.append(watch.reached)
    if "statement" in plan:
        _count_what_is_sent(watch)
    if "batch_bytes" in plan:
        _set(memory, "SMALLEST_BATCH_BYTES", plan["batch_bytes"])
        _set(memory, "LARGEST_BATCH_BYTES", plan["batch_bytes"])
    if "letters" in plan:
        _set(passes, "BATCH_LETTERS", plan["letters"])
    if "rewrite" in plan:
        size, documents = plan["rewrite"]
        _set(rewrite_run, "BLOCK_BYTES", size)
        _set(rewrite_live, "DOCUMENTS", documents)
        _set(rewrite_undo, "DOCUMENTS", documents)
    if "small_bytes" in plan:
        _set(begin, "_SMALL_BYTES", plan["small_bytes"])
    if "worth_rows" in plan:
        _set(setting_aside, "WORTH_ROWS", plan["worth_rows"])
    if "lease_seconds" in plan:
        _set(last_transaction, "LONGEST_SECONDS", plan["lease_seconds"])
    if "after" in plan:
        timer = threading.Timer(plan["after"], _end)
        timer.daemon = True
        timer.start()
    sys.argv = ["isthmus", *arguments]
    main()


if __name__ == "__main__":
    start(json.loads(sys.argv[1]), sys.argv[2:])
