"""A command at a terminal of 80 columns, and what stands on it in the end."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

COLUMNS = 80
CTRL_C = b"\x03"
_PARTS = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])|(.)", re.DOTALL)


def shown_lines(text: str, columns: int = COLUMNS) -> list[str]:
    """Return the lines of a terminal that got this text: it knows cursor up, erased lines and folded ones."""
    lines: list[list[str]] = [[]]
    row = column = 0
    for part in _PARTS.finditer(text):
        number, command, letter = part.groups()
        if command == "A":
            row = max(0, row - int(number or 1))
        elif command == "K":
            lines[row] = []
        elif letter == "\r":
            column = 0
        elif letter == "\n":
            row += 1
        elif letter is not None:
            if column >= columns:
                row, column = row + 1, 0
            lines.extend([] for _ in range(row + 1 - len(lines)))
            lines[row].extend(" " * (column + 1 - len(lines[row])))
            lines[row][column] = letter
            column += 1
        lines.extend([] for _ in range(row + 1 - len(lines)))
    return ["".join(line).rstrip() for line in lines]


def at_terminal(
    command: Sequence[object],
    folder: Path,
    keys: Sequence[tuple[Callable[[str], bool], bytes]] = (),
    columns: int = COLUMNS,
) -> tuple[int, str]:
    """Run a command in a folder at a terminal; return its exit code and everything that it wrote.

    Args:
        command: The command.
        folder: Where it runs.
        keys: What to press, in this order, each once what was written until then is what is waited for.
        columns: How wide the terminal is.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONWARNINGS": "error"}
    process = subprocess.Popen(
        [str(one) for one in command],
        cwd=folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(theirs)
    written, waiting = b"", list(keys)
    give_up_at = time.monotonic() + 120
    try:
        while time.monotonic() < give_up_at:
            if select.select([ours], [], [], 0.01)[0]:
                try:
                    some = os.read(ours, 65_536)
                except OSError:  # what Linux says when the other end is closed
                    break
                if not some:
                    break
                written += some
            if waiting and waiting[0][0](written.decode("utf-8", "replace")):
                os.write(ours, waiting.pop(0)[1])
        return process.wait(timeout=30), written.decode("utf-8", "replace")
    finally:
        process.kill()
        process.wait()
        os.close(ours)
