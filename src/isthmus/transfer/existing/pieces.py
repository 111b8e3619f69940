"""Work on all documents of a table at once, and where one is refused, in pieces until exactly the refused are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.connect.postgres import explain, meaning
from isthmus.errors import TargetError
from isthmus.state.ledgers import Cause
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.refused import Refused
from isthmus.transfer.existing.sides import Sides

PIECE = 10_000
"""Documents that are tried at once where a whole table is refused."""

Chosen = Callable[[sql.Composable], sql.Composed]
"""Makes of SQL of a stage id the condition that it is among the chosen ones."""


def whole_or_pieces(
    sides: Sides,
    refused: Refused,
    fed: FedTable,
    ids: sql.Composed,
    work: Callable[[Chosen], int],
    *,
    root: FedTable | None = None,
) -> int:
    """Do some work in a savepoint; where the server refuses a row, do it for pieces and halves of the documents.

    Args:
        sides: The delivery.
        refused: Gets the documents that are refused, with the server's words.
        fed: The table that is written to.
        ids: Query of the stage ids of all documents concerned, each once, as `id`.
        work: Writes the rows of chosen documents and returns how many; repeatable when it is undone.
        root: Table of the documents; None for the root table of `fed`.

    Returns:
        Rows written; of no meaning when documents were refused.

    Raises:
        TargetError: Rows of the table need one another, so that pieces prove nothing (code `delivery-refused`).
    """
    try:
        with sides.connection.transaction():
            return work(_everyone)
    except psycopg.Error as fault:
        if meaning(fault) != "data":
            raise
        own = [key for key in fed.there.keys if key.target == (fed.there.schema, fed.name)]
        if not fed.there.owned and any(not key.deferrable for key in own):
            raise refusal(sides, fed, fault) from None
    sides.do(sql.SQL("DROP TABLE IF EXISTS pg_temp.deal"))
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE deal ON COMMIT DROP AS"
            " SELECT row_number() OVER (ORDER BY id) AS number, id FROM ({}) AS d"
        ).format(ids)
    )
    sides.do(sql.SQL("CREATE UNIQUE INDEX ON pg_temp.deal (number)"))
    total, written = sides.one(sql.SQL("SELECT count(*) FROM pg_temp.deal").format()), 0
    for low in range(1, total + 1, PIECE):
        sides.job.check_stop()
        written += _Halves(sides, refused, fed, root or sides.root_of(fed.table), work).carry(
            low, min(total, low + PIECE - 1)
        )
        if refused.is_full:
            break
    return written


def _everyone(_: sql.Composable) -> sql.Composed:
    return sql.SQL("true").format()


def _between(low: int, high: int) -> Chosen:
    numbers = sql.SQL("SELECT id FROM pg_temp.deal WHERE number BETWEEN {} AND {}").format(
        sql.Literal(low), sql.Literal(high)
    )
    return lambda stage_id: sql.SQL("{} IN ({})").format(stage_id, numbers)


@dataclass(frozen=True)
class _Halves:
    """Does some work for ever smaller pieces, down to one document; attributes as those of `whole_or_pieces`."""

    sides: Sides
    refused: Refused
    fed: FedTable
    root: FedTable
    work: Callable[[Chosen], int]

    def carry(self, low: int, high: int) -> int:
        try:
            with self.sides.connection.transaction():
                return self.work(_between(low, high))
        except psycopg.Error as fault:
            if meaning(fault) != "data":
                raise
            if low < high:
                middle = (low + high) // 2
                return self.carry(low, middle) + self.carry(middle + 1, high)
            self._refuse(low, fault)
            return 0

    def _refuse(self, number: int, fault: psycopg.Error) -> None:
        fed = self.fed
        row = self.sides.connection.execute("SELECT id::text FROM pg_temp.deal WHERE number = %s", (number,)).fetchone()
        shows = not any(column.column.sensitive for column in fed.columns)
        words = explain(fault, detail=shows, values=shows)
        what = "a pair" if fed.table.kind == "junction" else "the document's row"
        message = f"PostgreSQL refuses {what} of {fed.there.label}: {words}."
        cause = Cause("target-refused", "", message, fed.name)
        self.refused.add(self.root.name, str(row[0]) if row else "", cause)


def refusal(sides: Sides, fed: FedTable, fault: psycopg.Error) -> TargetError:
    """Return the error for rows that are refused and belong to no single document."""
    return TargetError(
        f"PostgreSQL refuses rows of {fed.there.label}: {sides.job.explain(fault)}.",
        code="delivery-refused",
        hint="Nothing was delivered. Mend the cause, or use the table's owner; then run the same command again.",
    )


def swallowed(fed: FedTable, expected: int, written: int) -> TargetError:
    """Return the error for a table that took another number of rows than it was sent."""
    return TargetError(
        f"{expected:,} rows were sent to {fed.there.label}, which took {written:,}.",
        code="rows-swallowed",
        hint=f"A trigger passes rows over without an error ({', '.join(fed.there.triggers) or 'none is known'})."
        " Disable it for the copy; nothing was delivered.",
    )
