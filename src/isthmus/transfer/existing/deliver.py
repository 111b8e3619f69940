"""The delivery: from the stage to the real tables, all of it in one transaction.

Before it nothing of the run is in the real tables, behind it everything; the transaction itself says which. Documents
that a real table refuses are found one by one in a transaction that is then undone; they become dead letters in the
stage, what refers to them is settled there, and the delivery is made again.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from isthmus.connect.postgres import has_rows
from isthmus.errors import TargetError
from isthmus.state.checkpoints import EMPTY_BEFORE, add_tally, read_tallies
from isthmus.state.kept_values import VALUES
from isthmus.state.ledgers import Cause
from isthmus.state.runs import Run
from isthmus.transfer.document_rows import flow_column, key_column
from isthmus.transfer.existing import kept_values, matching, row_state, waiting, waiting_there
from isthmus.transfer.existing.fit import Existing, FedTable, backward_keys, delivery_order
from isthmus.transfer.existing.pairs import deliver_pairs
from isthmus.transfer.existing.pieces import Chosen, swallowed, whole_or_pieces
from isthmus.transfer.existing.refused import Refused
from isthmus.transfer.existing.rows_before import note_rows_before
from isthmus.transfer.existing.saved_ddl import missing, restore
from isthmus.transfer.existing.sequences import advance_sequences
from isthmus.transfer.existing.setting_aside import set_aside
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.finishing.remove import remove_documents
from isthmus.transfer.hands import Hands
from isthmus.transfer.job import Job
from isthmus.transfer.locks import lock_tables
from isthmus.work.stages import reached

_MARK = ("delivery", "done")

WRITTEN = "written-rows "
"""Begins the tallies, one a source collection, of rows that were to be delivered, by table."""


class _Undo(Exception):  # noqa: N818  not an error: documents were refused
    """Undoes the delivery's transaction."""


def deliver(job: Job, hands: Hands, settle: Callable[[], None]) -> None:
    """Bring everything that is settled in the stage to the real tables. Safe to repeat: what is delivered is known.

    Args:
        job: The copy, settled.
        hands: Does the steps.
        settle: Settles the references of the stage again, after documents left it.

    Raises:
        Interrupted: The user asked to stop.
        IsthmusError: The delivery cannot be made; nothing of it is in the real tables, and the run stays resumable.
    """
    if is_delivered(job.lease.connection, job.run):
        return
    job.progress.stage("delivering")
    hands.part("definitions set aside", lambda connection: set_aside(job, connection))
    while True:
        job.progress.stage("delivering", steps=len(existing_of(job).tables))
        refused = hands.part("delivery", lambda connection: _attempt(job, connection))
        if not refused:
            return
        for root, causes in refused.by_table().items():
            hands.part(
                f"documents that {root} refuses",
                lambda connection, r=root, why=causes: _remove(job, connection, r, why),
            )
        settle()


def is_delivered(connection: psycopg.Connection, run: Run) -> bool:
    """Tell whether a run's delivery was committed."""
    kind, name = _MARK
    return bool(read_tallies(connection, run.id).get(kind, {}).get(name))


def existing_of(job: Job) -> Existing:
    """Return the tables that are there, of a copy that has such."""
    assert job.existing is not None  # noqa: S101  asked only in this mode
    return job.existing


def _remove(job: Job, connection: psycopg.Connection, root: str, causes: dict[str, Cause]) -> None:
    """Make dead letters of documents; of those a crash left, as they are gone from the stage, nothing is left to do."""
    table = job.schema.tables[root]
    key = sql.Identifier(key_column(table))
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        rows = connection.execute(
            sql.SQL("SELECT {}::text, {} FROM {} WHERE {}::text = ANY(%s)").format(
                key, flow_column(table), sql.Identifier(job.schema.schema, root), key
            ),
            (list(causes),),
        ).fetchall()
        for flow in table.flows:
            mine = {str(row_id): causes[str(row_id)] for row_id, number in rows if number == flow.number}
            if mine:
                remove_documents(job, connection, flow, mine)
        reached("deliver.refused-before-commit")
    reached("deliver.refused-after-commit")


@dataclass
class _Delivery:
    """One attempt.

    Attributes:
        sides: Its two sides.
        refused: Documents that cannot be delivered.
        tallies: What it came to, for the books: (kind, name) → number.
    """

    sides: Sides
    refused: Refused = field(default_factory=Refused)
    tallies: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])


def _attempt(job: Job, connection: psycopg.Connection) -> Refused:
    """Deliver in one transaction, or find out what cannot be delivered and leave everything as it was."""
    delivery = _Delivery(Sides(job, connection, existing_of(job)))
    try:
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            if is_delivered(connection, job.run):
                return Refused()  # a commit whose reply was lost
            _deliver_staged(delivery)
            for (what, who), amount in delivery.tallies.items():
                add_tally(connection, job.run.id, what, who, amount)
            for name in delivery.sides.existing.tables:
                add_tally(connection, job.run.id, EMPTY_BEFORE, name, int(name not in delivery.sides.filled))
            add_tally(connection, job.run.id, *_MARK, 1)
            reached("deliver.before-commit")
    except _Undo:
        return delivery.refused
    reached("deliver.after-commit")
    return delivery.refused


def deliver_letters(
    job: Job, connection: psycopg.Connection, letters: dict[tuple[str, str], bytes]
) -> tuple[Refused, Counter[tuple[str, str]]]:
    """Bring what is in the stage to the real tables, inside the caller's transaction: dead letters of a run.

    Args:
        job: The retry.
        connection: The caller's.
        letters: (source collection, id in the stage) → `_id` as BSON.

    Returns:
        The documents that cannot be delivered (when there are any, the caller undoes his transaction), and tallies as
        a delivery writes them: (kind, name) → number.

    Raises:
        TargetError: As `deliver`; the caller's transaction is lost.
    """
    delivery = _Delivery(Sides(job, connection, existing_of(job), letters=letters))
    with contextlib.suppress(_Undo):
        _deliver_staged(delivery)
    return delivery.refused, delivery.tallies


def _deliver_staged(delivery: _Delivery) -> None:
    """Deliver inside a transaction.

    Raises:
        _Undo: Documents are refused.
    """
    sides, job = delivery.sides, delivery.sides.job
    _lock(sides)
    sides.filled = {name for name in sides.existing.tables if has_rows(sides.connection, sides.existing.schema, name)}
    _refuse_unknowable(sides)
    note_rows_before(sides)
    try:
        with _deferred_keys(sides):
            delivery.tallies.update(waiting.gather(sides, delivery.refused))
            if not delivery.refused:
                matching.resolve(sides, delivery.refused)
            if not delivery.refused:
                waiting_there.look(sides)
            for step in (matching.judge, matching.find_taken_values):
                if not delivery.refused:
                    step(sides, delivery.refused)
            if not delivery.refused:
                _deliver_all(delivery)
            if delivery.refused:
                raise _Undo
            waiting_there.keep(sides)
            with kept_values.following(sides):
                delivery.tallies.update(waiting_there.resolve(sides))
            waiting_there.look_again(sides)
            for (verdict, collection), amount in row_state.write(sides).items():
                delivery.tallies[f"verdict-{verdict}", collection] += amount
            delivery.tallies.update(kept_values.write(sides))
    except psycopg.errors.ForeignKeyViolation as fault:
        raise TargetError(
            f"The rows cannot be delivered: {job.explain(fault)}.",
            code="target-moved",
            hint="A row that was there when references were resolved is gone. Run the same command again; nothing was"
            " delivered.",
        ) from None


def _lock(sides: Sides) -> None:
    tables = sides.existing.tables.values()
    lock_tables(
        sides.connection,
        [sides.real(fed.name) for fed in tables],
        [fed.there.oid for fed in tables],
        seconds=sides.job.options.retry_seconds,
    )
    reached("deliver.locked")


def _refuse_unknowable(sides: Sides) -> None:
    """Raise where rows that were there could be documents of the copy and nothing tells (code `rows-without-key`)."""
    for fed in sides.roots():
        if fed.is_idless and not fed.row_key and fed.name in sides.filled:
            raise TargetError(
                f"{fed.there.label} holds rows, and the mapping says `key: none`: nothing tells which of them are"
                " documents of this copy, so that each would be there twice.",
                code="rows-without-key",
                hint="Empty the table, or give its rows an id or a `key`; then run the same command again. Nothing was"
                " delivered.",
            )


class _deferred_keys:  # noqa: N801  used like a function
    """Lets foreign keys between the tables wait for the end of the delivery, where its order cannot please them.

    Leaving it checks them and puts their definitions back as they were, in the same transaction.
    """

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._altered: list[tuple[sql.Identifier, sql.Identifier]] = []

    def __enter__(self) -> None:
        sides = self._sides
        waiting: list[sql.Identifier] = []
        for fed, key in backward_keys(sides.existing):
            if not _stands(sides, fed, key.name):
                continue
            if not key.deferrable:
                if not fed.there.owned:
                    continue  # it points at its own table, which one statement pleases
                place, name = sides.real(fed.name), sql.Identifier(key.name)
                sides.do(sql.SQL("ALTER TABLE {} ALTER CONSTRAINT {} DEFERRABLE").format(place, name))
                self._altered.append((place, name))
            waiting.append(sql.Identifier(sides.existing.schema, key.name))
        sides.do(sql.SQL("SET CONSTRAINTS ALL IMMEDIATE"))
        if waiting:
            sides.do(sql.SQL("SET CONSTRAINTS {} DEFERRED").format(sql.SQL(", ").join(waiting)))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            return
        self._sides.do(sql.SQL("SET CONSTRAINTS ALL IMMEDIATE"))
        for place, name in self._altered:
            self._sides.do(sql.SQL("ALTER TABLE {} ALTER CONSTRAINT {} NOT DEFERRABLE").format(place, name))


def _stands(sides: Sides, fed: FedTable, key: str) -> bool:
    """Tell whether a foreign key is there now; it may be set aside."""
    return bool(
        sides.one(
            sql.SQL(
                "SELECT count(*) FROM pg_catalog.pg_constraint"
                " WHERE contype = 'f' AND conrelid = {}::oid AND conname = {}"
            ).format(sql.Literal(fed.there.oid), sql.Literal(key))
        )
    )


def _deliver_all(delivery: _Delivery) -> None:
    sides = delivery.sides
    order = delivery_order(sides.existing)
    for fed in reversed(order):  # what points at a row goes before it
        if fed.table.kind == "child" and sides.root_of(fed.table).name in sides.judged and not delivery.refused:
            _delete_rows(delivery, fed)
    if delivery.refused:
        return
    for fed in order:
        sides.job.check_stop()
        sides.job.progress.step(f"rows of {fed.name}")
        if fed.table.kind == "junction":
            delivered, left, deleted = deliver_pairs(sides, delivery.refused, fed)
            delivery.tallies["delivered-rows", fed.name] += delivered
            delivery.tallies["kept-rows", fed.name] += left
            if deleted:
                delivery.tallies[VALUES, fed.name] += deleted
        else:
            _deliver_rows(delivery, fed)
        sides.job.progress.step_done()
        reached("deliver.between-tables")
        if delivery.refused:
            return  # what points at a refused document is not refused for that
    matching.write_ledgers(sides)
    for fed in sides.roots():
        delivery.tallies.update(matching.counts(sides, fed))


def _fresh(sides: Sides, fed: FedTable) -> sql.Composed:
    """Return SQL that is true of stage rows (`s`) whose document was not there before."""
    root = sides.root_of(fed.table)
    if root.name not in sides.judged:
        return sql.SQL("true").format()
    return sql.SQL("NOT EXISTS (SELECT FROM {} v WHERE v.stage_id = s.{})").format(
        sides.temporary("verdict", root.name), sides.owner(fed)
    )


def _changed(sides: Sides, fed: FedTable) -> sql.Composed:
    root = sides.root_of(fed.table)
    return sql.SQL("{} v WHERE v.verdict IN ('overwritten', 'updated')").format(sides.temporary("verdict", root.name))


def _deliver_rows(delivery: _Delivery, fed: FedTable) -> None:
    """Insert the rows of new documents, and put those of changed ones in place."""
    sides, refused = delivery.sides, delivery.refused
    root = sides.root_of(fed.table)
    new = sql.SQL("SELECT DISTINCT s.{} AS id FROM {} s WHERE {}").format(
        sides.owner(fed), sides.staged(fed.name), _fresh(sides, fed)
    )
    delivered = whole_or_pieces(sides, refused, fed, new, lambda chosen: _insert(sides, fed, chosen))
    if root.name in sides.judged and not refused:
        changed = sql.SQL("SELECT v.stage_id AS id FROM {}").format(_changed(sides, fed))
        replace = _replace_root if fed.table.kind == "root" else _replace_children
        delivered += whole_or_pieces(sides, refused, fed, changed, lambda chosen: replace(sides, fed, chosen))
    staged = sides.one(sql.SQL("SELECT count(*) FROM {}").format(sides.staged(fed.name)))
    delivery.tallies["delivered-rows", fed.name] += delivered
    delivery.tallies["kept-rows", fed.name] += staged - delivered
    if not refused:
        delivery.tallies.update(_written(sides, fed))
        _deliver_extras(sides, fed)


def _delete_rows(delivery: _Delivery, fed: FedTable) -> None:
    """Delete the rows of a child table that changed documents no longer have."""
    sides = delivery.sides
    changed = sql.SQL("SELECT v.stage_id AS id FROM {}").format(_changed(sides, fed))
    whole_or_pieces(sides, delivery.refused, fed, changed, lambda chosen: _delete_children(sides, fed, chosen))


def _written(sides: Sides, fed: FedTable) -> Counter[tuple[str, str]]:
    """Count, by source collection, the rows of documents that are not left as they were: what was to be delivered."""
    root = sides.root_of(fed.table)
    left = sql.SQL("false").format()
    if root.name in sides.judged:
        left = sql.SQL(
            "EXISTS (SELECT FROM {} v WHERE v.stage_id = s.{} AND v.verdict NOT IN ('overwritten', 'updated'))"
        ).format(sides.temporary("verdict", root.name), sides.owner(fed))
    rows = sides.connection.execute(
        sql.SQL("SELECT {}, count(*) FROM {} s WHERE NOT {} GROUP BY 1").format(
            sides.collection_of(fed, sides.flow_of(fed)), sides.staged(fed.name), left
        )
    ).fetchall()
    return Counter({(f"{WRITTEN}{collection}", fed.name): int(count) for collection, count in rows})


def _insert(sides: Sides, fed: FedTable, chosen: Chosen) -> int:
    """Insert the rows of chosen new documents."""
    parts = {
        "real": sides.real(fed.name),
        "names": sql.SQL(", ").join(sql.Identifier(column.name) for column in fed.columns),
        "overriding": sql.SQL("OVERRIDING SYSTEM VALUE " if any(column.there.always for column in fed.columns) else ""),
        "values": sides.values(fed),
        "stage": sides.staged(fed.name),
        "fresh": _fresh(sides, fed),
        "chosen": chosen(sql.SQL("s.{}").format(sides.owner(fed))),
    }
    expected = sides.one(sql.SQL("SELECT count(*) FROM {stage} s WHERE {fresh} AND {chosen}").format(**parts))
    statement = "INSERT INTO {real} ({names}) {overriding}SELECT {values} FROM {stage} s WHERE {fresh} AND {chosen}"
    inserted = sides.do(sql.SQL(statement).format(**parts))
    if inserted != expected:
        raise swallowed(fed, expected, inserted)
    return inserted


def _assignments(sides: Sides, fed: FedTable, columns: tuple[str, ...]) -> sql.Composed:
    parts: list[sql.Composed] = []
    for column in fed.columns:
        name, value = sql.Identifier(column.name), sides.value(column, fed.table)
        if (fed.name, column.name) in sides.filled_in:
            value = sql.SQL("CASE WHEN {} THEN t.{} ELSE {} END").format(sides.is_filled_in(fed, column), name, value)
        if column.name in columns:
            parts.append(sql.SQL("{} = {}").format(name, value))
    return sql.SQL(", ").join(parts)


def _replace_root(sides: Sides, fed: FedTable, chosen: Chosen) -> int:
    """Write the rows of chosen documents that are overwritten or updated."""
    columns = tuple(column.name for column in sides.contents(fed) if not column.there.always)
    parts = {
        "real": sides.real(fed.name),
        "assignments": _assignments(sides, fed, columns),
        "stage": sides.staged(fed.name),
        "changed": _changed(sides, fed),
        "owner": sides.owner(fed),
        "row_id": sides.row_id(fed),
        "chosen": chosen(sql.SQL("v.stage_id")),
    }
    expected = sides.one(sql.SQL("SELECT count(*) FROM {changed} AND {chosen}").format(**parts))
    if not columns:
        return expected  # only their child rows differ
    statement = (
        "UPDATE {real} t SET {assignments} FROM {stage} s, {changed} AND {chosen} AND s.{owner} = v.stage_id"
        " AND {row_id} = v.target_id"
    )
    written = sides.do(sql.SQL(statement).format(**parts))
    if written != expected:
        raise swallowed(fed, expected, written)
    return written


def _same_place(sides: Sides, fed: FedTable) -> sql.Composed:
    """Return SQL that is true of a child table's row (`t`) and a stage row (`s`) with the same place in the array."""
    names = (sql.Identifier(name) for name in sides.positions(fed))
    return sql.SQL(" AND ").join(sql.SQL("t.{0} = s.{0}").format(name) for name in names)


def _delete_children(sides: Sides, fed: FedTable, chosen: Chosen) -> int:
    statement = (
        "DELETE FROM {real} t USING {changed} AND {chosen} AND t.{owner} = v.target_id AND NOT EXISTS"
        " (SELECT FROM {stage} s WHERE s.{owner} = v.stage_id AND {same})"
    )
    return sides.do(
        sql.SQL(statement).format(
            real=sides.real(fed.name),
            stage=sides.staged(fed.name),
            changed=_changed(sides, fed),
            owner=sides.owner(fed),
            same=_same_place(sides, fed),
            chosen=chosen(sql.SQL("v.stage_id")),
        )
    )


def _replace_children(sides: Sides, fed: FedTable, chosen: Chosen) -> int:
    """Update rows with the same place in the array, and add those behind them."""
    positions = sides.positions(fed)
    contents = [column for column in sides.contents(fed) if column.name not in positions]
    columns = tuple(column.name for column in contents if not column.there.always)
    parts = {
        "real": sides.real(fed.name),
        "stage": sides.staged(fed.name),
        "changed": _changed(sides, fed),
        "owner": sides.owner(fed),
        "same": _same_place(sides, fed),
        "chosen": chosen(sql.SQL("v.stage_id")),
        "assignments": _assignments(sides, fed, columns),
        "names": sql.SQL(", ").join(sql.Identifier(column.name) for column in fed.columns),
        "values": sides.values(fed),
    }
    both = "{stage} s, {changed} AND {chosen} AND s.{owner} = v.stage_id AND t.{owner} = v.target_id AND {same}"
    insert = (
        "INSERT INTO {real} ({names}) SELECT {values} FROM {stage} s, {changed} AND {chosen} AND s.{owner} = v.stage_id"
        " AND NOT EXISTS (SELECT FROM {real} t WHERE t.{owner} = v.target_id AND {same})"
    )
    count = "SELECT count(*) FROM {stage} s, {changed} AND {chosen} AND s.{owner} = v.stage_id"
    if columns:
        written = sides.do(sql.SQL(f"UPDATE {{real}} t SET {{assignments}} FROM {both}").format(**parts))
    else:
        written = sides.one(sql.SQL(f"SELECT count(*) FROM {{real}} t, {both}").format(**parts))
    written += sides.do(sql.SQL(insert).format(**parts))
    expected = sides.one(sql.SQL(count).format(**parts))
    if written != expected:
        raise swallowed(fed, expected, written)
    return written


def _deliver_extras(sides: Sides, fed: FedTable) -> None:
    """Bring fields that nobody named to `isthmus.extras`, where the table has no column for them."""
    if fed.extras is None:
        return
    root = sides.root_of(fed.table)
    if fed.is_idless:
        owner = sql.SQL("(SELECT m.target_id FROM {} m WHERE m.stage_id = s.{})").format(
            sides.temporary("moved", fed.name), sides.owner(fed)
        )
    else:
        column = next(column for column in fed.columns if column.column.role in {"id", "root_id"})
        owner = sides.value(column, fed.table)
    positions = sql.SQL("ARRAY[{}]::integer[]").format(
        sql.SQL(", ").join(sql.SQL("s.{}").format(sql.Identifier(name)) for name in sides.positions(fed))
    )
    kept = sql.SQL("true").format()
    if root.name in sides.judged:
        verdict = sides.temporary("verdict", root.name)
        kept = sql.SQL(
            "NOT EXISTS (SELECT FROM {} v WHERE v.stage_id = s.{}"
            " AND v.verdict NOT IN ('overwritten', 'updated', 'same'))"
        ).format(verdict, sides.owner(fed))
        sides.do(  # a row that says the same as its document is the document's, and so is what stands beside it
            sql.SQL(
                "DELETE FROM isthmus.extras e USING {verdict} v WHERE v.verdict IN ('overwritten', 'updated', 'same')"
                " AND e.table_schema = {schema} AND e.table_name = {name} AND e.id = v.target_id::text"
                " AND NOT EXISTS (SELECT FROM {stage} s WHERE s.{owner} = v.stage_id AND s.{extras} IS NOT NULL"
                " AND {positions} = e.row_position)"
            ).format(
                verdict=verdict,
                schema=sql.Literal(sides.existing.schema),
                name=sql.Literal(fed.name),
                stage=sides.staged(fed.name),
                owner=sides.owner(fed),
                extras=sql.Identifier(fed.extras),
                positions=positions,
            )
        )
    sides.do(
        sql.SQL(
            "INSERT INTO isthmus.extras (table_schema, table_name, id, row_position, document)"
            " SELECT {schema}, {name}, ({owner})::text, {positions}, s.{extras} FROM {stage} s"
            " WHERE s.{extras} IS NOT NULL AND {kept}"
            " ON CONFLICT (table_schema, table_name, id, row_position) DO UPDATE SET document = EXCLUDED.document"
            " WHERE extras.document IS DISTINCT FROM EXCLUDED.document"
        ).format(
            schema=sql.Literal(sides.existing.schema),
            name=sql.Literal(fed.name),
            owner=owner,
            positions=positions,
            extras=sql.Identifier(fed.extras),
            stage=sides.staged(fed.name),
            kept=kept,
        )
    )


def after_delivery(job: Job, hands: Hands) -> None:
    """Put back what was set aside, and look at the real tables anew. Safe to repeat."""
    existing = existing_of(job)
    job.progress.stage("restoring", steps=len(missing(job.lease.connection)) + len(existing.tables))
    restore(job, hands)
    hands.part("sequences", lambda connection: advance_sequences(job, connection))
    hands.all((f"statistics of {name}", lambda c, n=name: _analyze(c, existing, n)) for name in existing.tables)
    reached("deliver.before-complete")


def _analyze(connection: psycopg.Connection, existing: Existing, name: str) -> None:
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(existing.schema, name)))
