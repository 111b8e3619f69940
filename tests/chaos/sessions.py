"""Sessions of `isthmus copy` as processes of their own, watched by `tests.chaos.runner`. Every one ends.

They are forked from a process that has loaded isthmus, where that is possible (`tests.forkserver`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.forkserver import Forked, possible

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 120.0


@dataclass(frozen=True)
class Ended:
    """How a session ended.

    Attributes:
        code: Exit code; negative: the signal that ended it.
        text: Standard output and error together.
        stages: How often each stage was reached.
        last: The stage reached last; empty when none was.
        seconds: How long it took, from the start of its process.
    """

    code: int
    text: str
    stages: Counter[str]
    last: str
    seconds: float

    @property
    def words(self) -> str:
        """The text without its line breaks, which depend on the width of the terminal."""
        return " ".join(self.text.split())


@dataclass
class Session:
    """A running session; see `Copy.begin`."""

    process: subprocess.Popen[str] | Forked
    log: Path
    flag: Path
    began: float = field(default_factory=time.monotonic)

    def reached(self) -> list[str]:
        """Return the stages reached so far, in order; with `statement` in the plan, what was sent between them."""
        return self.log.read_text(encoding="ascii").split() if self.log.exists() else []

    def wait_until_paused(self, seconds: float = 60.0) -> None:
        """Wait until the session stands at the instant its plan names."""
        ends_at = time.monotonic() + seconds
        while not self.flag.exists():
            assert self.process.poll() is None, f"ended before the instant: {self.process.communicate()[0]}"
            assert time.monotonic() < ends_at, "the instant was not reached"
            time.sleep(0.01)

    def go_on(self) -> None:
        """Let a paused session continue."""
        self.flag.unlink()

    def ended(self, seconds: float = LONGEST_SECONDS) -> Ended:
        """Wait for the end."""
        try:
            text, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            text, _ = self.process.communicate()
            raise AssertionError(f"the session did not end within {seconds} s:\n{text}") from None
        seconds, lines = time.monotonic() - self.began, self.reached()
        last = next((line for line in reversed(lines) if line != "statement"), "")
        return Ended(self.process.wait(), text, Counter(lines), last, seconds)


@dataclass
class Copy:
    """The copy command of one target: what stays the same from session to session.

    Attributes:
        mapping: Mapping file.
        source: Dump folder.
        target: Conninfo.
        key: File with the id key.
        folder: For logs and flags.
        plan: What `tests.chaos.runner` does in every session.
        options: Further options of `isthmus copy`.
    """

    mapping: Path
    source: Path
    target: str
    key: Path
    folder: Path
    plan: dict[str, Any] = field(default_factory=lambda: {"batch_bytes": 16_384, "small_bytes": 60_000})
    options: tuple[str, ...] = ("--workers", "2", "--memory", "1M", "--retry-seconds", "30")
    _number: int = 0

    def command(self, *options: str) -> list[str]:
        """Return the arguments of `isthmus`."""
        return [
            "copy",
            str(self.mapping),
            *("--source", str(self.source), "--target", self.target, "--id-key", str(self.key)),
            *self.options,
            *options,
        ]

    @contextmanager
    def begin(self, *options: str, before: tuple[str, ...] = (), **plan: Any) -> Iterator[Session]:
        """Start a session; it is killed when the block is left before its end.

        Args:
            options: Further options of `isthmus copy`.
            before: A command that starts the session, for example `unshare --pid`.
            plan: Further keys of the runner's plan; `pause=(stage, n)` needs no file.
        """
        self._number += 1
        log = self.folder / f"stages-{self._number}"
        flag = self.folder / f"paused-{self._number}"
        full: dict[str, Any] = {**self.plan, "log": str(log), **plan}
        if "pause" in plan:
            full["pause"] = [*plan["pause"], str(flag)]
        process = _start(before, [json.dumps(full), *self.command(*options)])
        try:
            yield Session(process, log, flag)
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                process.kill()
                process.communicate(timeout=60)

    def run(self, *options: str, **plan: Any) -> Ended:
        """Run a session to its end."""
        with self.begin(*options, **plan) as session:
            return session.ended()


def _start(before: tuple[str, ...], arguments: list[str]) -> subprocess.Popen[str] | Forked:
    environment = {**os.environ, "ISTHMUS_DEBUG": "1"}
    if possible() and not before:
        return Forked("runner", arguments, cwd=ROOT, env=environment)
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tests.chaos.runner", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
