"""What a delivery adds to the books: documents whose rows were there before, and how many rows were delivered."""

from __future__ import annotations

import psycopg

from isthmus.state.checkpoints import read_tallies
from isthmus.transfer.balance import Balance
from isthmus.transfer.job import Job

_VERDICT = "verdict-"
_KEPT = ("kept", "same", "edited", "deleted")


def enter_delivery(job: Job, connection: psycopg.Connection, balance: Balance) -> None:
    """Enter a delivery into books that were drawn of the stage.

    Documents whose row stays as it is are `kept`, not `copied`. The rows of each table are held against what the
    delivery sent and what it left.
    """
    tallies = read_tallies(connection, job.run.id)
    delivered, kept = tallies.get("delivered-rows", {}), tallies.get("kept-rows", {})
    for kind, amounts in tallies.items():
        if not kind.startswith(_VERDICT):
            continue
        verdict = kind.removeprefix(_VERDICT)
        for collection, amount in amounts.items():
            balance.met_rows.setdefault(collection, {})[verdict] = amount
            if verdict in _KEPT:
                balance.collections[collection].copied -= amount
                balance.collections[collection].kept += amount
    for books in balance.collections.values():
        for table, staged in books.tables.items():
            books.tables[table] = _hold(balance, table, staged, delivered.get(table, 0), kept.get(table, 0))
    for junction, staged in balance.junctions.items():
        balance.junctions[junction] = _hold(
            balance, junction, staged, delivered.get(junction, 0), kept.get(junction, 0)
        )


def _hold(balance: Balance, table: str, staged: int, delivered: int, kept: int) -> int:
    """Compare the rows of one table; return how many were delivered."""
    if staged != delivered + kept:
        balance.differences.append(
            f"{table}: {staged} rows were settled, {delivered} delivered and {kept} left as they were."
        )
    return delivered
