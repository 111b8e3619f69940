"""Read the ledgers for people and programs: dead letters, conflicts, adjustments, status. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from isthmus._rust import IdCodec
from isthmus.connect.postgres import first_number
from isthmus.errors import ConfigError, TargetError
from isthmus.state.acknowledgements import Scope
from isthmus.state.checkpoints import partial_books, read_partitions, read_tallies, rows_of
from isthmus.state.lease import LOCK
from isthmus.state.migrate import state_exists
from isthmus.state.runs import Run, id_key, latest_run
from isthmus.state.source_ids import show
from isthmus.state.statements import statement

_PAGE = 500

KEPT = ("verdict-kept", "verdict-kept-before", "verdict-same", "verdict-edited", "verdict-deleted")
"""Tallies of documents whose row was there before and stays as it is, by source collection."""


@dataclass(frozen=True)
class LetterLine:
    """A dead letter without its bytes; attributes as in `isthmus.dead_letter`, `size_bytes` of the document."""

    id: int
    run: int
    collection: str
    source_id: str | None
    location: str
    stage: str
    code: str
    path: str
    message: str
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True)
class Letter(LetterLine):
    """A dead letter with all causes and its bytes."""

    causes: list[dict[str, Any]]
    document: bytes


@dataclass(frozen=True)
class ConflictLine:
    """A row of the target that says something else than its document.

    Attributes:
        run: The run that found it.
        row_id: Id of the row.
        document_id: Id that was derived from the document; another one where it was matched or joined.
        differing: Column → what the target and what the source says, shortened; sensitive ones hidden.
        policy: keep_target, overwrite, dead_letter or merge.
        action: What was done.
        document: Original bytes of a document that was joined into another; None for others.
    """

    id: int
    run: int
    collection: str
    table: str
    row_id: str
    document_id: str
    differing: dict[str, Any]
    policy: str
    action: str
    document: bytes | None


@dataclass(frozen=True)
class AdjustmentLine:
    """A row of the adjustment ledger: a value that was changed on the way.

    Attributes:
        source_id: The document's `_id`, printable; None where it has none.
        kind: What was done, for example `nul_removed`.
    """

    id: int
    collection: str
    source_id: str | None
    table: str
    column: str
    kind: str


def require_run(connection: psycopg.Connection) -> Run:
    """Return the newest run of a target.

    Raises:
        TargetError: Nothing was ever copied to it, or all of it was taken back (code `no-run`).
    """
    run = latest_run(connection) if state_exists(connection) else None
    if run is None:
        raise TargetError(
            f"This target holds no run of Isthmus{_taken_back(connection)}.",
            code="no-run",
            hint="Check --target, or begin with isthmus copy.",
        )
    return run


def _taken_back(connection: psycopg.Connection) -> str:
    """Return words for a target whose runs are gone because what they brought was taken back; empty for others."""
    there = connection.execute("SELECT to_regclass('isthmus.undo') IS NOT NULL").fetchone()
    row = connection.execute(statement("report", "last_undo")).fetchone() if there and there[0] else None
    return f" any more: all was taken back (isthmus undo, last on {row[0]:%Y-%m-%d %H:%M} UTC)" if row else ""


def is_running(connection: psycopg.Connection) -> bool:
    """Tell whether some isthmus is writing to this database now."""
    row = connection.execute(statement("report", "is_running"), {"class": LOCK[0], "object": LOCK[1]}).fetchone()
    return bool(row and row[0])


def at_work(connection: psycopg.Connection) -> str | None:
    """Return what the isthmus calls itself that is writing to this database now; None when none is."""
    row = connection.execute(statement("run", "lease_holder"), {"class": LOCK[0], "object": LOCK[1]}).fetchone()
    return str(row[0]) if row else None


def books_so_far(connection: psycopg.Connection, run: int) -> dict[str, dict[str, Any]]:
    """Return collection → books as committed, in the shape of `partial_books`, less what finish took away."""
    books = partial_books(read_partitions(connection, run))
    tallies = read_tallies(connection, run)
    off = tallies.get("rows", {})
    fed = Counter(table for own in books.values() for table in own["tables"])
    for collection, own in books.items():
        late = tallies.get("finish-letters", {}).get(collection, 0)  # of documents that had been loaded
        left_behind = tallies.get("skipped", {}).get(collection, 0)  # dead letters that another mapping skips
        own["copied"] -= late
        own["dead_letters"] += late - left_behind
        own["skipped"] += left_behind
        kept = sum(tallies.get(kind, {}).get(collection, 0) for kind in KEPT)
        joined = tallies.get("merged", {}).get(collection, 0)
        own["copied"] -= kept + joined
        own["kept"] += kept
        own["merged"] += joined
        alone = tallies.get(rows_of(collection), {})
        own["tables"] = {
            table: rows + (alone if fed[table] > 1 else off).get(table, 0) for table, rows in own["tables"].items()
        }
    return books


def missing_grants(connection: psycopg.Connection, schemas: Iterable[str]) -> list[str]:
    """Return the statements that would let the connection's role read all tables of some schemas; reads the catalog.

    Args:
        connection: In autocommit mode.
        schemas: Their names; one that does not exist asks for nothing.
    """
    rows = connection.execute(statement("report", "missing_rights"), {"schemas": list(schemas)}).fetchall()
    grants: list[str] = []
    for schema, role, usable, readable in rows:
        place, to = sql.Identifier(str(schema)), sql.Identifier(str(role))
        if not usable:
            grants.append(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(place, to).as_string(connection))
        if not readable:
            text = sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(place, to)
            grants.append(text.as_string(connection))
    return grants


def count_letters(
    connection: psycopg.Connection, scope: Scope, *, collection: str | None = None, code: str | None = None
) -> int:
    """Return how many dead letters of some runs a filter meets."""
    values = {**places(scope), "collection": collection, "code": code}
    return first_number(connection.execute(statement("report", "count_letters"), values))


def letter_kinds(connection: psycopg.Connection, scope: Scope) -> list[tuple[str, str]]:
    """Return (collection, code) of all dead letters of some runs, each once."""
    rows = connection.execute(statement("report", "letter_kinds"), places(scope)).fetchall()
    return [(str(collection), str(code)) for collection, code in rows]


def list_letters(
    connection: psycopg.Connection,
    scope: Scope,
    *,
    collection: str | None = None,
    code: str | None = None,
    limit: int | None = None,
) -> Iterator[LetterLine]:
    """Yield dead letters of some runs without bytes, oldest first; reads page by page."""
    parameters = {**places(scope), "collection": collection, "code": code}
    for row in pages(connection, "list_letters", parameters, limit):
        yield LetterLine(*row)


def read_letter(connection: psycopg.Connection, number: int) -> Letter:
    """Return one dead letter of any run with its bytes.

    Raises:
        ConfigError: There is no such letter (code `no-letter`).
    """
    row = connection.execute(statement("report", "read_letter"), {"id": number}).fetchone()
    if row is None:
        raise ConfigError(
            f"This target holds no dead letter {number}.",
            code="no-letter",
            hint="isthmus letters list shows the numbers.",
        )
    return Letter(*row)


def list_conflicts(
    connection: psycopg.Connection, scope: Scope, *, table: str | None = None, limit: int | None = None
) -> Iterator[ConflictLine]:
    """Yield the ledger of conflicts of some runs, oldest first; reads page by page."""
    for row in pages(connection, "list_conflicts", {**places(scope), "table": table}, limit):
        yield ConflictLine(*row)


def count_conflicts(connection: psycopg.Connection, scope: Scope, *, table: str | None = None) -> int:
    """Return how many conflicts of some runs a filter meets."""
    values = {**places(scope), "table": table}
    return first_number(connection.execute(statement("report", "count_conflicts"), values))


def conflict_counts(connection: psycopg.Connection, scope: Scope) -> list[tuple[int, str, str, int]]:
    """Return (run, table, what was done, count) of all conflicts of some runs; none in a state that knows of none."""
    there = connection.execute("SELECT to_regclass('isthmus.conflict') IS NOT NULL").fetchone()
    if not (there and there[0]):
        return []
    rows = connection.execute(statement("report", "conflict_counts"), places(scope)).fetchall()
    return [(int(run), str(table), str(action), int(count)) for run, table, action, count in rows]


def list_adjustments(connection: psycopg.Connection, run: int) -> Iterator[AdjustmentLine]:
    """Yield the adjustment ledger without the original values, oldest first; reads page by page."""
    for number, collection, source_id, table, column, kind in pages(connection, "list_adjustments", {"run": run}, None):
        shown = show(bytes(source_id)) if source_id is not None else None
        yield AdjustmentLine(number, collection, shown, table, column, kind)


def object_ids(connection: psycopg.Connection, ids: Iterable[str]) -> dict[str, str]:
    """Return the ObjectIds that ids of the target were derived from, as 24 hex digits, by id.

    An id that was made from something else is left out.

    Raises:
        TargetError: The target holds no id key (code `no-id-key`).
    """
    codec = IdCodec(id_key(connection, create=False))
    found = {text: codec.reverse(text) for text in ids}
    return {text: object_id.hex() for text, object_id in found.items() if object_id is not None}


def letter_counts(connection: psycopg.Connection, run: int) -> list[tuple[str, str, str, int]]:
    """Return (collection, stage, code, count) of all dead letters."""
    rows = connection.execute(statement("ledger", "letter_counts"), {"run": run}).fetchall()
    return [(str(c), str(s), str(k), int(n)) for c, s, k, n in rows]


def places(scope: Scope) -> dict[str, list[Any]]:
    """Return some runs and collections as values of a statement. Pure."""
    return {"runs": [run for run, _ in scope], "collections": [collection for _, collection in scope]}


def pages(
    connection: psycopg.Connection, name: str, parameters: dict[str, Any], limit: int | None
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a statement that begins with the id it is ordered by, page by page."""
    after, left = 0, limit
    while left is None or left > 0:
        page = _PAGE if left is None else min(_PAGE, left)
        rows = connection.execute(statement("report", name), {**parameters, "after": after, "limit": page}).fetchall()
        if not rows:
            return
        yield from rows
        after = int(rows[-1][0])
        left = None if left is None else left - len(rows)
