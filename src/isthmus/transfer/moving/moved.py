"""Did the source move while it was read? A running server is read once more when the load ends, and compared.

What was carried is known by the digests in the state, so it does not matter which process carried it. What differs is
told, not mended: there is no change capture. Sources that stand still are judged by `all_read` and `resume` instead.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from isthmus.errors import SourceError
from isthmus.state.checkpoints import PartitionState
from isthmus.state.runs import read_moved
from isthmus.state.statements import statement
from isthmus.transfer.job import Job
from isthmus.transfer.moving.resume import Changes, compare_collection


def find_moved(job: Job, states: list[PartitionState], broken: dict[str, SourceError]) -> Changes:
    """Compare what the run carried with what the source holds now; a source in trouble that may pass is waited for.

    Costs one read of the source, and three of a collection that differs. A collection that was dropped meanwhile reads
    as an empty one, so its documents are gone. What is written after its collection was read here is not seen.

    Args:
        job: The copy, all of it read.
        states: Every partition of the run.
        broken: Gets the collections that cannot be compared, with the error. After trouble that was waited for in vain
            the others are not tried.

    Raises:
        Interrupted: The user asked to stop.
        psycopg.Error: The target failed on the way; safe to repeat.
    """
    moved = Changes()
    for collection in sorted({state.collection for state in states}):
        try:
            moved.add(compare_collection(job, states, collection, moved))
        except SourceError as fault:
            broken[collection] = fault
            job.progress.broken(collection, str(fault))
            if fault.retryable:
                break
    return moved


def keep_moved(job: Job, connection: psycopg.Connection, moved: Changes) -> None:
    """Keep what was found with the run, inside the caller's transaction."""
    connection.execute(statement("run", "set_moved"), {"run": job.run.id, "moved": Jsonb(moved.as_json())})


def moved_of(connection: psycopg.Connection, run: int) -> Changes | None:
    """Return what was found at the end of a run's load; None of a source that stands still, or before that end."""
    data: dict[str, Any] | None = read_moved(connection, run)
    return None if data is None else Changes(**data)
