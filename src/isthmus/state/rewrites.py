"""Rewrites: what was asked for, how far each collection is, and each value that is to be, was or was not replaced.

Every function that writes does so inside the caller's transaction. Documents are known by `{"_id": value}` as BSON, old
values by `{"": value}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from isthmus.connect.postgres import first_number
from isthmus.state.as_before import Step, text_held
from isthmus.state.statements import statement

State = Literal["planned", "done", "undone", "refused", "left", "gone"]
Outcome = Literal["complete", "undone", "replaced"]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Line:
    """One value of one document, as the log has it.

    Attributes:
        collection: The collection.
        source_id: `{"_id": value}` as BSON.
        site: Where, for all documents, as people write it.
        path: Where, in this one: keys are texts, positions numbers.
        old_value: `{"": value}` as BSON.
        new_text: The id of the row; None where there is none to write.
        state: What became of it.
        reason: Why it was refused; of one that others have replaced the id of a row that stands there now; else None.
        id: Number of the line; 0 for one that is not written yet.
        rewrite: Number of the rewrite; 0 for one that is not written yet.
    """

    collection: str
    source_id: bytes
    site: str
    path: Path
    old_value: bytes
    new_text: str | None
    state: State = "planned"
    reason: str | None = None
    id: int = 0
    rewrite: int = 0


@dataclass
class Part:
    """How far one collection is.

    Attributes:
        collection: The collection.
        position: Behind which document it stands, as a live source tells it; None: nothing was done yet.
        done: Whether it was read to its end.
        documents: How many were read.
        bytes: Their bytes.
        counts: Path → outcome → values, of outcomes that the log does not keep.
    """

    collection: str
    position: bytes | None = None
    done: bool = False
    documents: int = 0
    bytes: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])


@dataclass(frozen=True)
class Replaced:
    """What a rewrite put into a document.

    Attributes:
        path: Where: keys are texts, positions numbers.
        old_value: `{"": value}` as BSON: what stood there before.
        new_text: The id that it became.
    """

    path: Path
    old_value: bytes
    new_text: str

    @property
    def back(self) -> Step:
        """What takes it back."""
        return Step(self.path, text_held(self.new_text), self.old_value)


@dataclass(frozen=True)
class OpenRewrite:
    """A rewrite that can be gone on with: its number, the mapping's fingerprint, and what was asked for."""

    id: int
    fingerprint: str
    scope: dict[str, list[str]]


def knows_rewrites(connection: psycopg.Connection) -> bool:
    """Tell whether the state is of a version that has rewrites; older ones have none."""
    return bool(first_number(connection.execute(statement("rewrite", "has_tables"))))


def copied_collections(connection: psycopg.Connection) -> list[tuple[int, list[str] | None, bool]]:
    """Return number, source collections and whether it is complete of every run of a target whose state exists.

    The collections are None for a run that carries all that its mapping names and is not complete.
    """
    rows = connection.execute(statement("rewrite", "copied_collections")).fetchall()
    return [(int(number), names, bool(complete)) for number, names, complete in rows]


def open_rewrites(connection: psycopg.Connection, source: dict[str, Any]) -> list[OpenRewrite]:
    """Return the rewrites of a source that can be gone on with, the oldest first."""
    rows = connection.execute(statement("rewrite", "open_rewrites"), {"source": Jsonb(source)}).fetchall()
    return [OpenRewrite(int(number), str(fingerprint), scope) for number, fingerprint, scope in rows]


def insert_rewrite(
    connection: psycopg.Connection,
    *,
    source: dict[str, Any],
    source_name: str,
    fingerprint: str,
    scope: dict[str, list[str]],
    run: int,
    version: str,
) -> int:
    """Begin a rewrite and return its number."""
    given = {
        "source": Jsonb(source),
        "source_name": source_name,
        "fingerprint": fingerprint,
        "scope": Jsonb(scope),
        "run": run,
        "version": version,
    }
    return first_number(connection.execute(statement("rewrite", "insert_rewrite"), given))


def end_rewrite(connection: psycopg.Connection, rewrite: int, outcome: Outcome) -> None:
    """Note that nothing more will be done for a rewrite. Safe to repeat; the first outcome counts."""
    connection.execute(statement("rewrite", "end_rewrite"), {"rewrite": rewrite, "outcome": outcome})


def end_open(
    connection: psycopg.Connection, source: dict[str, Any], outcome: Outcome, *, but: int | None = None
) -> None:
    """Note that nothing more will be done for the rewrites of a source that can be gone on with, but for one."""
    connection.execute(statement("rewrite", "end_open"), {"source": Jsonb(source), "outcome": outcome, "but": but})


def read_parts(connection: psycopg.Connection, rewrite: int) -> dict[str, Part]:
    """Return how far each collection is that was begun."""
    rows = connection.execute(statement("rewrite", "read_parts"), {"rewrite": rewrite}).fetchall()
    return {
        str(name): Part(
            str(name), None if position is None else bytes(position), bool(done), int(documents), int(size), counts
        )
        for name, position, done, documents, size, counts in rows
    }


def store_part(connection: psycopg.Connection, rewrite: int, part: Part) -> None:
    """Keep how far a collection is."""
    connection.execute(
        statement("rewrite", "store_part"),
        {
            "rewrite": rewrite,
            "collection": part.collection,
            "position": part.position,
            "done": part.done,
            "documents": part.documents,
            "bytes": part.bytes,
            "counts": Jsonb(part.counts),
        },
    )


def insert_lines(connection: psycopg.Connection, rewrite: int, lines: Sequence[Line]) -> list[int]:
    """Write lines and return their numbers, in their order."""
    numbers: list[int] = []
    if not lines:
        return numbers
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("rewrite", "insert_line"),
            [
                {
                    "rewrite": rewrite,
                    "collection": line.collection,
                    "source_id": line.source_id,
                    "site": line.site,
                    "path": Jsonb(line.path),
                    "old_value": line.old_value,
                    "new_text": line.new_text,
                    "state": line.state,
                    "reason": line.reason,
                }
                for line in lines
            ],
            returning=True,
        )
        while True:
            row = cursor.fetchone()
            numbers.append(int(row[0]) if row else 0)
            if not cursor.nextset():
                return numbers


def settle(connection: psycopg.Connection, lines: Sequence[int], state: State, reason: str | None = None) -> None:
    """Note what became of lines."""
    if lines:
        given = {"lines": list(lines), "state": state, "reason": reason}
        connection.execute(statement("rewrite", "settle"), given)


def settle_left(
    connection: psycopg.Connection, lines: Sequence[tuple[int, str | None]], *, leave: bool = False
) -> None:
    """Note that others have replaced what lines wrote: number, and the text there now where it may be an id.

    The text is kept only where it is the id of a row that Isthmus has carried. Such a line waits until something else
    stands there; with `leave` it is done with, and keeps the id as what somebody said may stay.
    """
    if lines:
        numbers, texts = [number for number, _ in lines], [text for _, text in lines]
        given = {"lines": numbers, "texts": texts, "leave": leave}
        connection.execute(statement("rewrite", "settle_left"), given)


def forget_no_ids(connection: psycopg.Connection, source: dict[str, Any]) -> None:
    """Forget ids that `settle_left` noted, where their rows are carried no more."""
    connection.execute(statement("rewrite", "forget_no_ids"), {"source": Jsonb(source)})


def now(connection: psycopg.Connection) -> datetime:
    """Return the instant, by the clock that lines are settled by."""
    ((instant,),) = connection.execute(statement("rewrite", "now")).fetchall()
    return instant


def settled_without(
    connection: psycopg.Connection, source: dict[str, Any], began: datetime
) -> Iterator[tuple[Line, bool, str | None]]:
    """Yield the lines that could not be put back and are done with.

    Those of a place that was written since are left out; and those that hold the id of a row, which may change.

    Yields:
        The line, whether that was before the instant, and the id of a row that stood there and may stay, as somebody
            said; None where it was none.
    """
    given = {"source": Jsonb(source), "began": began}
    for row in connection.execute(statement("rewrite", "settled_without"), given).fetchall():
        yield _line(row[:8], row[8]), bool(row[9]), row[10]


def done_documents(connection: psycopg.Connection, rewrite: int) -> int:
    """Return into how many documents a rewrite wrote."""
    return first_number(connection.execute(statement("rewrite", "done_documents"), {"rewrite": rewrite}))


def forget(connection: psycopg.Connection, lines: Sequence[int]) -> None:
    """Take lines out that came to nothing; what was written stays."""
    if lines:
        connection.execute(statement("rewrite", "forget"), {"lines": list(lines)})


def has_refused(connection: psycopg.Connection, source: dict[str, Any]) -> bool:
    """Tell whether anything was refused in documents of a source."""
    return bool(first_number(connection.execute(statement("rewrite", "has_refused"), {"source": Jsonb(source)})))


def forget_refused(
    connection: psycopg.Connection,
    source: dict[str, Any],
    collection: str,
    sites: Sequence[str],
    source_ids: Sequence[bytes],
) -> None:
    """Take out what was refused before at some places of documents that are looked at again."""
    if source_ids:
        given = {"collection": collection, "sites": list(sites), "source_ids": list(source_ids)}
        connection.execute(statement("rewrite", "forget_refused"), {**given, "source": Jsonb(source)})


def planned(connection: psycopg.Connection, source: dict[str, Any]) -> list[Line]:
    """Return what was about to be written when an isthmus ended, the lines of one document together.

    No more than one batch of each isthmus that was ended.
    """
    rows = connection.execute(statement("rewrite", "planned"), {"source": Jsonb(source)}).fetchall()
    return [_line(row[:8]) for row in rows]


def done_of(
    connection: psycopg.Connection, rewrite: int, collection: str, source_ids: Sequence[bytes]
) -> set[tuple[bytes, Path, str]]:
    """Return (document, path, text) of what a rewrite wrote into some documents."""
    given = {"rewrite": rewrite, "collection": collection, "source_ids": list(source_ids)}
    rows = connection.execute(statement("rewrite", "done_of"), given).fetchall()
    return {(bytes(source_id), tuple(path), str(text)) for source_id, path, text in rows}


def counts(connection: psycopg.Connection, rewrite: int) -> list[tuple[str, str, State, str | None, int]]:
    """Return (collection, site, state, reason, values)."""
    rows = connection.execute(statement("rewrite", "counts"), {"rewrite": rewrite}).fetchall()
    return [(str(name), str(site), state, reason, int(count)) for name, site, state, reason, count in rows]


def first_lines(connection: psycopg.Connection, rewrite: int, states: Sequence[State], limit: int) -> Iterator[Line]:
    """Yield the first lines of each place, state and reason."""
    given = {"rewrite": rewrite, "states": list(states), "limit": limit}
    for name, source_id, site, path, old, text, state, reason in connection.execute(
        statement("rewrite", "lines"), given
    ).fetchall():
        yield Line(str(name), bytes(source_id), str(site), tuple(path), bytes(old), text, state, reason)


def written_collections(connection: psycopg.Connection, source: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Return collection → (documents, values) that can be put back, or hold ids of rows that others wrote there."""
    rows = connection.execute(statement("rewrite", "written_collections"), {"source": Jsonb(source)}).fetchall()
    return {str(name): (int(documents), int(values)) for name, documents, values in rows}


def next_done(
    connection: psycopg.Connection, source: dict[str, Any], collection: str, *, after: bytes, limit: int
) -> tuple[list[list[Line]], bytes]:
    """Return what was written into the next documents of a collection, and where to go on behind them.

    Args:
        connection: The caller's.
        source: Whose documents.
        collection: The collection.
        after: What the call before returned; empty bytes to begin.
        limit: Most documents.

    Returns:
        For each document its lines, the newest first; empty when there are no more.
    """
    given = {"source": Jsonb(source), "collection": collection, "after": after, "limit": limit}
    documents: dict[bytes, list[Line]] = {}
    for row in connection.execute(statement("rewrite", "next_done"), given).fetchall():
        documents.setdefault(bytes(row[8]), []).append(_line(row[:8], "done"))
    return list(documents.values()), max(documents, default=after)


def replaced(
    connection: psycopg.Connection, collection: str, source_ids: Sequence[bytes]
) -> dict[bytes, list[Replaced]]:
    """Return what rewrites put into some documents and nobody put back, the newest first; the state knows rewrites."""
    found: dict[bytes, list[Replaced]] = {}
    given = {"collection": collection, "source_ids": list(source_ids)}
    for source_id, path, old, new in connection.execute(statement("rewrite", "replaced"), given).fetchall():
        found.setdefault(bytes(source_id), []).append(Replaced(tuple(path), bytes(old), str(new)))
    return found


def matched_ids(
    connection: psycopg.Connection,
    collections: Sequence[str],
    derived_ids: Sequence[str],
    source_ids: Sequence[bytes],
) -> list[tuple[str | None, bytes, str]]:
    """Return (id it would have had, `{"_id": value}`, id of its row) of documents that have the id of another row."""
    given = {"collections": list(collections), "derived_ids": list(derived_ids), "source_ids": list(source_ids)}
    rows = connection.execute(statement("rewrite", "matched_ids"), given).fetchall()
    return [(derived, bytes(source_id), str(text)) for derived, source_id, text in rows]


def _line(row: tuple[Any, ...], state: State = "planned") -> Line:
    number, collection, source_id, site, path, old, text, rewrite = row
    return Line(
        str(collection),
        bytes(source_id),
        str(site),
        tuple(path),
        bytes(old),
        text,
        state,
        None,
        int(number),
        int(rewrite),
    )
