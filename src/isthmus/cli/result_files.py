"""Files that results go to: replaced as a whole, and what could not be written is told when the command ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TextIO

from isthmus.cli.streams import LastingStream
from isthmus.errors import ConfigError

_unwritten: dict[Path, ConfigError] = {}


def refusal_to_write(path: Path) -> str | None:
    """Return why a file cannot be written, as a sentence; None when it can.

    Its folder is asked for room for another file, which is gone again at once: what only a try can tell (a folder of
    the system, a file system that is read-only) is told before the work, not after it.
    """
    if _exists(path) and path.is_dir():
        return f"{path} cannot be written: it is a folder."
    there = Path(os.path.realpath(path))
    if _exists(path) and not os.access(path, os.W_OK):
        return f"{path} cannot be written: permission denied."
    if _is_stream(path):
        return None
    if not there.parent.is_dir():
        return f"The folder {there.parent} does not exist."
    import tempfile

    try:
        tempfile.TemporaryFile(dir=there.parent).close()
    except OSError as fault:
        return f"{path} cannot be written: the folder {there.parent} takes no file ({_reason(fault)})."
    return None


@contextlib.contextmanager
def writing(path: Path | None, *, private: bool = False) -> Generator[TextIO]:
    """Open a file to write a result to, or standard output for None.

    The file is replaced as a whole when all went well; after an error the old one is still there, and nothing beside
    it. A link stays: the file it leads to is replaced. A pipe or a device is written to as it is. `private`: only its
    owner may read it, from the first byte on.

    Raises:
        ConfigError: It cannot be written, or not to its end (code `output-lost`).
    """
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    if _is_stream(path):
        with _stream(path, path, os.O_WRONLY, 0) as stream:
            yield stream
        return
    there = Path(os.path.realpath(path))
    partial = there.with_name(there.name + ".partial")
    try:
        with contextlib.suppress(OSError):
            partial.unlink()
        with _stream(path, partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666) as stream:
            yield stream
        try:
            partial.replace(there)
        except OSError as fault:
            raise _lost(path, fault) from None
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def write_result(path: Path, text: str) -> bool:
    """Write one of the results of a command, and tell whether it is written.

    One that could not be written keeps nobody from the other results; `unwritten` has it.
    """
    try:
        with writing(path) as stream:
            stream.write(text)
    except ConfigError as fault:
        _unwritten[path] = fault
        return False
    _unwritten.pop(path, None)
    return True


def note_unwritten(path: Path, fault: ConfigError) -> None:
    """Keep what says of a result that it could not be written, for the end of the command."""
    _unwritten[path] = fault


def is_written(path: Path) -> bool:
    """Tell whether a result that was to go to a file is not known to be lost."""
    return path not in _unwritten


def unwritten() -> list[ConfigError]:
    """Return what says of each result that it could not be written, and forget it."""
    faults = list(_unwritten.values())
    _unwritten.clear()
    return faults


@contextlib.contextmanager
def _stream(path: Path, opened: Path, flags: int, mode: int) -> Generator[TextIO]:
    """Open a file for text; `path` is its name for people.

    Raises:
        ConfigError: It cannot be opened, or did not take all (code `output-lost`).
    """
    try:
        descriptor = os.open(opened, flags, mode)
    except OSError as fault:
        raise _lost(path, fault) from None
    with LastingStream(os.fdopen(descriptor, "wb"), encoding="utf-8", newline="") as stream:
        yield stream
        stream.flush()
    if stream.lost is not None:
        raise _lost(path, stream.lost)


def _is_stream(path: Path) -> bool:
    """Tell whether nothing may stand in the place of a file: a pipe, a device."""
    return _exists(path) and not path.is_file()


def _exists(path: Path) -> bool:
    """Tell whether there is something to be seen; False also where its folder lets nobody look."""
    try:
        return path.exists()
    except OSError:
        return False


def _lost(path: Path, fault: OSError) -> ConfigError:
    earlier = " What is in it is of an earlier command." if _exists(path) and path.is_file() else ""
    return ConfigError(
        f"{path} could not be written: {_reason(fault)}.{earlier}",
        code="output-lost",
        hint="Run the command again with a file elsewhere, on a disk that has room.",
    )


def _reason(fault: OSError) -> str:
    return (fault.strerror or type(fault).__name__).lower()
