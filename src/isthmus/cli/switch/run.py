"""`isthmus switch run`: move a collection from MongoDB to PostgreSQL while applications run."""

from __future__ import annotations

from isthmus.cli.options import DatabaseOption, IdKeyOption, JsonOption, ResolutionsOption
from isthmus.cli.switch.options import (
    ByOption,
    CollectionArgument,
    FenceOption,
    MappingOption,
    ReplacedOption,
    SourceOption,
    TableOption,
    TargetOption,
    WaitOption,
)


def run(
    collection: CollectionArgument,
    source: SourceOption,
    target: TargetOption,
    table: TableOption = None,
    mapping: MappingOption = None,
    db: DatabaseOption = None,
    resolutions: ResolutionsOption = None,
    id_key: IdKeyOption = None,
    wait_seconds: WaitOption = 10.0,
    fence: FenceOption = True,
    replaced: ReplacedOption = False,
    by: ByOption = None,
    json_file: JsonOption = None,
) -> int:
    """Move COLLECTION to PostgreSQL: copy ahead, freeze writes, drain the outbox, copy what changed, verify, flip.

    Applications ask isthmus.polyglot.switch where the collection lives. They go on reading all the time, and cannot
    write from the freeze to the flip; how long that was is said. Every document is compared before the flip. Whatever
    refuses it, a difference, the outbox, a writer that does not end, a signal, lets writers write again in MongoDB at
    once, and the same command tries again. Behind a kill the collection stays frozen: the same command goes on, isthmus
    switch cancel lets writers write.

    The JSON: outcome (switched, there, failed, interrupted), exit_code, collection, home, generation, frozen_seconds,
    counts (documents, ahead, written, removed, verified), fence (raised, lowered, none), notes, seconds. When it was
    refused: outcome, exit_code, code, error, findings.

    Exit codes: 0 it lives in PostgreSQL; 1 it was not switched, and lives in MongoDB as before; 2 usage, no such table,
    mapping; 3 SOURCE; 4 TARGET, or another switch of this collection is at work; 130 stopped before the flip.
    """
    from isthmus.cli.switch.moving import Asked, move

    return move(
        Asked(
            collection=collection,
            source=source,
            target=target,
            db=db,
            table=table,
            mapping=mapping,
            by=by,
            wait_seconds=wait_seconds,
            replaced=replaced,
            json_file=json_file,
            resolutions=resolutions,
            id_key=id_key,
            fenced=fence,
        ),
        "postgres",
    )
