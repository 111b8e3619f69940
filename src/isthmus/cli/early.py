"""Signals while the command line is being loaded: they end the process with exit code 130, and no traceback.

Loading takes a tenth of a second, and nothing is open yet. Imports next to nothing, for it comes before everything.
"""

from __future__ import annotations

import contextlib
import os
import signal
from types import FrameType

NUMBERS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end a command; Windows has not all of them."""


def leave_on_signals() -> None:
    """Let signals end the process at once, but for those that whoever started it has set to be ignored (`nohup`)."""
    for number in NUMBERS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, leave)


def leave(number: int, _frame: FrameType | None) -> None:
    """Say that the command ends, and end it."""
    with contextlib.suppress(OSError):
        os.write(2, f"{behind_ctrl_c(number)}{signal.Signals(number).name}: ending now. Nothing was begun.\n".encode())
    os._exit(130)


def behind_ctrl_c(number: int) -> str:
    """Return what ends the line on which a terminal shows `^C`; nothing for other signals, or where nobody types."""
    return "\n" if number == signal.SIGINT and os.isatty(2) else ""
