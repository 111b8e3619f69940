"""The finish stage: keys, duplicates, orphans, junctions, indexes, foreign keys, to a fixpoint.

Order: unique ids (duplicate ids settled), other keys and unique indexes (duplicate values and endless keys settled),
endless pairs, orphans until a pass changes nothing, references that waited looked up, documents that are one thing
joined, keys over what these two have changed and all other keys of tables of things, junction sides merged, and only
then what cannot cost a document any more: other indexes, foreign keys, statistics; last the hidden columns go. Every
step is repeatable; a crash between any two is mended by running them all again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from isthmus.connect.postgres import meaning
from isthmus.errors import TargetError
from isthmus.mapping.tables import Index, Table
from isthmus.state.checkpoints import add_tally
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.existing.only import waits
from isthmus.transfer.existing.waiting import refuse_unwaitable
from isthmus.transfer.finishing.duplicates import settle_duplicate_ids, settle_duplicate_keys
from isthmus.transfer.finishing.hidden import are_dropped, drop_hidden_columns, hidden_index_name, thing_index
from isthmus.transfer.finishing.junctions import count_pairs, pairs_of
from isthmus.transfer.finishing.keys import (
    Step,
    await_old_snapshots,
    build,
    foreign_key_steps,
    index_step,
    primary_key_step,
)
from isthmus.transfer.finishing.long_keys import settle_long_keys, settle_long_pairs
from isthmus.transfer.finishing.lookups import require_looked_up, resolve_lookups, settle_routes, waiting_columns
from isthmus.transfer.finishing.orphans import rest_of_pass, settle_orphans
from isthmus.transfer.finishing.references import ReferenceSite, positions_of, reference_sites
from isthmus.transfer.hands import Hands
from isthmus.transfer.job import Job
from isthmus.transfer.joining.groups import MEMBERS, MergedTable
from isthmus.transfer.joining.joined import joins_by, merges
from isthmus.transfer.joining.merging import forget_parted, is_joining, merge_documents
from isthmus.transfer.joining.moves import Moves
from isthmus.transfer.staging import PairTable, exists, pair_tables
from isthmus.work.stages import reached


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
    # where rows are delivered from these tables, the columns go with them
    keeps = job.existing is not None
    hidden = [] if keeps else [table for table in tables if any(column.hidden for column in table.columns)]
    if hidden and hands.part("hidden columns", lambda connection: are_dropped(job, connection, hidden)):
        reached("finish.before-complete")
        return  # the last step is done, and without them none of the others can be done again
    roots = [table for table in tables if table.kind == "root"]
    children = [table for table in tables if table.kind == "child"]
    junctions = [table for table in tables if table.kind == "junction"]
    ids = [_unique_ids(job, table) for table in roots]
    child_keys = [_primary_key(job, table) for table in children]
    others = _other_uniques(job, [*roots, *children], ids)
    late = [unique for unique in others if _waits(job, unique)]
    merging = [unique for unique in others if unique not in late and _joins(job, unique)]
    uniques = [unique for unique in others if unique not in late and unique not in merging]
    plain = [index for table in tables for index in table.indexes if not index.unique]
    foreign = [key for table in tables for key in table.foreign_keys]
    steps = len(tables) + len(junctions) + len(plain) + 2 * len(foreign) + 3 + bool(hidden)
    parting = job.existing is not None and job.run.id > 1  # an earlier run may have joined what is not one now
    job.progress.stage("finishing", steps=len(ids) + len(child_keys) + len(others) + steps + parting)
    _build_uniques(job, hands, ids)
    _build_uniques(job, hands, child_keys)
    _build_uniques(job, hands, uniques)
    for pairs in pair_tables(job.feeders, job.schema).values():
        hands.part(f"keys of {pairs.junction}", lambda c, p=pairs: settle_long_pairs(job, c, p))
    settle_all_orphans(job, hands)
    hands.one("looked-up references", lambda connection: resolve_lookups(job, connection))
    _merge(job, hands, [unique for unique in others if _joins(job, unique)], merging)
    if parting:
        joined = [table for table in roots if merges(job, table)]
        hands.one("documents that part", lambda connection: forget_parted(job, connection, joined))
    _build_uniques(job, hands, [unique for unique in late if not _joins(job, unique)])
    if late or merging:
        settle_all_orphans(job, hands)  # who leaves there leaves orphans behind, of resolved references too
    hands.one("required references", lambda connection: require_looked_up(job, connection))
    hands.one("routed references", lambda connection: settle_routes(job, connection))
    reached("finish.before-junctions")
    hands.one("junctions", lambda connection: merge_junctions(job, connection))
    reached("finish.after-junctions")
    hands.all((f"primary key of {table.name}", _step_work(job, primary_key_step(job, table))) for table in junctions)
    hands.all((f"index {index.name}", _plain_work(job, index)) for index in plain)
    added = [foreign_key_steps(job, key) for key in foreign]
    for add, _ in added:  # each locks two tables, so not side by side
        hands.one(add.name, _step_work(job, add))
    hands.all((validate.name, _step_work(job, validate)) for _, validate in added)
    hands.all((f"statistics of {table.name}", _analyze_work(job, table)) for table in tables)
    if hidden:
        reached("finish.before-hidden-columns")
        hands.one("hidden columns", lambda connection: drop_hidden_columns(job, connection, hidden))
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
    """A key or unique index that documents may stand against.

    Attributes:
        table: Root or child table.
        index: The index; a primary key as one.
        step: What builds it.
        ids: Whether it keeps the ids of a root table apart; then whole rows are settled, before any other key is built.
    """

    table: Table
    index: Index
    step: Step
    ids: bool = False


def _joins(job: Job, unique: _Unique) -> bool:
    return joins_by(job, unique.table, unique.index)


def _waits(job: Job, unique: _Unique) -> bool:
    """Tell whether it covers, or may name in its predicate, a column whose values are not the last yet.

    They come when lookups are resolved, or change when what they point at, or what they are rows of, is joined into
    another. In a table of things documents of one thing may share any value until they are joined.
    """
    if unique.table.kind == "root" and unique.table.name in job.mapping.thing_tables:
        return not _joins(job, unique)
    changing = waiting_columns(unique.table) | Moves(job, MEMBERS).aims_of(unique.table).keys()
    if unique.table.kind == "child" and merges(job, job.root_of(unique.table.flows[0])):
        changing |= {key_column(unique.table), *positions_of(unique.table)}
    return bool(changing) and (unique.index.where is not None or not changing.isdisjoint(unique.index.columns))


def _unique_ids(job: Job, table: Table) -> _Unique:
    """Return what keeps the ids of a root table apart: its primary key, else a unique index, for the hidden id too."""
    column = key_column(table)
    if table.primary_key == (column,):
        return replace(_primary_key(job, table), ids=True)
    columns = (column,)
    index = next((one for one in table.indexes if one.unique and one.columns == columns and one.where is None), None)
    if index is None:
        index = Index(hidden_index_name(table.name), table.name, columns, None, True, "btree", None, "unique")
    return _Unique(table, index, index_step(job, index), ids=True)


def _primary_key(job: Job, table: Table) -> _Unique:
    index = Index(table.primary_key_name, table.name, table.primary_key, None, True, "btree", None, "unique")
    return _Unique(table, index, primary_key_step(job, table))


def _other_uniques(job: Job, tables: list[Table], ids: list[_Unique]) -> list[_Unique]:
    """Return the primary keys of other columns than the id, and all unique indexes, but for what is among `ids`."""
    known = {unique.index.name for unique in ids}
    keyed = [
        table for table in tables if table.kind == "root" and table.primary_key and table.primary_key_name not in known
    ]
    found = [_primary_key(job, table) for table in keyed]
    for table in tables:
        indexes = [index for index in table.indexes if index.unique and index.name not in known]
        if table.kind == "root" and table.name in job.mapping.thing_tables:
            indexes.append(thing_index(table.name))
        found += [_Unique(table, index, index_step(job, index)) for index in indexes]
    return found


def _build_uniques(job: Job, hands: Hands, uniques: list[_Unique], merged: Sequence[MergedTable] = ()) -> None:
    """Build all side by side; then settle what stands against those that were refused, one after the other.

    A document may stand against several; which of them it leaves for, and so who stays, must not depend on which
    thread came first.

    Args:
        job: The copy.
        hands: Does the steps.
        uniques: What to build.
        merged: Tables whose documents are joined instead.
    """
    built = hands.all((unique.step.name, _try_work(job, unique)) for unique in uniques)
    for unique, done in zip(uniques, built, strict=True):
        if not done:
            hands.part(unique.step.name, _settle_work(job, unique, merged))


def _merge(job: Job, hands: Hands, uniques: list[_Unique], early: list[_Unique]) -> None:
    """Join documents that are one thing, and build what keeps them apart.

    Args:
        job: The copy, with look-ups resolved.
        hands: Does the steps.
        uniques: The keys and unique indexes of all tables whose documents are joined, but for those of ids.
        early: Those among them that cover no references to joined documents, nor look-ups: where these can all be
            built, and there are no others, nothing is to be joined, and where some can, joining breaks none of them.
    """
    if not uniques:
        return
    merged = _merged_tables(uniques)
    built = hands.all((unique.step.name, _try_work(job, unique)) for unique in early)
    missing = [unique for unique, done in zip(early, built, strict=True) if not done]
    late = [unique for unique in uniques if unique not in early]
    if missing or late or hands.part("documents to join", is_joining):
        roots = {table.table.name for table in merged}
        hands.part("routes to compare", lambda connection: settle_routes(job, connection, tables=roots))
        hands.part("joined documents", lambda connection: merge_documents(job, connection, merged))
    for unique in missing:
        hands.part(unique.step.name, _settle_work(job, unique, merged))
    _build_uniques(job, hands, late, merged)


def _merged_tables(uniques: list[_Unique]) -> list[MergedTable]:
    tables = {unique.table.name: unique.table for unique in uniques}
    return [
        MergedTable(table, tuple(unique.index for unique in uniques if unique.table.name == name))
        for name, table in tables.items()
    ]


def _try_work(job: Job, unique: _Unique) -> Callable[[psycopg.Connection], bool]:
    def work(connection: psycopg.Connection) -> bool:
        try:
            build(job, connection, unique.step)
        except (psycopg.errors.UniqueViolation, psycopg.errors.ProgramLimitExceeded):
            return False
        return True

    return work


def _settle_work(job: Job, unique: _Unique, merged: Sequence[MergedTable]) -> Work:
    table, index = unique.table, unique.index

    def work(connection: psycopg.Connection) -> None:
        while True:
            try:
                build(job, connection, unique.step)
            except psycopg.errors.UniqueViolation:
                if unique.ids:
                    settled = settle_duplicate_ids(job, connection, table)
                elif table.kind == "child" and index.columns == table.primary_key:
                    settled = 0
                elif _joins(job, unique):
                    settled = merge_documents(job, connection, merged)
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
    """Gather statistics: of a stage rough ones, for only the delivery reads them, and the real tables get their own."""

    def work(connection: psycopg.Connection) -> None:
        with connection.transaction():
            if job.existing is not None:
                connection.execute("SET LOCAL default_statistics_target = 10")
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(job.schema.schema, table.name)))
        reached("finish.statistics-after-commit")

    return work


def settle_all_orphans(job: Job, hands: Hands) -> None:
    """Repeat passes over all references until one makes no dead letter; then enter those inside jsonb.

    So do references that can neither be looked up nor wait for a later copy (`--only`).
    """
    _settle_passes(job, hands)
    while hands.part("references that cannot wait", lambda connection: refuse_unwaitable(job, connection)):
        _settle_passes(job, hands)


def _settle_passes(job: Job, hands: Hands) -> None:
    sites = [site for site in reference_sites(job) if not waits(job, site)]
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


def merge_junctions(job: Job, connection: psycopg.Connection) -> None:
    """Fill junctions whose pairs waited: the union of their sides, each pair once; their waiting tables go.

    One transaction a junction; a junction whose waiting tables are gone is done. Where rows are delivered from these
    tables, the waiting ones stay, for a delivery may cost documents with pairs: then the junction is filled anew.
    """
    keeps = job.existing is not None
    sides: dict[str, dict[str, PairTable]] = {}
    for pairs in pair_tables(job.feeders, job.schema).values():
        if not pairs.in_place:
            sides.setdefault(pairs.junction, {})[pairs.name] = pairs
    for junction, waiting in sides.items():
        first = next(iter(waiting.values()))
        if not exists(connection, first.identifier):
            continue
        table = job.schema.tables[junction]
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
        union = sql.SQL(" UNION ").join(pairs_of(job, table, pairs) for pairs in waiting.values())
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            if keeps:
                connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(job.schema.schema, junction)))
                connection.execute(
                    "DELETE FROM isthmus.tally WHERE run_id = %s AND kind = 'merged-pairs' AND name = %s",
                    (job.run.id, junction),
                )
            loaded = 0
            for pairs in waiting.values():
                loaded += count_pairs(job, connection, table, pairs)
            pairs_count = connection.execute(
                sql.SQL("INSERT INTO {} ({}) {}").format(sql.Identifier(job.schema.schema, junction), columns, union)
            ).rowcount
            add_tally(connection, job.run.id, "merged-pairs", junction, loaded - pairs_count)
            for pairs in waiting.values() if not keeps else ():
                connection.execute(sql.SQL("DROP TABLE {}").format(pairs.identifier))
            reached("finish.junctions-before-commit")
        reached("finish.junctions-after-commit")
