"""Runs the `isthmus` command in this process and notes when it reached each named stage.

Run as `python -m bench.observed NOTES [--record] [--end-at STAGE] -- copy MAPPING …`; NOTES becomes a JSON file with

* `marks`: stage → seconds of the monotonic clock, processor time of this process so far and, with `--server PID`, of
  the server so far, for the stages that begin and end the phases of a copy; where one is reached several times the
  last time counts,
* `high_water_bytes`: the kernel's own peak of this process's resident memory (VmHWM),
* with `--record`, `finish`: the SQL that finish executed on the mapping's tables; see `Recorder`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bench.process import high_water_bytes, tree_cpu_seconds

MARKED = (
    "begin.after-commit",
    "copy.partition-done",
    "copy.complete",
    "finish.before-complete",
    "complete.after-commit",
)


class Recorder:
    """Collects the statements of finish that name a table of the target schema.

    Finish works in groups; the works of a group run side by side, each on a connection of its own, and its statements
    one after the other. So the record is a list of groups, a group a list of works, a work a list of statements.
    """

    def __init__(self, schema: str) -> None:
        self.active = False
        self._mark = f'"{schema}".'
        self._mutex = threading.Lock()
        self._group = 0
        self._groups: dict[int, dict[int, list[str]]] = {}

    def install(self) -> None:
        """Listen to every statement of psycopg, and to where finish begins its groups."""
        import psycopg

        from isthmus.transfer.hands import Hands

        execute, run_all, run_one, inside = psycopg.Cursor.execute, Hands.all, Hands.do, threading.local()

        def listened(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:
            if self.active:
                self._note(cursor.connection, query, params)
            return execute(cursor, query, params, **options)

        def grouped(hands: Any, works: Any) -> Any:
            self._group += 1
            return run_all(hands, list(works))

        def single(hands: Any, name: str, work: Any) -> Any:
            if threading.current_thread() is threading.main_thread():
                self._group += 1
            return run_one(hands, name, work)

        inside.depth = 0
        psycopg.Cursor.execute = listened  # type: ignore[method-assign]
        Hands.all = grouped  # type: ignore[method-assign]
        Hands.do = single  # type: ignore[method-assign]

    def _note(self, connection: Any, query: Any, params: Any) -> None:
        import psycopg

        text = psycopg.ClientCursor(connection).mogrify(query, params)
        if self._mark in text:
            with self._mutex:
                self._groups.setdefault(self._group, {}).setdefault(id(connection), []).append(text)

    def groups(self) -> list[list[list[str]]]:
        """Return groups of works of statements, in order."""
        return [list(works.values()) for _, works in sorted(self._groups.items())]


def main() -> None:
    """Run the command; leave with its exit code."""
    parser = argparse.ArgumentParser(description="Run isthmus and note its stages.")
    parser.add_argument("notes", type=Path)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--server", type=int, metavar="PID", help="also note this server's processor time")
    parser.add_argument("--end-at", metavar="STAGE", help="leave at once when this stage is reached")
    parser.add_argument("command", nargs="+", help="after --: the arguments of isthmus")
    arguments = parser.parse_args()
    marks: dict[str, dict[str, float]] = {}
    recorder = Recorder("public") if arguments.record else None
    if recorder is not None:
        recorder.install()

    def leave() -> None:
        notes = {
            "marks": marks,
            "high_water_bytes": high_water_bytes(os.getpid()),
            "finish": recorder.groups() if recorder is not None else None,
        }
        arguments.notes.write_text(json.dumps(notes), encoding="utf-8")

    def reached(stage: str) -> None:
        if stage in MARKED:
            server = tree_cpu_seconds(arguments.server) if arguments.server else 0.0
            marks[stage] = {"at": time.monotonic(), "cpu": time.process_time(), "server_cpu": server}
        if recorder is not None and stage in {"copy.complete", "finish.before-complete"}:
            recorder.active = stage == "copy.complete"
        if stage == arguments.end_at:
            leave()
            os._exit(0)

    from isthmus.cli.main import main as isthmus
    from isthmus.work.stages import listeners

    listeners.append(reached)
    sys.argv = ["isthmus", *arguments.command]
    try:
        isthmus()
    finally:
        leave()


if __name__ == "__main__":
    main()
