"""The finish stage: keys, duplicates, orphans, junctions, indexes, foreign keys, to a fixpoint.

Order: primary keys (duplicate ids settled), unique indexes (duplicate values and endless keys settled), endless pairs,
orphans until a pass changes nothing, junction sides merged, and only then what cannot cost a document any more: other
indexes, foreign keys, statistics. Every step is repeatable; a crash between any two is mended by running them all
again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.connect.postgres import meaning
from isthmus.errors import TargetError
from isthmus.mapping.tables import Index, Table
from isthmus.state.checkpoints import add_tally
from isthmus.transfer.duplicates import settle_duplicate_ids, settle_duplicate_keys
from isthmus.transfer.hands import Hands
from isthmus.transfer.job import Job
from isthmus.transfer.keys import (
    Step,
    await_old_snapshots,
    build,
    foreign_key_steps,
    index_step,
    primary_key_step,
)
from isthmus.transfer.long_keys import settle_long_keys, settle_long_pairs
from isthmus.transfer.orphans import rest_of_pass, settle_orphans
from isthmus.transfer.references import ReferenceSite, reference_sites
from isthmus.transfer.stages import reached
from isthmus.transfer.staging import pair_tables


def finish(job: Job, hands: Hands) -> None:
    """Run every finish step. Safe to repeat.

    Args:
        job: The copy, loaded.
        hands: Does the steps.

    Raises:
        Interrupted: The user asked to stop.
        IsthmusError: A step cannot be done; the run stays resumable.
    """
    tables = list(job.schema.tables.values())
    carried = [table for table in tables if table.kind in {"root", "child"}]
    junctions = [table for table in tables if table.kind == "junction"]
    uniques = [(table, index) for table in carried for index in table.indexes if index.unique]
    plain = [index for table in tables for index in table.indexes if not index.unique]
    foreign = [key for table in tables for key in table.foreign_keys]
    job.progress.stage("finishing", steps=len(tables) + len(uniques) + len(plain) + 2 * len(foreign) + len(tables) + 1)
    for kind in ("root", "child"):
        _build_uniques(job, hands, [_primary_key(job, table) for table in carried if table.kind == kind])
    _build_uniques(job, hands, [_Unique(table, index, index_step(job, index), key=False) for table, index in uniques])
    for pairs in pair_tables(job.feeders, job.schema).values():
        hands.part(f"keys of {pairs.junction}", lambda c, p=pairs: settle_long_pairs(job, c, p))
    _settle_all_orphans(job, hands)
    reached("finish.before-junctions")
    hands.one("junctions", lambda connection: _merge_junctions(job, connection))
    reached("finish.after-junctions")
    hands.all((f"primary key of {table.name}", _step_work(job, primary_key_step(job, table))) for table in junctions)
    hands.all((f"index {index.name}", _plain_work(job, index)) for index in plain)
    added = [foreign_key_steps(job, key) for key in foreign]
    for add, _ in added:  # each locks two tables, so not side by side
        hands.one(add.name, _step_work(job, add))
    hands.all((validate.name, _step_work(job, validate)) for _, validate in added)
    hands.all((f"statistics of {table.name}", _analyze_work(job, table)) for table in tables)
    reached("finish.before-complete")


Work = Callable[[psycopg.Connection], None]


def _step_work(job: Job, step: Step) -> Work:
    def work(connection: psycopg.Connection) -> None:
        try:
            build(job, connection, step)
        except psycopg.Error as fault:
            if meaning(fault) != "data":
                raise
            raise TargetError(
                f"PostgreSQL refuses the {step.name}: {job.explain(fault)}.",
                code="finish-refused",
                hint="Did somebody else write to the tables? What is loaded is kept; --fresh starts over.",
            ) from None

    return work


@dataclass(frozen=True)
class _Unique:
    """A primary key or unique index that documents may stand against.

    Attributes:
        table: Root or child table.
        index: The index; a primary key as one.
        step: What builds it.
        key: Whether it is the primary key.
    """

    table: Table
    index: Index
    step: Step
    key: bool


def _primary_key(job: Job, table: Table) -> _Unique:
    index = Index(
        name=table.primary_key_name,
        table=table.name,
        columns=table.primary_key,
        expression=None,
        unique=True,
        method="btree",
        where=None,
        kind="unique",
    )
    return _Unique(table, index, primary_key_step(job, table), key=True)


def _build_uniques(job: Job, hands: Hands, uniques: list[_Unique]) -> None:
    """Build all side by side; then settle what stands against those that were refused, one after the other.

    A document may stand against several; which of them it leaves for, and so who stays, must not depend on which
    thread came first.
    """
    built = hands.all((unique.step.name, _try_work(job, unique)) for unique in uniques)
    for unique, done in zip(uniques, built, strict=True):
        if not done:
            hands.part(unique.step.name, _settle_work(job, unique))


def _try_work(job: Job, unique: _Unique) -> Callable[[psycopg.Connection], bool]:
    def work(connection: psycopg.Connection) -> bool:
        try:
            build(job, connection, unique.step)
        except (psycopg.errors.UniqueViolation, psycopg.errors.ProgramLimitExceeded):
            return False
        return True

    return work


def _settle_work(job: Job, unique: _Unique) -> Work:
    table, index = unique.table, unique.index

    def work(connection: psycopg.Connection) -> None:
        while True:
            try:
                build(job, connection, unique.step)
            except psycopg.errors.UniqueViolation:
                if unique.key:
                    settled = settle_duplicate_ids(job, connection, table) if table.kind == "root" else 0
                else:
                    settled = settle_duplicate_keys(job, connection, table, index)
                if not settled:
                    raise
            except psycopg.errors.ProgramLimitExceeded as fault:
                if not settle_long_keys(job, connection, table, index):
                    raise TargetError(
                        f"PostgreSQL refuses the {unique.step.name} for a row that is deleted, because another session"
                        f" can still see it: {job.explain(fault)}.",
                        code="deleted-row-visible",
                        hint="Run the same command again when long transactions on the server have ended.",
                        retryable=True,
                    ) from None
            else:
                return

    return work


def _plain_work(job: Job, index: Index) -> Work:
    """Build an index that filters or searches. It never costs a document: one that cannot be built is left out."""
    step = index_step(job, index)

    def work(connection: psycopg.Connection) -> None:
        try:
            try:
                build(job, connection, step)
            except psycopg.errors.ProgramLimitExceeded:
                if not await_old_snapshots(job, connection):
                    raise
                build(job, connection, step)
        except psycopg.errors.ProgramLimitExceeded as fault:
            words = fault.diag.message_primary or "a value is too long"
            job.progress.note(f"Index {index.name} is left out: {words}.")
            with connection.transaction():
                job.lease.assert_held(connection, job.run.id)
                connection.execute(
                    "DELETE FROM isthmus.tally WHERE run_id = %s AND kind = 'left-out-index' AND name = %s",
                    (job.run.id, index.name),
                )
                add_tally(connection, job.run.id, "left-out-index", index.name, 1)
                reached("finish.left-out-index-before-commit")

    return work


def _analyze_work(job: Job, table: Table) -> Work:
    def work(connection: psycopg.Connection) -> None:
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(job.schema.schema, table.name)))
        reached("finish.statistics-after-commit")

    return work


def _settle_all_orphans(job: Job, hands: Hands) -> None:
    """Repeat passes over all references until one makes no dead letter; then enter those inside jsonb."""
    sites = reference_sites(job)
    changing = [site for site in sites if site.action != "kept"]
    rest = hands.part("orphans", lambda connection: rest_of_pass(job, connection, changing))
    refused = _settle_pass(job, hands, rest)
    while refused or len(rest) < len(changing):
        rest = changing
        refused = _settle_pass(job, hands, rest)
    _settle_pass(job, hands, [site for site in sites if site.action == "kept"])


def _settle_pass(job: Job, hands: Hands, sites: list[ReferenceSite]) -> int:
    """Go through references once; return how many documents became dead letters."""
    return sum(hands.part(f"orphans of {site.name}", lambda c, s=site: settle_orphans(job, c, s)) for site in sites)


def _merge_junctions(job: Job, connection: psycopg.Connection) -> None:
    """Fill junctions that several arrays feed: the union of their sides, each pair once; their waiting tables go.

    One transaction a junction; a junction whose waiting tables are gone is done.
    """
    sides: dict[str, dict[str, sql.Identifier]] = {}
    for pairs in pair_tables(job.feeders, job.schema).values():
        if not pairs.in_place:
            sides.setdefault(pairs.junction, {})[pairs.name] = pairs.identifier
    for junction, waiting in sides.items():
        first = next(iter(waiting))
        row = connection.execute("SELECT to_regclass(%s) IS NULL", (f"isthmus.{first}",)).fetchone()
        if row and row[0]:
            continue
        table = job.schema.tables[junction]
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
        union = sql.SQL(" UNION ").join(
            sql.SQL("SELECT DISTINCT {} FROM {}").format(columns, place) for place in waiting.values()
        )
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            loaded = 0
            for place in waiting.values():
                count = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(place)).fetchone()
                loaded += int(count[0]) if count else 0
            pairs_count = connection.execute(
                sql.SQL("INSERT INTO {} ({}) {}").format(sql.Identifier(job.schema.schema, junction), columns, union)
            ).rowcount
            add_tally(connection, job.run.id, "merged-pairs", junction, loaded - pairs_count)
            for place in waiting.values():
                connection.execute(sql.SQL("DROP TABLE {}").format(place))
            reached("finish.junctions-before-commit")
        reached("finish.junctions-after-commit")
