"""Retry dead letters with a corrected mapping: carry what fits, set undone references again, say why the rest stays.

Letters hold the bytes that the run read, so no source is read. Everything is committed batch by batch under the run
lease; whatever ends a retry, the same command goes on. What it leaves does not depend on how often it was begun.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from typing import Literal

import psycopg
from psycopg import sql

from isthmus.connect.postgres import explain, trouble
from isthmus.errors import TargetError
from isthmus.mapping import Mapping, parse_mapping
from isthmus.sources.protocol import Source
from isthmus.state.lease import Lease
from isthmus.state.migrate import check_state, migrate
from isthmus.state.reports import letter_counts, require_run
from isthmus.state.retries import letters_by_number, next_letters
from isthmus.state.runs import Run, id_key
from isthmus.state.statements import statement
from isthmus.transfer.balance import Balance, refresh_looks
from isthmus.transfer.begin import enum_array_oids
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.existing.only import ONLY, chosen
from isthmus.transfer.existing.preflight import check_surroundings, is_existing, read_existing
from isthmus.transfer.existing.sequences import advance_sequences
from isthmus.transfer.existing.stage import create_letters_stage, drop_letters_stage, stage_schema
from isthmus.transfer.hands import Hands
from isthmus.transfer.job import Interrupted, Job, Options
from isthmus.transfer.joined import merges
from isthmus.transfer.letters_source import LettersSource
from isthmus.transfer.preflight import check_server, raise_findings
from isthmus.transfer.progress import Progress
from isthmus.transfer.references import ReferenceSite
from isthmus.transfer.retry_letters_batch import Books, Carrier
from isthmus.transfer.retry_letters_circles import circles
from isthmus.transfer.retry_letters_join import collections_of
from isthmus.transfer.retry_letters_restore import restore_references
from isthmus.transfer.retry_letters_staging import Staging, document_sites, table_of
from isthmus.transfer.same_run import refuse_other_source
from isthmus.transfer.same_shape import Shape, refuse_other_shape, shape_of, with_sensitive_of
from isthmus.transfer.stages import reached

# Most letters of one batch, and the bytes that its last letter may begin before.
BATCH_LETTERS = 2_000
BATCH_BYTES = 4 << 20

_CIRCLE_ROUNDS = 3  # on the server; what is left is decided in memory


@dataclass
class RetryResult:
    """What a retry came to.

    Attributes:
        run: Number of the run; None when it was refused before one was found.
        outcome: complete; interrupted (the same command goes on); failed (an error ended it).
        tried: Collection → letters that were looked at by this call.
        untried: Collection → those of them that cannot be retried, because their table, or one that they refer to, did
            not keep its ids.
        carried: Collection → letters that this call carried.
        skipped: Collection → letters that the mapping leaves behind now.
        restored: Reference → references that this call set again.
        unrestored: Reference → those whose document is there, and that could not be set.
        by_default: References of carried letters that were handled by a default instead of a stated policy.
        left: (collection, stage, code, count) of the letters that stay.
        balance: The books afterwards; None when it did not come that far.
        seconds: How long it took.
    """

    run: int | None = None
    outcome: Literal["complete", "interrupted", "failed"] = "interrupted"
    tried: dict[str, int] = field(default_factory=dict[str, int])
    untried: dict[str, int] = field(default_factory=dict[str, int])
    carried: dict[str, int] = field(default_factory=dict[str, int])
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    restored: dict[str, int] = field(default_factory=dict[str, int])
    unrestored: dict[str, int] = field(default_factory=dict[str, int])
    by_default: int = 0
    left: list[tuple[str, str, str, int]] = field(default_factory=list[tuple[str, str, str, int]])
    balance: Balance | None = None
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 when no letter is left, 1 when one is or something was handled by a default, 130 when it was stopped."""
        if self.outcome != "complete":
            return 130
        wanting = self.balance is None or bool(self.balance.differences)
        return 1 if self.left or self.by_default or self.unrestored or wanting else 0


@dataclass(frozen=True)
class Choice:
    """Which letters to try: of one collection, with one code, or all."""

    collection: str | None = None
    code: str | None = None


def retry_letters(
    mapping: Mapping,
    conninfo: str,
    *,
    mapping_text: str,
    source: Source | None = None,
    choice: Choice | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    result: RetryResult | None = None,
) -> RetryResult:
    """Try the dead letters of a target's last run again with a corrected mapping.

    Writes to the target only, under the run lease. Safe to call again after any end, also a killed process. Rows that
    were carried before stay as they are.

    Args:
        mapping: The corrected mapping; it must want the tables that the run made.
        conninfo: Target, as libpq takes it.
        mapping_text: The mapping file's text, kept in the run.
        source: Compared with the run's by its identity, not read; None compares nothing.
        choice: Which letters to try; by default all.
        options: How long to wait for a server that is away.
        progress: Gets the live numbers.
        stop: Set it to end after the batch in hand; the call then returns with outcome `interrupted`.
        result: Gets what it came to so far, also when the call raises.

    Raises:
        IsthmusError: Refused before anything was written, or stopped by something waiting does not mend. What was
            committed is kept.
    """
    options, progress, stop = options or Options(), progress or Progress(), stop or threading.Event()
    result = result if result is not None else RetryResult()
    began = time.monotonic()
    lease = Lease(conninfo)
    shape = shape_of(mapping)
    try:
        lease.acquire()
        progress.stage("preflight")
        job = _open(shape, conninfo, lease, source, options, progress, stop)
        result.run = job.run.id
        retry = _Retry(job, mapping, mapping_text, choice or Choice(), result)
        with Hands(job) as hands, contextlib.suppress(Interrupted):
            hands.part("dead letters", retry.work)
            result.outcome = "complete"
        retry.note(lease)
        if job.existing is not None:
            with lease.connection.transaction():
                lease.assert_held(lease.connection, job.run.id)
                drop_letters_stage(lease.connection)
        progress.stage("complete")
    except psycopg.Error as fault:
        result.outcome = "failed"
        raise trouble(fault, "go on with the letters", explain(fault, values=not shape.schema.sensitive)) from None
    except BaseException:
        result.outcome = "failed"
        raise
    finally:
        lease.release()
        result.seconds = time.monotonic() - began
    return result


def _open(
    shape: Shape,
    conninfo: str,
    lease: Lease,
    source: Source | None,
    options: Options,
    progress: Progress,
    stop: threading.Event,
) -> Job:
    """Look whether the letters of the target's run can be retried, and take the run.

    Raises:
        IsthmusError: They cannot; nothing was written.
    """
    connection = lease.connection
    check_state(connection)
    raise_findings(check_server(connection))
    run = require_run(connection)
    _refuse_unfinished(run)
    if source is not None:
        refuse_other_source(run, source)
    before = shape_of(parse_mapping(run.mapping_text, file_name="the run's mapping"))
    refuse_other_shape(run.id, before, shape)
    lease.adopt(run.id)
    migrate(connection)
    run = require_run(connection)  # as the holder before left it
    _refuse_unfinished(run)
    schema = with_sensitive_of(shape.schema, before.schema)
    existing = None
    if is_existing(shape.mapping):
        existing, against = read_existing(connection, schema)
        raise_findings([*against, *check_surroundings(connection, schema, replaced=run)])
    job = Job(
        shape.mapping,
        schema if existing is None else stage_schema(schema, existing),
        chosen(shape.mapping, dict(shape.plans), tuple(run.tables.get(ONLY, []))),
        LettersSource(run),
        conninfo,
        lease,
        run,
        id_key(connection, create=False),
        options,
        progress,
        stop,
        existing=existing,
    )
    job.enum_oids = enum_array_oids(connection, shape.schema)
    return job


def _refuse_unfinished(run: Run) -> None:
    """Raise unless a run came to its end with books that balance.

    Raises:
        TargetError: It is not complete (code `run-unfinished`), or its books do not balance (code `books-unbalanced`).
    """
    if run.stage != "complete" or run.balance is None:
        raise TargetError(
            f"Run {run.id} of this target is not complete (stage {run.stage}), so it is not known yet which documents"
            " stay dead letters.",
            code="run-unfinished",
            hint="Run the same isthmus copy again until it is complete, then retry the letters.",
        )
    if run.balance["differences"]:
        raise TargetError(
            f"The books of run {run.id} do not balance, so nothing can be added to them.",
            code="books-unbalanced",
            hint="isthmus status shows where. Please report it, and start over with isthmus copy --fresh.",
        )


class _Retry:
    """One retry at work; `work` may be begun again on another connection."""

    def __init__(self, job: Job, mapping: Mapping, mapping_text: str, choice: Choice, result: RetryResult) -> None:
        self._job = job
        self._fingerprint = mapping.fingerprint
        self._text = mapping_text
        self._choice = choice
        self._result = result
        connection = job.lease.connection
        self._before = Books(job, connection, self._fingerprint, self._text).retry
        row = connection.execute("SELECT coalesce(max(id), 0) FROM isthmus.orphan").fetchone()
        self._last_orphan = int(row[0]) if row else 0

    def work(self, connection: psycopg.Connection) -> None:
        """Do all of it on one autocommit connection; what a session before committed is not done again."""
        job, run = self._job, self._job.run.id
        connection.execute(statement("retry", "create_scratch"))
        if job.existing is not None:
            create_letters_stage(connection, job.schema, job.existing)
        reached("retry.begun")
        connection.execute(
            statement("retry", "choose_letters"),
            {
                "run": run,
                "collections": list(job.plans),
                "collection": self._choice.collection,
                "code": self._choice.code,
            },
        )
        chosen = connection.execute(statement("retry", "chosen_letters")).fetchall()
        sizes = {str(name): (int(count), int(size)) for name, count, size in chosen}
        if not self._result.tried:  # what a session before has carried is no longer among them
            self._result.tried = {name: count for name, (count, _) in sizes.items()}
        self._result.untried.clear()
        order = [name for name in carrying_order(references_of(job)) if name in sizes]
        for name in order:
            job.progress.expect(name, bytes_total=sizes[name][1], bytes_done=0, documents=0, dead_letters=0)
        job.progress.stage("retrying")
        books = Books(job, connection, self._fingerprint, self._text)
        staging = Staging(job, connection, order)
        carrier = Carrier(job, connection, staging, books)
        carried = self._pass(connection, carrier, order, count=True)
        while self._exhaust(connection, carrier, order) + carried:
            # so that why letters stay does not depend on what was carried before them and what behind them
            connection.execute("TRUNCATE pg_temp.isthmus_retry_now")
            connection.execute(statement("retry", "choose_last"))
            carried = self._pass(connection, carrier, order)
        reached("retry.before-restore")
        self._result.unrestored = restore_references(job, connection, books)
        reached("retry.after-restore")
        self._end(connection, books)

    def _exhaust(self, connection: psycopg.Connection, carrier: Carrier, order: list[str]) -> int:
        """Try letters again for which something changed, until nothing does; return how many were carried."""
        carried = 0
        while True:
            if not self._next_pass(connection):
                circled = self._circles(connection, carrier)
                carried += circled
                if not circled or not self._next_pass(connection):
                    return carried
            carried += self._pass(connection, carrier, order)

    def _pass(self, connection: psycopg.Connection, carrier: Carrier, order: list[str], *, count: bool = False) -> int:
        """Try every letter chosen, batch by batch; return how many were carried.

        Args:
            connection: With the scratch tables.
            carrier: Carries.
            order: Collections, in the order in which their letters are tried.
            count: Whether it is the first time, and so is told as progress.
        """
        job, carried = self._job, 0
        for collection in order:
            after = 0
            while True:
                job.check_stop()
                letters = next_letters(connection, collection, after=after, limit=BATCH_LETTERS, size_bytes=BATCH_BYTES)
                if not letters:
                    break
                after = letters[-1].id
                tally = carrier.carry([[letter] for letter in letters])
                again, carried = tally.again, carried + tally.carried
                connection.execute(
                    statement("retry", "look_again"),
                    {"collections": [one.collection for one in again], "letters": [one.id for one in again]},
                )
                if tally.untried and count:
                    self._result.untried[collection] = self._result.untried.get(collection, 0) + len(tally.untried)
                if count:
                    size = sum(len(letter.document) for letter in letters)
                    left = len(letters) - tally.carried
                    job.progress.batch(collection, bytes_done=size, documents=len(letters), dead_letters=left)

        return carried

    def _next_pass(self, connection: psycopg.Connection) -> bool:
        """Choose the letters for which something changed in the last pass; tell whether there are any."""
        connection.execute("TRUNCATE pg_temp.isthmus_retry_now, pg_temp.isthmus_retry_open")
        sites = {site.name: site for site in document_sites(self._job)}
        for (name,) in connection.execute(statement("retry", "lacking_references")).fetchall():
            connection.execute(
                sql.SQL(
                    "INSERT INTO pg_temp.isthmus_retry_open SELECT * FROM pg_temp.isthmus_retry_need n"
                    " WHERE n.reference = {} AND {}"
                ).format(sql.Literal(name), self._still_lacks(sites[str(name)]))
            )
        chosen = connection.execute(statement("retry", "next_pass")).rowcount
        connection.execute("TRUNCATE pg_temp.isthmus_retry_again")
        return chosen > 0

    def _still_lacks(self, site: ReferenceSite) -> sql.Composed:
        """Return the condition that what a letter needs for a reference is not in the target."""
        schema = self._job.schema
        conditions: list[sql.Composed] = []
        for one in site.alternatives:
            kind = sql.SQL(table_of(self._job, one).column(one.key).type.sql(schema.schema))  # pyright: ignore[reportArgumentType]  the mapping's
            conditions.append(
                sql.SQL("NOT EXISTS (SELECT FROM {} t WHERE t.{} = n.target_id::{})").format(
                    one.table, sql.Identifier(one.key), kind
                )
            )
            target = table_of(self._job, one)
            if merges(self._job, target) and one.key == key_column(target):
                conditions.append(
                    sql.SQL(
                        "NOT EXISTS (SELECT FROM isthmus.id_map m WHERE m.origin = 'merged'"
                        " AND m.collection = ANY({}) AND m.derived_id = n.target_id)"
                    ).format(sql.Literal(collections_of(target)))
                )
        return sql.SQL(" AND ").join(conditions)

    def _circles(self, connection: psycopg.Connection, carrier: Carrier) -> int:
        """Carry letters that lack only each other, each circle at once; return how many were carried."""
        connection.execute("TRUNCATE pg_temp.isthmus_retry_circle")
        connection.execute(statement("retry", "begin_circles"))
        for _ in range(_CIRCLE_ROUNDS):  # most lack something that is no letter at all
            if not connection.execute(statement("retry", "narrow_circles")).rowcount:
                break
        links = connection.execute(statement("retry", "circle_links"))
        carried = 0
        waiting: list[list[int]] = []
        for circle in [*circles((int(one), None if other is None else int(other)) for one, other in links), None]:
            if circle is None or sum(map(len, waiting)) + len(circle) > BATCH_LETTERS:
                carried += self._carry_circles(connection, carrier, waiting)
                waiting = []
            waiting += [circle] if circle else []
        return carried

    def _carry_circles(self, connection: psycopg.Connection, carrier: Carrier, numbers: list[list[int]]) -> int:
        self._job.check_stop()
        letters = letters_by_number(connection, self._job.run.id, [one for circle in numbers for one in circle])
        by_number = {letter.id: letter for letter in letters}
        return carrier.carry([[by_number[one] for one in circle] for circle in numbers]).carried

    def _end(self, connection: psycopg.Connection, books: Books) -> None:
        """Look at the tables once more and note that the retry came to its end, unless it changed nothing."""
        retry = books.retry
        if retry is None or (retry == self._before and retry.ended_at is not None):
            return
        job = self._job
        balance, where = books.balance, job.run.target_schema
        for table in job.schema.tables:
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(where, table)))
        if job.existing is not None:
            advance_sequences(job, connection)
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            if job.existing is None:
                balance = refresh_looks(job, connection, balance)
            written = books.finish(connection, balance)
            reached("retry.end-before-commit")
        books.committed(written)
        reached("retry.end-after-commit")

    def note(self, lease: Lease) -> None:
        """Enter into the result what this call did, from what is committed."""
        lease.ensure()
        connection, run, result = lease.connection, self._job.run.id, self._result
        books = Books(self._job, connection, self._fingerprint, self._text)
        now, before = books.retry, self._before
        if now is not None:
            result.carried = _more(now.carried, before.carried if before else {})
            result.skipped = _more(now.skipped, before.skipped if before else {})
            result.restored = _more(now.restored, before.restored if before else {})
        result.left = letter_counts(connection, run)
        result.balance = books.balance
        row = connection.execute(
            statement("retry", "new_defaults"), {"run": run, "after": self._last_orphan}
        ).fetchone()
        result.by_default = int(row[0]) if row else 0


def _more(now: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in now.items() if count != before.get(name, 0)}


def references_of(job: Job) -> dict[str, set[str]]:
    """Return source collection → source collections that its documents refer to, in the order of the tables."""
    schema = job.schema
    filled = {name: [flow.collection for flow in table.flows] for name, table in schema.tables.items()}
    found: dict[str, set[str]] = {collection: set() for collections in filled.values() for collection in collections}
    for table in schema.tables.values():
        targets = {column.reference.table for column in table.columns if column.reference is not None}
        for collection in filled[table.name]:
            found[collection] |= {other for target in targets for other in filled[target]}
    for feeder in job.feeders:
        reference = schema.tables[feeder.junction].column(feeder.other).reference
        found[feeder.collection] |= set(filled[reference.table]) if reference is not None else set()
    return found


def carrying_order(references: ReadOnly[str, set[str]]) -> list[str]:
    """Order collections so that those that are referred to come first, as far as there are no circles.

    Args:
        references: Collection → collections that its documents refer to.
    """
    order: list[str] = []
    seen: set[str] = set()
    for first in references:
        waiting = [(first, False)]
        while waiting:
            name, done = waiting.pop()
            if done:
                order.append(name)
            elif name not in seen and name in references:
                seen.add(name)
                waiting.append((name, True))
                waiting += [(other, False) for other in sorted(references[name])]
    return order
