"""What became of updates that nobody saw the answer of: a look at the documents tells.

One update replaces all its values or none. So a document in which an old value still stands at its place was not
written; one in which a new value stands was, there or where a writer has moved it since within its array. In one with
neither there is nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from isthmus.polyglot.rewrite.documents import Read, held, standing
from isthmus.polyglot.rewrite.writer import Writer
from isthmus.polyglot.sites import Site, SitePath, found
from isthmus.state.rewrites import Line

_DOCUMENTS = 500


def was_written(lines: Sequence[Line], read: Read | None) -> bool:
    """Tell whether the update of one document was done.

    Args:
        lines: All values that it replaces.
        read: The document as it is now; None when it is gone.
    """
    if read is None:
        return False
    there = [standing(read.content, line.path) for line in lines]
    if any(held(value) == line.old_value for value, line in zip(there, lines, strict=True)):
        return False
    if any(value == line.new_text for value, line in zip(there, lines, strict=True)):
        return True
    return any(value == line.new_text for line in lines for _, value in found(read.content, like(line)))


def like(line: Line) -> Site:
    """Return the site of all places that differ from a line's in their positions only."""
    path: SitePath = tuple(None if isinstance(step, int) else step for step in line.path)
    return Site(line.collection, path, (), line.site, "")


def look_again(writer: Writer, lines: Iterable[Line]) -> tuple[list[int], list[int]]:
    """Return the numbers of planned lines that were written, and of those that were not.

    Args:
        writer: Reads the documents.
        lines: The lines of one update together, those of a collection together.

    Raises:
        SourceError: The server is in trouble.
    """
    written: list[int] = []
    not_written: list[int] = []
    for collection, of_collection in groupby(lines, key=lambda line: line.collection):
        updates = [list(one) for _, one in groupby(of_collection, key=lambda line: (line.source_id, line.rewrite))]
        for first in range(0, len(updates), _DOCUMENTS):
            chunk = updates[first : first + _DOCUMENTS]
            reads = writer.read(collection, [update[0].source_id for update in chunk])
            for update in chunk:
                done = was_written(update, reads.get(update[0].source_id))
                (written if done else not_written).extend(line.id for line in update)
    return written, not_written
