"""What all migrations of one deploy share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event

from isthmus.govern.deploying.telling import Telling
from isthmus.state.lease import Lease
from isthmus.work.interrupted import Interrupted

LOCK_SECONDS = 5.0


@dataclass(frozen=True)
class Deployer:
    """What all migrations of one deploy share.

    Attributes:
        conninfo: Direct address of the database.
        lease: Held.
        title: What the settings call the schema.
        telling: Hears of the work.
        lock_seconds: How long a statement waits for a lock.
        stop: Set when the user wants it to end; it is looked at in pauses.
    """

    conninfo: str
    lease: Lease
    title: str
    telling: Telling
    lock_seconds: float = LOCK_SECONDS
    stop: Event | None = None

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            Interrupted: The user asked to stop.
        """
        if self.stop is None:
            time.sleep(seconds)
        elif self.stop.wait(seconds):
            raise Interrupted
