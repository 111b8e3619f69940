"""How long to go on trying when a server or a disk is in trouble that may pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from isthmus.errors import IsthmusError, SourceError
from isthmus.work.interrupted import Interrupted

T = TypeVar("T")

_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0
_MOST_TROUBLES = 4  # what fails late and each time, fails for a reason of its own


@dataclass
class Retry:
    """How long one trouble of a work has lasted, and how long to wait before the next try.

    After a try that went on for longer than the limit, the next fault is another trouble, and its time begins anew; at
    most `most_troubles` times for one work.

    Attributes:
        limit_seconds: When a trouble has lasted this long, the work is given up.
        most_troubles: How often; one for work that does nothing but ask whether the trouble has passed.
    """

    limit_seconds: float
    most_troubles: int = _MOST_TROUBLES
    _since: float | None = None
    _wait: float = _FIRST_WAIT_SECONDS
    _tried_at: float | None = None
    _troubles: int = 0

    @property
    def fresh(self) -> bool:
        """Whether there was no trouble yet."""
        return self._since is None

    def again(self, fault: IsthmusError, stop: threading.Event, note: Callable[[str], None] | None = None) -> None:
        """Wait before another try.

        Args:
            fault: What the last try ended with.
            stop: Ends the wait.
            note: Told once for every trouble, when the wait begins.

        Raises:
            IsthmusError: `fault`, when it has lasted too long.
            Interrupted: The user asked to stop.
        """
        now = time.monotonic()
        if self._since is None or self._is_another(now):
            self._since, self._wait = now, _FIRST_WAIT_SECONDS
            self._troubles += 1
            if note is not None:
                note(f"{fault.message.rstrip('.')}. Trying again for up to {self.limit_seconds:g} s.")
        if now - self._since > self.limit_seconds:
            raise fault
        if stop.wait(self._wait):
            raise Interrupted
        self._wait = min(self._wait * 2, _LONGEST_WAIT_SECONDS)
        self._tried_at = time.monotonic()

    def _is_another(self, now: float) -> bool:
        """Tell whether the work went on long enough since the last try to be in another trouble now."""
        if self._tried_at is None or self._troubles >= self.most_troubles:
            return False
        return 0 < self.limit_seconds < now - self._tried_at


def persist(
    work: Callable[[], T],
    *,
    seconds: float,
    stop: threading.Event,
    note: Callable[[str], None],
    most_troubles: int = _MOST_TROUBLES,
) -> T:
    """Do work that reads the source, again for as long as the source is in trouble that may pass.

    Args:
        work: Safe to repeat.
        seconds: How long to go on trying; 0 tries once.
        stop: Ends the wait.
        note: Told once for every trouble, when the wait begins.
        most_troubles: As `Retry` takes it.

    Raises:
        SourceError: What the work raised, when it does not pass or has lasted too long.
        Interrupted: The user asked to stop.
    """
    retry = Retry(seconds, most_troubles)
    while True:
        try:
            return work()
        except SourceError as fault:
            if not fault.retryable or seconds <= 0:
                raise
            retry.again(fault, stop, note)
