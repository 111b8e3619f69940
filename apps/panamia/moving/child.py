"""A command as a process of its own, on this terminal: signals that would end us are its to answer."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from types import FrameType

_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def run_child(command: Sequence[str], environment: Mapping[str, str], *, quiet: bool) -> int:
    """Run a command, without its standard output where `quiet`; return its exit code, 128 + N where signal N ended it.

    Ctrl-C reaches it from the terminal; what reaches this process alone is handed on. It finishes the batch in hand.
    What comes before it has begun is sent to it as soon as it has.
    """
    shown = subprocess.DEVNULL if quiet else None
    children: list[subprocess.Popen[bytes]] = []
    early: list[int] = []
    with _signals_left_to(children, early):
        children.append(subprocess.Popen(command, env=environment, stdout=shown))  # noqa: S603 - our own parts
        for number in early:
            children[0].send_signal(number)
        code = children[0].wait()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _signals_left_to(children: list[subprocess.Popen[bytes]], early: list[int]) -> Generator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # where signals are somebody else's
        return
    alone = not any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))

    def hand_on(number: int, _frame: FrameType | None) -> None:
        if not children:
            early.append(number)
        for child in children if number != signal.SIGINT or alone else ():
            child.send_signal(number)

    ignored = {number for number in _ENDING if signal.getsignal(number) is signal.SIG_IGN}
    before = {number: signal.signal(number, hand_on) for number in {signal.SIGINT, *_ENDING} - ignored}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
