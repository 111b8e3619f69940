"""The delivery: from the stage to the real tables, all of it in one transaction.

Before it nothing of the run is in the real tables, behind it everything; the transaction itself says which. Documents
that a real table refuses are found one by one in a transaction that is then undone; they become dead letters in the
stage, what refers to them is settled there, and the delivery is made again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from isthmus.connect.postgres import explain, meaning
from isthmus.errors import TargetError
from isthmus.state.checkpoints import add_tally, read_tallies
from isthmus.state.ledgers import Cause
from isthmus.state.runs import Run
from isthmus.transfer.document_rows import flow_column, key_column
from isthmus.transfer.existing import matching, only, row_state
from isthmus.transfer.existing.fit import Existing, FedTable, backward_keys, delivery_order
from isthmus.transfer.existing.refused import Refused
from isthmus.transfer.existing.saved_ddl import restore, set_aside
from isthmus.transfer.existing.sequences import advance_sequences
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.hands import Hands
from isthmus.transfer.job import Job
from isthmus.transfer.remove import remove_documents
from isthmus.transfer.stages import reached

_PIECE = 10_000  # documents that are tried at once where a whole table is refused
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
    existing = existing_of(job)
    delivery = _Delivery(Sides(job, connection, existing))
    sides = delivery.sides
    try:
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            if is_delivered(connection, job.run):
                return Refused()  # a commit whose reply was lost
            _lock(sides)
            sides.filled = {fed.name for fed in existing.tables.values() if _has_rows(sides, fed)}
            with _deferred_keys(sides):
                delivery.tallies.update(only.set_waiting_aside(sides, delivery.refused))
                if not delivery.refused:
                    matching.resolve(sides, delivery.refused)
                if not delivery.refused:
                    matching.judge(sides, delivery.refused)
                if not delivery.refused:
                    matching.find_taken_values(sides, delivery.refused)
                if not delivery.refused:
                    _deliver_all(delivery)
                if delivery.refused:
                    raise _Undo
                only.keep_waiting(sides)
                delivery.tallies["resolved-waiting", "all"] += only.resolve_waiting(sides)
                for collection, amount in row_state.write(sides).items():
                    delivery.tallies["verdict-gone", collection] += amount
            for (what, who), amount in delivery.tallies.items():
                add_tally(connection, job.run.id, what, who, amount)
            add_tally(connection, job.run.id, *_MARK, 1)
            reached("deliver.before-commit")
    except _Undo:
        return delivery.refused
    except psycopg.errors.ForeignKeyViolation as fault:
        raise TargetError(
            f"The rows cannot be delivered: {job.explain(fault)}.",
            code="target-moved",
            hint="A row that was there when references were resolved is gone. Run the same command again; nothing was"
            " delivered.",
        ) from None
    reached("deliver.after-commit")
    return delivery.refused


def _lock(sides: Sides) -> None:
    """Keep other writers away from the real tables until the transaction ends; readers are not."""
    tables = sql.SQL(", ").join(sides.real(name) for name in sides.existing.tables)
    sides.do(sql.SQL("LOCK TABLE ONLY {} IN SHARE ROW EXCLUSIVE MODE").format(tables))
    reached("deliver.locked")


def _has_rows(sides: Sides, fed: FedTable) -> bool:
    return bool(sides.one(sql.SQL("SELECT EXISTS (SELECT FROM {})::integer").format(sides.real(fed.name))))


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
    for fed in delivery_order(sides.existing):
        sides.job.check_stop()
        if fed.table.kind == "junction":
            _deliver_pairs(delivery, fed)
        else:
            _deliver_rows(delivery, fed)
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
    sides = delivery.sides
    condition = _fresh(sides, fed)
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in fed.columns)
    always = any(column.there.always for column in fed.columns)
    insert = sql.SQL("INSERT INTO {} ({}) {}SELECT {} FROM {} s WHERE {}").format(
        sides.real(fed.name),
        names,
        sql.SQL("OVERRIDING SYSTEM VALUE ") if always else sql.SQL(""),
        sides.values(fed),
        sides.staged(fed.name),
        condition,
    )
    count = sql.SQL("SELECT count(*) FROM {} s WHERE {}").format(sides.staged(fed.name), condition)
    delivered = _insert(delivery, fed, insert, count)
    if sides.root_of(fed.table).name in sides.judged:
        delivered += _replace(sides, fed)
    staged = sides.one(sql.SQL("SELECT count(*) FROM {}").format(sides.staged(fed.name)))
    delivery.tallies["delivered-rows", fed.name] += delivered
    delivery.tallies["kept-rows", fed.name] += staged - delivered
    if not delivery.refused:
        delivery.tallies.update(_written(sides, fed))
        _deliver_extras(sides, fed)


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


def _insert(delivery: _Delivery, fed: FedTable, insert: sql.Composed, count: sql.Composed) -> int:
    """Insert all rows at once; where one is refused, find out whose it is, piece by piece."""
    sides = delivery.sides
    try:
        with sides.connection.transaction():
            expected = sides.one(count)
            inserted = sides.do(insert)
    except psycopg.Error as fault:
        if meaning(fault) != "data":
            raise
        if any(
            key.target == (fed.there.schema, fed.name) and not key.deferrable and not fed.there.owned
            for key in fed.there.keys
        ):
            raise _refusal(sides, fed, fault) from None  # its rows need one another, so pieces prove nothing
        return _find_refused(delivery, fed, insert)
    if inserted != expected:
        raise _swallowed(fed, expected, inserted)
    return inserted


def _swallowed(fed: FedTable, expected: int, inserted: int) -> TargetError:
    return TargetError(
        f"{expected:,} rows were sent to {fed.there.label}, which took {inserted:,}.",
        code="rows-swallowed",
        hint=f"A trigger passes rows over without an error ({', '.join(fed.there.triggers) or 'none is known'})."
        " Disable it for the copy; nothing was delivered.",
    )


def _refusal(sides: Sides, fed: FedTable, fault: psycopg.Error) -> TargetError:
    return TargetError(
        f"PostgreSQL refuses rows of {fed.there.label}: {sides.job.explain(fault)}.",
        code="delivery-refused",
        hint="Nothing was delivered. Mend the cause, or use the table's owner; then run the same command again.",
    )


def _find_refused(delivery: _Delivery, fed: FedTable, insert: sql.Composed) -> int:
    """Try documents in pieces, then in halves, until exactly the refused ones are known; return the rows inserted."""
    sides = delivery.sides
    deal = sql.Identifier("pg_temp", "deal")
    sides.do(sql.SQL("DROP TABLE IF EXISTS {}").format(deal))
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE deal ON COMMIT DROP AS SELECT row_number() OVER (ORDER BY id) AS number, id"
            " FROM (SELECT DISTINCT s.{owner} AS id FROM {stage} s WHERE {fresh}) AS d"
        ).format(owner=sides.owner(fed), stage=sides.staged(fed.name), fresh=_fresh(sides, fed))
    )
    sides.do(sql.SQL("CREATE UNIQUE INDEX ON {} (number)").format(deal))
    total = sides.one(sql.SQL("SELECT count(*) FROM {}").format(deal))
    part = insert + sql.SQL(" AND s.{} IN (SELECT id FROM {} WHERE number BETWEEN %s AND %s)").format(
        sides.owner(fed), deal
    )
    inserted = 0
    for low in range(1, total + 1, _PIECE):
        sides.job.check_stop()
        inserted += _halve(delivery, fed, part, low, min(total, low + _PIECE - 1))
        if delivery.refused.is_full:
            break
    return inserted


def _halve(delivery: _Delivery, fed: FedTable, part: sql.Composed, low: int, high: int) -> int:
    sides = delivery.sides
    try:
        with sides.connection.transaction():
            return sides.do(part, (low, high))
    except psycopg.Error as fault:
        if meaning(fault) != "data":
            raise
        if low < high:
            middle = (low + high) // 2
            return _halve(delivery, fed, part, low, middle) + _halve(delivery, fed, part, middle + 1, high)
        row = sides.connection.execute("SELECT id::text FROM pg_temp.deal WHERE number = %s", (low,)).fetchone()
        shows = not any(column.column.sensitive for column in fed.columns)
        words = explain(fault, detail=shows, values=shows)
        cause = Cause(
            "target-refused", "", f"PostgreSQL refuses the document's row of {fed.there.label}: {words}.", fed.name
        )
        delivery.refused.add(sides.root_of(fed.table).name, str(row[0]) if row else "", cause)
        return 0


def _replace(sides: Sides, fed: FedTable) -> int:
    """Put the rows of documents that were there before and are overwritten or updated in place."""
    return _replace_root(sides, fed) if fed.table.kind == "root" else _replace_children(sides, fed)


def _assignments(sides: Sides, fed: FedTable, columns: tuple[str, ...]) -> sql.Composed:
    parts: list[sql.Composed] = []
    for column in fed.columns:
        name, value = sql.Identifier(column.name), sides.value(column, fed.table)
        if (fed.name, column.name) in sides.filled_in:
            value = sql.SQL("CASE WHEN {} THEN t.{} ELSE {} END").format(sides.is_filled_in(fed, column), name, value)
        if column.name in columns:
            parts.append(sql.SQL("{} = {}").format(name, value))
    return sql.SQL(", ").join(parts)


def _replace_root(sides: Sides, fed: FedTable) -> int:
    columns = tuple(column.name for column in sides.contents(fed) if not column.there.always)
    if not columns:
        return 0
    return sides.do(
        sql.SQL(
            "UPDATE {real} t SET {assignments} FROM {stage} s, {changed} AND s.{owner} = v.stage_id"
            " AND t.{owner} = v.target_id"
        ).format(
            real=sides.real(fed.name),
            assignments=_assignments(sides, fed, columns),
            stage=sides.staged(fed.name),
            changed=_changed(sides, fed),
            owner=sides.owner(fed),
        )
    )


def _replace_children(sides: Sides, fed: FedTable) -> int:
    """Update rows with the same place in the array, add those behind them, delete those the source no longer has."""
    positions = sides.positions(fed)
    same = sql.SQL(" AND ").join(sql.SQL("t.{0} = s.{0}").format(sql.Identifier(name)) for name in positions)
    parts = {
        "real": sides.real(fed.name),
        "stage": sides.staged(fed.name),
        "changed": _changed(sides, fed),
        "owner": sides.owner(fed),
        "same": same,
    }
    sides.do(
        sql.SQL(
            "DELETE FROM {real} t USING {changed} AND t.{owner} = v.target_id AND NOT EXISTS (SELECT FROM {stage} s"
            " WHERE s.{owner} = v.stage_id AND {same})"
        ).format(**parts)
    )
    columns = tuple(
        column.name for column in sides.contents(fed) if column.name not in positions and not column.there.always
    )
    updated = 0
    if columns:
        updated = sides.do(
            sql.SQL(
                "UPDATE {real} t SET {assignments} FROM {stage} s, {changed} AND s.{owner} = v.stage_id"
                " AND t.{owner} = v.target_id AND {same}"
            ).format(assignments=_assignments(sides, fed, columns), **parts)
        )
    else:
        updated = sides.one(
            sql.SQL(
                "SELECT count(*) FROM {real} t, {stage} s, {changed} AND s.{owner} = v.stage_id"
                " AND t.{owner} = v.target_id AND {same}"
            ).format(**parts)
        )
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in fed.columns)
    inserted = sides.do(
        sql.SQL(
            "INSERT INTO {real} ({names}) SELECT {values} FROM {stage} s, {changed} AND s.{owner} = v.stage_id"
            " AND NOT EXISTS (SELECT FROM {real} t WHERE t.{owner} = v.target_id AND {same})"
        ).format(names=names, values=sides.values(fed), **parts)
    )
    return updated + inserted


def _deliver_extras(sides: Sides, fed: FedTable) -> None:
    """Bring fields that nobody named to `isthmus.extras`, where the table has no column for them."""
    if fed.extras is None:
        return
    root = sides.root_of(fed.table)
    owner = next(column for column in fed.columns if column.column.role in {"id", "root_id"})
    positions = sql.SQL("ARRAY[{}]::integer[]").format(
        sql.SQL(", ").join(sql.SQL("s.{}").format(sql.Identifier(name)) for name in sides.positions(fed))
    )
    kept = sql.SQL("true").format()
    if root.name in sides.judged:
        kept = sql.SQL(
            "NOT EXISTS (SELECT FROM {} v WHERE v.stage_id = s.{} AND v.verdict NOT IN ('overwritten', 'updated'))"
        ).format(sides.temporary("verdict", root.name), sides.owner(fed))
        sides.do(
            sql.SQL(
                "DELETE FROM isthmus.extras e USING {} AND e.table_schema = {} AND e.table_name = {}"
                " AND e.id = v.target_id::text"
            ).format(_changed(sides, fed), sql.Literal(sides.existing.schema), sql.Literal(fed.name))
        )
    sides.do(
        sql.SQL(
            "INSERT INTO isthmus.extras (table_schema, table_name, id, row_position, document)"
            " SELECT {schema}, {name}, ({owner})::text, {positions}, s.{extras} FROM {stage} s"
            " WHERE s.{extras} IS NOT NULL AND {kept}"
            " ON CONFLICT (table_schema, table_name, id, row_position) DO UPDATE SET document = EXCLUDED.document"
        ).format(
            schema=sql.Literal(sides.existing.schema),
            name=sql.Literal(fed.name),
            owner=sides.value(owner, fed.table),
            positions=positions,
            extras=sql.Identifier(fed.extras),
            stage=sides.staged(fed.name),
            kept=kept,
        )
    )


def _deliver_pairs(delivery: _Delivery, fed: FedTable) -> None:
    """Insert the pairs that are not there yet; of a document that somebody deleted there, none."""
    sides = delivery.sides
    condition = sql.SQL("true").format()
    for column in fed.columns:
        target = sides.target_of(column.column, fed.table)
        if target in sides.judged:
            condition += sql.SQL(
                " AND NOT EXISTS (SELECT FROM {} v WHERE v.stage_id = s.{} AND v.verdict = 'deleted')"
            ).format(sides.temporary("verdict", str(target)), sql.Identifier(column.name))
    names = [sql.Identifier(column.name) for column in fed.columns]
    source = sql.SQL("SELECT DISTINCT {} FROM {} s WHERE {}").format(
        sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(sides.value(column, fed.table), name)
            for column, name in zip(fed.columns, names, strict=True)
        ),
        sides.staged(fed.name),
        condition,
    )
    same = sql.SQL(" AND ").join(sql.SQL("t.{0} = p.{0}").format(name) for name in names)
    absent = sql.SQL("NOT EXISTS (SELECT FROM {} t WHERE {})").format(sides.real(fed.name), same)
    expected = sides.one(sql.SQL("SELECT count(*) FROM ({}) AS p WHERE {}").format(source, absent))
    try:
        with sides.connection.transaction():
            inserted = sides.do(
                sql.SQL("INSERT INTO {} ({}) SELECT {} FROM ({}) AS p WHERE {}").format(
                    sides.real(fed.name),
                    sql.SQL(", ").join(names),
                    sql.SQL(", ").join(sql.SQL("p.{}").format(name) for name in names),
                    source,
                    absent,
                )
            )
    except psycopg.Error as fault:
        if meaning(fault) != "data":
            raise
        raise _refusal(sides, fed, fault) from None
    if inserted != expected:
        raise _swallowed(fed, expected, inserted)
    staged = sides.one(sql.SQL("SELECT count(*) FROM {}").format(sides.staged(fed.name)))
    delivery.tallies["delivered-rows", fed.name] += inserted
    delivery.tallies["kept-rows", fed.name] += staged - inserted


def after_delivery(job: Job, hands: Hands) -> None:
    """Put back what was set aside, and look at the real tables anew. Safe to repeat."""
    existing = existing_of(job)
    restore(job, hands)
    hands.part("sequences", lambda connection: advance_sequences(job, connection))
    for name in existing.tables:
        place = sql.Identifier(existing.schema, name)
        hands.part(f"statistics of {name}", lambda c, p=place: c.execute(sql.SQL("ANALYZE {}").format(p)))
    reached("deliver.before-complete")
