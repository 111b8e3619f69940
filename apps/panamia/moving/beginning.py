"""Signals that come before anything is begun: they end the command, and it says that nothing was."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Generator
from types import FrameType
from typing import Any

from isthmus.cli.early import NUMBERS, behind_ctrl_c

_later: dict[int, Any] = {}
"""What signals do once something is begun."""


@contextlib.contextmanager
def nothing_begun() -> Generator[None]:
    """Let signals end the block and say that nothing was begun, until `begin` is called, or the block ends."""
    if threading.current_thread() is threading.main_thread():  # elsewhere signals are somebody else's
        kept = {number for number in NUMBERS if signal.getsignal(number) is signal.SIG_IGN}
        _later.update({number: signal.signal(number, _end) for number in set(NUMBERS) - kept})
    try:
        yield
    finally:
        begin()


def begin() -> None:
    """Let signals do what they did before: from here on something may be changed. Safe to repeat."""
    while _later:
        signal.signal(*_later.popitem())


def _end(number: int, frame: FrameType | None) -> None:
    """Say that nothing was begun, and end what is open.

    Raises:
        KeyboardInterrupt: Always.
    """
    words = f"{behind_ctrl_c(number)}{signal.Signals(number).name}: ending now. Nothing was begun.\n"
    with contextlib.suppress(OSError):
        os.write(2, words.encode())
    signal.default_int_handler(number, frame)
