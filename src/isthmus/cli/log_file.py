"""A file of JSON lines that is only ever added to: one writer, whole lines, nothing in a buffer when a process ends.

Decides what may be added to, and what becomes of a line that a dying process, or a full disk, left half. What the
lines say is others' business.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.cli.result_files import refusal_to_write
from isthmus.errors import ConfigError

HEAD = "isthmus_log"
"""First key of the first line, by which such a file is known."""
FORMAT = 1
_BLOCK_BYTES = 1 << 16


def refusal_to_add(path: Path) -> str | None:
    """Return why nothing can be added to a file, as a sentence; None when it can, as far as a look tells.

    A file that is there needs no room in its folder for another one, as results do that are replaced.
    """
    try:
        there = path.exists()
    except OSError:
        there = False
    if not there or path.is_dir():
        return refusal_to_write(path)
    rights = os.W_OK | os.R_OK if path.is_file() else os.W_OK
    return None if os.access(path, rights) else f"{path} cannot be added to: permission denied."


class LogFile:
    """The file, opened for one process.

    Every call of `write` is one write of whole lines, so that a kill between two calls cuts nothing. A line that was
    cut all the same is taken away when the file is opened the next time. A pipe or a device is written to as it is.

    Args:
        path: Made when missing, then for its owner only: reasons may quote values of documents.

    Attributes:
        lost: Why something could not be written; nothing is written from then on. None while all was.

    Raises:
        ConfigError: It cannot be opened (code `log-not-opened`), another process writes to it (`log-in-use`), or it
            holds something else (`not-a-log`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost: OSError | None = None
        self._mutex = threading.Lock()
        self._descriptor, self._lasting = _open(path)
        try:
            if self._lasting:
                self._claim()
                self._repair()
            self._empty = not self._lasting or os.fstat(self._descriptor).st_size == 0
        except BaseException:
            os.close(self._descriptor)
            raise

    @property
    def is_empty(self) -> bool:
        """Whether it held nothing when it was opened."""
        return self._empty

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield what is in it, oldest first; lines that are no JSON objects are passed over. Nothing of a pipe."""
        if not self._lasting:
            return
        with self.path.open("rb") as stream:
            for line in stream:
                with contextlib.suppress(ValueError):
                    said = json.loads(line)
                    if isinstance(said, dict):
                        yield said

    def write(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Add lines; from any thread. After a loss it does nothing."""
        text = "".join(json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)
        data = text.encode("utf-8", "backslashreplace")
        with self._mutex:
            if self.lost is not None or not data:
                return
            before = os.fstat(self._descriptor).st_size
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError as fault:
                self.lost = fault
                if self._lasting:
                    with contextlib.suppress(OSError):  # no half line; what it was to say is not lost in the target
                        os.ftruncate(self._descriptor, before)

    def close(self) -> None:
        """Wait until the disk has it, and let others write. Safe to repeat."""
        with self._mutex:
            if self._descriptor < 0:
                return
            if self._lasting:
                try:
                    os.fsync(self._descriptor)
                except OSError as fault:
                    self.lost = self.lost or fault
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1

    def _claim(self) -> None:
        """Keep others from writing, where the system has such a thing."""
        try:
            import fcntl
        except ImportError:
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"Another isthmus is writing to the log {self.path}.",
                code="log-in-use",
                hint="Give each copy a log of its own, or wait for the other one's end.",
            ) from None
        except OSError:  # a file system without locks
            return

    def _repair(self) -> None:
        """Refuse what is no log, and take away the half line of a process that died."""
        size = os.fstat(self._descriptor).st_size
        if not size:
            return
        begin = f'{{"{HEAD}"'.encode()
        with self.path.open("rb") as stream:
            held = stream.read(len(begin))
            if not begin.startswith(held):
                raise ConfigError(
                    f"{self.path} holds something else than a log of Isthmus: nothing is added to it.",
                    code="not-a-log",
                    hint="Name a file that is not there yet, or the log of an earlier copy.",
                )
            end = _end_of_lines(stream, size)
        if end < size:
            os.ftruncate(self._descriptor, end)


def _end_of_lines(stream: BinaryIO, size: int) -> int:
    """Return where the last whole line of a file ends; 0 when there is none."""
    end = size
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        stream.seek(start)
        at = stream.read(end - start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _open(path: Path) -> tuple[int, bool]:
    """Return a descriptor, and whether what is written there stays: it is a file."""
    try:
        try:
            kept = stat.S_ISREG(path.stat().st_mode)
        except FileNotFoundError:
            kept = True
        flags = (os.O_RDWR | os.O_CREAT if kept else os.O_WRONLY) | os.O_APPEND
        return os.open(path, flags, 0o600), kept
    except OSError as fault:
        reason = (fault.strerror or type(fault).__name__).lower()
        raise ConfigError(
            f"The log {path} cannot be opened: {reason}.",
            code="log-not-opened",
            hint="Name a file that may be written, in a folder that exists.",
        ) from None
