"""One batch of dead letters, one transaction: rows, ledgers, letters and books move together or not at all.

What the server refuses is halved until exactly the refused letters are found. The books are asserted before the commit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from isthmus import __version__
from isthmus._rust import Batch
from isthmus.connect.postgres import explain, meaning
from isthmus.errors import InternalError, SourceError
from isthmus.mapping.model import Flow
from isthmus.mapping.tables import Table
from isthmus.state.checkpoints import add_tally, rows_of
from isthmus.state.ledgers import Adjusted, Cause, insert_adjustments, insert_ids
from isthmus.state.retries import (
    LetterBytes,
    Refusal,
    Retry,
    delete_letters,
    forget_refusals,
    read_books,
    replace_causes,
    store_books,
)
from isthmus.state.source_ids import show
from isthmus.state.statements import statement
from isthmus.transfer.balance import Balance, balance_from_json
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.existing.deliver import deliver_letters
from isthmus.transfer.job import Job
from isthmus.transfer.origins import id_scheme, ids_of_flow
from isthmus.transfer.orphans import orphan_cause
from isthmus.transfer.places import document_path
from isthmus.transfer.references import ReferenceSite
from isthmus.transfer.retry_letters_books import Delivered, Shift, delivered, imbalance, shifted
from isthmus.transfer.retry_letters_insert import (
    Entered,
    Inserted,
    count_values,
    enter_orphans,
    insert_rows,
    resolve,
    settle_references,
)
from isthmus.transfer.retry_letters_join import LettersJoin, point_at_kept, point_looked_up
from isthmus.transfer.retry_letters_join import in_order as in_join_order
from isthmus.transfer.retry_letters_judge import Judge, Judged
from isthmus.transfer.retry_letters_staging import StagedTable, Staging, Tried, unanswerable
from isthmus.transfer.stages import reached
from isthmus.transfer.staging import pair_tables

_MOST_CAUSES = 16  # as the core names them


class Books:
    """The stored books of the run while its letters are answered, as this session knows them.

    Args:
        job: The retry.
        connection: Reads them now.
        fingerprint: Of the mapping.
        mapping_text: Its file.
    """

    def __init__(self, job: Job, connection: psycopg.Connection, fingerprint: str, mapping_text: str) -> None:
        self._job = job
        balance, retries = read_books(connection, job.run.id)
        self.balance: Balance = balance_from_json(balance)
        self._retries = [Retry(**one) for one in retries]
        self._fingerprint, self._text = fingerprint, mapping_text
        self._sides: dict[str, set[str]] = {}
        feeders = job.feeders if job.existing is None else ()  # of pairs that exist, none of the run's may be new
        for pairs in pair_tables(feeders, job.schema).values():
            self._sides.setdefault(pairs.junction, set()).add(f"{pairs.junction}.{pairs.other}")

    @property
    def retry(self) -> Retry | None:
        """What was done with this mapping so far; None while nothing was."""
        return next((one for one in self._retries if one.fingerprint == self._fingerprint), None)

    def write(self, connection: psycopg.Connection, shift: Shift) -> tuple[Balance, list[Retry]]:
        """Enter what a transaction did into tallies, balance and retries, inside it.

        Returns:
            What `committed` takes once it is.

        Raises:
            InternalError: The books would not balance (code `batch-unbalanced`).
        """
        run = self._job.run.id
        for (kind, name), amount in self._tallies(shift).items():
            add_tally(connection, run, kind, name, amount)
        balance = shifted(self.balance, shift)
        wrong = imbalance(balance, self._sides)
        if wrong is not None:
            raise InternalError(f"The books of a retry do not balance: {wrong}.", code="batch-unbalanced")
        return self._store(connection, balance, shift)

    def finish(self, connection: psycopg.Connection, balance: Balance) -> tuple[Balance, list[Retry]]:
        """Note that a retry came to its end, inside the caller's transaction; returns as `write`."""
        return self._store(connection, balance, Shift(), ended=True)

    def _store(
        self, connection: psycopg.Connection, balance: Balance, shift: Shift, *, ended: bool = False
    ) -> tuple[Balance, list[Retry]]:
        retry = self.retry or Retry(self._fingerprint, self._text, __version__)
        retry = Retry(
            fingerprint=retry.fingerprint,
            mapping_text=self._text,
            version=__version__,
            begun_at=retry.begun_at,
            ended_at=datetime.now(UTC).isoformat() if ended else None,
            carried=_sum(retry.carried, shift.copied + shift.joined),
            skipped=_sum(retry.skipped, shift.skipped),
            restored=_sum(retry.restored, shift.restored),
        )
        retries = [one for one in self._retries if one.fingerprint != self._fingerprint] + [retry]
        store_books(connection, self._job.run.id, balance.as_json(), retries)
        return balance, retries

    def _tallies(self, shift: Shift) -> Counter[tuple[str, str]]:
        """Return (kind, name) → amount, as finish and the balance keep them."""
        tallies: Counter[tuple[str, str]] = Counter()
        for collection, amount in (shift.copied + shift.joined).items():
            tallies["finish-letters", collection] -= amount
        for collection, amount in shift.joined.items():
            tallies["merged", collection] += amount
        for (collection, table), amount in shift.rows.items():
            tallies["rows", table] += amount
            if len({flow.collection for flow in self._job.schema.tables[table].flows}) > 1:
                tallies[rows_of(collection), table] += amount
        for kind, names in (
            ("skipped", shift.skipped),
            ("skips", shift.skips),
            ("references", shift.values),
            ("rows", shift.named),
            ("merged-pairs", shift.merged),
            *shift.changed.items(),
        ):
            for name, amount in names.items():
                tallies[kind, name] += amount
        if shift.delivery is not None:
            tallies.update(shift.delivery.tallies)
        return tallies

    def committed(self, written: tuple[Balance, list[Retry]]) -> None:
        """Take over what was committed."""
        self.balance, self._retries = written


def _sum(before: dict[str, int], more: Counter[str]) -> dict[str, int]:
    return {name: total for name in {**before, **more} if (total := before.get(name, 0) + more[name])}


@dataclass
class Tally:
    """What a batch came to.

    Attributes:
        carried: Letters that are rows now.
        again: Letters that wait for one of the others of their batch: they are to be tried again behind it.
        untried: Letters that cannot be tried; see `unanswerable`.
    """

    carried: int = 0
    again: list[LetterBytes] = field(default_factory=list[LetterBytes])
    untried: list[LetterBytes] = field(default_factory=list[LetterBytes])


class _Refused(Exception):  # noqa: N818  not an error: documents were refused
    """Undoes a transaction in which tables that exist refused letters; says which, and why."""

    def __init__(self, causes: dict[int, Cause]) -> None:
        super().__init__()
        self.causes = causes


class Carrier:
    """Carries batches of letters on one connection.

    Args:
        job: The retry.
        connection: Autocommit connection with the scratch tables.
        staging: Where letters wait.
        books: The run's books.
    """

    def __init__(self, job: Job, connection: psycopg.Connection, staging: Staging, books: Books) -> None:
        self._job = job
        self._connection = connection
        self._staging = staging
        self._books = books
        self._judge = Judge(job, staging)
        self._unanswerable = unanswerable(job)

    def carry(self, units: Sequence[Sequence[LetterBytes]]) -> Tally:
        """Try letters and commit what became of them; safe to repeat.

        Args:
            units: Letters that are carried together or not at all stand in one unit.

        Raises:
            psycopg.Error: Anything but a refused value; nothing of what was not committed is in the target.
            InternalError: The books would not balance.
        """
        if not units:
            return Tally()
        try:
            return self._transact([letter for unit in units for letter in unit])
        except psycopg.Error as fault:
            if meaning(fault) != "data":
                raise
            if len(units) == 1:
                return self._refuse(units[0], fault)
        middle = len(units) // 2
        first, second = self.carry(units[:middle]), self.carry(units[middle:])
        return Tally(first.carried + second.carried, first.again + second.again, first.untried + second.untried)

    def _transact(self, letters: Sequence[LetterBytes]) -> Tally:
        refused: dict[int, Cause] = {}
        while True:
            try:
                return self._attempt(letters, refused)
            except _Refused as more:
                refused |= more.causes

    def _attempt(self, letters: Sequence[LetterBytes], refused: dict[int, Cause]) -> Tally:
        """Try letters in one transaction.

        Args:
            letters: The letters.
            refused: Those that a table which exists has refused before, and why.

        Raises:
            _Refused: It refuses others; nothing was done.
        """
        shift, done = Shift(), Tally()
        refusals: list[Refusal] = []
        tried: list[Tried] = []
        gone: list[LetterBytes] = []
        decided: list[LetterBytes] = []
        for letter in letters:
            batch = self._transcode(letter)
            if batch is None:
                continue  # no document any more: what is known of it stays
            if batch.rejects:
                refusals.append(Refusal(letter, "convert", _causes(batch)))
                decided.append(letter)
            elif batch.skipped:
                gone.append(letter)
                decided.append(letter)
                shift.skipped[letter.collection] += 1
                shift.skips.update(batch.skips)
            else:
                one = self._staging.tried(letter, batch)
                if one.flow in self._unanswerable:
                    done.untried.append(letter)
                else:
                    tried.append(one)
        with self._connection.transaction():
            self._job.lease.assert_held(self._connection, self._job.run.id)
            judged = self._settle(tried, refused)
            # also of those that stay: the ledgers tell by them what their references were
            insert_ids(self._connection, [entry for one in tried for entry in one.batch.id_map])
            done.again = [one.letter for one in tried if self._waits(judged[one.letter.id], judged)]
            waiting = {letter.id for letter in done.again}
            decided += [one.letter for one in tried if one.letter.id not in waiting]
            self._forget(decided, judged, shift)
            entered = self._enter_refused(tried, judged, shift)
            refusals += self._refusals([one for one in tried if one.letter.id not in waiting], judged, entered, refused)
            carried = [one for one in tried if judged[one.letter.id].fate == "fits"]
            self._carry(carried, judged, shift)
            gone += [one.letter for one in carried]
            for letter in gone:
                shift.letters[letter.collection, letter.code] -= 1
            delete_letters(self._connection, self._job.run.id, [letter.id for letter in gone])
            changed = self._change_causes(refusals, shift)
            self._staging.clear(self._connection)
            written = None
            if gone or changed or any(shift.orphans.values()):
                written = self._books.write(self._connection, shift)
            reached("retry.before-commit")
        if written is not None:
            self._books.committed(written)
        reached("retry.after-commit")
        done.carried = len(carried)
        return done

    def _waits(self, what: Judged, judged: dict[int, Judged]) -> bool:
        """Tell whether a letter stands back for one that is not carried, either, or that it will be joined into."""
        if what.fate not in {"twin", "rival"}:
            return False
        fits = judged[int(what.keeper or 0)].fate == "fits"
        return not fits or (what.fate == "rival" and self._judge.is_merging(what.rule or 0))

    def _transcode(self, letter: LetterBytes) -> Batch | None:
        """Return what the core makes of a letter; None of bytes that are no whole document."""
        try:
            batch = self._job.transcoder(letter.collection).transcode(letter.document)
        except SourceError:
            return None
        return batch if batch.documents == 1 else None

    def _sites(self, tried: Iterable[Tried]) -> list[ReferenceSite]:
        """Return the references of some letters, as they wait."""
        collections = dict.fromkeys(one.letter.collection for one in tried)
        return [site for collection in collections for site in self._staging.sites[collection]]

    def _settle(self, tried: Sequence[Tried], refused: dict[int, Cause]) -> dict[int, Judged]:
        """Let letters wait in the staging tables and find out which of them fit; return what was found of each."""
        if not tried:
            return {}
        connection, staging, judge = self._connection, self._staging, self._judge
        roots = dict.fromkeys(self._root(one.flow) for one in tried)
        staging.send_letters(connection, tried)
        judge.settle_ids(connection, roots)
        if self._job.existing is not None:
            twins = [one.letter.id for one in tried if one.letter.code == "duplicate-id"]
            judge.settle_known(connection, roots, twins, refused.keys())
        fitting = judge.fitting(connection, roots)
        staging.send_rows(connection, [one for one in tried if one.letter.id in fitting])
        point_at_kept(self._job, connection, staging, dict.fromkeys(one.letter.collection for one in tried))
        judge.settle_rows(connection, roots, self._sites(tried))
        return judge.judged(connection, roots)

    def _forget(self, decided: Iterable[LetterBytes], judged: dict[int, Judged], shift: Shift) -> None:
        """Take what the ledgers say of letters' references off; what is found of them now is entered anew."""
        ids: dict[str, list[str]] = {}
        letters: list[int] = []
        for letter in decided:
            letters.append(letter.id)
            text = judged[letter.id].id if letter.id in judged else self._derived(letter)
            if text is not None:
                ids.setdefault(letter.collection, []).append(text)
        self._connection.execute(statement("retry", "forget_needs"), {"letters": letters})
        for collection, texts in ids.items():
            for table, column, by_default, count in forget_refusals(
                self._connection, self._job.run.id, collection, texts
            ):
                shift.orphans[f"{table}.{column}", "dead_letter", by_default] -= count

    def _derived(self, letter: LetterBytes) -> str | None:
        """Return the id that a letter which the core refuses would have; None where that is not known."""
        scheme = id_scheme(self._job, letter.collection)
        if letter.source_id is None or scheme == "keep":
            return None
        return self._job.codec.derive(letter.collection, letter.source_id, scheme)

    def _enter_refused(self, tried: Sequence[Tried], judged: dict[int, Judged], shift: Shift) -> dict[int, list[Cause]]:
        """Enter the references for which letters are refused into ledger and needs; return letter → causes."""
        causes: dict[int, list[Cause]] = {}
        orphans = [one for one in tried if judged[one.letter.id].fate == "orphan"]
        numbers = {(self._root(one.flow), judged[one.letter.id].id): one.letter.id for one in orphans}
        for collection in dict.fromkeys(one.letter.collection for one in orphans):
            for site in self._staging.refused(collection):
                entered = enter_orphans(self._job, self._connection, site, sql.SQL(""))
                if not entered:
                    continue
                shift.orphans[site.name, "dead_letter", not site.stated] += len(entered)
                root = self._root(site.flow)
                self._enter_needs(site, root, [(numbers[root, one.row_id], one) for one in entered])
                for one in sorted(entered, key=lambda orphan: orphan.target_id):
                    known = causes.setdefault(numbers[root, one.row_id], [])
                    if len(known) < _MOST_CAUSES:
                        known.append(orphan_cause(site, one.old_id))
        return causes

    def _root(self, flow: Flow) -> str:
        return self._job.root_of(flow).name

    def _enter_needs(self, site: ReferenceSite, root: str, entered: Sequence[tuple[int, Entered]]) -> None:
        self._connection.execute(
            statement("retry", "insert_needs"),
            {
                "collection": site.collection,
                "root": root,
                "reference": site.name,
                # what is compared as the documents have it names no letter by its id
                "target": None if site.as_met else self._staging.target_of(site),
                "letters": [number for number, _ in entered],
                "ids": [one.row_id for _, one in entered],
                "target_ids": [one.target_id for _, one in entered],
            },
        )

    def _refusals(
        self,
        tried: Sequence[Tried],
        judged: dict[int, Judged],
        orphans: dict[int, list[Cause]],
        refused: dict[int, Cause],
    ) -> list[Refusal]:
        """Say why letters that were tried and do not fit stay."""
        letters = {one.letter.id: one.letter for one in tried}
        keepers = self._keepers(tried, judged)
        found: list[Refusal] = []
        for one in tried:
            what = judged[one.letter.id]
            if what.fate == "orphan":
                found.append(Refusal(one.letter, "finish", orphans[one.letter.id]))
            elif what.fate == "refused":
                found.append(Refusal(one.letter, "finish", [refused[one.letter.id]]))
            elif what.fate in {"taken", "twin"}:
                found.append(Refusal(one.letter, "finish", [_taken(one.letter, what, self._job.root_of(one.flow))]))
            elif what.fate != "fits":
                keeper = keepers.get(one.letter.id)
                if what.fate == "rival":
                    first = letters[int(what.keeper or 0)]
                    keeper = show(first.source_id) if first.source_id else None
                found.append(Refusal(one.letter, "finish", [self._shared_value(one.flow, what, keeper)]))
        return found

    def _keepers(self, tried: Sequence[Tried], judged: dict[int, Judged]) -> dict[int, str]:
        """Return letter → the `_id` of the document in the target that holds one of its unique values."""
        found: dict[int, str] = {}
        held = [one for one in tried if judged[one.letter.id].fate == "held" and judged[one.letter.id].keeper]
        for flow in dict.fromkeys(one.flow for one in held):
            mine = [one.letter.id for one in held if one.flow == flow]
            known = ids_of_flow(self._job, self._connection, flow, [str(judged[number].keeper) for number in mine])
            found.update(zip(mine, (text for _, text in known), strict=True))
        return found

    def _shared_value(self, flow: Flow, what: Judged, keeper: str | None) -> Cause:
        table, index = self._judge.uniques[what.rule or 0]
        label = ", ".join(index.columns)
        holder = "another document" if keeper is None else f"the document {keeper}"
        message = (
            f"The document itself holds one {label} more than once; it must be unique in {table.name}."
            if what.fate == "twice"
            else f"Its {label} is also held by {holder}, which is kept; {table.name} allows it once."
        )
        path = document_path(self._job, table, index.columns, flow)
        return Cause("duplicate-key", path, message, f"{table.name}.{label}", value=what.shown or "")

    def _carry(self, carried: Sequence[Tried], judged: dict[int, Judged], shift: Shift) -> None:
        """Insert the letters that fit, and count what they add to the books.

        Raises:
            _Refused: A table that exists refuses some of them.
            InternalError: Other rows or values arrived than the core made (code `batch-unbalanced`).
        """
        if not carried:
            return
        job, connection, staging = self._job, self._connection, self._staging
        for one in carried:
            self._count(one, shift)
        tables = [
            table
            for collection in dict.fromkeys(one.letter.collection for one in carried)
            for table in staging.tables[collection]
        ]
        staging.keep_fitting(connection, tables)
        sites = self._sites(carried)
        stated = {site.name: (site.action, not site.stated) for site in sites}
        for name, count in settle_references(job, connection, sites).items():
            shift.orphans[name, *stated[name]] += count
        self._assert_values(sites, shift)
        resolve(job, connection, tables, sites)
        joins = self._begin_joins(carried, judged, tables, shift)
        inserted = insert_rows(job, connection, tables, sites)
        documents = {
            (self._root(one.flow), judged[one.letter.id].id): (one.letter.collection, one.letter.document)
            for one in carried
        }
        for join in joins:
            shift.values.update(join.settle(documents))
        for place, rows in inserted.rows.items():
            if rows != shift.rows[place]:
                raise InternalError(
                    f"{shift.rows[place]} rows were to go to {place[1]}, {rows} arrived.", code="batch-unbalanced"
                )
        for junction, pairs in inserted.pairs.items():
            shift.pairs[junction] += pairs
            shift.merged[junction] += inserted.resolved[junction] - pairs
        if job.existing is not None:
            letters = {(one.letter.collection, judged[one.letter.id].id): one.letter.source_id for one in carried}
            numbers = {(self._root(one.flow), judged[one.letter.id].id): one.letter.id for one in carried}
            known = {place: source_id for place, source_id in letters.items() if source_id is not None}
            shift.delivery = self._deliver(numbers, known, inserted)
        adjusted = [
            Adjusted(one.letter.collection, one.letter.source_id, a.table, a.column, a.position, a.kind, a.original)
            for one in carried
            for a in one.batch.adjustments
        ]
        insert_adjustments(connection, job.run.id, adjusted)

    def _begin_joins(
        self, carried: Sequence[Tried], judged: dict[int, Judged], tables: Sequence[StagedTable], shift: Shift
    ) -> list[LettersJoin]:
        """Let the rows of letters that are joined into documents of the target be theirs, before they are inserted."""
        joins: list[LettersJoin] = []
        by_root: dict[str, list[tuple[Tried, str, str]]] = {}
        for one in carried:
            what = judged[one.letter.id]
            if what.joins is not None:
                by_root.setdefault(self._root(one.flow), []).append((one, what.id, what.joins))
        if not by_root:
            return joins
        ordered = {root: in_join_order(some) for root, some in by_root.items()}
        steps = {
            root: LettersJoin(self._job, self._connection, self._job.schema.tables[root], tables) for root in ordered
        }
        for root, joined in ordered.items():
            steps[root].enter_ids(joined)
        point_at_kept(
            self._job, self._connection, self._staging, dict.fromkeys(one.letter.collection for one in carried)
        )
        point_looked_up(self._job, self._connection, tables)
        for root, joined in ordered.items():
            steps[root].take_over(joined)
            for one in joined:
                shift.copied[one.flow.collection] -= 1
                shift.joined[one.flow.collection] += 1
                shift.rows[one.flow.collection, root] -= 1
        return list(steps.values())

    def _deliver(
        self, numbers: dict[tuple[str, str], int], letters: dict[tuple[str, str], bytes], inserted: Inserted
    ) -> Delivered:
        """Bring what was inserted into the stage to the tables that exist, and empty the stage.

        Args:
            numbers: (root table, id in the stage) → letter.
            letters: (source collection, id in the stage) → `_id` as BSON.
            inserted: What is in the stage.

        Raises:
            _Refused: Documents cannot be delivered.
            InternalError: Other rows were delivered than were in the stage (code `batch-unbalanced`).
        """
        job, schema = self._job, self._job.schema
        refused, tallies = deliver_letters(job, self._connection, letters)
        if refused:
            causes = refused.by_table().items()
            raise _Refused({numbers[root, row_id]: why for root, some in causes for row_id, why in some.items()})
        done = delivered(tallies, [table.name for table in schema.tables.values() if table.kind == "junction"])
        staged = Counter[str](inserted.pairs)
        for (_, table), rows in inserted.rows.items():
            staged[table] += rows
        for name, amount in done.pending.items():  # pairs that wait are in no table
            table = name.partition(".")[0]
            staged[table] -= amount - tallies["pending-kept", name] if table in inserted.pairs else 0
        for table, rows in staged.items():
            there = tallies["delivered-rows", table] + tallies["kept-rows", table]
            if there != rows:
                raise InternalError(f"{rows} rows were to go to {table}, {there} arrived.", code="batch-unbalanced")
        places = sql.SQL(", ").join(sql.Identifier(schema.schema, name) for name in schema.tables)
        self._connection.execute(sql.SQL("TRUNCATE {}").format(places))
        return done

    def _count(self, one: Tried, shift: Shift) -> None:
        """Count what one document adds to the books, as the core made its rows."""
        collection = one.letter.collection
        shift.copied[collection] += 1
        for table in self._job.plan_tables(collection):
            rows = one.batch.rows(table.index)
            if rows and table.kind == "junction":
                shift.named[table.name] += rows
            elif rows and table.kind != "pending":
                shift.rows[collection, table.name] += rows
        for group, names in one.batch.counts().items():
            if group == "references":
                shift.values.update(names)
                continue
            prefix = f"{collection}." if group in {"extras", "dropped"} else ""
            shift.changed.setdefault(group, Counter()).update({prefix + name: n for name, n in names.items()})

    def _assert_values(self, sites: Sequence[ReferenceSite], shift: Shift) -> None:
        """Hold the references that wait to be inserted against what the core counted, less the orphans.

        Raises:
            InternalError: They differ (code `batch-unbalanced`).
        """
        there: Counter[str] = Counter()
        for site in sites:
            there[site.name] += count_values(self._connection, site)
        kept = {site.name for site in sites if site.action == "kept"}  # these stay where they are
        for name, count in there.items():
            expected = shift.values[name] - (0 if name in kept else shift.orphaned(name))
            if count != expected:
                raise InternalError(
                    f"{expected} references of {name} were to arrive, {count} did.", code="batch-unbalanced"
                )

    def _change_causes(self, refusals: Sequence[Refusal], shift: Shift) -> int:
        """Write why letters stay; return for how many that is something else than before."""
        for one in refusals:
            if one.letter.code != one.causes[0].code:
                shift.letters[one.letter.collection, one.letter.code] -= 1
                shift.letters[one.letter.collection, one.causes[0].code] += 1
        return replace_causes(self._connection, refusals)

    def _refuse(self, unit: Sequence[LetterBytes], fault: psycopg.Error) -> Tally:
        """Keep letters whose rows the server refuses, with its own words."""
        shift = Shift()
        refusals = [Refusal(letter, *self._words(letter, fault)) for letter in unit]
        with self._connection.transaction():
            self._job.lease.assert_held(self._connection, self._job.run.id)
            self._forget(unit, {}, shift)
            changed = self._change_causes(refusals, shift)
            written = self._books.write(self._connection, shift) if changed or any(shift.orphans.values()) else None
            reached("retry.before-commit")
        if written is not None:
            self._books.committed(written)
        reached("retry.after-commit")
        return Tally()

    def _words(self, letter: LetterBytes, fault: psycopg.Error) -> tuple[str, list[Cause]]:
        flows = self._job.mapping.flows_of(letter.collection)
        tables = [table for table in self._job.schema.tables.values() if {*flows} & {*table.flows}]
        words = fault.diag.message_primary or ""
        if isinstance(fault, psycopg.errors.ProgramLimitExceeded) and words.startswith("index row"):
            return "finish", [self._too_long(letter, tables, words, fault.diag.constraint_name)]
        sensitive = any(column.sensitive for table in tables for column in table.columns)
        words = explain(fault, detail=not sensitive)
        return "load", [Cause("target-refused", "", f"PostgreSQL refuses the document: {words}.")]

    def _too_long(self, letter: LetterBytes, tables: Sequence[Table], words: str, constraint: str | None) -> Cause:
        """Say that a value is too long for an index; which one, the server does not always tell."""
        for table in tables:
            columns = _key_columns(table, constraint)
            if columns:
                label = ", ".join(columns)
                flow = next(flow for flow in table.flows if flow.collection == letter.collection)
                path = document_path(self._job, table, columns, flow)
                message = f"Its {label} is too long for a key: {words}."
                return Cause("key-too-long", path, message, f"{table.name}.{label}")
        return Cause("key-too-long", "", f"A value of it is too long for an index: {words}.")


def _key_columns(table: Table, constraint: str | None) -> tuple[str, ...]:
    """Return the columns of a table's key or unique index of this name; empty when it has none."""
    if constraint == table.primary_key_name:
        return table.primary_key
    return next((index.columns for index in table.indexes if index.unique and index.name == constraint), ())


def _causes(batch: Batch) -> list[Cause]:
    return [Cause(c.code, c.path, c.message, c.column, c.bson_type, c.value) for c in batch.rejects[0].causes]


def _taken(letter: LetterBytes, what: Judged, root: Table) -> Cause:
    column = f"{root.name}.{key_column(root)}"
    where = f"a row of {root.name}" if what.fate == "taken" else f"the row that dead letter {what.keeper} became"
    value = show(letter.source_id)[:80] if letter.source_id else ""
    message = f"Its _id becomes the id {what.id}, which {where} has already."
    return Cause("duplicate-id", "_id", message, column, value=value)
