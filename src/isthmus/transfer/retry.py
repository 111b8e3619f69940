"""How long to go on trying when a server or a disk is in trouble that may pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from isthmus.errors import IsthmusError, SourceError
from isthmus.transfer.job import Interrupted

T = TypeVar("T")

_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0


@dataclass
class Retry:
    """How long one trouble has lasted, and how long to wait before the next try.

    Attributes:
        limit_seconds: After this long the run stops.
    """

    limit_seconds: float
    _since: float | None = None
    _wait: float = _FIRST_WAIT_SECONDS

    @property
    def fresh(self) -> bool:
        """Whether this is the first try after the trouble began."""
        return self._since is None

    def words(self, fault: IsthmusError) -> str:
        """Return what to tell the person who watches, when the wait begins."""
        return f"{fault.message} Trying again for up to {self.limit_seconds:.0f} s."

    def again(self, fault: IsthmusError, stop: threading.Event) -> None:
        """Wait before another try.

        Raises:
            IsthmusError: `fault`, when it has lasted too long.
            Interrupted: The user asked to stop.
        """
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since > self.limit_seconds:
            raise fault
        if stop.wait(self._wait):
            raise Interrupted
        self._wait = min(self._wait * 2, _LONGEST_WAIT_SECONDS)


def persist(work: Callable[[], T], *, seconds: float, stop: threading.Event, note: Callable[[str], None]) -> T:
    """Do work that reads the source, again for as long as the source is in trouble that may pass.

    Args:
        work: Safe to repeat.
        seconds: How long to go on trying.
        stop: Ends the wait.
        note: Told once when the wait begins.

    Raises:
        SourceError: What the work raised, when it does not pass or has lasted too long.
        Interrupted: The user asked to stop.
    """
    retry = Retry(seconds)
    while True:
        try:
            return work()
        except SourceError as fault:
            if not fault.retryable:
                raise
            if retry.fresh:
                note(retry.words(fault))
            retry.again(fault, stop)
