"""Are the documents of the source still those that were carried? Known by digests, compared in the target.

What `isthmus refs rewrite` replaced is put back before a document is called changed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
from bson import ObjectId
from bson.errors import InvalidBSON

from isthmus._rust import Transcoder, document_digest, source_id
from isthmus.connect.temporary import needing_temporary_tables
from isthmus.mapping import Mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import as_loaded
from isthmus.mapping.tables import TargetSchema
from isthmus.polyglot.decommission_copies import statement
from isthmus.sources.back_to_back import each_document
from isthmus.sources.protocol import Source
from isthmus.sources.reading import Options, read_all
from isthmus.state.as_before import as_before
from isthmus.state.rewrites import knows_rewrites, replaced
from isthmus.state.source_ids import show, value_of
from isthmus.work.progress import Progress

MOST_LISTED = 100
_TEXT_OID = 25


@dataclass
class Changed:
    """How the documents of a collection differ from those that were carried.

    Attributes:
        documents: That are there now.
        new: Whose `_id` was not carried.
        changed: Whose content is another.
        rewritten: That differ by nothing but references that `isthmus refs rewrite` replaced.
        gone: That were carried and are not there.
        newest_at: When the newest of the new ones was made, as its ObjectId says; None where none says it.
        listed: `_id`s of the first of them, the newest first.
        broken: Why the collection could not be read to its end.
    """

    documents: int = 0
    new: int = 0
    changed: int = 0
    rewritten: int = 0
    gone: int = 0
    newest_at: datetime | None = None
    listed: list[str] = field(default_factory=list[str])
    broken: list[str] = field(default_factory=list[str])

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone or self.broken)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "documents": self.documents,
            "new": self.new,
            "changed": self.changed,
            "rewritten": self.rewritten,
            "gone": self.gone,
            "newest_at": self.newest_at.isoformat() if self.newest_at else None,
            "listed": self.listed,
            "broken": self.broken,
        }


def compare_documents(
    mapping: Mapping,
    schema: TargetSchema,
    source: Source,
    connection: psycopg.Connection[Any],
    runs: ReadOnly[str, int],
    key: bytes,
    options: Options,
    progress: Progress,
    stop: threading.Event,
) -> dict[str, Changed]:
    """Compare collections with what was carried of them.

    Args:
        mapping: The mapping.
        schema: Its tables.
        source: The documents; collections that it lacks hold none.
        connection: The target, in autocommit mode; gets temporary tables.
        runs: Collection → the run that carried it last.
        key: The id key of the target.
        options: How to read; with one thread.
        progress: Gets the live numbers.
        stop: Set it to end early.

    Raises:
        Interrupted: `stop` was set.
        SourceError, TargetError: One of them cannot be read.
    """
    names = list(runs)
    with needing_temporary_tables("Documents and what was carried of them", "give --target to a role that may"):
        connection.execute(statement("create_seen"))
    plans = compile_plans(as_loaded(mapping))
    enums = dict.fromkeys((f"{schema.schema}.{name}" for name in schema.enums), _TEXT_OID)  # only digests are wanted
    rewrites = knows_rewrites(connection)
    there = {info.name: info.bytes_total for info in source.collections() if info.readable}
    for name in (name for name in names if name in there):
        progress.expect(name, bytes_total=there[name], bytes_done=0, documents=0, dead_letters=0)

    def reader(number: int, name: str) -> _Reader:
        return _Reader(connection, number, name, Transcoder(plans[name], key, 0, enum_oids=enums), rewrites=rewrites)

    makers = {name: partial(reader, number, name) for number, name in enumerate(names) if name in there}
    progress.stage("reading the source")
    found = {name: Changed() for name in names}
    for name, counted in read_all(source, makers, options, progress, stop).items():
        found[name].documents, found[name].broken = counted.counter.documents, counted.broken
    progress.stage("comparing rows")
    connection.execute(statement("create_carried"), {"runs": list(runs.values()), "collections": names})
    connection.execute("CREATE INDEX ON pg_temp.decommission_carried (collection, id)")
    connection.execute("CREATE INDEX ON pg_temp.decommission_seen (collection, id)")
    for table in ("decommission_seen", "decommission_carried"):
        connection.execute(f"ANALYZE pg_temp.{table}".encode())
    connection.execute(statement("create_differing"))
    _enter(connection, names, found)
    return found


def _enter(connection: psycopg.Connection[Any], names: Sequence[str], found: dict[str, Changed]) -> None:
    for number, new, changed, rewritten in connection.execute(statement("count_differing")).fetchall():
        one = found[names[int(number)]]
        one.new, one.changed, one.rewritten = int(new), int(changed), int(rewritten)
    for number, gone in connection.execute(statement("count_gone")).fetchall():
        found[names[int(number)]].gone = int(gone)
    for number, raw, was in connection.execute(statement("list_differing"), {"most": MOST_LISTED}).fetchall():
        one = found[names[int(number)]]
        one.listed.append(show(bytes(raw)) if raw is not None else "(no readable _id)")
        made = made_at(bytes(raw)) if raw is not None and not was else None
        if made is not None and (one.newest_at is None or made > one.newest_at):
            one.newest_at = made


def made_at(source_id: bytes) -> datetime | None:
    """Return when a document was made, as the ObjectId in its `{"_id": value}` says; None where it says nothing."""
    try:
        value = value_of(source_id)
    except InvalidBSON:  # text that is not UTF-8
        return None
    return value.generation_time.astimezone(UTC) if isinstance(value, ObjectId) else None


class _Reader:
    """Digests the documents of one collection. Those of all share a connection and one thread."""

    def __init__(
        self, connection: psycopg.Connection[Any], number: int, name: str, transcoder: Transcoder, *, rewrites: bool
    ) -> None:
        self._connection = connection
        self._number = number
        self._name = name
        self._transcoder = transcoder
        self._rewrites = rewrites
        self.documents = 0

    def read(self, documents: bytes) -> int:
        """Enter whole documents, and return how many."""
        digests = self._transcoder.transcode(documents).document_digests
        raws = list(each_document(documents))
        ids = [source_id(raw) for raw in raws]
        known = [one for one in ids if one is not None]
        written = replaced(self._connection, self._name, known) if self._rewrites else {}
        command = (
            "COPY pg_temp.decommission_seen (collection, id, content, restored, source_id) FROM STDIN (FORMAT binary)"
        )
        with self._connection.cursor() as cursor, cursor.copy(command) as copy:
            copy.set_types(["int4", "bytea", "bytea", "bytea", "bytea"])
            for at, (raw, one) in enumerate(zip(raws, ids, strict=True)):
                start = at * 16
                lines = written.get(one, []) if one is not None else []
                restored = as_before(raw, [line.back for line in lines]) if lines else None
                digest = document_digest(restored) if restored is not None else None
                copy.write_row((self._number, digests[start : start + 8], digests[start + 8 : start + 16], digest, one))
        self.documents += len(raws)
        return len(raws)

    def merge(self, other: _Reader) -> None:
        """Take over how many another one entered."""
        self.documents += other.documents
