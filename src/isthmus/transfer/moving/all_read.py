"""Was everything read? What the batches say is held against the partitions, and these against the source.

The last look before the load is called complete: keys and references are made from what it left. Whether a source that
moves still is what was read of it is asked by `moved`.
"""

from __future__ import annotations

import psycopg

from isthmus.errors import InternalError, SourceError, Where
from isthmus.sources.protocol import CollectionInfo, Source
from isthmus.state.checkpoints import BatchSums, PartitionState, read_carried, read_partitions
from isthmus.transfer.job import Job


def assert_all_read(job: Job, connection: psycopg.Connection) -> None:
    """Hold what is committed against what there was to read, for every collection of the mapping.

    Looks at a source that stands still once more: what was added behind the last block that was read would otherwise be
    passed over.

    Raises:
        SourceError: A collection is not what it was when the copy began (code `changed-under-us`).
        InternalError: A partition is not done, partitions or batches do not meet, or the books differ from the batches
            (code `load-incomplete`).
    """
    states, carried = read_partitions(connection, job.run.id), read_carried(connection, job.run.id)
    infos = {info.name: info for info in job.source.collections()}
    for collection in job.plans:
        mine = [state for state in states if state.collection == collection]
        sums = [carried.get((collection, state.number), BatchSums()) for state in mine]
        what = _missing(mine, sums, moves=job.source.moves)
        if what is not None:
            raise InternalError(
                f"The load of {collection} is not complete: {what}.",
                code="load-incomplete",
                hint="Nothing is lost; please report this, and start over with --fresh.",
            )
        if not job.source.moves:
            size = sum(one.counts.get("books", {}).get("bytes", 0) for one in mine)
            _hold_against_source(infos.get(collection), size)
            _look_again(job.source, collection)


def _missing(states: list[PartitionState], carried: list[BatchSums], *, moves: bool) -> str | None:
    """Say what is missing between the partitions of a collection and their batches; None when nothing is.

    Where the source moves, the documents at the end of a part may have been removed before they were read: then its
    last batch ends before the part does, or it has none. That it was read to its end is what `done` says.
    """
    if not states or not all(state.done for state in states):
        return "a part of it was not read to its end"
    if [state.end for state in states[:-1]] != [state.start for state in states[1:]] or states[-1].end is not None:
        return "its parts do not cover it"
    for state, batches in zip(states, carried, strict=True):
        books = state.counts.get("books", {})
        if (books.get("read", 0), books.get("bytes", 0)) != (batches.documents, batches.source_bytes):
            return f"the books of its part {state.number} do not agree with the batches"
        if batches.count != state.batches or batches.gaps:
            return f"batches of its part {state.number} are missing"
        if batches.count and (batches.start, batches.end) != (state.start, state.position):
            return f"the batches of its part {state.number} do not begin or end where it does"
        if not moves and state.end is not None and state.position != state.end:
            return f"its part {state.number} was not read to its end"
    return None


def _hold_against_source(info: CollectionInfo | None, size: int) -> None:
    """Raise when another number of bytes was read than the source held when it was opened."""
    if info is not None and info.bytes_exact and info.bytes_total not in {None, size}:
        raise SourceError(
            f"{info.name} had {info.bytes_total:,} bytes when the copy began, and {size:,} were read.",
            code="changed-under-us",
            where=Where(collection=info.name),
            hint="Is a program (mongodump, mongoexport, a download) still writing it? Wait until it is complete and run"
            " the same command again; what was read is kept. If it says so again, please report it.",
        )


def _look_again(source: Source, collection: str) -> None:
    """Raise when the source of a collection was changed since it was opened, as far as a look from outside shows."""
    what = source.changed(collection)
    if what is not None:
        raise SourceError(
            f"The source of {collection} {what} since the copy began.",
            code="changed-under-us",
            where=Where(collection=collection),
            hint="Is a program (mongodump, mongoexport, a download) still writing it? Wait until it is complete and run"
            " the same command again: it compares what was read with the source and goes on, or says from where on they"
            " differ.",
        )
