"""Rewrite references in MongoDB from beginning to end: dry, or live under the run lease and resumable."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import psycopg

from isthmus import __version__
from isthmus.connect.mongo import MongoServer
from isthmus.connect.postgres import connect, explain, trouble
from isthmus.errors import SourceError, TargetError
from isthmus.mapping.model import Mapping
from isthmus.polyglot.rewrite.begin import Ground, look
from isthmus.polyglot.rewrite.books import DryBooks, read_books
from isthmus.polyglot.rewrite.documents import Read, document
from isthmus.polyglot.rewrite.live import Live
from isthmus.polyglot.rewrite.looked import judged_by_validator, look_through
from isthmus.polyglot.rewrite.result import RewriteResult
from isthmus.polyglot.rewrite.scope import Scope
from isthmus.polyglot.rewrite.settle import look_again
from isthmus.polyglot.rewrite.writer import Writer
from isthmus.sources.back_to_back import each_document
from isthmus.sources.live.source import LiveSource
from isthmus.sources.protocol import Position
from isthmus.state.lease import Lease
from isthmus.state.migrate import check_state, migrate
from isthmus.state.reports import require_run
from isthmus.state.rewrites import (
    Part,
    end_open,
    end_rewrite,
    forget,
    insert_rewrite,
    knows_rewrites,
    open_rewrites,
    planned,
    read_parts,
    settle,
)
from isthmus.work.interrupted import Interrupted
from isthmus.work.progress import Progress
from isthmus.work.retry import Retry

BLOCK_BYTES = 1 << 20
"""Bytes of documents that are read, judged and written together."""


@dataclass(frozen=True)
class Job:
    """What a rewrite was asked for.

    Attributes:
        mapping: The checked mapping.
        scope: What of it.
        source: Where documents are read; not closed here.
        server: The server of the same database, for everything else that is asked of it; not closed here.
        conninfo: Target, as libpq takes it.
        retry_seconds: How long to wait for a server that is away.
        progress: Gets the live numbers.
        stop: Set it to end after the documents in hand; the outcome is then `interrupted`.
    """

    mapping: Mapping
    scope: Scope
    source: LiveSource
    server: MongoServer
    conninfo: str
    retry_seconds: float = 60.0
    progress: Progress = field(default_factory=Progress)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def shows_values(self) -> bool:
        """Whether errors may quote values."""
        return not any(site.sensitive for group in self.scope.sites.values() for site in group)


def rewrite_references(job: Job, result: RewriteResult, *, live: bool) -> None:
    """Replace old ids in documents by the ids of their rows, or count what would be replaced.

    Dry, it writes nothing anywhere. Live, it writes to MongoDB and to the state in the target, under the run lease;
    safe to call again after any end, also a killed process: it goes on behind the last checkpoint.

    Args:
        job: What to do.
        result: Gets what it came to so far, also when the call raises.
        live: Whether documents are changed.

    Raises:
        IsthmusError: Refused before anything was written, or stopped by something waiting does not mend.
    """
    with ending(result):
        if live:
            persisting(job, lambda: _live(job, result))
        else:
            _dry(job, result)


@contextlib.contextmanager
def ending(result: RewriteResult) -> Generator[None]:
    """Note in a result how the block ended, and how long it took; one that the user stopped ends here."""
    began = time.monotonic()
    try:
        with contextlib.suppress(Interrupted):
            yield
            result.outcome = "complete"
    except BaseException:
        result.outcome = "failed"
        raise
    finally:
        result.seconds = time.monotonic() - began


def persisting(job: Job, work: Callable[[], None]) -> None:
    """Do work that goes on where it was ended, again for as long as a server is in trouble that may pass."""
    retry = Retry(job.retry_seconds)
    while True:
        try:
            work()
        except psycopg.Error as fault:
            error = trouble(fault, "rewrite references", explain(fault, values=job.shows_values))
            if not error.retryable:
                raise error from None
            retry.again(error, job.stop, job.progress.note)
        except (SourceError, TargetError) as fault:
            if not fault.retryable:
                raise
            retry.again(fault, job.stop, job.progress.note)
        else:
            return


def _dry(job: Job, result: RewriteResult) -> None:
    """Look through all documents and count; after a trouble goes on behind the last that were counted."""
    job.progress.stage("preflight")
    books = DryBooks(result)
    parts: dict[str, Part] = {}

    def work() -> None:
        with closing(connect(job.conninfo, autocommit=True)) as connection:
            ground = look(connection, job.mapping, job.source, job.server, job.scope, result)
            if not parts:
                _tell_before_dry(job, connection)
                parts.update({name: Part(name) for name in ground.sites})
            _expect(job, ground, parts, "reading the source")
            for part in parts.values():
                for reads, position in _blocks(job, part):
                    looked = judged_by_validator(ground, part.collection, look_through(ground, part.collection, reads))
                    books.add(part.collection, looked)
                    _move_on(job, part, reads, position)
                    result.documents[part.collection] = part.documents
                part.done = True
                result.documents[part.collection] = part.documents
            for validator in ground.validators.values():
                if not validator.answers:
                    job.progress.note(
                        f"Whether the validator of {validator.collection} lets texts pass, this server cannot tell"
                        " beforehand."
                    )

    persisting(job, work)


def _tell_before_dry(job: Job, connection: psycopg.Connection) -> None:
    if knows_rewrites(connection) and open_rewrites(connection, job.source.identity()):
        job.progress.note("A rewrite with --live was ended before its end; --live goes on with it.")


def _live(job: Job, result: RewriteResult) -> None:
    """One session: take the lease, find out what an earlier one left, go on."""
    job.progress.stage("preflight")
    lease = Lease(job.conninfo)
    try:
        lease.acquire()
        connection = lease.connection
        check_state(connection)
        ground = look(connection, job.mapping, job.source, job.server, job.scope, result)
        run = require_run(connection).id
        lease.adopt(run)
        migrate(connection)
        writer = Writer(job.server, job.source.database, ground.collated)
        settle_planned(job, lease, run, writer)
        rewrite, resumed = _open(job, lease, run)
        again = result.rewrite == rewrite  # after a trouble of this very call
        result.rewrite, result.resumed = rewrite, result.resumed or (resumed and not again)
        parts = {name: Part(name) for name in ground.sites} | read_parts(connection, rewrite)
        try:
            _expect(job, ground, parts, "rewriting")
            worker = Live(ground, writer, lease, run=run, rewrite=rewrite, resumed=resumed, stop=job.stop)
            for part in parts.values():
                if part.done or part.collection not in ground.sites:
                    continue
                for reads, position in _blocks(job, part):
                    worker.block(part, reads, position)
                    _show(job, part, reads)
                worker.done(part)
            with connection.transaction():
                lease.assert_held(connection, run)
                end_rewrite(connection, rewrite, "complete")
        finally:
            with contextlib.suppress(psycopg.Error):  # what ends a session may be the loss of this connection
                read_books(connection, rewrite, parts.values(), ground.sites, result)
    finally:
        lease.release()


def settle_planned(job: Job, lease: Lease, run: int, writer: Writer) -> None:
    """Find out what became of updates whose isthmus was ended before it noted their answers. Committed."""
    connection = lease.connection
    lines = planned(connection, job.source.identity())
    if not lines:
        return
    written, not_written = look_again(writer, lines)
    with connection.transaction():
        lease.assert_held(connection, run)
        settle(connection, written, "done")
        forget(connection, not_written)


def _open(job: Job, lease: Lease, run: int) -> tuple[int, bool]:
    """Return the number of the rewrite to go on with, or of a new one, and whether it was begun before."""
    connection, identity, scope = lease.connection, job.source.identity(), job.scope.as_json()
    same = [
        one.id
        for one in open_rewrites(connection, identity)
        if one.fingerprint == job.mapping.fingerprint and one.scope == scope
    ]
    with connection.transaction():
        lease.assert_held(connection, run)
        end_open(connection, identity, "replaced", but=same[-1] if same else None)
        if same:
            return same[-1], True
        number = insert_rewrite(
            connection,
            source=identity,
            source_name=job.source.name,
            fingerprint=job.mapping.fingerprint,
            scope=scope,
            run=run,
            version=__version__,
        )
    return number, False


def _blocks(job: Job, part: Part) -> Iterator[tuple[list[Read], Position]]:
    """Yield the documents of a collection behind its checkpoint, and the position behind each block of them.

    Raises:
        Interrupted: The user asked to stop.
    """
    if part.done:
        return
    (partition,) = job.source.partitions(part.collection, 1)
    for block in job.source.read(partition, after=part.position, until=None, max_bytes=BLOCK_BYTES):
        if job.stop.is_set():
            raise Interrupted
        yield list(map(document, each_document(block.data))), block.end


def _expect(job: Job, ground: Ground, parts: dict[str, Part], stage: str) -> None:
    for name, part in parts.items():
        info = ground.infos.get(name)
        if info is not None:
            job.progress.expect(
                name, bytes_total=info.bytes_total, bytes_done=part.bytes, documents=part.documents, dead_letters=0
            )
    job.progress.stage(stage)


def _move_on(job: Job, part: Part, reads: list[Read], position: Position) -> None:
    part.position = position
    part.documents += len(reads)
    part.bytes += sum(read.size_bytes for read in reads)
    _show(job, part, reads)


def _show(job: Job, part: Part, reads: list[Read]) -> None:
    size = sum(read.size_bytes for read in reads)
    job.progress.batch(part.collection, bytes_done=size, documents=len(reads), dead_letters=0)
