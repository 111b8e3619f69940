"""Bring the letters of one transaction that fit into the target, and count what they add to the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import psycopg
from psycopg import sql

from isthmus.errors import InternalError
from isthmus.state.became import counts_of
from isthmus.state.ledgers import Adjusted, Cause, insert_adjustments
from isthmus.transfer.existing.deliver import deliver_letters
from isthmus.transfer.job import Job
from isthmus.transfer.letters.insert import (
    Inserted,
    count_values,
    insert_rows,
    resolve,
    settle_references,
)
from isthmus.transfer.letters.join import LettersJoin, point_at_kept, point_looked_up
from isthmus.transfer.letters.join import in_order as in_join_order
from isthmus.transfer.letters.judge import Judged
from isthmus.transfer.letters.shift import Delivered, Shift, delivered
from isthmus.transfer.letters.staging import Staging, Tried


class Refused(Exception):  # noqa: N818  not an error: documents were refused
    """Undoes a transaction in which tables that exist refused letters; says which, and why."""

    def __init__(self, causes: dict[int, Cause]) -> None:
        super().__init__()
        self.causes = causes


class Fitting:
    """The letters of one transaction that fit.

    Args:
        job: The retry.
        connection: Inside the caller's transaction.
        staging: Where their rows wait, with those of letters that do not fit.
        letters: They.
        judged: Letter → what was found of it.
        shift: Gets what they add to the books.
    """

    def __init__(
        self,
        job: Job,
        connection: psycopg.Connection,
        staging: Staging,
        letters: Sequence[Tried],
        judged: dict[int, Judged],
        shift: Shift,
    ) -> None:
        self._job = job
        self._connection = connection
        self._staging = staging
        self._letters = letters
        self._judged = judged
        self._shift = shift
        self._collections = list(dict.fromkeys(one.letter.collection for one in letters))
        self._tables = [table for collection in self._collections for table in staging.tables[collection]]
        self._sites = [site for collection in self._collections for site in staging.sites[collection]]

    def carry(self) -> None:
        """Insert them, and deliver them to tables that exist.

        Raises:
            Refused: A table that exists refuses some of them.
            InternalError: Other rows or values arrived than the core made (code `batch-unbalanced`).
        """
        job, connection, shift = self._job, self._connection, self._shift
        for one in self._letters:
            self._count(one)
        self._staging.keep_fitting(connection, self._tables)
        stated = {site.name: (site.action, not site.stated) for site in self._sites}
        for name, count in settle_references(job, connection, self._sites).items():
            shift.orphans[name, *stated[name]] += count
        self._assert_values()
        resolve(job, connection, self._tables, self._sites)
        joins = self._begin_joins()
        inserted = insert_rows(job, connection, self._tables, self._sites)
        documents = {self._place(one): (one.letter.collection, one.letter.document) for one in self._letters}
        for join in joins:
            join.settle(documents, shift)
        for place, rows in inserted.rows.items():
            if rows != shift.rows[place]:
                raise InternalError(
                    f"{shift.rows[place]} rows were to go to {place[1]}, {rows} arrived.", code="batch-unbalanced"
                )
        for junction, pairs in inserted.pairs.items():
            shift.pairs[junction] += pairs
            shift.merged[junction] += inserted.resolved[junction] - pairs
        if job.existing is not None:
            shift.delivery = self._deliver(inserted)
        adjusted = [
            Adjusted(one.letter.collection, one.letter.source_id, a.table, a.column, a.position, a.kind, a.original)
            for one in self._letters
            for a in one.batch.adjustments
        ]
        insert_adjustments(connection, job.run.id, adjusted)

    def _place(self, one: Tried) -> tuple[str, str]:
        """Return the root table of a letter, and its id there."""
        return self._job.root_of(one.flow).name, self._judged[one.letter.id].id

    def _begin_joins(self) -> list[LettersJoin]:
        """Let the rows of letters that are joined into documents of the target be theirs, before they are inserted."""
        by_root: dict[str, list[tuple[Tried, str, str]]] = {}
        for one in self._letters:
            keeper = self._judged[one.letter.id].joins
            if keeper is not None:
                root, own = self._place(one)
                by_root.setdefault(root, []).append((one, own, keeper))
        if not by_root:
            return []
        job, connection, shift = self._job, self._connection, self._shift
        ordered = {root: in_join_order(some) for root, some in by_root.items()}
        joins = {root: LettersJoin(job, connection, job.schema.tables[root], self._tables) for root in ordered}
        for root, joined in ordered.items():
            joins[root].enter_ids(joined)
        point_at_kept(job, connection, self._staging, self._collections)
        point_looked_up(job, connection, self._tables)
        for root, joined in ordered.items():
            joins[root].take_over(joined)
            for one in joined:
                shift.copied[one.flow.collection] -= 1
                shift.joined[one.flow.collection] += 1
                shift.rows[one.flow.collection, root] -= 1
        return list(joins.values())

    def _deliver(self, inserted: Inserted) -> Delivered:
        """Bring what was inserted into the stage to the tables that exist, and empty the stage.

        Raises:
            Refused: Documents cannot be delivered.
            InternalError: Other rows were delivered than were in the stage (code `batch-unbalanced`).
        """
        job, schema = self._job, self._job.schema
        known = {
            (one.letter.collection, self._judged[one.letter.id].id): one.letter.source_id
            for one in self._letters
            if one.letter.source_id is not None
        }
        refused, tallies = deliver_letters(job, self._connection, known)
        if refused:
            numbers = {self._place(one): one.letter.id for one in self._letters}
            causes = refused.by_table().items()
            raise Refused({numbers[root, row_id]: why for root, some in causes for row_id, why in some.items()})
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

    def _count(self, one: Tried) -> None:
        """Count what one document adds to the books, as the core made its rows."""
        collection, shift = one.letter.collection, self._shift
        shift.copied[collection] += 1
        for table in self._job.plan_tables(collection):
            rows = one.batch.rows(table.index)
            if rows and table.kind == "junction":
                shift.named[table.name] += rows
            elif rows and table.kind != "pending":
                shift.rows[collection, table.name] += rows
        for group, names in counts_of(one.batch).items():
            if group == "references":
                shift.values.update(names)
                continue
            prefix = f"{collection}." if group in {"extras", "dropped"} else ""
            shift.changed.setdefault(group, Counter()).update({prefix + name: n for name, n in names.items()})

    def _assert_values(self) -> None:
        """Hold the references that wait to be inserted against what the core counted, less the orphans.

        Raises:
            InternalError: They differ (code `batch-unbalanced`).
        """
        there: Counter[str] = Counter()
        for site in self._sites:
            there[site.name] += count_values(self._connection, site)
        kept = {site.name for site in self._sites if site.action == "kept"}  # these stay where they are
        for name, count in there.items():
            expected = self._shift.values[name] - (0 if name in kept else self._shift.orphaned(name))
            if count != expected:
                raise InternalError(
                    f"{expected} references of {name} were to arrive, {count} did.", code="batch-unbalanced"
                )
