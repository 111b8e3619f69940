"""One batch of dead letters, one transaction: rows, ledgers, letters and books move together or not at all.

What the server refuses is halved until exactly the refused letters are found. The books are asserted before the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from isthmus._rust import Batch
from isthmus.connect.postgres import meaning
from isthmus.errors import SourceError
from isthmus.mapping.model import Flow
from isthmus.state.ledgers import Cause, insert_ids
from isthmus.state.retries import (
    LetterBytes,
    Refusal,
    delete_letters,
    forget_refusals,
    replace_causes,
)
from isthmus.state.statements import statement
from isthmus.transfer.finishing.origins import id_scheme
from isthmus.transfer.finishing.orphans import orphan_cause
from isthmus.transfer.finishing.references import ReferenceSite, target_of
from isthmus.transfer.job import Job
from isthmus.transfer.letters.books import Books
from isthmus.transfer.letters.carry import Fitting, Refused
from isthmus.transfer.letters.causes import Causes, core_causes
from isthmus.transfer.letters.insert import (
    Entered,
    enter_orphans,
)
from isthmus.transfer.letters.join import point_at_kept
from isthmus.transfer.letters.judge import Judge, Judged
from isthmus.transfer.letters.shift import Shift
from isthmus.transfer.letters.staging import Staging, Tried, unanswerable
from isthmus.work.stages import reached

_MOST_CAUSES = 16  # as the core names them


@dataclass
class Tally:
    """What a batch came to.

    Attributes:
        carried: Letters that are rows now.
        again: Letters that wait for one of the others of their batch: they are to be tried again behind it.
        put_off: Letters that will be joined into documents of the target, once all others are carried.
        untried: Letters that cannot be tried, with why; see `unanswerable`.
    """

    carried: int = 0
    again: list[LetterBytes] = field(default_factory=list[LetterBytes])
    put_off: list[LetterBytes] = field(default_factory=list[LetterBytes])
    untried: list[tuple[LetterBytes, str]] = field(default_factory=list[tuple[LetterBytes, str]])


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
        self._causes = Causes(job, connection, self._judge)
        self._unanswerable = unanswerable(job)

    @property
    def joining(self) -> bool:
        """Whether letters are joined into documents of the target (`on_duplicate: merge`), or put off until then."""
        return self._judge.joining

    @joining.setter
    def joining(self, joining: bool) -> None:
        self._judge.joining = joining

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
        return Tally(
            first.carried + second.carried,
            first.again + second.again,
            first.put_off + second.put_off,
            first.untried + second.untried,
        )

    def _transact(self, letters: Sequence[LetterBytes]) -> Tally:
        refused: dict[int, Cause] = {}
        while True:
            try:
                return self._attempt(letters, refused)
            except Refused as more:
                refused |= more.causes

    def _attempt(self, letters: Sequence[LetterBytes], refused: dict[int, Cause]) -> Tally:
        """Try letters in one transaction.

        Args:
            letters: The letters.
            refused: Those that a table which exists has refused before, and why.

        Raises:
            Refused: It refuses others; nothing was done.
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
                refusals.append(Refusal(letter, "convert", core_causes(batch)))
                decided.append(letter)
            elif batch.skipped:
                gone.append(letter)
                decided.append(letter)
                shift.skipped[letter.collection] += 1
                shift.skips.update(batch.skips)
            else:
                one = self._staging.tried(letter, batch)
                if one.flow in self._unanswerable:
                    done.untried.append((letter, self._unanswerable[one.flow]))
                else:
                    tried.append(one)
        with self._connection.transaction():
            self._job.lease.assert_held(self._connection, self._job.run.id)
            judged = self._settle(tried, refused)
            # also of those that stay: the ledgers tell by them what their references were
            insert_ids(self._connection, [entry for one in tried for entry in one.batch.id_map])
            done.again = [one.letter for one in tried if self._waits(judged[one.letter.id], judged)]
            done.put_off = [one.letter for one in tried if judged[one.letter.id].fate == "joins"]
            waiting = {letter.id for letter in [*done.again, *done.put_off]}
            decided += [one.letter for one in tried if one.letter.id not in waiting]
            self._forget(decided, judged, shift)
            entered = self._enter_refused(tried, judged, shift)
            refusals += self._causes.refusals(
                [one for one in tried if one.letter.id not in waiting], judged, entered, refused
            )
            carried = [one for one in tried if judged[one.letter.id].fate == "fits"]
            if carried:
                Fitting(self._job, self._connection, self._staging, carried, judged, shift).carry()
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
                "target": None if site.as_met else target_of(self._job, site.alternatives[0]).name,
                "letters": [number for number, _ in entered],
                "ids": [one.row_id for _, one in entered],
                "target_ids": [one.target_id for _, one in entered],
            },
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
        refusals = [Refusal(letter, *self._causes.of_fault(letter, fault)) for letter in unit]
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
