"""Standard output and standard error that outlive their readers.

Whether somebody reads must not change what a command does. A pipe that closed, a full disk or a closed descriptor takes
the rest of the text from here on, and what the command does goes on; what was lost is noted, for the exit code.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import BinaryIO, TextIO, cast


class LastingStream(io.TextIOWrapper):
    """A text stream over a descriptor; once that takes nothing more, what is written goes nowhere.

    Attributes:
        lost: Why something could not be written; None while all was.
    """

    lost: OSError | None = None

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as fault:
            self._let_go(fault)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as fault:
            self._let_go(fault)

    def _let_go(self, fault: OSError) -> None:
        """Turn the descriptor to nowhere; what is still in a buffer goes there, too, when the process ends."""
        self.lost = self.lost or fault
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def outlive_readers() -> None:
    """Put lasting streams in the place of `sys.stdout` and `sys.stderr`. Safe to repeat."""
    sys.stdout = _lasting(sys.stdout, 1)
    sys.stderr = _lasting(sys.stderr, 2)


def lost_output() -> OSError | None:
    """Return why something could not be written to standard output; None while all was."""
    return getattr(sys.stdout, "lost", None)


def reader_left() -> bool:
    """Tell whether nobody reads standard output any more (`isthmus … | head`); it is not what a full disk is."""
    lost = lost_output()
    return lost is not None and lost.errno == errno.EPIPE


def _lasting(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is None:
        # Closed by who started us (`>&-`). A pipe without a reader takes its place, or a connection would.
        _open_unread(descriptor)
        return LastingStream(open(descriptor, "wb", closefd=False), encoding="utf-8", line_buffering=descriptor == 2)
    if type(stream) is not io.TextIOWrapper:
        return stream  # lasting already, or of somebody who runs us inside their process
    encoding, errors = stream.encoding, stream.errors
    lines, through = stream.line_buffering, stream.write_through
    buffer = cast("BinaryIO", stream.detach())
    return LastingStream(buffer, encoding=encoding, errors=errors, line_buffering=lines, write_through=through)


def _open_unread(descriptor: int) -> None:
    """Open a pipe without a reader at a descriptor that is closed."""
    read, write = os.pipe()
    os.close(read)
    if write != descriptor:
        os.dup2(write, descriptor)
        os.close(write)
