"""Show a deploy while it works: on a terminal what is executed and for how long, elsewhere a line now and then."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from isthmus.cli.bars import Due
from isthmus.cli.interrupt import tidied_before_leaving
from isthmus.cli.output import err, plural, show_note
from isthmus.connect.secrets import hide
from isthmus.govern.deploying.telling import Done, Telling
from isthmus.govern.migrations.script import Script

_SECONDS = 0.25


class Working(Telling):
    """Shows what a deployer does; a context manager around its work.

    Args:
        console: Where results go.
        title: What stands above them, before the first.

    Attributes:
        done: What was applied.
    """

    def __init__(self, console: Console, title: str | None = None) -> None:
        self.done: list[Done] = []
        self._console, self._title = console, title
        self._doing, self._since, self._held_by = "", 0.0, ""
        self._over = threading.Event()
        self._screen = threading.RLock()
        self._live = Live(console=err, auto_refresh=False, transient=True) if err.is_terminal else None
        self._thread = threading.Thread(target=self._draw, name="isthmus-working", daemon=True)
        self._leaving = tidied_before_leaving(self._clear)

    def __enter__(self) -> Working:
        self._leaving.__enter__()
        if self._live is not None:
            self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()
        self._leaving.__exit__(kind, error, trace)

    def waits_for_lease(self, words: str) -> None:
        self._note(f"{words} Waiting for it.")

    def show_title(self) -> None:
        """Print the title, where that was not done."""
        with self._screen:
            title, self._title = self._title, None
            if title is not None:
                self._wipe()
                self._console.print(f"{title}:", markup=False, style="bold", soft_wrap=True)

    def begins(self, script: Script) -> None:
        self.show_title()
        self._now(script.name.text)

    def executes(self, script: Script, number: int) -> None:
        of = len(script.statements)
        self._now(f"{script.name.text}: statement {number:,} of {of:,}" if of > 1 else script.name.text)

    def is_held_up(self, words: str) -> None:
        self._held_by = words

    def tries_again(self, script: Script, pause_seconds: float, words: str) -> None:
        self._now("")
        self._note(f"{script.name.text}: {words}. Nothing of it is there; again in {pause_seconds:.0f} s.")

    def hears(self, script: Script, severity: str, words: str) -> None:
        self._note(f"{script.name.text}: the server says: {severity}: {words}")

    def has_done(self, done: Done) -> None:
        self.done.append(done)
        self._now("")
        again = f", at attempt {done.attempts}" if done.attempts > 1 else ""
        with self._screen:
            self._wipe()
            self._console.print(f"  {done.name}: applied ({done.seconds:.1f} s{again})", markup=False, soft_wrap=True)

    def _now(self, doing: str) -> None:
        self._doing, self._since, self._held_by = doing, time.monotonic(), ""

    def _note(self, text: str) -> None:
        with self._screen:
            self._wipe()
            show_note(err, text)

    def _clear(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._live is not None:
            self._live.stop()

    def _wipe(self) -> None:
        if self._live is not None and self._live.is_started:
            self._live.update(Text(""), refresh=True)

    def _draw(self) -> None:
        due = Due(time.monotonic())
        while not self._over.wait(_SECONDS):
            with self._screen:
                if self._live is not None:
                    self._live.update(Text(self._line(), style="dim", overflow="ellipsis", no_wrap=True), refresh=True)
                elif self._doing and due.now(self._doing, time.monotonic()):
                    err.print(self._line(), markup=False, soft_wrap=True)

    def _line(self) -> str:
        if not self._doing:
            return ""
        seconds = int(time.monotonic() - self._since)
        held = f", waits for {self._held_by}" if self._held_by else ""
        return hide(f"  {self._doing}, {plural(seconds, 'second')}{held}")
