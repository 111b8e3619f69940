"""Put back what rewrites wrote, from their own log: each value only where what was written still stands.

What was put back is noted behind the update. Whoever ends the process in between, the next call finds the old value
standing and notes that: nothing is put back twice, and what a writer wrote since is left alone. That is settled, too:
what others have replaced (`left`) and what was in documents that are gone (`gone`) is listed by later calls, and looked
at no more. Only a place that others have given the id of a row is looked at again, for as long as it holds one and
nobody has said that it may stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

import psycopg

from isthmus.connect.postgres import connect
from isthmus.mapping.model import Mapping
from isthmus.polyglot.rewrite.begin import name_places
from isthmus.polyglot.rewrite.documents import Read
from isthmus.polyglot.rewrite.put_back import Back, back, held_at
from isthmus.polyglot.rewrite.result import CHANGES, Listed, OtherId, RewriteResult
from isthmus.polyglot.rewrite.run import Job, ending, persisting, settle_planned
from isthmus.polyglot.rewrite.updates import MOST_VALUES
from isthmus.polyglot.rewrite.writer import MOST_TRIES, Writer
from isthmus.polyglot.sites import Place, show_place, sites
from isthmus.state.lease import Lease
from isthmus.state.migrate import check_state, migrate
from isthmus.state.other_ids import CarriedRow, carried_rows, documents_of
from isthmus.state.reports import require_run
from isthmus.state.rewrites import (
    Line,
    end_open,
    forget_no_ids,
    knows_rewrites,
    next_done,
    now,
    settle,
    settle_left,
    settled_without,
    written_collections,
)
from isthmus.work.interrupted import Interrupted
from isthmus.work.stages import reached

DOCUMENTS = 200
"""Documents that are put back together."""


def undo_rewrites(job: Job, result: RewriteResult, *, live: bool, everything: bool, leave_ids: bool = False) -> None:
    """Put back what was written into the documents of a source, or count what would be put back.

    Dry, it writes nothing anywhere. Live, it writes to MongoDB and to the log in the target, under the run lease; safe
    to call again after any end.

    Args:
        job: What to do.
        result: Gets what it came to so far, also when the call raises.
        live: Whether documents are changed.
        everything: All that was written, also at places that the mapping no longer names; else those of the scope.
        leave_ids: Whether ids of rows that others put in the place of what was written may stay: nothing waits then.

    Raises:
        IsthmusError: Refused before anything was written, or stopped by something waiting does not mend.
    """
    began: list[datetime] = []  # by the target's clock, of the first session
    with ending(result):
        persisting(job, lambda: _session(job, result, began, live, everything, leave_ids))


def _session(
    job: Job, result: RewriteResult, began: list[datetime], live: bool, everything: bool, leave_ids: bool
) -> None:
    job.progress.stage("preflight")
    if not live:
        with closing(connect(job.conninfo, autocommit=True)) as connection:
            check_state(connection)
            require_run(connection)
            if knows_rewrites(connection):
                began.append(now(connection))
                _Undoing(
                    job, result, connection, _writer(job), began[0], everything=everything, leave_ids=leave_ids
                ).all()
        return
    lease = Lease(job.conninfo)
    try:
        lease.acquire()
        check_state(lease.connection)
        run = require_run(lease.connection).id
        lease.adopt(run)
        migrate(lease.connection)
        began.append(now(lease.connection))
        writer = _writer(job)
        settle_planned(job, lease, run, writer)
        with lease.connection.transaction():
            lease.assert_held(lease.connection, run)
            end_open(lease.connection, job.source.identity(), "undone")
        _Undoing(
            job, result, lease.connection, writer, began[0], lease, run, everything=everything, leave_ids=leave_ids
        ).all()
    finally:
        lease.release()


def _writer(job: Job) -> Writer:
    collated = [info.name for info in job.source.collections() if info.options.get("collation")]
    return Writer(job.server, job.source.database, collated)


class _Undoing:
    """One session of an undo; without a lease it only counts.

    What an earlier session of the same call put back is counted already, and its lines are done with; what it left
    alone stands in the log, or is met again, so that is forgotten at the beginning.
    """

    def __init__(
        self,
        job: Job,
        result: RewriteResult,
        connection: psycopg.Connection,
        writer: Writer,
        began: datetime,
        lease: Lease | None = None,
        run: int = 0,
        *,
        everything: bool,
        leave_ids: bool,
    ) -> None:
        self._job = job
        self._result = result
        self._connection = connection
        self._writer = writer
        self._began = began
        self._lease = lease
        self._run = run
        self._everything = everything
        self._leave_ids = leave_ids
        self._rows: dict[str, CarriedRow] = {}  # of the documents in hand, by what others put there
        self._source = job.source.identity()
        self._sensitive = _sensitive(job.mapping)
        name_places(job.mapping, job.scope.sites, result)
        for books in result.places.values():
            books.counts = Counter({name: count for name, count in books.counts.items() if name == "restored"})
        result.listed = [one for one in result.listed if one.outcome == "restored"]
        if lease is None:
            result.changed = 0

    def all(self) -> None:
        """Put back everything that was asked for, collection by collection."""
        settled = list(settled_without(self._connection, self._source, self._began))
        self._rows = carried_rows(self._connection, {left_id for *_, left_id in settled if left_id is not None})
        for line, before, left_id in settled:
            if not self._is_asked(line):
                continue
            if left_id is not None:
                self._add(line, "id_left", left_id)
            else:
                self._add(line, "gone" if line.state == "gone" else "left_before" if before else "left_alone")
        written = written_collections(self._connection, self._source)
        chosen = {name: count for name, count in written.items() if self._everything or name in self._job.scope.sites}
        self._job.progress.stage("putting back", sum(documents for documents, _ in chosen.values()))
        for name in chosen:
            self._result.documents.setdefault(name, 0)
            self._job.progress.step(name)
            after = b""
            while True:
                if self._job.stop.is_set():
                    raise Interrupted
                documents, after = next_done(self._connection, self._source, name, after=after, limit=DOCUMENTS)
                if not documents:
                    break
                asked = [[line for line in lines if self._is_asked(line)] for lines in documents]
                self._put_back(name, [lines for lines in asked if lines])
                for _ in documents:
                    self._job.progress.step_done()
        if self._lease is not None:
            with self._connection.transaction():
                self._lease.assert_held(self._connection, self._run)
                forget_no_ids(self._connection, self._source)

    def _is_asked(self, line: Line) -> bool:
        asked = self._job.scope.sites.get(line.collection, ())
        return self._everything or any(site.shown == line.site for site in asked)

    def _put_back(self, collection: str, documents: Sequence[list[Line]]) -> None:
        left = {lines[0].source_id: lines for lines in documents}
        tries: Counter[bytes] = Counter()
        while left:
            reads = self._writer.read(collection, list(left))
            backs = [back(lines, reads.get(source_id)) for source_id, lines in left.items()]
            texts = {text for one in backs for _, text in one.changed if text is not None}
            self._rows = carried_rows(self._connection, texts)
            if self._lease is None:
                for one in backs:
                    self._count(one, one.standing, "would_restore")
                return
            left = self._write(self._lease, collection, backs, tries)

    def _write(
        self, lease: Lease, collection: str, backs: Sequence[Back], tries: Counter[bytes]
    ) -> dict[bytes, list[Line]]:
        """Put documents back and note it; return those that must be looked at again, with the lines that are left."""
        changing = [one for one in backs if one.standing]
        changes = [one.change(MOST_VALUES, tried=one.source_id in tries) for one in changing]
        wrote = self._writer.write(collection, changes)
        reached("rewrite.put-back")
        outcomes = {one.source_id: outcome for one, outcome in zip(changing, wrote, strict=True)}
        unclear = [one.source_id for one in changing if outcomes[one.source_id] == "unmatched"]
        reads = self._writer.read(collection, unclear)
        again: dict[bytes, list[Line]] = {}
        undone: list[int] = []
        gone: list[int] = []
        left: list[tuple[int, str | None]] = []
        for one in backs:
            outcome = outcomes.get(one.source_id, "written")
            part = one.standing[:MOST_VALUES]
            if outcome == "unmatched" and not _is_back(part, reads.get(one.source_id)):
                tries[one.source_id] += 1
                if tries[one.source_id] >= MOST_TRIES:
                    self._count(one, one.standing, "moved")
                else:
                    again[one.source_id] = one.lines
                continue
            undone += [line.id for line in one.settled]
            gone += [line.id for line in one.lines if one.gone]
            left += [(line.id, text) for line, text in one.changed]
            if isinstance(outcome, tuple):
                self._count(one, one.standing, f"cannot:{outcome[1]}")
                continue
            undone += [line.id for line, _ in part]
            if len(part) == len(one.standing):
                self._count(one, part, "restored")
                continue
            self._count_values(part, "restored")
            through = {line.id for line, _ in part} | {line.id for line in one.settled}
            again[one.source_id] = [line for line in one.lines if line.id not in through]
        with self._connection.transaction():
            lease.assert_held(self._connection, self._run)
            settle(self._connection, undone, "undone")
            settle(self._connection, gone, "gone")
            settle_left(self._connection, left, leave=self._leave_ids)
            reached("rewrite.undo-before-commit")
        reached("rewrite.undone")
        return again

    def _count(self, one: Back, standing: Sequence[tuple[Line, Place]], outcome: str) -> None:
        """Count a document that is through, with what came of the values that stand in it."""
        collection = one.lines[0].collection
        self._result.documents[collection] = self._result.documents.get(collection, 0) + 1
        self._count_values(standing, outcome)
        self._result.changed += bool(standing) and outcome in CHANGES
        for line in one.lines if one.gone else ():
            self._add(line, "gone")
        for line, text in one.changed:
            if text is not None and text in self._rows:
                left = "would_leave_id" if self._lease is None else "id_left"
                self._add(line, left if self._leave_ids else "other_id", text)
            else:
                self._add(line, "left_alone")

    def _count_values(self, standing: Sequence[tuple[Line, Place]], outcome: str) -> None:
        for line, _ in standing:
            self._add(line, outcome)

    def _add(self, line: Line, name: str, other: str | None = None) -> None:
        place = (line.collection, line.site)
        if self._result.count(*place, name) > self._result.limit:
            return
        outcome, _, reason = name.partition(":")
        path, sensitive = show_place(line.path), place in self._sensitive
        self._result.listed.append(
            Listed(
                line.collection,
                line.source_id,
                path,
                line.old_value,
                line.new_text,
                outcome,
                reason or None,
                sensitive,
                None if other is None else self._other(other),
            )
        )

    def _other(self, text: str) -> OtherId:
        row = self._rows.get(text)
        return OtherId(text, None, ()) if row is None else OtherId(text, row.table, documents_of(self._connection, row))


def _is_back(standing: Sequence[tuple[Line, Place]], read: Read | None) -> bool:
    """Tell whether a document was put back: one of its old values stands where the new one stood."""
    return read is not None and any(held_at(read, place) == line.old_value for line, place in standing)


def _sensitive(mapping: Mapping) -> set[tuple[str, str]]:
    return {(site.collection, site.shown) for site in sites(mapping) if site.sensitive}
