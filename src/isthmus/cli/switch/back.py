"""`isthmus switch back`: move a collection from PostgreSQL back to MongoDB."""

from __future__ import annotations

from isthmus.cli.options import DatabaseOption, JsonOption
from isthmus.cli.switch.options import (
    ByOption,
    CollectionArgument,
    MappingOption,
    ReplacedOption,
    SourceOption,
    TableOption,
    TargetOption,
    WaitOption,
)


def back(
    collection: CollectionArgument,
    source: SourceOption,
    target: TargetOption,
    table: TableOption = None,
    mapping: MappingOption = None,
    db: DatabaseOption = None,
    wait_seconds: WaitOption = 10.0,
    replaced: ReplacedOption = False,
    by: ByOption = None,
    json_file: JsonOption = None,
) -> int:
    """Move COLLECTION back to MongoDB: freeze writes, lower the fence, copy what changed, verify, flip.

    With --table all that was written in PostgreSQL since is copied into MongoDB. With --mapping nothing can be copied
    back, for columns are not the documents they came from: it goes back only if nobody wrote the rows since, and all of
    them are verified to be what MongoDB's documents say. It is refused otherwise, so that nothing is dropped.

    It goes back to the MongoDB collection, and from the table, that it was switched with. Whatever refuses it lets
    writers write again in PostgreSQL at once, also while MongoDB is away.

    The JSON: as of isthmus switch run.

    Exit codes: 0 it lives in MongoDB; 1 it was not switched, and lives in PostgreSQL as before; 2 usage, no such table,
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
        ),
        "mongodb",
    )
