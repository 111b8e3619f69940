"""One block of documents rewritten: plan, commit the plan, update, look, note what came of it.

Planned lines are committed before an update is sent and settled after it, together with the checkpoint behind the last
documents of the block. Whenever the process ends in between, `settle` finds out what was done.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import psycopg

from isthmus.polyglot.rewrite.begin import Ground
from isthmus.polyglot.rewrite.books import UNKEPT, refusal_of
from isthmus.polyglot.rewrite.documents import Read, holding
from isthmus.polyglot.rewrite.judge import Value
from isthmus.polyglot.rewrite.looked import Looked, look_through
from isthmus.polyglot.rewrite.settle import look_again
from isthmus.polyglot.rewrite.updates import MOST_VALUES
from isthmus.polyglot.rewrite.writer import MOST_TRIES, Writer
from isthmus.polyglot.sites import Place
from isthmus.state.lease import Lease
from isthmus.state.rewrites import (
    Line,
    Part,
    done_of,
    forget,
    forget_refused,
    has_refused,
    insert_lines,
    settle,
    store_part,
)
from isthmus.work.interrupted import Interrupted
from isthmus.work.stages import reached

DOCUMENTS = 500
"""Most documents whose plan is committed together."""

Written = tuple[bytes, Place, object]
"""A value that this rewrite wrote: `{"_id": value}`, where, what."""


@dataclass
class _Planned:
    """One document whose update is planned: what was read, its lines of the log, and their numbers."""

    looked: Looked
    lines: list[Line]
    numbers: list[int] = field(default_factory=list[int])


class Live:
    """Rewrites documents of one source, block by block.

    Args:
        ground: What it works on.
        writer: What it writes with.
        lease: The lease of the target, held.
        run: The run whose lease token is compared in each transaction.
        rewrite: Its number.
        resumed: Whether documents may come again of which some were written.
        stop: Set to end between two chunks.
    """

    def __init__(
        self,
        ground: Ground,
        writer: Writer,
        lease: Lease,
        *,
        run: int,
        rewrite: int,
        resumed: bool,
        stop: threading.Event,
    ) -> None:
        self._ground = ground
        self._writer = writer
        self._lease = lease
        self._run = run
        self._rewrite = rewrite
        self._resumed = resumed
        self._stop = stop
        self._forgets = has_refused(lease.connection, ground.source.identity())

    @property
    def _connection(self) -> psycopg.Connection:
        return self._lease.connection

    def block(self, part: Part, reads: Sequence[Read], position: bytes) -> None:
        """Rewrite the documents of a block, and move the checkpoint behind them. Committed.

        Args:
            part: How far the collection is; is moved on.
            reads: The documents.
            position: Behind the last of them.

        Raises:
            Interrupted: The user asked to stop; the chunk in hand is done.
            SourceError, psycopg.Error: A server is in trouble; the same block may be given again.
        """
        after = replace(part, counts={path: dict(kept) for path, kept in part.counts.items()}, position=position)
        after.documents += len(reads)
        after.bytes += sum(read.size_bytes for read in reads)
        chunks = [reads[first : first + DOCUMENTS] for first in range(0, len(reads), DOCUMENTS)]
        for number, chunk in enumerate(chunks):
            self._chunk(part.collection, chunk, after, last=number == len(chunks) - 1)
        part.position, part.documents, part.bytes, part.counts = position, after.documents, after.bytes, after.counts

    def done(self, part: Part) -> None:
        """Note that a collection was read to its end. Committed."""
        part.done = True
        self._store(part)

    def _chunk(self, collection: str, reads: Sequence[Read], after: Part, *, last: bool) -> None:
        if self._stop.is_set():
            raise Interrupted
        written: set[Written] = set()
        if self._resumed:
            written |= done_of(self._connection, self._rewrite, collection, [read.source_id for read in reads])
        tries: Counter[bytes] = Counter()
        left: Sequence[Read] = reads
        again = False
        while left:
            looked = look_through(self._ground, collection, left)
            planned = self._plan(collection, looked, again=again)
            unmatched, unfinished = self._update(collection, planned, tries)
            _count(after, [one for one in looked if one.read.source_id not in unmatched | unfinished], written)
            tries.update(unmatched)
            # one that is gone by now holds nothing any more
            found = self._writer.read(collection, [*unmatched, *unfinished])
            given_up = [read for source_id, read in found.items() if tries[source_id] >= MOST_TRIES]
            self._give_up(collection, look_through(self._ground, collection, given_up), after)
            left = [read for source_id, read in found.items() if tries[source_id] < MOST_TRIES]
            written.update(self._wrote(unfinished, planned))
            again = True
        if last:
            self._store(after)

    def _wrote(self, source_ids: set[bytes], planned: Sequence[_Planned]) -> Iterator[Written]:
        """Yield what was written to some documents, which come again as they are then."""
        for one in planned:
            if one.looked.read.source_id in source_ids:
                yield from ((line.source_id, line.path, line.new_text) for line in one.lines)

    def _plan(self, collection: str, looked: Sequence[Looked], *, again: bool) -> list[_Planned]:
        """Commit what is about to be written to some documents, and what is refused in them."""
        planned = [
            _Planned(one, [_line(collection, one, value) for value in one.changing[:MOST_VALUES]])
            for one in looked
            if one.changing
        ]
        refused = [
            _refusal(collection, one, value, refusal_of(value))
            for one in looked
            for value in one.values
            if value.verdict != "change" and value.verdict not in UNKEPT
        ]
        lines = [line for one in planned for line in one.lines]
        forgetting = again or self._forgets
        if not (lines or refused or forgetting):
            return planned
        with self._connection.transaction():
            self._lease.assert_held(self._connection, self._run)
            if forgetting:
                identity = self._ground.source.identity()
                sites = [site.shown for site in self._ground.sites[collection]]
                forget_refused(self._connection, identity, collection, sites, [one.read.source_id for one in looked])
            numbers = insert_lines(self._connection, self._rewrite, [*lines, *refused])
        first = 0
        for one in planned:
            one.numbers = numbers[first : first + len(one.lines)]
            first += len(one.lines)
        if planned:
            reached("rewrite.planned")
        return planned

    def _update(
        self, collection: str, planned: Sequence[_Planned], tries: Counter[bytes]
    ) -> tuple[set[bytes], set[bytes]]:
        """Send the updates and note what came of each.

        Returns:
            The documents that were not what was read, and those of which more is to be changed.
        """
        if not planned:
            return set(), set()
        changes = [one.looked.change(MOST_VALUES, tried=one.looked.read.source_id in tries) for one in planned]
        outcomes = self._writer.write(collection, changes)
        reached("rewrite.updated")
        done: list[int] = []
        refused: dict[str, list[int]] = {}
        rest: list[Line] = []
        unclear: list[_Planned] = []
        for one, outcome in zip(planned, outcomes, strict=True):
            if outcome == "written":
                done += one.numbers
            elif outcome == "unmatched":
                unclear.append(one)
            else:
                refused.setdefault(outcome[1], []).extend(one.numbers)
                more = one.looked.changing[MOST_VALUES:]
                rest += [_refusal(collection, one.looked, value, outcome[1]) for value in more]
        lines = [
            replace(line, id=number, rewrite=self._rewrite)
            for one in unclear
            for line, number in zip(one.lines, one.numbers, strict=True)
        ]
        seen, not_written = look_again(self._writer, lines)
        done += seen
        with self._connection.transaction():
            self._lease.assert_held(self._connection, self._run)
            settle(self._connection, done, "done")
            for reason, numbers in refused.items():
                settle(self._connection, numbers, "refused", reason)
            insert_lines(self._connection, self._rewrite, rest)
            forget(self._connection, not_written)
            reached("rewrite.before-commit")
        reached("rewrite.settled")
        missed, through = set(not_written), set(done)
        return (
            {one.looked.read.source_id for one in unclear if missed & set(one.numbers)},
            {
                one.looked.read.source_id
                for one in planned
                if through & set(one.numbers) and len(one.looked.changing) > MOST_VALUES
            },
        )

    def _give_up(self, collection: str, looked: Sequence[Looked], after: Part) -> None:
        """Note what others would not let be changed, however often it was tried."""
        lines = [_refusal(collection, one, value, "moved") for one in looked for value in one.changing]
        if lines:
            with self._connection.transaction():
                self._lease.assert_held(self._connection, self._run)
                insert_lines(self._connection, self._rewrite, lines)
        _count(after, looked, set())

    def _store(self, part: Part) -> None:
        with self._connection.transaction():
            self._lease.assert_held(self._connection, self._run)
            store_part(self._connection, self._rewrite, part)
        reached("rewrite.checkpoint")


def _line(collection: str, looked: Looked, value: Value) -> Line:
    return Line(collection, looked.read.source_id, value.site.shown, value.place, value.old, value.new)


def _refusal(collection: str, looked: Looked, value: Value, reason: str) -> Line:
    return replace(_line(collection, looked, value), state="refused", reason=reason)


def _count(part: Part, looked: Sequence[Looked], written: set[Written]) -> None:
    """Count what no line of the log tells of; what this rewrite wrote itself before it was ended, a line does."""
    for one in looked:
        for value in one.values:
            if value.verdict not in UNKEPT:
                continue
            ours = value.verdict == "canonical" and bool(written)
            if ours and (one.read.source_id, value.place, holding(value.old)) in written:
                continue
            kept = part.counts.setdefault(value.site.shown, {})
            kept[value.verdict] = kept.get(value.verdict, 0) + 1
