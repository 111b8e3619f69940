"""The passes of a retry through the letters, until none that is left fits; then references, then the end."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly

import psycopg
from psycopg import sql

from isthmus.mapping import Mapping
from isthmus.state.lease import Lease
from isthmus.state.reports import letter_counts
from isthmus.state.retries import LetterBytes, letters_by_number, next_letters
from isthmus.state.runs import is_told
from isthmus.state.statements import statement
from isthmus.transfer.balance import refresh_looks
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.existing.sequences import advance_sequences
from isthmus.transfer.existing.stage import create_letters_stage
from isthmus.transfer.finishing.own_fields import take_own_fields_later
from isthmus.transfer.finishing.references import ReferenceSite, target_of
from isthmus.transfer.job import Job
from isthmus.transfer.joining.joined import merges
from isthmus.transfer.letters.batch import Carrier
from isthmus.transfer.letters.books import Books
from isthmus.transfer.letters.circles import circles
from isthmus.transfer.letters.restore import restore_references
from isthmus.transfer.letters.result import Choice, RetryResult
from isthmus.transfer.letters.staging import Staging, document_sites
from isthmus.transfer.letters.things import lay_out_things
from isthmus.work.stages import reached

# Most letters of one batch, and the bytes that its last letter may begin before.
BATCH_LETTERS = 2_000
BATCH_BYTES = 4 << 20

_CIRCLE_ROUNDS = 3  # on the server; what is left is decided in memory


class Passes:
    """One retry at work; `work` may be begun again on another connection."""

    def __init__(
        self,
        job: Job,
        mapping: Mapping,
        mapping_text: str,
        choice: Choice,
        since: ReadOnly[str, int],
        result: RetryResult,
    ) -> None:
        self._job = job
        self._since = since
        self._fingerprint = mapping.fingerprint
        self._text = mapping_text
        self._choice = choice
        self._result = result
        connection = job.lease.connection
        books = Books(job, connection, self._fingerprint, self._text)
        self._before = books.retry
        # what a command that died before its output let a default decide is news still
        told = is_told(connection, job.run.id)
        row = connection.execute("SELECT coalesce(max(id), 0) FROM isthmus.orphan").fetchone()
        self._last_orphan = int(row[0]) if row and told else 0
        self._kept_before = books.balance.conflicts_by_default if told else 0

    def work(self, connection: psycopg.Connection) -> None:
        """Do all of it on one autocommit connection; what a session before committed is not done again."""
        job, run = self._job, self._job.run.id
        connection.execute(statement("retry", "create_scratch"))
        if job.existing is not None:
            create_letters_stage(connection, job.schema, job.existing)
        lay_out_things(job, connection)
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
        self._result.why_untried.clear()
        order = [name for name in carrying_order(references_of(job)) if name in sizes]
        for name in order:
            job.progress.expect(name, bytes_total=sizes[name][1], bytes_done=0, documents=0, dead_letters=0)
        job.progress.stage("retrying")
        books = Books(job, connection, self._fingerprint, self._text)
        staging = Staging(job, connection, order)
        carrier = Carrier(job, connection, staging, books)
        carried = self._pass(connection, carrier, order, count=True)
        self._go_on(connection, carrier, order, carried)
        reached("retry.before-restore")
        self._result.unrestored = restore_references(job, connection, books)
        if any(merges(job, table) for table in job.schema.tables.values()):
            # who is joined gives a row what it lacks: so not before what the row says itself is whole again
            carrier.joining = True
            connection.execute("TRUNCATE pg_temp.isthmus_retry_now")
            if connection.execute(statement("retry", "choose_put_off")).rowcount:
                connection.execute(statement("retry", "choose_last"))
                self._go_on(connection, carrier, order, self._pass(connection, carrier, order))
                self._result.unrestored = restore_references(job, connection, books)
        take_own_fields_later(job, connection)
        reached("retry.after-restore")
        self._end(connection, books)

    def _go_on(self, connection: psycopg.Connection, carrier: Carrier, order: list[str], carried: int) -> None:
        """Try letters again behind a pass that carried some, until no letter that is left fits."""
        while self._exhaust(connection, carrier, order) + carried:
            # so that why letters stay does not depend on what was carried before them and what behind them
            connection.execute("TRUNCATE pg_temp.isthmus_retry_now")
            connection.execute(statement("retry", "choose_last"))
            carried = self._pass(connection, carrier, order)

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
                carried += tally.carried
                _note(connection, "look_again", tally.again)
                _note(connection, "put_off", tally.put_off)
                if count:
                    for letter, why in tally.untried:
                        self._result.note_untried(letter.collection, why)
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
            kind = sql.SQL(target_of(self._job, one).column(one.key).type.sql(schema.schema))  # pyright: ignore[reportArgumentType]  the mapping's
            conditions.append(
                sql.SQL("NOT EXISTS (SELECT FROM {} t WHERE t.{} = n.target_id::{})").format(
                    one.table, sql.Identifier(one.key), kind
                )
            )
            target = target_of(self._job, one)
            if merges(self._job, target) and one.key == key_column(target):
                conditions.append(
                    sql.SQL(
                        "NOT EXISTS (SELECT FROM isthmus.id_map m WHERE m.origin = 'merged'"
                        " AND m.collection = ANY({}) AND m.derived_id = n.target_id)"
                    ).format(sql.Literal(list(target.collections)))
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
        tally = carrier.carry([[by_number[one] for one in circle] for circle in numbers])
        _note(connection, "put_off", tally.put_off)
        return tally.carried

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
        left = letter_counts(connection, run)
        result.left = [line for line in left if line[0] not in self._since]
        for collection, _, _, count in left:
            if collection in self._since and self._choice.collection in (None, collection):
                result.untried[collection] = result.untried.get(collection, 0) + count
                why = f"run {self._since[collection]} carried it again since, and what that left counts"
                result.why_untried[collection] = [why]
        result.balance = books.balance
        row = connection.execute(
            statement("retry", "new_defaults"), {"run": run, "after": self._last_orphan}
        ).fetchone()
        result.by_default = int(row[0]) if row else 0
        result.kept_by_default = books.balance.conflicts_by_default - self._kept_before


def _note(connection: psycopg.Connection, what: str, letters: list[LetterBytes]) -> None:
    """Note letters in the scratch table that a statement fills."""
    if letters:
        values = {"collections": [one.collection for one in letters], "letters": [one.id for one in letters]}
        connection.execute(statement("retry", what), values)


def _more(now: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in now.items() if count != before.get(name, 0)}


def references_of(job: Job) -> dict[str, set[str]]:
    """Return source collection → source collections that its documents refer to, in the order of the tables."""
    schema = job.schema
    filled = {name: table.collections for name, table in schema.tables.items()}
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
