"""Open a source for a command: one that is away is waited for, as it is later."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.sources import Source
    from isthmus.work.progress import Progress


def open_waiting(
    source: str,
    *,
    database: str | None,
    ignore_oplog: bool,
    seconds: float,
    progress: Progress,
    past_metadata: bool = False,
) -> Source:
    """Open a source, trying again for as long as it is in trouble that may pass.

    Nothing is in hand yet, so a signal ends the wait as it ends everything before: at once.

    Args:
        source: As `open_source` takes it.
        database: As there.
        ignore_oplog: As there.
        seconds: How long to go on trying; 0 tries once.
        progress: Told of the trouble, once.
        past_metadata: As `open_source` takes it.

    Raises:
        ConfigError, SourceError: As `open_source`.
    """
    from isthmus.sources import open_source
    from isthmus.work.retry import persist

    return persist(
        partial(
            open_source,
            source,
            database=database,
            ignore_oplog=ignore_oplog,
            patience_seconds=seconds,
            past_metadata=past_metadata,
        ),
        seconds=seconds,
        stop=Event(),
        note=progress.note,
        most_troubles=1,
    )
