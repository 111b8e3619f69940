"""What the generators' commands have in common: where database and truth go, and how it ends where they cannot."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from textwrap import shorten

from pymongo.errors import PyMongoError

from apps.generating.sinks import DumpFolder, Server, Sink


def truth_path(parser: argparse.ArgumentParser, to: str, given: Path | None) -> Path:
    """Return the file for the truth: the given one, else one beside the dump.

    Args:
        parser: Ends the process (exit 2) where none is given and the database goes to a server.
        to: Where the database goes.
        given: What was asked for.
    """
    if given is None and _is_server(to):
        parser.error("--truth is needed where the database goes to a server")
    return given or Path(f"{to.rstrip('/')}.truth.json")


@contextmanager
def writing(parser: argparse.ArgumentParser, *files: Path) -> Iterator[ExitStack]:
    """Everything that is written; what is opened for that is closed at the end.

    Args:
        parser: Ends the process (exit 1, one line) where something cannot be read, written or closed.
        files: Their folders are made.
    """
    try:
        with ExitStack() as stack:
            for file in files:
                file.parent.mkdir(parents=True, exist_ok=True)
            yield stack
    except (OSError, PyMongoError) as fault:
        parser.exit(1, f"{parser.prog}: not written: {shorten(str(fault), 200)}\n")


def open_sink(
    parser: argparse.ArgumentParser,
    stack: ExitStack,
    to: str,
    database: str,
    written: Iterable[str],
    *,
    replace: bool,
) -> Sink:
    """Open the place for a database, and clear it of the collections that are written.

    Args:
        parser: Ends the process (exit 2) where documents are there already and may not be replaced.
        stack: Closes the place.
        to: A folder, or a server's URL.
        database: Its name on a server whose URL names none.
        written: Every collection that the generator may write.
        replace: Whether documents that are there may go.

    Raises:
        OSError, PyMongoError: It cannot be read or cleared.
    """
    sink = stack.enter_context(Server(to, database) if _is_server(to) else DumpFolder(Path(to)))
    held = sink.holds()
    if held and not replace:
        shown = ", ".join(held[:3]) + (f" and {len(held) - 3} more" if len(held) > 3 else "")
        parser.error(f"there are documents already, of {shown}; --replace puts others in their place")
    sink.clear(written)
    return sink


def _is_server(to: str) -> bool:
    """Whether a place is a server's URL, not a folder."""
    return "://" in to
