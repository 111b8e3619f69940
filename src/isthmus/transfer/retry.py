"""How long to go on trying when a server or a disk is in trouble that may pass."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from isthmus.errors import IsthmusError
from isthmus.transfer.job import Interrupted

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
