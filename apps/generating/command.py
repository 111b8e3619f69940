"""What the generators' commands have in common: where the database goes, and that nothing is written over unasked."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from apps.generating.sinks import DumpFolder, Server, Sink


def is_server(to: str) -> bool:
    """Whether a place is a server's URL, not a folder."""
    return "://" in to


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
    sink = stack.enter_context(Server(to, database) if is_server(to) else DumpFolder(Path(to)))
    held = sink.holds()
    if held and not replace:
        shown = ", ".join(held[:3]) + (f" and {len(held) - 3} more" if len(held) > 3 else "")
        parser.error(f"there are documents already, of {shown}; --replace puts others in their place")
    sink.clear(written)
    return sink
