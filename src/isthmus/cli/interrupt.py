"""Ctrl-C and SIGTERM: the first asks the copy to end after the batch in hand, the second ends the process at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Generator
from types import FrameType

from rich.console import Console


@contextlib.contextmanager
def stop_on_signals(console: Console) -> Generator[threading.Event]:
    """Turn SIGINT and SIGTERM into a stop event while the context lasts.

    Also right for process 1 of a container, where SIGTERM has no default action. A second signal leaves at once with
    code 130: what is committed is safe under any end.

    Args:
        console: Gets one line when the first signal arrives.

    Yields:
        The event.
    """
    stop = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()
        name = signal.Signals(number).name
        console.print(f"{name}: finishing the batch in hand; again to leave at once (nothing committed is lost).")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
