"""Remove the rows: all of them in one statement, so that no order of tables and no circle of keys stands in the way."""

from __future__ import annotations

import psycopg
from psycopg import sql

from isthmus.errors import TargetError
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.undoing.taking import Taking


def remove_rows(taking: Taking) -> None:
    """Delete the rows that go; their foreign keys are asked when all of them are gone.

    Raises:
        TargetError: A table gives up another number of rows (code `rows-swallowed`), or rows refer to them that nobody
            could see (`undo-refused`); the transaction is lost.
    """
    sides, result = taking.sides, taking.result
    tables = [fed for fed in taking.tables if result.removed[fed.name]]
    if not tables:
        return
    sides.do(sql.SQL("SET CONSTRAINTS ALL IMMEDIATE"))
    parts = [
        sql.SQL("{} AS (DELETE FROM ONLY {} t USING {} g WHERE {} RETURNING 1)").format(
            sql.Identifier(f"gone_{number}"), sides.real(fed.name), _going(taking, fed), _same(taking, fed)
        )
        for number, fed in enumerate(tables)
    ]
    counts = sql.SQL(", ").join(
        sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(f"gone_{number}")) for number in range(len(tables))
    )
    try:
        row = sides.connection.execute(
            sql.SQL("WITH {} SELECT {}").format(sql.SQL(", ").join(parts), counts)
        ).fetchone()
    except (psycopg.errors.ForeignKeyViolation, psycopg.errors.RestrictViolation) as fault:
        raise TargetError(
            f"The rows cannot be removed: {sides.job.explain(fault)}.",
            code="undo-refused",
            hint="Something refers to them that was not seen before. Nothing was removed; run the same command again.",
        ) from None
    for fed, count in zip(tables, row or (), strict=True):
        if int(count) != result.removed[fed.name]:
            raise TargetError(
                f"{result.removed[fed.name]:,} rows of {fed.there.label} were to be removed, {int(count):,} were.",
                code="rows-swallowed",
                hint="A trigger or a rule keeps rows without an error. Disable it, and run the same command again;"
                " nothing was removed.",
            )


def _going(taking: Taking, fed: FedTable) -> sql.Identifier:
    return taking.going(fed if fed.table.kind == "junction" else taking.sides.root_of(fed.table))


def _same(taking: Taking, fed: FedTable) -> sql.Composed:
    """Return SQL that is true of a row `t` that goes and what says so, `g`."""
    sides = taking.sides
    if fed.table.kind == "junction":
        return sql.SQL(" AND ").join(
            sql.SQL("g.{0} = t.{0}").format(sql.Identifier(column.name)) for column in fed.columns
        )
    if fed.table.kind == "child":
        return sql.SQL("g.id = t.{}").format(sides.owner(fed))
    return sql.SQL("g.id = {}").format(sides.row_id(fed, "t"))
