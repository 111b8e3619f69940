"""The outermost part of every command line: signals, readers that leave, errors, results that could not be written."""

from __future__ import annotations

import sys
from collections.abc import Callable

from isthmus.cli.interrupt import STOPPED, is_interruption, take_signals_as_ctrl_c
from isthmus.cli.logs import show_logs
from isthmus.cli.result_files import unwritten
from isthmus.cli.streams import lost_output, outlive_readers, reader_left
from isthmus.errors import IsthmusError


def to_its_end(run: Callable[[], int]) -> int:
    """Run a command line, and return the exit code that its process is to leave with.

    Args:
        run: Does what the command line says and returns its exit code; it lets no error pass.
    """
    take_signals_as_ctrl_c()
    show_logs()
    outlive_readers()
    code = run()
    sys.stdout.flush()
    if lost_output() is not None and not reader_left():
        from isthmus.cli.output import show_lost_output

        code = max(code, show_lost_output())
    for fault in unwritten():
        from isthmus.cli.output import show_error

        show_error(fault)
        code = max(code, fault.exit_code)
    return code


def show_end(fault: BaseException) -> int:
    """Show what ended a command, and return its exit code. One that was stopped has said so."""
    if isinstance(fault, IsthmusError):
        from isthmus.cli.output import show_error

        show_error(fault)
        return fault.exit_code
    if isinstance(fault, KeyboardInterrupt) or is_interruption(fault):
        return STOPPED
    from isthmus.cli.output import show_unexpected

    show_unexpected(fault)
    return 4
