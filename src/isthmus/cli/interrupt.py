"""Ctrl-C, SIGTERM and SIGHUP: the first asks the copy to end after the batch in hand, the second ends it at once.

Before and after the copy, and in every other command, each ends the command at once with exit code 130. SIGHUP, a lost
terminal, counts once: the system, the shell and the login each send it for the same loss.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType
from typing import TYPE_CHECKING

from isthmus.cli.early import NUMBERS, behind_ctrl_c, leave
from isthmus.errors import IsthmusError
from isthmus.work.interrupted import Interrupted

if TYPE_CHECKING:
    from rich.console import Console


STOPPED = 130
"""The exit code of a command that was stopped."""

_ended = threading.Event()
_commits_nothing = threading.Event()
_tidying: list[Callable[[], None]] = []
_TIDY_SECONDS = 0.5
_HANGUP: tuple[signal.Signals, ...] = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()  # Windows has none


def take_signals_as_ctrl_c() -> None:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does: it is said, what is open is closed, exit code 130.

    Process 1 of a container never gets a signal that it has no handler for. Whoever started us may have set one to be
    ignored (`nohup`); that stays so.
    """
    for number in NUMBERS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler, leave):
            signal.signal(number, _end)


def say_nothing_was_committed() -> None:
    """Let a signal that ends the command say so; for a command that only reads, or writes to scratch databases."""
    _commits_nothing.set()


def _end(number: int, frame: FrameType | None) -> None:
    """Say that the command ends, and end it.

    Raises:
        KeyboardInterrupt: Always.
    """
    _ended.set()
    _count_once(number)
    name = signal.Signals(number).name
    kept = "Nothing was committed" if _commits_nothing.is_set() else "What was committed is kept"
    words = f"{behind_ctrl_c(number)}{name}: ending now. {kept}; the same command may be run again.\n"
    with contextlib.suppress(OSError):
        os.write(2, words.encode())  # not the console: this may be in the middle of its import, or of a line of its own
    signal.default_int_handler(number, frame)


def _count_once(number: int) -> None:
    """Ignore what comes again for one loss of the terminal: it must not cut short what is being closed."""
    if number in _HANGUP:
        signal.signal(number, signal.SIG_IGN)


def is_interruption(fault: BaseException | None) -> bool:
    """Tell whether an error is what Ctrl-C or a signal became.

    Python wraps what ends the making of a class, and a compiled module may keep only its words: what comes after a
    signal that ends the command is taken for its work.
    """
    if _ended.is_set():
        return True
    while fault is not None and not isinstance(fault, (KeyboardInterrupt, Interrupted)):
        fault = fault.__cause__ or fault.__context__
    return fault is not None


@contextlib.contextmanager
def tidied_before_leaving(tidy: Callable[[], None]) -> Generator[None]:
    """Call `tidy` when a second signal leaves at once while the context lasts, from a thread; it may be cut short."""
    _tidying.append(tidy)
    try:
        yield
    finally:
        _tidying.remove(tidy)


def _tidy() -> None:
    """Leave the terminal as it was. What was interrupted may hold a lock that this needs, so it is not waited for."""
    for tidy in reversed(_tidying):
        tidying = threading.Thread(target=tidy, daemon=True)
        tidying.start()
        tidying.join(_TIDY_SECONDS)


@contextlib.contextmanager
def saying_when_stopped(console: Console, words: str) -> Generator[None]:
    """Say what stands when a signal ends the block, then let the end pass.

    Args:
        console: Where to.
        words: A sentence.
    """
    try:
        yield
    except BaseException as ending:
        if not isinstance(ending, IsthmusError) and is_interruption(ending):
            console.print(words, markup=False, soft_wrap=True)
        raise


@contextlib.contextmanager
def stop_on_signals(console: Console, doing: str = "finishing the batch in hand") -> Generator[threading.Event]:
    """Turn SIGINT, SIGTERM and SIGHUP into a stop event while the context lasts; a SIGHUP that is ignored stays so.

    Also right for process 1 of a container, where SIGTERM has no default action. A second signal leaves at once with
    code 130, after what `tidied_before_leaving` names: what is committed is safe under any end.

    Args:
        console: Gets one line when the first signal arrives.
        doing: What is done until the work ends, for that line.

    Yields:
        The event.
    """
    stop = threading.Event()
    saying: list[threading.Thread] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.is_set() and number not in _HANGUP:
            _tidy()
            os._exit(STOPPED)
        _count_once(number)
        stop.set()
        words = f"{signal.Signals(number).name}: {doing}; again to leave at once (nothing committed is lost)."
        # Not from here: what the signal has interrupted may be drawing bars, and lines between them would stay.
        saying.append(threading.Thread(target=console.print, args=(words,), name="isthmus-stopping", daemon=True))
        saying[-1].start()

    hangup = [number for number in _HANGUP if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM, *hangup)}
    try:
        yield stop
    finally:
        for one in saying:
            one.join(_TIDY_SECONDS)
        for number, handler in before.items():
            if signal.getsignal(number) is handle:  # a SIGHUP that came is ignored from then on
                signal.signal(number, handler)
